//! The table that `fastai` prints.

use super::{Grammar, Line, State, pairs::counter, scan::value_of};

/// `epoch     train_loss  valid_loss  accuracy  time`, then a row per epoch: `0  0.354821  0.375355  0.825871  00:02`.
pub(super) struct FastAi;

impl Grammar for FastAi {
    fn name(&self) -> &'static str {
        "fastai"
    }

    fn summary(&self) -> &'static str {
        "fastai tables `epoch  train_loss  valid_loss  accuracy  time`, `0  0.354  0.375  0.825  00:02`"
    }

    fn may(&self, line: &str) -> bool {
        line.as_bytes().first().is_some_and(u8::is_ascii_digit) || line.starts_with("epoch ")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if line.starts_with("epoch ") {
            let names = || line.split_ascii_whitespace();
            let mine = names().nth(1) == Some("train_loss") && names().next_back() == Some("time");
            if mine {
                state.set_columns(names());
            }
            return mine;
        }
        if state.columns().is_empty() || line.split_ascii_whitespace().count() != state.columns().len() {
            return false;
        }
        let mut cells = line.split_ascii_whitespace();
        let Some(epoch) = cells.next().and_then(counter) else { return false };
        if !line.rsplit(' ').next().is_some_and(|time| time.contains(':')) {
            return false;
        }
        out.epoch = Some(epoch as f64);
        for (name, cell) in state.columns().iter().skip(1).zip(cells) {
            if let Some(value) = value_of(cell) {
                out.add(name.clone(), value);
            }
        }
        !out.values.is_empty()
    }
}
