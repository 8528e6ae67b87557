//! The ways in which `fairseq` prints its progress.

use super::{
    Grammar, Line, State,
    pairs::{counter, counter_of, equals_pairs, spaced_pairs},
    scan::value_of,
};
use crate::formats::wire::numbers::integer;

/// Names of the step, with and without the split before them.
const STEP: &str = "num_updates";

/// `epoch 001 | loss 8.2 | ppl 182 | num_updates 1101`, `epoch 001:    100 / 487 loss=4.655, num_updates=100`,
/// `{"epoch": 1, "train_loss": "11.049", "train_num_updates": "362"}`.
pub(super) struct Fairseq;

impl Grammar for Fairseq {
    fn name(&self) -> &'static str {
        "fairseq"
    }

    fn summary(&self) -> &'static str {
        "fairseq `| epoch 001 | loss 8.2 | num_updates 1101`, `| train | {\"epoch\": 1, \"train_loss\": \"11.049\"}`"
    }

    fn may(&self, line: &str) -> bool {
        line.contains("num_updates") || line.contains("{\"epoch\": ")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some((before, object)) = line.split_once("{\"") {
            return json(before, object, out);
        }
        let Some((before, rest)) = line.split_once("epoch ") else { return false };
        let split = split_of(before).or_else(|| split_of(out.prefix));
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Some((epoch, rest)) = rest.split_at_checked(digits) else { return false };
        out.epoch = counter(epoch).map(|epoch| epoch as f64);
        out.context = split.unwrap_or_default().into();
        match rest.strip_prefix(':') {
            Some(rest) => bar(rest, out),
            None => bars(rest, out),
        }
        // updates go on over epochs
        out.epoch.take().is_some() && out.step.is_some() && !out.values.is_empty()
    }
}

/// The split that stands among the words before the numbers.
fn split_of(before: &str) -> Option<&str> {
    before
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '|' | '[' | ']'))
        .find(|word| matches!(*word, "train" | "train_inner" | "valid" | "test"))
}

fn add<'a>(name: &'a str, value: f64, out: &mut Line<'a>) {
    match name {
        "epoch" => out.epoch = Some(value),
        // the epoch once more, as a fraction
        "update" => {}
        _ if name.strip_suffix(STEP).is_some_and(|before| before.is_empty() || before.ends_with('_')) => {
            out.step = integer(value);
        }
        _ => out.add(name, value),
    }
}

/// `    100 / 487 loss=4.655, nll_loss=3.9, num_updates=100, lr=1.25e-05`.
fn bar<'a>(rest: &'a str, out: &mut Line<'a>) {
    let name = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let Some((counts, fields)) = rest.split_at_checked(name) else { return };
    if counter_of(counts).is_none() {
        return;
    }
    if out.context.is_empty() {
        out.context = "train_inner".into();
    }
    for pair in equals_pairs(fields) {
        add(pair.name, pair.value, out);
    }
}

/// ` | valid on 'valid' subset | loss 7.1 | ppl 139 | num_updates 1101`.
fn bars<'a>(rest: &'a str, out: &mut Line<'a>) {
    if let Some((_, subset)) = rest.split_once("valid on '")
        && let Some((subset, _)) = subset.split_once('\'')
    {
        out.context = subset.into();
    } else if out.context.is_empty() {
        out.context = "train".into();
    }
    for pair in spaced_pairs(rest, '|') {
        add(pair.name, pair.value, out);
    }
}

/// A flat object whose numbers are texts. At the end of an epoch the split stands in the names, within it before them.
fn json<'a>(before: &'a str, object: &'a str, out: &mut Line<'a>) -> bool {
    let Some(object) = object.strip_suffix('}') else { return false };
    let mut of_epoch = false;
    for field in object.split(", \"") {
        let Some((name, value)) = field.split_once("\": ") else { return false };
        let Some(value) = value_of(value.trim_matches('"')) else { continue };
        of_epoch |= ["train_", "valid_", "test_"].iter().any(|split| name.starts_with(split));
        add(name, value, out);
    }
    if !of_epoch && let Some(split) = split_of(before).or_else(|| split_of(out.prefix)) {
        out.context = split.into();
    }
    if out.step.is_some() {
        out.epoch = None;
    }
    (out.step.is_some() || of_epoch) && !out.values.is_empty()
}
