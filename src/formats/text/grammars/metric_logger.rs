//! The `MetricLogger` of torchvision's references, DETR, DeiT, MAE and many others, and `PaddleDetection`'s lines of
//! the same shape.

use super::{
    Grammar, Line, State,
    pairs::{bracket, colon_pairs, counter, counter_of, whole},
};

/// `Epoch: [0]  [ 5/60]  eta: 0:00:20  lr: 0.000936  loss: 1.3007 (1.5313)  time: 0.4198  max mem: 3485`.
///
/// The first number is the median of the last lines' steps and becomes the series; the one in parentheses is the mean
/// since the epoch began, which is worth reading only at the end of an evaluation: there it is the result.
pub(super) struct MetricLogger;

impl Grammar for MetricLogger {
    fn name(&self) -> &'static str {
        "metric-logger"
    }

    fn summary(&self) -> &'static str {
        "torchvision, DETR, PaddleDetection `Epoch: [0]  [ 5/60]  eta: 0:00:20  lr: 0.000936  loss: 1.3007 (1.5313)`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("Epoch: [")
            || line.starts_with("Test: ")
            || line.starts_with("Averaged stats: ")
            || line.starts_with("* Acc@1 ")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(rest) = line.strip_prefix("Epoch: ") {
            return train(rest, state, out);
        }
        if let Some(fields) = line.strip_prefix("Averaged stats: ") {
            return averages(fields, state, out);
        }
        let rest = line.strip_prefix("Test: ").unwrap_or(line).trim_start().trim_start_matches("* ");
        if let Some((counts, _)) = bracket(rest) {
            // how far an evaluation has come
            state.context = "test".to_owned();
            return counter_of(counts).is_some() && state.epoch.is_some();
        }
        accuracies(rest, out)
    }
}

fn train<'a>(rest: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
    let Some((epoch, rest)) = bracket(rest) else { return false };
    let Some((counts, fields)) = bracket(rest) else { return false };
    let (Some(epoch), Some((done, total))) = (counter(epoch), counter_of(counts)) else { return false };
    out.epoch = Some(epoch as f64);
    (out.batch, out.batches) = (Some(done), Some(total));
    state.epoch = out.epoch;
    state.context.clear();
    for pair in colon_pairs(fields) {
        out.add_unit(pair.name, pair.value, pair.unit);
    }
    !out.values.is_empty()
}

/// `Averaged stats: lr: 0.0001  loss: 12.28 (12.28)` stands at the end of an epoch and of an evaluation; after an epoch
/// it repeats what the lines above it said.
fn averages<'a>(fields: &'a str, state: &State, out: &mut Line<'a>) -> bool {
    if state.epoch.is_none() {
        return false;
    }
    if state.context != "test" {
        return true;
    }
    out.context = "test".into();
    for pair in colon_pairs(fields) {
        let mean = pair.behind.strip_prefix('(').and_then(|text| text.split_once(')'));
        match mean.and_then(|(mean, _)| whole(pair.name, mean)) {
            Some(mean) => out.add(mean.name, mean.value),
            None => out.add_unit(pair.name, pair.value, pair.unit),
        }
    }
    !out.values.is_empty()
}

/// `Test:  Acc@1 75.034 Acc@5 92.105`, `* Acc@1 75.0 Acc@5 92.1 loss 1.02`.
fn accuracies<'a>(rest: &'a str, out: &mut Line<'a>) -> bool {
    if !rest.starts_with("Acc@1 ") {
        return false;
    }
    out.context = "test".into();
    let mut words = rest.split_ascii_whitespace();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        match whole(name, value) {
            Some(pair) => out.add(pair.name, pair.value),
            None => break,
        }
    }
    !out.values.is_empty()
}
