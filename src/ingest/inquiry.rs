//! Asking: which format a found file has, and what to do while that cannot be told.

use std::path::{Path, PathBuf};

use super::{
    claim::{Claimed, claim},
    folders::Entry,
    packed::Packing,
    scout::{Known, Scout},
    source::Stamp,
};
use crate::{
    formats::Format,
    model::{FileHealth, FileId, FileState, News, RunId},
};

/// Shown in place of a format's name while none is sure.
const UNDECIDED: &str = "undecided";

/// A file that a format claimed and that has no run yet.
pub struct Claim {
    /// Where.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Who reads it.
    pub format: &'static dyn Format,
    /// How it looked.
    pub stamp: Stamp,
    /// The number it had while it waited.
    pub waited: Option<FileId>,
}

impl Scout {
    /// Asks the formats about files of one folder that are new or were refused in another state, and hands those that
    /// are claimed to the workers.
    pub fn ask(&mut self, at: usize, entries: Vec<Entry>) -> bool {
        let Some(folder) = self.folders.get(at) else { return true };
        let (path, relative) = (folder.path.clone(), folder.relative.clone());
        let mut unopened: Option<(PathBuf, u64)> = None;
        for entry in entries {
            let full = path.join(&entry.name);
            if let Some(id) = self.by_path.get(full.as_path()).copied() {
                if !self.meet_again(id, at) {
                    return false;
                }
                continue;
            }
            let name = entry.name.to_string_lossy().into_owned();
            let relative = relative.join(&entry.name);
            let many = self.folders.get(at).is_some_and(|f| f.alike.is_one_of_many(&name));
            if many && self.selection.hinted(&relative).is_none() {
                self.count_ignored(at);
                unopened.get_or_insert((full, 0)).1 += 1;
                continue;
            }
            if !self.ask_one(at, full, &relative, &name) {
                return false;
            }
        }
        if let Some((path, count)) = unopened {
            self.tell_unopened(at, &path, count);
        }
        true
    }

    /// Tells of files that were not opened, those of earlier looks at the folder left out.
    fn tell_unopened(&mut self, at: usize, path: &Path, count: u64) {
        let Some(folder) = self.folders.get_mut(at) else { return };
        let new = count.saturating_sub(folder.alike.told);
        folder.alike.told += new;
        if new > 0 {
            self.ignored(path, new, "named like hundreds of files beside it that are no logs");
        }
    }

    /// A known file was seen in its folder: it may have been away, and the folder, too.
    fn meet_again(&mut self, id: FileId, at: usize) -> bool {
        let Some(known) = self.known.get_mut(id.0 as usize) else { return true };
        known.folder = at;
        let away = known.waiting.is_none() && self.pool.looked(id) == Some(Stamp::default());
        !away || self.want(id)
    }

    fn ask_one(&mut self, at: usize, path: PathBuf, relative: &Path, name: &str) -> bool {
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
        let answer = claim(self.formats, self.selection.hinted(relative), &path, name);
        if let Some(folder) = self.folders.get_mut(at) {
            match answer {
                Ok(Claimed::No(..)) => folder.alike.refused(name),
                Ok(_) => folder.alike.claimed(name),
                Err(_) => {}
            }
        }
        match answer {
            Ok(Claimed::As(format, stamp)) => {
                let name = Packing::of(name).1.to_owned();
                self.take_in(at, Claim { path, name, format, stamp, waited: None }, false)
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
    pub fn let_wait(&mut self, at: usize, path: PathBuf, format: &'static str, stamp: Stamp) -> bool {
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
        if self.unplaced.contains_key(&id) {
            return self.look_at_unplaced(id);
        }
        let Some(known) = self.known.get(id.0 as usize) else { return true };
        let Some((health, before)) = &known.waiting else { return true };
        let (path, at, mut health, before) = (known.path.clone(), known.folder, health.clone(), *before);
        let relative = self.folders.get(at).map_or_else(|| path.to_path_buf(), |f| f.relative.clone());
        let relative = path.file_name().map_or_else(|| relative.clone(), |n| relative.join(n));
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        match claim(self.formats, self.selection.hinted(&relative), &path, &name) {
            Ok(Claimed::As(format, stamp)) => {
                let name = Packing::of(&name).1.to_owned();
                let claim = Claim { path: path.to_path_buf(), name, format, stamp, waited: Some(id) };
                return self.take_in(at, claim, last_chance);
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
}

/// Notes how large a file is and when it was changed.
pub fn set_size(health: &mut FileHealth, stamp: &Stamp) {
    health.bytes = stamp.size;
    health.modified = stamp.modified();
}

/// A short stand-in for a path in a table that may become large.
fn fingerprint(path: &Path) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault};
    BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(path)
}
