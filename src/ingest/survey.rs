//! Finding files: walking folders, asking the formats, assigning runs.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    alike::Alike,
    beside,
    claim::ruled_out,
    folders::{Entry, Folder, list, trusted_time},
    group, mount,
    packed::Packing,
    passed::like,
    rotated,
    scout::Scout,
    select::{IGNORE_FILE, Ignores, ignore_file},
    source::Stamp,
};
use crate::formats::Format;

/// Examples of unreadable files and folders that are kept.
const EXAMPLES: usize = 200;

/// Kinds of names that are told apart in one folder.
const KINDS: usize = 64;

/// Stamps of files that nobody claimed. Beyond this many they are asked again whenever their folder is listed.
const REJECTED_KEPT: usize = 1 << 18;

/// Why the older parts of a rotated log are no files of their own.
const OLDER_PART: &str = "an older part of the log beside it, read with it";

/// The log of which the file at `path` is an older part, by its name.
fn older_part_of(path: &Path) -> Option<PathBuf> {
    let (log, _) = rotated::base(path.file_name()?.to_str()?)?;
    Some(path.with_file_name(log))
}

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
            if !self.settle(false) {
                return false;
            }
            self.tell_progress();
        }
        self.settle(false)
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
        let name = group::folder_name(label, &lead.relative);
        let above = lead.above.and_then(|above| self.folders.get(above)).map(|f| f.node);
        let node = self.tree.folder(lead.path.clone(), above, &name);
        let folder = Folder {
            name,
            node,
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
            alike: Alike::default(),
            ignores: None,
            notified: false,
            polled,
        };
        let path = folder.path.clone();
        let Some(at) = self.folders.add(folder) else {
            self.ignored(&path, 1, "the same folder under another name");
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
        let (said, wrong) = ignore_file(&path);
        if let Some(wrong) = wrong {
            self.unreadable(&path.join(IGNORE_FILE), &wrong);
        }
        if let Some(folder) = self.folders.get_mut(at) {
            folder.ignores = said;
        }
        let ignores = self.folders.ignores_of(at);
        // by how their names end: a million files take no memory
        let mut refused: BTreeMap<(String, &'static str), (OsString, u64)> = BTreeMap::new();
        let mut refused_count = 0_u64;
        let mut rotated = Vec::new();
        let listing = list(&path, |name| {
            if only.as_ref().is_some_and(|only| only != name) {
                return false;
            }
            let refusal = self.refusal(&path.join(name), &relative.join(name), &ignores);
            if let Some(why) = refusal {
                refused_count += 1;
                if why == OLDER_PART {
                    rotated.extend(
                        older_part_of(&path.join(name))
                            .filter(|log| !self.by_path.contains_key(log.as_path())),
                    );
                }
                if first_time {
                    let mut kind = like(&name.to_string_lossy());
                    if refused.len() >= KINDS && !refused.contains_key(&(kind.clone(), why)) {
                        kind = "*".to_owned();
                    }
                    refused.entry((kind, why)).or_insert_with(|| (name.clone(), 0)).1 += 1;
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
        self.rotated.extend(rotated);
        for ((_, why), (name, count)) in refused {
            self.ignored(&path.join(name), count, why);
        }
        for (name, why) in listing.broken.iter().filter(|_| first_time) {
            self.unreadable(&path.join(name), why);
        }
        if only.is_none() {
            for entry in &listing.folders {
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

    /// Why a file is not looked at: where it is, and its path below what is watched.
    pub fn refusal(&self, path: &Path, relative: &Path, ignores: &Ignores) -> Option<&'static str> {
        if let Some(why) = self.selection.refuses_file(relative, path, ignores) {
            return Some(why);
        }
        if self.selection.hinted(relative).is_some() {
            return None;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(log) = older_part_of(path)
            && !ruled_out(self.formats, &log, &log.file_name().unwrap_or_default().to_string_lossy())
            && (self.by_path.contains_key(log.as_path()) || log.is_file())
        {
            return Some(OLDER_PART);
        }
        if name.to_ascii_lowercase().ends_with(".zip") && path.with_extension("").is_dir() {
            return Some("the packed copy of the folder beside it");
        }
        if let Some(companion) = self.companion(path) {
            return Some(if companion.contains('*') {
                "a part of a database, read with `CURRENT`"
            } else {
                "read together with the file that it is named after"
            });
        }
        if !ruled_out(self.formats, path, &name) {
            let (packing, inner) = Packing::of_path(path);
            let copy = packing.is_some() && (self.by_path.contains_key(&*inner) || inner.is_file());
            return copy.then_some("the compressed copy of a file beside it");
        }
        if name == IGNORE_FILE {
            return Some("says what is passed over");
        }
        Some("no format reads files of this name")
    }

    /// What the file at `path` is to a document that is there and is read with it.
    fn companion(&self, path: &Path) -> Option<&'static str> {
        let is_read = |format: &&'static dyn Format, companion: &&'static str| {
            let Some(document) = beside::document(path, companion, format.patterns()) else { return false };
            let name = document.file_name().unwrap_or_default().to_string_lossy();
            let known = self.by_path.contains_key(document.as_path()) || document.is_file();
            known && !ruled_out(&[*format], &document, &name)
        };
        let of = |format: &&'static dyn Format| {
            format.companions().iter().copied().find(|companion| is_read(format, companion))
        };
        self.formats.iter().find_map(of)
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
        entry: &Entry,
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
        let ignores = self.folders.ignores_of(at);
        if let Some(why) = self.selection.refuses_folder(&lead.relative, &lead.path, &ignores) {
            self.ignored(&lead.path, 1, why);
        } else if entry.link {
            links.push_back(lead);
        } else {
            next.push_back(lead);
        }
    }

    /// Remembers a file that nobody reads, and its state, so that it is asked about again only in another one.
    pub fn reject(&mut self, at: usize, path: &Path, key: u64, stamp: Stamp, why: &str) {
        let before =
            if self.rejected.len() < REJECTED_KEPT { self.rejected.insert(key, stamp) } else { None };
        self.count_ignored(at);
        if before.is_none() {
            self.ignored(path, 1, why);
        }
    }

    /// Counts a file that nobody reads.
    pub fn count_ignored(&mut self, at: usize) {
        if let Some(folder) = self.folders.get_mut(at) {
            folder.ignored += 1;
        }
    }

    /// Tells of what is not looked at: `count` files of a folder that end as `path` does, or one.
    pub fn ignored(&mut self, path: &Path, count: u64, why: &str) {
        self.untold = true;
        let shown = self.shown_path(path);
        let (folder, name) = shown.rsplit_once('/').unwrap_or(("", &shown));
        self.passed.add(&mut self.report.passed_over, folder, name, count, why);
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
