//! `wandb-summary.json`: the last value of every key. `wandb-metadata.json`: where and by what the run was started.

use crate::{
    formats::{
        Decoded,
        document::{Unread, whole_json},
        wire::{
            axes::wall_of_text,
            json_tree::{Json, Object},
        },
    },
    model::{Point, Record, RunInfo, SeriesKey, Step, Tag, TextRecord, WallTime},
};

/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 4096;
/// Dicts within dicts that are followed.
const DEPTH_LIMIT: usize = 32;

/// Reads a summary: each number is the one point of its key, at the step of the last row.
pub(super) fn read(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let object = json.object().ok_or(Unread::Broken("no JSON object"))?;
    let at = (object.integer("_step").unwrap_or(0), object.number("_timestamp").unwrap_or(f64::NAN));
    for (key, value) in object.entries().filter(|(key, _)| !key.starts_with('_')) {
        add(key, value, at, 0, out);
    }
    out.count_records(1);
    Ok(())
}

fn add(name: &str, value: &Json<'_>, at: (Step, f64), depth: usize, out: &mut Decoded) {
    if let Some(value) = value.number() {
        out.point(&SeriesKey::plain(name), Point { step: at.0, wall: at.1, value });
    } else if let Some(object) = value.object()
        && object.text("_type").is_none()
        && depth < DEPTH_LIMIT
    {
        for (key, value) in object.entries() {
            add(&format!("{name}.{key}"), value, at, depth + 1, out);
        }
    }
}

/// Reads the facts of the machine.
pub(super) fn metadata(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let object = json.object().ok_or(Unread::Broken("no JSON object"))?;
    let text = |object: &Object<'_>, key| object.text(key).filter(|t| t.len() <= TEXT_LIMIT).map(Into::into);
    let started = object.text("startedAt").and_then(wall_of_text);
    out.record(Record::Info(Box::new(RunInfo {
        host: text(object, "host"),
        git: object.get("git").and_then(Json::object).and_then(|git| text(git, "commit")),
        started,
        ..RunInfo::default()
    })));
    if let Some(text) = text(object, "program") {
        let (tag, wall) = (Tag::from("program"), WallTime(started.unwrap_or(f64::NAN)));
        out.record(Record::Text(TextRecord { tag, step: 0, wall, text }));
    }
    out.count_records(1);
    Ok(())
}
