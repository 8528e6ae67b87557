//! One number per unit and step: the curves that are thinned and drawn.

use std::collections::BTreeMap;

use crate::model::Step;

/// Units × steps that are kept; more steps than fit are left out evenly. With whether they are there, 2 million
/// numbers are 32 MB.
pub const MOST_CELLS: usize = 2_000_000;

/// Units that are kept: as many as leave room for two steps each.
const MOST_UNITS: usize = MOST_CELLS / 2;

/// Steps beyond which curves are thinned: more are not told apart on a screen.
const MOST_STEPS: usize = 256;

/// Curves of many units over the same steps.
///
/// A number that was not logged for a unit at a step is *absent*, which is not the same as NaN: an absent value is
/// drawn as a gap and takes its neighbour's value in distances, NaN is data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Curves {
    steps: Vec<Step>,
    units: Vec<u64>,
    /// Row-major, a row a unit.
    values: Vec<Option<f64>>,
}

/// One record of numbers per unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UnitRecord<'a> {
    /// The trainer's counter.
    pub step: Step,
    /// The writer's numbers of the units; without them they are counted from 0.
    pub ids: Option<&'a [f64]>,
    /// One number per unit.
    pub values: &'a [f64],
}

impl Curves {
    /// Curves from records in ascending order of steps. Units come in order of first appearance; those after the first
    /// million are left out. Of more records than fit into [`MOST_CELLS`] evenly spread ones are taken, the first and the
    /// last among them: fewer where each record names other units.
    pub fn from_records(records: &[UnitRecord<'_>]) -> Self {
        let widest = records.iter().map(|r| r.values.len()).max().unwrap_or(0);
        let choose = |units: usize| -> Vec<UnitRecord<'_>> {
            let most = (MOST_CELLS / units.max(1)).clamp(2, MOST_STEPS);
            evenly(records.len(), most).map(|i| records[i]).collect()
        };
        let mut chosen = choose(widest);
        let plain = chosen.iter().all(|r| r.ids.is_none());
        let mut place = BTreeMap::new();
        let units: Vec<u64> = if plain {
            let widest = chosen.iter().map(|r| r.values.len()).max().unwrap_or(0);
            (0..widest.min(MOST_UNITS) as u64).collect()
        } else {
            let mut units = places(&chosen, &mut place);
            if units.len().saturating_mul(chosen.len()) > MOST_CELLS {
                chosen = choose(units.len());
                units = places(&chosen, &mut place);
            }
            units
        };
        let steps: Vec<Step> = chosen.iter().map(|r| r.step).collect();
        let mut values = vec![None; units.len().saturating_mul(steps.len())];
        for (column, record) in chosen.iter().enumerate() {
            for (at, number) in record.values.iter().enumerate() {
                let row = if plain { Some(at) } else { place.get(&id_of(record.ids, at)).copied() };
                if let Some(cell) = row.and_then(|row| values.get_mut(row * steps.len() + column)) {
                    *cell = Some(*number);
                }
            }
        }
        Self { steps, units, values }
    }

    /// The steps, ascending.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The units by the writer's numbers.
    pub fn units(&self) -> &[u64] {
        &self.units
    }

    /// The curve of the unit at a place of [`Self::units`]; empty where there is none.
    pub fn curve(&self, at: usize) -> &[Option<f64>] {
        let width = self.steps.len();
        self.values.get(at * width..(at + 1) * width).unwrap_or_default()
    }

    /// The last value that was logged for a unit, which may be NaN.
    pub fn last(&self, at: usize) -> Option<f64> {
        self.curve(at).iter().rev().flatten().next().copied()
    }

    /// Units with a value that is no finite number.
    pub fn broken(&self) -> usize {
        let broken = |at: &usize| self.curve(*at).iter().flatten().any(|v| !v.is_finite());
        (0..self.units.len()).filter(broken).count()
    }

    /// Rows of numbers for distances: absent values take the one before them (at the start the one after), a unit
    /// without any value is NaN throughout. What is no finite number stands one range above (−∞: below) all finite
    /// ones: a curve with NaN is far from curves without and close to one with NaN at the same steps. With
    /// `own_scale` each finite row is brought to mean 0 and deviation 1 first, so that only shapes differ; a constant
    /// row becomes zero.
    pub(super) fn dense(&self, own_scale: bool) -> Vec<f64> {
        let width = self.steps.len();
        let mut rows: Vec<f64> = Vec::with_capacity(self.values.len());
        for at in 0..self.units.len() {
            let curve = self.curve(at);
            let mut before = curve.iter().flatten().next().copied().unwrap_or(f64::NAN);
            for value in curve {
                before = value.unwrap_or(before);
                rows.push(before);
            }
        }
        if width == 0 {
            return rows;
        }
        if own_scale {
            rows.chunks_mut(width).for_each(standardise);
        }
        let finite = || rows.iter().copied().filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let range = if high > low { (high - low).min(f64::MAX / 4.0) } else { 1.0 };
        for v in &mut rows {
            if *v == f64::NEG_INFINITY {
                *v = low - range;
            } else if !v.is_finite() {
                *v = high + range;
            }
        }
        rows
    }
}

