//! Keys of the lines of one file, each with its column; and what was found in one line.

use rustc_hash::FxHashMap;

use crate::{
    formats::{
        ColumnIndex, Decoded,
        wire::{
            axes::{Axis, STEP_RANKS, wall_of_number},
            json::unescape,
        },
    },
    model::SeriesKey,
};

/// Different keys of one file that are followed.
const KEYS_LIMIT: usize = 1 << 16;
/// Keys longer than this are not followed.
const KEY_LENGTH: usize = 1024;

/// One key, by its path as it is written.
#[derive(Debug)]
struct Slot {
    path: Box<[u8]>,
    key: SeriesKey,
    axis: Axis,
    total: bool,
    column: Option<(u64, ColumnIndex)>,
    line: u64,
    at: usize,
}

/// All keys of a file so far.
#[derive(Debug, Default)]
pub struct Slots {
    all: Vec<Slot>,
    by_path: FxHashMap<Box<[u8]>, usize>,
    guess: usize,
    turn: u64,
    line: u64,
}

impl Slots {
    /// Columns asked for earlier are void.
    pub fn begin_turn(&mut self) {
        self.turn += 1;
    }

    /// The next line begins.
    pub fn begin_line(&mut self) {
        self.line += 1;
        self.guess = 0;
    }

    /// The slot of a path, made if missing; or why there is none.
    #[inline]
    pub fn find(&mut self, path: &[u8]) -> Result<usize, &'static str> {
        let slot = match self.all.get(self.guess) {
            Some(slot) if *slot.path == *path => self.guess,
            _ => match self.by_path.get(path) {
                Some(slot) => *slot,
                None => self.make(path)?,
            },
        };
        self.guess = slot + 1;
        Ok(slot)
    }

    fn make(&mut self, path: &[u8]) -> Result<usize, &'static str> {
        if path.len() > KEY_LENGTH {
            return Err("key longer than 1024 bytes");
        }
        if self.all.len() >= KEYS_LIMIT {
            return Err("key beyond the first 65536");
        }
        let name = unescape(path);
        self.all.push(Slot {
            path: path.into(),
            axis: Axis::of(&name),
            total: matches!(&*name, "total_steps" | "max_steps" | "steps_total"),
            key: SeriesKey::plain(&*name),
            column: None,
            line: 0,
            at: 0,
        });
        self.by_path.insert(path.into(), self.all.len() - 1);
        Ok(self.all.len() - 1)
    }

    /// Whether a slot's values say nothing but themselves.
    pub fn is_plain(&self, slot: usize) -> bool {
        self.all.get(slot).is_some_and(|s| s.axis == Axis::None && !s.total)
    }

    /// Whether a slot is that of the key `value` at the top.
    pub fn is_value(&self, slot: usize) -> bool {
        self.all.get(slot).is_some_and(|s| &*s.path == b"value")
    }

    /// What a slot's key is for.
    pub fn axis(&self, slot: usize) -> Axis {
        self.all.get(slot).map_or(Axis::None, |s| s.axis)
    }

    /// The column of a slot in this turn's sink.
    #[inline]
    pub fn column(&mut self, slot: usize, out: &mut Decoded) -> ColumnIndex {
        let turn = self.turn;
        let slot = &mut self.all[slot];
        match slot.column {
            Some((made, column)) if made == turn => column,
            _ => {
                let column = out.column(&slot.key);
                slot.column = Some((turn, column));
                column
            }
        }
    }
}

/// Numbers of one line.
#[derive(Debug, Default)]
pub struct Found {
    /// Slot and number, in the order of writing; the last of equal keys.
    pub values: Vec<(usize, f64)>,
    /// Numbers that may be the step, by rank.
    pub steps: [Option<f64>; STEP_RANKS],
    /// Text of the configuration.
    pub configuration: Option<Vec<u8>>,
    /// Planned steps.
    pub steps_total: Option<f64>,
    /// The line says `"mode": "val"`.
    pub validation: bool,
    /// The line says which mode it is of.
    pub has_mode: bool,
    /// The best time of day so far, with its rank.
    pub time: Option<(f64, u8)>,
    /// The metric that the line names beside its value.
    pub name: Option<String>,
    /// The object that is being read is a picture, a table, a histogram of Weights & Biases.
    pub media: bool,
    /// Something of the line was not a number at its own key: the next line has to be looked at as well.
    pub irregular: bool,
}

impl Found {
    /// Forgets the line before.
    pub fn begin(&mut self) {
        self.values.clear();
        self.steps = [None; STEP_RANKS];
        self.configuration = None;
        self.steps_total = None;
        self.validation = false;
        self.has_mode = false;
        self.time = None;
        self.name = None;
        self.media = false;
        self.irregular = false;
    }

    /// Takes back the numbers after the first `kept`.
    pub fn take_back(&mut self, slots: &mut Slots, kept: usize) {
        for (slot, _) in self.values.drain(kept.min(self.values.len())..) {
            if let Some(slot) = slots.all.get_mut(slot) {
                slot.line = 0;
            }
        }
        self.irregular = true;
    }

    /// Notes the numbers of a line whose keys are known: each slot once.
    #[inline]
    pub fn known(&mut self, slots: &Slots, line: &[(usize, bool)], values: &[f64]) {
        self.values.extend(line.iter().zip(values).map(|((slot, _), value)| (*slot, *value)));
        for ((slot, plain), value) in line.iter().zip(values) {
            if !plain && let Some(slot) = slots.all.get(*slot) {
                self.axis(slot.axis, slot.total, *value);
            }
        }
    }

    #[inline]
    fn axis(&mut self, axis: Axis, total: bool, value: f64) {
        match axis {
            Axis::None if total => self.steps_total = Some(value),
            Axis::None => {}
            Axis::Step(rank) => self.steps[usize::from(rank)] = Some(value),
            Axis::Time(rank) => {
                if let Some(wall) = wall_of_number(value) {
                    self.wall(rank, wall);
                }
            }
        }
    }

    /// Notes the number of a slot.
    #[inline]
    pub fn value(&mut self, slots: &mut Slots, at: usize, value: f64) {
        let line = slots.line;
        let Some(slot) = slots.all.get_mut(at) else { return };
        if slot.line == line
            && let Some(earlier) = self.values.get_mut(slot.at)
        {
            earlier.1 = value;
        } else {
            slot.line = line;
            slot.at = self.values.len();
            self.values.push((at, value));
        }
        let (axis, total) = (slot.axis, slot.total);
        self.axis(axis, total, value);
    }

    /// Notes a time of day.
    pub fn wall(&mut self, rank: u8, wall: f64) {
        if self.time.is_none_or(|(_, known)| rank <= known) {
            self.time = Some((wall, rank));
        }
    }
}
