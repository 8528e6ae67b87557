//! How the run's main training loss is doing, for rules that speak only where training is in trouble.
//!
//! Layers and matrices are judged at their own steps, while scalars of a batch may already reach further. So what the
//! loss said waits, and is taken up to the step that is being judged: the answer does not depend on how much came at
//! once.

use std::collections::VecDeque;

use crate::model::{Column, SeriesKey, Step};

use super::{
    journal::{Bin, Journal},
    running,
    tags::{self, Role, Split, TagClass},
};

/// Points that may wait for a layer's record while there are layers at all.
const WAITING: usize = 4096;
/// Points before anything is concluded.
const POINTS: u64 = 10;
/// Points from which the first one alone may be noise.
const MANY: u64 = 64;
/// Share of its start by which a loss that learns has fallen.
pub const LEARNT: f64 = 0.1;
/// Relative distance to ln C that counts as guessing.
const CHANCE: f64 = 0.03;
/// Share of the best by which a loss stands above it that goes up again.
const RISEN: f64 = 0.25;

/// The plainest training loss of a run, up to the step that is being judged.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Progress {
    /// The series, and how plain its name is; less is plainer.
    main: Option<(u8, SeriesKey)>,
    journal: Journal,
    waiting: VecDeque<(Step, f64)>,
    asked: bool,
    classes: Option<usize>,
}

/// What the loss says at a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outlook {
    /// Its level at the start.
    pub start: f64,
    /// Its best.
    pub best: f64,
    /// Its level now.
    pub now: f64,
    /// Share of the start by which it has fallen; may be negative.
    pub gained: f64,
    /// It has not fallen, or stands at the level of guessing.
    pub stuck: bool,
    /// It stands clearly above its best.
    pub rising: bool,
}

impl Outlook {
    /// Training is not doing what it should.
    pub fn trouble(&self) -> bool {
        self.stuck || self.rising
    }
}

impl Progress {
    /// A series has appeared: it speaks for the run if its name is plainer than that of the one that did.
    pub fn meet(&mut self, key: &SeriesKey, class: &TagClass) {
        let Some(rank) = rank(class) else { return };
        let candidate = (rank, key.clone());
        if self.main.as_ref().is_none_or(|main| candidate < *main) {
            *self =
                Self { main: Some(candidate), asked: self.asked, classes: self.classes, ..Self::default() };
        }
    }

    /// A turn at a file begins or ends: what nobody asked for has waited long enough, and a large turn must not leave its
    /// room behind.
    pub fn turn(&mut self) {
        let kept = if self.asked { WAITING } else { 0 };
        while self.waiting.len() > kept {
            self.take();
        }
        let room = self.waiting.len().max(64);
        if self.waiting.capacity() > 4 * room {
            self.waiting.shrink_to(room);
        }
    }

    /// Points of a series; those of others than the main loss are passed over.
    pub fn points(&mut self, column: &Column) {
        if self.main.as_ref().is_some_and(|(_, key)| *key == column.key) {
            self.waiting.extend(column.points.iter().map(|p| (p.step, p.value)));
        }
    }

    /// Something is judged that knows the loss before `step`.
    pub fn reach(&mut self, step: Step) {
        self.asked = true;
        while self.waiting.front().is_some_and(|(at, _)| *at < step) {
            self.take();
        }
    }

    fn take(&mut self) {
        let Some((step, value)) = self.waiting.pop_front() else { return };
        if !value.is_finite() {
            return;
        }
        if self.journal.last_step().is_some_and(|last| step <= last) {
            self.journal.rewind(step);
        }
        self.journal.push(step, value, 1);
    }

    /// How many classes there are, from records in their order.
    pub fn classes(&mut self, classes: usize) {
        self.classes = Some(classes);
    }

    /// The file is read anew.
    pub fn forget(&mut self, key: &SeriesKey) {
        if self.main.as_ref().is_some_and(|(_, main)| main == key) {
            self.journal = Journal::new();
            self.waiting.clear();
        }
    }

    /// Its level: the median of the last five bins or fewer.
    pub fn level(&self) -> Option<f64> {
        let bins = self.journal.bins();
        let last: Vec<f64> = bins[bins.len().saturating_sub(5)..].iter().map(Bin::mean).collect();
        running::median_of(&last)
    }

    /// What is known of it; `None` while that is too little.
    pub fn outlook(&self) -> Option<Outlook> {
        if self.journal.points() < POINTS {
            return None;
        }
        let means: Vec<f64> = self.journal.bins().iter().map(Bin::mean).collect();
        // Of few points the median of eight would be what was learnt already.
        let start = self.journal.start()?;
        let start = if self.journal.points() < MANY { start.max(*means.first()?) } else { start };
        let now = running::median_of(&means[means.len().saturating_sub(5)..])?;
        let best = means.iter().copied().fold(f64::INFINITY, f64::min);
        // Values that cross zero have no share of themselves: there the noise is the unit.
        let positive = start > 0.0 && best > 0.0;
        let sigma = running::noise(&means[means.len().saturating_sub(31)..]);
        let unit = if positive { start } else { (10.0 * sigma).max((start - best).abs()) };
        let gained = if unit > 0.0 { (start - now) / unit } else { 0.0 };
        let chance = self.classes.filter(|c| *c >= 2).map(|c| (c as f64).ln());
        let guessing = chance.is_some_and(|chance| (now - chance).abs() < CHANCE * chance);
        let above = if positive { best } else { (start - best).abs() };
        let rising = now - best >= (RISEN * above).max(5.0 * sigma);
        let stuck = gained < LEARNT || start - now < 2.0 * sigma || guessing;
        Some(Outlook { start, best, now, gained, stuck, rising })
    }
}

/// How plain a training loss is; `None` for everything else.
fn rank(class: &TagClass) -> Option<u8> {
    if class.role != Role::Loss {
        return None;
    }
    let split = match class.split {
        Split::Train => 0,
        Split::Unknown => 1,
        _ => return None,
    };
    Some(split + if tags::is_whole(&class.stem) { 0 } else { 2 })
}
