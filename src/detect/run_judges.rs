//! All judges of one run: hands each point to those whose subject it is.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use crate::{
    model::{Batch, Column, FileId, Goal, Health, LayerRecord, Point, Record, SeriesKey, Step, WallTime},
    store::{Change, Run},
};

use super::{
    Surroundings,
    case::Desk,
    derived::DerivedAlerts,
    group_subject::{self, GroupSubject},
    journal::Journal,
    other_subjects::OtherSubjects,
    pair_subject::{PairSubject, Release, comparable},
    subject::Subject,
    tags::{self, Known, Role, Split, Words},
};

/// Validation points that may wait for their training series; beyond that the oldest is judged without.
const WAITING: usize = 4096;
/// Seconds after which a validation point is judged although training has not passed its step.
const WAIT_S: f64 = 30.0;
/// Rules on the level of a loss, which means nothing in a GAN or an actor-critic.
const LEVEL_RULES: &[&str] = &[
    "divergence",
    "not_learning",
    "loss_spike",
    "plateau",
    "oscillation",
    "resume",
    "gradient_surge",
    "exploding_gradient",
    "poor_initialisation",
];
/// Validation metrics that are followed to tell over-confidence from overfitting.
const METRICS_FOLLOWED: usize = 4;

/// The judges of one run.
#[derive(Debug, Default)]
pub(super) struct RunJudges {
    around: Surroundings,
    /// `None`: no rule judges it.
    subjects: FxHashMap<SeriesKey, Option<Box<Subject>>>,
    pairs: BTreeMap<SeriesKey, PairSubject>,
    metrics: BTreeMap<SeriesKey, Journal>,
    others: OtherSubjects,
    groups: Option<Vec<GroupSubject>>,
    derived: DerivedAlerts,
}

impl RunJudges {
    /// Takes what a turn at a file brought. See [`super::Detectors::observe`].
    pub fn observe(
        &mut self,
        batch: &Batch,
        layers: &[LayerRecord],
        changes: &[Change],
        run: &Run,
        desk: &mut Desk<'_>,
    ) {
        if batch.reset {
            self.forget(batch.origin.file);
        }
        self.around.progress.turn();
        self.facts(batch, run);
        let mut appeared = self.switch(changes, run, desk);
        for column in &batch.columns {
            appeared |= self.meet(column, run, &batch.origin.order, batch.origin.file);
        }
        if appeared {
            self.pair_up();
        }
        for column in &batch.columns {
            self.inform(column);
        }
        self.rewound_elsewhere(batch, changes, desk);
        // Validation first: its points wait until training has passed them, whatever came first in the file.
        let (vals, others): (Vec<_>, Vec<_>) =
            batch.columns.iter().partition(|column| self.pairs.contains_key(&column.key));
        for column in vals {
            self.feed(column, &batch.origin.order, desk);
            self.queue(column, desk);
        }
        for column in others {
            self.feed(column, &batch.origin.order, desk);
        }
        self.retell(desk);
        for group in self.groups.iter_mut().flatten() {
            for column in &batch.columns {
                group.feed(column, &self.around, desk);
            }
        }
        self.records(batch, layers, run, desk);
        self.around.progress.turn();
        self.derived.look(&self.around, desk);
    }

    /// Layers and matrices, those that were logged as scalars beside those of the same step.
    fn records(&mut self, batch: &Batch, layers: &[LayerRecord], run: &Run, desk: &mut Desk<'_>) {
        let mut scalars = layers.iter().peekable();
        for record in &batch.records {
            let step = match record {
                Record::Layer(r) => r.step,
                Record::Histogram(r) => r.step,
                Record::Confusion(r) => {
                    self.around.progress.classes(r.matrix.classes());
                    r.step
                }
                Record::Classes { names, .. } => {
                    self.around.progress.classes(names.len());
                    continue;
                }
                _ => continue,
            };
            while let Some(scalar) = scalars.next_if(|scalar| scalar.step <= step) {
                self.scalar_layer(scalar, desk);
            }
            self.around.progress.reach(step);
            self.others.record(record, run, &self.around, desk);
        }
        for scalar in scalars {
            self.scalar_layer(scalar, desk);
        }
    }

