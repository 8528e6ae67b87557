//! A few curves that stand for all: farthest-point sampling, which keeps outliers and spares the crowd.
//!
//! `DGMTracker` (Liu et al. 2018) samples polylines with blue noise for that; greedy maximin is Poisson-disk sampling
//! with a radius that shrinks until enough are chosen. Every chosen curve is at least as far from the others as any
//! curve that was left out is from its representative.

use super::curves::{Curves, evenly};
use crate::analysis::Cancel;

/// Units up to which the medoid is exact; of more, its median distance is taken to [`REFERENCES`] evenly spread ones.
pub const EXACT_MEDOID: usize = 1024;
/// Curves that stand for all others where the medoid is sought among too many.
const REFERENCES: usize = 256;
/// A pick is an outlier if it stood this many times farther away than is usual for picks …
const OUTLIER_GAP: f64 = 5.0;
/// … which of fewer picks cannot be said: then, than what they leave uncovered …
const LEAST_PICKS: usize = 4;
/// … and speaks for at most this share of all units.
const OUTLIER_SHARE: f64 = 0.01;

/// What differs between curves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spread {
    /// Their values: a unit that is stuck at another level is far away.
    #[default]
    Values,
    /// Their shapes: each curve is brought to mean 0 and deviation 1 first.
    Shapes,
}

/// A chosen curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pick {
    /// Place among [`Curves::units`].
    pub at: usize,
    /// Units that are closer to it than to any other pick, itself included.
    pub represents: usize,
    /// How far the farthest of these is: root of the mean squared difference over steps.
    pub radius: f64,
    /// How far it was from the picks before it; 0 for the first.
    pub gap: f64,
    /// Far from all others and alone, or nearly.
    pub outlier: bool,
}

/// Chosen curves, the most typical one first, then by how far each is from those before it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sample {
    /// The picks. Fewer than asked for where curves are equal.
    pub picks: Vec<Pick>,
    /// No curve is farther than this from its pick.
    pub radius: f64,
}

/// Chooses up to `k` curves. The first is the medoid (least median distance to the others); ties go to the unit that
/// comes first, so that the answer is always the same. Needs k × units × steps operations and the medoid's n² for up
/// to [`EXACT_MEDOID`] units, but never a matrix of distances. `None` if `cancel` says so.
pub fn sample(curves: &Curves, k: usize, spread: Spread, cancel: &Cancel) -> Option<Sample> {
    let (n, width) = (curves.units().len(), curves.steps().len());
    if n == 0 || width == 0 || k == 0 {
        return Some(Sample::default());
    }
    let rows = curves.dense(spread == Spread::Shapes);
    let row = |at: usize| &rows[at * width..(at + 1) * width];
    let first = medoid(n, &row, cancel)?;
    let mut picks = vec![(first, 0.0)];
    let mut nearest: Vec<(f64, usize)> = (0..n).map(|i| (distance(row(i), row(first)), 0)).collect();
    while picks.len() < k.min(n) {
        if cancel.is_cancelled() {
            return None;
        }
        let Some((next, gap)) = farthest(&nearest) else { break };
        let number = picks.len();
        picks.push((next, gap));
        for (i, slot) in nearest.iter_mut().enumerate() {
            let d = distance(row(i), row(next));
            if d < slot.0 {
                *slot = (d, number);
            }
        }
        // Of equal curves the pick speaks for itself.
        nearest[next] = (0.0, number);
    }
    let mut gaps: Vec<f64> = picks.iter().skip(1).map(|(_, gap)| *gap).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let usual = if gaps.len() < LEAST_PICKS { 0.0 } else { gaps[gaps.len() / 2] };
    let radius = nearest.iter().map(|(d, _)| *d).fold(0.0, f64::max);
    let picks = picks.iter().enumerate().map(|(number, (at, gap))| {
        let mine = || nearest.iter().filter(|(_, pick)| *pick == number).map(|(d, _)| *d);
        let represents = mine().count();
        let alone = represents as f64 <= (OUTLIER_SHARE * n as f64).max(1.0);
        let outlier = number > 0 && alone && *gap > OUTLIER_GAP * radius.max(usual) && n > 3;
        Pick { at: *at, represents, radius: mine().fold(0.0, f64::max), gap: *gap, outlier }
    });
    Some(Sample { picks: picks.collect(), radius })
}

/// Root of the mean squared difference.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    // Squares of the largest numbers overflow; such curves are as far apart as can be.
    if sum.is_finite() { (sum / a.len() as f64).sqrt() } else { f64::MAX }
}

/// The curve farthest from all picks; `None` when every curve equals one of them. The first of equals.
fn farthest(nearest: &[(f64, usize)]) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (i, (d, _)) in nearest.iter().enumerate() {
        if *d > best.map_or(0.0, |(_, most)| most) {
            best = Some((i, *d));
        }
    }
    best
}

