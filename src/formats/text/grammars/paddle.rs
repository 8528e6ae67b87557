//! The loops of `PaddleNLP`, `PaddleSeg` and `PaddleClas`.

use super::{
    Grammar, Line, State,
    pairs::{Pair, colon_pairs, counter, counter_of, whole},
};
use crate::formats::wire::numbers::integer;

/// `global step 100, epoch: 1, batch: 100, loss: 0.30451, speed: 19.30 step/s`,
/// `eval dev loss: 0.49129, accu: 0.78437`, `[TRAIN] epoch: 1, iter: 10/1000, loss: 0.6`,
/// `loss: 2.75, learning_rate: 3e-05, global_step: 10, epoch: 0.02`.
pub(super) struct Paddle;

impl Grammar for Paddle {
    fn name(&self) -> &'static str {
        "paddle"
    }

    fn summary(&self) -> &'static str {
        "PaddleNLP `global step 100, epoch: 1, batch: 100, loss: 0.304, speed: 19.30 step/s`, PaddleSeg `[TRAIN] epoch: 1, iter: 10/1000, loss: 0.6`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("global step ")
            || line.starts_with("eval ")
            || line.starts_with("[TRAIN] ")
            || line.starts_with("[EVAL] ")
            || (line.starts_with("loss: ") && line.contains("global_step: "))
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(rest) = line.strip_prefix("global step ") {
            let Some((step, fields)) = rest.split_once(", ") else { return false };
            out.step = counter(step);
            state.step = out.step;
            read_fields(fields, out);
        } else if let Some(rest) = line.strip_prefix("eval ") {
            if state.step.is_none() {
                return false;
            }
            evaluation(rest, out);
        } else if let Some(fields) = line.strip_prefix("[TRAIN] ") {
            segmentation(fields, out);
            state.step = out.step;
        } else if let Some(fields) = line.strip_prefix("[EVAL] ") {
            out.context = "eval".into();
            read_fields(fields, out);
            return state.step.is_some() && !out.values.is_empty();
        } else {
            read_fields(line, out);
        }
        (out.step.is_some() || !out.context.is_empty()) && !out.values.is_empty()
    }
}

fn read_fields<'a>(fields: &'a str, out: &mut Line<'a>) {
    for pair in colon_pairs(fields) {
        field(&pair, out);
    }
}

fn field<'a>(pair: &Pair<'a>, out: &mut Line<'a>) {
    match pair.name {
        // count beside the global step
        "epoch" | "batch" => {}
        "global_step" => out.step = integer(pair.value),
        _ => out.add_unit(pair.name, pair.value, pair.unit),
    }
}

/// `dev loss: 0.49129, accu: 0.78437`; the split is the word before the first name, if there is one.
fn evaluation<'a>(rest: &'a str, out: &mut Line<'a>) {
    let name = rest.split_once(':').map_or(rest, |(name, _)| name);
    let words: Vec<&str> = name.split_ascii_whitespace().filter(|word| *word != "on").collect();
    let split = if words.len() > 1 { words.first().copied().unwrap_or("eval") } else { "eval" };
    out.context = split.into();
    for part in rest.split(',') {
        let Some((name, value)) = part.rsplit_once(':') else { continue };
        let name = name.rsplit(' ').next().unwrap_or(name);
        if let Some(pair) = whole(name, value) {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
    }
}

/// `epoch: 1, iter: 10/1000, loss: 0.6, lr: 0.009, ips: 40.1 samples/sec | ETA 00:01:00`.
fn segmentation<'a>(fields: &'a str, out: &mut Line<'a>) {
    if let Some((_, rest)) = fields.split_once("iter: ")
        && let Some((counts, _)) = rest.split_once(',')
        && let Some((done, total)) = counter_of(counts)
    {
        (out.step, out.steps_total) = (Some(done), Some(total));
    }
    for pair in colon_pairs(fields).filter(|pair| pair.name != "iter") {
        field(&pair, out);
    }
}
