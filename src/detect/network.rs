//! The layers of a run under judgement together: their records of one step make a profile, and once the step is over
//! each rule on layers looks at it.

use rustc_hash::FxHashMap;

use crate::model::{LayerKind, LayerName, LayerStats, Step, WallTime};

use super::{
    DETECTORS, DetectorSpec, NetworkDetector, Part, Scope, Surroundings,
    case::{Case, Desk, Place},
};

/// Alerts of one rule that are followed one by one; of more layers only these are.
const CASES: usize = 64;

/// The layers of one kind at a step.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// The trainer's counter.
    pub step: Step,
    /// Seconds since 1970, if known.
    pub wall: WallTime,
    /// Which tensors.
    pub kind: LayerKind,
    /// In the order in which the layers of this kind first appeared, which is that of the network with writers that go
    /// through their model.
    pub layers: &'a [(LayerName, LayerStats)],
    /// What each of them is.
    pub parts: &'a [Part],
}

impl<'a> Profile<'a> {
    /// The layers that have a place in the depth of the network, in its order.
    pub fn in_depth(&self) -> impl Iterator<Item = &'a (LayerName, LayerStats)> + use<'a> {
        self.layers.iter().zip(self.parts).filter(|(_, part)| part.has_depth()).map(|(layer, _)| layer)
    }
}

/// One rule on all layers of a run.
#[derive(Debug)]
struct Judged {
    spec: &'static DetectorSpec,
    detector: Box<dyn NetworkDetector>,
    cases: FxHashMap<(LayerKind, Option<LayerName>), Case>,
}

/// The layers of one kind, and what the step that is being collected says of each.
#[derive(Debug)]
struct OfKind {
    names: Vec<LayerName>,
    parts: Vec<Part>,
    /// Where the bias of the same module stands.
    biases: Vec<Option<usize>>,
    places: FxHashMap<LayerName, usize>,
    step: Step,
    wall: WallTime,
    stats: Vec<Option<LayerStats>>,
    any: bool,
}

impl Default for OfKind {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            parts: Vec::new(),
            biases: Vec::new(),
            places: FxHashMap::default(),
            step: Step::MIN,
            wall: WallTime::UNKNOWN,
            stats: Vec::new(),
            any: false,
        }
    }
}

impl OfKind {
    fn place(&mut self, layer: &LayerName) -> usize {
        if let Some(place) = self.places.get(layer) {
            return *place;
        }
        let place = self.names.len();
        self.names.push(layer.clone());
        self.parts.push(Part::of(layer.as_str()));
        self.biases.push(None);
        if let Some(stem) = layer.as_str().strip_suffix("bias")
            && let Some(weight) = self.places.get(&LayerName::new(format!("{stem}weight")))
        {
            self.biases[*weight] = Some(place);
        }
        self.places.insert(layer.clone(), place);
        self.stats.push(None);
        place
    }

    fn take(&mut self) -> (Vec<(LayerName, LayerStats)>, Vec<Part>) {
        self.any = false;
        let numel = |place: usize| self.stats[place].and_then(|stats| stats.numel);
        // A weight with as many elements as its bias is the scale of a normalisation, whatever its name.
        let part = |place: usize| match self.biases[place].and_then(numel) {
            Some(bias) if numel(place) == Some(bias) => Part::Vector,
            _ => self.parts[place],
        };
        let there = (0..self.names.len()).filter(|place| self.stats[*place].is_some());
        let parts = there.map(part).collect();
        let stats = self.names.iter().zip(&mut self.stats);
        (stats.filter_map(|(name, stats)| Some((name.clone(), stats.take()?))).collect(), parts)
    }
}

/// All rules on the layers of a run.
#[derive(Debug, Default)]
pub(super) struct Network {
    judged: Vec<Judged>,
    kinds: FxHashMap<LayerKind, OfKind>,
}

