//! Which folder is the run of the files based in a folder, and where that puts each file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{
    Place, joined,
    names::stem,
    tree::{Leaf, Moved, Node, NodeId, Tree},
};
use crate::{
    formats::{RunPart, split_of},
    model::{FileId, RunId},
};

/// Folders in which one logger of a run keeps its files.
const LOGGERS: &[&str] = &[
    "tb",
    "tensorboard",
    "tensorboard_logs",
    "tensorboard_log",
    "tb_logs",
    "tb_log",
    "tblogs",
    "tf_logs",
    "tflogs",
    "csv",
    "csv_logs",
    "csv_log",
    "logs",
    "log",
    "wandb",
    "swanlog",
    "lightning_logs",
    "dvclive",
    "visualdl",
    "vdl",
    "vdl_log",
    "summaries",
];

/// Folders that such a logger makes for one run.
const OF_ONE_RUN: &[&str] = &["version_", "run-", "offline-run-"];

/// Files that Hugging Face's trainer (and LLaMA-Factory's) writes where its output goes.
const OF_A_TRAINER: &[&str] = &["trainer_state.json", "trainer_log.jsonl", "all_results.json"];

/// Folders are parts of folders above them at most this deep.
const DEEP: usize = 6;

/// The run that a folder's files belong to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Home {
    run: NodeId,
    context: Arc<str>,
}

/// Whether a folder may be part of the one above, by its name: then the places of both depend on each other.
pub(super) fn linked(node: &Node, tree: &Tree) -> bool {
    let above = |node: &Node| node.above.and_then(|above| tree.node(above)).map(|n| Arc::clone(&n.last));
    split_of(&node.last).is_some()
        || LOGGERS.contains(&&*node.last)
        || &*node.last == "runs"
        || above(node)
            .is_some_and(|last| &*last == "runs" || (LOGGERS.contains(&&*last) && is_of_one_run(&node.last)))
}

fn is_of_one_run(name: &str) -> bool {
    OF_ONE_RUN.iter().any(|start| name.starts_with(start))
}

impl Tree {
    /// Whether what lies in folders below `id` decides what it is.
    pub(super) fn is_watched(&self, id: NodeId) -> bool {
        let name = self.node(id).map(|n| &*n.last).unwrap_or_default();
        split_of(name).is_some() || LOGGERS.contains(&name)
    }

    /// Places all files anew that could have to move; returns those that do.
    pub fn settle(&mut self) -> Vec<Moved> {
        let mut moved = Vec::new();
        for top in self.take_dirty() {
            for (id, place) in self.places(top) {
                let Some(leaf) = self.leaf(id).filter(|l| l.placed.as_ref() != Some(&place)) else {
                    continue;
                };
                let folder = RunId::from(self.node(leaf.base).map_or(".", |n| &*n.run));
                let side = leaf.part == RunPart::Side;
                if let Some(leaf) = self.leaf_mut(id) {
                    leaf.placed = Some(place.clone());
                }
                moved.push(Moved { id, place, folder, side });
            }
        }
        moved.sort_by_key(|m| m.id);
        moved
    }

    /// The places of all files based at `top` and in the folders that are linked to it.
    fn places(&self, top: NodeId) -> Vec<(FileId, Option<Place>)> {
        let nodes = self.region(top);
        let homes: FxHashMap<NodeId, Home> = nodes.iter().map(|id| (*id, self.home(*id))).collect();
        let mut speaks: BTreeSet<u32> = BTreeSet::new();
        for (id, home) in &homes {
            if self.holds(*id, &[RunPart::Stream, RunPart::Folder]) {
                speaks.insert(home.run.0);
            }
        }
        let (mut out, mut sides) = (Vec::new(), Vec::new());
        let mut alive: BTreeSet<RunId> = BTreeSet::new();
        for id in &nodes {
            let (Some(node), Some(home)) = (self.node(*id), homes.get(id)) else { continue };
            let company = Company::of(node, self, speaks.contains(&home.run.0));
            for file in &node.files {
                let Some(leaf) = self.leaf(*file) else { continue };
                let place = self.place(leaf, home, node, &company);
                if leaf.part == RunPart::Side {
                    sides.push((*file, place));
                } else {
                    alive.insert(place.run.clone());
                    out.push((*file, Some(place)));
                }
            }
        }
        let of_life = |(file, place): (FileId, Place)| (file, Some(place).filter(|p| alive.contains(&p.run)));
        out.extend(sides.into_iter().map(of_life));
        out
    }

    /// `top` and what is linked to it, directly or through others.
    fn region(&self, top: NodeId) -> Vec<NodeId> {
        let mut nodes = vec![top];
        let mut at = 0;
        while let Some(node) = nodes.get(at).and_then(|id| self.node(*id)) {
            let below = node.below.iter().filter(|id| self.node(**id).is_some_and(|n| linked(n, self)));
            let below: Vec<NodeId> = below.copied().collect();
            nodes.extend(below);
            at += 1;
        }
        nodes
    }

