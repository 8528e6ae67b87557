//! Which run a file belongs to, told from names alone (and, for sub-folders that a writer made, its first records).
//!
//! | file | run | context of its series |
//! |---|---|---|
//! | event file | its folder | none |
//! | event file in a sub-folder made by `add_scalars("a/b", {"k": …})`: `a_b_k`, tag `a/b` | the folder above | `k` |
//! | event file in a sub-folder made by `add_hparams` | the folder above | the sub-folder's name, `hparams` if that is a time |
//! | the only other log of its folder | its folder | none |
//! | CSV or JSON lines beside event files | its folder | the file's name: loggers write the same tags to both |
//! | several other logs in one folder, or a native log beside event files | folder and file name without extension | none |
//!
//! What a file was once assigned to stays: a second log that appears later gets a name of its own, the first keeps
//! the folder's.
//!
//! `add_hparams` in a folder whose own event file holds nothing makes one *trial* per sub-folder (a sweep over
//! hyper-parameters that shares one writer): those stay separate runs.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use crate::model::RunId;

/// Where a file belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The run.
    pub run: RunId,
    /// What is set before the context of each of its series; empty for most.
    pub context: Arc<str>,
    /// Path within the run: files of a run are ordered by it.
    pub order: Arc<str>,
}

impl Place {
    /// The run of that name within the file; the file's own run for the empty name.
    pub fn run_named(&self, name: &str) -> RunId {
        if name.is_empty() {
            self.run.clone()
        } else if self.run.as_str() == "." {
            RunId::from(name)
        } else {
            RunId::new(format!("{}/{name}", self.run))
        }
    }
}

/// How a file names its run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A TensorBoard event file: the folder is the run, by TensorBoard's own rule.
    Events,
    /// The native log: the writer chose the name.
    Native,
    /// CSV, JSON lines.
    Table,
}

impl Kind {
    /// The kind of a file of that format.
    pub fn of(format: &str) -> Self {
        match format {
            "tfevents" => Self::Events,
            "scope" => Self::Native,
            _ => Self::Table,
        }
    }
}

/// What a folder holds besides the file in question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Beside {
    /// Event files that make the folder a run.
    pub events: bool,
    /// Other logs, found before or together with the file.
    pub others: bool,
}

/// The place of a file that is no sub-folder's event file.
pub fn place(folder: &str, name: &str, kind: Kind, beside: Beside) -> Place {
    let order: Arc<str> = Arc::from(name);
    let plain = |run: RunId| Place { run, context: Arc::from(""), order: Arc::clone(&order) };
    match kind {
        Kind::Events => plain(RunId::from(folder)),
        Kind::Table if beside.events => {
            Place { run: RunId::from(folder), context: Arc::from(name), order: Arc::clone(&order) }
        }
        Kind::Native if beside.events => plain(joined(folder, stem(name))),
        Kind::Native | Kind::Table if beside.others => plain(joined(folder, stem(name))),
        Kind::Native | Kind::Table => plain(RunId::from(folder)),
    }
}

fn joined(folder: &str, name: &str) -> RunId {
    if folder == "." { RunId::from(name) } else { RunId::new(format!("{folder}/{name}")) }
}

/// A file's name without the part that only says how it is written.
pub fn stem(name: &str) -> &str {
    const ENDINGS: [&str; 7] =
        [".scope.jsonl", ".log.json", ".monitor.csv", ".jsonl", ".json", ".csv", ".tsv"];
    ENDINGS.iter().find_map(|e| name.strip_suffix(e)).filter(|s| !s.is_empty()).unwrap_or(name)
}