impl Network {
    /// Takes the statistics of one layer at a step; what the same step said of it before is completed.
    pub fn record(
        &mut self,
        (layer, kind): (&LayerName, LayerKind),
        (step, wall): (Step, WallTime),
        stats: &LayerStats,
        around: &Surroundings,
        desk: &mut Desk<'_>,
    ) {
        if self.judged.is_empty() {
            self.judged = made();
        }
        let before = self.kinds.get(&kind).filter(|of| of.any).map(|of| of.step);
        match before {
            Some(before) if step < before => self.rewind(kind, step, desk),
            Some(before) if step > before => self.close(kind, around, desk),
            _ => {}
        }
        let of = self.kinds.entry(kind).or_default();
        (of.step, of.wall, of.any) = (step, wall, true);
        let place = of.place(layer);
        let known = of.stats[place].unwrap_or_default();
        // What a histogram looks like counts less than what the trainer says.
        let saturated = known.saturated.or(stats.saturated);
        of.stats[place] = Some(LayerStats { saturated, ..stats.or(known) });
    }

    /// The records of a step are all there.
    fn close(&mut self, kind: LayerKind, around: &Surroundings, desk: &mut Desk<'_>) {
        let Some(of) = self.kinds.get_mut(&kind).filter(|of| of.any) else { return };
        let (layers, parts) = of.take();
        let (step, wall) = (of.step, of.wall);
        let profile = Profile { step, wall, kind, layers: &layers, parts: &parts };
        for Judged { spec, detector, cases } in &mut self.judged {
            let mut verdicts = Vec::new();
            detector
                .profile(&profile, around, &mut |layer, verdict| verdicts.push((layer.cloned(), verdict)));
            for (layer, verdict) in verdicts {
                let key = (kind, layer);
                let bad = matches!(verdict, super::Verdict::Bad(_));
                if !cases.contains_key(&key) {
                    if !bad || cases.len() >= CASES {
                        continue;
                    }
                    cases.insert(key.clone(), Case::new(spec, detector.patience()));
                }
                let Some(case) = cases.get_mut(&key) else { continue };
                let place = match &key.1 {
                    Some(layer) => Place::Layer(layer, kind),
                    None => Place::Run,
                };
                case.hear(step, wall, verdict, &place, &**detector, around, desk);
            }
        }
    }

    fn rewind(&mut self, kind: LayerKind, step: Step, desk: &mut Desk<'_>) {
        if let Some(of) = self.kinds.get_mut(&kind) {
            of.take();
        }
        for Judged { detector, cases, .. } in &mut self.judged {
            detector.rewind(step);
            for (_, case) in cases.iter_mut().filter(|((k, _), _)| *k == kind) {
                case.rewind(step, desk);
            }
        }
    }

    /// Nothing more will come: the last profile is whole.
    pub fn finish(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        let mut kinds: Vec<LayerKind> = self.kinds.keys().copied().collect();
        kinds.sort_unstable();
        for kind in kinds {
            self.close(kind, around, desk);
        }
    }

    /// The file is read anew: what was said stands only if it is said again.
    pub fn doubt(&mut self) {
        self.kinds.clear();
        for Judged { detector, cases, .. } in &mut self.judged {
            detector.rewind(Step::MIN);
            cases.values_mut().for_each(Case::doubt);
        }
    }

    /// Takes back what is still in doubt.
    pub fn settle(&mut self, desk: &mut Desk<'_>) {
        for case in self.judged.iter_mut().flat_map(|judged| judged.cases.values_mut()) {
            case.settle(desk);
        }
    }
}

fn made() -> Vec<Judged> {
    DETECTORS
        .iter()
        .flat_map(|spec| spec.scopes.iter().map(move |scope| (*spec, scope)))
        .filter_map(|(spec, scope)| match scope {
            Scope::Network { build } => Some(Judged { spec, detector: build(), cases: FxHashMap::default() }),
            _ => None,
        })
        .collect()
}
