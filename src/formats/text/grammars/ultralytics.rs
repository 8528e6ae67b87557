//! The tables that `Ultralytics` and `YOLOv5` print while they train.

use super::{
    Grammar, Line, State,
    pairs::counter_of,
    scan::{quantity, value_of},
};

/// A header, then a row per epoch whose progress bar stands behind the last column; a second table holds the
/// validation's row of all classes:
///
/// ```text
///       Epoch    GPU_mem   box_loss  Instances       Size
///         1/3         0G      2.446         32         32: 100% ━━━━ 10/10
///                  Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100% ━━━━ 2/2
///                    all        128        929       0.64      0.537      0.605      0.446
/// ```
pub(super) struct Ultralytics;

/// What the columns that are remembered are of.
const TRAIN: u64 = 1;
const VALIDATION: u64 = 2;

impl Grammar for Ultralytics {
    fn name(&self) -> &'static str {
        "ultralytics"
    }

    fn summary(&self) -> &'static str {
        "Ultralytics, YOLOv5 tables `Epoch GPU_mem box_loss cls_loss Instances Size`, `1/3 0G 2.446 1.9 32 640: 100%`"
    }

    fn may(&self, line: &str) -> bool {
        match line.as_bytes().first() {
            Some(b'0'..=b'9') => line.contains("100%"),
            Some(b'a') => line.starts_with("all "),
            Some(b'E') => line.starts_with("Epoch "),
            Some(b'C' | b'c') => line.starts_with("Class ") || line.starts_with("classes "),
            Some(b'V') => line.starts_with("Validating "),
            _ => false,
        }
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        match line.as_bytes().first() {
            Some(b'E') => header(line, state),
            Some(b'V') => {
                // the best weights are evaluated once more: no result of the last epoch
                let mine = state.epoch.take().is_some();
                state.count = 0;
                mine
            }
            Some(b'C' | b'c') => validation_header(line, state),
            Some(b'a') => validation_row(line, state, out),
            _ => row(line, state, out),
        }
    }
}

fn header(line: &str, state: &mut State) -> bool {
    let mut names = line.split_ascii_whitespace().skip(1);
    if !names.next().is_some_and(|name| name.eq_ignore_ascii_case("gpu_mem")) {
        return false;
    }
    state.count = TRAIN;
    state.set_columns(line.split_ascii_whitespace());
    true
}

fn row<'a>(line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
    if state.count != TRAIN {
        return false;
    }
    let Some((cells, _)) = line.split_once(':') else { return false };
    let mut cells = cells.split_ascii_whitespace();
    let Some((epoch, epochs)) = cells.next().and_then(counter_of) else { return false };
    for (name, cell) in state.columns().iter().skip(1).zip(cells) {
        if let Some(found) = quantity(cell).filter(|found| found.rest.is_empty()) {
            out.add_unit(name.clone(), found.value, found.unit);
        }
    }
    out.epoch = Some(epoch as f64);
    out.epochs_total = Some(epochs as f64);
    state.epoch = out.epoch;
    !out.values.is_empty()
}

/// `Box(P R mAP50 mAP50-95)` names `Box(P)`, `Box(R)`, `Box(mAP50)`, `Box(mAP50-95)`.
fn validation_header(line: &str, state: &mut State) -> bool {
    if state.epoch.is_none() {
        return false;
    }
    let names = line.split_once("%").map_or(line, |(names, _)| names);
    let names = names.rsplit_once(": ").map_or(names, |(names, _)| names);
    let mut group = "";
    let mut columns = Vec::new();
    for name in names.split_ascii_whitespace().skip(1) {
        let (before, name) = name.split_once('(').unwrap_or((group, name));
        let last = name.ends_with(')');
        let name = name.trim_end_matches(')');
        columns.push(if before.is_empty() { name.to_owned() } else { format!("{before}({name})") });
        group = if last { "" } else { before };
    }
    state.count = VALIDATION;
    state.set_columns(columns.iter().map(String::as_str));
    true
}

fn validation_row<'a>(line: &'a str, state: &State, out: &mut Line<'a>) -> bool {
    let cells = line.split_ascii_whitespace().skip(1);
    if state.count != VALIDATION || state.epoch.is_none() {
        return false;
    }
    out.epoch = state.epoch;
    out.context = "val".into();
    for (name, cell) in state.columns().iter().zip(cells) {
        if let Some(value) = value_of(cell) {
            out.add(name.clone(), value);
        }
    }
    !out.values.is_empty()
}
