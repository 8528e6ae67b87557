//! Iteration and validation lines of Megatron-LM, Megatron-DeepSpeed and `NeMo`.

use super::super::grammar::Note;
use super::{
    Grammar, Line, State,
    pairs::{self, counter, counter_of, whole},
};
use crate::formats::wire::numbers::integer;

/// Fields between bars, each `name: value`.
pub(super) struct Megatron;

impl Grammar for Megatron {
    fn name(&self) -> &'static str {
        "megatron"
    }

    fn summary(&self) -> &'static str {
        "Megatron-LM, NeMo ` iteration 1/ 1000 | consumed samples: 1024 | lm loss: 1.24E+01 | grad norm: 1.2 |`"
    }

    fn may(&self, line: &str) -> bool {
        line.contains("iteration ") && line.contains('|')
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((head, fields)) = line.split_once('|') else { return false };
        if let Some(at) = head.find(" loss at ") {
            return validation(head.get(..at).unwrap_or_default(), head, fields, out);
        }
        let Some((before, count)) = head.rsplit_once("iteration ") else { return false };
        let Some((step, total)) = counter_of(count) else { return false };
        out.step = Some(step);
        if before.starts_with("Training epoch") {
            nemo(fields, out);
        } else {
            out.steps_total = Some(total);
            read_fields(fields, out);
        }
        state.step = out.step;
        !out.values.is_empty()
    }
}

fn read_fields<'a>(fields: &'a str, out: &mut Line<'a>) {
    for field in fields.split('|') {
        let Some((name, value)) = pairs::field(field) else { continue };
        let Some(pair) = whole(name, value) else { continue };
        if pair.name == "number of nan iterations" && pair.value > 0.0 {
            out.notes.push(Note::Alert {
                rule: "nan-iterations",
                severity: "warning",
                message: field.trim().into(),
            });
        }
        out.add_unit(pair.name, pair.value, pair.unit);
    }
}

/// `Training epoch 0, iteration 1/99 | lr: 2e-05 | global_step: 1 | reduced_train_loss: 1.31`: the iteration begins
/// anew when the run is resumed and its total is the last index, so that `global_step` is the step.
fn nemo<'a>(fields: &'a str, out: &mut Line<'a>) {
    for field in fields.split('|') {
        let Some((name, value)) = pairs::field(field) else { continue };
        match whole(name, value) {
            Some(pair) if pair.name == "global_step" => out.step = integer(pair.value).or(out.step),
            Some(pair) => out.add_unit(pair.name, pair.value, pair.unit),
            None => {}
        }
    }
}

/// ` validation loss at iteration 1000 on test set | lm loss value: 2.1 | lm loss PPL: 8.2 |`.
fn validation<'a>(kind: &'a str, head: &'a str, fields: &'a str, out: &mut Line<'a>) -> bool {
    out.step = head.rsplit_once("iteration ").and_then(|(_, text)| {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        counter(text.get(..digits)?)
    });
    let of_test = head.contains("test set") || head.contains("test data");
    out.context = if of_test { "test" } else { kind.rsplit(' ').next().unwrap_or_default() }.into();
    for field in fields.split('|') {
        if let Some(pair) = pairs::field(field).and_then(|(name, value)| whole(name, value)) {
            out.add(pair.name, pair.value);
        }
    }
    matches!(&*out.context, "validation" | "test") && !out.values.is_empty()
}