    fn scalar_layer(&mut self, record: &LayerRecord, desk: &mut Desk<'_>) {
        self.around.progress.reach(record.step);
        self.others.scalar_layer(record, &self.around, desk);
    }

    /// The file is read anew: what was said of it is doubtful until it is said again.
    fn forget(&mut self, file: FileId) {
        for (key, subject) in &mut self.subjects {
            if let Some(subject) = subject.as_mut().filter(|s| s.file == file) {
                subject.restart();
                if let Some(pair) = self.pairs.get_mut(key) {
                    pair.restart();
                }
                for group in self.groups.iter_mut().flatten() {
                    group.restart(key);
                }
                self.metrics.remove(key);
                self.around.progress.forget(key);
            }
        }
        self.others.doubt();
    }

    /// Series that are another file's from now on: what was said of them is withdrawn. Where the other file was read
    /// before, all of it is told anew from the store when there is time. True if pairs may change.
    fn switch(&mut self, changes: &[Change], run: &Run, desk: &mut Desk<'_>) -> bool {
        let mut any = false;
        for change in changes {
            let Change::Switched { key, .. } = change else { continue };
            any = true;
            if let Some(Some(mut subject)) = self.subjects.remove(key) {
                subject.restart();
                subject.confirm(desk);
            }
            if let Some(mut pair) = self.pairs.remove(key) {
                pair.restart();
                pair.judged.iter_mut().for_each(|(_, case)| case.settle(desk));
            }
            self.metrics.remove(key);
            self.around.progress.forget(key);
            for group in self.groups.iter_mut().flatten() {
                group.restart(key);
                group.settle(desk);
            }
            for pair in self.pairs.values_mut().filter(|pair| pair.train.as_ref() == Some(key)) {
                pair.anew = true;
            }
            let Some(series) = run.series_of(key) else { continue };
            let (Some(last), Some(first)) = (series.segments().last(), series.summary().first) else {
                continue;
            };
            let column = Column { key: key.clone(), points: vec![first] };
            self.meet(&column, run, &last.place.order, last.file());
            if let Some(Some(subject)) = self.subjects.get_mut(key) {
                subject.disordered = true;
            }
        }
        any
    }

    /// What the log says of the run as a whole.
    fn facts(&mut self, batch: &Batch, run: &Run) {
        self.around.steps_total = run.steps_total();
        for record in &batch.records {
            match record {
                Record::Classes { names, .. } if names.len() >= 2 => self.around.classes = Some(names.len()),
                Record::Confusion(confusion) => self.around.classes = Some(confusion.matrix.classes()),
                _ => {}
            }
        }
    }

