//! `run.json`, `config.json`, `info.json`: what the run is, how it was set, how it ended.

use std::sync::Arc;

use crate::{
    formats::{
        Decoded,
        document::{Unread, whole_json},
        wire::{
            axes::wall_of_text,
            json_tree::{Json, Object, settings},
        },
    },
    model::{EndStatus, LoggedAlert, Record, RunInfo, Tag, TextRecord, WallTime},
};

/// Entries of `info.json` that are kept.
const NOTES_LIMIT: usize = 64;
/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;

fn object<'j, 'a>(json: &'j Json<'a>) -> Result<&'j Object<'a>, Unread> {
    json.object().ok_or(Unread::Broken("a JSON document that is no object"))
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LIMIT)).unwrap_or(text)
}

/// `id` is the name of the folder, which Sacred counts up.
pub(super) fn run(id: Option<&str>, bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let run = object(&json)?;
    out.count_records(1);
    out.record(Record::Info(Box::new(info_of(run, id))));
    let stopped = run.text("stop_time").and_then(wall_of_text).map_or(WallTime::UNKNOWN, WallTime);
    if let Some(result) = run.get("result") {
        let value = Arc::from(cut(&result.spelled()));
        out.record(Record::Event { step: None, wall: stopped, kind: Arc::from("result"), value });
    }
    if let Some(message) = run.get("fail_trace").and_then(last_line) {
        out.record(Record::LoggedAlert(LoggedAlert {
            step: None,
            wall: stopped,
            rule: Arc::from("fail_trace"),
            severity: Arc::from("error"),
            place: Arc::from(""),
            message,
        }));
    }
    match run.text("status") {
        Some("COMPLETED") => out.record(Record::End(EndStatus::Finished)),
        // INTERRUPTED, TIMEOUT, and whatever else an experiment calls its interruptions
        Some(status) if !matches!(status, "RUNNING" | "QUEUED") => {
            out.record(Record::End(EndStatus::Failed));
        }
        _ => {}
    }
    Ok(())
}

fn info_of(run: &Object<'_>, id: Option<&str>) -> RunInfo {
    let experiment = run.get("experiment").and_then(Json::object);
    let host = run.get("host").and_then(Json::object);
    let name = experiment.and_then(|e| e.text("name"));
    // all runs of an experiment have its name: the number tells them apart
    let name = match (name, id) {
        (Some(name), Some(id)) => Some(format!("{name}/{id}")),
        (name, _) => name.map(str::to_owned),
    };
    let options = run.get("meta").and_then(Json::object).and_then(|meta| meta.get("options"));
    let comment = options.and_then(Json::object).and_then(|options| options.text("--comment"));
    RunInfo {
        name: name.map(Arc::from),
        id: id.map(Arc::from),
        host: host.and_then(|h| h.text("hostname")).map(Arc::from),
        git: experiment.and_then(commit),
        started: run.text("start_time").and_then(wall_of_text),
        labels: comment.map(|comment| vec![Arc::from(cut(comment))]).unwrap_or_default(),
        ..RunInfo::default()
    }
}

fn commit(experiment: &Object<'_>) -> Option<Arc<str>> {
    let repositories = experiment.get("repositories")?.elements()?;
    repositories.first()?.object()?.text("commit").map(Arc::from)
}

/// The last line of a traceback says what went wrong.
fn last_line(trace: &Json<'_>) -> Option<Arc<str>> {
    let lines = trace.elements()?;
    let last = lines.iter().rev().filter_map(Json::text).map(str::trim).find(|line| !line.is_empty())?;
    Some(Arc::from(cut(last)))
}

pub(super) fn config(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    out.record(Record::Hyperparameters(settings(object(&json)?)));
    out.count_records(1);
    Ok(())
}

pub(super) fn info(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    for (key, value) in object(&json)?.entries().take(NOTES_LIMIT) {
        out.record(Record::Text(TextRecord {
            tag: Tag::new(format!("info/{key}")),
            step: 0,
            wall: WallTime::UNKNOWN,
            text: Arc::from(cut(&value.spelled())),
        }));
    }
    out.count_records(1);
    Ok(())
}
