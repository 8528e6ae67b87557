//! The keys of one file, each with its series; and the dicts that keys lie in.
//!
//! wandb-core writes every key as a path of `nested_key` fields and every dict as one item for each leaf; the older
//! Python writer has one `key` with the dict's JSON. A path's parts may themselves hold dots and slashes
//! (`parameters/0.bias`), hence paths are kept apart by their parts and joined with `.` only for people.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::metrics::Metrics;
use crate::{
    formats::{ColumnIndex, Decoded},
    model::{LayerSubject, Point, SeriesKey, Step, Tag},
};

/// Different keys of one file that are followed.
const KEYS_LIMIT: usize = 1 << 16;
/// Bytes of a path that can be a name.
const PATH_LIMIT: usize = 4096;
/// Deeper than this no dict is followed.
const DEPTH_LIMIT: usize = 32;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Logged by the user.
    Value,
    /// W&B's own; begins with an underscore.
    Hidden,
    /// `_step`
    Step,
    /// `_timestamp`
    Time,
    /// `_type` of a dict that stands for a histogram, a table, a picture.
    Type,
}

/// One key.
#[derive(Debug)]
pub(super) struct Slot {
    pub key: SeriesKey,
    pub role: Role,
    /// The dicts that it lies in, outermost first.
    pub dicts: Box<[u32]>,
    /// The last part of its path.
    pub leaf: Box<str>,
    /// Was in a history row.
    pub in_history: bool,
    /// Its last number.
    pub last: Option<f64>,
    /// The key whose value is the step of this one's points, as of that version of the definitions.
    axis: (u32, Option<u32>),
    column: Option<(u64, ColumnIndex)>,
}

/// One dict.
#[derive(Debug)]
pub(super) struct Dict {
    /// Its path, joined.
    pub name: Arc<str>,
    /// The row in which it last had a `_type`.
    pub row: u64,
    axis: (u32, Option<u32>),
    subject: Option<LayerSubject>,
}

impl Dict {
    /// The layer that it speaks of, if it is a histogram.
    pub fn subject(&mut self) -> &LayerSubject {
        let name = &self.name;
        self.subject.get_or_insert_with(|| LayerSubject::of_tag(&Tag::new(Arc::clone(name))))
    }
}

/// All keys of a file so far. Bounded.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Set before each name.
    prefix: &'static str,
    slots: Vec<Slot>,
    dicts: Vec<Dict>,
    /// By the bytes of the fields that name the key, as they stand in a record.
    by_fields: FxHashMap<Box<[u8]>, u32>,
    by_path: FxHashMap<Box<[u8]>, u32>,
    dicts_by_path: FxHashMap<Box<[u8]>, u32>,
}

