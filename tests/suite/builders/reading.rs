//! Reads a file or folder once, as `status` does.

use std::{
    path::Path,
    sync::{Arc, mpsc::sync_channel},
};

use epochscope::{
    engine::{Engine, Session, read_all},
    ingest::{Options, start},
    model::{ManualClock, WallTime},
    store::Limits,
};

/// Everything that is in it, judged if `judge`.
pub fn read_folder(path: &Path, judge: bool) -> Session {
    let clock = Arc::new(ManualClock::new(WallTime(1.9e9)));
    let options =
        Options { roots: vec![path.to_path_buf()], follow: false, workers: 1, ..Options::default() };
    let (out, news) = sync_channel(64);
    let _ingest = start(options, clock.clone(), out).unwrap();
    read_all(&news, Engine::new(Limits::default(), judge), &*clock, &mut |_| {})
}
