//! Which run a file belongs to: a function of the names of all files that were claimed (and, for sub-folders that a
//! writer of event files made, of its first records). It is asked again whenever a file or folder is found; files whose
//! place changes by that are moved. So the picture does not depend on what was found first.
//!
//! A file's *base* is the folder that its [`Standing`](crate::formats::Standing) names, `up` above its own; for files in
//! a folder `vis_data` (MMEngine) the folder above. The base may be part of a run above it ([`homes`]):
//!
//! | base folder | run | context |
//! |---|---|---|
//! | named after a split (`train`, `validation`, `eval`, …), holding event files or other logs, but no file that speaks for a folder, no configuration, no `weights/`, no logs in sub-folders | the folder above | the folder's name |
//! | `X/runs/Y`, where `X` holds `trainer_state.json`, `trainer_log.jsonl` or `all_results.json` (Hugging Face) and `Y` no file that speaks for it | `X` | |
//! | `J/L`, where `L` is called as a logger (`tb`, `tensorboard`, `csv`, `logs`, `wandb`, …) and is the only run below `L`, and `J` holds a configuration or a file that speaks for it | `J` | |
//! | `J/L/version_0`, `J/L/run-…`: as before, but `J` holds `.hydra/` or a file that speaks for it | `J` | |
//! | a sub-folder made by `add_scalars("a/b", {"k": …})`: `a_b_k`, tag `a/b` | the nearest folder above with event files of the same process | `k` |
//! | a sub-folder made by `add_hparams` | the same | its name, `hparams` if that is a time |
//! | a folder whose log says that it resumes a run (W&B) | the folder beside it in which that run began | |
//! | any other | itself | |
//!
//! Within the run's folder:
//!
//! | file | run | context |
//! |---|---|---|
//! | `Stream` (event files), `Folder` (`metrics.csv`) | the folder | what its standing says |
//! | `Log`, the run having one of those | the folder | the file's name without ending, if several logs of one format lie together |
//! | `Log`, the only one of its folder | the folder | |
//! | `Log` beside others | folder and file name without ending | |
//! | `Named` (native log) alone | the folder | |
//! | `Named` beside any other log | folder and file name without ending | |
//! | `Several` | folder and the name within the file | |
//! | `Side` | the folder, if any other file is of that run, otherwise none | |
//!
//! `add_hparams` in a folder whose own event file holds nothing makes one *trial* per sub-folder (a sweep over
//! hyper-parameters that shares one writer): those stay separate runs. Two loggers' runs below one `L`
//! (`lightning_logs/version_0`, `version_1`) stay separate runs, too, and so does every folder of another name: what
//! may be a tree of runs never becomes one run.

mod homes;
mod names;
mod relation;
mod tree;

use std::sync::Arc;

pub use names::{folder_name, labels, stem};
pub use relation::{FirstRecords, HPARAMS, Relation, Start, is_time, relation, writer};
pub use tree::{Find, Moved, NodeId, Tree};

use crate::model::{RunId, Source};

/// Where a file belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The run.
    pub run: RunId,
    /// What is set before the context of each of its series; empty for most.
    pub context: Arc<str>,
    /// Files of a run are ordered by it. Mostly the file's name, which begins with a time where it matters.
    pub order: Arc<str>,
    /// How good it is beside other files of the run with the same series.
    pub source: Source,
}

impl Place {
    /// The run of that name within the file; the file's own run for the empty name.
    pub fn run_named(&self, name: &str) -> RunId {
        if name.is_empty() { self.run.clone() } else { joined(self.run.as_str(), name) }
    }
}

/// The run `name` in `folder`.
fn joined(folder: &str, name: &str) -> RunId {
    if folder == "." { RunId::from(name) } else { RunId::new(format!("{folder}/{name}")) }
}
