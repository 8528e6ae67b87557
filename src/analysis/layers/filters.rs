//! Units that do nothing, that always do the same, and that do the same as another (`DeepEyes`, §4.3–4.4).

use super::perplexity::perplexity;

/// A unit is active for an instance when its response is above this share of its own largest one.
pub const ACTIVE: f64 = 0.5;
/// A unit whose largest response is below this share of the layer's largest is dead.
pub const DEAD: f64 = 1e-6;
/// A unit that is active for at least this share of the instances is always on.
pub const ALWAYS_ON: f64 = 0.95;
/// Two units whose weighted Jaccard similarity is at least this are duplicates.
pub const DUPLICATE: f64 = 0.98;
/// Units of layers with more than so many are not compared: the work grows with the square of their number.
pub const MOST_COMPARED: usize = 512;

/// The weighted Jaccard similarity Σ min / Σ max of two units over the same instances, 0 (disjoint) to 1 (identical).
/// `None` where both are zero throughout; NaN where a response is NaN. Responses are taken by their size.
pub fn jaccard(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut common, mut all) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a.abs(), b.abs());
        if a.is_nan() || b.is_nan() {
            return Some(f64::NAN);
        }
        common += a.min(b);
        all += a.max(b);
    }
    (all > 0.0).then(|| common / all)
}

/// What is known of the units of a layer. Indices are those of the record.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Filters {
    /// Units in all.
    pub total: usize,
    /// Units that answer to nothing.
    pub dead: Vec<usize>,
    /// Units that answer to (almost) everything alike.
    pub always_on: Vec<usize>,
    /// How many units that are neither do the same as an earlier one (of two copies one counts); `None` where the record
    /// does not say it, or units are more than [`MOST_COMPARED`].
    pub duplicates: Option<usize>,
    /// Units with a response that is NaN or infinite; they are in none of the lists.
    pub broken: Vec<usize>,
    /// Mean perplexity of the instances, of those that excited anything.
    pub perplexity: Option<f64>,
}

impl Filters {
    /// From a matrix of responses, a row an instance, `units` to a row.
    pub fn of_responses(responses: &[f64], units: usize) -> Self {
        let rows = responses.chunks_exact(units.max(1));
        let instances = rows.len();
        if units == 0 || instances == 0 {
            return Self::default();
        }
        let columns: Vec<Vec<f64>> =
            (0..units).map(|u| rows.clone().map(|row| row[u].abs()).collect()).collect();
        let largest: Vec<f64> = columns.iter().map(|c| most(c)).collect();
        let active = |column: &[f64], most: f64| {
            column.iter().filter(|v| **v > ACTIVE * most).count() as f64 / instances as f64
        };
        let frequency: Vec<f64> =
            columns.iter().zip(&largest).map(|(column, most)| active(column, *most)).collect();
        let mut all = Self::of_maxima(&largest, Some(&frequency));
        all.duplicates = (units <= MOST_COMPARED).then(|| all.duplicates_among(&columns));
        all.perplexity = mean_perplexity(rows);
        all
    }

    /// From the largest response of each unit and, where it is known, the share of instances for which it was active.
    pub fn of_maxima(largest: &[f64], frequency: Option<&[f64]>) -> Self {
        let mut all = Self { total: largest.len(), ..Self::default() };
        let top = largest.iter().copied().filter(|v| v.is_finite()).fold(0.0, |top: f64, v| top.max(v.abs()));
        for (unit, value) in largest.iter().enumerate() {
            let share = frequency.and_then(|f| f.get(unit)).copied();
            if !value.is_finite() || share.is_some_and(f64::is_nan) {
                all.broken.push(unit);
            } else if value.abs() <= DEAD * top {
                all.dead.push(unit);
            } else if share.is_some_and(|share| share >= ALWAYS_ON) {
                all.always_on.push(unit);
            }
        }
        all
    }

    /// How many of the units that are in no other list do what an earlier one of them does: one of two copies, two of
    /// three.
    fn duplicates_among(&self, columns: &[Vec<f64>]) -> usize {
        let mut elsewhere = vec![false; columns.len()];
        for unit in self.dead.iter().chain(&self.always_on).chain(&self.broken) {
            elsewhere[*unit] = true;
        }
        let mut candidates: Vec<(f64, usize)> = (0..columns.len())
            .filter(|unit| !elsewhere[*unit])
            .map(|unit| (columns[unit].iter().sum(), unit))
            .collect();
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // Which units are known to do the same: each has the number of one of them.
        let mut group: Vec<usize> = (0..columns.len()).collect();
        let mut duplicates = 0;
        for (at, (sum, unit)) in candidates.iter().enumerate() {
            // Σ min / Σ max is at most the ratio of the sums: units further up cannot be alike.
            let near = candidates[at + 1..].iter().take_while(|(other, _)| *sum >= DUPLICATE * other);
            for (_, other) in near {
                let (mine, theirs) = (group[*unit], group[*other]);
                if mine != theirs
                    && jaccard(&columns[*unit], &columns[*other]).is_some_and(|j| j >= DUPLICATE)
                {
                    group.iter_mut().filter(|g| **g == theirs).for_each(|g| *g = mine);
                    duplicates += 1;
                }
            }
        }
        duplicates
    }

    fn share(&self, units: usize) -> Option<f64> {
        (self.total > 0).then(|| units as f64 / self.total as f64)
    }

    /// Share of dead units.
    pub fn dead_share(&self) -> Option<f64> {
        self.share(self.dead.len())
    }

