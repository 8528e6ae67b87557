//! The series of one file by the bytes that name them: a table from names to columns, for formats whose records carry
//! the name of their series.

use rustc_hash::FxHashMap;

use crate::{
    formats::{ColumnIndex, Decoded},
    model::{Point, SeriesKey},
};

/// Different names of one file that are followed; after that everything is forgotten and learnt anew.
const NAMES_KEPT: usize = 1 << 16;

/// Names longer than this are none.
pub const NAME_LIMIT: usize = 4096;

/// The table. Bounded.
#[derive(Debug, Default)]
pub struct SeriesTable {
    all: Vec<(SeriesKey, Option<(u64, ColumnIndex)>)>,
    by_name: FxHashMap<Box<[u8]>, usize>,
}

impl SeriesTable {
    /// Adds a point to the series of that name; `key` says which one that is, the first time.
    #[inline]
    pub fn push(&mut self, name: &[u8], key: impl FnOnce() -> SeriesKey, point: Point, out: &mut Decoded) {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None if name.len() > NAME_LIMIT => return out.oddity("name longer than 4096 bytes"),
            None => self.add(name, key()),
        };
        let Some((key, column)) = self.all.get_mut(at) else { return };
        let generation = out.generation();
        let column = match *column {
            Some((known, column)) if known == generation => column,
            _ => {
                let new = out.column(key);
                *column = Some((generation, new));
                new
            }
        };
        out.push(column, point);
    }

    fn add(&mut self, name: &[u8], key: SeriesKey) -> usize {
        if self.all.len() >= NAMES_KEPT {
            *self = Self::default();
        }
        self.by_name.insert(name.into(), self.all.len());
        self.all.push((key, None));
        self.all.len() - 1
    }
}
