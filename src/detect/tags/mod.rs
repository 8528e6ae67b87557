//! What a tag means: split, role, direction, and which series belong together.
//!
//! Nothing is guessed from values. A name that is not understood has [`Role::Unknown`] and no goal, and only
//! the rules that need neither look at it.

mod direction;
mod normalise;
mod pairing;
mod role;
mod split;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Goal, RunId, SeriesKey};

pub use pairing::{Known, Pair, is_whole, main_loss, main_metric, main_of, pair_up, pairs};
pub use role::Role;
pub use split::Split;

pub(crate) use normalise::Words;

/// What a series is.
#[derive(Clone, PartialEq, Debug)]
pub struct TagClass {
    /// Which data it was computed on.
    pub split: Split,
    /// What kind of quantity it is.
    pub role: Role,
    /// Whether less or more is better; `None` where the name does not say.
    pub goal: Option<Goal>,
    /// What is measured, without the words for split and cadence; equal for the two series of a pair.
    pub stem: Arc<str>,
    /// Why it was read so; one clause.
    pub why: &'static str,
}

/// Reads a series' name. `run` matters where a framework hides the split in the folder (Keras).
///
/// Pure: the same name always gives the same class, whatever else the run holds.
pub fn classify(key: &SeriesKey, run: &RunId) -> TagClass {
    classify_in(key, split::of_folder(run.as_str()))
}

/// Remembers classes: the runs of a tree share their tags.
#[derive(Debug, Default)]
pub struct Memo {
    classes: FxHashMap<(SeriesKey, Option<Split>), TagClass>,
}

impl Memo {
    /// Names that are remembered; beyond that each is read anew.
    const KEPT: usize = 1 << 14;

    /// The same as [`classify`].
    pub fn classify(&mut self, key: &SeriesKey, run: &RunId) -> TagClass {
        let asked = (key.clone(), split::of_folder(run.as_str()));
        if let Some(class) = self.classes.get(&asked) {
            return class.clone();
        }
        let class = classify_in(key, asked.1);
        if self.classes.len() < Self::KEPT {
            self.classes.insert(asked, class.clone());
        }
        class
    }
}

fn classify_in(key: &SeriesKey, folder: Option<Split>) -> TagClass {
    let words = Words::of(key.tag.as_str());
    let context = Words::of(&key.context);
    let (role, why_role) = role::role(&words);
    let (split, why_split) = split::split(&words, &context, folder);
    let why = if role == Role::Unknown { why_role } else { better_reason(why_role, why_split, split) };
    TagClass { split, role, goal: direction::direction(&words, role), stem: split::stem(&words).into(), why }
}

/// One clause fits on a screen: the role's reason, unless the split came from somewhere unusual.
fn better_reason(role: &'static str, split: &'static str, known: Split) -> &'static str {
    if known != Split::Unknown && split.contains("folder") { split } else { role }
}
