//! Placing: which run a claimed file belongs to, now and whenever something else is found.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use super::{
    claim::first_records,
    group::{self, Find, Moved, NodeId, Relation},
    inquiry::{Claim, set_size},
    packed::Packing,
    scout::{Known, Scout},
    source::Stamp,
    tail::Tail,
};
use crate::{
    formats::{Format, RunPart},
    model::{FileHealth, FileId, FileState, News, RunId, Sharing, Source},
};

/// An event file up to this size holds its header and at most a mark of a restart.
pub const BARE_EVENTS: u64 = 128;

/// Placing takes at most one part in this many of the scout's time.
const COST_SHARE: u32 = 20;

/// Listed for a file that says something about a run where there is none.
const NO_RUN: &str = "it says something about a run, and no log makes one here";

/// A claimed file that nobody reads yet.
pub struct Unplaced {
    path: PathBuf,
    format: &'static dyn Format,
    stamp: Stamp,
    folder: usize,
}

/// The place of a sub-folder's event file in the run of a folder above.
type Folded = (NodeId, Arc<str>, String);

/// Files that get their first turns, by run: each with its order, and when the newest was changed.
type Tails = BTreeMap<RunId, (Vec<(Arc<str>, Tail)>, f64)>;

impl Scout {
    /// Takes in a claimed file. With `last_chance` it is placed even if little of it is written.
    pub fn take_in(&mut self, at: usize, claim: Claim, last_chance: bool) -> bool {
        let Some(node) = self.folders.get(at).map(|f| f.node) else { return true };
        let inner = Packing::of_path(&claim.path).1;
        let standing = claim.format.standing(&inner);
        let id = claim.waited.unwrap_or_else(|| self.next_id());
        if standing.part == RunPart::Folder
            && claim.format.continues(&inner)
            && !self.join_resumed(at, &claim, last_chance)
        {
            return claim.waited.is_some() || self.let_wait(at, claim.path, claim.format.name(), claim.stamp);
        }
        let (mut folded, mut above) = (None, false);
        if standing.part == RunPart::Stream
            && let Some(writer) = group::writer(&claim.name)
        {
            let Some(answer) = self.fold(at, &claim, writer, last_chance) else {
                self.parts.insert(id);
                return claim.waited.is_some()
                    || self.let_wait(at, claim.path, claim.format.name(), claim.stamp);
            };
            folded = answer;
            self.parts.remove(&id);
            if folded.is_none() {
                let bare = claim.stamp.size <= BARE_EVENTS;
                self.remember_writer(at, writer, !bare);
                if bare {
                    self.bare.insert(id);
                }
                above = !bare;
            }
        }
        let name: Arc<str> = Arc::from(claim.name);
        let source = self.source(claim.format, &inner);
        self.tree.add(node, Find { id, name, format: claim.format.name(), standing, source, folded });
        let waiting = (Box::new(self.health(id, &claim.path, RunId::from("."), claim.format)), claim.stamp);
        self.learn(Known::new(id, claim.path.clone(), at, Some(waiting)), claim.stamp.identity());
        let Claim { path, format, stamp, .. } = claim;
        self.unplaced.insert(id, Unplaced { path, format, stamp, folder: at });
        !above || self.ask_parts_again()
    }

    fn source(&self, format: &'static dyn Format, path: &std::path::Path) -> Source {
        let rank = self.formats.iter().position(|f| f.name() == format.name()).unwrap_or(self.formats.len());
        let sharing = if format.continues(path) { Sharing::Continues } else { Sharing::First };
        Source { rank: u16::try_from(rank).unwrap_or(u16::MAX), sharing }
    }

    /// Whether the event file belongs to a folder above, by what its first records say; `None` when too little is
    /// written to tell.
    fn fold(&self, at: usize, claim: &Claim, writer: &str, last_chance: bool) -> Option<Option<Folded>> {
        let first = || first_records(claim.format, &claim.path).unwrap_or_default();
        let Some((number, has_data, sub)) = self.folders.same_writer_above(at, writer) else {
            let name = self.folders.get(at).map(|f| f.path.file_name().unwrap_or_default().to_string_lossy());
            // the run above may be found in a moment
            let orphan = name.is_some_and(|name| group::is_time(&name)) && !last_chance;
            return if orphan && first().is_settings() { None } else { Some(None) };
        };
        let first = first();
        let context = match group::relation(&sub, &first, has_data) {
            Relation::Folded(context) => context,
            Relation::Undecided if !last_chance => return None,
            Relation::Undecided if first.hyperparameters => Arc::from(group::HPARAMS),
            Relation::Undecided | Relation::Separate => return Some(None),
        };
        let folder = self.folders.get(number);
        Some(folder.map(|f| (f.node, context, format!("{sub}/{}", claim.name))))
    }

