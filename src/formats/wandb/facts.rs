//! What the log says of the run as a whole: its name, configuration, machine, end, and the user's alerts.

use std::{borrow::Cow, sync::Arc};

use super::items::{Item, Value, text};
use crate::{
    formats::{
        Decoded,
        wire::{
            json_tree::{Json, Object},
            protobuf::{Fields, Malformed, Wire, timestamp},
        },
    },
    model::{EndStatus, HyperValue, LoggedAlert, Record, RunInfo, Step, Tag, TextRecord, WallTime},
};

/// Bytes of a name, message or setting that are kept.
const TEXT_LIMIT: usize = 64 << 10;
/// Labels of a run that are kept.
const LABELS_LIMIT: usize = 256;
/// Settings of one record that are kept.
const SETTINGS_LIMIT: usize = 4096;

/// Text, cut at a limit but not within a character.
pub(in crate::formats) fn owned(bytes: &[u8]) -> Arc<str> {
    cut(&text(bytes))
}

fn cut(text: &str) -> Arc<str> {
    Arc::from(text.get(..text.floor_char_boundary(TEXT_LIMIT)).unwrap_or(text))
}

/// Takes a `RunRecord`; gives the step that it starts at.
pub(super) fn run(message: &[u8], out: &mut Decoded) -> Result<Option<Step>, Malformed> {
    let mut info = RunInfo::default();
    let mut starting = None;
    let mut labels: Vec<Arc<str>> = Vec::new();
    let (mut settings, mut notes, mut resumed) = (Vec::new(), None, false);
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Bytes(id)) => info.id = Some(owned(id)),
            (3, Wire::Bytes(project)) => labels.push(label("project", project)),
            (4, Wire::Bytes(config)) => settings = config_values(config)?,
            (6, Wire::Bytes(group)) => labels.push(label("group", group)),
            (7, Wire::Bytes(job)) if !job.is_empty() => labels.push(label("job", job)),
            (8, Wire::Bytes(name)) if !name.is_empty() => info.name = Some(owned(name)),
            (9, Wire::Bytes(text)) if !text.is_empty() => notes = Some(owned(text)),
            (10, Wire::Bytes(tag)) => labels.push(owned(tag)),
            (12, Wire::Bytes(sweep)) if !sweep.is_empty() => labels.push(label("sweep", sweep)),
            (13, Wire::Bytes(host)) if !host.is_empty() => info.host = Some(owned(host)),
            (14, Wire::Varint(step)) => starting = Some(step.cast_signed()),
            (17, Wire::Bytes(time)) => info.started = Some(timestamp(time)?).filter(|t| t.is_finite()),
            (18, Wire::Varint(n)) => resumed = n != 0,
            (19, Wire::Bytes(telemetry)) => info.framework = version(telemetry)?,
            (21, Wire::Bytes(git)) => info.git = commit(git)?,
            _ => {}
        }
    }
    if resumed || starting.is_some_and(|step| step > 0) {
        // How often is not said.
        info.segment = Some(1);
    }
    labels.truncate(LABELS_LIMIT);
    info.labels = labels;
    let started = info.started.unwrap_or(f64::NAN);
    out.record(Record::Info(Box::new(info)));
    if !settings.is_empty() {
        out.record(Record::Hyperparameters(settings));
    }
    if let Some(text) = notes {
        let (tag, wall) = (Tag::from("notes"), WallTime(started));
        out.record(Record::Text(TextRecord { tag, step: starting.unwrap_or(0), wall, text }));
    }
    Ok(starting)
}

fn label(what: &str, name: &[u8]) -> Arc<str> {
    cut(&format!("{what}={}", text(name)))
}

/// Of a `TelemetryRecord`: which version of the library wrote the log.
fn version(telemetry: &[u8]) -> Result<Option<Arc<str>>, Malformed> {
    let mut version = None;
    for field in Fields::of(telemetry) {
        if let (5, Wire::Bytes(name)) = field? {
            version = Some(cut(&format!("wandb {}", text(name))));
        }
    }
    Ok(version)
}

/// Of a `GitRepoRecord`: the commit.
fn commit(git: &[u8]) -> Result<Option<Arc<str>>, Malformed> {
    let mut commit = None;
    for field in Fields::of(git) {
        if let (2, Wire::Bytes(hash)) = field? {
            commit = Some(owned(hash)).filter(|hash| !hash.is_empty());
        }
    }
    Ok(commit)
}

