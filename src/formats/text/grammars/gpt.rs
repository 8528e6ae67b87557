//! The small trainers of GPT-2: `nanoGPT`, `modded-nanogpt`, `llm.c`.

use super::{
    Grammar, Line, State,
    pairs::{counter, counter_of, spaced_pairs, tight_pairs},
};

/// `iter 0: loss 10.9886, time 73891.14ms, mfu -100.00%`, `step 0: train loss 10.98, val loss 10.99`.
pub(super) struct NanoGpt;

impl Grammar for NanoGpt {
    fn name(&self) -> &'static str {
        "nanogpt"
    }

    fn summary(&self) -> &'static str {
        "nanoGPT `iter 0: loss 10.9886, time 73891.14ms, mfu -100.00%`, `step 0: train loss 10.98, val loss 10.99`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("iter ") || line.starts_with("step ")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((head, fields)) = line.split_once(": ") else { return false };
        let (anchor, first) =
            if head.starts_with("iter") { ("iter ", "loss ") } else { ("step ", "train loss ") };
        out.step = head.strip_prefix(anchor).and_then(counter);
        if out.step.is_none() || !fields.starts_with(first) {
            return false;
        }
        for pair in spaced_pairs(fields, ',') {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
        !out.values.is_empty()
    }
}

/// `step:125/1480 val_loss:4.5 train_time:231445ms step_avg:157.45ms`; `nanms` is NaN.
pub(super) struct ModdedNanoGpt;

impl Grammar for ModdedNanoGpt {
    fn name(&self) -> &'static str {
        "modded-nanogpt"
    }

    fn summary(&self) -> &'static str {
        "modded-nanogpt `step:125/1480 val_loss:4.5 train_time:231445ms step_avg:157.45ms`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("step:")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((counts, fields)) = line.strip_prefix("step:").and_then(|rest| rest.split_once(' ')) else {
            return false;
        };
        let Some((step, total)) = counter_of(counts) else { return false };
        (out.step, out.steps_total) = (Some(step), Some(total));
        for pair in tight_pairs(fields) {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
        !out.values.is_empty()
    }
}

/// `s:0 trl:11.0091 lr:0.000001 norm:15.37`, `s:0 tel:11.0092`, `s:250 eval:0.2456`.
pub(super) struct LlmC;

impl Grammar for LlmC {
    fn name(&self) -> &'static str {
        "llm.c"
    }

    fn summary(&self) -> &'static str {
        "llm.c `s:0 trl:11.0091 lr:0.000001 norm:15.37`, `s:0 tel:11.0092`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("s:")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((step, fields)) = line.strip_prefix("s:").and_then(|rest| rest.split_once(' ')) else {
            return false;
        };
        out.step = counter(step);
        for pair in tight_pairs(fields) {
            out.add(pair.name, pair.value);
        }
        out.step.is_some() && !out.values.is_empty()
    }
}