impl Keys {
    /// No keys yet; `prefix` is set before the name of each.
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    #[inline]
    pub fn slot(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)
    }

    #[inline]
    pub fn dict(&mut self, at: u32) -> Option<&mut Dict> {
        self.dicts.get_mut(at as usize)
    }

    /// The slot of a key by the bytes that name it.
    #[inline]
    pub fn known(&self, fields: &[u8]) -> Option<u32> {
        self.by_fields.get(fields).copied()
    }

    /// Makes a slot known by the bytes that name it.
    pub fn remember(&mut self, fields: &[u8], slot: u32) {
        if self.by_fields.len() < 2 * KEYS_LIMIT {
            self.by_fields.insert(fields.into(), slot);
        }
    }

    /// The slot of a path, made if missing; or why there is none.
    pub fn of_path(&mut self, path: &[&str]) -> Result<u32, &'static str> {
        let length: usize = path.iter().map(|part| part.len()).sum();
        if length > PATH_LIMIT || path.len() > DEPTH_LIMIT {
            return Err("key longer than 4096 bytes");
        }
        let bytes = spelled(path);
        if let Some(slot) = self.by_path.get(&*bytes) {
            return Ok(*slot);
        }
        let (Some(first), Some(last)) = (path.first(), path.last()) else { return Err("item without a key") };
        if self.slots.len() >= KEYS_LIMIT {
            return Err("key beyond the first 65536");
        }
        let role = match (*first, *last) {
            ("_step", _) if path.len() == 1 => Role::Step,
            ("_timestamp", _) if path.len() == 1 => Role::Time,
            (hidden, _) if hidden.starts_with('_') => Role::Hidden,
            (_, "_type") => Role::Type,
            _ => Role::Value,
        };
        let dicts = (1..path.len()).filter_map(|n| self.dict_of(path.get(..n)?)).collect();
        let name = format!("{}{}", self.prefix, path.join("."));
        let slot = self.slots.len() as u32;
        self.slots.push(Slot {
            key: SeriesKey::plain(name.as_str()),
            role,
            dicts,
            leaf: Box::from(*last),
            in_history: false,
            last: None,
            axis: (0, None),
            column: None,
        });
        self.by_path.insert(bytes, slot);
        Ok(slot)
    }

    /// The dict of a path, made if missing.
    pub fn dict_of(&mut self, path: &[&str]) -> Option<u32> {
        let bytes = spelled(path);
        if let Some(dict) = self.dicts_by_path.get(&*bytes) {
            return Some(*dict);
        }
        if self.dicts.len() >= KEYS_LIMIT {
            return None;
        }
        let dict = self.dicts.len() as u32;
        let name = path.join(".").into();
        self.dicts.push(Dict { name, row: 0, axis: (0, None), subject: None });
        self.dicts_by_path.insert(bytes, dict);
        Some(dict)
    }

    /// The outermost dict around a key that was marked in `row`.
    pub fn dict_marked(&self, slot: u32, row: u64) -> Option<u32> {
        let around = &self.slots.get(slot as usize)?.dicts;
        around.iter().copied().find(|dict| self.dicts.get(*dict as usize).is_some_and(|d| d.row == row))
    }

    /// The step of a key's points in a row of that step.
    #[inline]
    pub fn step_of(&mut self, slot: u32, metrics: &Metrics, step: Step) -> Step {
        if metrics.is_empty() {
            return step;
        }
        let Some(known) = self.slots.get_mut(slot as usize) else { return step };
        if known.axis.0 != metrics.version() {
            known.axis = (metrics.version(), metrics.axis_of(known.key.tag.as_str(), slot));
        }
        self.value_of_axis(known_axis(&self.slots, slot), step)
    }

    /// The step of a dict in a row of that step.
    pub fn step_of_dict(&mut self, dict: u32, metrics: &Metrics, step: Step) -> Step {
        let Some(known) = self.dicts.get_mut(dict as usize) else { return step };
        if known.axis.0 != metrics.version() {
            known.axis = (metrics.version(), metrics.axis_of(&known.name, u32::MAX));
        }
        let axis = known.axis.1;
        self.value_of_axis(axis, step)
    }

    #[inline]
    fn value_of_axis(&self, axis: Option<u32>, step: Step) -> Step {
        let value = axis.and_then(|axis| self.slots.get(axis as usize)?.last);
        value.and_then(crate::formats::wire::numbers::integer).unwrap_or(step)
    }

    /// Adds a point to a key's series.
    #[inline]
    pub fn push(&mut self, slot: u32, out: &mut Decoded, point: Point) {
        let Some(slot) = self.slots.get_mut(slot as usize) else { return };
        let generation = out.generation();
        let column = match slot.column {
            Some((known, column)) if known == generation => column,
            _ => {
                let column = out.column(&slot.key);
                slot.column = Some((generation, column));
                column
            }
        };
        out.push(column, point);
    }
}

#[inline]
fn known_axis(slots: &[Slot], slot: u32) -> Option<u32> {
    slots.get(slot as usize)?.axis.1
}

/// A path as bytes: each part behind its length.
fn spelled(path: &[&str]) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(path.iter().map(|part| part.len() + 4).sum());
    for part in path {
        bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.into()
}
