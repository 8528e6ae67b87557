//! All layers of a run: each by the best measure that the log permits, evaluated only where it is asked for.

use std::collections::HashMap;

use super::{
    at::At,
    evaluation::{Evaluation, Moment},
    measure::Measure,
    samples::{Source, Thinned},
    scalar_rule::FROZEN_AFTER,
    state::State,
    subjects::Subject,
};
use crate::model::{LayerKind, LayerName, LayerStats, Step};

/// What is said of a layer at a step.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// By which measure; `None` if no measure can be taken, or if the trainer says it.
    pub measure: Option<Measure>,
    /// The step at which the state began, as far back as records are kept.
    pub since: Option<Step>,
    /// The measure, in units of the threshold at which a layer is stable. Above [`Self::leave`] it is not any more.
    pub relative: Option<f64>,
    /// Where stability ends, in the same units.
    pub leave: f64,
    /// Records that the measure refused.
    pub refused: u64,
}

/// Evaluations of the layers of one run. Work is proportional to new records, and done for measures that are used.
#[derive(Clone, Debug, Default)]
pub struct Stability {
    epoch: Option<f64>,
    layers: HashMap<LayerName, Vec<Evaluation>>,
}

impl Stability {
    /// For a run with epochs of so many steps, where that is known.
    pub fn new(epoch: Option<f64>) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// Whether it is for such epochs; if not, thresholds are others.
    pub fn is_for(&self, epoch: Option<f64>) -> bool {
        self.epoch.map(f64::to_bits) == epoch.map(f64::to_bits)
    }

    /// Forgets layers that are not there any more.
    pub fn keep(&mut self, subjects: &[Subject<'_>]) {
        if self.layers.len() > subjects.len() {
            let there: std::collections::HashSet<&LayerName> = subjects.iter().map(|s| &s.name).collect();
            self.layers.retain(|name, _| there.contains(name));
        }
    }

    /// What the best measure says of a layer, of the records up to `until`. A measure that has too few of them steps back
    /// for the next one.
    pub fn verdict(&mut self, at: &At<'_>) -> Verdict {
        let (subject, until) = (at.subject, at.until);
        let flag = frozen_since(at).or_else(|| unchanged_since(at));
        let mut waiting = None;
        for measure in Measure::ALL {
            let Some((source, thinned)) = Source::of(at, measure) else { continue };
            let records = source.until(at, measure);
            if records < measure.needs() {
                if records > 0 {
                    waiting.get_or_insert(measure);
                }
                continue;
            }
            if let (Measure::Perplexity, Some(since)) = (measure, source.silent_since(records)) {
                return Verdict {
                    state: State::Silent,
                    measure: Some(measure),
                    since: Some(since),
                    ..Verdict::default()
                };
            }
            let verdict = of(self.evaluated(subject, measure, &source, thinned), until);
            match (flag, verdict.state) {
                (Some(since), _) => return Verdict { state: State::Frozen, since: Some(since), ..verdict },
                (None, State::Warming | State::NotApplicable) => {
                    waiting.get_or_insert(measure);
                }
                _ => return verdict,
            }
        }
        match flag {
            Some(since) => Verdict { state: State::Frozen, since: Some(since), ..Verdict::default() },
            None => Verdict {
                state: if waiting.is_some() { State::Warming } else { State::NotApplicable },
                measure: waiting,
                ..Verdict::default()
            },
        }
    }

    /// A measure of a layer over time up to `until`, with its limit of *stable*; empty if nobody asked for its verdict. No
    /// limit where it was not known yet.
    pub fn known(
        &self,
        layer: &LayerName,
        measure: Measure,
        until: Option<Step>,
    ) -> (&[Moment], Option<f64>) {
        let all = self.layers.get(layer).map(Vec::as_slice).unwrap_or_default();
        let Some(evaluation) = all.iter().find(|e| e.measure() == measure) else { return (&[], None) };
        let moments = evaluation.until(until);
        let judged = moments.last().is_some_and(|m| m.state != State::Warming);
        (moments, evaluation.tau().filter(|_| judged))
    }

    fn evaluated(
        &mut self,
        subject: &Subject<'_>,
        measure: Measure,
        source: &Source<'_>,
        thinned: Thinned,
    ) -> &Evaluation {
        let all = self.layers.entry(subject.name.clone()).or_default();
        let at = all.iter().position(|e| e.measure() == measure).unwrap_or_else(|| {
            all.push(Evaluation::new(measure, self.epoch));
            all.len() - 1
        });
        let evaluation = &mut all[at];
        evaluation.update(source, thinned);
        evaluation
    }
}

/// The newest moment, and how long it has been like that.
fn of(evaluation: &Evaluation, until: Option<Step>) -> Verdict {
    let moments = evaluation.until(until);
    let measure = evaluation.measure();
    let (enter, leave) = measure.limits();
    let Some(last) = moments.last() else {
        return Verdict { state: State::Warming, measure: Some(measure), ..Verdict::default() };
    };
    let same = moments.iter().rev().take_while(|m| m.state == last.state).last();
    Verdict {
        state: last.state,
        measure: Some(measure),
        since: same.map(|m| m.step),
        relative: evaluation.tau().map(|tau| f64::from(last.value) / tau),
        leave: leave / enter,
        refused: evaluation.refused(),
    }
}

/// Since when the trainer has said that it does not train the layer.
fn frozen_since(at: &At<'_>) -> Option<Step> {
    let kinds = [LayerKind::Weights, LayerKind::Gradients, LayerKind::Updates, LayerKind::Other];
    kinds.into_iter().find_map(|kind| {
        let said = at.records(kind).iter().rev().take_while(|r| r.stats.frozen == Some(true));
        said.last().map(|r| r.step)
    })
}

/// Since when the statistics of the weights are the same to the last bit, if they are in the newest records and no update
/// norm says it better. Counts of buckets alone would not do: few weights can move within theirs.
fn unchanged_since(at: &At<'_>) -> Option<Step> {
    let records = at.records(LayerKind::Weights);
    let same = |s: &LayerStats| [s.mean, s.std, s.norm, s.min, s.max].map(|v| v.map(f64::to_bits));
    let last = records.last()?;
    let wanted = same(&last.stats);
    if last.stats.update_norm.is_some() || wanted.iter().flatten().count() < 4 {
        return None;
    }
    let equal = records.iter().rev().take_while(|r| same(&r.stats) == wanted);
    let (count, first) = equal.fold((0, None), |(n, _), r| (n + 1, Some(r.step)));
    first.filter(|_| count >= FROZEN_AFTER)
}