fn medoid<'a>(n: usize, row: &dyn Fn(usize) -> &'a [f64], cancel: &Cancel) -> Option<usize> {
    let references: Vec<usize> =
        if n <= EXACT_MEDOID { (0..n).collect() } else { evenly(n, REFERENCES).collect() };
    let mut best = (0, f64::INFINITY);
    let mut distances = vec![0.0; references.len()];
    for i in 0..n {
        if i % 64 == 0 && cancel.is_cancelled() {
            return None;
        }
        for (to, other) in distances.iter_mut().zip(&references) {
            *to = distance(row(i), row(*other));
        }
        let middle = distances.len() / 2;
        let (below, upper, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
        let upper = *upper;
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let median = if references.len().is_multiple_of(2) { f64::midpoint(lower, upper) } else { upper };
        if median < best.1 {
            best = (i, median);
        }
    }
    Some(best.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::units::curves::tests_support::{crowd, curves_of};

    #[test]
    fn t_21_of_a_thousand_near_equal_curves_and_three_outliers_the_outliers_are_picks_2_to_4() {
        for (seed, spread) in [(4, Spread::Values), (5, Spread::Shapes)] {
            {
                let (curves, outliers) = crowd(1000, 60, seed);
                let found = sample(&curves, 20, spread, &Cancel::default()).unwrap();
                let mut next: Vec<usize> = found.picks[1..4].iter().map(|p| p.at).collect();
                next.sort_unstable();
                assert_eq!(next, outliers, "seed {seed} {spread:?}");
                assert_eq!(found.picks.len(), 20);
                let marked: Vec<bool> = found.picks.iter().map(|p| p.outlier).collect();
                assert_eq!(marked.iter().filter(|o| **o).count(), 3, "{found:?}");
                assert!(marked[1..4].iter().all(|o| *o));
                assert!(found.picks[1..4].iter().all(|p| p.represents == 1));
                assert_eq!(found.picks.iter().map(|p| p.represents).sum::<usize>(), 1003);
            }
        }
    }

    #[test]
    fn t_21_by_values_the_constant_comes_first_then_the_sine_then_the_line() {
        // The order of the reference computation, which does not scale the curves.
        let (curves, outliers) = crowd(1000, 60, 3);
        let found = sample(&curves, 20, Spread::Values, &Cancel::default()).unwrap();
        let next: Vec<usize> = found.picks[1..4].iter().map(|p| p.at).collect();
        assert_eq!(next, [outliers[2], outliers[1], outliers[0]]);
        // Noise of 0.02 on both sides: √2 · 0.02 is the usual distance, the reference finds 0.0283 between picks.
        let last = found.picks.last().unwrap();
        assert!((0.026..0.034).contains(&last.gap) && found.radius <= last.gap, "{last:?}");
    }

    #[test]
    fn t_21_the_same_curves_give_the_same_picks() {
        let (curves, _) = crowd(300, 20, 8);
        let again = || sample(&curves, 20, Spread::Shapes, &Cancel::default());
        assert_eq!(again(), again());
    }

    #[test]
    fn picks_are_at_least_as_far_apart_as_anything_left_out_is_from_its_pick() {
        let (curves, _) = crowd(200, 30, 9);
        let found = sample(&curves, 12, Spread::Values, &Cancel::default()).unwrap();
        let rows = curves.dense(false);
        let row = |at: usize| &rows[at * 30..(at + 1) * 30];
        for (i, a) in found.picks.iter().enumerate() {
            for b in &found.picks[i + 1..] {
                assert!(distance(row(a.at), row(b.at)) >= found.radius);
            }
        }
        for i in 0..curves.units().len() {
            let near = found.picks.iter().map(|p| distance(row(i), row(p.at))).fold(f64::MAX, f64::min);
            assert!(near <= found.radius);
        }
    }

    #[test]
    fn a_unit_that_turns_nan_is_an_outlier_and_equal_curves_are_picked_once() {
        let mut rows = vec![vec![1.0; 10]; 500];
        rows[77][5..].fill(f64::NAN);
        let found = sample(&curves_of(&rows), 20, Spread::Values, &Cancel::default()).unwrap();
        assert_eq!(found.picks.iter().map(|p| p.at).collect::<Vec<_>>(), [0, 77]);
        assert!(found.picks[1].outlier && found.picks[0].represents == 499);
        assert_eq!(
            sample(&Curves::default(), 20, Spread::Values, &Cancel::default()),
            Some(Sample::default())
        );
        let wild =
            vec![vec![f64::MAX, f64::MIN], vec![f64::INFINITY, f64::NEG_INFINITY], vec![0.0, f64::NAN]];
        assert_eq!(sample(&curves_of(&wild), 9, Spread::Values, &Cancel::default()).unwrap().picks.len(), 3);
    }

    #[test]
    fn four_thousand_units_need_no_square_of_them_and_can_be_cancelled() {
        let (curves, outliers) = crowd(4093, 40, 5);
        let found = sample(&curves, 20, Spread::Values, &Cancel::default());
        let picked: Vec<usize> = found.unwrap().picks[1..4].iter().map(|p| p.at).collect();
        assert!(outliers.iter().all(|o| picked.contains(o)), "{picked:?}");
        let cancelled = Cancel::default();
        cancelled.cancel();
        assert_eq!(sample(&curves, 20, Spread::Values, &cancelled), None);
    }
}
