//! Scalar records of a shape that came before: what each of their numbers is, without parsing them again.

use super::{envelope::Envelope, record};
use crate::{
    formats::{
        ColumnIndex, Decoded,
        wire::{
            json_tree::{Json, Object},
            template::Hole,
        },
    },
    model::SeriesKey,
};

/// What a number of a scalar record is.
#[derive(Debug)]
pub enum Role {
    /// The step.
    Step,
    /// When.
    Wall,
    /// The epoch.
    Epoch,
    /// The value of a series, with its column in the turn in which it was asked for.
    Value(SeriesKey, Option<(u64, ColumnIndex)>),
}

/// Scalar records that differ in their numbers only.
#[derive(Debug)]
pub struct Shape {
    /// Place of the run among the reader's runs.
    pub run: usize,
    /// What each number is, in the order of writing.
    pub roles: Vec<Role>,
}

impl Shape {
    /// The shape of a scalar record that was read without anything unusual.
    pub fn of(record: &Object<'_>, run: usize, holes: &[Hole]) -> Option<Self> {
        let mut unusual = Decoded::new();
        let mut values = Vec::new();
        let Some(Json::Object(scalars)) = record.get("v") else { return None };
        record::numbers(scalars, "", 0, &mut values, &mut unusual);
        record::unknown_keys("scalar", record, &["v"], &mut unusual);
        if record.get("epochscope").is_some() || !unusual.take().oddities.is_empty() {
            return None;
        }
        let context = Envelope::of(record, 0, 0).context;
        let mut values = values.into_iter();
        let mut seen = [false; 3];
        let mut roles = Vec::with_capacity(holes.len());
        for hole in holes {
            let path = std::str::from_utf8(&hole.path).ok().filter(|path| !path.contains('\\'))?;
            let (place, role) = match path {
                "step" => (0, Role::Step),
                "wall" => (1, Role::Wall),
                "epoch" => (2, Role::Epoch),
                _ => {
                    let (tag, value) = values.next()?;
                    if path.strip_prefix("v/") != Some(&*tag) || value.to_bits() != hole.value.to_bits() {
                        return None;
                    }
                    roles.push(Role::Value(SeriesKey::new(&*tag, context.as_str()), None));
                    continue;
                }
            };
            if std::mem::replace(seen.get_mut(place)?, true) {
                return None;
            }
            roles.push(role);
        }
        (values.next().is_none() && seen[0]).then_some(Self { run, roles })
    }
}