/// Takes an `EnvironmentRecord`.
pub(super) fn environment(message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let mut info = RunInfo::default();
    for field in Fields::of(message) {
        match field? {
            (9, Wire::Bytes(git)) => info.git = commit(git)?,
            (12, Wire::Bytes(host)) if !host.is_empty() => info.host = Some(owned(host)),
            _ => {}
        }
    }
    if info != RunInfo::default() {
        out.record(Record::Info(Box::new(info)));
    }
    Ok(())
}

/// Takes a `ConfigRecord`.
pub(super) fn config(message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let settings = config_values(message)?;
    if !settings.is_empty() {
        out.record(Record::Hyperparameters(settings));
    }
    Ok(())
}

fn config_values(message: &[u8]) -> Result<Vec<(Arc<str>, HyperValue)>, Malformed> {
    let mut settings = Vec::new();
    for field in Fields::of(message) {
        let (1, Wire::Bytes(item)) = field? else { continue };
        let Item { path, value } = Item::parse(item)?;
        if path.first().is_none_or(|first| first == "_wandb") || settings.len() >= SETTINGS_LIMIT {
            continue;
        }
        match value {
            Value::Number(number) => settings.push((join(&path), HyperValue::Number(number))),
            Value::Text(text) => settings.push((join(&path), HyperValue::Text(owned(text)))),
            Value::Json(json) => match Json::parse(json) {
                Ok(value) => flatten(&join(&path), &value, &mut settings),
                Err(_) => settings.push((join(&path), HyperValue::Text(owned(json)))),
            },
            Value::Word(json) => {
                if let Ok(value) = Json::parse(json) {
                    flatten(&join(&path), &value, &mut settings);
                }
            }
        }
    }
    Ok(settings)
}

fn join(path: &[Cow<'_, str>]) -> Arc<str> {
    cut(&path.join("."))
}

/// Settings of a nested value, `.` between the names as W&B shows them.
pub(in crate::formats) fn flatten(name: &str, value: &Json<'_>, settings: &mut Vec<(Arc<str>, HyperValue)>) {
    if settings.len() >= SETTINGS_LIMIT {
        return;
    }
    let value = match value {
        Json::Object(object) if object.entries().next().is_some() => {
            return flatten_object(name, object, settings);
        }
        Json::Bool(yes) => HyperValue::Bool(*yes),
        value => value.number().map_or_else(|| HyperValue::Text(cut(&value.spelled())), HyperValue::Number),
    };
    settings.push((cut(name), value));
}

fn flatten_object(name: &str, object: &Object<'_>, settings: &mut Vec<(Arc<str>, HyperValue)>) {
    for (key, value) in object.entries() {
        if name.is_empty() {
            flatten(key, value, settings);
        } else {
            flatten(&format!("{name}.{key}"), value, settings);
        }
    }
}

/// Takes an `AlertRecord`: what the user raised with `run.alert`.
pub(super) fn alert(message: &[u8], step: Step, wall: f64, out: &mut Decoded) -> Result<(), Malformed> {
    let (mut title, mut text, mut level): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Bytes(bytes)) => title = bytes,
            (2, Wire::Bytes(bytes)) => text = bytes,
            (3, Wire::Bytes(bytes)) => level = bytes,
            _ => {}
        }
    }
    out.record(Record::LoggedAlert(LoggedAlert {
        step: Some(step),
        wall: WallTime(wall),
        rule: owned(title),
        severity: owned(level).to_lowercase().into(),
        place: Arc::from(""),
        message: owned(text),
    }));
    Ok(())
}

/// Reads a `RunExitRecord`.
pub(super) fn exit(message: &[u8]) -> Result<EndStatus, Malformed> {
    let mut code = 0;
    for field in Fields::of(message) {
        if let (1, Wire::Varint(n)) = field? {
            code = n;
        }
    }
    Ok(if code == 0 { EndStatus::Finished } else { EndStatus::Failed })
}

/// Takes an `ArtifactRecord`: a model that was saved is an event.
pub(super) fn artifact(message: &[u8], step: Step, wall: f64, out: &mut Decoded) -> Result<(), Malformed> {
    let (mut kind, mut name): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::of(message) {
        match field? {
            (4, Wire::Bytes(bytes)) => kind = bytes,
            (5, Wire::Bytes(bytes)) => name = bytes,
            _ => {}
        }
    }
    if kind == b"model" {
        out.record(Record::Event {
            step: Some(step),
            wall: WallTime(wall),
            kind: Arc::from("checkpoint"),
            value: owned(name),
        });
    } else {
        out.oddity("artifact that is no model");
    }
    Ok(())
}
