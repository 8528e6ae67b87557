//! What a grammar is, what it reads a line into, and what it may remember.

use std::borrow::Cow;

use crate::model::{EndStatus, HyperValue, Step};

/// Header columns and pending values that a grammar may remember; further ones are left out.
const STATE_LIMIT: usize = 1024;
/// Longest name that a grammar may remember, in bytes.
const NAME_LIMIT: usize = 256;

/// Numbers that most lines have at most.
const USUAL_VALUES: usize = 12;

/// One framework's way of printing numbers.
///
/// Grammars are asked in the order of [`super::grammars::GRAMMARS`]; one that has read several lines of a file is
/// asked first. A line that no grammar reads goes to the general reader.
pub(super) trait Grammar: Sync {
    /// Short name, lower case: `megatron`. It is shown as the run's framework unless [`Line::framework`] says more.
    fn name(&self) -> &'static str;

    /// One line for the documentation: who writes such lines, and what one looks like.
    fn summary(&self) -> &'static str;

    /// Cheap test on a line whether [`Self::read`] is worth it; called for every line of every text log.
    fn may(&self, line: &str) -> bool;

    /// Reads a cleaned line into `out`; false: not mine. `state` is this grammar's memory in this file.
    ///
    /// A cleaned line has no control characters, no colours, none of the prefixes that launchers and logging set
    /// before it, and no blanks at either end. It may be a whole progress frame with a log line behind it. It is never
    /// empty. A line that belongs to a table which is not complete yet is `true` with nothing in `out`. After `false`,
    /// what is in `out` is thrown away; `state` should be as before.
    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool;
}

/// One number of a line.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Value<'a> {
    /// The writer's name, unchanged but for blanks at its ends.
    pub tag: Cow<'a, str>,
    /// What it is of where the line holds several (`train`, `val`); empty: what [`Line::context`] says.
    pub context: Cow<'a, str>,
    /// The number as it is printed. NaN and the infinities are data.
    pub value: f64,
    /// The unit as it is printed (`ms`, `s`, `K`, `GiB`), or empty. Later numbers of the series are brought to the
    /// unit of the first one: `862ms` and then `4.6s`. [`super::scan::quantity`] gives it.
    pub unit: &'static str,
}

/// What a line says besides numbers.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Note<'a> {
    /// Something is wrong, and the log says so itself.
    Alert {
        /// A stable short name: `nan-iterations`, `loss-scale-overflow`.
        rule: &'static str,
        /// `info`, `warning` or `critical`.
        severity: &'static str,
        /// What the log says.
        message: Cow<'a, str>,
    },
}

/// What is read from one line. The engine sets `wall`, `rank` and `prefix` before a grammar sees it.
///
/// The engine decides at which step the numbers stand: `step`; else `batch` behind the epochs before it; else, in a
/// file that has shown no step so far, a whole `epoch`; else, in a file without either, the number of lines of that
/// shape. A line without step in a file with steps belongs to the last step.
#[derive(Clone, Default, Debug)]
pub(super) struct Line<'a> {
    /// The trainer's counter.
    pub step: Option<Step>,
    /// Planned steps.
    pub steps_total: Option<Step>,
    /// A counter that begins anew in every epoch; `epoch` must be set as well. Where the epochs begin with 0 or 1 is
    /// found out by the engine.
    pub batch: Option<Step>,
    /// How many of those there are in an epoch.
    pub batches: Option<Step>,
    /// The epoch, which may be a fraction. To draw it as a curve too, [`Self::add`] it.
    pub epoch: Option<f64>,
    /// Planned epochs.
    pub epochs_total: Option<f64>,
    /// What all numbers of the line are of (`train`, `val`) where the line says it outside of the names; empty for
    /// most.
    pub context: Cow<'a, str>,
    /// Seconds since 1970, where the line begins with a date and a time.
    pub wall: Option<f64>,
    /// Which process printed it, where a launcher says so: `[rank1]:`, `(RayTrainWorker pid=7)`, `1: `.
    pub rank: Option<u32>,
    /// What was cut off before the line: time stamp, level, logger, rank.
    pub prefix: &'a str,
    /// The numbers, in the order of printing.
    pub values: Vec<Value<'a>>,
    /// Events and alerts.
    pub notes: Vec<Note<'a>>,
    /// Settings of the run.
    pub settings: Vec<(Cow<'a, str>, HyperValue)>,
    /// The lines from this one on are of another run of the file, of that name: a launcher that runs one job after
    /// another in one process.
    pub run: Option<Cow<'a, str>>,
    /// Framework with its version, where the line says it.
    pub framework: Option<Cow<'a, str>>,
    /// The line says for certain that the run has ended.
    pub end: Option<EndStatus>,
}

impl<'a> Line<'a> {
    /// A number.
    pub fn add(&mut self, tag: impl Into<Cow<'a, str>>, value: f64) {
        self.add_unit(tag, value, "");
    }

    /// A number with the unit as it is printed.
    pub fn add_unit(&mut self, tag: impl Into<Cow<'a, str>>, value: f64, unit: &'static str) {
        if self.values.capacity() == 0 {
            self.values.reserve(USUAL_VALUES);
        }
        self.values.push(Value { tag: tag.into(), context: Cow::Borrowed(""), value, unit });
    }

    /// True when a grammar put nothing in.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.notes.is_empty()
            && self.settings.is_empty()
            && self.framework.is_none()
            && self.end.is_none()
            && self.steps_total.is_none()
            && self.epochs_total.is_none()
            && self.run.is_none()
    }
}

/// A grammar's memory in one file. Each grammar has its own; the names say what the fields are usually for.
#[derive(Clone, Default, Debug)]
pub(super) struct State {
    /// The current epoch, from a line of its own: `Epoch 2/5`.
    pub epoch: Option<f64>,
    /// Planned epochs.
    pub epochs_total: Option<f64>,
    /// The last step.
    pub step: Option<Step>,
    /// Steps in an epoch.
    pub batches: Option<Step>,
    /// What the lines that follow are of: `val`, or the group of a table.
    pub context: String,
    /// Lines of a certain kind so far; whether a table is open; whatever a small number can say.
    pub count: u64,
    columns: Vec<String>,
    pending: Vec<(String, f64)>,
}

impl State {
    /// Names of columns that hold for the rows that follow, from a header.
    pub fn set_columns<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.columns.clear();
        self.columns.extend(names.into_iter().take(STATE_LIMIT).map(|name| shortened(name).to_owned()));
    }

    /// Those names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Keeps a number until its table is complete.
    pub fn hold(&mut self, tag: &str, value: f64) {
        if self.pending.len() < STATE_LIMIT {
            self.pending.push((shortened(tag).to_owned(), value));
        }
    }

    /// Whether numbers are kept.
    pub fn holds(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Gives the kept numbers to a line and forgets them.
    pub fn release(&mut self, out: &mut Line<'_>) {
        for (tag, value) in self.pending.drain(..) {
            out.add(tag, value);
        }
    }

    /// Forgets the kept numbers.
    pub fn drop_held(&mut self) {
        self.pending.clear();
    }
}

/// A name cut to what may be remembered, never in the middle of a character.
fn shortened(name: &str) -> &str {
    let mut end = name.len().min(NAME_LIMIT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}
