//! Whose points are shown where several files of a run hold the same series.
//!
//! Loggers that write side by side log the same numbers twice. Every series of every *source* (a file, or all files of
//! a format whose files continue each other) is kept, but of those that are the same only the best source's is shown:
//! the format that stands first, then the first file, of whole documents the last. Nothing depends on what came first,
//! and when a source falls silent (its file is rewritten without the series, or moves to another run) the next best is
//! shown at once.
//!
//! Names of two sources mean the same series if they differ only in `/`, `.` and `_`, in Ray's `ray/tune/`, or in
//! `train/` before one of them (Hugging Face's trainer logs `loss` to its state and `train/loss` to TensorBoard);
//! besides, as [`plain_name`] has it.
//! Within one source all names are different series.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher},
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHasher};

use super::{Run, Series, file_part::Place, order};
use crate::model::{FileId, SeriesKey, Sharing};

/// Numbers of series by what their names mean. Kept only for runs with several sources.
#[derive(Debug, Default)]
pub(crate) struct Rivals {
    by_name: FxHashMap<u64, Vec<u32>>,
    /// Those that are not shown, by name.
    hidden: FxHashMap<SeriesKey, Vec<u32>>,
}

/// Whether files at both places continue each other.
pub(crate) fn same_source(a: &Place, b: &Place) -> bool {
    a.source.rank == b.source.rank
        && ((a.source.sharing == Sharing::Continues && b.source.sharing == Sharing::Continues) || a == b)
}

/// Whether what the file at `a` says is shown instead of what the one at `b` says.
fn outdoes(a: &Place, b: &Place) -> bool {
    if same_source(a, b) {
        return false;
    }
    let by_format = (a.source.rank, a.source.sharing).cmp(&(b.source.rank, b.source.sharing));
    let by_file = || match a.source.sharing {
        Sharing::Last => Reverse((&a.order, a.file)).cmp(&Reverse((&b.order, b.file))),
        Sharing::Continues | Sharing::First => (&a.order, a.file).cmp(&(&b.order, b.file)),
    };
    by_format.then_with(by_file) == Ordering::Less
}

/// What a series' name means, as numbers; two names that share one mean the same.
fn meanings(key: &SeriesKey) -> ([u64; 2], usize) {
    let label = plain_name(key);
    let whole = label.strip_prefix("ray/tune/").unwrap_or(&label);
    match whole.strip_prefix("train/") {
        Some(bare) => ([meaning(whole), meaning(bare)], 2),
        None => ([meaning(whole), 0], 1),
    }
}

/// The name without what only one of a library's loggers adds.
fn plain_name(key: &SeriesKey) -> String {
    // Keras: `loss` and `val_loss` of `CSVLogger` are `epoch_loss` in the folders `train` and `validation`
    if let Some(tag) = key.tag.as_str().strip_prefix("epoch_") {
        match &*key.context {
            "train" => return format!("train/{tag}"),
            "validation" => return format!("val_{tag}"),
            _ => {}
        }
    }
    let label = key.label();
    match &*label {
        // CatBoost: milliseconds in `time_left.tsv`, seconds in its JSON
        "Passed" => "passed_time".to_owned(),
        "Remaining" => "remaining_time".to_owned(),
        // LLaMA-Factory and most others: `lr` in the lines of a log, spelled out by the trainer
        name => match name.strip_suffix("lr") {
            Some(path) if path.is_empty() || path.ends_with('/') => format!("{path}learning_rate"),
            _ => label,
        },
    }
}

fn meaning(name: &str) -> u64 {
    let mut hasher = BuildHasherDefault::<FxHasher>::default().build_hasher();
    for byte in name.bytes() {
        hasher.write_u8(if matches!(byte, b'/' | b'.') { b'_' } else { byte });
    }
    hasher.finish()
}

impl Run {
    /// From now on the run has several sources.
    pub(crate) fn expect_rivals(&mut self) {
        if self.rivals.is_some() {
            return;
        }
        let mut rivals = Rivals::default();
        for (at, series) in (0..).zip(&self.series) {
            rivals.add(at, series.key());
        }
        self.rivals = Some(rivals);
    }

    /// The series of `key` as the source of `place` has it, and whether it is new. Names of series that are not shown
    /// any more because of it are added to `switched`.
    pub(crate) fn series_slot(
        &mut self,
        key: &SeriesKey,
        place: &Arc<Place>,
        switched: &mut Vec<SeriesKey>,
    ) -> (usize, bool) {
        let own = |at: &u32| self.series.get(*at as usize).is_some_and(|s| same_source(&s.owner, place));
        if let Some(at) = self.index.get(key).filter(|at| own(at)) {
            return (*at as usize, false);
        }
        let hidden = self.rivals.as_ref().and_then(|r| r.hidden.get(key));
        if let Some(at) = hidden.and_then(|all| all.iter().find(|at| own(at))) {
            return (*at as usize, false);
        }
        let slot = self.series.len() as u32;
        self.series.push(Series::new(key.clone(), Arc::clone(place)));
        if let Some(rivals) = &mut self.rivals {
            rivals.add(slot, key);
        }
        let worse: Vec<u32> = self
            .rivals_of(slot)
            .filter(|other| self.series[*other as usize].shown && self.beats(slot, *other))
            .collect();
        for other in worse {
            switched.push(self.series[other as usize].key().clone());
            self.hide(other);
        }
        if self.is_outdone(slot) {
            self.hide(slot);
        } else {
            self.show(slot);
        }
        (slot as usize, true)
    }

