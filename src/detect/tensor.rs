//! What the statistics of tensors say, whichever of them a log holds.

use crate::model::{LayerName, LayerStats};

use super::{network::Profile, running};

/// Layers below which a network has no depth to speak of.
pub const DEEP: usize = 4;

/// Root mean square of the elements, from norm and number, or mean and deviation; else the mean of the absolute values.
pub fn rms(stats: &LayerStats) -> Option<f64> {
    let of_norm = stats.norm.zip(stats.numel).filter(|(_, n)| *n > 0.0).map(|(norm, n)| norm / n.sqrt());
    let of_moments = || stats.mean.zip(stats.std).map(|(mean, std)| mean.hypot(std));
    of_norm.or_else(of_moments).or(stats.absmean).filter(|v| v.is_finite())
}

/// True when every element is exactly zero.
pub fn is_zero(stats: &LayerStats) -> bool {
    stats.norm == Some(0.0)
        || stats.absmean == Some(0.0)
        || stats.min == Some(0.0) && stats.max == Some(0.0)
        || stats.mean == Some(0.0) && stats.std == Some(0.0)
}

/// A quantity at both ends of the network.
#[derive(Clone, Debug)]
pub struct Depth {
    /// Its median over the first third of the layers.
    pub first: f64,
    /// Over the last third.
    pub last: f64,
    /// The first layer.
    pub top: LayerName,
    /// The last layer.
    pub bottom: LayerName,
}

/// The size of the tensors at both ends: per element where all layers tell it, else their norms. `None` for networks
/// without depth, and where a layer holds nothing but zeros or no number.
pub fn depth(profile: &Profile<'_>) -> Option<Depth> {
    let layers: Vec<_> = profile.in_depth().collect();
    if layers.len() < DEEP {
        return None;
    }
    let all = |of: &dyn Fn(&LayerStats) -> Option<f64>| -> Option<Vec<f64>> {
        layers.iter().map(|(_, stats)| of(stats).filter(|v| v.is_finite() && *v > 0.0)).collect()
    };
    let sizes = all(&rms).or_else(|| all(&|stats| stats.norm))?;
    let third = sizes.len() / 3;
    let first = running::median_of(&sizes[..third])?;
    let last = running::median_of(&sizes[sizes.len() - third..])?;
    let name = |layer: Option<&&(LayerName, LayerStats)>| layer.map(|(name, _)| name.clone());
    Some(Depth { first, last, top: name(layers.first())?, bottom: name(layers.last())? })
}

/// The first few names, and how many more there are: `a, b, c and 4 more`.
pub fn names(layers: &[LayerName]) -> String {
    const NAMED: usize = 3;
    let shown: Vec<&str> = layers.iter().take(NAMED).map(LayerName::as_str).collect();
    let more = layers.len().saturating_sub(NAMED);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &tail
}
