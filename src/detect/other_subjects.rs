//! Layers, confusion matrices and the run as a whole under judgement.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    model::{ConfusionRecord, Health, LayerKind, LayerName, LayerRecord, LayerStats, Record, Step, WallTime},
    store::Run,
};

use super::{
    DETECTORS, DetectorSpec, LayerDetector, MatrixDetector, RunDetector, Scope, Surroundings,
    case::{Case, Desk, Place},
    network::Network,
    saturation,
    subgroups::{OfSplit, split_and_group},
};

/// Detectors of one subject, each with its case.
type Judged<T> = Vec<(Box<T>, Case)>;

/// What is judged in a run apart from its series.
#[derive(Debug, Default)]
pub(super) struct OtherSubjects {
    layers: FxHashMap<(LayerName, LayerKind), Judged<dyn LayerDetector>>,
    matrices: FxHashMap<Arc<str>, Judged<dyn MatrixDetector>>,
    /// By split.
    subgroups: FxHashMap<Arc<str>, OfSplit>,
    network: Network,
    whole: Option<Judged<dyn RunDetector>>,
}

impl OtherSubjects {
    /// Judges a record that is no scalar.
    pub fn record(&mut self, record: &Record, run: &Run, around: &Surroundings, desk: &mut Desk<'_>) {
        match record {
            Record::Layer(r) => self.layer((&r.layer, r.kind), (r.step, r.wall), &r.stats, around, desk),
            Record::Histogram(r) => {
                let saturated = r.stats.saturated.or_else(|| saturation::of_histogram(r));
                let stats = LayerStats { saturated, ..r.stats };
                self.layer((&r.layer, r.kind), (r.step, r.wall), &stats, around, desk);
            }
            Record::Confusion(confusion) => self.matrix(confusion, run, around, desk),
            _ => {}
        }
    }

    fn layer(
        &mut self,
        (layer, kind): (&LayerName, LayerKind),
        (step, wall): (Step, WallTime),
        stats: &LayerStats,
        around: &Surroundings,
        desk: &mut Desk<'_>,
    ) {
        self.network.record((layer, kind), (step, wall), stats, around, desk);
        let key = (layer.clone(), kind);
        if !self.layers.contains_key(&key) {
            let made = layer_detectors(kind, stats);
            if made.is_empty() {
                return;
            }
            self.layers.insert(key.clone(), made);
        }
        let Some(judged) = self.layers.get_mut(&key) else { return };
        for (detector, case) in judged {
            let verdict = detector.layer(step, stats);
            let place = Place::Layer(layer, kind);
            case.hear(step, wall, verdict, &place, &**detector, around, desk);
        }
    }

    /// Statistics of a layer that were logged as scalars. The series that they come from are judged as series.
    pub fn scalar_layer(&mut self, r: &LayerRecord, around: &Surroundings, desk: &mut Desk<'_>) {
        self.network.record((&r.layer, r.kind), (r.step, r.wall), &r.stats, around, desk);
    }

    /// Nothing more will come.
    pub fn finish(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        self.network.finish(around, desk);
        for of in self.subgroups.values_mut() {
            of.close(around, desk);
        }
    }

    fn matrix(&mut self, record: &ConfusionRecord, run: &Run, around: &Surroundings, desk: &mut Desk<'_>) {
        if let Some((split, group)) = split_and_group(&record.split) {
            let of = self.subgroups.entry(split.into()).or_insert_with(|| OfSplit::new(split));
            of.record(group, record, around, desk);
            return;
        }
        let judged = self.matrices.entry(record.split.clone()).or_insert_with(|| {
            scopes()
                .filter_map(|(spec, scope)| match scope {
                    Scope::Matrix { build } => {
                        let detector = build();
                        let case = Case::new(spec, detector.patience());
                        Some((detector, case))
                    }
                    _ => None,
                })
                .collect()
        });
        for (detector, case) in judged {
            let verdict = detector.matrix(record, run);
            let place = Place::Split(&record.split);
            case.hear(record.step, record.wall, verdict, &place, &**detector, around, desk);
        }
    }

    /// Looks at the run as a whole.
    pub fn look(
        &mut self,
        run: &Run,
        health: &Health,
        stale_after_s: f64,
        around: &Surroundings,
        desk: &mut Desk<'_>,
    ) {
        let whole = self.whole.get_or_insert_with(|| {
            scopes()
                .filter_map(|(spec, scope)| match scope {
                    Scope::Run { build } => {
                        let detector = build();
                        let case = Case::new(spec, detector.patience());
                        Some((detector, case))
                    }
                    _ => None,
                })
                .collect()
        });
        for (detector, case) in whole {
            let verdict = detector.look(run, health, desk.now, stale_after_s);
            let step = run.last_step().unwrap_or(0);
            case.hear(step, desk.now, verdict, &Place::Run, &**detector, around, desk);
        }
    }

    /// A file is read anew: what was said of layers and matrices stands only if it is said again.
    pub fn doubt(&mut self) {
        let layers = self.layers.values_mut().flatten().map(|(_, case)| case);
        let matrices = self.matrices.values_mut().flatten().map(|(_, case)| case);
        for case in layers.chain(matrices) {
            case.doubt();
        }
        self.subgroups.values_mut().for_each(OfSplit::doubt);
        self.network.doubt();
    }

    /// Takes back what is still in doubt.
    pub fn settle(&mut self, desk: &mut Desk<'_>) {
        let layers = self.layers.values_mut().flatten().map(|(_, case)| case);
        let matrices = self.matrices.values_mut().flatten().map(|(_, case)| case);
        for case in layers.chain(matrices) {
            case.settle(desk);
        }
        self.subgroups.values_mut().for_each(|of| of.settle(desk));
        self.network.settle(desk);
    }
}

fn scopes() -> impl Iterator<Item = (&'static DetectorSpec, &'static Scope)> {
    DETECTORS.iter().flat_map(|spec| spec.scopes.iter().map(move |scope| (*spec, scope)))
}

/// The detectors that want this layer; most layers never get one.
fn layer_detectors(kind: LayerKind, stats: &LayerStats) -> Judged<dyn LayerDetector> {
    let mut made: Judged<dyn LayerDetector> = Vec::new();
    for (spec, scope) in scopes() {
        if let Scope::Layer { judges, build } = scope
            && judges(kind)
        {
            let detector = build();
            if !detector.indifferent(stats) {
                let case = Case::new(spec, detector.patience());
                made.push((detector, case));
            }
        }
    }
    made
}
