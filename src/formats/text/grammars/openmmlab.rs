//! Text logs of `OpenMMLab`: `MMEngine` and the older `MMCV` 1.x.

use super::{
    Grammar, Line, State,
    pairs::{bracket, colon_pairs, counter, counter_of},
};
use crate::model::Step;

/// `Epoch(train) [1][ 5/22]  lr: 0.1  eta: 0:00:07  loss: 2.3`, `Iter(train) [ 10/720]  …`,
/// `Epoch(val) [1][7/7]    accuracy: 0.0831`; `MMCV`: `Epoch [1][50/7330]\tlr: 0.00399, eta: …, loss: 2.67`.
///
/// Names are those of the JSON file beside the text, and carry no split, so that both tell the same series.
pub(super) struct OpenMmLab;

impl Grammar for OpenMmLab {
    fn name(&self) -> &'static str {
        "openmmlab"
    }

    fn summary(&self) -> &'static str {
        "MMEngine `Epoch(train) [1][ 5/22]  lr: 0.1  loss: 2.3`, MMCV `Epoch [1][50/7330] lr: 0.004, loss: 2.67`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("Epoch") || line.starts_with("Iter")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        let (by_epoch, rest) = match (line.strip_prefix("Epoch"), line.strip_prefix("Iter")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return false,
        };
        let (mode, rest) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((mode @ ("train" | "val" | "test"), rest)) => (mode, rest),
            Some(_) => return false,
            None => ("train", rest),
        };
        // MMCV sets one blank before its brackets, torchvision's loggers have a colon here
        let Some((first, rest)) = bracket(rest) else { return false };
        let (epoch, counts, fields) = match bracket(rest) {
            Some((counts, fields)) if by_epoch => (counter(first), counts, fields),
            _ => (None, first, rest),
        };
        if by_epoch && mode != "test" && epoch.is_none() {
            return false;
        }
        let at = Place { by_epoch, epoch, counts: counter_of(counts), one: counter(counts) };
        if at.counts.is_none() && at.one.is_none() {
            return false;
        }
        if mode == "train" {
            at.train(state, out);
        } else if at.is_underway() {
            // how far an evaluation has come: its numbers are times only
            return true;
        } else {
            at.evaluation(state, out);
        }
        for pair in colon_pairs(fields) {
            out.add(pair.name, pair.value);
        }
        !out.values.is_empty()
    }
}

/// What the brackets say.
struct Place {
    by_epoch: bool,
    epoch: Option<Step>,
    /// `5/22`.
    counts: Option<(Step, Step)>,
    /// `22`, as in `MMCV`'s evaluations.
    one: Option<Step>,
}

impl Place {
    fn is_underway(&self) -> bool {
        self.counts.is_some_and(|(done, total)| done < total)
    }

    fn train(&self, state: &mut State, out: &mut Line<'_>) {
        let Some((done, total)) = self.counts else { return };
        if self.by_epoch {
            out.epoch = self.epoch.map(|epoch| epoch as f64);
            (out.batch, out.batches) = (Some(done), Some(total));
            state.batches = Some(total);
        } else {
            (out.step, out.steps_total) = (Some(done), Some(total));
        }
    }

    /// An evaluation belongs to the end of its epoch, or to the last iteration.
    fn evaluation(&self, state: &State, out: &mut Line<'_>) {
        if self.by_epoch && state.batches.is_some() && self.epoch.is_some() {
            out.epoch = self.epoch.map(|epoch| epoch as f64);
            (out.batch, out.batches) = (state.batches, state.batches);
        }
    }
}