    /// Series whose name means the same as that of `slot`.
    fn rivals_of(&self, slot: u32) -> impl Iterator<Item = u32> {
        let (names, count) = match &self.rivals {
            Some(_) => meanings(self.series[slot as usize].key()),
            None => ([0; 2], 0),
        };
        let by_name = self.rivals.as_ref().map(|r| &r.by_name);
        names
            .into_iter()
            .take(count)
            .filter_map(move |name| by_name?.get(&name))
            .flatten()
            .copied()
            .filter(move |other| *other != slot)
    }

    fn beats(&self, slot: u32, other: u32) -> bool {
        outdoes(&self.series[slot as usize].owner, &self.series[other as usize].owner)
    }

    fn is_outdone(&self, slot: u32) -> bool {
        self.rivals_of(slot)
            .any(|other| !self.series[other as usize].segments().is_empty() && self.beats(other, slot))
    }

    fn show(&mut self, slot: u32) {
        let generation = self.generation;
        self.names_version += 1;
        let series = &mut self.series[slot as usize];
        series.shown = true;
        series.renew(generation);
        let key = series.key().clone();
        let series = &self.series;
        let at =
            self.sorted.partition_point(|n| order::by_key(series[*n as usize].key(), &key) == Ordering::Less);
        self.sorted.insert(at, slot);
        self.index.insert(key, slot);
    }

    fn hide(&mut self, slot: u32) {
        self.names_version += 1;
        let series = &mut self.series[slot as usize];
        series.shown = false;
        let key = series.key().clone();
        self.sorted.retain(|at| *at != slot);
        if self.index.get(&key) == Some(&slot) {
            self.index.remove(&key);
        }
        if let Some(rivals) = &mut self.rivals {
            rivals.hidden.entry(key).or_default().push(slot);
        }
    }

    /// Removes series without points and settles anew which are shown; returns the names of those that are shown
    /// instead of others that went.
    pub(crate) fn drop_empty_series(&mut self) -> Vec<SeriesKey> {
        if self.series.iter().all(|s| !s.segments().is_empty()) {
            return Vec::new();
        }
        self.names_version += 1;
        self.series.retain(|s| !s.segments().is_empty());
        self.index = FxHashMap::default();
        self.sorted = Vec::new();
        if self.rivals.take().is_some() {
            self.expect_rivals();
        }
        let all = 0..self.series.len() as u32;
        let shown: Vec<u32> = all.clone().filter(|slot| !self.is_outdone(*slot)).collect();
        let mut switched = Vec::new();
        for slot in all {
            let series = &mut self.series[slot as usize];
            let now = shown.binary_search(&slot).is_ok();
            if now {
                self.index.insert(series.key().clone(), slot);
            } else if let Some(rivals) = &mut self.rivals {
                rivals.hidden.entry(series.key().clone()).or_default().push(slot);
            }
            if now && !series.shown {
                series.renew(self.generation);
                switched.push(series.key().clone());
            }
            series.shown = now;
        }
        self.sorted = shown;
        let series = &self.series;
        self.sorted.sort_by(|a, b| order::by_key(series[*a as usize].key(), series[*b as usize].key()));
        switched
    }

    /// How many series of one file are shown from another one instead: `(file, the other, how many)`.
    pub fn shown_from_others(&self) -> Vec<(FileId, FileId, u64)> {
        let mut counts: BTreeMap<(FileId, FileId), u64> = BTreeMap::new();
        for (slot, series) in (0..).zip(&self.series).filter(|(_, s)| !s.shown) {
            let better = self.rivals_of(slot).filter(|other| self.beats(*other, slot));
            let best = better
                .map(|other| &self.series[other as usize])
                .reduce(|a, b| if outdoes(&b.owner, &a.owner) { b } else { a });
            let Some(from) = best.and_then(|s| s.segments().last()).map(crate::store::Segment::file) else {
                continue;
            };
            let mut files: Vec<FileId> = series.segments().iter().map(crate::store::Segment::file).collect();
            files.dedup();
            for file in files {
                *counts.entry((file, from)).or_default() += 1;
            }
        }
        counts.into_iter().map(|((file, from), count)| (file, from, count)).collect()
    }
}

impl Rivals {
    fn add(&mut self, slot: u32, key: &SeriesKey) {
        let (names, count) = meanings(key);
        for name in names.into_iter().take(count) {
            self.by_name.entry(name).or_default().push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        let of = |name: &str| {
            let (names, count) = meanings(&SeriesKey::plain(name));
            names.into_iter().take(count).collect::<Vec<_>>()
        };
        of(a).iter().any(|name| of(b).contains(name))
    }

    #[test]
    fn keras_s_two_loggers_write_the_same_series() {
        let of = |key: &SeriesKey| meanings(key).0;
        let within = |context: &str, tag: &str| of(&SeriesKey::new(tag, context));
        assert_eq!(within("train", "epoch_loss")[1], of(&SeriesKey::plain("loss"))[0]);
        assert_eq!(within("validation", "epoch_loss")[0], of(&SeriesKey::plain("val_loss"))[0]);
        assert_ne!(
            of(&SeriesKey::plain("train/epoch_loss")),
            of(&SeriesKey::plain("train/loss")),
            "no folder"
        );
    }

    #[test]
    fn names_of_one_series_by_several_loggers_mean_the_same() {
        for (a, b) in [
            ("eval/loss", "eval_loss"),
            ("train.loss", "train/loss"),
            ("train/loss", "loss"),
            ("ray/tune/info/x", "info/x"),
            ("lr", "train/learning_rate"),
            ("Passed", "passed_time"),
        ] {
            assert!(alike(a, b), "{a} and {b}");
        }
        for (a, b) in [
            ("loss", "eval_loss"),
            ("train_loss", "loss"),
            ("eval/loss", "loss"),
            ("a/b", "a/c"),
            ("blr", "blearning_rate"),
        ] {
            assert!(!alike(a, b), "{a} and {b}");
        }
    }
}
