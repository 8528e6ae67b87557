//! Listening: watches on folders, hints, and when to ask for a turn.

use std::{
    cmp::Reverse,
    collections::VecDeque,
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc::RecvTimeoutError},
    time::Duration,
};

use super::{
    beside,
    folders::Entry,
    scout::{Scout, TELL_EVERY},
    watch::{Hint, Watcher},
};
use crate::{
    formats::Format,
    model::{FileId, WatchMode},
};

impl Scout {
    /// Sets watches on all folders found so far, and looks at everything once more: what happened before its watch
    /// was set went unnoticed.
    pub fn begin_watching(&mut self) {
        if self.notifications {
            match Watcher::new(self.ears.hints.clone(), Arc::clone(&self.ears.overflow)) {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(why) => (0..self.roots.len()).for_each(|at| self.fall_back(at, &why)),
            }
        }
        for at in 0..self.folders.end() {
            self.watch(at);
            // Whatever the first look has cost: this one must not be put off.
            if let Some(folder) = self.folders.get_mut(at) {
                folder.cost = Duration::ZERO;
            }
        }
        self.look_at_all();
    }

    /// Sets a watch on a folder unless changes there must be looked for anyway.
    pub fn watch(&mut self, at: usize) {
        let Some(folder) = self.folders.get(at).filter(|f| !f.polled && !f.notified) else { return };
        let Some(watcher) = &mut self.watcher else { return };
        let root = folder.root;
        match watcher.add(&folder.path) {
            Ok(()) => {
                if let Some(folder) = self.folders.get_mut(at) {
                    folder.notified = true;
                }
            }
            // A folder that is gone again is no reason to distrust the kernel.
            Err(_) if !folder.path.exists() => {}
            Err(why) => self.fall_back(root, &why),
        }
    }

    /// From now on changes under that root are looked for, and the report says why.
    fn fall_back(&mut self, root: usize, why: &str) {
        if let Some(root) = self.roots.get_mut(root).filter(|r| !r.polled) {
            root.polled = true;
            root.mode = WatchMode::Polled(why.into());
            self.untold = true;
        }
        self.folders.set_polled(root);
    }

    /// Follows hints and heartbeats until it is time to stop.
    pub fn keep_watch(&mut self) {
        loop {
            let wait = self.next_due().saturating_sub(self.clock.elapsed());
            let hint = match self.ears.receiver.recv_timeout(wait) {
                Ok(hint) => Some(hint),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.stop.stopped() {
                return;
            }
            let mut alive = hint.is_none_or(|hint| self.follow_up(hint));
            // What else has come is looked at in one go, but not for ever: the heartbeat is due, too.
            for _ in 0..256 {
                let Ok(hint) = self.ears.receiver.try_recv() else { break };
                alive = alive && self.follow_up(hint);
            }
            if self.ears.overflow.swap(false, Ordering::AcqRel) {
                alive = alive && self.look_at_all();
            }
            alive = alive && self.look_where_due() && self.settle(false);
            self.ask_for_delayed();
            if self.untold && self.clock.elapsed().saturating_sub(self.told) >= TELL_EVERY {
                alive = alive && self.tell();
            }
            if !alive {
                return;
            }
        }
    }

    fn next_due(&self) -> Duration {
        let mut due = self.next_round();
        if let Some(Reverse((at, _))) = self.delayed.peek() {
            due = due.min(*at);
        }
        if let Some(at) = self.settling_due() {
            due = due.min(at);
        }
        if self.untold {
            due = due.min(self.told + TELL_EVERY);
        }
        due
    }

    fn follow_up(&mut self, hint: Hint) -> bool {
        match hint {
            Hint::Wake => true,
            Hint::Later(file, at) => {
                let now = self.clock.elapsed();
                // One wish per file waits at most, unless the new one is for an earlier time: when it comes true the
                // file says anew what it wants.
                if let Some(known) = self.known.get_mut(file.0 as usize)
                    && (known.later <= now || at < known.later)
                {
                    known.later = at;
                    self.delayed.push(Reverse((at, file)));
                }
                true
            }
            Hint::Path { path, new } => self.look_at_path(&path, new),
        }
    }

    fn look_at_path(&mut self, path: &Path, new: bool) -> bool {
        if let Some(id) = self.by_path.get(path).copied().or_else(|| self.read_with(path)) {
            return self.want(id);
        }
        if let Some(at) = self.folders.at(path) {
            return self.look_at_folder(at, false);
        }
        let Some((above, name)) = path.parent().zip(path.file_name()) else { return true };
        let Some(at) = self.folders.at(above) else {
            // Deeper than what is known: look from the nearest known folder on.
            let nearest = above.ancestors().find_map(|p| self.folders.at(p));
            return nearest.is_none_or(|at| self.look_at_folder(at, true));
        };
        let Some(folder) = self.folders.get(at) else { return true };
        let (root, relative) = (folder.root, folder.relative.join(name));
        let only = self.roots.get(root).and_then(|r| r.only.as_ref());
        if only.is_some_and(|only| only != name) {
            return true;
        }
        if new && path.is_dir() {
            let link = path.is_symlink();
            let (mut next, mut links) = (VecDeque::new(), VecDeque::new());
            if only.is_none() {
                let (folder_path, folder_relative) = (above.to_path_buf(), relative.with_file_name(""));
                let entry = &Entry { name: name.to_owned(), link };
                let parent = folder_relative.components().as_path().to_path_buf();
                self.lead(at, &folder_path, &parent, root, entry, &mut next, &mut links);
            }
            next.extend(links);
            return self.survey(next.into());
        }
        if self.refusal(path, &relative, &self.folders.ignores_of(at)).is_some() {
            return true;
        }
        self.ask(at, vec![Entry { name: name.to_owned(), link: false }])
    }

    /// The file that the one at `path` is read with.
    fn read_with(&self, path: &Path) -> Option<FileId> {
        let main = |format: &&dyn Format, ending: &&str| {
            let id = self.by_path.get(beside::document(path, ending, format.patterns())?.as_path())?;
            let known = self.known.get(id.0 as usize)?;
            known.companions.contains(ending).then_some(*id)
        };
        self.formats
            .iter()
            .find_map(|format| format.companions().iter().find_map(|ending| main(format, ending)))
    }

    /// Asks for a turn at a file, now or as soon as it may have one; asks the formats if nobody reads it yet.
    pub fn want(&mut self, id: FileId) -> bool {
        let Some(known) = self.known.get_mut(id.0 as usize) else { return true };
        if known.waiting.is_some() {
            return self.ask_again(id, false);
        }
        if self.bare.contains(&id) && !self.no_longer_bare(id) {
            return false;
        }
        let Some(known) = self.known.get_mut(id.0 as usize) else { return true };
        if known.delayed {
            return true;
        }
        let now = self.clock.elapsed();
        if let Some(wait) = self.pool.want(id, now) {
            known.delayed = true;
            self.delayed.push(Reverse((now + wait, id)));
        }
        true
    }

    fn ask_for_delayed(&mut self) {
        let now = self.clock.elapsed();
        while let Some(Reverse((at, id))) = self.delayed.peek().copied() {
            if at > now {
                break;
            }
            self.delayed.pop();
            if let Some(known) = self.known.get_mut(id.0 as usize) {
                known.delayed = false;
                self.want(id);
            }
        }
    }
}
