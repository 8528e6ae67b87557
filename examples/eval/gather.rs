//! Reads the files of a case into atoms: the smallest pieces that a reader could have seen at once, each with the
//! moment at which it arrived.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc::sync_channel},
};

use epochscope::{
    app::clock::RealClock,
    formats::{self, Decoded, Format, Opening, Taken},
    ingest::{self, Options},
    model::{Column, FileHealth, FileId, News, Origin, Record, RunId, SeriesKey, Step},
};
use serde_json::Value;

/// Bytes by which a binary file grows: less than any record has.
const PIECE: usize = 24;
/// How often a document that is rewritten as a whole was saved.
const SAVES: usize = 20;
/// Time that files without any time are taken to begin at.
const EPOCH: f64 = 1_750_000_000.0;

/// What arrives at once.
#[derive(Clone, Debug)]
pub struct Atom {
    /// When, in seconds of the virtual clock.
    pub arrival: f64,
    /// Which run it speaks of.
    pub run: RunId,
    /// The file was rewritten.
    pub reset: bool,
    /// Points.
    pub columns: Vec<Column>,
    /// Everything else.
    pub records: Vec<Record>,
}

/// A file with all that it says, in its order.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the readers found it.
    pub health: FileHealth,
    /// Where it belongs.
    pub origin: Origin,
    /// What it says.
    pub atoms: Vec<Atom>,
}

/// What the readers say of a file: where it belongs and what its series are called.
#[derive(Default)]
struct Found {
    health: Option<FileHealth>,
    origin: Option<Origin>,
    runs: Vec<RunId>,
    first: Option<SeriesKey>,
    keys: Vec<SeriesKey>,
}

/// The virtual clock as far as the corpus tells: for steps in the order of the log.
struct Times<'a> {
    clock: &'a [(Step, f64)],
    at: usize,
    last_step: Step,
}

impl Times<'_> {
    fn of(&mut self, step: Step) -> Option<f64> {
        if step < self.last_step {
            // Resumed: the log goes back, the clock does not.
            let back = self.clock.windows(2).enumerate().skip(self.at).find(|(_, w)| w[1].0 < w[0].0);
            self.at = back.map_or(self.at, |(i, _)| i + 1);
        }
        self.last_step = step;
        while self.at + 1 < self.clock.len()
            && self.clock[self.at].0 < step
            && self.clock[self.at + 1].0 >= self.clock[self.at].0
        {
            self.at += 1;
        }
        self.clock.get(self.at).map(|(_, wall)| *wall)
    }
}

/// All files below `root` that some format reads, with what they say.
pub fn gather(root: &Path, clock: &[(Step, f64)]) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for found in find(root)?.into_values() {
        let (Some(health), Some(origin)) = (found.health.clone(), found.origin.clone()) else { continue };
        let Some(format) = formats::by_name(health.format) else { continue };
        let path = place(root, &health.path);
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let pieces = decode(format, &path, &bytes);
        let atoms = timed(&found, pieces, clock);
        sources.push(Source { health, origin, atoms });
    }
    date(&mut sources);
    Ok(sources)
}

/// What was said before a file's first time arrived with it; a file without any begins when its run does, and says
/// something each second.
fn date(sources: &mut [Source]) {
    let mut starts: BTreeMap<RunId, f64> = BTreeMap::new();
    for atom in sources.iter().flat_map(|s| &s.atoms).filter(|a| a.arrival.is_finite()) {
        let start = starts.entry(atom.run.clone()).or_insert(atom.arrival);
        *start = start.min(atom.arrival);
    }
    for source in sources {
        let first = source.atoms.iter().map(|a| a.arrival).find(|a| a.is_finite());
        let mut undated = 0.0;
        for atom in source.atoms.iter_mut().filter(|a| !a.arrival.is_finite()) {
            let start = starts.get(&atom.run).copied().unwrap_or(EPOCH);
            atom.arrival = first.unwrap_or(start + undated);
            undated += 1.0;
        }
    }
}

fn place(root: &Path, path: &str) -> PathBuf {
    if root.is_file() { root.to_path_buf() } else { root.join(path) }
}

/// Lets the real readers decide what belongs together.
fn find(root: &Path) -> Result<BTreeMap<FileId, Found>, String> {
    let (sender, receiver) = sync_channel(1024);
    let options = Options { roots: vec![root.to_path_buf()], workers: 1, ..Options::default() };
    let clock = Arc::new(RealClock::new(None));
    let reading = ingest::start(options, clock, sender).map_err(|e| e.to_string())?;
    let mut files: BTreeMap<FileId, Found> = BTreeMap::new();
    while let Ok(news) = receiver.recv() {
        match news {
            News::Batch(batch) => {
                let found = files.entry(batch.origin.file).or_default();
                if batch.reset {
                    *found = Found { health: found.health.take(), ..Found::default() };
                }
                if !found.runs.contains(&batch.run) {
                    found.runs.push(batch.run.clone());
                }
                let keys = batch.columns.iter().map(|c| c.key.clone());
                found.keys.extend(keys);
                found.first = found.first.take().or_else(|| found.keys.first().cloned());
                found.origin = Some(batch.origin);
            }
            News::File(health) => {
                let id = health.id;
                files.entry(id).or_default().health = Some(*health);
            }
            News::Scan(_) => {}
        }
    }
    drop(reading);
    Ok(files)
}

