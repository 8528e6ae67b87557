//! Rows of the history, and the summary.
//!
//! A row is read in two passes, because its items stand in any order: which dicts have a `_type`, what time it is and
//! where on the x axis the row stands is known only at its end.

use super::{
    items::{Value, item},
    keys::{Keys, Role},
    metrics::Metrics,
    rich::{self, Moment, Parts},
    summary::Waiting,
};
use crate::{
    formats::{
        Decoded,
        wire::{
            blocks::Place,
            json_tree::{Json, Object},
            protobuf::{Fields, Malformed, Wire},
        },
    },
    model::{Point, Step, WallTime},
};

/// What is known of the rows so far.
#[derive(Debug)]
pub(super) struct Rows {
    pub keys: Keys,
    pub metrics: Metrics,
    /// Step and time of the last row.
    pub step: Step,
    pub wall: f64,
    /// Counts rows and summaries.
    row: u64,
    numbers: Vec<(u32, f64)>,
    summary: Waiting,
}

/// Which of the two a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    History,
    Summary,
}

impl Rows {
    pub fn new() -> Self {
        Self {
            keys: Keys::new(""),
            metrics: Metrics::default(),
            step: 0,
            wall: f64::NAN,
            row: 0,
            numbers: Vec::new(),
            summary: Waiting::default(),
        }
    }

