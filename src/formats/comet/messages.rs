//! `messages.json` and `experiment.json`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::histogram::histogram;
use crate::{
    formats::{
        Decoded,
        archive::Archive,
        document::table,
        matrices,
        wire::{
            json_tree::{Json, Object},
            lines::trim,
            numbers::integer,
        },
    },
    model::{
        ConfusionRecord, HistogramRecord, HyperValue, LayerSubject, Point, Record, RunInfo, SeriesKey, Step,
        Tag, TextRecord, WallTime,
    },
};

/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;
/// Files of an archive that are looked into.
const FILES_LIMIT: usize = 1 << 14;

/// Where the messages stand.
struct Messages<'m, 'a> {
    archive: &'m mut Archive<'a>,
    /// Length of the archive.
    bytes: usize,
    /// The last step of each metric, for those that are logged without one.
    steps: FxHashMap<String, Step>,
    files: usize,
}

pub(super) fn read(text: &[u8], archive: &mut Archive<'_>, bytes: usize, out: &mut Decoded) {
    experiment(archive, out);
    let mut messages = Messages { archive, bytes, steps: FxHashMap::default(), files: 0 };
    for line in text.split(|b| *b == b'\n').map(trim).filter(|line| !line.is_empty()) {
        match Json::parse(line) {
            Ok(Json::Object(message)) => {
                messages.one(&message, out);
                out.count_records(1);
            }
            _ => out.oddity("a message that cannot be read"),
        }
    }
}

fn experiment(archive: &mut Archive<'_>, out: &mut Decoded) {
    let Ok(text) = archive.read("experiment.json") else { return };
    let Ok(Json::Object(experiment)) = Json::parse(trim(&text)) else { return };
    let tags = experiment.get("tags").and_then(Json::elements);
    let labels = tags.map(|tags| tags.iter().filter_map(Json::text).take(256).map(Arc::from).collect());
    out.record(Record::Info(Box::new(RunInfo {
        id: experiment.text("offline_id").map(Arc::from),
        started: experiment.number("start_time").filter(|t| t.is_finite()).map(|ms| ms / 1000.0),
        labels: labels.unwrap_or_default(),
        ..RunInfo::default()
    })));
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LIMIT)).unwrap_or(text)
}

fn wall(payload: &Object<'_>) -> WallTime {
    payload.number("local_timestamp").map_or(WallTime::UNKNOWN, |ms| WallTime(ms / 1000.0))
}

impl Messages<'_, '_> {
    fn one(&mut self, message: &Object<'_>, out: &mut Decoded) {
        let kind = message.text("type").unwrap_or_default();
        let Some(payload) = message.get("payload").and_then(Json::object) else {
            out.oddity("a message without its payload");
            return;
        };
        match kind {
            "metric_msg" => self.metric(payload, out),
            "parameter_msg" => parameter(payload, out),
            "log_other" if payload.text("key") == Some("Name") => {
                let name = payload.text("value").map(|name| Arc::from(cut(name)));
                out.record(Record::Info(Box::new(RunInfo { name, ..RunInfo::default() })));
            }
            "standard_output" => {
                if let Some(text) = payload.text("output") {
                    let (tag, wall) = (Tag::from("console"), wall(payload));
                    out.record(Record::Text(TextRecord { tag, step: 0, wall, text: cut(text).into() }));
                }
            }
            "file_upload" => self.file(payload, out),
            other => out.oddity(&format!("message {other}")),
        }
    }

    fn metric(&mut self, payload: &Object<'_>, out: &mut Decoded) {
        let metric = payload.get("metric").and_then(Json::object);
        let Some((metric, name)) = metric.and_then(|m| Some((m, m.text("metricName")?))) else {
            out.oddity("a metric without its name");
            return;
        };
        let Some(value) = metric.number("metricValue") else {
            out.oddity("a metric that is no number");
            return;
        };
        let next = self.steps.get(name).map_or(0, |last| last.saturating_add(1));
        let step = metric.number("step").and_then(integer).unwrap_or(next);
        self.steps.insert(name.to_owned(), step);
        let wall = wall(payload).0;
        out.point(&SeriesKey::plain(Tag::from(name)), Point { step, wall, value });
    }

    /// A file that was to be uploaded: of the kinds that are known, its content is in the archive.
    fn file(&mut self, payload: &Object<'_>, out: &mut Decoded) {
        let about = payload.get("additional_params").and_then(Json::object);
        let text = |key| about.and_then(|about| about.text(key)).unwrap_or_default();
        let step = about.and_then(|about| about.integer("step")).unwrap_or(0);
        let kind = payload.text("upload_type").unwrap_or_default();
        self.files += 1;
        if !matches!(kind, "histogram3d" | "confusion-matrix") || self.files > FILES_LIMIT {
            out.oddity(&format!("file {kind}"));
            return;
        }
        let content = payload.text("file_path").and_then(|path| self.archive.read(path).ok());
        let Some(content) = content else {
            out.oddity("a file that is not in the archive");
            return;
        };
        let record = if kind == "histogram3d" {
            histogram(&content).map(|buckets| {
                let LayerSubject { layer, kind } = LayerSubject::of_tag(&Tag::from(text("fileName")));
                Record::Histogram(HistogramRecord {
                    layer,
                    kind,
                    step,
                    wall: wall(payload),
                    edges: buckets.edges,
                    counts: buckets.counts,
                    stats: buckets.stats,
                })
            })
        } else {
            let epoch = about.and_then(|about| about.number("epoch")).filter(|epoch| epoch.is_finite());
            confusion(&content, step, epoch, wall(payload))
        };
        out.record(record.unwrap_or_else(|| table(text("fileName"), Vec::new(), 0, self.bytes)));
    }
}

fn confusion(content: &[u8], step: Step, epoch: Option<f64>, wall: WallTime) -> Option<Record> {
    let matrices::Found::Matrix(matrix, _) = matrices::json(trim(content)).ok()? else { return None };
    Some(Record::Confusion(ConfusionRecord {
        split: Arc::from(""),
        step,
        epoch,
        wall,
        matrix: matrix.counts,
        names: matrix.names.map(Into::into),
        task: Arc::from(""),
    }))
}

fn parameter(payload: &Object<'_>, out: &mut Decoded) {
    let parameter = payload.get("param").and_then(Json::object);
    let Some((parameter, name)) = parameter.and_then(|p| Some((p, p.text("paramName")?))) else {
        out.oddity("a parameter without its name");
        return;
    };
    let value = match parameter.get("paramValue") {
        Some(Json::Number(value)) => HyperValue::Number(*value),
        Some(Json::Bool(value)) => HyperValue::Bool(*value),
        Some(other) => HyperValue::Text(cut(&other.spelled()).into()),
        None => return,
    };
    out.record(Record::Hyperparameters(vec![(name.into(), value)]));
}
