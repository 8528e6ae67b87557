//! How well classes are told apart by a layer and by its units, and how many of its responses are active.
//!
//! Deep View (Zhong et al. 2017) asks these questions; its own formulas were not to be had, so that these are
//! published stand-ins: the generalised discrimination value (Schilling et al., arXiv 1811.01753) and η² of an analysis
//! of variance.

use std::collections::BTreeMap;

/// Instances of which pairs are compared; of more, evenly spread ones. Pairs grow with the square.
pub const MOST_INSTANCES: usize = 1000;

/// A generalised discrimination value and what it rests on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Separation {
    /// 0: classes are not told apart, −1: perfectly.
    pub value: f64,
    /// Instances that were compared.
    pub instances: usize,
    /// Instances that were left out because a response was no finite number.
    pub left_out: usize,
}

/// The GDV of responses, row-major with a row an instance and `width` units: each unit is brought to mean 0 and
/// deviation ½ (a constant one to 0); then the mean over classes of the mean distance within them, less the mean over
/// pairs of classes of the mean distance between them, over √units. A class of one instance has no distance within.
/// `None` without two classes or without a class of two.
pub fn gdv(responses: &[f64], width: usize, labels: &[i64]) -> Option<Separation> {
    if width == 0 {
        return None;
    }
    let all: Vec<(&[f64], i64)> = responses.chunks_exact(width).zip(labels.iter().copied()).collect();
    let finite: Vec<_> = all.iter().filter(|(row, _)| row.iter().all(|v| v.is_finite())).copied().collect();
    let left_out = all.len() - finite.len();
    let taken = finite.len().min(MOST_INSTANCES);
    let chosen: Vec<_> = (0..taken).map(|i| finite[i * finite.len() / taken]).collect();
    let scaled = standardised(&chosen, width);
    let mut classes: BTreeMap<i64, Vec<&[f64]>> = BTreeMap::new();
    for (row, (_, label)) in scaled.chunks_exact(width).zip(&chosen) {
        classes.entry(*label).or_default().push(row);
    }
    let groups: Vec<&Vec<&[f64]>> = classes.values().collect();
    let mut within = Mean::default();
    let mut between = Mean::default();
    for (i, a) in groups.iter().enumerate() {
        let mut inside = Mean::default();
        for (j, one) in a.iter().enumerate() {
            a[j + 1..].iter().for_each(|other| inside.add(distance(one, other)));
        }
        inside.get().into_iter().for_each(|mean| within.add(mean));
        for b in &groups[i + 1..] {
            let mut across = Mean::default();
            for one in *a {
                b.iter().for_each(|other| across.add(distance(one, other)));
            }
            across.get().into_iter().for_each(|mean| between.add(mean));
        }
    }
    let value = (within.get()? - between.get()?) / (width as f64).sqrt();
    Some(Separation { value, instances: taken, left_out })
}

/// η² of one unit: the share of the variance of its `values` that lies between the classes, 0…1. Instances without a
/// finite value are left out. `None` where nothing varies, or with fewer than two classes.
pub fn eta_squared(values: impl Iterator<Item = (f64, i64)>) -> Option<f64> {
    let mut classes: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let finite: Vec<(f64, i64)> = values.filter(|(v, _)| v.is_finite()).collect();
    let n = finite.len() as f64;
    let mean = finite.iter().map(|(v, _)| v / n).sum::<f64>();
    let mut total = 0.0;
    for (v, label) in &finite {
        total += (v - mean).powi(2);
        let class = classes.entry(*label).or_default();
        *class = (class.0 + 1.0, class.1 + (v - mean));
    }
    // Rounding alone, where all values are one.
    if classes.len() < 2 || total.is_nan() || total <= 1e-24 * n * mean * mean {
        return None;
    }
    let between: f64 = classes.values().map(|(count, sum)| sum * sum / count).sum();
    Some((between / total).clamp(0.0, 1.0))
}

