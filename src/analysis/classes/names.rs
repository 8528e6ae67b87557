//! Hierarchies that are written in the names of classes, such as `animal:bird:finch`.

use std::{collections::BTreeMap, sync::Arc};

use crate::analysis::cluster::Tree;

/// What separates levels: Neo's colon (Görtler et al. 2022), and the slash of folders. The first that fits is taken.
const SEPARATORS: [char; 2] = [':', '/'];
/// Levels that are told apart; the rest of a name is its last part.
const LEVELS: usize = 8;
/// Members that are named for a group without a common name.
const NAMED: usize = 2;
/// Letters that make a common beginning a name.
const PREFIX: usize = 3;

/// A hierarchy of classes.
#[derive(Clone, PartialEq, Debug)]
pub struct Hierarchy {
    /// What separates the levels.
    pub separator: char,
    /// All classes; heights are levels above the deepest as a share of all levels.
    pub tree: Tree,
    /// Groups of the uppermost level.
    pub groups: usize,
}

/// The hierarchy in `names`, one for each class in the order of the matrix.
///
/// Names are split at `:`, else at `/`. They are a hierarchy if at least half of them have the separator (Fashion-MNIST
/// has one `T-shirt/top`, which is none) and the uppermost level that is not common to all has at least two groups and
/// fewer than there are classes. Siblings stand in the order of the matrix.
pub fn hierarchy(names: &[Arc<str>]) -> Option<Hierarchy> {
    SEPARATORS.into_iter().find_map(|separator| {
        let with = names.iter().filter(|name| name.trim_matches(separator).contains(separator)).count();
        if names.len() < 3 || with * 2 < names.len() {
            return None;
        }
        let mut paths: Vec<Vec<&str>> =
            names.iter().map(|name| name.splitn(LEVELS, separator).map(str::trim).collect()).collect();
        let shared = |paths: &[Vec<&str>]| paths.iter().all(|p| p.len() > 1 && p[0] == paths[0][0]);
        while shared(&paths) {
            for path in &mut paths {
                path.remove(0);
            }
        }
        let all: Vec<usize> = (0..names.len()).collect();
        let groups = parts(&paths, &all, 0).len();
        if groups < 2 || groups >= names.len() {
            return None;
        }
        Some(Hierarchy { separator, tree: tree(&paths)?, groups })
    })
}

/// Classes with the same part at a level together, in the order of their first.
fn parts(paths: &[Vec<&str>], classes: &[usize], level: usize) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut known = BTreeMap::new();
    for class in classes {
        match paths[*class].get(level).copied() {
            // Its name ends above: it stands by itself.
            None => found.push(vec![*class]),
            Some(part) => {
                let at = *known.entry(part).or_insert_with(|| {
                    found.push(Vec::new());
                    found.len() - 1
                });
                found[at].push(*class);
            }
        }
    }
    found
}

/// Two nodes of a level become one. Nodes are classes, then joins in the order in which they were made.
struct Join {
    left: usize,
    right: usize,
    level: usize,
    leaves: usize,
}

/// A binary tree of the levels.
fn tree(paths: &[Vec<&str>]) -> Option<Tree> {
    let n = paths.len();
    let all: Vec<usize> = (0..n).collect();
    let mut joins = Vec::new();
    join(paths, &all, 0, &mut joins);
    let deepest = joins.iter().map(|j| j.level).max()? + 1;
    let mut by_height: Vec<usize> = (0..joins.len()).collect();
    by_height.sort_by_key(|i| (std::cmp::Reverse(joins[*i].level), joins[*i].leaves));
    let mut renumbered = vec![0; joins.len()];
    for (new, old) in by_height.iter().enumerate() {
        renumbered[*old] = n + new;
    }
    let of = |node: usize| if node < n { node } else { renumbered[node - n] };
    let height = |level: usize| (deepest - level) as f64 / deepest as f64;
    let merge = |i: &usize| (of(joins[*i].left), of(joins[*i].right), height(joins[*i].level));
    Tree::new(n, by_height.iter().map(merge))
}

/// Joins classes that are the same above `level`; returns their node and how many they are. Siblings are joined in
/// pairs of neighbours, and those again, so that a cut anywhere is even.
fn join(paths: &[Vec<&str>], classes: &[usize], level: usize, joins: &mut Vec<Join>) -> (usize, usize) {
    if let [class] = classes {
        return (*class, 1);
    }
    let mut nodes: Vec<(usize, usize)> = Vec::new();
    for part in parts(paths, classes, level) {
        nodes.push(join(paths, &part, level + 1, joins));
    }
    while nodes.len() > 1 {
        let mut pairs = Vec::with_capacity(nodes.len().div_ceil(2));
        for pair in nodes.chunks(2) {
            pairs.push(match *pair {
                [(left, a), (right, b)] => {
                    joins.push(Join { left, right, level, leaves: a + b });
                    (paths.len() + joins.len() - 1, a + b)
                }
                ref one => one[0],
            });
        }
        nodes = pairs;
    }
    nodes.first().copied().unwrap_or_default()
}

/// The level of a hierarchy that all classes share: what their names have in common up to a separator. `None` for
/// fewer than two, or without one.
pub fn shared_level(classes: &[usize], name: impl Fn(usize) -> String) -> Option<String> {
    let names: Vec<String> = classes.iter().map(|c| name(*c)).collect();
    if names.len() < 2 {
        return None;
    }
    let shared = beginning(&names);
    // All of it if each name ends or goes down a level there.
    let whole = names.iter().all(|n| n.len() == shared.len() || n[shared.len()..].starts_with(SEPARATORS));
    let end = if whole { shared.len() } else { shared.rfind(SEPARATORS)? };
    let level = shared[..end].trim_end_matches(SEPARATORS).trim();
    (!level.is_empty()).then(|| level.to_owned())
}

/// What all names begin with.
pub(super) fn beginning(names: &[String]) -> &str {
    let Some(first) = names.first() else { return "" };
    names.iter().skip(1).fold(first.as_str(), |shared, name| {
        let same = shared.chars().zip(name.chars()).take_while(|(a, b)| a == b);
        &shared[..same.map(|(c, _)| c.len_utf8()).sum()]
    })
}

/// What a group is called: the level that its names share, or a beginning of at least three letters that is longer than
/// `common`, the beginning of all classes; else its first members. `name` gives the name of a class.
pub fn group_name(classes: &[usize], common: &str, name: impl Fn(usize) -> String) -> String {
    let names: Vec<String> = classes.iter().map(|c| name(*c)).collect();
    let Some(first) = names.first() else { return String::new() };
    if names.len() == 1 {
        return first.clone();
    }
    if let Some(level) = shared_level(classes, &name) {
        return level;
    }
    let shared = beginning(&names);
    let word = shared.trim_end_matches(|c: char| !c.is_alphabetic());
    if word.chars().count() >= PREFIX && word.len() < first.len() && word.len() > common.len() {
        return format!("{word}…");
    }
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(&format!(" +{}", names.len() - NAMED));
    }
    text
}
