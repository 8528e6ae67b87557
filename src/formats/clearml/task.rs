//! `task.json`: what the task is called, how it was set, and how it ended if the writer knew.

use std::sync::Arc;

use crate::{
    formats::{
        Decoded,
        document::{Unread, whole_json},
        wire::{
            json_tree::{Json, Object},
            numbers::number,
        },
    },
    model::{EndStatus, HyperValue, Record, RunInfo},
};

/// Settings that are kept.
const SETTINGS_LIMIT: usize = 4096;
/// Labels that are kept.
const LABELS_LIMIT: usize = 256;

pub(super) fn task(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let task = json.object().ok_or(Unread::Broken("a task that is no object"))?;
    let text = |key| task.text(key).filter(|text: &&str| !text.is_empty()).map(Arc::from);
    let labels = task.get("tags").and_then(Json::elements);
    let labels = labels.map(|l| l.iter().filter_map(Json::text).take(LABELS_LIMIT).map(Arc::from).collect());
    let script = task.get("script").and_then(Json::object);
    out.record(Record::Info(Box::new(RunInfo {
        name: text("name"),
        id: text("id"),
        task: text("type"),
        git: script.and_then(|s| s.text("version_num")).filter(|git| !git.is_empty()).map(Arc::from),
        labels: labels.unwrap_or_default(),
        ..RunInfo::default()
    })));
    let settings = settings(task);
    if !settings.is_empty() {
        out.record(Record::Hyperparameters(settings));
    }
    match task.text("status") {
        Some("completed" | "closed" | "published") => out.record(Record::End(EndStatus::Finished)),
        Some("failed" | "stopped") => out.record(Record::End(EndStatus::Failed)),
        _ => {}
    }
    out.count_records(1);
    Ok(())
}

/// `hyperparams: {section: {name: {value, type}}}`. What a program connects without a name for it stands in the section
/// `General`, which says nothing.
fn settings(task: &Object<'_>) -> Vec<(Arc<str>, HyperValue)> {
    let mut settings = Vec::new();
    let sections = task.get("hyperparams").and_then(Json::object);
    for (section, parameters) in sections.iter().flat_map(|sections| sections.entries()) {
        let parameters = parameters.object();
        for (name, parameter) in parameters.iter().flat_map(|p| p.entries()) {
            let value = parameter.object().and_then(|p| p.get("value"));
            if let Some(value) = value
                && settings.len() < SETTINGS_LIMIT
            {
                let name = if section == "General" { name.to_owned() } else { format!("{section}/{name}") };
                settings.push((Arc::from(name), typed(value)));
            }
        }
    }
    settings
}

/// Values are texts, whatever they were.
fn typed(value: &Json<'_>) -> HyperValue {
    let text = value.spelled();
    match text.as_str() {
        "True" | "true" => HyperValue::Bool(true),
        "False" | "false" => HyperValue::Bool(false),
        _ => number(text.as_bytes()).map_or_else(|| HyperValue::Text(text.into()), HyperValue::Number),
    }
}
