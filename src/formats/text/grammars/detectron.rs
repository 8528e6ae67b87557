//! `Detectron2`'s text log.

use super::{
    Grammar, Line, State,
    pairs::{colon_pairs, counter},
    scan::value_of,
};

/// `eta: 0:01:02  iter: 19  total_loss: 0.1651  loss_cls: 0.06  time: 0.42  lr: 0.0004  max_mem: 9000M`, and the
/// results of an evaluation:
///
/// ```text
/// copypaste: Task: bbox
/// copypaste: AP,AP50,AP75,APs,APm,APl
/// copypaste: 25.1930,42.7338,26.5965,1.7945,10.7670,30.0910
/// ```
///
/// Results are named `bbox/AP`, as in `metrics.json`.
pub(super) struct Detectron;

impl Grammar for Detectron {
    fn name(&self) -> &'static str {
        "detectron2"
    }

    fn summary(&self) -> &'static str {
        "Detectron2 `eta: 0:01:02  iter: 19  total_loss: 0.1651  loss_cls: 0.06  lr: 0.0004  max_mem: 9000M`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with("eta: ") || line.starts_with("iter: ") || line.starts_with("copypaste: ")
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if let Some(rest) = line.strip_prefix("copypaste: ") {
            return results(rest, state, out);
        }
        let Some((_, rest)) = line.split_once("iter: ") else { return false };
        let Some((iteration, fields)) = rest.split_once(' ') else { return false };
        out.step = counter(iteration);
        if out.step.is_none() || !line.contains("lr: ") {
            return false;
        }
        for pair in colon_pairs(fields) {
            out.add_unit(pair.name, pair.value, pair.unit);
        }
        !out.values.is_empty()
    }
}

fn results<'a>(rest: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
    if let Some(task) = rest.strip_prefix("Task: ") {
        task.trim().clone_into(&mut state.context);
        state.set_columns([]);
        return true;
    }
    if state.columns().is_empty() {
        state.set_columns(rest.split(',').map(str::trim));
        return !state.context.is_empty();
    }
    for (name, value) in state.columns().iter().zip(rest.split(',')) {
        if let Some(value) = value_of(value.trim()) {
            out.add(format!("{}/{name}", state.context), value);
        }
    }
    state.set_columns([]);
    !out.values.is_empty()
}