/// Who wrote an event file: host and process number of `events.out.tfevents.<time>.<host>.<pid>.<n>`, or the host
/// alone where the writer (tensorboardX) leaves the rest out. `None` for TensorFlow's own files (`….v2`), which never
/// make sub-folders for one run, and for names of another shape.
pub fn writer(name: &str) -> Option<&str> {
    let (_, after) = name.split_once("tfevents.")?;
    let (time, host) = after.split_once('.')?;
    let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !number(time) || host.is_empty() || Path::new(host).extension().is_some_and(|e| e == "v2") {
        return None;
    }
    match host.rsplit_once('.') {
        Some((host_and_pid, n))
            if number(n) && host_and_pid.rsplit_once('.').is_some_and(|(_, pid)| number(pid)) =>
        {
            Some(host_and_pid)
        }
        _ => Some(host),
    }
}

/// What the first records of a sub-folder's event file hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FirstRecords {
    /// Tags of its scalars, in order of first appearance.
    pub tags: Vec<Arc<str>>,
    /// It describes hyper-parameters.
    pub hyperparameters: bool,
    /// There is something else in it.
    pub others: bool,
}

/// What a sub-folder is to the folder above it, which has an event file of the same writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Relation {
    /// A run of its own.
    Separate,
    /// Part of the run above, with this context.
    Folded(Arc<str>),
    /// Too little is written to tell.
    Undecided,
}

/// The relation of the sub-folder `sub` (path below the run's folder) to the run above. `above_has_data`: the event
/// file there holds more than its header.
pub fn relation(sub: &str, first: &FirstRecords, above_has_data: bool) -> Relation {
    if first.hyperparameters {
        let is_time = sub.contains('.') && sub.parse::<f64>().is_ok_and(|t| t > 1e9);
        return match (above_has_data, is_time) {
            (false, _) => Relation::Separate,
            (true, true) => Relation::Folded(Arc::from("hparams")),
            (true, false) => Relation::Folded(Arc::from(sub)),
        };
    }
    match first.tags.as_slice() {
        [] if first.others => Relation::Separate,
        [] => Relation::Undecided,
        [tag] => scalars_context(sub, tag).map_or(Relation::Separate, |k| Relation::Folded(Arc::from(k))),
        _ => Relation::Separate,
    }
}

/// `k` of a sub-folder that `add_scalars(tag, {k: …})` made: torch writes `<tag with / as _>_<k>`, tensorboardX
/// `<tag>/<k>`.
fn scalars_context<'a>(sub: &'a str, tag: &str) -> Option<&'a str> {
    let after = sub.strip_prefix(&tag.replace('/', "_")).and_then(|rest| rest.strip_prefix('_'));
    after.or_else(|| sub.strip_prefix(tag)?.strip_prefix('/')).filter(|k| !k.is_empty())
}

/// Names under which the runs of several watched paths are listed: the shortest ends of the paths that differ.
pub fn labels(roots: &[PathBuf]) -> Vec<String> {
    if roots.len() < 2 {
        return roots.iter().map(|_| String::new()).collect();
    }
    let parts: Vec<Vec<String>> = roots
        .iter()
        .map(|root| {
            root.components()
                .filter_map(|c| match c {
                    Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
                    _ => None,
                })
                .collect()
        })
        .collect();
    let end = |at: usize, n: usize| parts.get(at).map_or(&[][..], |p| &p[p.len().saturating_sub(n)..]);
    (0..roots.len())
        .map(|at| {
            let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
            let alone =
                |n: &usize| (0..roots.len()).all(|other| other == at || end(other, *n) != end(at, *n));
            let n = (1..=longest).find(alone).unwrap_or(longest);
            let label = end(at, n).join("/");
            if label.is_empty() { "/".to_owned() } else { label }
        })
        .collect()
}