    /// Share of units that are always on.
    pub fn always_on_share(&self) -> Option<f64> {
        self.share(self.always_on.len())
    }

    /// Share of units that do what an earlier one does.
    pub fn duplicate_share(&self) -> Option<f64> {
        self.duplicates.and_then(|units| self.share(units))
    }

    /// 1 − (mean perplexity − 1) / (F − 1), as of a perplexity histogram.
    pub fn specialisation(&self) -> Option<f64> {
        let others = self.total as f64 - 1.0;
        self.perplexity.filter(|_| others > 0.0).map(|p| (1.0 - (p - 1.0) / others).clamp(0.0, 1.0))
    }

    /// `5 dead, 3 always-on, 2 duplicate pairs`.
    pub fn summary(&self) -> String {
        let mut parts =
            vec![format!("{} dead", self.dead.len()), format!("{} always-on", self.always_on.len())];
        if let Some(pairs) = self.duplicates {
            parts.push(format!("{pairs} duplicate pair{}", if pairs == 1 { "" } else { "s" }));
        }
        if !self.broken.is_empty() {
            parts.push(format!("{} not finite", self.broken.len()));
        }
        parts.join(", ")
    }
}

/// The largest value; NaN if one is NaN.
fn most(values: &[f64]) -> f64 {
    values
        .iter()
        .copied()
        .fold(0.0, |most: f64, v| if v.is_nan() || most.is_nan() { f64::NAN } else { most.max(v) })
}

fn mean_perplexity<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for p in rows.filter_map(perplexity).filter(|p| p.is_finite()) {
        sum += p;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between 0 and 1 that look random.
    fn noise(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn t_11_filters_that_are_dead_always_on_and_duplicates_are_counted() {
        let (units, instances) = (32, 200);
        let mut seed = 11;
        let mut m = vec![0.0; units * instances];
        for row in m.chunks_exact_mut(units) {
            for (u, v) in row.iter_mut().enumerate() {
                let random = (noise(&mut seed) * 2.0 - 1.0).max(0.0);
                *v = match u {
                    0..5 => 0.0,
                    5..8 => 0.8,
                    _ => random,
                };
            }
            row[20] = row[10];
            row[31] = row[15];
        }
        let filters = Filters::of_responses(&m, units);
        assert_eq!(filters.summary(), "5 dead, 3 always-on, 2 duplicate pairs");
        assert_eq!(filters.duplicates, Some(2));
        assert_eq!(filters.dead_share(), Some(5.0 / 32.0));
        assert_eq!(filters.duplicate_share(), Some(2.0 / 32.0));
        assert!((0.3..0.9).contains(&filters.specialisation().unwrap()), "{:?}", filters.specialisation());
    }

    #[test]
    fn t_11_maxima_and_frequencies_say_the_same_without_the_pairs() {
        let largest = [0.0, 0.9, 1.3, 1.0, f64::NAN];
        let filters = Filters::of_maxima(&largest, Some(&[0.0, 0.2, 0.97, 0.5, 0.1]));
        assert_eq!(filters.summary(), "1 dead, 1 always-on, 1 not finite");
        assert_eq!(filters.duplicate_share(), None);
        let all_zero = Filters::of_maxima(&[0.0; 3], None);
        assert_eq!(all_zero.dead_share(), Some(1.0));
        assert_eq!(Filters::of_maxima(&[], None).dead_share(), None);
    }

    #[test]
    fn t_12_weighted_jaccard_compares_what_two_units_have_in_common() {
        assert_eq!(jaccard(&[1.0, 0.0, 2.0], &[1.0, 1.0, 1.0]), Some(0.5));
        assert_eq!(jaccard(&[1.0, 0.0, 2.0], &[1.0, 0.0, 2.0]), Some(1.0));
        assert_eq!(jaccard(&[1.0, 0.0, 0.0], &[0.0, 3.0, 1.0]), Some(0.0));
        assert_eq!(jaccard(&[0.0, 0.0], &[0.0, 0.0]), None);
        assert!(jaccard(&[1.0, f64::NAN], &[1.0, 1.0]).unwrap().is_nan());
    }

    #[test]
    fn of_copies_all_but_one_are_duplicates() {
        let one = [0.1, 0.9, 0.2, 0.0];
        let m: Vec<f64> = one.iter().flat_map(|v| [*v, *v, 1.0 - v, *v]).collect();
        assert_eq!(Filters::of_responses(&m, 4).duplicates, Some(2));
    }

    #[test]
    fn units_of_very_wide_layers_are_not_compared() {
        for (units, wanted) in [(MOST_COMPARED, Some(MOST_COMPARED - 1)), (32_768, None)] {
            // Half-active and all the same: each pair would be one of duplicates.
            let m: Vec<f64> = (0..2 * units).map(|at| if at < units { 1.0 } else { 0.0 }).collect();
            let filters = Filters::of_responses(&m, units);
            assert_eq!((filters.total, filters.duplicates), (units, wanted));
        }
    }

    #[test]
    fn active_in_95_percent_of_the_instances_is_always_on() {
        let filters = Filters::of_maxima(&[1.0, 1.0], Some(&[0.949, 0.95]));
        assert_eq!(filters.always_on, [1]);
    }

    #[test]
    fn a_matrix_of_no_rows_says_nothing() {
        assert_eq!(Filters::of_responses(&[], 4).total, 0);
        assert_eq!(Filters::of_responses(&[1.0], 0).total, 0);
        let nan = Filters::of_responses(&[f64::NAN, 1.0, 2.0, 1.0], 2);
        assert_eq!(nan.broken, [0]);
    }
}
