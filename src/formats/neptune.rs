//! Neptune's offline folder: `.neptune/offline/run__<id>…/data-<n>.log`, an operation per line.
//!
//! `{"obj": {"type": "LogFloats", "path": ["train", "loss"], "values": [{"value": …, "step": …, "ts": …}]}, …}`; a
//! value without step takes the one after the last. Everything that is assigned once is a hyper-parameter. Source:
//! `neptune-ai/neptune-client`, `neptune/internal/operation.py` and `disk_queue.py`. Neptune's service has ended, so
//! that these folders are the past.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    by_line::{ByLine, Place, ReadLine},
    document::first_keys,
    wire::{
        json_tree::{Json, Object},
        lines::named,
        numbers::integer,
    },
};
use crate::model::{HyperValue, Point, Record, RunInfo, SeriesKey, Step, Tag, TextRecord, WallTime};

/// Series whose last step is remembered.
const SERIES_LIMIT: usize = 1 << 16;
/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;

/// `data-1.log`
pub struct Neptune;

impl Format for Neptune {
    fn name(&self) -> &'static str {
        "neptune"
    }

    fn summary(&self) -> &'static str {
        "Neptune's offline folder (`data-1.log`, neptune 1.x)"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["data-*.log"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if !file.name.starts_with("data-") || !named(file.name, ".log") {
            return Claim::No("");
        }
        let keys = first_keys(file.head);
        match keys.first().is_some_and(|key| key == "obj") {
            true => Claim::Yes,
            false if file.head.is_empty() => Claim::NotYet,
            false => Claim::No("no operations of Neptune"),
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::folder(0)
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(ByLine::new(Operations::default()))
    }
}

/// Reads operations.
#[derive(Default)]
struct Operations {
    /// The last step of each series.
    steps: FxHashMap<String, Step>,
}

impl ReadLine for Operations {
    fn line(&mut self, text: &[u8], _: Place, out: &mut Decoded) -> Result<(), &'static str> {
        let json = Json::parse(text).map_err(super::wire::json::JsonError::reason)?;
        let entry = json.object().and_then(|o| o.get("obj")).and_then(Json::object);
        let operation = entry.ok_or("no operation of Neptune")?;
        let path = operation.get("path").and_then(Json::elements).ok_or("an operation without path")?;
        let path = path.iter().filter_map(Json::name).collect::<Vec<_>>().join("/");
        match operation.text("type").unwrap_or_default() {
            "LogFloats" => self.floats(&path, operation, out),
            "LogStrings" => strings(&path, operation, out),
            kind if kind.starts_with("Assign") => assign(&path, operation, out),
            kind => out.oddity(&format!("operation {kind}")),
        }
        out.count_records(1);
        Ok(())
    }
}

impl Operations {
    fn floats(&mut self, path: &str, operation: &Object<'_>, out: &mut Decoded) {
        let Some(values) = operation.get("values").and_then(Json::elements) else { return };
        let column = out.column(&SeriesKey::plain(Tag::from(path)));
        for value in values.iter().filter_map(Json::object) {
            let last = self.steps.get(path).copied();
            let next = last.map_or(0, |last| last.saturating_add(1));
            let step = value.number("step").and_then(integer).unwrap_or(next);
            if last.is_some() || self.steps.len() < SERIES_LIMIT {
                self.steps.insert(path.to_owned(), step);
            }
            match value.number("value") {
                Some(number) => {
                    out.push(column, Point { step, wall: wall(value).0, value: number });
                }
                None => out.oddity("a float that is no number"),
            }
        }
    }
}

fn wall(value: &Object<'_>) -> WallTime {
    value.number("ts").map_or(WallTime::UNKNOWN, WallTime)
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LIMIT)).unwrap_or(text)
}

fn strings(path: &str, operation: &Object<'_>, out: &mut Decoded) {
    let Some(values) = operation.get("values").and_then(Json::elements) else { return };
    for value in values.iter().filter_map(Json::object) {
        let Some(text) = value.text("value") else { continue };
        out.record(Record::Text(TextRecord {
            tag: Tag::from(path),
            step: value.number("step").and_then(integer).unwrap_or(0),
            wall: wall(value),
            text: cut(text).into(),
        }));
    }
}

fn assign(path: &str, operation: &Object<'_>, out: &mut Decoded) {
    let info = match (path, operation.text("value")) {
        // what Neptune calls a run that nobody named
        ("sys/name", Some("Untitled" | "")) | ("sys/description", Some("")) => return,
        ("sys/name", Some(name)) => RunInfo { name: Some(cut(name).into()), ..RunInfo::default() },
        ("sys/hostname", Some(host)) => RunInfo { host: Some(cut(host).into()), ..RunInfo::default() },
        _ => {
            let value = match operation.get("value") {
                Some(Json::Bool(value)) => HyperValue::Bool(*value),
                Some(Json::Number(value)) => HyperValue::Number(*value),
                Some(other) => HyperValue::Text(cut(&other.spelled()).into()),
                None => return,
            };
            // what Neptune notes about the process is no setting
            if !path.starts_with("monitoring/") && !path.starts_with("sys/") {
                out.record(Record::Hyperparameters(vec![(path.into(), value)]));
            }
            return;
        }
    };
    out.record(Record::Info(Box::new(info)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_step_are_counted_on() {
        let lines = concat!(
            r#"{"obj": {"type": "LogFloats", "path": ["a", "b"], "values": [{"value": 1, "step": 5, "ts": 1795458569.5}]}}"#,
            "\n",
            r#"{"obj": {"type": "LogFloats", "path": ["a", "b"], "values": [{"value": NaN, "step": null, "ts": 1}]}}"#,
            "\n",
            r#"{"obj": {"type": "AssignString", "path": ["sys", "name"], "value": "night"}}"#,
            "\n",
            r#"{"obj": {"type": "AssignFloat", "path": ["params", "lr"], "value": 0.1}}"#,
            "\n",
        );
        let mut out = Decoded::new();
        let mut decoder = Neptune.decoder(&Opening::at(Path::new("data-1.log")));
        decoder.decode(lines.as_bytes(), &mut out).unwrap();
        let part = &out.take().parts[0];
        let steps: Vec<_> = part.columns[0].points.iter().map(|p| p.step).collect();
        assert_eq!((part.columns[0].key.label().as_str(), steps), ("a/b", vec![5, 6]));
        assert!(part.columns[0].points[1].value.is_nan());
        let Record::Info(info) = &part.records[0] else { panic!("{:?}", part.records) };
        assert_eq!(info.name.as_deref(), Some("night"));
        let lr = vec![("params/lr".into(), HyperValue::Number(0.1))];
        assert_eq!(part.records[1], Record::Hyperparameters(lr));
    }
}
