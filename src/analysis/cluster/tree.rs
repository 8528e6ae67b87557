//! The tree of a clustering.

use std::ops::Range;

/// Two nodes become one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Merge {
    /// The child with the smaller first item. Nodes below [`Tree::leaves`] are items, node `leaves + i` is merge `i`.
    pub left: usize,
    /// The other child.
    pub right: usize,
    /// The cophenetic distance: at which its items come together. Never less than that of a child.
    pub height: f64,
    /// Items below.
    pub leaves: usize,
}

/// A binary tree over items: `leaves − 1` merges in ascending order of height, children before parents.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tree {
    leaves: usize,
    merges: Vec<Merge>,
}

impl Tree {
    /// A tree of `(left, right, height)`; `None` unless each node but the last is the child of exactly one later merge
    /// and heights do not fall.
    pub fn new(leaves: usize, merges: impl IntoIterator<Item = (usize, usize, f64)>) -> Option<Self> {
        let mut tree = Self { leaves, merges: Vec::with_capacity(leaves.saturating_sub(1)) };
        let mut taken = vec![false; 2 * leaves];
        let mut least: Vec<usize> = (0..leaves).collect();
        for (a, b, height) in merges {
            let next = leaves + tree.merges.len();
            let free = |node: usize| node < next && !taken[node];
            let last = tree.merges.last().map_or(f64::NEG_INFINITY, |m| m.height);
            if a == b || !free(a) || !free(b) || height.is_nan() || height < last {
                return None;
            }
            (taken[a], taken[b]) = (true, true);
            let (left, right) = if least[a] < least[b] { (a, b) } else { (b, a) };
            least.push(least[left]);
            let below = tree.leaves_below(left) + tree.leaves_below(right);
            tree.merges.push(Merge { left, right, height, leaves: below });
        }
        (tree.merges.len() + 1 == leaves.max(1)).then_some(tree)
    }

    /// How many items.
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// The merges in ascending order of height.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The node of everything; `None` without items.
    pub fn root(&self) -> Option<usize> {
        (self.leaves + self.merges.len()).checked_sub(1)
    }

    /// The merge of a node; `None` for an item.
    pub fn merge(&self, node: usize) -> Option<&Merge> {
        self.merges.get(node.checked_sub(self.leaves)?)
    }

    /// The height of a node; 0 for an item.
    pub fn height(&self, node: usize) -> f64 {
        self.merge(node).map_or(0.0, |m| m.height)
    }

    /// Items below a node, itself if it is one.
    pub fn leaves_below(&self, node: usize) -> usize {
        self.merge(node).map_or(1, |m| m.leaves)
    }

    /// The items from left to right as the tree stands.
    pub fn plain_order(&self) -> Vec<usize> {
        self.root().map(|root| self.items(root)).unwrap_or_default()
    }

    /// The items below a node from left to right as the tree stands.
    pub fn items(&self, node: usize) -> Vec<usize> {
        let mut items = Vec::with_capacity(self.leaves_below(node));
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.merge(node) {
                Some(merge) => open.extend([merge.right, merge.left]),
                None => items.push(node),
            }
        }
        items
    }

    /// The `k` nodes that remain when the highest merges are undone, in order of their first item; all items when
    /// `k` is larger than their number, the root for 0 or 1.
    pub fn cut_nodes(&self, k: usize) -> Vec<usize> {
        let undone = k.clamp(1, self.leaves.max(1)) - 1;
        let kept = self.leaves + self.merges.len() - undone;
        let mut open: Vec<usize> = self.root().into_iter().collect();
        let mut nodes = Vec::with_capacity(k);
        while let Some(node) = open.pop() {
            match self.merge(node) {
                Some(merge) if node >= kept => open.extend([merge.right, merge.left]),
                _ => nodes.push(node),
            }
        }
        nodes
    }

    /// The group of each item when the tree is cut into `k`; groups are numbered by their first item in the plain
    /// order.
    pub fn cut(&self, k: usize) -> Vec<usize> {
        let mut groups = vec![0; self.leaves];
        for (group, node) in self.cut_nodes(k).into_iter().enumerate() {
            for item in self.items(node) {
                groups[item] = group;
            }
        }
        groups
    }

    /// Where each node's items lie in `order`: item nodes first, then merges. Holds for orders that the tree can be
    /// drawn in; `order` must be a permutation of the items.
    pub fn spans(&self, order: &[usize]) -> Vec<Range<usize>> {
        let mut spans = vec![0..0; self.leaves];
        for (at, item) in order.iter().enumerate() {
            spans[*item] = at..at + 1;
        }
        for merge in &self.merges {
            let (a, b) = (&spans[merge.left], &spans[merge.right]);
            let start = a.start.min(b.start);
            spans.push(start..start + merge.leaves);
        }
        spans
    }
}
