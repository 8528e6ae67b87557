//! When to look: kernel notifications as hints where they work, a slow heartbeat always, polling elsewhere.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use notify::{EventKind, RecursiveMode, Watcher};

use super::{Options, board::Board, directory::Scout};
use crate::model::{Clock, News, WatchMode};

/// Between two full looks where notifications work.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two looks where they do not.
const POLL: Duration = Duration::from_secs(1);
/// The scout wakes at least this often to see whether it shall stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// Hints that may wait; when there are more, one full look replaces them all.
const HINTS: usize = 1024;

/// File systems whose changes by other hosts the kernel does not report: NFS, SMB, CIFS, FUSE, 9p, Lustre, Ceph, GPFS.
const REMOTE: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x0bd0_0bd0, "Lustre"),
    (0x00c3_6400, "Ceph"),
    (0x4750_4653, "GPFS"),
];

struct Hints {
    watcher: Option<notify::RecommendedWatcher>,
    paths: Receiver<PathBuf>,
    overflow: Arc<AtomicBool>,
}

/// Looks, follows, and looks again until the board stops.
pub(super) fn watch(
    mut scout: Scout,
    options: &Options,
    board: &Board,
    clock: &dyn Clock,
    out: &SyncSender<News>,
) {
    // Watching begins before the first look, so that nothing falls between the two.
    let hints = start_hints(&mut scout, options);
    scout.scan(board);
    let mut said = scout.report.clone();
    if out.send(News::Scan(said.clone())).is_err() {
        return board.stop();
    }
    board.scanned();
    if !options.follow {
        return;
    }
    let every = options.poll.unwrap_or(if hints.watcher.is_some() { HEARTBEAT } else { POLL });
    let mut next = clock.elapsed() + every;
    while !board.stopped() {
        let wait = next.saturating_sub(clock.elapsed()).min(STOP_CHECK);
        match hints.paths.recv_timeout(wait) {
            Ok(path) => {
                scout.hint(&path, board);
                // What arrived meanwhile, each path once.
                let mut more: Vec<PathBuf> =
                    hints.paths.try_iter().take(HINTS).filter(|p| *p != path).collect();
                more.sort();
                more.dedup();
                for path in more {
                    scout.hint(&path, board);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => board.wait(wait),
        }
        if clock.elapsed() >= next || hints.overflow.swap(false, Ordering::AcqRel) {
            scout.look(board);
            next = clock.elapsed() + every;
        }
        if scout.report != said {
            said = scout.report.clone();
            if out.send(News::Scan(said.clone())).is_err() {
                return board.stop();
            }
        }
    }
}

fn start_hints(scout: &mut Scout, options: &Options) -> Hints {
    let (sender, paths) = sync_channel(HINTS);
    let overflow = Arc::new(AtomicBool::new(false));
    let roots: Vec<PathBuf> = scout.root_paths().map(Path::to_owned).collect();
    let mut watcher = None;
    for root in &roots {
        let mode = match polling_reason(root, options) {
            Some(reason) => WatchMode::Polled(reason),
            None => match add(&mut watcher, root, &sender, &overflow) {
                Ok(()) => WatchMode::Notified,
                Err(e) => WatchMode::Polled(explain(&e).into()),
            },
        };
        scout.report.watched.push((root.display().to_string().into(), mode));
    }
    if scout.report.watched.iter().any(|(_, m)| matches!(m, WatchMode::Polled(_))) {
        // One rhythm for all: where one path must be polled, the look that does it covers the others too.
        watcher = None;
    }
    Hints { watcher, paths, overflow }
}

fn polling_reason(root: &Path, options: &Options) -> Option<Arc<str>> {
    if !options.follow {
        return Some("read once".into());
    }
    if options.poll.is_some() {
        return Some("asked for with --poll".into());
    }
    remote(root).map(|name| format!("{name} does not report changes by other hosts").into())
}

/// The name of the network file system that holds `path`.
#[cfg(target_os = "linux")]
fn remote(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type as u64 & 0xffff_ffff;
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn remote(_path: &Path) -> Option<&'static str> {
    None
}

fn add(
    watcher: &mut Option<notify::RecommendedWatcher>,
    root: &Path,
    sender: &SyncSender<PathBuf>,
    overflow: &Arc<AtomicBool>,
) -> notify::Result<()> {
    if watcher.is_none() {
        let (sender, overflow) = (sender.clone(), Arc::clone(overflow));
        *watcher = Some(notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else {
                overflow.store(true, Ordering::Release);
                return;
            };
            // Our own reads are reported too (open, close without writing): they must not wake us.
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            if event.need_rescan() {
                overflow.store(true, Ordering::Release);
            }
            for path in event.paths {
                if sender.try_send(path).is_err() {
                    overflow.store(true, Ordering::Release);
                }
            }
        })?);
    }
    match watcher {
        Some(w) => w.watch(root, RecursiveMode::Recursive),
        None => Ok(()),
    }
}

fn explain(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "more folders than the system lets one user watch (fs.inotify.max_user_watches)".to_owned()
        }
        _ => format!("cannot be watched: {error}"),
    }
}
