//! Asking: which format a found file has, which run it belongs to, and what to do while that cannot be told.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    claim::{Claimed, claim, first_records},
    folders::Entry,
    group::{self, Beside, Kind, Place, Relation},
    packed::Packing,
    scout::{Known, Scout},
    source::Stamp,
    tail::Tail,
};
use crate::{
    formats::Format,
    model::{FileHealth, FileId, FileState, News, RunId},
};

/// Shown in place of a format's name while none is sure.
const UNDECIDED: &str = "undecided";

/// An event file up to this size holds its header and at most a mark of a restart.
const BARE_EVENTS: u64 = 128;

/// A file that a format claimed and that has no run yet.
struct Find {
    path: PathBuf,
    name: String,
    format: &'static dyn Format,
    stamp: Stamp,
    /// The number it had while it waited.
    waited: Option<FileId>,
}

impl Scout {
    /// Asks the formats about files of one folder that are new or were refused in another state, and hands those that
    /// are claimed to the workers.
    pub fn ask(&mut self, at: usize, entries: Vec<Entry>) -> bool {
        let Some(folder) = self.folders.get(at) else { return true };
        let (path, relative) = (folder.path.clone(), folder.relative.clone());
        let mut finds = Vec::new();
        for entry in entries {
            let full = path.join(&entry.name);
            if let Some(id) = self.by_path.get(full.as_path()).copied() {
                if !self.meet_again(id, at) {
                    return false;
                }
                continue;
            }
            let name = entry.name.to_string_lossy().into_owned();
            if !self.ask_one(at, full, &relative.join(&entry.name), &name, &mut finds) {
                return false;
            }
        }
        self.hand_over(at, finds)
    }

    /// A known file was seen in its folder: it may have been away, and the folder, too.
    fn meet_again(&mut self, id: FileId, at: usize) -> bool {
        let Some(known) = self.known.get_mut(id.0 as usize) else { return true };
        known.folder = at;
        let away = known.waiting.is_none() && self.pool.looked(id) == Some(Stamp::default());
        !away || self.want(id)
    }