    fn place(&self, leaf: &Leaf, home: &Home, base: &Node, company: &Company) -> Place {
        let run = self.node(home.run).map_or(".", |n| &*n.run);
        let own = stem(&leaf.name);
        let (run, own) = match leaf.part {
            RunPart::Named if company.logs > 1 || company.spoken_for => (joined(&base.run, own), None),
            RunPart::Log if company.spoken_for => {
                let alone = company.of_format.get(leaf.format).is_none_or(|n| *n < 2);
                (RunId::from(run), Some(own).filter(|_| !alone))
            }
            RunPart::Log if company.loose > 1 => (joined(&base.run, own), None),
            _ => (RunId::from(run), None),
        };
        let context: Vec<&str> = [&*home.context, &*leaf.context, own.unwrap_or("")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let order = match base.resumes.and_then(|_| base.last.split_once("run-")) {
            // behind all that the folders of earlier starts hold
            Some((_, start)) => format!("~{start}/{}", leaf.order).into(),
            None => Arc::clone(&leaf.order),
        };
        Place { run, context: context.join("/").into(), order, source: leaf.source }
    }

    /// The run of the files based at `id`.
    fn home(&self, id: NodeId) -> Home {
        let mut home = Home { run: id, context: Arc::from("") };
        for _ in 0..DEEP {
            let Some(node) = self.node(home.run) else { break };
            if home.context.is_empty() && self.is_split(node) {
                home.context = Arc::clone(&node.last);
                let Some(above) = node.above else { break };
                home.run = above;
            } else if let Some(first) = node.resumes {
                home.run = first;
            } else if let Some(above) = self.trainer_of(node).or_else(|| self.job_of(home.run, node)) {
                home.run = above;
            } else {
                break;
            }
        }
        home
    }

    /// The folder of a split of the run above.
    fn is_split(&self, node: &Node) -> bool {
        node.above.is_some()
            && split_of(&node.last).is_some()
            && !node.weights
            && node.logs == node.logs_below
            && node.logs > 0
            && self.leaves_at(node).all(|l| matches!(l.part, RunPart::Stream | RunPart::Log))
    }

    /// `X` for `X/runs/Y`, if `X` is where Hugging Face's trainer writes.
    fn trainer_of(&self, node: &Node) -> Option<NodeId> {
        let runs = self.node(node.above?).filter(|n| &*n.last == "runs")?;
        let trainer = self.node(runs.above?)?;
        let wrote = self.leaves_at(trainer).any(|l| OF_A_TRAINER.contains(&&*l.name));
        let other = self.leaves_at(node).any(|l| l.part == RunPart::Folder);
        (wrote && !other).then_some(runs.above).flatten()
    }

    /// The folder of the run in which the folder `id` is one logger's.
    fn job_of(&self, id: NodeId, node: &Node) -> Option<NodeId> {
        let (logger, deeper) = match node.above.and_then(|above| Some((above, self.node(above)?))) {
            _ if LOGGERS.contains(&&*node.last) => (id, false),
            Some((above, logger)) if LOGGERS.contains(&&*logger.last) && is_of_one_run(&node.last) => {
                (above, true)
            }
            _ => return None,
        };
        let above = self.node(logger)?.above?;
        let job = self.node(above)?;
        let sure = job.hydra || self.leaves_at(job).any(|l| l.part == RunPart::Folder);
        let likely = !deeper && self.leaves_at(job).any(|l| l.part == RunPart::Side);
        ((sure || likely) && self.runs_below(logger, 2) == 1).then_some(above)
    }

    /// How many folders with logs there are below `id`, itself included, but at most `most`. Splits of one folder
    /// count once.
    fn runs_below(&self, id: NodeId, most: usize) -> usize {
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            let Some(node) = self.node(next).filter(|n| n.logs_below > 0) else { continue };
            if node.logs > 0 {
                let run = match (node.resumes, node.above) {
                    (Some(first), _) => first,
                    (None, Some(above)) if next != id && self.is_split(node) => above,
                    _ => next,
                };
                found.insert(run.0);
                if found.len() >= most {
                    break;
                }
            }
            open.extend(&node.below);
        }
        found.len()
    }

    fn holds(&self, id: NodeId, parts: &[RunPart]) -> bool {
        self.node(id).is_some_and(|node| self.leaves_at(node).any(|l| parts.contains(&l.part)))
    }
}

/// What a file has beside it.
struct Company {
    /// Some file speaks for the run.
    spoken_for: bool,
    /// Logs in the folder that do not, by format.
    of_format: BTreeMap<&'static str, usize>,
    /// How many those and native logs are.
    loose: usize,
    /// Logs of any kind.
    logs: usize,
}

impl Company {
    fn of(node: &Node, tree: &Tree, spoken_for: bool) -> Self {
        let mut company = Self { spoken_for, of_format: BTreeMap::new(), loose: 0, logs: 0 };
        for leaf in tree.leaves_at(node) {
            company.logs += usize::from(leaf.part != RunPart::Side);
            company.loose += usize::from(matches!(leaf.part, RunPart::Log | RunPart::Named));
            if leaf.part == RunPart::Log {
                *company.of_format.entry(leaf.format).or_default() += 1;
            }
        }
        company
    }
}
