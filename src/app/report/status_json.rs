//! `status --format json`. The keys are a contract: add, never rename.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde::Serialize;

use super::{
    answers_json::{ForecastStatus, QuestionStatus, forecast_status, question_status},
    number::{Hyper, Number, time},
    write_json,
};
use crate::{
    detect::{AlertBook, state, tags},
    model::{FileHealth, FileId, FileState, Goal, Health, Point, RunId, Step, WallTime},
    store::{Run, Segment, Series, Store},
};

/// Version of the JSON shape; grows only when a key changes its meaning.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Status<'a> {
    version: u32,
    runs: Vec<RunStatus<'a>>,
}

#[derive(Serialize)]
struct RunStatus<'a> {
    run: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    formats: Vec<&'static str>,
    state: &'static str,
    step: Option<Step>,
    steps_total: Option<Step>,
    epoch: Option<Number>,
    eta_s: Option<Number>,
    questions: QuestionStatus,
    forecast: ForecastStatus,
    first_time: Option<f64>,
    last_time: Option<f64>,
    hyperparameters: BTreeMap<&'a str, Hyper<'a>>,
    series: Vec<SeriesStatus<'a>>,
    layers: Vec<LayerStatus<'a>>,
    confusions: Vec<ConfusionStatus<'a>>,
    other: BTreeMap<&'static str, u64>,
    files: Vec<FileStatus<'a>>,
}

#[derive(Serialize)]
struct SeriesStatus<'a> {
    tag: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    context: &'a str,
    role: &'static str,
    split: &'static str,
    goal: &'static str,
    points: u64,
    non_finite: u64,
    first: Option<PointStatus>,
    last: Option<PointStatus>,
    min: Option<PointStatus>,
    max: Option<PointStatus>,
}

#[derive(Serialize)]
struct PointStatus {
    step: Step,
    value: Number,
}

impl PointStatus {
    fn of(point: Point) -> Self {
        Self { step: point.step, value: Number(point.value) }
    }
}

#[derive(Serialize)]
struct LayerStatus<'a> {
    name: &'a str,
    kinds: Vec<&'static str>,
    records: u64,
}

#[derive(Serialize)]
struct ConfusionStatus<'a> {
    split: &'a str,
    classes: usize,
    records: u64,
}

#[derive(Serialize)]
struct FileStatus<'a> {
    path: &'a str,
    format: &'static str,
    bytes: u64,
    read_bytes: u64,
    state: &'static str,
    skipped: Vec<SkipStatus<'a>>,
}

#[derive(Serialize)]
struct SkipStatus<'a> {
    offset: u64,
    reason: &'a str,
}

/// Writes the state of every run in natural order.
pub fn status_json(
    store: &Store,
    alerts: &AlertBook,
    health: &Health,
    (now, stale_after_s): (WallTime, f64),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut files: BTreeMap<&RunId, Vec<&FileHealth>> = BTreeMap::new();
    for file in health.files.values() {
        files.entry(&file.run).or_default().push(file);
    }
    let mut memo = tags::Memo::default();
    let runs = store
        .runs()
        .map(|run| {
            let files = files.get(run.id()).cloned().unwrap_or_else(|| written_by(run, health));
            run_status(run, &files, (alerts, health), (now, stale_after_s), &mut memo)
        })
        .collect();
    write_json(&Status { version: VERSION, runs }, out)
}

/// The files that hold the points of a run: a database, an archive or a log of several runs is a file of none of them.
fn written_by<'a>(run: &Run, health: &'a Health) -> Vec<&'a FileHealth> {
    let segments = run.series().flat_map(Series::segments);
    let ids: BTreeSet<FileId> = segments.map(Segment::file).collect();
    health.files.values().filter(|file| ids.contains(&file.id)).collect()
}

fn run_status<'a>(
    run: &'a Run,
    files: &[&'a FileHealth],
    (alerts, health): (&AlertBook, &Health),
    (now, stale_after_s): (WallTime, f64),
    memo: &mut tags::Memo,
) -> RunStatus<'a> {
    let progress = state::progress(run, now);
    let mut formats: Vec<&'static str> = files.iter().map(|f| f.format).collect();
    formats.sort_unstable();
    formats.dedup();
    RunStatus {
        run: run.id().as_str(),
        name: run.info().name.as_deref(),
        formats,
        state: state::run_state(run, health, now, stale_after_s).name(),
        step: run.last_step(),
        steps_total: progress.steps_total,
        epoch: run.epoch().map(Number),
        eta_s: progress.eta_s.map(Number),
        questions: question_status(run, alerts),
        forecast: forecast_status(run),
        first_time: time(run.first_wall()),
        last_time: time(run.last_wall()),
        hyperparameters: run.hyperparameters().iter().map(|(name, value)| (&**name, Hyper(value))).collect(),
        series: run.series().map(|s| series_status(s, run, memo)).collect(),
        layers: layers(run),
        confusions: confusions(run),
        other: other(run),
        files: files.iter().map(|f| file_status(f)).collect(),
    }
}

fn series_status<'a>(series: &'a Series, run: &Run, memo: &mut tags::Memo) -> SeriesStatus<'a> {
    let (key, summary) = (series.key(), series.summary());
    let class = memo.class_of(key, run);
    SeriesStatus {
        tag: key.tag.as_str(),
        context: &key.context,
        role: class.role.name(),
        split: class.split.name(),
        goal: match class.goal {
            Some(Goal::Min) => "min",
            Some(Goal::Max) => "max",
            None => "unknown",
        },
        points: summary.points,
        non_finite: summary.non_finite,
        first: summary.first.map(PointStatus::of),
        last: summary.last.map(PointStatus::of),
        min: summary.min.map(PointStatus::of),
        max: summary.max.map(PointStatus::of),
    }
}

fn layers(run: &Run) -> Vec<LayerStatus<'_>> {
    run.layers()
        .rows()
        .map(|row| LayerStatus {
            name: row.layer.as_str(),
            kinds: row.kinds.keys().map(|kind| kind.name()).collect(),
            records: row.kinds.values().map(crate::store::LayerTrack::count).sum(),
        })
        .collect()
}

fn confusions(run: &Run) -> Vec<ConfusionStatus<'_>> {
    let all = run.confusions();
    all.splits()
        .map(|split| ConfusionStatus {
            split,
            classes: all.of(split).last().map_or(0, |record| record.matrix.classes()),
            records: all.count(split),
        })
        .collect()
}

/// Records without a view: five kinds are always named, others when there are any.
fn other(run: &Run) -> BTreeMap<&'static str, u64> {
    let mut counts: BTreeMap<&'static str, u64> =
        ["images", "text", "graphs", "embeddings", "tables"].map(|name| (name, 0)).into();
    for (kind, count) in run.artefact_counts() {
        counts.insert(kind.name(), *count);
    }
    counts.insert("text", run.texts().len() as u64);
    counts
}

fn file_status(file: &FileHealth) -> FileStatus<'_> {
    FileStatus {
        path: &file.path,
        format: file.format,
        bytes: file.bytes,
        read_bytes: file.read_bytes,
        state: match file.state {
            FileState::Waiting | FileState::Reading | FileState::Following => "following",
            FileState::Ended => "ended",
            FileState::Gone | FileState::Dead(_) => "dead",
        },
        skipped: file.skips.iter().map(|s| SkipStatus { offset: s.offset, reason: &s.reason }).collect(),
    }
}
