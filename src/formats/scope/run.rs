//! Records about the run as a whole, texts, events and the trainer's own alerts.

use std::sync::Arc;

use super::{
    envelope::Envelope,
    record::{Reason, unknown_keys},
};
use crate::{
    formats::{
        Decoded,
        wire::json_tree::{Json, Object, settings},
    },
    model::{EndStatus, Goal, LoggedAlert, Record, RunInfo, Tag, TextRecord},
};

/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;
/// Labels of a run that are kept.
const LABELS_LIMIT: usize = 256;

fn owned(text: &str) -> Arc<str> {
    Arc::from(cut(text, TEXT_LIMIT))
}

/// The first `limit` bytes of a text, never ending within a character.
fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// `run`
pub fn info(record: &Object<'_>, out: &mut Decoded) {
    const KEYS: &[&str] = &[
        "name",
        "id",
        "segment",
        "started",
        "task",
        "framework",
        "git",
        "host",
        "tags",
        "goal",
        "steps_total",
        "epochs_total",
        "steps_per_epoch",
    ];
    unknown_keys("run", record, KEYS, out);
    let text = |key| record.text(key).map(owned);
    let number = |key| record.number(key).filter(|n: &f64| n.is_finite());
    let labels = match record.get("tags").and_then(Json::elements) {
        Some(labels) => labels.iter().filter_map(Json::text).take(LABELS_LIMIT).map(owned).collect(),
        None => Vec::new(),
    };
    let goal = record.get("goal").and_then(Json::object).and_then(|goal| aim(goal, out));
    out.record(Record::Info(Box::new(RunInfo {
        name: text("name"),
        id: text("id"),
        task: text("task"),
        framework: text("framework"),
        host: text("host"),
        git: text("git"),
        started: number("started"),
        steps_total: record.integer("steps_total"),
        epochs_total: number("epochs_total"),
        steps_per_epoch: number("steps_per_epoch"),
        goal,
        labels,
        segment: record.integer("segment"),
    })));
}

fn aim(goal: &Object<'_>, out: &mut Decoded) -> Option<(Tag, Goal)> {
    let metric = Tag::new(owned(goal.text("metric")?));
    match goal.text("mode") {
        Some("min") => Some((metric, Goal::Min)),
        Some("max") => Some((metric, Goal::Max)),
        _ => {
            out.oddity("run.goal without mode `min` or `max`");
            None
        }
    }
}

/// `hparams`
pub fn hyperparameters(record: &Object<'_>, out: &mut Decoded) -> Result<(), Reason> {
    let values = record.get("values").and_then(Json::object).ok_or("hparams without an object `values`")?;
    unknown_keys("hparams", record, &["values"], out);
    out.record(Record::Hyperparameters(settings(values)));
    Ok(())
}

/// `text`
pub fn text(record: &Object<'_>, envelope: &Envelope, out: &mut Decoded) -> Result<(), Reason> {
    let text = record.text("v").ok_or("a text record without a text `v`")?;
    unknown_keys("text", record, &["name", "v", "id"], out);
    out.record(Record::Text(TextRecord {
        tag: Tag::from(record.text("name").unwrap_or("text")),
        step: envelope.step.unwrap_or(0),
        wall: envelope.wall,
        text: owned(text),
    }));
    Ok(())
}

/// `event`; of kind `end` it says how the run ended.
pub fn event(record: &Object<'_>, envelope: &Envelope, out: &mut Decoded) -> Result<(), Reason> {
    let kind = record.text("kind").ok_or("an event without its `kind`")?;
    unknown_keys("event", record, &["kind", "v", "status"], out);
    if kind == "end" {
        let failed = record.text("status").is_some_and(|status| status != "finished");
        out.record(Record::End(if failed { EndStatus::Failed } else { EndStatus::Finished }));
    } else {
        out.record(Record::Event {
            step: envelope.step,
            wall: envelope.wall,
            kind: owned(kind),
            value: record.get("v").map_or_else(|| Arc::from(""), |v| owned(&v.spelled())),
        });
    }
    Ok(())
}

/// `alert`
pub fn alert(record: &Object<'_>, envelope: &Envelope, out: &mut Decoded) -> Result<(), Reason> {
    let rule = record.text("rule").ok_or("an alert without its `rule`")?;
    unknown_keys("alert", record, &["rule", "severity", "where", "msg", "evidence", "by"], out);
    let text = |key| owned(record.text(key).unwrap_or_default());
    out.record(Record::LoggedAlert(LoggedAlert {
        step: envelope.step,
        wall: envelope.wall,
        rule: owned(rule),
        severity: text("severity"),
        place: text("where"),
        message: text("msg"),
    }));
    Ok(())
}
