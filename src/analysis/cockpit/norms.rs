//! Norms of the whole network from those of its layers.

use crate::{
    model::{LayerKind, LayerStats, Step},
    store::{Layers, up_to},
};

/// The root of the sum of squares over all layers, step by step, as `[step, norm]`.
///
/// Only steps at which as many layers are logged as at any: a sum over some of them would look like a fall. A norm
/// that is NaN makes that step's NaN. Nothing after `until`.
pub fn whole_norm(
    layers: &Layers,
    kind: LayerKind,
    norm: impl Fn(&LayerStats) -> Option<f64>,
    until: Option<Step>,
) -> Vec<[f64; 2]> {
    let mut squares: Vec<(Step, f64, usize)> = Vec::new();
    for track in layers.rows().filter_map(|row| row.track(kind)) {
        // Layers are mostly logged at the same steps: the next one is where the last one was.
        let mut at = 0;
        for record in up_to(track.records(), until) {
            let Some(norm) = norm(&record.stats) else { continue };
            if squares.get(at).is_none_or(|(step, ..)| *step != record.step) {
                at = squares.partition_point(|(step, ..)| *step < record.step);
                if squares.get(at).is_none_or(|(step, ..)| *step != record.step) {
                    squares.insert(at, (record.step, 0.0, 0));
                }
            }
            if let Some((_, sum, count)) = squares.get_mut(at) {
                *sum += norm * norm;
                *count += 1;
            }
            at += 1;
        }
    }
    let most = squares.iter().map(|(.., count)| *count).max().unwrap_or(0);
    let whole = squares.into_iter().filter(|(.., count)| *count == most);
    whole.map(|(step, sum, _)| [step as f64, sum.sqrt()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Batch, FileId, LayerName, LayerRecord, Origin, Record, RunId, WallTime},
        store::{Limits, Store},
    };

    #[test]
    fn squares_are_summed_over_layers_where_all_are_logged() {
        let mut batch = Batch::new(RunId::from("r"), Origin::new(FileId(1), "a"));
        let logged = [
            ("a", 1, 3.0),
            ("b", 1, 4.0),
            ("a", 2, 6.0),
            ("a", 3, f64::NAN),
            ("b", 3, 1.0),
            ("b", 4, 5.0),
            ("a", 4, 12.0),
        ];
        for (layer, step, norm) in logged {
            let stats = LayerStats { norm: Some(norm), ..LayerStats::default() };
            let layer = LayerName::new(layer);
            let kind = LayerKind::Weights;
            batch.records.push(Record::Layer(LayerRecord {
                layer,
                kind,
                split: std::sync::Arc::default(),
                step,
                wall: WallTime::UNKNOWN,
                stats,
            }));
        }
        let mut store = Store::new(Limits::default());
        store.apply(&batch);
        let layers = store.run(&RunId::from("r")).unwrap().layers();
        let found = whole_norm(layers, LayerKind::Weights, |s| s.norm, None);
        assert_eq!((found[0], found[2]), ([1.0, 5.0], [4.0, 13.0]), "step 2 has only one of two");
        assert!(found.len() == 3 && found[1][0] == 3.0 && found[1][1].is_nan());
        assert_eq!(whole_norm(layers, LayerKind::Weights, |s| s.norm, Some(2)).len(), 1);
        assert!(whole_norm(layers, LayerKind::Weights, |s| s.alpha, None).is_empty());
    }
}
