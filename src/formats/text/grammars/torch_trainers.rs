//! `torchtitan`'s metrics lines and `torchtune`'s log on disk.

use super::{
    Grammar, Line, State,
    pairs::{colon_pairs, counter, tight_pairs},
};

/// `step: 10  loss:  7.5  grad_norm: 1.2  memory: 40.1GiB(50.4%)  tps: 1,234  tflops: 300.10  mfu: 30.3%`.
///
/// The percentage of memory in parentheses is another way to say the same and is left out.
pub(super) struct TorchTitan;

impl Grammar for TorchTitan {
    fn name(&self) -> &'static str {
        "torchtitan"
    }

    fn summary(&self) -> &'static str {
        "torchtitan `step: 10  loss:  7.5  grad_norm: 1.2  memory: 40.1GiB(50.4%)  tps: 1,234  mfu: 30.3%`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("step: ") || line.starts_with("validate step: ") || line.starts_with("[titan] ")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some(rest) = line.find("step: ").and_then(|at| line.get(at..)) else { return false };
        let before = line.get(..line.len() - rest.len()).unwrap_or_default();
        let context = if before.ends_with("validate ") { "validate" } else { "" };
        if !rest.contains("loss:") || !rest.contains("memory:") {
            return false;
        }
        out.context = context.into();
        let Some((step, fields)) =
            rest.strip_prefix("step:").and_then(|rest| rest.trim_start().split_once(' '))
        else {
            return false;
        };
        out.step = counter(step);
        for pair in colon_pairs(fields) {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
        out.step.is_some() && !out.values.is_empty()
    }
}

/// `Step 5 | loss:2.01 lr:0.1 tokens_per_second_per_gpu:1234.5`.
pub(super) struct TorchTune;

impl Grammar for TorchTune {
    fn name(&self) -> &'static str {
        "torchtune"
    }

    fn summary(&self) -> &'static str {
        "torchtune `Step 5 | loss:2.01 lr:0.1 tokens_per_second_per_gpu:1234.5`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("Step ")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((step, fields)) = line.strip_prefix("Step ").and_then(|rest| rest.split_once(" | ")) else {
            return false;
        };
        out.step = counter(step);
        for pair in tight_pairs(fields) {
            out.add(pair.name, pair.value);
        }
        out.step.is_some() && !out.values.is_empty()
    }
}
