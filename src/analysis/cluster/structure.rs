//! Into how many groups a tree falls, and whether it falls at all.

use super::Tree;

/// A cut and how clear it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Structure {
    /// Groups at the widest gap between heights; 1 if there is none.
    pub groups: usize,
    /// The widest gap, as a share of the height of the root: 0 … 1.
    pub gap: f64,
}

/// The widest gap.
pub fn structure(tree: &Tree) -> Structure {
    let m = tree.merges();
    let top = m.last().map_or(0.0, |m| m.height);
    let mut best = Structure { groups: 1, gap: 0.0 };
    for i in 1..m.len() {
        let gap = (m[i].height - m[i - 1].height) / top;
        if gap > best.gap {
            best = Structure { groups: m.len() - i + 1, gap };
        }
    }
    best
}
