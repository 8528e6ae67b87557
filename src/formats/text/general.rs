//! The general reader: accepts a shape of lines only after it has come several times with a step that grows.

use std::{borrow::Cow, mem};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    grammar::{Line, Value},
    pairs::{Found, pairs},
    sink::{Sink, shape},
};
use crate::{formats::Decoded, model::Step};

/// Lines of one shape that must have come before any is believed.
const LINES: usize = 3;
/// The same where the step is a bare number before a colon, which may as well be the number of a process.
const BARE_LINES: usize = 5;
/// The same for lines that do not say where they stand.
const PLACELESS_LINES: usize = 5;
/// Shapes that wait for more lines.
const WAITING: usize = 64;
/// Lines of one shape that wait; when it is still not believed it begins anew.
const KEPT: usize = 12;
/// Numbers of one line that are looked at.
const VALUES: usize = 256;
/// Shapes that are believed.
const BELIEVED: usize = 4096;

/// The general reader's memory in one file.
#[derive(Debug, Default)]
pub(super) struct General {
    waiting: FxHashMap<u64, Waiting>,
    believed: FxHashSet<u64>,
    last: Option<Place>,
}

/// What is known of a line besides its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// A bare number before a colon was cut off: [`super::prefix::Stripped::bare`].
    pub bare: bool,
    /// It was indented, as code and settings are.
    pub indented: bool,
}

/// Lines of a shape that is not believed yet.
#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<Row>,
    run: usize,
    last: Option<Place>,
}

/// One such line, the run that it was in, and where it stands if it does not say so itself.
#[derive(Debug)]
struct Row {
    run: String,
    line: Line<'static>,
    at: Option<Step>,
}

/// Where a line stands, for comparison: epoch, then step or batch. Kept as bits of what is printed.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
struct Place {
    epoch: Option<f64>,
    step: Option<Step>,
    batch: Option<Step>,
}

impl General {
    /// Reads a line; true when it is of a shape that is believed.
    pub fn read<'a>(
        &mut self,
        text: &'a str,
        look: Look,
        mut line: Line<'a>,
        sink: &mut Sink,
        out: &mut Decoded,
    ) -> bool {
        if !text.bytes().any(|b| b.is_ascii_digit()) && !text.contains("nan") && !text.contains("inf") {
            return false;
        }
        let found = pairs(text, &mut line);
        let bare_step = look.bare && !found.placed && line.rank.is_some();
        if bare_step {
            line.step = line.rank.map(Step::from);
            line.rank = None;
        }
        if look.indented && !found.placed {
            return false;
        }
        if line.values.is_empty()
            || line.values.len() > VALUES
            || !(plausible(&found) || (bare_step && found.known > 0))
        {
            return false;
        }
        let shape = shape(&line);
        let place = Place { step: line.step, epoch: line.epoch, batch: line.batch };
        let believed =
            self.believed.contains(&shape) || (!bare_step && self.at_first_sight(&found, &line, place));
        if believed {
            if self.believed.len() < BELIEVED {
                self.believed.insert(shape);
            }
            self.last = Some(place);
            sink.take(&line, None, out);
            return true;
        }
        let lines = match (bare_step, found.placed) {
            (true, _) => BARE_LINES,
            (_, true) => LINES,
            _ if self.last.is_some() => LINES,
            _ => PLACELESS_LINES,
        };
        self.wait(shape, lines, place, &line, sink, out)
    }

    /// In a log with numbers, a line that says where it stands and holds little but metrics needs no repetition.
    fn at_first_sight(&self, found: &Found, line: &Line<'_>, place: Place) -> bool {
        let clear =
            found.placed && found.known == line.values.len() && found.covered * 10 >= found.length * 6;
        let follows = |last: Place| match (last.step, place.step, last.epoch, place.epoch) {
            (Some(a), Some(b), ..) => b >= a,
            (_, _, Some(a), Some(b)) => b >= a,
            _ => false,
        };
        clear && self.last.is_some_and(follows)
    }

    fn wait(
        &mut self,
        shape: u64,
        lines: usize,
        place: Place,
        line: &Line<'_>,
        sink: &mut Sink,
        out: &mut Decoded,
    ) -> bool {
        if self.waiting.len() >= WAITING && !self.waiting.contains_key(&shape) {
            self.waiting.clear();
        }
        let waiting = self.waiting.entry(shape).or_default();
        if waiting.rows.last().is_some_and(|last| same(&last.line, line)) {
            return false;
        }
        let placed = place.step.is_some() || place.epoch.is_some() || place.batch.is_some();
        let grows = waiting.last.is_none_or(|last| place >= last);
        waiting.run = if grows || !placed { waiting.run + 1 } else { 1 };
        waiting.last = Some(place);
        let names_place = line.step.is_some() || line.batch.is_some();
        let at = if names_place { None } else { sink.place() };
        waiting.rows.push(Row { run: sink.run().to_owned(), line: owned(line), at });
        let moved = !placed || waiting.run > waiting.rows.len() || {
            let first = waiting.rows.get(waiting.rows.len() - waiting.run);
            first.is_none_or(|row| {
                (row.line.step, row.line.epoch, row.line.batch) != (place.step, place.epoch, place.batch)
            })
        };
        let restarts = placed && waiting.rows.len() >= 2 * LINES;
        if (waiting.run >= lines && moved) || (restarts && lines == LINES) {
            let rows = mem::take(&mut waiting.rows);
            self.waiting.remove(&shape);
            self.believed.insert(shape);
            self.last = Some(place);
            let now = sink.run().to_owned();
            for row in &rows {
                sink.enter(&row.run, out);
                sink.take_at(&row.line, row.at, out);
            }
            sink.enter(&now, out);
            return true;
        }
        if waiting.rows.len() >= KEPT {
            self.waiting.remove(&shape);
        }
        false
    }
}

/// Whether a line may be one of numbers at all: enough of it is names with numbers, and either it says where it stands or
/// the names are those of training.
fn plausible(found: &Found) -> bool {
    let share = found.covered * 10;
    if found.placed { share >= found.length * 4 } else { found.known > 0 && share >= found.length * 6 }
}

/// Several processes print the same line; it counts once.
fn same(a: &Line<'_>, b: &Line<'_>) -> bool {
    let bits = |line: &Line<'_>| -> Vec<u64> { line.values.iter().map(|v| v.value.to_bits()).collect() };
    (a.step, a.epoch, a.batch) == (b.step, b.epoch, b.batch) && bits(a) == bits(b)
}

fn owned(line: &Line<'_>) -> Line<'static> {
    let text = |t: &Cow<'_, str>| Cow::Owned(t.clone().into_owned());
    let value =
        |v: &Value<'_>| Value { tag: text(&v.tag), context: text(&v.context), value: v.value, unit: v.unit };
    Line {
        step: line.step,
        steps_total: line.steps_total,
        batch: line.batch,
        batches: line.batches,
        epoch: line.epoch,
        epochs_total: line.epochs_total,
        context: text(&line.context),
        wall: line.wall,
        rank: line.rank,
        values: line.values.iter().map(value).collect(),
        ..Line::default()
    }
}
