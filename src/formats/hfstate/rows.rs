//! The history of a trainer's state: one object per log call.

use rustc_hash::FxHashMap;

use crate::{
    formats::{
        ColumnIndex, Decoded,
        document::each_member,
        wire::{
            json::{Cursor, DEPTH_LIMIT, JsonError, Kind, unescape},
            numbers::{integer, number},
        },
    },
    model::{Point, SeriesKey, Step},
};

/// What is remembered from row to row.
#[derive(Default)]
pub(super) struct Rows {
    columns: FxHashMap<Vec<u8>, ColumnIndex>,
    numbers: Vec<(Vec<u8>, f64)>,
    last_epoch_at: Option<Step>,
    /// Step of the last row that sums up a whole training.
    pub summary_step: Option<Step>,
}

impl Rows {
    /// Reads the array that comes next, which is known to be well-formed.
    pub fn read(&mut self, cursor: &mut Cursor<'_>, out: &mut Decoded) -> Result<(), JsonError> {
        let mut first = true;
        cursor.open()?;
        while cursor.element(&mut first)? {
            if cursor.kind()? == Kind::Object {
                self.numbers.clear();
                self.object(b"", cursor, 0)?;
                self.emit(out);
            } else {
                cursor.skip(0)?;
                out.oddity("log_history: no object");
            }
        }
        Ok(())
    }

    fn object(&mut self, prefix: &[u8], cursor: &mut Cursor<'_>, depth: usize) -> Result<(), JsonError> {
        if depth > DEPTH_LIMIT {
            return Err(JsonError::TooDeep);
        }
        each_member(cursor, |key, cursor| {
            let name = if prefix.is_empty() { key.to_vec() } else { [prefix, b"/", key].concat() };
            match cursor.kind()? {
                Kind::Number => self.numbers.push((name, cursor.number()?)),
                // from release 5 on, rows that were printed may hold their numbers as texts
                Kind::Text => {
                    if let Some(value) = number(cursor.raw_text()?) {
                        self.numbers.push((name, value));
                    }
                }
                Kind::Object => self.object(&name, cursor, depth + 1)?,
                _ => cursor.skip(0)?,
            }
            Ok(())
        })
    }

    fn emit(&mut self, out: &mut Decoded) {
        let step = self.numbers.iter().find(|(name, _)| name == b"step").and_then(|(_, step)| integer(*step));
        let Some(step) = step else {
            out.oddity("log_history: a row without step");
            return;
        };
        for (name, value) in std::mem::take(&mut self.numbers) {
            match &*name {
                b"step" => continue,
                // rows of training and evaluation at one step say the same epoch
                b"epoch" if self.last_epoch_at.replace(step) == Some(step) => continue,
                b"train_runtime" => self.summary_step = Some(step),
                _ => {}
            }
            let column = match self.columns.get(&name) {
                Some(column) => *column,
                None => {
                    let column = out.column(&SeriesKey::plain(&*unescape(&name)));
                    self.columns.insert(name, column);
                    column
                }
            };
            out.push(column, Point { step, wall: f64::NAN, value });
        }
    }
}
