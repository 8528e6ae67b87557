//! Which files are JSON lines of metrics, from their name and start.

use super::prefix;
use crate::formats::{
    Candidate, Claim, HEAD_BYTES,
    wire::{
        axes::{Axis, looks_like_metric},
        json::{Cursor, JsonError, Kind, unescape},
        lines::{named, trim, whole_lines, without_mark},
        numbers::number,
    },
};

const NOT_LINES: &str = "one JSON document, not one object per line";

/// Decides. A name ending in `.jsonl` or `.ndjson` needs a line that looks like metrics; `.json`, `.log` and
/// `.txt` need a line with a step, because data sets and configurations have such names too.
pub fn claim(file: &Candidate<'_>) -> Claim {
    let lines_by_name = named(file.name, ".jsonl") || named(file.name, ".ndjson");
    let maybe = [".json", ".log", ".txt", ".out"].iter().any(|end| named(file.name, end));
    if !lines_by_name && !maybe || file.name == "wandb-summary.json" {
        return Claim::No("");
    }
    if file.name.starts_with("experiment_state-") || file.name.starts_with("basic-variant-state-") {
        return Claim::No("Ray Tune's own notes on all trials, each of which has a log");
    }
    let head = trim(without_mark(file.head));
    let Some(first) = head.first() else { return Claim::NotYet };
    match first {
        b'{' => {}
        b'[' if lines_by_name || named(file.name, ".json") => {
            return Claim::No("a JSON array, not one object per line");
        }
        _ if prefixed(file.head) => return Claim::Yes,
        _ if lines_by_name => return Claim::No("the first line is no JSON object"),
        _ => return Claim::No(""),
    }
    let found = look(file);
    match found.line {
        _ if found.metrics && (lines_by_name || found.step) => Claim::Yes,
        LineState::Whole => {
            if found.metrics {
                Claim::No("no step in the first lines")
            } else {
                Claim::No("no metrics in the first lines")
            }
        }
        LineState::Document => Claim::No(NOT_LINES),
        LineState::Broken => Claim::No("the first line is no JSON object"),
        LineState::Cut if file.head.len() < HEAD_BYTES => Claim::NotYet,
        LineState::Cut => Claim::No("no metrics in the first 4096 bytes"),
    }
}

/// Whether some line of a head that does not begin with an object ends in one that holds metrics and a step.
fn prefixed(head: &[u8]) -> bool {
    whole_lines(head, false).split(|b| *b == b'\n').map(trim).any(|line| {
        let Some((_, object)) = prefix::split(line) else { return false };
        let mut finds = Finds::default();
        let mut cursor = Cursor::new(object);
        let whole = finds.object(&mut cursor, "", 0).and_then(|()| cursor.end()).is_ok();
        // fairseq writes its numbers as texts
        whole && (finds.step || finds.step_text) && (finds.named || finds.named_text)
    })
}

enum LineState {
    Whole,
    Cut,
    Document,
    Broken,
}

struct Look {
    line: LineState,
    metrics: bool,
    step: bool,
}

/// Looks into the whole lines of the head, or into the beginning of a first line that is longer.
fn look(file: &Candidate<'_>) -> Look {
    let head = without_mark(file.head);
    let whole = whole_lines(head, false);
    let mut found = Look { line: LineState::Cut, metrics: false, step: false };
    for line in whole.split(|b| *b == b'\n').map(trim).filter(|l| !l.is_empty()) {
        let mut finds = Finds::default();
        let mut cursor = Cursor::new(line);
        match finds.object(&mut cursor, "", 0).and_then(|()| cursor.end()) {
            Ok(()) => found.line = LineState::Whole,
            Err(JsonError::Unfinished) if matches!(found.line, LineState::Cut) => {
                found.line = LineState::Document;
                return found;
            }
            Err(_) if matches!(found.line, LineState::Cut) => {
                found.line = LineState::Broken;
                return found;
            }
            Err(_) => continue,
        }
        found.metrics |= finds.looks_like_metrics();
        found.step |= finds.step;
        if found.metrics && found.step {
            return found;
        }
    }
    if matches!(found.line, LineState::Cut) && (file.head.len() >= HEAD_BYTES || file.whole) {
        let mut finds = Finds::default();
        let mut cursor = Cursor::new(trim(head));
        let finished = finds.object(&mut cursor, "", 0).and_then(|()| cursor.end());
        // the end of a file that has no line feed yet: only a whole object counts
        if file.head.len() >= HEAD_BYTES || finished.is_ok() {
            found.metrics = finds.looks_like_metrics();
            found.step = finds.step;
        }
        // a configuration in one line must not be waited for
        if finished.is_ok() && named(file.name, ".json") {
            found.line = LineState::Whole;
        }
    }
    found
}

#[derive(Default)]
struct Finds {
    numbers: usize,
    texts: usize,
    named: bool,
    step: bool,
    named_text: bool,
    step_text: bool,
}

impl Finds {
    /// A step or the name of a metric, or nothing but numbers.
    fn looks_like_metrics(&self) -> bool {
        self.numbers > 0 && (self.step || self.named || (self.texts == 0 && self.numbers > 1))
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, prefix: &str, depth: usize) -> Result<(), JsonError> {
        let mut first = true;
        if cursor.kind()? != Kind::Object {
            return Err(JsonError::Unexpected);
        }
        cursor.open()?;
        while let Some(key) = cursor.key(&mut first)? {
            let key = unescape(key);
            let path = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}/{key}") };
            match cursor.kind()? {
                Kind::Object if depth < 8 => self.object(cursor, &path, depth + 1)?,
                Kind::Number => {
                    cursor.number()?;
                    self.numbers += 1;
                    self.step |= Axis::of(&path).is_step();
                    self.named |= looks_like_metric(&path);
                }
                Kind::Text => {
                    let number = number(trim(cursor.raw_text()?)).is_some();
                    self.texts += 1;
                    self.step_text |= number && Axis::of(&path).is_step();
                    self.named_text |= number && looks_like_metric(&path);
                }
                _ => cursor.skip(depth)?,
            }
        }
        Ok(())
    }
}
