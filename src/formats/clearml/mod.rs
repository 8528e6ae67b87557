//! `ClearML`'s offline mode: a folder `offline-<id>` with `task.json`, `metrics.jsonl` and `log.jsonl`, and the same as
//! `offline-<id>.zip` beside it once the task is closed.
//!
//! A line of the two logs is an array of events. Scalars are called `metric/variant`; plots are Plotly's JSON. Source:
//! `clearml/clearml`, `backend_interface/metrics/reporter.py`, `events.py`, `utilities/plotly_reporter.py`; files of
//! clearml 2.1.12.

mod events;
mod plots;
mod task;

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    archive::{Archive, Unreadable, is_zip},
    by_line::{ByLine, Place, ReadLine},
    document::{Document, Unread, first_keys, folder_above},
    wire::lines::{named, trim, without_mark},
};
use events::Events;

/// The folder of an offline task.
pub struct ClearMl;

impl Format for ClearMl {
    fn name(&self) -> &'static str {
        "clearml"
    }

    fn summary(&self) -> &'static str {
        "ClearML's offline folder: `task.json`, `metrics.jsonl`, `log.jsonl`"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["task.json", "metrics.jsonl", "log.jsonl"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        match file.name {
            "metrics.jsonl" | "log.jsonl" => {
                let head = trim(without_mark(file.head));
                let Some(rest) = head.strip_prefix(b"[") else {
                    return Claim::No("");
                };
                let keys = first_keys(rest);
                let has = |name: &str| keys.iter().any(|key| key == name);
                match has("type") && has("task") {
                    true => Claim::Yes,
                    false if head.len() < 64 => Claim::NotYet,
                    false => Claim::No("arrays that hold no events of ClearML"),
                }
            }
            "task.json" => {
                let offline = folder_above(file.path, 0).is_some_and(|f| f.starts_with("offline-"));
                let keys = first_keys(file.head);
                let has = |name: &str| keys.iter().any(|key| key == name);
                match has("execution") && (offline || has("hyperparams")) {
                    true => Claim::Yes,
                    false if file.head.is_empty() => Claim::NotYet,
                    false => Claim::No("no task of ClearML"),
                }
            }
            _ => Claim::No(""),
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        if path.file_name().is_some_and(|name| name == "metrics.jsonl") {
            Standing::folder(0)
        } else {
            Standing::side(0)
        }
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        if opening.path.file_name().is_some_and(|name| name == "task.json") {
            Box::new(Document(task::task))
        } else {
            Box::new(ByLine::new(Events))
        }
    }
}

/// The archive of an offline task. The run in it has the name of the folder beside it, so that both are one.
pub struct ClearMlArchive;

impl Format for ClearMlArchive {
    fn name(&self) -> &'static str {
        "clearmlzip"
    }

    fn summary(&self) -> &'static str {
        "ClearML's offline archive (`offline-<id>.zip`)"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["offline-*.zip"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if !file.name.starts_with("offline-") || !named(file.name, ".zip") {
            return Claim::No("");
        }
        match is_zip(file.head) {
            true => Claim::Yes,
            false if file.head.len() < 4 => Claim::NotYet,
            false => Claim::No("no ZIP archive"),
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::several()
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let run = opening.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| read_archive(&run, bytes, out)))
    }
}

fn read_archive(run: &str, bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let mut archive = Archive::open(bytes)?;
    let task = archive
        .read("task.json")
        .map_err(|why| Unread::Broken(why.reason("no offline task of ClearML in the archive")))?;
    out.in_run(run);
    if task::task(&task, out).is_err() {
        out.oddity("task.json cannot be read");
    }
    for name in ["metrics.jsonl", "log.jsonl"] {
        let content = match archive.read(name) {
            Ok(content) => content,
            Err(Unreadable::Missing) => continue,
            Err(why) => {
                out.skip(0, bytes.len() as u64, why.reason(""));
                continue;
            }
        };
        for line in content.split(|b| *b == b'\n').map(trim).filter(|line| !line.is_empty()) {
            // offsets are those of the archive: there is nothing to find at the line's own
            if Events.line(line, Place { offset: 0, bytes: bytes.len() as u64 }, out).is_err() {
                out.oddity("a line that cannot be read");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
