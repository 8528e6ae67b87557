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

use crate::{
    model::{Goal, Meanings, RunId, SeriesKey, Told},
    store::Run,
};

pub use crate::model::{Role, Split};
pub use pairing::{Known, Pair, is_whole, main_loss, main_metric, main_of, pair_up, pairs};

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

/// What a series of `run` is: what the user says of it (`--role`), and else what its name says.
pub fn class_of(key: &SeriesKey, run: &Run) -> TagClass {
    classify_in(key, split::of_folder(run.id().as_str()), &said(key, run.meanings()))
}

/// What a series' name says. `run` matters where a framework hides the split in the folder (Keras).
///
/// Pure: the same name always gives the same class, whatever else the run holds.
pub fn classify(key: &SeriesKey, run: &RunId) -> TagClass {
    classify_in(key, split::of_folder(run.as_str()), &Told::default())
}

/// Remembers classes: the runs of a tree share their tags. All of them of one store, where the user says the same of
/// all runs.
#[derive(Debug, Default)]
pub struct Memo {
    classes: FxHashMap<(SeriesKey, Option<Split>), TagClass>,
}

impl Memo {
    /// Names that are remembered; beyond that each is read anew.
    const KEPT: usize = 1 << 14;

    /// The same as [`class_of`].
    pub fn class_of(&mut self, key: &SeriesKey, run: &Run) -> TagClass {
        let asked = (key.clone(), split::of_folder(run.id().as_str()));
        if let Some(class) = self.classes.get(&asked) {
            return class.clone();
        }
        let class = classify_in(key, asked.1, &said(key, run.meanings()));
        if self.classes.len() < Self::KEPT {
            self.classes.insert(asked, class.clone());
        }
        class
    }
}

fn said(key: &SeriesKey, meanings: &Meanings) -> Told {
    if meanings.is_empty() { Told::default() } else { meanings.of(key) }
}

fn classify_in(key: &SeriesKey, folder: Option<Split>, told: &Told) -> TagClass {
    let words = Words::of(key.tag.as_str());
    let context = Words::of(&key.context);
    let (named, why_role) = role::role(&words);
    let role = told.role.unwrap_or(named);
    let (named, why_split) = split::split(&words, &context, folder);
    let split = told.split.unwrap_or(named);
    let why = match role {
        _ if !told.is_empty() => "set by --role",
        Role::Unknown => why_role,
        _ => better_reason(why_role, why_split, split),
    };
    let goal = told.goal.or_else(|| direction::direction(&words, role));
    TagClass { split, role, goal, stem: split::stem(&words).into(), why }
}

/// One clause fits on a screen: the role's reason, unless the split came from somewhere unusual.
fn better_reason(role: &'static str, split: &'static str, known: Split) -> &'static str {
    if known != Split::Unknown && split.contains("folder") { split } else { role }
}
