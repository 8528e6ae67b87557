//! One row of Trackio's metrics: nested numbers, and objects that say with `_type` what they are.

use std::sync::Arc;

use super::gather::{Run, cut};
use crate::{
    formats::{
        scope::layers::{check_buckets, of_buckets},
        wire::json_tree::{Json, Object},
    },
    model::{
        Artefact, ArtefactKind, HistogramRecord, LayerSubject, Payload, Point, Record, Step, Tag, TextRecord,
        WallTime,
    },
};

/// Arrays longer than this are no metrics.
const ARRAY_LIMIT: usize = 8;
/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;

/// Adds what a row's object holds to its run; `/` between nested names.
pub fn flatten(
    run: &mut Run,
    object: &Object<'_>,
    prefix: &str,
    step: Step,
    wall: WallTime,
    oddities: &mut Vec<String>,
) {
    for (name, value) in object.entries() {
        let tag = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let mut point = |tag: &str, value| run.point(tag.as_bytes(), Point { step, wall: wall.0, value });
        match value {
            Json::Object(inner) => match inner.text("_type") {
                Some(kind) => typed(run, kind, inner, &tag, step, wall, oddities),
                None => flatten(run, inner, &tag, step, wall, oddities),
            },
            Json::Numbers(values) if values.len() <= ARRAY_LIMIT => {
                for (at, value) in values.iter().enumerate() {
                    point(&format!("{tag}[{at}]"), *value);
                }
            }
            other => {
                if let Some(value) = other.number() {
                    point(&tag, value);
                }
            }
        }
    }
}

fn typed(
    run: &mut Run,
    kind: &str,
    object: &Object<'_>,
    tag: &str,
    step: Step,
    wall: WallTime,
    oddities: &mut Vec<String>,
) {
    let artefact = |kind| {
        let file = object.text("file_path").map(|path| (Arc::from("file"), Payload::Text(Arc::from(path))));
        let caption =
            object.text("caption").map(|text| (Arc::from("caption"), Payload::Text(Arc::from(text))));
        Record::Artefact(Artefact {
            kind,
            name: Arc::from(tag),
            step: Some(step),
            wall,
            offset: 0,
            bytes: 0,
            fields: file.into_iter().chain(caption).collect(),
        })
    };
    let record = match kind.strip_prefix("trackio.").unwrap_or(kind) {
        "histogram" => histogram(object, tag, step, wall),
        "image" | "video" => Some(artefact(ArtefactKind::Image)),
        "audio" => Some(artefact(ArtefactKind::Audio)),
        "object3d" => Some(artefact(ArtefactKind::Mesh)),
        "table" => Some(artefact(ArtefactKind::Table)),
        "markdown" => object.text("_value").map(|text| {
            let text = Arc::from(cut(text, TEXT_LIMIT));
            Record::Text(TextRecord { tag: Tag::from(tag), step, wall, text })
        }),
        _ => None,
    };
    match record {
        Some(record) => run.records.push(record),
        None => oddities.push(cut(kind, 64).to_owned()),
    }
}

fn histogram(object: &Object<'_>, tag: &str, step: Step, wall: WallTime) -> Option<Record> {
    let edges = object.get("bins").and_then(Json::numbers)?;
    let counts = object.get("values").and_then(Json::numbers)?;
    check_buckets(&edges, &counts).ok()?;
    let subject = LayerSubject::of_tag(&Tag::from(tag));
    Some(Record::Histogram(HistogramRecord {
        layer: subject.layer,
        kind: subject.kind,
        step,
        wall,
        stats: of_buckets(&edges, &counts),
        edges: Arc::from(&*edges),
        counts: Arc::from(&*counts),
    }))
}