    /// Makes the subject of a series that is new. True if pairs may change.
    fn meet(&mut self, column: &Column, run: &Run, order: &Arc<str>, file: FileId) -> bool {
        if self.subjects.contains_key(&column.key) {
            return false;
        }
        let class = tags::class_of(&column.key, run);
        if class.role == Role::Ignored {
            self.subjects.insert(column.key.clone(), None);
            return false;
        }
        let starts_with_nan = column.points.first().filter(|p| p.value.is_nan()).map(|p| p.step);
        let could_be_missing =
            matches!(class.role, Role::Loss | Role::Metric | Role::LearningRate | Role::Unknown);
        if let Some(step) = starts_with_nan.filter(|_| could_be_missing) {
            let known = self.around.nan_for_missing.unwrap_or(step);
            self.around.nan_for_missing = Some(known.min(step));
        }
        if class.role == Role::UnstableLoss && !self.around.moving_target {
            self.around.moving_target = true;
            self.withdraw(LEVEL_RULES);
            for pair in self.pairs.values_mut() {
                pair.anew = true;
            }
        }
        let of_training = class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown);
        self.around.training_loss |= of_training;
        self.around.whole_loss |= of_training && tags::is_whole(&class.stem);
        let is_val_metric =
            class.role == Role::Metric && class.goal == Some(Goal::Max) && class.split == Split::Val;
        if is_val_metric && self.metrics.len() < METRICS_FOLLOWED {
            self.metrics.insert(column.key.clone(), Journal::new());
        }
        let (validation, throughput) = (self.around.validation, self.around.throughput);
        self.around.meet(&class);
        // What stood in for them until they appeared has nothing to say any more.
        if self.around.validation != validation {
            self.withdraw(&["plateau"]);
        }
        if self.around.throughput != throughput {
            self.withdraw(&["throughput_drop"]);
        }
        self.around.progress.meet(&column.key, &class);
        for group in self.groups.get_or_insert_with(group_subject::groups) {
            group.meet(&column.key, &class);
        }
        let pair = PairSubject::of(&column.key, &class);
        let has_pair = pair.is_some();
        if let Some(pair) = pair {
            self.pairs.insert(column.key.clone(), pair);
        }
        let subject = Subject::of(&column.key, class, order.clone(), file, has_pair);
        let loss = subject.as_ref().is_some_and(|s| s.class.role == Role::Loss);
        self.subjects.insert(column.key.clone(), subject.map(Box::new));
        loss
    }

    /// Another series shows that these rules had no right to speak: what they said of any series stands only if they
    /// say it again.
    fn withdraw(&mut self, rules: &[&str]) {
        for subject in self.subjects.values_mut().flatten() {
            subject.doubt(rules);
        }
    }

    /// Finds anew which training series each validation series is compared with. A function of the names
    /// alone, so that it ends the same whatever came first.
    fn pair_up(&mut self) {
        let mut known: Vec<Known> = self
            .subjects
            .iter()
            .filter_map(|(key, subject)| subject.as_ref().map(|s| (key, s)))
            .filter(|(_, s)| s.class.role == Role::Loss)
            .map(|(key, s)| Known { key: key.clone(), class: s.class.clone(), points: 1, level: None })
            .collect();
        known.sort_by(|a, b| a.key.cmp(&b.key));
        let partners: FxHashMap<SeriesKey, SeriesKey> =
            tags::pair_up(&known).into_iter().map(|pair| (pair.val, pair.train)).collect();
        for (key, pair) in &mut self.pairs {
            let train = partners.get(key).cloned();
            if pair.train != train {
                for (detector, _) in &mut pair.judged {
                    detector.partner(train.as_ref());
                }
                pair.train = train;
                pair.anew |= pair.before.is_some();
            }
        }
    }

    /// Series that others need to know of: the main loss, learning rate, loss scale, plans, validation metrics.
    fn inform(&mut self, column: &Column) {
        self.around.progress.points(column);
        if let Some(journal) = self.metrics.get_mut(&column.key) {
            for point in column.points.iter().filter(|p| p.value.is_finite()) {
                if journal.last_step().is_some_and(|last| point.step <= last) {
                    journal.rewind(point.step);
                }
                journal.push(point.step, point.value, 1);
            }
        }
        let Some(Some(subject)) = self.subjects.get_mut(&column.key) else { return };
        subject.inform(column, &mut self.around);
    }

    /// Restarts that the store saw in series which this batch does not carry (a purge by the writer).
    fn rewound_elsewhere(&mut self, batch: &Batch, changes: &[Change], desk: &mut Desk<'_>) {
        for change in changes {
            let (keys, at): (Vec<SeriesKey>, Step) = match change {
                Change::Restarted { key, at, .. } => (vec![key.clone()], *at),
                Change::Purged { at, .. } => (self.subjects.keys().cloned().collect(), *at),
                _ => continue,
            };
            for key in keys.iter().filter(|key| batch.columns.iter().all(|c| c.key != **key)) {
                if let Some(Some(subject)) = self.subjects.get_mut(key)
                    && subject.newest_step().is_some_and(|last| at <= last)
                {
                    subject.rewind(at, desk);
                    self.past_changed(key, at);
                }
            }
        }
    }

    fn past_changed(&mut self, key: &SeriesKey, step: Step) {
        for (val, pair) in &mut self.pairs {
            if val == key {
                pair.waiting.retain(|(p, _)| p.step < step);
                pair.anew = true;
            } else if pair.train.as_ref() == Some(key) {
                pair.anew = true;
            }
        }
    }

    fn feed(&mut self, column: &Column, order: &Arc<str>, desk: &mut Desk<'_>) {
        let Some(Some(subject)) = self.subjects.get_mut(&column.key) else { return };
        if !subject.accepts(order) {
            return;
        }
        let dependents: Vec<SeriesKey> = self
            .pairs
            .iter()
            .filter(|(_, pair)| pair.train.as_ref() == Some(&column.key) && !pair.waiting.is_empty())
            .map(|(val, _)| val.clone())
            .collect();
        let mut rewound = None;
        if dependents.is_empty() {
            rewound = subject.feed(&column.points, &self.around, desk);
        } else {
            // Judge each waiting evaluation as soon as training has reached it, not later: what is known then
            // must not depend on how much came at once.
            let mut rest = column.points.as_slice();
            while !rest.is_empty() {
                let next = dependents
                    .iter()
                    .filter_map(|v| self.pairs.get(v)?.waiting.front())
                    .map(|(p, _)| p.step)
                    .min();
                let cut = next.map_or(rest.len(), |s| {
                    rest.iter().position(|p| p.step >= s).map_or(rest.len(), |i| i + 1)
                });
                let (now, later) = rest.split_at(cut);
                rest = later;
                if let Some(Some(subject)) = self.subjects.get_mut(&column.key) {
                    rewound = lowest(rewound, subject.feed(now, &self.around, desk));
                }
                for val in &dependents {
                    self.drain(val, Release::Passed, desk);
                }
            }
        }
        if let Some(step) = rewound {
            self.past_changed(&column.key.clone(), step);
        }
    }

    /// Lets the validation points of a batch wait for training, and judges those that need not.
    fn queue(&mut self, column: &Column, desk: &mut Desk<'_>) {
        let Some(pair) = self.pairs.get_mut(&column.key) else { return };
        for point in column.points.iter().filter(|p| p.value.is_finite()) {
            if pair.waiting.back().is_some_and(|(last, _)| point.step <= last.step) {
                pair.waiting.retain(|(p, _)| p.step < point.step);
            }
            if pair.before.is_some_and(|before| point.step <= before) {
                pair.anew = true;
                continue;
            }
            pair.waiting.push_back((*point, desk.now));
        }
        self.drain(&column.key, Release::Passed, desk);
    }

    fn drain(&mut self, val: &SeriesKey, release: Release, desk: &mut Desk<'_>) {
        let Some(pair) = self.pairs.get_mut(val) else { return };
        let subject = |key: &SeriesKey| self.subjects.get(key).and_then(Option::as_ref);
        let train = pair.train.as_ref().and_then(subject);
        let passed = train.and_then(|t| t.last_step);
        while let Some((point, since)) = pair.waiting.front().copied() {
            let ready = match release {
                Release::All => true,
                Release::Late => desk.now.since(since) >= WAIT_S,
                Release::Passed => false,
            };
            let reached = passed.is_some_and(|last| last >= point.step) || pair.train.is_none();
            if !ready && !reached && pair.waiting.len() <= WAITING {
                break;
            }
            pair.waiting.pop_front();
            let units = comparable(
                train.and_then(|t| t.journal.as_ref()),
                subject(val).and_then(|v| v.journal.as_ref()),
            );
            let journal = train.and_then(|t| t.journal.as_ref()).filter(|j| units && j.points() > 0);
            pair.evaluate(val, point, journal, &self.around, &self.metrics, desk);
        }
    }

    /// Tells pair detectors the past anew where it changed: another partner, a rewind.
    fn retell(&mut self, desk: &mut Desk<'_>) {
        let subject = |key: &SeriesKey| self.subjects.get(key).and_then(Option::as_ref);
        for (val, pair) in self.pairs.iter_mut().filter(|(_, pair)| pair.anew) {
            pair.anew = false;
            pair.restart();
            let Some(journal) = subject(val).and_then(|s| s.journal.as_ref()) else { continue };
            let train = pair.train.as_ref().and_then(subject);
            let passed = train.map_or(Step::MAX, |t| t.last_step.unwrap_or(Step::MIN));
            let units = comparable(train.and_then(|t| t.journal.as_ref()), Some(journal));
            let partner = train.and_then(|t| t.journal.as_ref()).filter(|j| units && j.points() > 0);
            for bin in journal.bins() {
                let point = Point { step: bin.last_step, wall: f64::NAN, value: bin.mean() };
                if point.step <= passed {
                    pair.evaluate(val, point, partner, &self.around, &self.metrics, desk);
                } else {
                    pair.waiting.push_back((point, desk.now));
                }
            }
            for (_, case) in &mut pair.judged {
                case.settle(desk);
            }
        }
    }

    /// Looks at the run as a whole and at what has waited. `run` as the store has it.
    pub fn heartbeat(&mut self, run: &Run, health: &Health, stale_after_s: f64, desk: &mut Desk<'_>) {
        let before = WallTime(desk.now.0 - WAIT_S);
        for subject in self.subjects.values_mut().flatten() {
            subject.release_since(before, &self.around, desk);
        }
        self.release(Release::Late, desk);
        self.others.look(run, health, stale_after_s, &self.around, desk);
        self.derived.look(&self.around, desk);
    }

    /// Nothing more will come.
    pub fn finish(&mut self, run: &Run, health: &Health, stale_after_s: f64, desk: &mut Desk<'_>) {
        self.rebuild(run, desk);
        for subject in self.subjects.values_mut().flatten() {
            subject.settle(&self.around, desk);
        }
        self.release(Release::All, desk);
        self.around.progress.reach(Step::MAX);
        self.others.finish(&self.around, desk);
        self.others.look(run, health, stale_after_s, &self.around, desk);
        self.derived.look(&self.around, desk);
    }

    fn release(&mut self, release: Release, desk: &mut Desk<'_>) {
        let waiting: Vec<SeriesKey> = self
            .pairs
            .iter()
            .filter(|(_, pair)| !pair.waiting.is_empty())
            .map(|(val, _)| val.clone())
            .collect();
        for val in waiting {
            self.drain(&val, release, desk);
        }
    }

    /// Judges series anew from the store whose files were not read in their order, and takes back what was
    /// said of files that were rewritten and is not said any more.
    pub fn rebuild(&mut self, run: &Run, desk: &mut Desk<'_>) {
        let disordered: Vec<SeriesKey> = self
            .subjects
            .iter()
            .filter(|(_, s)| s.as_ref().is_some_and(|s| s.disordered))
            .map(|(key, _)| key.clone())
            .collect();
        for key in disordered {
            let Some(series) = run.series_of(&key) else { continue };
            if let Some(Some(subject)) = self.subjects.get_mut(&key) {
                subject.rebuild(series, &self.around, desk);
            }
            self.past_changed(&key, Step::MIN);
        }
        self.retell(desk);
        for subject in self.subjects.values_mut().flatten() {
            subject.confirm(desk);
        }
        for (_, case) in self.pairs.values_mut().flat_map(|pair| &mut pair.judged) {
            case.settle(desk);
        }
        for group in self.groups.iter_mut().flatten() {
            group.settle(desk);
        }
        self.others.settle(desk);
    }
}

/// True for counters of skipped or failed iterations (Megatron-LM).
pub(super) fn counts_skips(key: &SeriesKey) -> bool {
    let words = Words::of(key.tag.as_str());
    words.any(&["skipped"]) && words.any(&["iterations", "step", "steps", "iters"])
}

fn lowest(a: Option<Step>, b: Option<Step>) -> Option<Step> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
