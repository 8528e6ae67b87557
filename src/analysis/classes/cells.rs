//! More classes than fit: runs of neighbours become one.

use std::ops::Range;

use crate::analysis::cluster::Tree;

/// Divides the places of an order into at most `most` runs, none much longer than needed: the tree is cut wherever a
/// subtree would be too large, then small neighbours are joined. Without a tree runs are equally long. Every place is
/// in exactly one run.
pub fn super_cells(tree: Option<&Tree>, order: &[usize], most: usize) -> Vec<Range<usize>> {
    let n = order.len();
    let most = most.max(1);
    if n <= most {
        return (0..n).map(|i| i..i + 1).collect();
    }
    let spans = tree.map(|tree| tree.spans(order));
    let mut longest = n.div_ceil(most);
    loop {
        let runs = match (tree, &spans) {
            (Some(tree), Some(spans)) => packed(cut(tree, spans, longest), longest),
            _ => (0..n.div_ceil(longest)).map(|i| i * longest..((i + 1) * longest).min(n)).collect(),
        };
        // Two neighbours are always longer than `longest` together: twice the least is enough.
        if runs.len() <= most {
            return runs;
        }
        longest += 1;
    }
}

/// The largest subtrees of at most `longest` items, by place.
fn cut(tree: &Tree, spans: &[Range<usize>], longest: usize) -> Vec<Range<usize>> {
    let mut open: Vec<usize> = tree.root().into_iter().collect();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        match tree.merge(node) {
            Some(merge) if merge.leaves > longest => open.extend([merge.left, merge.right]),
            _ => found.push(spans[node].clone()),
        }
    }
    found.sort_by_key(|run| run.start);
    found
}

fn packed(runs: Vec<Range<usize>>, longest: usize) -> Vec<Range<usize>> {
    let mut packed: Vec<Range<usize>> = Vec::new();
    for run in runs {
        match packed.last_mut() {
            Some(last) if last.len() + run.len() <= longest => last.end = run.end,
            _ => packed.push(run),
        }
    }
    packed
}
