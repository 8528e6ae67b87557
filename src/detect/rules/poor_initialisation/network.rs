//! Activations that shrink or grow with depth from the first log on, and weight matrices that are constant.

use std::collections::BTreeMap;

use super::{EARNED, SPEC};
use crate::detect::{
    Evidence, Finding, Hold, NetworkDetector, Outlook, Part, Patience, Profile, Severity, Speaks,
    Surroundings, Verdict, tensor, words,
};
use crate::model::{LayerKind, LayerName, Step};

/// Largest over smallest standard deviation of the activations of layers of one kind.
pub(super) const SPREAD: f64 = 10.0;
/// Kendall's rank correlation of the deviation with depth.
pub(super) const ORDER: f64 = 0.8;
/// Logs at the start that must show it.
const LOGS: u32 = 3;
/// Layers of one kind that make a depth.
const ALIKE: usize = tensor::DEEP;

/// Makes the detector of a run.
pub(super) fn build() -> Box<dyn NetworkDetector> {
    Box::new(Network::default())
}

#[derive(Debug, Default)]
struct Network {
    activation_logs: u32,
    spread_logs: u32,
    weight_logs: u32,
    /// Matrices of the first log without any variation.
    constant: Vec<LayerName>,
    ends: Option<(LayerName, LayerName)>,
}

impl Speaks for Network {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 3 }
    }

    fn words(&self, _: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.number(name);
        let step = words::step(step);
        let text = if finding.evidence.has("constant_layers") {
            format!(
                "all weights of a matrix have one value at the start: {} (step {step}); its units cannot become different",
                tensor::names(&self.constant)
            )
        } else {
            let (first, last) =
                self.ends.as_ref().map_or(("first", "last"), |(a, b)| (a.as_str(), b.as_str()));
            format!(
                "activations {} with depth from the first log on: deviation {} at {first}, {} at {last} (×{}, step {step})",
                if get("std_last") < get("std_first") { "shrink" } else { "grow" },
                words::value(get("std_first")),
                words::value(get("std_last")),
                words::value(get("spread"))
            )
        };
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Network {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        let verdict = match profile.kind {
            LayerKind::Activations => self.activations(profile, around.outlook()),
            LayerKind::Weights => self.weights(profile, around.outlook()),
            _ => None,
        };
        if let Some(verdict) = verdict {
            report(None, verdict);
        }
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

/// A fault only if training goes nowhere.
fn severity(outlook: Option<Outlook>) -> Severity {
    let stuck = outlook.is_some_and(|outlook| outlook.stuck);
    if stuck { EARNED } else { Severity::Info }
}

impl Network {
    fn activations(&mut self, profile: &Profile<'_>, outlook: Option<Outlook>) -> Option<Verdict> {
        self.activation_logs += 1;
        let mut kinds: BTreeMap<String, Vec<(&LayerName, f64)>> = BTreeMap::new();
        for ((name, stats), part) in profile.layers.iter().zip(profile.parts) {
            let size = stats.std.or(stats.norm).filter(|v| v.is_finite() && *v > 0.0);
            if let (Part::Matrix, Some(size)) = (part, size) {
                let kind = name.as_str().chars().filter(|c| !c.is_ascii_digit()).collect();
                kinds.entry(kind).or_default().push((name, size));
            }
        }
        let alike = kinds.into_values().filter(|layers| layers.len() >= ALIKE);
        let (spread, order, layers) = alike
            .map(|layers| (spread(&layers), order(&layers), layers))
            .max_by(|a, b| a.0.total_cmp(&b.0))?;
        let ordered = spread > SPREAD && order.abs() >= ORDER;
        if self.activation_logs <= LOGS {
            self.spread_logs += u32::from(ordered);
        }
        if self.spread_logs < LOGS || spread < SPREAD / 2.0 || outlook.is_some_and(|o| !o.stuck) {
            return Some(Verdict::Fine);
        }
        let (Some((first, std_first)), Some((last, std_last))) = (layers.first(), layers.last()) else {
            return None;
        };
        if !ordered {
            return Some(Verdict::Unsure);
        }
        self.ends = Some(((*first).clone(), (*last).clone()));
        let evidence = Evidence::new()
            .at_least("spread", spread, SPREAD)
            .at_least("order", order.abs(), ORDER)
            .with("std_first", *std_first)
            .with("std_last", *std_last);
        Some(Verdict::Bad(Finding::new(severity(outlook), evidence)))
    }

    fn weights(&mut self, profile: &Profile<'_>, outlook: Option<Outlook>) -> Option<Verdict> {
        self.weight_logs += 1;
        if self.weight_logs == 1 {
            let matrices: Vec<_> = profile.in_depth().collect();
            let constant: Vec<_> = matrices
                .iter()
                .filter(|(_, stats)| stats.std == Some(0.0) && stats.numel.is_none_or(|n| n > 1.0))
                .collect();
            // One matrix of zeros is a usual way to begin a block or a head; more than half of them are none.
            let zeros = constant.iter().filter(|(_, stats)| tensor::is_zero(stats)).count();
            let too_many = zeros >= 2 && 2 * zeros > matrices.len();
            self.constant = constant
                .iter()
                .filter(|(_, stats)| too_many || !tensor::is_zero(stats))
                .map(|(name, _)| name.clone())
                .collect();
        }
        if self.constant.is_empty() {
            return None;
        }
        if outlook.is_some_and(|outlook| !outlook.stuck) {
            return Some(Verdict::Fine);
        }
        let evidence = Evidence::new()
            .at_least("constant_layers", self.constant.len() as f64, 1.0)
            .at_most("std", 0.0, 0.0);
        Some(Verdict::Bad(Finding::new(severity(outlook), evidence)))
    }
}

fn spread(layers: &[(&LayerName, f64)]) -> f64 {
    let sizes = || layers.iter().map(|(_, size)| *size);
    sizes().fold(0.0, f64::max) / sizes().fold(f64::INFINITY, f64::min)
}

/// Kendall's τ of size and place, of at most 64 layers.
fn order(layers: &[(&LayerName, f64)]) -> f64 {
    let stride = layers.len().div_ceil(64).max(1);
    let sizes: Vec<f64> = layers.iter().step_by(stride).map(|(_, size)| *size).collect();
    let mut balance = 0.0;
    for (i, a) in sizes.iter().enumerate() {
        for b in &sizes[i + 1..] {
            balance += f64::from(i8::from(b > a) - i8::from(b < a));
        }
    }
    let pairs = sizes.len() * sizes.len().saturating_sub(1) / 2;
    balance / pairs.max(1) as f64
}
