//! One series under judgement: its journal and the rules that look at it.

use std::sync::Arc;

use crate::{
    model::{Column, FileId, Point, SeriesKey, Step, WallTime},
    store::Series,
};

use super::{
    DETECTORS, Scope, SeriesDetector, Surroundings,
    case::{Case, Desk, Place},
    journal::Journal,
    run_judges::counts_skips,
    tags::{Role, TagClass},
};

/// What other judges learn from a series.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Tells {
    Nothing,
    LearningRate,
    LossScale,
    SkippedIterations,
    Plan,
}

/// A series that some rule judges or learns from.
#[derive(Debug)]
pub(super) struct Subject {
    key: SeriesKey,
    pub class: TagClass,
    /// The file that fed it last, and that file's place among the run's files.
    pub file: FileId,
    order: Arc<str>,
    pub last_step: Option<Step>,
    pub journal: Option<Journal>,
    judged: Vec<(Box<dyn SeriesDetector>, Case)>,
    /// An earlier file was read later: it must be judged anew from the store.
    pub disordered: bool,
    tells: Tells,
    told: Option<Point>,
    /// The newest point, which waits for the next one, and when it came.
    held: Option<(Point, WallTime)>,
}

impl Subject {
    /// `None` when no rule wants the series. `keeps_journal`: somebody else reads its journal.
    pub fn of(
        key: &SeriesKey,
        class: TagClass,
        order: Arc<str>,
        file: FileId,
        keeps_journal: bool,
    ) -> Option<Self> {
        let judged = detectors(key, &class);
        let tells = match class.role {
            Role::LearningRate => Tells::LearningRate,
            Role::LossScale => Tells::LossScale,
            Role::Schedule => Tells::Plan,
            Role::Optimiser if counts_skips(key) => Tells::SkippedIterations,
            _ => Tells::Nothing,
        };
        if judged.is_empty() && tells == Tells::Nothing && !keeps_journal {
            return None;
        }
        let journal = (keeps_journal || judged.iter().any(|(d, _)| d.reads_journal())).then(Journal::new);
        Some(Self {
            key: key.clone(),
            class,
            file,
            order,
            last_step: None,
            journal,
            judged,
            disordered: false,
            tells,
            told: None,
            held: None,
        })
    }

    /// Points come from the file at `order`: false, and a rebuild to come, if a later file was read already.
    pub fn accepts(&mut self, order: &Arc<str>) -> bool {
        if Arc::ptr_eq(order, &self.order) || *order == self.order {
            return true;
        }
        if *order < self.order {
            self.disordered = true;
            return false;
        }
        self.order = order.clone();
        for (detector, _) in &mut self.judged {
            detector.continued();
        }
        true
    }

    /// Tells the surroundings what this series says of the run.
    pub fn inform(&mut self, column: &Column, around: &mut Surroundings) {
        for point in &column.points {
            match self.tells {
                Tells::Nothing => return,
                Tells::LearningRate => around.schedule.learning_rate(point.step, point.value),
                Tells::LossScale => around.overflows.loss_scale(point.step, point.value),
                Tells::SkippedIterations => around.overflows.skipped_iterations(point.step, point.value),
                Tells::Plan => {
                    if let Some(told) = self.told
                        && told.step < point.step
                        && (told.value - point.value).abs() > 0.05 * told.value.abs().max(point.value.abs())
                    {
                        around.schedule.setting(told.step, point.step);
                    }
                    self.told = Some(*point);
                }
            }
        }
    }

    /// Judges points. Returns the lowest step that was gone back to, if any.
    pub fn feed(&mut self, points: &[Point], around: &Surroundings, desk: &mut Desk<'_>) -> Option<Step> {
        let idle: Vec<bool> = self
            .judged
            .iter()
            .map(|(detector, case)| case.at_rest() && detector.indifferent(points))
            .collect();
        for ((detector, _), idle) in self.judged.iter_mut().zip(&idle) {
            if *idle {
                detector.skip(points);
            }
        }
        if self.journal.is_none() && idle.iter().all(|i| *i) {
            self.last_step = points.last().map(|p| p.step).or(self.last_step);
            return None;
        }
        let mut rewound: Option<Step> = None;
        for point in points {
            if self.newest_step().is_some_and(|last| point.step < last) {
                self.release(around, desk);
                self.rewind(point.step, desk);
                rewound = Some(rewound.map_or(point.step, |s| s.min(point.step)));
            }
            self.now(point, &idle, around, desk);
            // The same step again replaces the value.
            let before = self.held.replace((*point, desk.now)).filter(|(held, _)| held.step != point.step);
            if let Some((before, _)) = before {
                self.point(&before, around, desk);
            }
        }
        rewound
    }

    /// What cannot wait looks at a point.
    fn now(&mut self, point: &Point, idle: &[bool], around: &Surroundings, desk: &mut Desk<'_>) {
        let place = Place::Series(&self.key);
        for ((detector, case), idle) in self.judged.iter_mut().zip(idle) {
            if !*idle
                && !detector.waits()
                && let Some((step, verdict)) = detector.point(point, around)
            {
                case.hear(step, WallTime(point.wall), verdict, &place, &**detector, around, desk);
            }
        }
    }

