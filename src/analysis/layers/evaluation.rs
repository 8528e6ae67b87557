//! One measure of one layer over all records, kept up to date at the cost of the new ones.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::{
    measure::Measure,
    perplexity::Snapshot,
    pools::{ENTER, ThreePools},
    reference::Reference,
    samples::{Reader, Source, Thinned},
    scalar_rule::ScalarRule,
    state::State,
};
use crate::model::Step;

/// A measure after one record.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moment {
    /// The trainer's counter.
    pub step: Step,
    /// The measure; for L1 in noise floors (while there are fewer than twelve snapshots, from one to the next). NaN where
    /// a number was not one.
    pub value: f32,
    /// What it says.
    pub state: State,
}

/// A measure of one layer over time.
#[derive(Clone, Debug)]
pub struct Evaluation {
    measure: Measure,
    epoch: Option<f64>,
    moments: Vec<Moment>,
    tau: Option<f64>,
    refused: u64,
    /// Of how many records the store kept one.
    stride: u64,
    /// All records but the newest, which the store may still complete or replace.
    settled: Settled,
    /// Length, thinning and last step of the records that were taken in.
    seen: Option<(usize, Thinned, Option<Step>)>,
}

/// How a measure is judged, with what is remembered.
#[derive(Clone, Debug)]
enum Judge {
    Pools(Box<ThreePools>),
    Scalar(Box<Scalar>),
}

#[derive(Clone, Debug, Default)]
struct Scalar {
    reader: Reader,
    rule: ScalarRule,
    reference: Reference,
}

/// A judge after so many records.
#[derive(Clone, Debug)]
struct Settled {
    judge: Judge,
    records: usize,
    moments: usize,
    refused: u64,
    fingerprint: u64,
}

impl Judge {
    fn new(measure: Measure) -> Self {
        match measure {
            Measure::Perplexity => Self::Pools(Box::default()),
            Measure::Update => {
                Self::Scalar(Box::new(Scalar { rule: ScalarRule::of_updates(), ..Scalar::default() }))
            }
            other => {
                let reference = Reference::Known(other.tau().unwrap_or(f64::NAN));
                Self::Scalar(Box::new(Scalar { reference, ..Scalar::default() }))
            }
        }
    }
}

impl Evaluation {
    /// Before any record. `epoch` is the length of an epoch in steps, where it is known.
    pub fn new(measure: Measure, epoch: Option<f64>) -> Self {
        Self {
            measure,
            epoch: epoch.filter(|e| e.is_finite() && *e >= 1.0),
            moments: Vec::new(),
            tau: None,
            refused: 0,
            stride: 1,
            settled: Settled {
                judge: Judge::new(measure),
                records: 0,
                moments: 0,
                refused: 0,
                fingerprint: FxHasher::default().finish(),
            },
            seen: None,
        }
    }

    /// Which measure.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// After each record that said something, in ascending order of steps.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The same up to and with a step.
    pub fn until(&self, until: Option<Step>) -> &[Moment] {
        match until {
            Some(step) => &self.moments[..self.moments.partition_point(|m| m.step <= step)],
            None => &self.moments,
        }
    }

    /// The threshold below which the layer is at rest (for L1 in noise floors); `None` while a layer's own is not known.
    pub fn tau(&self) -> Option<f64> {
        self.tau
    }

    /// Records that were refused: counts that are NaN or negative, edges that do not rise, no instance.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Takes in what is new among the records; everything anew if the store thinned or replaced older ones.
    pub fn update(&mut self, source: &Source<'_>, thinned: Thinned) {
        let seen = (source.len(), thinned, source.len().checked_sub(1).and_then(|at| source.step(at)));
        if self.seen == Some(seen) {
            return;
        }
        let kept = self.settled.records;
        if kept > source.len()
            || thinned.stride != self.stride
            || fingerprint(source, kept) != self.settled.fingerprint
        {
            *self = Self { stride: thinned.stride, ..Self::new(self.measure, self.epoch) };
        }
        self.moments.truncate(self.settled.moments);
        self.refused = self.settled.refused;
        let mut judge = self.settled.judge.clone();
        for at in self.settled.records..source.len() {
            if at + 1 == source.len() {
                self.settled = Settled {
                    judge: judge.clone(),
                    records: at,
                    moments: self.moments.len(),
                    refused: self.refused,
                    fingerprint: fingerprint(source, at),
                };
            }
            self.take(&mut judge, source, at, thinned);
        }
        self.tau = match &judge {
            Judge::Pools(_) => Some(ENTER),
            Judge::Scalar(scalar) => scalar.reference.known(),
        };
        self.seen = Some(seen);
    }

    fn take(&mut self, judge: &mut Judge, source: &Source<'_>, at: usize, thinned: Thinned) {
        let Some(step) = source.step(at) else { return };
        match (judge, source) {
            (Judge::Pools(pools), Source::Artefacts(records)) => {
                let Some(record) = records.get(at) else { return };
                let Ok(snapshot) = Snapshot::of(&record.artefact) else {
                    self.refused += 1;
                    return;
                };
                if let (Some(distance), state) = pools.push(&snapshot) {
                    self.moments.push(Moment { step, value: distance as f32, state });
                }
            }
            (Judge::Pools(_), _) => {}
            (Judge::Scalar(scalar), source) => {
                let Scalar { reader, rule, reference } = &mut **scalar;
                let Some(value) = reader.value(self.measure, source, at, thinned) else { return };
                let first = self.moments.first().map_or(step, |m| m.step);
                let epoch_is_over = self.epoch.map(|epoch| step.saturating_sub(first) as f64 >= epoch);
                let tau = reference.tau(value, epoch_is_over);
                let state = rule.push(value, tau);
                self.moments.push(Moment { step, value: value as f32, state });
            }
        }
    }
}

/// Of the first `records`, by a few of them: equal as long as nobody thinned, replaced or completed what was there.
fn fingerprint(source: &Source<'_>, records: usize) -> u64 {
    let mut hasher = FxHasher::default();
    for part in 1..=PROBES.min(records) {
        source.hash_record(records * part / PROBES.min(records) - 1, &mut hasher);
    }
    hasher.finish()
}

/// Records that are compared.
const PROBES: usize = 3;

impl Source<'_> {
    fn hash_record(&self, at: usize, hasher: &mut FxHasher) {
        self.step(at).hash(hasher);
        match self {
            Self::Points(of) | Self::Updates(of, _) => {
                if let Some(record) = of.get(at) {
                    let s = &record.stats;
                    for number in [s.norm, s.update_norm, s.alpha, s.std] {
                        number.map(f64::to_bits).hash(hasher);
                    }
                }
            }
            Self::Histograms(of) => of.get(at).map(|r| r.counts.as_ptr() as usize).hash(hasher),
            Self::Artefacts(of) => of.get(at).map(|r| (r.file, r.artefact.offset)).hash(hasher),
        }
    }
}
