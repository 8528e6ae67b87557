//! Tables in long form: one value a row, its metric named in a cell: `step,name,value`.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::rows::unquoted;
use crate::{
    formats::{
        Decoded,
        wire::axes::{Axis, is_name_column, looks_like_metric},
    },
    model::{Point, SeriesKey},
};

/// Different series of one file that are followed.
const KEYS_LIMIT: usize = 1 << 16;
/// Runs of one file that are kept apart.
const RUNS_LIMIT: usize = 1024;
/// Names longer than this are none.
const NAME_LENGTH: usize = 1024;

/// Where name and value stand in a row.
#[derive(Debug)]
pub struct Long {
    name: usize,
    value: usize,
    run: Option<usize>,
    split: Option<usize>,
    keys: FxHashMap<Box<[u8]>, SeriesKey>,
    runs: FxHashSet<Box<[u8]>>,
}

impl Long {
    /// The columns of a table in long form: one names a metric, one holds its value, and no others hold values.
    pub fn of(headers: &[&str]) -> Option<Self> {
        let (mut name, mut value, mut run, mut split) = (None, None, None, None);
        for (at, header) in headers.iter().enumerate() {
            let lower = header.trim().to_ascii_lowercase();
            match lower.as_str() {
                "run" | "run_name" | "run_id" if run.is_none() => run = Some(at),
                "split" | "subset" | "phase" | "mode" if split.is_none() => split = Some(at),
                "value" | "metric_value" if value.is_none() => value = Some(at),
                word if is_name_column(word) && name.is_none() => name = Some(at),
                "type" | "" => {}
                _ if Axis::of(header) != Axis::None => {}
                _ => return None,
            }
        }
        let (keys, runs) = (FxHashMap::default(), FxHashSet::default());
        Some(Self { name: name?, value: value?, run, split, keys, runs })
    }

    /// The place of the value among the cells.
    pub fn value(&self) -> usize {
        self.value
    }

    /// Whether a row has the right kind of cell where the name is.
    pub fn fits(&self, cells: &[&[u8]]) -> bool {
        cells.get(self.name).is_some_and(|name| !name.is_empty() && name.len() <= NAME_LENGTH)
    }

    /// Whether a row names something that looks like a metric.
    pub fn names_metric(&self, cells: &[&[u8]]) -> bool {
        cells.get(self.name).is_some_and(|name| looks_like_metric(&unquoted(name)))
    }

    /// Hands out the value of a row.
    pub fn emit(&mut self, cells: &[&[u8]], point: Point, out: &mut Decoded) {
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).copied().unwrap_or_default();
        let (name, split) = (cell(Some(self.name)), cell(self.split));
        if name.is_empty() || name.len() > NAME_LENGTH || split.len() > NAME_LENGTH {
            return out.oddity("row without the name of its metric");
        }
        let known = [split, b"\0", name].concat();
        if !self.keys.contains_key(known.as_slice()) {
            if self.keys.len() >= KEYS_LIMIT {
                return out.oddity("name beyond the first 65536");
            }
            let key = SeriesKey::new(unquoted(name).as_str(), Arc::from(unquoted(split)));
            self.keys.insert(known.clone().into(), key);
        }
        let run = cell(self.run);
        if !self.runs.contains(run) {
            if self.runs.len() >= RUNS_LIMIT || run.len() > NAME_LENGTH {
                return out.oddity("run beyond the first 1024");
            }
            self.runs.insert(run.into());
        }
        let Some(key) = self.keys.get(known.as_slice()) else { return };
        if self.run.is_some() {
            out.in_run(&unquoted(run));
        }
        out.point(key, point);
        if self.run.is_some() {
            out.in_run("");
        }
    }
}