/// `relative` below a watched path called `label`, with `/` between parts; `.` for the path itself.
pub fn folder_name(label: &str, relative: &Path) -> String {
    let mut name = label.to_owned();
    for part in relative.components() {
        if let Component::Normal(part) = part {
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(&part.to_string_lossy());
        }
    }
    if name.is_empty() { ".".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_placed_by_what_lies_beside_them() {
        let alone = Beside::default();
        let events = Beside { events: true, others: false };
        let others = Beside { events: false, others: true };
        let cases = [
            ("a/b", "events.out.tfevents.1.h.2.0", Kind::Events, events, "a/b", ""),
            (".", "events.out.tfevents", Kind::Events, alone, ".", ""),
            ("v0", "metrics.csv", Kind::Table, alone, "v0", ""),
            ("v0", "metrics.csv", Kind::Table, events, "v0", "metrics.csv"),
            (".", "metrics.csv", Kind::Table, others, "metrics", ""),
            ("runs", "a.scope.jsonl", Kind::Native, alone, "runs", ""),
            ("runs", "a.scope.jsonl", Kind::Native, others, "runs/a", ""),
            ("runs", "a.scope.jsonl", Kind::Native, events, "runs/a", ""),
            ("env", "0.monitor.csv", Kind::Table, others, "env/0", ""),
        ];
        for (folder, name, kind, beside, run, context) in cases {
            let place = place(folder, name, kind, beside);
            assert_eq!((place.run.as_str(), &*place.context), (run, context), "{folder}/{name} {beside:?}");
            assert_eq!(&*place.order, name);
        }
    }

    #[test]
    fn the_writer_of_an_event_file_is_host_and_process() {
        let cases = [
            ("events.out.tfevents.1795456254.vm.31066.1", Some("vm.31066")),
            ("events.out.tfevents.1622543341.janoshs-mbp.lan.86862.4", Some("janoshs-mbp.lan.86862")),
            ("events.out.tfevents.1534804046.ip-172-30-1-91", Some("ip-172-30-1-91")),
            ("events.out.tfevents.1795458165.vm.30438.0.v2", None),
            ("events.out.tfevents", None),
            ("metrics.csv", None),
        ];
        for (name, expected) in cases {
            assert_eq!(writer(name), expected, "{name}");
        }
    }

    #[test]
    fn sub_folders_of_one_writer_fold_only_when_their_content_says_so() {
        let tags = |tags: &[&str]| FirstRecords {
            tags: tags.iter().map(|t| Arc::from(*t)).collect(),
            ..FirstRecords::default()
        };
        let hparams = FirstRecords { hyperparameters: true, ..FirstRecords::default() };
        let folded = |k: &str| Relation::Folded(Arc::from(k));
        assert_eq!(relation("loss_both_train", &tags(&["loss_both"]), true), folded("train"));
        assert_eq!(relation("loss_both_train", &tags(&["loss/both"]), true), folded("train"));
        assert_eq!(relation("loss/train", &tags(&["loss"]), true), folded("train"), "tensorboardX");
        assert_eq!(relation("exp1", &tags(&["loss"]), true), Relation::Separate);
        assert_eq!(relation("loss_x", &tags(&["loss", "acc"]), true), Relation::Separate);
        assert_eq!(relation("loss_x", &tags(&[]), true), Relation::Undecided);
        assert_eq!(relation("1795456269.4217", &hparams, true), folded("hparams"));
        assert_eq!(relation("hp", &hparams, true), folded("hp"));
        assert_eq!(relation("hp", &hparams, false), Relation::Separate, "a trial of a sweep");
    }

    #[test]
    fn several_watched_paths_get_the_shortest_names_that_differ() {
        let labels_of = |roots: &[&str]| labels(&roots.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(labels_of(&["/x/runs"]), [""]);
        assert_eq!(labels_of(&["/x/runs", "/x/logs"]), ["runs", "logs"]);
        assert_eq!(labels_of(&["/x/runs", "/y/runs", "/z"]), ["x/runs", "y/runs", "z"]);
        assert_eq!(folder_name("", Path::new("")), ".");
        assert_eq!(folder_name("", Path::new("a/b")), "a/b");
        assert_eq!(folder_name("runs", Path::new("")), "runs");
        assert_eq!(folder_name("runs", Path::new("a")), "runs/a");
    }
}
