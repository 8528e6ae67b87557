//! What `define_metric` says: which key is the x axis of which others, and what is better.
//!
//! A step metric becomes the step of the points of its keys where its name is one of a step (`global_step`,
//! `trainer/global_step`, `train/global_step`, `iteration`, …): Lightning, Hugging Face and others define such a one for
//! all keys, because W&B's own step only counts calls of `log`. Any other x axis (`epoch`, `lr`, time) stays a series of
//! its own, and the points keep W&B's step, so that the units of one run are not mixed.

use super::items::text;
use crate::{
    formats::wire::{
        axes::Axis,
        protobuf::{Fields, Malformed, Wire},
    },
    model::Goal,
};

/// Definitions of one file that are kept.
const DEFINITIONS_LIMIT: usize = 512;

/// One definition, as it stands in the log.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Definition {
    /// The metric, or the beginning of its name if `glob`.
    pub name: String,
    pub glob: bool,
    /// The x axis; empty where none is said.
    pub axis: String,
    /// The user said which direction is better.
    pub goal: Option<Goal>,
    /// The summary that is kept is the least or greatest value.
    pub summary: Option<Goal>,
    /// W&B made it from a glob.
    pub expanded: bool,
}

impl Definition {
    /// Reads a `MetricRecord`.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        let mut definition = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(name)) => definition.name = text(name).into_owned(),
                (2, Wire::Bytes(name)) => {
                    let name = text(name);
                    definition.glob = name.ends_with('*');
                    definition.name = name.strip_suffix('*').unwrap_or(&name).to_owned();
                }
                (4, Wire::Bytes(name)) => definition.axis = text(name).into_owned(),
                (7, Wire::Bytes(summary)) => definition.summary = extreme(summary)?,
                (8, Wire::Varint(1)) => definition.goal = Some(Goal::Min),
                (8, Wire::Varint(2)) => definition.goal = Some(Goal::Max),
                (10, Wire::Varint(made)) => definition.expanded = made != 0,
                _ => {}
            }
        }
        Ok(definition)
    }

    /// True for an x axis whose values are steps.
    pub fn has_steps(&self) -> bool {
        let leaf = self.axis.rsplit(['/', '.']).next().unwrap_or_default();
        let axis = Axis::of(leaf);
        self.axis != "_step" && axis.is_step() && axis != Axis::EPOCH
    }
}

fn extreme(summary: &[u8]) -> Result<Option<Goal>, Malformed> {
    let (mut min, mut max) = (false, false);
    for field in Fields::of(summary) {
        match field? {
            (1, Wire::Varint(n)) => min = n != 0,
            (2, Wire::Varint(n)) => max = n != 0,
            _ => {}
        }
    }
    Ok(match (min, max) {
        (true, false) => Some(Goal::Min),
        (false, true) => Some(Goal::Max),
        _ => None,
    })
}

/// All definitions of a file. Bounded.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// With the slot of the axis, if that has steps.
    all: Vec<(Definition, Option<u32>)>,
    version: u32,
}

impl Metrics {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Rises with every definition.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Adds a definition; one of the same name is replaced.
    pub fn define(&mut self, definition: Definition, axis: Option<u32>) {
        self.all.retain(|(d, _)| d.name != definition.name || d.glob != definition.glob);
        if self.all.len() < DEFINITIONS_LIMIT {
            self.all.push((definition, axis));
            self.version += 1;
        }
    }

    /// The key that carries the steps of `name`, whose own slot is `slot`. An exact name counts more than a pattern,
    /// a longer pattern more than a shorter one.
    pub fn axis_of(&self, name: &str, slot: u32) -> Option<u32> {
        // The curve of a step metric stands on itself.
        if self.all.iter().any(|(_, axis)| *axis == Some(slot)) {
            return Some(slot);
        }
        let fits = |d: &Definition| if d.glob { name.starts_with(&d.name) } else { name == d.name };
        let best = self.all.iter().filter(|(d, _)| fits(d)).max_by_key(|(d, _)| (!d.glob, d.name.len()));
        best.and_then(|(_, axis)| *axis)
    }
}
