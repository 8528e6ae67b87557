//! System metrics: processor, memory, GPUs, disk and network, sampled every few seconds.
//!
//! They have a time and no step. They are put at the step of the last row of the history, so that they stand above the
//! same axis as what was trained meanwhile and never move the run's step; several samples between two rows share one.

use super::{
    items::{Value, item},
    keys::{Keys, Role},
};
use crate::{
    formats::{
        Decoded,
        wire::{
            json_tree::Json,
            protobuf::{Fields, Malformed, Wire, timestamp},
        },
    },
    model::{Point, Step},
};

/// The keys of the statistics.
#[derive(Debug)]
pub(super) struct Stats {
    keys: Keys,
}

impl Stats {
    pub fn new() -> Self {
        Self { keys: Keys::new("system/") }
    }

    /// Takes a `StatsRecord`.
    pub fn take(&mut self, message: &[u8], step: Step, out: &mut Decoded) -> Result<(), Malformed> {
        let wall = Fields::of(message).find_map(|field| match field {
            Ok((2, Wire::Bytes(time))) => Some(timestamp(time)),
            _ => None,
        });
        let wall = wall.transpose()?.unwrap_or(f64::NAN);
        for field in Fields::of(message) {
            let (3, Wire::Bytes(bytes)) = field? else { continue };
            let Some((at, value)) = item(bytes, &mut self.keys, out)? else { continue };
            match value {
                Value::Number(value) if self.is_value(at) => {
                    self.keys.push(at, out, Point { step, wall, value })
                }
                Value::Json(json) => self.dict(at, json, step, wall, out),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_value(&mut self, at: u32) -> bool {
        self.keys.slot(at).is_some_and(|slot| slot.role == Role::Value)
    }

    /// `"network": {"sent": 1, "recv": 2}`, as old versions had it.
    fn dict(&mut self, at: u32, json: &[u8], step: Step, wall: f64, out: &mut Decoded) {
        let (Ok(Json::Object(object)), Some(slot)) = (Json::parse(json), self.keys.slot(at)) else { return };
        let tag = slot.key.tag.clone();
        let name = tag.as_str().strip_prefix("system/").unwrap_or(tag.as_str());
        for (key, value) in object.entries() {
            if let Some(value) = value.number()
                && let Ok(at) = self.keys.of_path(&[name, key])
            {
                self.keys.push(at, out, Point { step, wall, value });
            }
        }
    }
}