    fn ask_one(
        &mut self,
        at: usize,
        path: PathBuf,
        relative: &Path,
        name: &str,
        finds: &mut Vec<Find>,
    ) -> bool {
        let stamp = match path.metadata() {
            Ok(metadata) if metadata.is_file() => Stamp::of(&metadata),
            Ok(_) => return true,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    self.unreadable(&path, &error.to_string());
                }
                return true;
            }
        };
        let key = fingerprint(&path);
        if self.rejected.get(&key) == Some(&stamp) {
            self.count_ignored(at);
            return true;
        }
        if self.since.is_some_and(|since| stamp.modified().0 < since.0) {
            self.reject(at, &path, key, stamp, "not changed since the given time");
            return true;
        }
        if self.known_otherwise(&stamp) {
            self.reject(at, &path, key, stamp, "the same file under another name");
            return true;
        }
        match claim(self.formats, self.selection.hinted(relative), &path, name) {
            Ok(Claimed::As(format, stamp)) => {
                let name = Packing::of(name).1.to_owned();
                finds.push(Find { path, name, format, stamp, waited: None });
                true
            }
            Ok(Claimed::NotYet(stamp)) => self.let_wait(at, path, UNDECIDED, stamp),
            Ok(Claimed::No(stamp, why)) => {
                self.reject(at, &path, key, stamp, &why);
                true
            }
            Err(error) => {
                self.unreadable(&path, &error.to_string());
                true
            }
        }
    }

    /// Whether the file is read under another path. Numbers of files are used again, so that is looked at anew.
    fn known_otherwise(&self, stamp: &Stamp) -> bool {
        let other = self.identities.get(&stamp.identity()).and_then(|id| self.known.get(id.0 as usize));
        other.is_some_and(|o| o.path.metadata().is_ok_and(|m| Stamp::of(&m).identity() == stamp.identity()))
    }

    /// A file of which too little is written: it is listed, and asked again when it has grown.
    ///
    /// Its state is *following*: all that can be read of it was read. A writer may leave its file empty for minutes
    /// (tensorboardX flushes every 120 s), and that must not look as if reading were not over.
    fn let_wait(&mut self, at: usize, path: PathBuf, format: &'static str, stamp: Stamp) -> bool {
        let run = self.folders.get(at).map_or_else(|| RunId::from("."), |f| RunId::from(f.name.as_str()));
        let id = self.next_id();
        let mut health = FileHealth::found(id, self.shown_path(&path), run, format);
        set_size(&mut health, &stamp);
        health.pending_bytes = stamp.size;
        health.state = FileState::Following;
        let news = News::File(Box::new(health.clone()));
        self.learn(Known::new(id, path, at, Some((Box::new(health), stamp))), stamp.identity());
        self.outlet.send(news)
    }

    /// Asks again about a file that waits.
    pub fn ask_again(&mut self, id: FileId, last_chance: bool) -> bool {
        let Some(known) = self.known.get(id.0 as usize) else { return true };
        let Some((health, before)) = &known.waiting else { return true };
        let (path, at, mut health, before) = (known.path.clone(), known.folder, health.clone(), *before);
        let relative = self.folders.get(at).map_or_else(|| path.to_path_buf(), |f| f.relative.clone());
        let relative = path.file_name().map_or_else(|| relative.clone(), |n| relative.join(n));
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        match claim(self.formats, self.selection.hinted(&relative), &path, &name) {
            Ok(Claimed::As(format, stamp)) => {
                let name = Packing::of(&name).1.to_owned();
                let find = Find { path: path.to_path_buf(), name, format, stamp, waited: Some(id) };
                return self.hand_over_or(at, vec![find], last_chance);
            }
            Ok(Claimed::NotYet(stamp) | Claimed::No(stamp, _)) if stamp == before => return true,
            Ok(Claimed::NotYet(stamp) | Claimed::No(stamp, _)) => {
                set_size(&mut health, &stamp);
                health.pending_bytes = stamp.size;
                health.state = FileState::Following;
                self.set_waiting(id, health.clone(), stamp);
            }
            Err(_) if before == Stamp::default() => return true,
            Err(error) => {
                health.state = if error.kind() == std::io::ErrorKind::NotFound {
                    FileState::Gone
                } else {
                    FileState::Dead(error.to_string().into())
                };
                self.set_waiting(id, health.clone(), Stamp::default());
            }
        }
        self.outlet.send(News::File(health))
    }

    fn hand_over(&mut self, at: usize, finds: Vec<Find>) -> bool {
        self.hand_over_or(at, finds, false)
    }

    /// Gives claimed files of one folder their runs and hands them to the workers. With `last_chance` nothing waits.
    fn hand_over_or(&mut self, at: usize, finds: Vec<Find>, last_chance: bool) -> bool {
        let mut tails = Vec::with_capacity(finds.len());
        let mut newest = f64::NEG_INFINITY;
        let logs = finds.iter().filter(|f| Kind::of(f.format.name()) != Kind::Events).count();
        let events = finds.iter().any(|f| Kind::of(f.format.name()) == Kind::Events);
        let beside = self.folders.get(at).map_or_else(Beside::default, |f| Beside {
            events: f.events || events,
            others: f.others || logs > 1,
        });
        for find in finds {
            let Some(place) = self.place(at, &find, beside, last_chance) else {
                if find.waited.is_none() && !self.let_wait(at, find.path, find.format.name(), find.stamp) {
                    return false;
                }
                continue;
            };
            let id = find.waited.unwrap_or_else(|| self.next_id());
            let mut health =
                FileHealth::found(id, self.shown_path(&find.path), place.run.clone(), find.format.name());
            set_size(&mut health, &find.stamp);
            newest = newest.max(find.stamp.modified().0);
            if !self.outlet.send(News::File(Box::new(health.clone()))) {
                return false;
            }
            let mut known = Known::new(id, find.path.clone(), at, None);
            known.companions = find.format.companions();
            self.learn(known, find.stamp.identity());
            let (run, order) = (place.run.clone(), Arc::clone(&place.order));
            let rotated = self.rotated.remove(&find.path);
            let mut tail = Tail::taught(find.path, place, find.format, health, self.taught.clone());
            if rotated {
                tail.expect_older_parts();
            }
            tails.push((run, order, tail));
        }
        if !tails.is_empty() {
            self.pool.add(tails, newest);
        }
        true
    }

    /// The place of a claimed file; `None` when too little of it is written to tell.
    fn place(&mut self, at: usize, find: &Find, beside: Beside, last_chance: bool) -> Option<Place> {
        let kind = Kind::of(find.format.name());
        let writer = group::writer(&find.name).filter(|_| kind == Kind::Events);
        let above = writer.and_then(|w| self.folders.same_writer_above(at, w));
        if let Some((number, has_data, sub)) = above {
            let first = first_records(find.format, &find.path).unwrap_or_default();
            match group::relation(&sub, &first, has_data) {
                Relation::Folded(context) => {
                    let run = RunId::from(self.folders.get(number)?.name.as_str());
                    return Some(Place { run, context, order: format!("{sub}/{}", find.name).into() });
                }
                Relation::Undecided if !last_chance => return None,
                Relation::Undecided | Relation::Separate => {}
            }
        }
        let folder = self.folders.get_mut(at)?;
        match (kind, writer) {
            (Kind::Events, Some(writer)) => {
                let has_data = find.stamp.size > BARE_EVENTS;
                match folder.writers.iter_mut().find(|(w, _)| **w == *writer) {
                    Some((_, data)) => *data |= has_data,
                    None => folder.writers.push((Arc::from(writer), has_data)),
                }
                folder.events = true;
            }
            (Kind::Events, None) => folder.events = true,
            _ => folder.others = true,
        }
        Some(group::place(&folder.name, &find.name, kind, beside))
    }
}

fn set_size(health: &mut FileHealth, stamp: &Stamp) {
    health.bytes = stamp.size;
    health.modified = stamp.modified();
}

/// A short stand-in for a path in a table that may become large.
fn fingerprint(path: &Path) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault};
    BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(path)
}
