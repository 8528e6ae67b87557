//! The progress bar of `Keras`.

use super::{
    Grammar, Line, State,
    pairs::{counter_of, whole},
};

/// `Epoch 2/5`, then `22/22 ━━━━ 0s 5ms/step - accuracy: 0.80 - loss: 0.77 - val_loss: 0.88`.
///
/// Only the frame of a complete epoch holds its numbers: the ones before are running means. A complete bar without an
/// epoch before it is a call of `evaluate`.
pub(super) struct Keras;

impl Grammar for Keras {
    fn name(&self) -> &'static str {
        "keras"
    }

    fn summary(&self) -> &'static str {
        "Keras `Epoch 2/5`, `22/22 ━━━━ 0s 5ms/step - accuracy: 0.80 - loss: 0.77 - val_loss: 0.88`"
    }

    fn may(&self, line: &str) -> bool {
        match line.as_bytes().first() {
            Some(b'E') => line.starts_with("Epoch "),
            Some(byte) => byte.is_ascii_digit() && line.contains(" - "),
            None => false,
        }
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(counts) = line.strip_prefix("Epoch ") {
            // noted also where it is left to others: every second loop prints such a line
            note_epoch(counts, state);
            return false;
        }
        let Some((counts, _)) = line.split_once(' ') else { return false };
        let Some((done, total)) = counter_of(counts) else { return false };
        if !line.contains("/step") && !line.contains("/epoch") && !line.contains("s - ") {
            return false;
        }
        let pairs = line.split(" - ").filter_map(|part| {
            let (name, value) = part.split_once(": ")?;
            whole(name, value)
        });
        for pair in pairs {
            out.add(pair.name, pair.value);
        }
        if out.values.is_empty() {
            return false;
        }
        if done < total {
            out.values.clear();
            return true;
        }
        (out.epoch, out.epochs_total) = (state.epoch, state.epochs_total);
        if state.count == COMPLETE {
            out.context = "evaluate".into();
        } else if state.epoch.is_some() {
            state.count = COMPLETE;
        }
        true
    }
}

/// The epoch of the last header has had its numbers.
const COMPLETE: u64 = 1;

fn note_epoch(counts: &str, state: &mut State) {
    if let Some((epoch, total)) = counter_of(counts) {
        (state.epoch, state.epochs_total) = (Some(epoch as f64), Some(total as f64));
        state.count = 0;
    }
}