    /// An event file that held nothing has grown: what lies in folders below may be parts of its run.
    pub fn no_longer_bare(&mut self, id: FileId) -> bool {
        let Some((path, at)) = self.known.get(id.0 as usize).map(|k| (Arc::clone(&k.path), k.folder)) else {
            return true;
        };
        if path.metadata().is_ok_and(|m| m.len() <= BARE_EVENTS) || !self.bare.remove(&id) {
            return true;
        }
        if let Some(writer) = path.file_name().and_then(|name| group::writer(name.to_str()?)) {
            self.remember_writer(at, writer, true);
        }
        self.ask_parts_again()
    }

    /// Asks again about event files that may be parts of a run above, now that more is known of those.
    fn ask_parts_again(&mut self) -> bool {
        let parts: Vec<FileId> = self.parts.iter().copied().collect();
        parts.into_iter().all(|id| self.ask_again(id, false))
    }

    fn remember_writer(&mut self, at: usize, writer: &str, has_data: bool) {
        let Some(folder) = self.folders.get_mut(at) else { return };
        match folder.writers.iter_mut().find(|(w, _)| **w == *writer) {
            Some((_, data)) => *data |= has_data,
            None => folder.writers.push((Arc::from(writer), has_data)),
        }
    }

    /// When files are to be placed; never, if nothing was found.
    pub fn settling_due(&self) -> Option<Duration> {
        self.tree.is_disturbed().then_some(self.settle_due)
    }

    /// Gives files their runs, and others to those whose run is another now. Unless `must`, only as often as its cost
    /// allows. False when it is time to stop.
    pub fn settle(&mut self, must: bool) -> bool {
        let began = self.clock.elapsed();
        if !self.tree.is_disturbed() || (!must && began < self.settle_due) {
            return true;
        }
        let moved = self.tree.settle();
        let mut tails: Tails = BTreeMap::new();
        for file in moved {
            if !self.move_file(file, &mut tails) {
                return false;
            }
        }
        for (run, (files, newest)) in tails {
            self.pool.add(&run, files, newest);
        }
        let now = self.clock.elapsed();
        self.settle_due = now + now.saturating_sub(began) * COST_SHARE;
        true
    }

    fn move_file(&mut self, file: Moved, tails: &mut Tails) -> bool {
        let Moved { id, place, folder, side } = file;
        let Some(found) = self.unplaced.get(&id) else {
            self.pool.relocate(id, place, folder);
            return true;
        };
        let Some(place) = place else { return self.list_unplaced(id, folder) };
        let mut health = self.health(id, &found.path, place.run.clone(), found.format);
        health.side = side;
        set_size(&mut health, &found.stamp);
        let Some(found) = self.unplaced.remove(&id) else { return true };
        if !self.outlet.send(News::File(Box::new(health.clone()))) {
            return false;
        }
        let mut known = Known::new(id, found.path.clone(), found.folder, None);
        known.companions = found.format.companions();
        self.learn(known, found.stamp.identity());
        let (run, order) = (place.run.clone(), Arc::clone(&place.order));
        let rotated = self.rotated.remove(&found.path);
        let mut tail = Tail::taught(found.path, place, found.format, health, self.taught.clone());
        if rotated {
            tail.expect_older_parts();
        }
        let (files, newest) = tails.entry(run).or_insert((Vec::new(), f64::NEG_INFINITY));
        files.push((order, tail));
        *newest = newest.max(found.stamp.modified().0);
        true
    }

    fn health(
        &self,
        id: FileId,
        path: &std::path::Path,
        run: RunId,
        format: &'static dyn Format,
    ) -> FileHealth {
        FileHealth::found(id, self.shown_path(path), run, format.name())
    }

    /// Lists a file that says something about a run, and there is none.
    fn list_unplaced(&mut self, id: FileId, folder: RunId) -> bool {
        let Some(found) = self.unplaced.get(&id) else { return true };
        let stamp = found.stamp;
        let mut health = self.health(id, &found.path, folder, found.format);
        set_size(&mut health, &stamp);
        health.side = true;
        health.state = FileState::Following;
        health.oddities.insert(Arc::from(NO_RUN), 1);
        self.set_waiting(id, Box::new(health.clone()), stamp);
        self.outlet.send(News::File(Box::new(health)))
    }

    /// A file that nobody reads for want of a run has changed.
    pub fn look_at_unplaced(&mut self, id: FileId) -> bool {
        if self.bare.contains(&id) && !self.no_longer_bare(id) {
            return false;
        }
        let stamp = |found: &Unplaced| found.path.metadata().map(|m| Stamp::of(&m)).unwrap_or_default();
        let Some(stamp) = self.unplaced.get(&id).map(stamp) else { return true };
        let Some(found) = self.unplaced.get_mut(&id).filter(|f| f.stamp != stamp) else { return true };
        found.stamp = stamp;
        let Some((mut health, _)) = self.known.get(id.0 as usize).and_then(|k| k.waiting.clone()) else {
            return true;
        };
        set_size(&mut health, &stamp);
        health.state = if stamp == Stamp::default() { FileState::Gone } else { FileState::Following };
        self.set_waiting(id, health.clone(), stamp);
        self.outlet.send(News::File(health))
    }
}