    /// Takes a `HistoryRecord`.
    pub fn history(&mut self, message: &[u8], place: Place, out: &mut Decoded) -> Result<(), Malformed> {
        self.begin();
        let (mut said, mut own, mut wall) = (None, None, f64::NAN);
        let (mut texts, mut dicts) = (Vec::new(), false);
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(bytes)) => {
                    let Some((at, value)) = item(bytes, &mut self.keys, out)? else { continue };
                    let Some(slot) = self.keys.slot(at) else { continue };
                    slot.in_history = true;
                    match (slot.role, value) {
                        (Role::Value, Value::Number(number)) => {
                            slot.last = Some(number);
                            self.numbers.push((at, number));
                        }
                        (Role::Value, Value::Json(json)) => texts.push((at, json)),
                        (Role::Type, Value::Json(json)) => {
                            dicts = true;
                            texts.push((at, json));
                            self.mark_dict(at);
                        }
                        (Role::Step, Value::Number(number)) => own = Some(number),
                        (Role::Time, Value::Number(number)) => wall = number,
                        _ => {}
                    }
                }
                (2, Wire::Bytes(step)) => said = Some(number_of_step(step)?),
                _ => {}
            }
        }
        let own = own.and_then(crate::formats::wire::numbers::integer);
        self.step = said.or(own).unwrap_or(self.step);
        self.wall = wall;
        self.emit(&texts, dicts, Kind::History, place, out);
        self.summary.row(self.step, self.wall, &mut self.keys, out);
        Ok(())
    }

    /// The run has ended: nothing more will be said of the values of the summary.
    pub fn end(&mut self, out: &mut Decoded) {
        self.summary.end(self.step, self.wall, &mut self.keys, out);
    }

    /// Takes a `SummaryRecord`: the keys that the history does not have so far.
    pub fn summary(&mut self, message: &[u8], place: Place, out: &mut Decoded) -> Result<(), Malformed> {
        self.begin();
        let (mut texts, mut dicts) = (Vec::new(), false);
        for field in Fields::of(message) {
            let (1, Wire::Bytes(bytes)) = field? else { continue };
            let Some((at, value)) = item(bytes, &mut self.keys, out)? else { continue };
            let Some(slot) = self.keys.slot(at) else { continue };
            match (slot.role, value) {
                // Histograms and tables are in the history as well. `{"min": …, "max": …}` is a dict, too.
                (Role::Value, Value::Json(json)) if rich::is_of_history(json) => {}
                (Role::Value, Value::Json(json)) => texts.push((at, json)),
                _ if slot.in_history => {}
                (Role::Value, Value::Number(number)) => {
                    let news = slot.last.is_none_or(|last| last.to_bits() != number.to_bits());
                    if news {
                        slot.last = Some(number);
                        self.numbers.push((at, number));
                    }
                }
                (Role::Type, Value::Json(json)) => {
                    dicts = true;
                    texts.push((at, json));
                    self.mark_dict(at);
                }
                _ => {}
            }
        }
        self.emit(&texts, dicts, Kind::Summary, place, out);
        Ok(())
    }

    fn begin(&mut self) {
        self.row += 1;
        self.numbers.clear();
    }

    /// The dict of a `_type` stands for something in this row.
    fn mark_dict(&mut self, at: u32) {
        let row = self.row;
        let dict = self.keys.slot(at).and_then(|slot| slot.dicts.last().copied());
        if let Some(dict) = dict.and_then(|dict| self.keys.dict(dict)) {
            dict.row = row;
        }
    }

    fn emit(&mut self, texts: &[(u32, &[u8])], dicts: bool, kind: Kind, place: Place, out: &mut Decoded) {
        let mut parts = Parts::default();
        let numbers = std::mem::take(&mut self.numbers);
        for (at, number) in &numbers {
            match self.standing_for(*at, dicts) {
                Some(dict) => parts.add(dict, self.leaf_within(*at, dict), Json::Number(*number)),
                None => self.number(*at, *number, kind, out),
            }
        }
        self.numbers = numbers;
        for (at, json) in texts {
            let Ok(json) = Json::parse(json) else {
                out.oddity("value that is no JSON");
                continue;
            };
            match (self.standing_for(*at, dicts), json) {
                (Some(dict), json) => parts.add(dict, self.leaf_within(*at, dict), json),
                (None, Json::Object(object)) => self.object(*at, &object, kind, &mut parts, out),
                // Lists, texts: no curves.
                (None, _) => {}
            }
        }
        let (step, wall) = (self.step, WallTime(self.wall));
        for (dict, fields) in parts.in_order(&mut self.keys) {
            let moment = Moment { step: self.keys.step_of_dict(dict, &self.metrics, step), wall, place };
            if kind == Kind::History || rich::only_in_summary(&fields) {
                rich::take(&fields, dict, &mut self.keys, moment, out);
            }
        }
    }

    /// The dict with a `_type` in this row in which a key lies, the outermost if there are several.
    #[inline]
    fn standing_for(&self, at: u32, dicts: bool) -> Option<u32> {
        if dicts { self.keys.dict_marked(at, self.row) } else { None }
    }

    /// The name of a key within a dict: its last part; empty where it lies deeper.
    fn leaf_within(&mut self, at: u32, dict: u32) -> String {
        let slot = self.keys.slot(at);
        slot.filter(|slot| slot.dicts.last() == Some(&dict)).map_or_else(String::new, |s| s.leaf.to_string())
    }

    #[inline]
    fn number(&mut self, at: u32, value: f64, kind: Kind, out: &mut Decoded) {
        if kind == Kind::Summary {
            return self.summary.add(at, value);
        }
        let step = self.keys.step_of(at, &self.metrics, self.step);
        self.keys.push(at, out, Point { step, wall: self.wall, value });
    }

    /// A dict in one piece, as the Python writer had them: stands for something, or holds further values.
    fn object<'a>(
        &mut self,
        at: u32,
        object: &Object<'a>,
        kind: Kind,
        parts: &mut Parts<'a>,
        out: &mut Decoded,
    ) {
        let Some(slot) = self.keys.slot(at) else { return };
        let name = slot.key.tag.clone();
        self.object_at(&mut vec![name.as_str()], object, kind, parts, out);
    }

    fn object_at<'n, 'a>(
        &mut self,
        path: &mut Vec<&'n str>,
        object: &'n Object<'a>,
        kind: Kind,
        parts: &mut Parts<'a>,
        out: &mut Decoded,
    ) {
        if object.text("_type").is_some() {
            if let Some(dict) = self.keys.dict_of(path) {
                for (key, value) in object.entries() {
                    parts.add(dict, key.to_owned(), value.clone());
                }
            }
            return;
        }
        for (key, value) in object.entries() {
            path.push(key);
            match value {
                Json::Object(inner) => self.object_at(path, inner, kind, parts, out),
                value => {
                    if let Some(number) = value.number() {
                        self.nested_number(path, number, kind, out);
                    }
                }
            }
            path.pop();
        }
    }

    fn nested_number(&mut self, path: &[&str], number: f64, kind: Kind, out: &mut Decoded) {
        match self.keys.of_path(path) {
            Ok(at) => {
                let Some(slot) = self.keys.slot(at) else { return };
                if kind == Kind::Summary && slot.in_history {
                    return;
                }
                let news = slot.last.is_none_or(|last| last.to_bits() != number.to_bits());
                slot.last = Some(number);
                slot.in_history |= kind == Kind::History;
                if kind == Kind::History || news {
                    self.number(at, number, kind, out);
                }
            }
            Err(why) => out.oddity(why),
        }
    }
}

fn number_of_step(message: &[u8]) -> Result<Step, Malformed> {
    let mut step = 0;
    for field in Fields::of(message) {
        if let (1, Wire::Varint(n)) = field? {
            step = n.cast_signed();
        }
    }
    Ok(step)
}
