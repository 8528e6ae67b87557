//! The kernel's notifications, turned into hints.
//!
//! **Invariant:** hints only make things quicker. If every one of them is lost, everything arrives at the heartbeat.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{CreateKind, ModifyKind},
};

use crate::model::FileId;

/// Hints that wait to be looked at. Those that find no room set a flag that makes everything be looked at.
pub const HINTS: usize = 4096;

/// Something to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Something happened at this path.
    Path {
        /// Where.
        path: PathBuf,
        /// It may be a folder or a file that is new there, not just more content.
        new: bool,
    },
    /// A file asks for a turn at that time of the clock.
    Later(FileId, Duration),
    /// Look whether it is time to stop.
    Wake,
}

/// Watches folders, one by one.
///
/// Each folder is watched for itself, never recursively: folders that appear are found by looking, after their watch
/// is set, because notify misses files that are made at once in new nested folders.
pub struct Watcher {
    watcher: RecommendedWatcher,
}

impl Watcher {
    /// A watcher that sends into `hints`; the error is one clause.
    pub fn new(hints: SyncSender<Hint>, overflow: Arc<AtomicBool>) -> Result<Self, String> {
        let lost = move |hints: &SyncSender<Hint>| {
            overflow.store(true, Ordering::Release);
            // If there is no room for this one either, what is in the way wakes the scout as well.
            let _ = hints.try_send(Hint::Wake);
        };
        let deliver = move |event: notify::Result<Event>| {
            let Ok(event) = event else { return lost(&hints) };
            if event.need_rescan() {
                return lost(&hints);
            }
            let Some(new) = interest(event.kind) else { return };
            for path in event.paths {
                if let Err(TrySendError::Full(_)) = hints.try_send(Hint::Path { path, new }) {
                    return lost(&hints);
                }
            }
        };
        let watcher = notify::recommended_watcher(deliver).map_err(|e| explain(&e))?;
        Ok(Self { watcher })
    }

    /// Watches the files directly in `folder`; the error is one clause.
    pub fn add(&mut self, folder: &Path) -> Result<(), String> {
        self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|e| explain(&e))
    }

    /// Forgets a folder that is gone.
    pub fn remove(&mut self, folder: &Path) {
        // It fails when the kernel was quicker to forget it.
        let _ = self.watcher.unwatch(folder);
    }
}

/// Whether an event is worth a look, and whether something may be new at its path.
///
/// Accesses are not: notify reports our own opening and reading of files, and looking again because of that would
/// never end.
fn interest(kind: EventKind) -> Option<bool> {
    match kind {
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::File | CreateKind::Folder | CreateKind::Any | CreateKind::Other)
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Any
        | EventKind::Other => Some(true),
        EventKind::Modify(_) | EventKind::Remove(_) => Some(false),
    }
}

fn explain(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the limit of watches is reached (fs.inotify.max_user_watches)".to_owned()
        }
        notify::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, DataChange, RemoveKind, RenameMode};

    use super::*;

    #[test]
    fn our_own_reading_is_no_news() {
        assert_eq!(interest(EventKind::Access(AccessKind::Open(AccessMode::Any))), None);
        assert_eq!(interest(EventKind::Access(AccessKind::Close(AccessMode::Read))), None);
        assert_eq!(interest(EventKind::Modify(ModifyKind::Data(DataChange::Any))), Some(false));
        assert_eq!(interest(EventKind::Remove(RemoveKind::File)), Some(false));
        assert_eq!(interest(EventKind::Create(CreateKind::Folder)), Some(true));
        assert_eq!(interest(EventKind::Modify(ModifyKind::Name(RenameMode::To))), Some(true));
    }
}
