//! The demo's source: logs in memory that are revealed at a pace, through the same tails and decoders as files.

use std::{io, path::Path, path::PathBuf, sync::Arc, sync::mpsc::SyncSender, time::Duration};

use super::{
    Ingest, StartError,
    group::{self, Find, Moved, NodeId, Tree},
    outlet::{Outlet, Stop},
    reader::Scratch,
    source::{ReadAt, Stamp},
    spawn,
    tail::{Budget, Tail, Turn},
};
use crate::{
    formats::{Candidate, FORMATS, HEAD_BYTES, Recognised, recognise},
    model::{Clock, FileHealth, FileId, News, ScanReport, Sharing, Source, WatchMode},
};

/// Bytes become visible this often: curves that move twenty times a second look alive.
const TICK: Duration = Duration::from_millis(50);

/// One log carried inside the program.
#[derive(Clone, Copy, Debug)]
pub struct ReplayFile {
    /// Path as in a watched folder: its folder is the run.
    pub path: &'static str,
    /// The whole log.
    pub bytes: &'static [u8],
}

/// How fast logs are revealed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the first byte of every file to its last; then everything stays as it is.
    pub duration: Duration,
}

/// A file of which the first `visible` bytes exist.
struct Revealed {
    file: ReplayFile,
    number: u64,
    visible: usize,
    now: f64,
}

impl ReadAt for Revealed {
    fn stamp(&self) -> io::Result<Stamp> {
        let size = self.visible as u64;
        let modified_s = self.now as i64;
        Ok(Stamp { device: 0, inode: self.number, size, modified_s, ..Stamp::default() })
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.visible);
        let bytes = self.file.bytes.get(from..self.visible).unwrap_or_default();
        let len = bytes.len().min(into.len());
        if let (Some(into), Some(bytes)) = (into.get_mut(..len), bytes.get(..len)) {
            into.copy_from_slice(bytes);
        }
        Ok(len)
    }
}

/// Starts revealing `files`, all at once and each over the whole `pace`.
pub fn start(
    files: &'static [ReplayFile],
    pace: Pace,
    clock: Arc<dyn Clock>,
    out: SyncSender<News>,
) -> Result<Ingest, StartError> {
    let stop = Arc::new(Stop::default());
    let outlet = Outlet::new(out, Arc::clone(&stop));
    let tails = tails(files)?;
    let theirs = Arc::clone(&stop);
    let began = clock.elapsed();
    let thread = spawn("replay", move || play(tails, pace, began, &*clock, &outlet, &theirs))?;
    Ok(Ingest { stop, pool: None, wake: None, threads: vec![thread] })
}

fn tails(files: &'static [ReplayFile]) -> Result<Vec<(Tail, ReplayFile)>, StartError> {
    let mut tree = Tree::default();
    let mut formats = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let path = Path::new(file.path);
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let head = file.bytes.get(..HEAD_BYTES).unwrap_or(file.bytes);
        let candidate = Candidate { path, name: &name, head, whole: head.len() == file.bytes.len() };
        let Recognised::As(format) = recognise(&candidate) else {
            return Err(StartError { path: path.to_path_buf(), reason: "no format reads it".to_owned() });
        };
        let rank = FORMATS.iter().position(|f| f.name() == format.name()).unwrap_or(0);
        let sharing = if format.continues(path) { Sharing::Continues } else { Sharing::First };
        let find = Find {
            id: FileId(u32::try_from(number).unwrap_or(u32::MAX)),
            name: Arc::from(name),
            format: format.name(),
            standing: format.standing(path),
            source: Source { rank: u16::try_from(rank).unwrap_or(u16::MAX), sharing },
            folded: None,
        };
        let node = folder(&mut tree, path.parent().unwrap_or(Path::new("")));
        tree.add(node, find);
        formats.push((*file, format));
    }
    let mut tails = Vec::new();
    for Moved { id, place, side, .. } in tree.settle() {
        let (Some((file, format)), Some(place)) = (formats.get(id.0 as usize), place) else { continue };
        let mut health = FileHealth::found(id, Arc::from(file.path), place.run.clone(), format.name());
        health.side = side;
        tails.push((Tail::new(PathBuf::from(file.path), place, *format, health), *file));
    }
    Ok(tails)
}

/// The folder at `path` with all above it.
fn folder(tree: &mut Tree, path: &Path) -> NodeId {
    let above = path.parent().map(|above| folder(tree, above));
    tree.folder(path.to_path_buf(), above, &group::folder_name("", path))
}

fn play(
    mut tails: Vec<(Tail, ReplayFile)>,
    pace: Pace,
    began: Duration,
    clock: &dyn Clock,
    outlet: &Outlet,
    stop: &Stop,
) {
    let scan = ScanReport {
        files_seen: tails.len() as u64,
        complete: true,
        watched: vec![(Arc::from("demo"), WatchMode::Notified)],
        ..ScanReport::default()
    };
    let mut out = |news| outlet.send(news);
    if !tails.iter().all(|(tail, _)| out(News::File(Box::new(tail.health().clone()))))
        || !out(News::Scan(scan))
    {
        return;
    }
    let mut scratch = Scratch::default();
    loop {
        let passed = clock.elapsed().saturating_sub(began);
        let part =
            if pace.duration.is_zero() { 1.0 } else { passed.as_secs_f64() / pace.duration.as_secs_f64() };
        for (number, (tail, file)) in tails.iter_mut().enumerate() {
            let visible = (file.bytes.len() as f64 * part.min(1.0)) as usize;
            let now = clock.now().0;
            let shown = Revealed { file: *file, number: number as u64, visible, now };
            let budget = Budget { bytes: u64::MAX, time: Duration::MAX, at_end: false };
            if tail.turn(&shown, budget, &mut scratch, clock, &mut out) == Turn::Closed {
                return;
            }
        }
        if stop.wait((part < 1.0).then_some(TICK)) {
            return;
        }
    }
}
