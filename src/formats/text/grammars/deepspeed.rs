//! What `DeepSpeed` itself prints every `steps_per_print` steps.

use super::{
    Grammar, Line, State,
    pairs::{colon_pairs, counter, equals_pairs},
    scan::value_of,
};

/// Step, timer and pipeline lines.
pub(super) struct DeepSpeed;

impl Grammar for DeepSpeed {
    fn name(&self) -> &'static str {
        "deepspeed"
    }

    fn summary(&self) -> &'static str {
        "DeepSpeed `step=10, skipped=0, lr=[0.0001], mom=[(0.9, 0.999)]`, `…/global_step=10, RunningAvgSamplesPerSec=25`"
    }

    fn may(&self, line: &str) -> bool {
        line.contains("skipped=") || line.contains("SamplesPerSec=") || line.starts_with("steps: ")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(rest) = line.strip_prefix("steps: ") {
            return pipeline(rest, out);
        }
        let anchor = if line.contains("SamplesPerSec=") { "global_step=" } else { "step=" };
        if let Some((_, rest)) = line.split_once(anchor)
            && let Some((step, fields)) = rest.split_once(", ")
        {
            out.step = counter(step);
            read_fields(fields, out);
        } else if let Some((head, fields)) = line.split_once(", SamplesPerSec=")
            && let Some((_, step)) = head.rsplit_once('/')
        {
            // before 0.5: `0/20, SamplesPerSec=7.6`
            out.step = counter(step);
            let value = fields.split_once(',').map_or(fields, |(value, _)| value);
            if let Some(value) = value_of(value.trim()) {
                out.add("SamplesPerSec", value);
            }
        }
        out.step.is_some() && !out.values.is_empty()
    }
}

/// Numbers, and learning rates of the parameter groups; momenta and betas are settings.
fn read_fields<'a>(fields: &'a str, out: &mut Line<'a>) {
    let (before, rates, after) = match fields.split_once("lr=[") {
        Some((before, rest)) => {
            let (rates, after) = rest.split_once(']').unwrap_or((rest, ""));
            (before, rates, after)
        }
        None => (fields, "", ""),
    };
    let after = after.split_once("mom=").map_or(after, |(before, _)| before);
    for text in [before, after] {
        for pair in equals_pairs(text.trim_matches([',', ' '])) {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
    }
    let groups = rates.split(',').count();
    for (group, rate) in rates.split(',').enumerate() {
        match value_of(rate.trim()) {
            Some(rate) if groups == 1 => out.add("lr", rate),
            Some(rate) => out.add(format!("lr[{group}]"), rate),
            None => {}
        }
    }
}

/// `steps: 10 loss: 10.8 iter time (s): 0.5 samples/sec: 123.4`.
fn pipeline<'a>(rest: &'a str, out: &mut Line<'a>) -> bool {
    let Some((step, fields)) = rest.split_once(' ') else { return false };
    out.step = counter(step);
    let Some((loss, fields)) = fields.split_once("iter time (s): ") else { return false };
    let Some((time, speed)) = fields.split_once(" samples/sec: ") else { return false };
    for pair in colon_pairs(loss) {
        out.add(pair.name, pair.value);
    }
    for (name, text) in [("iter time (s)", time), ("samples/sec", speed)] {
        if let Some(value) = value_of(text.trim()) {
            out.add(name, value);
        }
    }
    out.step.is_some() && !out.values.is_empty()
}