/// The share of responses that are active: above 0 in layers that are never negative, elsewhere larger than a
/// thousandth of the largest magnitude. What is no finite number is left out. `None` for nothing.
pub fn density(responses: &[f64]) -> Option<f64> {
    let finite = || responses.iter().copied().filter(|v| v.is_finite());
    let rectified = finite().all(|v| v >= 0.0);
    let limit = if rectified { 0.0 } else { 1e-3 * finite().map(f64::abs).fold(0.0, f64::max) };
    let mut share = Mean::default();
    finite().for_each(|v| share.add(f64::from(u8::from(v.abs() > limit))));
    share.get()
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, v: f64) {
        self.sum += v;
        self.count += 1.0;
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn standardised(rows: &[(&[f64], i64)], width: usize) -> Vec<f64> {
    let n = rows.len() as f64;
    let mut out: Vec<f64> = rows.iter().flat_map(|(row, _)| row.iter().copied()).collect();
    for unit in 0..width {
        let values = || rows.iter().map(|(row, _)| row[unit]);
        let mean = values().map(|v| v / n).sum::<f64>();
        let deviation = values().map(|v| (v - mean).powi(2) / n).sum::<f64>().sqrt();
        let by = if deviation > 0.0 && deviation.is_finite() { 2.0 * deviation } else { f64::INFINITY };
        for v in out.iter_mut().skip(unit).step_by(width) {
            *v = (*v - mean) / by;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal numbers, the same everywhere.
    fn normal(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..count)
            .map(|_| (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos())
            .collect()
    }

    /// 200 instances of each of two classes, ten units.
    fn planted(shrink: f64, shift: f64) -> (Vec<f64>, Vec<i64>) {
        let labels: Vec<i64> = (0..400).map(|i| i64::from(i >= 200)).collect();
        let noise = normal(4000, 1);
        let values =
            noise.iter().enumerate().map(|(i, v)| v * shrink + if i < 2000 { -shift } else { shift });
        (values.collect(), labels)
    }

    #[test]
    fn t_13_gdv_is_0_for_random_labels_minus_1_for_separated_classes_and_minus_0_14_for_a_shift_of_one_sd() {
        for (shrink, shift, expected) in [(1.0, 0.0, 0.0), (1e-3, 1.0, -1.0), (1.0, 0.5, -0.142)] {
            let (values, labels) = planted(shrink, shift);
            let found = gdv(&values, 10, &labels).unwrap();
            assert!((found.value - expected).abs() < 0.006, "{shift}: {found:?}");
            assert_eq!((found.instances, found.left_out), (400, 0));
        }
    }

    #[test]
    fn t_13_gdv_leaves_broken_instances_out_and_says_so() {
        let (mut values, labels) = planted(1e-3, 1.0);
        values[7] = f64::NAN;
        values[3999] = f64::INFINITY;
        let found = gdv(&values, 10, &labels).unwrap();
        assert!(found.value < -0.99 && (found.instances, found.left_out) == (398, 2), "{found:?}");
        assert_eq!(gdv(&[1.0, 2.0], 1, &[0, 1]), None);
        assert_eq!(gdv(&[1.0, 2.0, 3.0], 1, &[0, 0, 0]), None);
        assert_eq!(gdv(&[], 0, &[]), None);
        assert_eq!(gdv(&[5.0; 8], 2, &[0, 0, 1, 1]).map(|s| s.value), Some(0.0));
    }

    #[test]
    fn t_15_eta_squared_is_1_where_labels_explain_a_unit_and_near_0_where_they_do_not() {
        let labels = |i: i32| i64::from(i % 10);
        let explained = eta_squared((0..1000).map(|i| (f64::from(i % 10) * 3.0 - 1.0, labels(i))));
        assert!((explained.unwrap() - 1.0).abs() < 1e-12, "{explained:?}");
        let values = normal(1000, 2);
        let independent = eta_squared(values.iter().copied().zip((0..).map(labels))).unwrap();
        assert!(independent < 0.02, "{independent}");
        assert_eq!(eta_squared((0..10).map(|i| (0.1, i))), None);
        assert_eq!(eta_squared((0..10).map(|i| (f64::from(i), 4))), None);
        let broken = [(1.0, 0), (f64::NAN, 0), (2.0, 1), (f64::INFINITY, 1)];
        assert_eq!(eta_squared(broken.into_iter()), Some(1.0));
    }

    #[test]
    fn density_counts_what_is_active() {
        assert_eq!(density(&[0.0, 0.0, 1e-9, 2.0]), Some(0.5));
        assert_eq!(density(&[-1.0, 1e-4, -0.5, 1.0]), Some(0.75));
        assert_eq!(density(&[f64::NAN, 1.0]), Some(1.0));
        assert_eq!(density(&[]), None);
    }
}