/// The units of records in order of first appearance, and the place of each.
fn places(records: &[UnitRecord<'_>], place: &mut BTreeMap<u64, usize>) -> Vec<u64> {
    place.clear();
    let mut units = Vec::new();
    for record in records {
        for unit in (0..record.values.len()).map(|at| id_of(record.ids, at)) {
            if units.len() < MOST_UNITS && !place.contains_key(&unit) {
                place.insert(unit, units.len());
                units.push(unit);
            }
        }
    }
    units
}

/// A unit's number; what is no whole number becomes the place.
pub(super) fn id_of(ids: Option<&[f64]>, at: usize) -> u64 {
    let id = ids.and_then(|ids| ids.get(at)).copied().filter(|id| *id >= 0.0 && *id < 9e15);
    id.map_or(at as u64, |id| id as u64)
}

/// Which of `total` things are taken where only `room` fit: evenly spread, with the first and the last.
pub(crate) fn evenly(total: usize, room: usize) -> impl Iterator<Item = usize> {
    let taken = total.min(room.max(1));
    (0..taken).map(move |i| if taken < 2 { total - 1 } else { i * (total - 1) / (taken - 1) })
}

/// Mean 0 and deviation 1 of the finite values; the others stay. A constant becomes zero.
fn standardise(row: &mut [f64]) {
    let finite: Vec<f64> = row.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return;
    }
    let n = finite.len() as f64;
    let mean = finite.iter().map(|v| v / n).sum::<f64>();
    let deviation = finite.iter().map(|v| (v - mean).powi(2) / n).sum::<f64>().sqrt();
    let flat = deviation <= 1e-12 * mean.abs() || deviation.is_nan() || deviation == 0.0;
    for v in row.iter_mut().filter(|v| v.is_finite()) {
        *v = if flat { 0.0 } else { (*v - mean) / deviation };
    }
}

/// Curves of the kind that the reference computation makes.
#[cfg(test)]
pub(super) mod tests_support {
    use super::{Curves, UnitRecord};

    pub fn curves_of(rows: &[Vec<f64>]) -> Curves {
        let width = rows.first().map_or(0, Vec::len);
        let columns: Vec<Vec<f64>> = (0..width).map(|t| rows.iter().map(|r| r[t]).collect()).collect();
        let records: Vec<_> =
            columns.iter().zip(0..).map(|(c, step)| UnitRecord { step, ids: None, values: c }).collect();
        Curves::from_records(&records)
    }

    /// `n` curves exp(−3t) + N(0, 0.02), then a line, a sine and the constant 2; and the places of these three.
    pub fn crowd(n: usize, width: usize, seed: u64) -> (Curves, [usize; 3]) {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let time = |i: usize| i as f64 / (width - 1) as f64;
        let mut rows: Vec<Vec<f64>> = (0..n)
            .map(|_| {
                (0..width)
                    .map(|i| {
                        let normal = (-2.0 * (1.0 - uniform()).ln()).sqrt()
                            * (std::f64::consts::TAU * uniform()).cos();
                        (-3.0 * time(i)).exp() + 0.02 * normal
                    })
                    .collect()
            })
            .collect();
        rows.push((0..width).map(time).collect());
        rows.push((0..width).map(|i| (12.0 * time(i)).sin()).collect());
        rows.push(vec![2.0; width]);
        (curves_of(&rows), [n, n + 1, n + 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_their_ids_and_gaps_are_not_nan() {
        let curves = Curves::from_records(&[
            UnitRecord { step: 10, ids: Some(&[7.0, 3.0]), values: &[1.0, 2.0] },
            UnitRecord { step: 20, ids: Some(&[3.0]), values: &[f64::NAN] },
            UnitRecord { step: 30, ids: Some(&[3.0, 7.0]), values: &[5.0, 6.0] },
        ]);
        assert_eq!((curves.steps(), curves.units()), (&[10, 20, 30][..], &[7, 3][..]));
        assert_eq!(curves.curve(0), [Some(1.0), None, Some(6.0)]);
        assert!(curves.curve(1)[1].unwrap().is_nan() && curves.broken() == 1);
        assert_eq!((curves.last(0), curves.last(9)), (Some(6.0), None));
        // In distances the gap repeats, NaN lies a range above.
        assert_eq!(curves.dense(false), [1.0, 1.0, 6.0, 2.0, 11.0, 5.0]);
    }

    #[test]
    fn many_records_are_thinned_with_the_first_and_the_last() {
        let wide = vec![0.5; 100_000];
        let records: Vec<_> = (0..100).map(|step| UnitRecord { step, ids: None, values: &wide }).collect();
        let curves = Curves::from_records(&records);
        assert_eq!(curves.steps().len(), 20);
        assert_eq!((curves.steps()[0], curves.steps()[19]), (0, 99));
        assert_eq!(evenly(5, 1).collect::<Vec<_>>(), [4]);
        assert_eq!(evenly(0, 9).count(), 0);
    }

    #[test]
    fn records_that_each_name_other_units_do_not_take_more_room() {
        let values = vec![0.5; 20_000];
        let ids: Vec<Vec<f64>> =
            (0..20).map(|record| (0..20_000).map(|at| f64::from(record * 20_000 + at)).collect()).collect();
        let record = |(step, ids)| UnitRecord { step, ids: Some(ids), values: &values };
        let records: Vec<_> = (0..).zip(ids.iter().map(Vec::as_slice)).map(record).collect();
        let curves = Curves::from_records(&records);
        assert!(curves.units().len() * curves.steps().len() <= MOST_CELLS);
        assert_eq!((curves.steps(), curves.units().len()), (&[0, 4, 9, 14, 19][..], 100_000));
        assert!((0..curves.units().len()).all(|at| curves.last(at).is_some()), "a unit without a value");
    }

    #[test]
    fn shapes_have_no_scale() {
        let record = |step, values| UnitRecord { step, ids: None, values };
        let curves = Curves::from_records(&[record(0, &[1.0, 100.0, 5.0]), record(1, &[2.0, 200.0, 5.0])]);
        assert_eq!(curves.dense(true), [-1.0, 1.0, -1.0, 1.0, 0.0, 0.0]);
        assert_eq!(Curves::from_records(&[]).dense(true), Vec::<f64>::new());
    }
}
