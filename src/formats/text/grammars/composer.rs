//! `Composer`: the lines of its file logger and the blocks of its console logger.

use super::{
    Grammar, Line, State,
    pairs::{counter, counter_of, whole},
};
use crate::model::HyperValue;

/// `[metric][batch=5]: loss/train/total: 2.31`, one metric a line; or a block per batch:
///
/// ```text
/// [batch=1/100]:
///          Train loss/train/total: 10.9736
/// ```
pub(super) struct Composer;

impl Grammar for Composer {
    fn name(&self) -> &'static str {
        "composer"
    }

    fn summary(&self) -> &'static str {
        "Composer `[metric][batch=5]: loss/train/total: 2.31`, blocks `[batch=1/100]:` with `Train loss/train/total: 10.97`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with('[') || line.starts_with("Train ") || line.starts_with("Eval ")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(rest) = line.strip_prefix("[metric][batch=") {
            return metric(rest, out);
        }
        if let Some(setting) = line.strip_prefix("[hyperparameter]: ") {
            return hyperparameter(setting, out);
        }
        if line.starts_with('[') {
            return block(line, state, out);
        }
        member(line, state, out)
    }
}

fn metric<'a>(rest: &'a str, out: &mut Line<'a>) -> bool {
    let Some((batch, pair)) = rest.split_once("]: ") else { return false };
    let Some(pair) = pair.rsplit_once(": ").and_then(|(name, value)| whole(name, value)) else {
        return false;
    };
    // `batch=None` before the first batch: the engine takes the last step
    out.step = counter(batch);
    out.add(pair.name, pair.value);
    true
}

fn hyperparameter<'a>(setting: &'a str, out: &mut Line<'a>) -> bool {
    let Some((name, value)) = setting.split_once(": ") else { return false };
    let value = value.trim();
    let value = whole(name, value)
        .filter(|pair| pair.unit.is_empty())
        .map_or_else(|| HyperValue::Text(value.into()), |pair| HyperValue::Number(pair.value));
    out.settings.push((name.trim().into(), value));
    true
}

/// `[epoch=1][batch=5/5]:` opens a block.
fn block<'a>(line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
    let Some(inside) = line.strip_suffix("]:") else { return false };
    let Some((before, counts)) = inside.rsplit_once("[batch=") else { return false };
    let Some((batch, total)) = counter_of(counts) else { return false };
    let epoch = before.strip_prefix("[epoch=").and_then(|text| text.strip_suffix(']')).and_then(counter);
    if epoch.is_none() && !before.is_empty() {
        return false;
    }
    if let Some(epoch) = epoch {
        // within an epoch the batches begin anew
        state.step = None;
        state.epoch = Some(epoch as f64);
        state.count = batch.unsigned_abs();
        state.batches = Some(total);
    } else {
        (state.step, state.epoch, state.batches) = (Some(batch), None, None);
        out.steps_total = Some(total);
    }
    true
}

/// `Train loss/train/total: 10.9736` within a block.
fn member<'a>(line: &'a str, state: &State, out: &mut Line<'a>) -> bool {
    if state.step.is_none() && state.epoch.is_none() {
        return false;
    }
    let Some((of, pair)) = line.split_once(' ') else { return false };
    let Some((name, value)) = pair.rsplit_once(": ") else { return false };
    let Some(pair) = whole(name, value) else {
        // texts stand among the numbers: `Train time/remaining_estimate_unit: hours`
        return !name.contains(' ');
    };
    out.step = state.step;
    if let Some(epoch) = state.epoch {
        out.epoch = Some(epoch);
        out.batch = i64::try_from(state.count).ok();
        out.batches = state.batches;
    }
    // newer versions name the split in the metric itself
    if !pair.name.contains('/') {
        out.context = of.to_ascii_lowercase().into();
    }
    out.add(pair.name, pair.value);
    true
}
