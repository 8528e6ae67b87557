//! Layer statistics that were logged as scalars: `grad_norm/fc1` fills the same records as a histogram of `fc1` does.
//!
//! A tag is looked at once per series; other points cost nothing. One tag cannot show that it speaks of a layer
//! (`grad_norm/policy`), so nothing is said before two layers of a kind have been met in a run.
//!
//! **Order of the network:** rows stand in the order in which their layers first appear, which is that of
//! `named_parameters()` with writers that go through their model. Writers that sort their columns (Lightning's
//! `CSVLogger`, JSON with sorted keys) show themselves by names in alphabetical order that people would order otherwise:
//! there `layers.2` is put before `layers.10` and embeddings first. Nothing else is moved, because a sorted log does not
//! say where a head stands.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use crate::{
    model::{
        Batch, Column, LayerKind, LayerName, LayerRecord, LayerScalar, LayerStats, LayerSubject, Point,
        RunId, SeriesKey, WallTime,
    },
    store::natural,
};

/// Records of one tensor from one batch; the store thins further.
const KEPT: usize = 256;

/// What a batch says of one tensor of one layer.
type Group<'a> = (LayerName, LayerKind, Vec<(LayerScalar, &'a Column)>);

/// What is known of the scalars of all runs.
#[derive(Debug, Default)]
pub struct ScalarLayers {
    runs: FxHashMap<RunId, OfRun>,
}

#[derive(Debug, Default)]
struct OfRun {
    series: FxHashMap<SeriesKey, Option<LayerScalar>>,
    met: BTreeMap<LayerKind, BTreeSet<LayerName>>,
    /// Of kinds of which one layer has been met.
    waiting: Vec<LayerRecord>,
}

impl ScalarLayers {
    /// The run turned out to be part of another one.
    pub fn forget(&mut self, run: &RunId) {
        self.runs.remove(run);
    }

