//! What is known of a run: settings, contexts by their numbers, whether it was closed.
//!
//! ```text
//! meta / chunks / <run> / attrs / hparams / lr             settings
//!                       / contexts / <number> / subset     what sets curves of one name apart
//!                       / end_time                         none while it runs
//! ```

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use rustc_hash::FxHashMap;

use super::keys::{self, Key, Value, owned};
use crate::{
    formats::{
        Decoded,
        wire::rocksdb::{Change, Entry},
    },
    model::HyperValue,
};

/// Facts that are kept.
const FACTS_LIMIT: usize = 1 << 16;
/// Deletions of ranges that are kept, and how many facts they may look at together.
const RANGES_LIMIT: usize = 1 << 18;
const LOOKS_LIMIT: u64 = 1 << 24;
/// Bytes of a fact.
const FACT_LIMIT: usize = 64 << 10;

/// Names of contexts by their numbers.
pub type Contexts = FxHashMap<i64, Arc<str>>;

type Path = Box<[u8]>;

/// The number of the last change, and the value unless it is gone.
type Fact = (u64, Option<Box<[u8]>>);

/// From, to, number of the change.
type Range = (Path, Path, u64);

/// Facts by their path below the run, the last change of each.
#[derive(Debug, Default)]
pub struct Facts {
    all: BTreeMap<Path, Fact>,
    ranges: Vec<Range>,
    lost: u64,
}

impl Facts {
    /// Takes in a change.
    pub fn take(&mut self, entry: Entry<'_>) {
        let Some(path) = below_run(entry.key) else { return };
        if let Change::DeleteTo(end) = entry.change {
            if self.ranges.len() < RANGES_LIMIT {
                // A range ends within the run, or else it ends the run.
                let end = below_run(end).unwrap_or(&[0xff]);
                self.ranges.push((path.into(), end.into(), entry.sequence));
            }
            return;
        }
        if !is_told(path) {
            return;
        }
        let value = match entry.change {
            Change::Put(value) if value.len() <= FACT_LIMIT && path.len() <= FACT_LIMIT => Some(value),
            Change::Put(_) => {
                self.lost += 1;
                return;
            }
            Change::Delete | Change::DeleteTo(_) => None,
        };
        if let Some((sequence, known)) = self.all.get_mut(path) {
            if *sequence <= entry.sequence {
                *sequence = entry.sequence;
                *known = value.map(Into::into);
            }
        } else if self.all.len() < FACTS_LIMIT {
            self.all.insert(path.into(), (entry.sequence, value.map(Into::into)));
        } else {
            self.lost += 1;
        }
    }

    /// Everything was taken in: leaves out what was deleted, and names the contexts.
    pub fn settle(&mut self, out: &mut Decoded) -> Contexts {
        let mut looks = 0;
        for (from, to, number) in self.ranges.drain(..) {
            if from >= to || looks > LOOKS_LIMIT {
                continue;
            }
            for (sequence, value) in self.all.range_mut(from..to).map(|(_, fact)| fact) {
                looks += 1;
                if *sequence < number {
                    *value = None;
                }
            }
        }
        if self.lost > 0 {
            out.oddity("facts of the run that are too many or too long");
        }
        self.contexts()
    }

    /// The facts below that name: the rest of their paths, and their values.
    fn below<'a>(&'a self, top: &'static [u8]) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        let from = self.all.range::<[u8], _>((Bound::Included(top), Bound::Unbounded));
        from.map_while(move |(path, fact)| Some((path.strip_prefix(top)?, fact)))
            .filter_map(|(path, (_, value))| Some((path, Value::read(value.as_deref()?)?)))
    }

    /// `{"subset": "train"}` is `train`; all else is told with its name.
    fn contexts(&self) -> Contexts {
        let mut parts: BTreeMap<i64, (String, String)> = BTreeMap::new();
        for (mut path, value) in self.below(b"contexts\xfe") {
            let Some(number) = keys::number(&mut path) else { continue };
            let (subset, rest) = parts.entry(number).or_default();
            let (Some(name), Some(value)) = (joined(path), value.setting()) else { continue };
            let (into, text) = match name.as_str() {
                "subset" => (subset, value.to_string()),
                _ => (rest, format!("{name}={value}")),
            };
            if !into.is_empty() {
                into.push(',');
            }
            into.push_str(&text);
        }
        let label = |(subset, rest): (String, String)| match (subset.as_str(), rest.as_str()) {
            (_, "") => subset,
            ("", _) => rest,
            _ => format!("{subset},{rest}"),
        };
        parts.into_iter().map(|(number, parts)| (number, label(parts).into())).collect()
    }

    /// Settings with dots in the names of nested ones, without what Aim gathers of the machine itself.
    pub fn settings(&self) -> Vec<(Arc<str>, HyperValue)> {
        let facts = self.below(b"attrs\xfe");
        facts.filter_map(|(path, value)| Some((joined(path)?.into(), value.setting()?))).collect()
    }

    /// Whether the run says that it came to an end. How, Aim does not say.
    pub fn is_closed(&self) -> bool {
        self.below(b"end_time\xfe").any(|(path, value)| path.is_empty() && value.number().is_some())
    }
}

/// The path below the run.
fn below_run(key: &[u8]) -> Option<&[u8]> {
    let mut path = key.strip_prefix(b"meta\xfechunks\xfe")?;
    keys::name(&mut path)?;
    Some(path)
}

/// Whether it is the path of something that is told.
fn is_told(mut path: &[u8]) -> bool {
    match keys::name(&mut path) {
        // names of packages, and variables of the environment, which may be secret
        Some(b"attrs") => !path.starts_with(b"__system_params\xfe"),
        Some(b"contexts" | b"end_time") => true,
        _ => false,
    }
}

/// The keys of a path with dots between them; `None` if there are none.
fn joined(mut path: &[u8]) -> Option<String> {
    let mut name = String::new();
    while let Some(key) = keys::next(&mut path) {
        if !name.is_empty() {
            name.push('.');
        }
        match key {
            Key::Name(text) => name.push_str(&owned(text)),
            Key::Number(number) => name.push_str(&number.to_string()),
        }
    }
    (!name.is_empty() && path.is_empty()).then_some(name)
}
