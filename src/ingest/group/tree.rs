//! What was found: folders, and the files whose runs they may be.

use std::{path::PathBuf, sync::Arc};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Place, homes::linked};
use crate::{
    formats::{RunPart, Standing},
    model::{FileId, RunId, Source},
};

/// A folder of the tree. Never removed: what a folder was stays known if it goes away and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NodeId(pub(super) u32);

/// A folder.
#[derive(Debug)]
pub(super) struct Node {
    pub above: Option<NodeId>,
    /// The run's name if the folder is one.
    pub run: Arc<str>,
    /// The last part of its path.
    pub last: Arc<str>,
    pub below: Vec<NodeId>,
    /// Files whose base it is.
    pub files: Vec<FileId>,
    /// How many of them are logs: anything but `Side`.
    pub logs: u32,
    /// Logs based here or in any folder below.
    pub logs_below: u32,
    /// There is a sub-folder `weights` or `.hydra`.
    pub weights: bool,
    pub hydra: bool,
    /// The folder in which the run began that is resumed in this one.
    pub resumes: Option<NodeId>,
}

/// A claimed file to be placed.
#[derive(Clone, Debug)]
pub struct Find {
    /// Which.
    pub id: FileId,
    /// Its name.
    pub name: Arc<str>,
    /// Its format's name.
    pub format: &'static str,
    /// What its format says of it.
    pub standing: Standing,
    /// How good it is.
    pub source: Source,
    /// The folder above that it was folded into by its first records, the context that this gives it, and its path from
    /// there.
    pub folded: Option<(NodeId, Arc<str>, String)>,
}

/// A file.
#[derive(Debug)]
pub(super) struct Leaf {
    pub base: NodeId,
    pub name: Arc<str>,
    pub format: &'static str,
    pub part: RunPart,
    pub context: Arc<str>,
    pub order: Arc<str>,
    pub source: Source,
    /// What was said of it last.
    pub placed: Option<Option<Place>>,
}

/// A file whose place is new or changed; `None`: it says something about a run, and there is none.
#[derive(Debug)]
pub struct Moved {
    /// Which.
    pub id: FileId,
    /// Where to.
    pub place: Option<Place>,
    /// The folder's name, for files without a run.
    pub folder: RunId,
    /// It only says something about a run that other files make.
    pub side: bool,
}

/// Folders and claimed files.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    by_path: FxHashMap<PathBuf, NodeId>,
    files: FxHashMap<FileId, Leaf>,
    /// Tops of the regions whose files may have to move.
    dirty: FxHashSet<NodeId>,
}

impl Tree {
    /// The folder at `path`, whose run would be called `run`.
    pub fn folder(&mut self, path: PathBuf, above: Option<NodeId>, run: &str) -> NodeId {
        if let Some(known) = self.by_path.get(&path) {
            return *known;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let last: Arc<str> = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default().into();
        if let Some(node) = above.and_then(|above| self.node_mut(above)) {
            node.below.push(id);
            let (weights, hydra) = (&*last == "weights", &*last == ".hydra");
            node.weights |= weights;
            node.hydra |= hydra;
            if weights || hydra {
                self.disturb(above.unwrap_or(id));
            }
        }
        self.by_path.insert(path, id);
        self.nodes.push(Node {
            above,
            run: Arc::from(run),
            last,
            below: Vec::new(),
            files: Vec::new(),
            logs: 0,
            logs_below: 0,
            weights: false,
            hydra: false,
            resumes: None,
        });
        id
    }

    /// Takes in a file that lies in the folder `at`.
    pub fn add(&mut self, at: NodeId, find: Find) {
        let (base, context, order) = match find.folded {
            Some((base, context, order)) => (base, context, Arc::from(order)),
            None => self.stand(at, &find),
        };
        let is_log = find.standing.part != RunPart::Side;
        if let Some(node) = self.node_mut(base) {
            node.files.push(find.id);
            node.logs += u32::from(is_log);
        }
        if is_log {
            self.count(base);
        }
        self.disturb(base);
        let leaf = Leaf {
            base,
            name: find.name,
            format: find.format,
            part: find.standing.part,
            context,
            order,
            source: find.source,
            placed: None,
        };
        self.files.insert(find.id, leaf);
    }

    /// What is based in the folder `later` belongs to the run that began in the folder `first`.
    pub fn resume(&mut self, later: NodeId, first: NodeId) {
        if let Some(node) = self.node_mut(later).filter(|node| later != first && node.resumes != Some(first))
        {
            node.resumes = Some(first);
            self.disturb(later);
        }
    }

    /// Base, context and order of a file by its standing.
    fn stand(&self, at: NodeId, find: &Find) -> (NodeId, Arc<str>, Arc<str>) {
        let up = match find.standing.up {
            0 if self.node(at).is_some_and(|n| &*n.last == "vis_data") => 1,
            up => up,
        };
        let mut base = at;
        let mut below = String::new();
        for _ in 0..up {
            let Some((node, above)) = self.node(base).and_then(|n| Some((n, n.above?))) else { break };
            below = format!("{}/{below}", node.last);
            base = above;
        }
        let order = match find.standing.part {
            RunPart::Stream => find.name.to_string(),
            _ => in_natural_order(&below) + &find.name,
        };
        (base, Arc::from(&*find.standing.context), order.into())
    }

    /// One more log at `base`.
    fn count(&mut self, base: NodeId) {
        let mut next = Some(base);
        while let Some(id) = next {
            let Some(node) = self.node_mut(id) else { return };
            node.logs_below += 1;
            next = node.above;
            // Whether a folder is a split or a logger's depends on what is below it, however deep.
            if id != base && self.is_watched(id) {
                self.disturb(id);
            }
        }
    }

    /// The files at `id`, and those whose runs depend on what is there, are placed anew.
    fn disturb(&mut self, id: NodeId) {
        let mut top = id;
        while let Some(above) = self.node(top).filter(|n| linked(n, self)).and_then(|n| n.above) {
            top = above;
        }
        self.dirty.insert(top);
    }

    /// Whether files may have to be placed anew.
    pub fn is_disturbed(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn take_dirty(&mut self) -> FxHashSet<NodeId> {
        std::mem::take(&mut self.dirty)
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)
    }

    pub(super) fn leaf(&self, id: FileId) -> Option<&Leaf> {
        self.files.get(&id)
    }

    pub(super) fn leaf_mut(&mut self, id: FileId) -> Option<&mut Leaf> {
        self.files.get_mut(&id)
    }

    /// The files based at a folder.
    pub(super) fn leaves_at(&self, node: &Node) -> impl Iterator<Item = &Leaf> {
        node.files.iter().filter_map(|id| self.files.get(id))
    }
}

/// A path in which numbers of different lengths sort by their value: `checkpoint-9/` before `checkpoint-44/`.
fn in_natural_order(path: &str) -> String {
    const DIGITS: usize = 12;
    let mut out = String::new();
    let mut digits = String::new();
    for c in path.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_digit() => digits.push(c),
            other => {
                if !digits.is_empty() {
                    out.extend(std::iter::repeat_n('0', DIGITS.saturating_sub(digits.len())));
                    out.push_str(&std::mem::take(&mut digits));
                }
                out.extend(other);
            }
        }
    }
    out
}
