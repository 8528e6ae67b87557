//! What a histogram gained and lost since an earlier one, bin by bin (the green and red bins of `DeepEyes`, Pezzotti
//! et al. 2018).

/// Difference of two histograms over common bins.
#[derive(Clone, PartialEq, Debug)]
pub struct Growth {
    /// Change of each bin's share of all elements: above 0 it grew, below it shrank. They add up to 0.
    pub bins: Vec<f64>,
    /// Total variation distance: the share of elements that would have to move, 0…1.
    pub moved: f64,
}

/// Compares shares per bin, as many in both. Shares are those of `Bars::shares` over one axis: each adds up to 1.
/// `None` where the numbers of bins differ or there are none.
pub fn growth(before: &[f64], after: &[f64]) -> Option<Growth> {
    if before.len() != after.len() || before.is_empty() {
        return None;
    }
    let bins: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    let moved = bins.iter().map(|d| d.abs()).sum::<f64>() / 2.0;
    Some(Growth { bins, moved })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_bin_gains_others_lose() {
        let found = growth(&[0.25, 0.75, 0.0], &[0.5, 0.25, 0.25]).unwrap();
        assert_eq!(found, Growth { bins: vec![0.25, -0.5, 0.25], moved: 0.5 });
        assert_eq!(growth(&[1.0], &[0.5, 0.5]), None);
        assert_eq!(growth(&[0.5, 0.5], &[0.5, 0.5]).unwrap().moved, 0.0);
    }
}
