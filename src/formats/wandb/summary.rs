//! Of the summary, what the history does not have: what the user set (`run.summary["best"]`) and the least and
//! greatest values that `define_metric` asked for.
//!
//! W&B writes the summary of a row *before* the row itself, once more with every value of it, so that a value waits: it
//! is passed on when the row after the next has come, or the end, and no row had its key by then. Of a value that
//! changes sooner the last one stays.

use std::collections::BTreeMap;

use super::keys::Keys;
use crate::{
    formats::Decoded,
    model::{Point, Step},
};

/// Values that wait. Bounded by the number of keys.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By slot, which is the order in which keys first came.
    all: BTreeMap<u32, Value>,
}

#[derive(Debug)]
struct Value {
    number: f64,
    /// Step and time of the row that came next.
    row: Option<(Step, f64)>,
}

impl Waiting {
    /// A value of the summary.
    pub fn add(&mut self, slot: u32, number: f64) {
        self.all.insert(slot, Value { number, row: None });
    }

    /// A row of the history was read.
    #[inline]
    pub fn row(&mut self, step: Step, wall: f64, keys: &mut Keys, out: &mut Decoded) {
        if !self.all.is_empty() {
            self.settle(false, step, wall, keys, out);
        }
    }

    /// The run has ended.
    pub fn end(&mut self, step: Step, wall: f64, keys: &mut Keys, out: &mut Decoded) {
        self.settle(true, step, wall, keys, out);
    }

    fn settle(&mut self, at_end: bool, step: Step, wall: f64, keys: &mut Keys, out: &mut Decoded) {
        self.all.retain(|slot, value| {
            let Some(slot) = keys.slot(*slot).filter(|slot| !slot.in_history) else { return false };
            if value.row.is_none() && !at_end {
                value.row = Some((step, wall));
                return true;
            }
            let (step, wall) = value.row.unwrap_or((step, wall));
            out.point(&slot.key, Point { step, wall, value: value.number });
            false
        });
    }
}