/// What a decoder says, piece by piece; `true` where everything before is void.
fn decode(format: &'static dyn Format, path: &Path, bytes: &[u8]) -> Vec<(bool, Taken)> {
    let opening = Opening::at(path);
    let mut decoder = format.decoder(&opening);
    let mut out = Decoded::new();
    let mut pieces = Vec::new();
    if decoder.whole_document() {
        for (n, version) in versions(bytes).iter().enumerate() {
            let mut decoder = format.decoder(&opening);
            if decoder.decode(version, &mut out).is_ok() {
                pieces.push((n > 0, out.take()));
            }
        }
        return pieces;
    }
    let lines = !bytes.iter().take(4096).any(|b| *b == 0);
    let (mut start, mut end) = (0, 0);
    while end < bytes.len() {
        end = if lines {
            bytes[end..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| end + at + 1)
        } else {
            (end + PIECE).min(bytes.len())
        };
        while start < end {
            let Ok(consumed) = decoder.decode(&bytes[start..end], &mut out) else { return pieces };
            let moved = consumed.bytes + usize::try_from(consumed.then_skip).unwrap_or(usize::MAX / 2);
            let taken = out.take();
            if !taken.parts.is_empty() {
                pieces.push((taken.void_earlier, taken));
            }
            start += moved;
            if moved == 0 {
                break;
            }
        }
    }
    if start < bytes.len() {
        decoder.decode_rest(&bytes[start..], &mut out);
        let taken = out.take();
        if !taken.parts.is_empty() {
            pieces.push((taken.void_earlier, taken));
        }
    }
    pieces
}

/// A log history as it stood at each save. Other documents are there at once.
fn versions(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    // The reader copes with Python's NaN, the parser here does not: a word that it gives back unchanged stands for it.
    let quoted = text.replace(": NaN", ": \"NaN\"").replace(": Infinity", ": \"Infinity\"");
    let quoted = quoted.replace(": -Infinity", ": \"-Infinity\"");
    let Ok(mut document) = serde_json::from_str::<Value>(&quoted) else { return vec![bytes.to_vec()] };
    let Some(rows) = document.get("log_history").and_then(Value::as_array).cloned() else {
        return vec![bytes.to_vec()];
    };
    let count = SAVES.min(rows.len()).max(1);
    let mut out = Vec::new();
    for n in 1..=count {
        let shown = rows.len() * n / count;
        document["log_history"] = Value::Array(rows[..shown].to_vec());
        let step = rows[..shown].last().and_then(|r| r.get("step")).cloned().unwrap_or(Value::Null);
        document["global_step"] = step;
        let text = document.to_string().replace("\"NaN\"", "NaN");
        out.push(text.replace("\"Infinity\"", "Infinity").replace("\"-Infinity\"", "-Infinity").into_bytes());
    }
    out
}

/// Names, runs and times are put to what was decoded.
fn timed(found: &Found, pieces: Vec<(bool, Taken)>, clock: &[(Step, f64)]) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut context: Option<Arc<str>> = None;
    let mut times = Times { clock, at: 0, last_step: Step::MIN };
    let mut now = f64::NAN;
    for (reset, taken) in pieces {
        let mut reset = reset;
        for part in taken.parts {
            let run = run_of(found, &part.run);
            let mut columns = part.columns;
            for column in &mut columns {
                let prefix = context.get_or_insert_with(|| prefix_of(found, &column.key));
                column.key = within(prefix, &column.key);
            }
            let walls = columns.iter().flat_map(|c| &c.points).map(|p| p.wall).filter(|w| w.is_finite());
            let wall = walls.fold(f64::NAN, f64::max);
            let step = columns.iter().flat_map(|c| &c.points).map(|p| p.step).max();
            // The maximum of a number and NaN is the number.
            if wall.is_finite() {
                now = now.max(wall);
            } else if let Some(known) = step.and_then(|step| times.of(step)) {
                now = now.max(known);
            }
            let reset = std::mem::take(&mut reset);
            atoms.push(Atom { arrival: now, run, reset, columns, records: part.records });
        }
    }
    atoms
}

fn run_of(found: &Found, part: &str) -> RunId {
    let named = found.runs.iter().find(|run| !part.is_empty() && run.as_str().ends_with(part));
    named.or(found.runs.first()).cloned().unwrap_or_else(|| RunId::from(part))
}

/// What the readers put before the context of this file's series.
fn prefix_of(found: &Found, own: &SeriesKey) -> Arc<str> {
    let known = found.keys.iter().find(|k| k.tag == own.tag && k.context.ends_with(&*own.context));
    let prefix = known.map_or("", |k| k.context.strip_suffix(&*own.context).unwrap_or_default());
    Arc::from(prefix.trim_end_matches('/'))
}

fn within(prefix: &Arc<str>, own: &SeriesKey) -> SeriesKey {
    if prefix.is_empty() {
        return own.clone();
    }
    let context =
        if own.context.is_empty() { Arc::clone(prefix) } else { format!("{prefix}/{}", own.context).into() };
    SeriesKey { tag: own.tag.clone(), context }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_does_not_go_back_when_a_run_is_resumed() {
        let clock = [(1, 10.0), (5, 14.0), (10, 19.0), (6, 100.0), (10, 104.0)];
        let mut times = Times { clock: &clock, at: 0, last_step: Step::MIN };
        let seen: Vec<_> = [1, 5, 10, 6, 10].iter().map(|s| times.of(*s).unwrap_or(f64::NAN)).collect();
        assert_eq!(seen, [10.0, 14.0, 19.0, 100.0, 104.0]);
    }

    #[test]
    fn a_log_history_is_shown_as_it_grew() {
        let document = br#"{"log_history": [{"loss": 1.0, "step": 1}, {"loss": NaN, "step": 2}]}"#;
        let all = versions(document);
        assert_eq!(all.len(), 2);
        assert!(
            String::from_utf8_lossy(&all[1]).contains("NaN")
                && !String::from_utf8_lossy(&all[0]).contains("NaN")
        );
    }
}