    /// Statistics of layers among the scalars of a batch, layers in their order, records of each in file order.
    pub fn of(&mut self, batch: &Batch) -> Vec<LayerRecord> {
        let run = self.runs.entry(batch.run.clone()).or_default();
        if batch.reset {
            run.waiting.clear();
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut places = FxHashMap::default();
        for column in &batch.columns {
            let Some(scalar) = run.scalar(&column.key) else { continue };
            let at = *places.entry((scalar.layer.clone(), scalar.kind)).or_insert(groups.len());
            match groups.get_mut(at) {
                Some((_, _, columns)) => columns.push((scalar, column)),
                None => groups.push((scalar.layer.clone(), scalar.kind, vec![(scalar, column)])),
            }
        }
        if groups.is_empty() {
            return Vec::new();
        }
        sort(&mut groups);
        let mut records = std::mem::take(&mut run.waiting);
        records.extend(groups.iter().flat_map(|(_, _, columns)| thinned(merged(columns))));
        let (known, waiting) =
            records.into_iter().partition(|r| run.met.get(&r.kind).is_some_and(|layers| layers.len() > 1));
        run.waiting = thinned(waiting);
        known
    }
}

impl OfRun {
    /// Which statistic a series is; asked for each column of a batch.
    fn scalar(&mut self, key: &SeriesKey) -> Option<LayerScalar> {
        if let Some(known) = self.series.get(key) {
            return known.clone();
        }
        // A split says that these are other numbers of the same layer.
        let found =
            if matches!(&*key.context, "" | "train") { LayerSubject::of_scalar(&key.tag) } else { None };
        if let Some(scalar) = &found {
            self.met.entry(scalar.kind).or_default().insert(scalar.layer.clone());
        }
        self.series.insert(key.clone(), found.clone());
        found
    }
}

/// Puts layers that a writer sorted by name into the order of people.
fn sort<T>(groups: &mut [(LayerName, LayerKind, T)]) {
    let alphabetical = groups.windows(2).all(|pair| match pair {
        [a, b] => a.1 != b.1 || a.0.as_str() <= b.0.as_str(),
        _ => true,
    });
    let natural_too = groups.windows(2).all(|pair| match pair {
        [a, b] => a.1 != b.1 || natural(a.0.as_str(), b.0.as_str()) != Ordering::Greater,
        _ => true,
    });
    if alphabetical && !natural_too {
        let embedding =
            |layer: &LayerName| !["embed", "wte", "wpe"].iter().any(|w| layer.as_str().contains(w));
        groups.sort_by(|a, b| {
            embedding(&a.0).cmp(&embedding(&b.0)).then_with(|| natural(a.0.as_str(), b.0.as_str()))
        });
    }
}

/// The columns of one tensor as records: numbers of one step together.
fn merged(columns: &[(LayerScalar, &Column)]) -> Vec<LayerRecord> {
    let Some(((first, column), others)) = columns.split_first() else { return Vec::new() };
    let record = |point: &Point, stats: LayerStats| LayerRecord {
        layer: first.layer.clone(),
        kind: first.kind,
        step: point.step,
        wall: WallTime(point.wall),
        split: Arc::default(),
        stats,
    };
    if others.is_empty() {
        return column.points.iter().map(|p| record(p, first.statistic.alone(p.value))).collect();
    }
    // A step that goes back begins another attempt.
    let mut by_step: BTreeMap<(usize, i64), LayerRecord> = BTreeMap::new();
    for (scalar, column) in columns {
        let (mut attempt, mut last) = (0, i64::MIN);
        for point in &column.points {
            attempt += usize::from(point.step < last);
            last = point.step;
            let stats = scalar.statistic.alone(point.value);
            let known = by_step.entry((attempt, point.step)).or_insert_with(|| record(point, stats));
            known.stats = stats.or(known.stats);
        }
    }
    by_step.into_values().collect()
}

/// Every n-th record so that few are left; the first and the last always.
fn thinned(records: Vec<LayerRecord>) -> Vec<LayerRecord> {
    let stride = records.len().div_ceil(KEPT).max(1);
    let last = records.len().saturating_sub(1);
    let kept =
        |(at, record): (usize, LayerRecord)| (at.is_multiple_of(stride) || at == last).then_some(record);
    records.into_iter().enumerate().filter_map(kept).collect()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::model::{FileId, Origin};

    fn batch(columns: &[(&str, &[(i64, f64)])]) -> Batch {
        let mut batch = Batch::new(RunId::from("a"), Origin::new(FileId(1), "x"));
        let point = |(step, value): &(i64, f64)| Point { step: *step, wall: f64::NAN, value: *value };
        batch.columns = columns
            .iter()
            .map(|(tag, points)| Column {
                key: SeriesKey::plain(*tag),
                points: points.iter().map(point).collect(),
            })
            .collect();
        batch
    }

    fn names(records: &[LayerRecord]) -> Vec<&str> {
        let mut names: Vec<&str> = records.iter().map(|r| r.layer.as_str()).collect();
        names.dedup();
        names
    }

    #[test]
    fn one_layer_waits_for_a_second_one_and_then_nothing_of_it_is_lost() {
        let mut layers = ScalarLayers::default();
        assert_eq!(
            layers.of(&batch(&[("grad_norm/fc1", &[(1, 0.5), (2, 0.25)]), ("loss", &[(1, 2.0)])])),
            []
        );
        let records = layers.of(&batch(&[("grad_norm/fc2", &[(2, 4.0)])]));
        let read: Vec<_> = records.iter().map(|r| (r.layer.as_str(), r.step, r.stats.norm)).collect();
        assert_eq!(read, [("fc1", 1, Some(0.5)), ("fc1", 2, Some(0.25)), ("fc2", 2, Some(4.0))]);
        assert_eq!(layers.of(&batch(&[("weights/fc1/std", &[(3, 1.0)])])), [], "another kind waits again");
    }

    #[test]
    fn numbers_of_one_step_are_one_record() {
        let mut layers = ScalarLayers::default();
        let records = layers.of(&batch(&[
            ("weights/a/mean", &[(1, 0.1), (2, 0.2), (1, 0.3)]),
            ("weights/a/std", &[(1, f64::NAN), (2, 0.5), (1, 2.0)]),
            ("weights/b/std", &[(1, 3.0)]),
        ]));
        let of_a: Vec<_> = records.iter().filter(|r| r.layer.as_str() == "a").collect();
        let steps: Vec<_> = of_a.iter().map(|r| (r.step, r.stats.mean)).collect();
        assert_eq!(steps, [(1, Some(0.1)), (2, Some(0.2)), (1, Some(0.3))], "a restart stays one");
        assert!(of_a[0].stats.std.is_some_and(f64::is_nan), "NaN is a number that was logged");
    }

    #[test]
    fn layers_stand_in_the_order_of_writing_unless_the_writer_sorted_them() {
        let written = ["l2_norm/grad/wte", "l2_norm/grad/h.0", "l2_norm/grad/h.10", "l2_norm/grad/h.2"];
        let point: &[(i64, f64)] = &[(1, 1.0)];
        let columns = |tags: &[&'static str]| tags.iter().map(|tag| (*tag, point)).collect::<Vec<_>>();
        let records = ScalarLayers::default().of(&batch(&columns(&written)));
        assert_eq!(names(&records), ["wte", "h.0", "h.10", "h.2"]);
        let mut sorted = written;
        sorted.sort_unstable();
        let records = ScalarLayers::default().of(&batch(&columns(&sorted)));
        assert_eq!(names(&records), ["wte", "h.0", "h.2", "h.10"]);
    }

    #[test]
    fn long_columns_are_thinned_with_both_ends_kept() {
        let points: Vec<(i64, f64)> = (0..10_000).map(|step| (step, 1.0)).collect();
        let records =
            ScalarLayers::default().of(&batch(&[("grad_norm/a", &points), ("grad_norm/b", &points)]));
        assert!(records.len() <= 2 * KEPT + 2);
        assert_eq!((records[0].step, records.last().unwrap().step), (0, 9999));
    }
}
