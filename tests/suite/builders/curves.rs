//! Runs as files of points, fed to the judges in pieces.

use epochscope::{
    detect::{Alert, AlertBook, Detectors, Severity},
    model::{
        Batch, Column, FileId, Health, Origin, Point, Record, RunId, RunInfo, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
};

/// When the runs began.
pub const START: f64 = 1_750_000_000.0;

/// The run that is looked at.
const RUN: &str = "sweep/run";

/// A value of a series at a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub tag: String,
    pub step: Step,
    pub wall: f64,
    pub value: f64,
}

/// A run's files one after the other, and the runs beside it in its folder.
#[derive(Clone, Default, Debug)]
pub struct Log {
    pub files: Vec<Vec<Row>>,
    pub info: RunInfo,
    pub siblings: Vec<Log>,
}

impl Log {
    /// A file, in the order in which it was written; a step takes a second.
    pub fn of(rows: impl IntoIterator<Item = (&'static str, Step, f64)>) -> Self {
        Self { files: vec![file(rows)], ..Self::default() }
    }

    /// Goes on in a later file.
    #[must_use]
    pub fn then(mut self, rows: impl IntoIterator<Item = (&'static str, Step, f64)>) -> Self {
        self.files.push(file(rows));
        self
    }

    #[must_use]
    pub fn planned(mut self, steps: Step) -> Self {
        self.info.steps_total = Some(steps);
        self
    }

    #[must_use]
    pub fn beside(mut self, siblings: impl IntoIterator<Item = Self>) -> Self {
        self.siblings.extend(siblings);
        self
    }

    /// Everything of a step takes so many seconds.
    #[must_use]
    pub fn timed(mut self, seconds: impl Fn(Step) -> f64) -> Self {
        for row in self.files.iter_mut().flatten() {
            row.wall = START + seconds(row.step);
        }
        self
    }

    /// Each row in another form, of the siblings as well.
    #[must_use]
    pub fn map(mut self, change: &dyn Fn(&mut Row)) -> Self {
        self.files.iter_mut().flatten().for_each(change);
        self.siblings = self.siblings.into_iter().map(|s| s.map(change)).collect();
        self
    }

    /// Rows that are left where only some are written.
    #[must_use]
    pub fn filter(mut self, keep: &dyn Fn(&[Row]) -> Vec<Row>) -> Self {
        self.files = self.files.iter().map(|rows| keep(rows)).collect();
        self.siblings = self.siblings.into_iter().map(|s| s.filter(keep)).collect();
        self
    }

    pub fn alerts(&self) -> Vec<Alert> {
        self.in_pieces_of(1000)
    }

    /// All alerts of the run, its points arriving so many at a time.
    pub fn in_pieces_of(&self, size: usize) -> Vec<Alert> {
        let mut bench = Bench::new();
        for (i, sibling) in self.siblings.iter().enumerate() {
            bench.read(&format!("sweep/sibling_{i}"), sibling, size);
        }
        bench.read(RUN, self, size);
        bench.finish()
    }
}

fn file(rows: impl IntoIterator<Item = (&'static str, Step, f64)>) -> Vec<Row> {
    let row = |(tag, step, value): (&str, Step, f64)| Row {
        tag: tag.to_owned(),
        step,
        wall: START + step as f64,
        value,
    };
    rows.into_iter().map(row).collect()
}

struct Bench {
    store: Store,
    detectors: Detectors,
    book: AlertBook,
    files: u32,
}

impl Bench {
    fn new() -> Self {
        Self {
            store: Store::new(Limits::default()),
            detectors: Detectors::new(),
            book: AlertBook::new(),
            files: 0,
        }
    }

    fn now() -> WallTime {
        WallTime(START + 1e9)
    }

    fn read(&mut self, run: &str, log: &Log, size: usize) {
        for (i, rows) in log.files.iter().enumerate() {
            self.files += 1;
            let name = format!("events.out.tfevents.{}.host", 1_750_000_000 + i);
            let origin = Origin::new(FileId(self.files), name.as_str());
            for (piece, rows) in rows.chunks(size).enumerate() {
                let mut batch = Batch::new(RunId::from(run), origin.clone());
                if i == 0 && piece == 0 {
                    batch.records.push(Record::Info(Box::new(log.info.clone())));
                }
                for row in rows {
                    let point = Point { step: row.step, wall: row.wall, value: row.value };
                    let key = SeriesKey::plain(row.tag.as_str());
                    match batch.columns.iter_mut().find(|c| c.key == key) {
                        Some(column) => column.points.push(point),
                        None => batch.columns.push(Column { key, points: vec![point] }),
                    }
                }
                let changes = self.store.apply(&batch);
                let run = self.store.run(&batch.run).expect("just applied");
                self.detectors.observe(&batch, &changes, run, &mut self.book, Self::now());
            }
        }
    }

    fn finish(mut self) -> Vec<Alert> {
        self.detectors.finish(&self.store, &Health::default(), &mut self.book, Self::now());
        let of_run = |a: &&Alert| a.run.as_str() == RUN;
        let mut alerts: Vec<Alert> = self.book.alerts().filter(of_run).cloned().collect();
        alerts.sort_by_key(|a| (a.step, a.rule, a.place()));
        alerts
    }
}

/// What would wake somebody: warn or worse, not explained by another alert.
pub fn loud(alerts: &[Alert]) -> Vec<&Alert> {
    alerts.iter().filter(|a| a.severity >= Severity::Warn && a.caused_by.is_none()).collect()
}

/// What must not depend on how the points arrived.
pub fn essence(alerts: &[Alert]) -> Vec<String> {
    let line = |a: &Alert| {
        let cause =
            a.caused_by.and_then(|id| alerts.iter().find(|b| b.id == id)).map(|c| (c.rule, c.place()));
        format!(
            "{} {} {:?} {:?} {:?} since {:?} until {:?} because of {cause:?}: {} | {:?}",
            a.rule,
            a.place(),
            a.severity,
            a.state,
            a.step,
            a.since_step,
            a.closed_step,
            a.message,
            a.evidence
        )
    };
    alerts.iter().map(line).collect()
}

/// Noise that is the same everywhere: a hash of the place, roughly normal, σ = 1.
pub fn noise(seed: u64, at: Step) -> f64 {
    let mut sum = 0.0;
    for part in 0..4 {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ at.unsigned_abs().wrapping_mul(0xbf58_476d_1ce4_e5b9)
            ^ part;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        sum += x as f64 / u64::MAX as f64 - 0.5;
    }
    sum * 3.0_f64.sqrt()
}

/// A loss that falls from 2.3 to 0.3 with a time constant of `t`.
pub fn falling(at: Step, t: f64) -> f64 {
    0.3 + 2.0 * (-(at as f64) / t).exp()
}
