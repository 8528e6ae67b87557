//! Columns of scalar series by run, context and name, remembered from line to line.

use rustc_hash::FxHashMap;

use crate::{
    formats::{ColumnIndex, Decoded},
    model::SeriesKey,
};

/// Series that are remembered; further ones are still read, only slower.
const REMEMBERED: usize = 1 << 16;

/// The memory of columns.
#[derive(Debug, Default)]
pub struct ColumnMemory {
    turn: u64,
    known: FxHashMap<String, (SeriesKey, u64, ColumnIndex)>,
    name: String,
}

impl ColumnMemory {
    /// Places in the sink are void from now on.
    pub fn begin_turn(&mut self) {
        self.turn += 1;
    }

    /// Places in the sink hold within one turn.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// The column of `tag` in `context` of the sink's current run, which is called `run`.
    pub fn column(&mut self, run: &str, context: &str, tag: &str, out: &mut Decoded) -> ColumnIndex {
        self.name.clear();
        for part in [run, "\0", context, "\0", tag] {
            self.name.push_str(part);
        }
        if let Some((key, turn, column)) = self.known.get_mut(&self.name) {
            if *turn != self.turn {
                *column = out.column(key);
                *turn = self.turn;
            }
            return *column;
        }
        let key = SeriesKey::new(tag, context);
        let column = out.column(&key);
        if self.known.len() < REMEMBERED {
            self.known.insert(self.name.clone(), (key, self.turn, column));
        }
        column
    }
}
