//! From read lines to points and records: the step, what is said of the run, and how long diagnoses wait.

use std::{hash::Hasher, sync::Arc};

use rustc_hash::FxHasher;

use super::{
    grammar::{Line, Note},
    series::{AllSeries, Named},
    steps::Steps,
};
use crate::{
    formats::Decoded,
    model::{EndStatus, HyperValue, LoggedAlert, Record, RunInfo, Step, WallTime},
};

/// Alerts of one rule that a file may raise; further ones are counted.
const ALERTS_OF_A_RULE: usize = 20;
/// Records that wait for the first point.
const WAITING: usize = 256;
/// Bytes of a message that are kept.
const MESSAGE: usize = 500;
/// The kind of the event that says that lines follow after a failure, which takes the failure back.
const RESUMED: &str = "resumed";

/// Where lines go.
///
/// Nothing of a file is said before its first point, so that a quiet log makes no run; unless it `speaks` by its name:
/// the output of a job that failed before its first step is worth showing.
#[derive(Debug, Default)]
pub(super) struct Sink {
    series: AllSeries,
    steps: Steps,
    info: RunInfo,
    run: String,
    speaks: bool,
    waiting: Vec<Record>,
    raised: Vec<(&'static str, usize)>,
    failed: bool,
}

impl Sink {
    /// For a file that `speaks` before its first point, or does not.
    pub fn new(speaks: bool) -> Self {
        Self { speaks, ..Self::default() }
    }

    /// The sink's columns begin anew.
    pub fn begin_turn(&mut self, out: &mut Decoded) {
        self.series.begin_turn();
        if !self.run.is_empty() {
            out.in_run(&self.run);
        }
    }

    /// The name of the current run within the file.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where a line stands that does not say so itself, if that is known already.
    pub fn place(&self) -> Option<Step> {
        self.steps.place()
    }

    /// Directs what follows to another run of the file.
    pub fn enter(&mut self, run: &str, out: &mut Decoded) {
        if run == self.run {
            return;
        }
        run.clone_into(&mut self.run);
        out.in_run(run);
        self.series = AllSeries::default();
        self.series.begin_turn();
        self.steps = Steps::default();
        self.info = RunInfo::default();
        self.failed = false;
    }

    /// A line that waited, with its place if that was known when it was read.
    pub fn take_at(&mut self, line: &Line<'_>, at: Option<Step>, out: &mut Decoded) {
        match at {
            Some(step) => self.points(line, step, out),
            None => self.take(line, None, out),
        }
    }

