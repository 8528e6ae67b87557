//! The dictionaries that the Trainer of Hugging Face prints, alone or behind a progress bar.

use super::{
    Grammar, Line, State, pace,
    pairs::counter,
    scan::{progress, value_of},
};
use crate::{formats::wire::numbers::integer, model::EndStatus};

/// Names that make a dictionary a line of a log.
const ANCHORS: &[&str] = &["epoch", "step", "global_step", "iteration"];

/// `{'loss': 2.604, 'grad_norm': 2.4, 'learning_rate': 0.0008, 'epoch': 0.23}`; transformers 5 quotes the values.
///
/// The step is not in it: the counter of the training's progress bar is, which tqdm draws before and after.
pub(super) struct HuggingFace;

impl Grammar for HuggingFace {
    fn name(&self) -> &'static str {
        "transformers"
    }

    fn summary(&self) -> &'static str {
        "Hugging Face Trainer, TRL `{'loss': 2.604, 'grad_norm': 2.4, 'epoch': 0.23}`"
    }

    fn may(&self, line: &str) -> bool {
        line.contains("{'") || line.contains("%|") || line.starts_with("Total optimization steps = ")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(total) = line.strip_prefix("Total optimization steps = ").and_then(counter) {
            state.batches = Some(total);
            out.steps_total = Some(total);
            return true;
        }
        // noted also where the line is left to others: a bar has no number of its own
        note_bar(line, state);
        let Some((_, dictionary)) = line.split_once("{'") else { return false };
        let Some(items) = items(dictionary) else { return false };
        if !items.iter().any(|item| ANCHORS.contains(&item.name)) {
            return false;
        }
        let mut counted = None;
        for Item { name, text, quoted } in items {
            let Some(value) = number(text) else { continue };
            match name {
                "epoch" => {
                    out.epoch = Some(value);
                    out.add(name, value);
                    let rounding = pace::rounding(text, quoted, value);
                    counted = state.step.map(|done| pace::step_of(done, value, rounding, state));
                }
                "step" | "global_step" | "iteration" => out.step = integer(value),
                _ => out.add(name, value),
            }
            if name == "train_runtime" {
                out.end = Some(EndStatus::Finished);
            }
        }
        if out.step.is_none() {
            out.step = counted.or(state.step);
            out.steps_total = state.batches.filter(|_| state.step.is_some());
        }
        if out.step.is_some() {
            // the step goes on over epochs
            out.epoch = None;
        }
        out.values.iter().any(|value| value.tag != "epoch")
    }
}

/// Follows the training's own bar, which has neither title nor postfix. The shorter bars of evaluations look the
/// same and are told by their length.
fn note_bar(line: &str, state: &mut State) {
    if let Some(bar) = progress(line).filter(|bar| bar.title.is_empty() && bar.postfix.is_empty())
        && let (Some(done), Some(total)) = (integer(bar.done), integer(bar.total))
        && state.batches.is_none_or(|known| total >= known)
    {
        if state.batches != Some(total) {
            pace::forget(state);
        }
        state.step = Some(done);
        state.batches = Some(total);
    }
}

/// A Python number, quoted or not, or one in its numpy spelling.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let text = text
        .strip_prefix("np.float64(")
        .or_else(|| text.strip_prefix("np.float32("))
        .map_or(text, |inner| inner.trim_end_matches(')'));
    value_of(text)
}

/// A name of a dictionary with the text of its value.
struct Item<'a> {
    name: &'a str,
    text: &'a str,
    quoted: bool,
}

/// Names and texts of values of a dictionary whose opening `{'` was taken off; `None` where it is torn.
fn items(text: &str) -> Option<Vec<Item<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('\'')?;
        let after = after.strip_prefix(':')?.trim_start();
        let quoted = after.starts_with(['\'', '"']);
        let (text, after) = value(after)?;
        found.push(Item { name, text, quoted });
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start().strip_prefix('\'')?,
            None => return rest.starts_with('}').then_some(found),
        }
    }
}

/// A value and what follows it.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        return text.get(1..)?.split_once(quote);
    }
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b',' | b'}' if depth == 0 => return text.split_at_checked(at),
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}
