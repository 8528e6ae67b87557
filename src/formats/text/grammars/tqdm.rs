//! Progress bars of `tqdm`, with the metrics that Lightning, `NeMo` and people's own loops set behind the rate.

use super::{
    Grammar, Line, State,
    pairs::{counter, equals_pairs},
    scan::{Progress, progress},
};
use crate::{formats::wire::numbers::integer, model::Step};

/// `Epoch 3:  45%|████ | 10/22 [00:01<00:01, 8.9it/s, v_num=0, train_loss=2.27]`.
///
/// A bar without metrics is only read past. The bar's counter is the step within its epoch; a bar whose title names no
/// epoch counts as the next one when it begins anew.
pub(super) struct Tqdm;

impl Grammar for Tqdm {
    fn name(&self) -> &'static str {
        "tqdm"
    }

    fn summary(&self) -> &'static str {
        "Lightning, NeMo, tqdm `Epoch 3:  45%|████ | 10/22 [00:01<00:01, 8.9it/s, v_num=0, train_loss=2.27]`"
    }

    fn may(&self, line: &str) -> bool {
        line.contains("%|") || line.contains("/? [")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        let Some(bar) = progress(line).or_else(|| endless(line)) else { return false };
        if bar.done > 0.0 {
            numbers(&bar, state, out);
        }
        if out.values.is_empty() {
            return bar.rest.is_empty();
        }
        place(&bar, state, out);
        true
    }
}

/// What stands in the bar, but for what is left over: before its first step all of it, and between two evaluations the
/// result of the earlier one.
fn numbers<'a>(bar: &Progress<'a>, state: &mut State, out: &mut Line<'a>) {
    let mut results = Vec::new();
    for pair in equals_pairs(bar.postfix) {
        if matches!(pair.name, "v_num" | "epoch" | "step" | "global_step") {
            continue;
        }
        if ["val", "test", "eval"].iter().any(|split| pair.name.starts_with(split)) {
            let result = format!("{}={}", pair.name, pair.value);
            let known = state.columns().contains(&result);
            results.push(result);
            if known {
                continue;
            }
        }
        out.add_unit(pair.name, pair.value, pair.unit);
    }
    state.set_columns(results.iter().map(String::as_str));
}

/// A bar of unknown length: `Epoch 0: |          | 5/? [01:27<00:00,  0.06it/s, v_num=0, train_loss=14.90]`.
fn endless(line: &str) -> Option<Progress<'_>> {
    let (head, inside) = line.split_once("/? [")?;
    let (title, done) = head.rsplit_once(['|', ' '])?;
    let (inside, rest) = inside.rsplit_once(']')?;
    let mut parts = inside.splitn(3, ',');
    parts.next().filter(|times| times.contains('<'))?;
    parts.next();
    Some(Progress {
        title: title.split('|').next().unwrap_or_default().trim().trim_end_matches(':').trim_end(),
        done: counter(done)? as f64,
        total: f64::NAN,
        postfix: parts.next().unwrap_or_default().trim(),
        rest: rest.trim(),
    })
}

fn place<'a>(bar: &Progress<'a>, state: &mut State, out: &mut Line<'a>) {
    let done = integer(bar.done);
    if let Some((epoch, epochs, rest)) = epoch_of(bar.title) {
        out.epoch = Some(epoch as f64);
        out.epochs_total = epochs.map(|epochs| epochs as f64);
        (out.batch, out.batches) = (done, integer(bar.total));
        out.context = rest.into();
        return;
    }
    out.context = bar.title.into();
    if state.count == 0 {
        state.count = 1;
        bar.title.clone_into(&mut state.context);
    }
    if state.context != bar.title {
        // a second bar, such as that of a validation, belongs to where the first one is
        return;
    }
    let again = done.zip(state.step).is_some_and(|(done, last)| done < last);
    let epoch = state.epoch.unwrap_or(0.0) + f64::from(u8::from(again));
    (state.epoch, state.step) = (Some(epoch), done);
    out.epoch = state.epoch;
    (out.batch, out.batches) = (done, integer(bar.total));
}

/// The epoch in a title, of how many, and the word that remains: `Train Epoch 3/10` is (3, 10, `Train`).
fn epoch_of(title: &str) -> Option<(Step, Option<Step>, &str)> {
    let at = title.find("poch")?.checked_sub(1)?;
    let (before, after) = (title.get(..at)?, title.get(at + 5..)?);
    let after = after.trim_start_matches(|c: char| matches!(c, ' ' | ':' | '[' | '=' | '#'));
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let epoch = counter(after.get(..end)?)?;
    let mut rest = after.get(end..)?;
    let mut epochs = None;
    if let Some(more) = rest.strip_prefix('/') {
        let end = more.find(|c: char| !c.is_ascii_digit()).unwrap_or(more.len());
        epochs = counter(more.get(..end)?);
        rest = more.get(end..)?;
    }
    let plain = |c: char| !c.is_alphanumeric();
    let (before, rest) = (before.trim_matches(plain), rest.trim_matches(plain));
    Some((epoch, epochs, if before.is_empty() { rest } else { before }))
}
