//! Which run a file belongs to, from its path and its neighbours alone.
//!
//! A run is the folder of its files, relative to the watched path. Two exceptions:
//!
//! - Text logs (`*.scope.jsonl`, JSON lines, CSV) with a telling name, of which a folder holds several, are a run each:
//!   `folder/stem`. Names that every run uses (`metrics`, `log`, `progress`, …) never tell runs apart.
//! - Folders that one `SummaryWriter` makes below its own (`add_scalars`, `add_hparams`) belong to the run above: the
//!   event file inside carries the same host and process number in its name. The folder's name becomes the context.

use std::path::Path;

/// Stems that say nothing about the run.
const COMMON_STEMS: &[&str] = &[
    "metrics",
    "metric",
    "log",
    "logs",
    "train_log",
    "trainer_log",
    "training_log",
    "progress",
    "results",
    "result",
    "history",
    "training",
    "scalars",
    "summary",
    "loss",
    "losses",
    "train",
    "val",
    "valid",
    "validation",
    "test",
    "eval",
    "monitor",
    "stats",
    "output",
];

/// Joins two parts of a run's name; `.` is the empty part.
pub fn join(base: &str, part: &str) -> String {
    match (base, part) {
        (".", "") | (".", ".") | ("", "") => ".".to_owned(),
        ("." | "", part) => part.to_owned(),
        (base, "" | ".") => base.to_owned(),
        (base, part) => format!("{base}/{part}"),
    }
}

/// The name of a text log without its endings.
pub fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".scope.jsonl").unwrap_or(name);
    Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or(name)
}

/// Whether a text log's name tells it from other runs in the same folder.
pub fn telling(name: &str) -> bool {
    let stem = stem(name).to_ascii_lowercase();
    !COMMON_STEMS.contains(&stem.as_str()) && !stem.chars().all(|c| c.is_ascii_digit())
}

/// Host and process of the writer of an event file, as `events.out.tfevents.<time>.<host>.<pid>.<n>` names them.
pub fn writer(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("events.out.tfevents.")?;
    let (_time, rest) = rest.split_once('.')?;
    let (writer, n) = rest.rsplit_once('.')?;
    let (_host, pid) = writer.rsplit_once('.')?;
    let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (number(n) && number(pid)).then_some(writer)
}

/// What remains of a sub-folder's name once the tag is known: `loss_both_train` and `loss/both` give `train`.
pub fn context<'a>(folder: &'a str, tag: &str) -> &'a str {
    let flat: String = tag.chars().map(|c| if c == '/' { '_' } else { c }).collect();
    folder.strip_prefix(&flat).and_then(|r| r.strip_prefix('_')).filter(|r| !r.is_empty()).unwrap_or(folder)
}
