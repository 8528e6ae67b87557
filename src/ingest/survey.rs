//! Finding files: walking folders, asking the formats, assigning runs.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    claim::{Claimed, claim, first_records, ruled_out},
    folders::{Entry, Folder, list, trusted_time},
    group::{self, Beside, Kind, Place, Relation},
    mount,
    scout::{Known, Scout},
    source::Stamp,
    tail::Tail,
};
use crate::{
    formats::Format,
    model::{FileHealth, FileId, News, RunId},
};

/// Examples of ignored files that are kept, and of unreadable ones.
const EXAMPLES: usize = 200;

/// Of those, at most this many whose name alone ruled them out: they say the least.
const NAME_EXAMPLES: usize = 50;

/// Stamps of files that nobody claimed. Beyond this many they are asked again whenever their folder is listed.
const REJECTED_KEPT: usize = 1 << 18;

/// An event file up to this size holds its header and at most a mark of a restart.
const BARE_EVENTS: u64 = 128;

/// A folder to look into.
pub struct Lead {
    /// Where.
    pub path: PathBuf,
    /// Path below the watched path.
    pub relative: PathBuf,
    /// Which of the watched paths.
    pub root: usize,
    /// The folder that it was found in.
    pub above: Option<usize>,
}

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
    /// Looks into `leads` and everything below them. Links come last, so that a folder is known by its real path.
    /// False when it is time to stop.
    pub fn survey(&mut self, leads: Vec<Lead>) -> bool {
        let mut next: VecDeque<Lead> = leads.into();
        let mut links = VecDeque::new();
        while let Some(lead) = next.pop_front().or_else(|| links.pop_front()) {
            if !self.look_into(lead, &mut next, &mut links) {
                return false;
            }
            self.tell_progress();
        }
        true
    }

    /// Takes in a folder that was not known and lists it.
    fn look_into(&mut self, lead: Lead, next: &mut VecDeque<Lead>, links: &mut VecDeque<Lead>) -> bool {
        let metadata = match lead.path.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreadable(&lead.path, &error.to_string());
                return true;
            }
        };
        let stamp = Stamp::of(&metadata);
        let polled = self.must_poll(lead.root, stamp.device, &lead.path);
        let label = self.roots.get(lead.root).map_or("", |r| r.label.as_str());
        let folder = Folder {
            name: group::folder_name(label, &lead.relative),
            path: lead.path,
            relative: lead.relative,
            root: lead.root,
            above: lead.above,
            identity: stamp.identity(),
            modified: None,
            listed: self.clock.elapsed(),
            cost: std::time::Duration::ZERO,
            files: 0,
            ignored: 0,
            writers: Vec::new(),
            events: false,
            others: false,
            notified: false,
            polled,
        };
        let path = folder.path.clone();
        let Some(at) = self.folders.add(folder) else {
            self.ignored(&path, "the same folder under another name");
            return true;
        };
        // The watch comes before the listing: what is made in between is seen by one of them.
        self.watch(at);
        self.list_folder(at, next, links)
    }

    /// Lists a known folder: new sub-folders become leads, new files are asked about.
    pub fn list_folder(&mut self, at: usize, next: &mut VecDeque<Lead>, links: &mut VecDeque<Lead>) -> bool {
        let began = self.clock.elapsed();
        let Some(folder) = self.folders.get(at) else { return true };
        let (path, relative, root) = (folder.path.clone(), folder.relative.clone(), folder.root);
        let Ok(stamp) = path.metadata().map(|m| Stamp::of(&m)) else {
            self.forget_folder(at);
            return true;
        };
        let only =
            self.roots.get(root).and_then(|r| r.only.clone()).filter(|_| relative.as_os_str().is_empty());
        let first_time = folder.modified.is_none() && folder.files == 0;
        let mut refused: Vec<(OsString, &'static str)> = Vec::new();
        let mut refused_count = 0_u64;
        let listing = list(&path, |name| {
            if only.as_ref().is_some_and(|only| only != name) {
                return false;
            }
            let refusal = self.refusal(&relative, name);
            if let Some(why) = refusal {
                refused_count += 1;
                if first_time && refused.len() < NAME_EXAMPLES {
                    refused.push((name.clone(), why));
                }
            }
            refusal.is_none()
        });
        let listing = match listing {
            Ok(listing) => listing,
            Err(error) => {
                self.unreadable(&path, &error.to_string());
                return true;
            }
        };
        for (name, why) in refused {
            self.ignored(&path.join(name), why);
        }
        for (name, why) in listing.broken.iter().filter(|_| first_time) {
            self.unreadable(&path.join(name), why);
        }
        if only.is_none() {
            for entry in listing.folders {
                self.lead(at, &path, &relative, root, entry, next, links);
            }
        }
        let seen = if only.is_some() { listing.files.len() as u64 } else { listing.seen };
        if let Some(folder) = self.folders.get_mut(at) {
            folder.files = seen;
            folder.ignored = refused_count;
        }
        let alive = self.ask(at, listing.files);
        let now = self.clock.elapsed();
        let trusted = trusted_time(&stamp, self.clock.now());
        if let Some(folder) = self.folders.get_mut(at) {
            folder.modified = trusted;
            folder.listed = now;
            folder.cost = now.saturating_sub(began);
        }
        alive
    }

    /// Why a file of that name is not looked at.
    pub fn refusal(&self, folder: &Path, name: &OsString) -> Option<&'static str> {
        let relative = folder.join(name);
        if let Some(why) = self.selection.refuses_file(&relative) {
            return Some(why);
        }
        if self.selection.hinted(&relative).is_some() {
            return None;
        }
        let out = ruled_out(self.formats, &relative, &name.to_string_lossy());
        out.then_some("no format reads files of this name")
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one folder, taken apart once per folder, not per entry"
    )]
    pub fn lead(
        &mut self,
        at: usize,
        path: &Path,
        relative: &Path,
        root: usize,
        entry: Entry,
        next: &mut VecDeque<Lead>,
        links: &mut VecDeque<Lead>,
    ) {
        let lead = Lead {
            path: path.join(&entry.name),
            relative: relative.join(&entry.name),
            root,
            above: Some(at),
        };
        if self.folders.at(&lead.path).is_some() {
            return;
        }
        if let Some(why) = self.selection.refuses_folder(&lead.relative) {
            self.ignored(&lead.path, why);
        } else if entry.link {
            links.push_back(lead);
        } else {
            next.push_back(lead);
        }
    }

    /// Asks the formats about files of one folder that are new or were refused in another state, and hands those that
    /// are claimed to the workers.
    pub fn ask(&mut self, at: usize, entries: Vec<Entry>) -> bool {
        let Some(folder) = self.folders.get(at) else { return true };
        let (path, relative) = (folder.path.clone(), folder.relative.clone());
        let mut finds = Vec::new();
        for entry in entries {
            let full = path.join(&entry.name);
            if self.by_path.contains_key(full.as_path()) {
                continue;
            }
            let name = entry.name.to_string_lossy().into_owned();
            if !self.ask_one(at, full, &relative.join(&entry.name), name, &mut finds) {
                return false;
            }
        }
        self.hand_over(at, finds)
    }

    fn ask_one(
        &mut self,
        at: usize,
        path: PathBuf,
        relative: &Path,
        name: String,
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
        match claim(self.formats, self.selection.hinted(relative), &path, relative, &name) {
            Ok(Claimed::As(format, stamp)) => {
                finds.push(Find { path, name, format, stamp, waited: None });
                true
            }
            Ok(Claimed::NotYet(stamp)) => self.let_wait(at, path, "", stamp),
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
    fn let_wait(&mut self, at: usize, path: PathBuf, format: &'static str, stamp: Stamp) -> bool {
        let run = self.folders.get(at).map_or_else(|| RunId::from("."), |f| RunId::from(f.name.as_str()));
        let id = self.next_id();
        let mut health = FileHealth::found(id, self.shown_path(&path), run, format);
        set_size(&mut health, &stamp);
        health.pending_bytes = stamp.size;
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
        match claim(self.formats, self.selection.hinted(&relative), &path, &relative, &name) {
            Ok(Claimed::As(format, stamp)) => {
                let find = Find { path: path.to_path_buf(), name, format, stamp, waited: Some(id) };
                return self.hand_over_or(at, vec![find], last_chance);
            }
            Ok(Claimed::NotYet(stamp) | Claimed::No(stamp, _)) if stamp == before => return true,
            Ok(Claimed::NotYet(stamp) | Claimed::No(stamp, _)) => {
                set_size(&mut health, &stamp);
                health.pending_bytes = stamp.size;
                health.state = crate::model::FileState::Waiting;
                self.set_waiting(id, health.clone(), stamp);
            }
            Err(_) if before == Stamp::default() => return true,
            Err(error) => {
                health.state = if error.kind() == std::io::ErrorKind::NotFound {
                    crate::model::FileState::Gone
                } else {
                    crate::model::FileState::Dead(error.to_string().into())
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
            self.learn(Known::new(id, find.path.clone(), at, None), find.stamp.identity());
            let (run, order) = (place.run.clone(), Arc::clone(&place.order));
            tails.push((run, order, Tail::new(find.path, place, find.format, health)));
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

    fn reject(&mut self, at: usize, path: &Path, key: u64, stamp: Stamp, why: &str) {
        let before =
            if self.rejected.len() < REJECTED_KEPT { self.rejected.insert(key, stamp) } else { None };
        self.count_ignored(at);
        if before.is_none() {
            self.ignored(path, why);
        }
    }

    fn count_ignored(&mut self, at: usize) {
        if let Some(folder) = self.folders.get_mut(at) {
            folder.ignored += 1;
        }
    }

    /// Keeps an example of what is not looked at.
    pub fn ignored(&mut self, path: &Path, why: &str) {
        self.untold = true;
        let limit = if why.starts_with("no format reads files of") { NAME_EXAMPLES } else { EXAMPLES };
        if self.report.ignored_examples.len() < limit {
            let shown = self.shown_path(path);
            self.report.ignored_examples.push((shown, why.into()));
        }
    }

    /// Lists what could not be read.
    pub fn unreadable(&mut self, path: &Path, why: &str) {
        let shown = self.shown_path(path);
        let list = &mut self.report.unreadable;
        if list.len() < EXAMPLES && !list.iter().any(|(p, w)| *p == shown && **w == *why) {
            list.push((shown, why.into()));
            self.untold = true;
        }
    }

    /// Whether folders on `device` under that root must be looked at, because nobody tells.
    fn must_poll(&mut self, root: usize, device: u64, path: &Path) -> bool {
        if self.roots.get(root).is_none_or(|r| r.polled) {
            return true;
        }
        let kind = *self.mounts.entry(device).or_insert_with(|| mount::remote_kind(path));
        kind.is_some()
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