    /// Everything that a line says.
    pub fn take(&mut self, line: &Line<'_>, framework: Option<&'static str>, out: &mut Decoded) {
        if let Some(run) = &line.run {
            self.enter(run, out);
        }
        if !line.values.is_empty() {
            let step = self.steps.step(line, shape(line));
            self.points(line, step, out);
        }
        self.facts(line, framework, out);
        if !line.settings.is_empty() {
            let own =
                |(name, value): &(std::borrow::Cow<'_, str>, HyperValue)| (Arc::from(&**name), value.clone());
            self.say(Record::Hyperparameters(line.settings.iter().map(own).collect()), out);
        }
        for note in &line.notes {
            self.note(note, line.wall, out);
        }
        if let Some(end) = line.end {
            self.end(end, out);
        }
    }

    fn points(&mut self, line: &Line<'_>, step: Step, out: &mut Decoded) {
        if self.failed {
            self.failed = false;
            let value = Arc::from("lines follow after the failure");
            let wall = WallTime(line.wall.unwrap_or(f64::NAN));
            self.say(Record::Event { step: Some(step), wall, kind: RESUMED.into(), value }, out);
        }
        let wall = line.wall.unwrap_or(f64::NAN);
        self.series.begin_line();
        for value in &line.values {
            let context = if value.context.is_empty() { &line.context } else { &value.context };
            let name = Named { context, tag: &value.tag, unit: value.unit, rank: line.rank };
            if let Err(oddity) = self.series.add(name, step, wall, value.value, out) {
                out.oddity(oddity);
            }
        }
        self.speaks = true;
        for record in self.waiting.drain(..) {
            out.record(record);
        }
    }

    /// Totals and the framework, when they are new.
    fn facts(&mut self, line: &Line<'_>, framework: Option<&'static str>, out: &mut Decoded) {
        let known = &self.info;
        let mut info = RunInfo::default();
        let mut news = false;
        let says_epoch = line.epoch.is_some();
        if let Some(total) = line.steps_total.filter(|t| !says_epoch && known.steps_total != Some(*t)) {
            info.steps_total = Some(total);
            news = true;
        }
        if let Some(total) = line.epochs_total.filter(|t| known.epochs_total != Some(*t)) {
            info.epochs_total = Some(total);
            news = true;
        }
        if let Some(length) = line.batches.map(|n| n as f64).filter(|n| known.steps_per_epoch != Some(*n)) {
            // an evaluation has another length
            if line.batch.is_some() && known.steps_per_epoch.is_none() {
                info.steps_per_epoch = Some(length);
                news = true;
            }
        }
        let named = line.framework.as_deref().or(framework.filter(|_| known.framework.is_none()));
        if let Some(named) = named.filter(|n| known.framework.as_deref() != Some(n)) {
            info.framework = Some(named.into());
            news = true;
        }
        if news {
            self.info = RunInfo {
                steps_total: info.steps_total.or(self.info.steps_total),
                epochs_total: info.epochs_total.or(self.info.epochs_total),
                steps_per_epoch: info.steps_per_epoch.or(self.info.steps_per_epoch),
                framework: info.framework.clone().or(self.info.framework.take()),
                ..RunInfo::default()
            };
            self.say(Record::Info(Box::new(info)), out);
        }
    }

    /// An event or an alert.
    pub fn note(&mut self, note: &Note<'_>, wall: Option<f64>, out: &mut Decoded) {
        let (step, wall) = (self.steps.last(), WallTime(wall.unwrap_or(f64::NAN)));
        match note {
            Note::Event { kind, text } => {
                let value = shortened(text).into();
                self.say(Record::Event { step, wall, kind: (*kind).into(), value }, out);
            }
            Note::Alert { rule, severity, message } => {
                let raised = match self.raised.iter_mut().find(|(known, _)| known == rule) {
                    Some((_, raised)) => raised,
                    None => {
                        self.raised.push((rule, 0));
                        match self.raised.last_mut() {
                            Some((_, raised)) => raised,
                            None => return,
                        }
                    }
                };
                *raised += 1;
                if *raised > ALERTS_OF_A_RULE {
                    out.oddity(rule);
                    return;
                }
                let alert = LoggedAlert {
                    step,
                    wall,
                    rule: (*rule).into(),
                    severity: (*severity).into(),
                    place: Arc::from(""),
                    message: shortened(message).into(),
                };
                self.say(Record::LoggedAlert(alert), out);
            }
        }
    }

    /// The log says that the run has ended. A failure is taken back when points follow.
    pub fn end(&mut self, status: EndStatus, out: &mut Decoded) {
        let failed = status == EndStatus::Failed;
        if failed && self.failed {
            return;
        }
        self.failed = failed;
        self.say(Record::End(status), out);
    }

    fn say(&mut self, record: Record, out: &mut Decoded) {
        if self.speaks {
            out.record(record);
        } else if self.waiting.len() < WAITING {
            self.waiting.push(record);
        } else {
            out.oddity("said before the first number");
        }
    }
}

/// A number that lines with the same names share.
pub(super) fn shape(line: &Line<'_>) -> u64 {
    let mut hash = FxHasher::default();
    hash.write(line.context.as_bytes());
    for value in &line.values {
        hash.write(value.context.as_bytes());
        hash.write(value.tag.as_bytes());
        hash.write_u8(0xff);
    }
    hash.write_u8(
        u8::from(line.step.is_some())
            | u8::from(line.epoch.is_some()) << 1
            | u8::from(line.batch.is_some()) << 2,
    );
    hash.finish()
}

/// A message cut to what is kept, never in the middle of a character.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