    /// The others look at it, and it enters the journal.
    fn point(&mut self, point: &Point, around: &Surroundings, desk: &mut Desk<'_>) {
        self.last_step = Some(point.step);
        let wall = WallTime(point.wall);
        let place = Place::Series(&self.key);
        for (detector, case) in self.judged.iter_mut().filter(|(detector, _)| detector.waits()) {
            if let Some((step, verdict)) = detector.point(point, around) {
                case.hear(step, wall, verdict, &place, &**detector, around, desk);
            }
        }
        let Some(journal) = self.journal.as_mut().filter(|_| point.value.is_finite()) else { return };
        if journal.last_step() == Some(point.step) {
            journal.replace_last(point.value);
            return;
        }
        if !journal.push(point.step, point.value, 1) {
            return;
        }
        self.bin(wall, around, desk);
    }

    /// No next point has come for long, or none will: the newest one is judged.
    pub fn release(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        if let Some((point, _)) = self.held.take() {
            self.point(&point, around, desk);
        }
    }

    /// The same where it has waited since `before` or longer.
    pub fn release_since(&mut self, before: WallTime, around: &Surroundings, desk: &mut Desk<'_>) {
        if self.held.is_some_and(|(_, came)| came <= before) {
            self.release(around, desk);
        }
    }

    fn bin(&mut self, wall: WallTime, around: &Surroundings, desk: &mut Desk<'_>) {
        let Some(journal) = &self.journal else { return };
        let step = journal.last_step().unwrap_or(0);
        let place = Place::Series(&self.key);
        for (detector, case) in self.judged.iter_mut().filter(|(d, _)| d.reads_journal()) {
            if let Some(verdict) = detector.bin(journal, around) {
                case.hear(step, wall, verdict, &place, &**detector, around, desk);
            }
        }
    }

    /// The newest point's step, judged or not.
    pub fn newest_step(&self) -> Option<Step> {
        self.held.map(|(held, _)| held.step).or(self.last_step)
    }

    /// Everything at and after `step` is void.
    pub fn rewind(&mut self, step: Step, desk: &mut Desk<'_>) {
        self.held = self.held.filter(|(held, _)| held.step < step);
        if let Some(journal) = &mut self.journal {
            journal.rewind(step);
        }
        self.last_step = self.last_step.map(|last| last.min(step.saturating_sub(1)));
        for (detector, case) in &mut self.judged {
            detector.rewind(step);
            case.rewind(step, desk);
        }
    }

    /// The file is read anew from its start.
    pub fn restart(&mut self) {
        self.last_step = None;
        self.held = None;
        self.journal = self.journal.as_ref().map(|_| Journal::new());
        let mut made = detectors(&self.key, &self.class);
        for ((old, case), (new, _)) in self.judged.iter_mut().zip(&mut made) {
            std::mem::swap(old, new);
            case.doubt();
        }
    }

    /// What the named rules said stands only if they say it again.
    pub fn doubt(&mut self, rules: &[&str]) {
        for (_, case) in self.judged.iter_mut().filter(|(_, case)| rules.contains(&case.spec.id)) {
            case.doubt();
        }
    }

    /// Takes back what is still in doubt.
    pub fn confirm(&mut self, desk: &mut Desk<'_>) {
        for (_, case) in &mut self.judged {
            case.settle(desk);
        }
    }

    /// Judges the series anew from the store's buckets.
    pub fn rebuild(&mut self, series: &Series, around: &Surroundings, desk: &mut Desk<'_>) {
        self.disordered = false;
        self.restart();
        let mut breaks: Vec<Step> = series
            .segments()
            .windows(2)
            .filter(|pair| pair[0].order() != pair[1].order())
            .map(|pair| pair[1].first_step())
            .collect();
        breaks.reverse();
        for bucket in &series.buckets(None) {
            while breaks.last().is_some_and(|at| *at <= bucket.last.step) {
                breaks.pop();
                self.judged.iter_mut().for_each(|(detector, _)| detector.continued());
            }
            let wall = bucket.last.wall;
            for _ in 0..bucket.non_finite.min(16) {
                let step = bucket.nan_first.unwrap_or(bucket.last.step);
                self.feed(&[Point { step, wall, value: f64::NAN }], around, desk);
            }
            if let Some(value) = bucket.mean() {
                self.feed(&[Point { step: bucket.last.step, wall, value }], around, desk);
            }
        }
        self.confirm(desk);
    }

    /// Nothing more will come for now.
    pub fn settle(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        self.release(around, desk);
        let place = Place::Series(&self.key);
        for (detector, case) in &mut self.judged {
            if let Some((step, verdict)) = detector.settle(around) {
                case.hear(step, WallTime::UNKNOWN, verdict, &place, &**detector, around, desk);
            }
        }
    }
}

fn detectors(key: &SeriesKey, class: &TagClass) -> Vec<(Box<dyn SeriesDetector>, Case)> {
    let mut made = Vec::new();
    for spec in DETECTORS {
        for scope in spec.scopes {
            if let Scope::Series { judges, build } = scope
                && judges(class)
            {
                let detector = build(key, class);
                let case = Case::new(spec, detector.patience());
                made.push((detector, case));
            }
        }
    }
    made
}
