//! The order of a tree's leaves in which neighbours are most alike.
//!
//! A tree of n items can be drawn in 2ⁿ⁻¹ orders. The cost of an order is the sum of the distances of its neighbours.

use std::ops::Range;

use super::{Distances, Tree};
use crate::analysis::Cancel;

/// Up to so many items the order is exact; 1,000 take about 0.1 s and 16 MB.
pub const EXACT_LIMIT: usize = 1024;
/// Rounds of flips; they end earlier when none helps.
const ROUNDS: usize = 16;

/// Sum of the distances of neighbours in `order`.
pub fn cost(order: &[usize], distances: &Distances) -> f64 {
    order.windows(2).map(|pair| distances.get(pair[0], pair[1])).sum()
}

/// The best order up to [`EXACT_LIMIT`] items, a good one above. Of an order and its mirror image, which cost the
/// same, the one that begins with the smaller index. `None` when cancelled.
pub fn order(tree: &Tree, distances: &Distances, cancel: &Cancel) -> Option<Vec<usize>> {
    let mut order = if tree.leaves() <= EXACT_LIMIT {
        optimal_order(tree, distances, cancel)?
    } else {
        greedy_order(tree, distances, cancel)?
    };
    if order.first() > order.last() {
        order.reverse();
    }
    Some(order)
}

/// The order of least cost among those in which the tree can be drawn (Bar-Joseph, Gifford, Jaakkola 2001), exactly.
///
/// `best[l, r]` is the least cost of the subtree in which l and r part, with l and r at its ends. With the inner end m of
/// the one side and k of the other it is the least `best[l, m] + d(m, k) + best[k, r]`, taken in two steps, so that all
/// takes O(n³). Items are renumbered in the plain order: then each subtree is a range. `None` when cancelled.
pub fn optimal_order(tree: &Tree, distances: &Distances, cancel: &Cancel) -> Option<Vec<usize>> {
    let plain = tree.plain_order();
    let n = plain.len();
    let Some(root) = tree.root().filter(|_| n > 2) else { return Some(plain) };
    let spans = tree.spans(&plain);
    let d: Vec<f64> = plain.iter().flat_map(|a| plain.iter().map(|b| distances.get(*a, *b))).collect();
    let mut best = vec![0.0_f64; n * n];
    let mut joined = vec![0.0_f64; n];
    for merge in tree.merges() {
        let (left, right) = (spans[merge.left].clone(), spans[merge.right].clone());
        for l in left {
            if cancel.is_cancelled() {
                return None;
            }
            let joined = &mut joined[right.clone()];
            joined.fill(f64::INFINITY);
            for m in inner_ends(tree, &spans, merge.left, l) {
                let so_far = best[l * n + m];
                lower(joined, so_far, &d[m * n..][right.clone()]);
            }
            let (before, after) = best.split_at_mut((l + 1) * n);
            let row = &mut before[l * n..][right.clone()];
            row.fill(f64::INFINITY);
            for (k, so_far) in right.clone().zip(&*joined) {
                let ends = inner_ends(tree, &spans, merge.right, k);
                let place = ends.start - right.start..ends.end - right.start;
                // All of the right side lies behind l.
                lower(&mut row[place], *so_far, &after[(k - l - 1) * n..][ends]);
            }
            for r in right.clone() {
                best[r * n + l] = best[l * n + r];
            }
        }
    }
    let table = Table { tree, spans: &spans, d: &d, best: &best, n };
    Some(table.trace(root).into_iter().map(|at| plain[at]).collect())
}

/// Where the other end of a subtree's order lies if one end is the item at `at`: in the child in which it is not.
fn inner_ends(tree: &Tree, spans: &[Range<usize>], node: usize, at: usize) -> Range<usize> {
    match tree.merge(node) {
        Some(m) if spans[m.left].contains(&at) => spans[m.right].clone(),
        Some(m) => spans[m.left].clone(),
        None => spans[node].clone(),
    }
}

/// Each target is lowered to `base + step` where that is less.
fn lower(targets: &mut [f64], base: f64, steps: &[f64]) {
    for (target, step) in targets.iter_mut().zip(steps) {
        let sum = base + step;
        *target = if sum < *target { sum } else { *target };
    }
}

/// What the recursion worked out.
struct Table<'a> {
    tree: &'a Tree,
    spans: &'a [Range<usize>],
    d: &'a [f64],
    best: &'a [f64],
    n: usize,
}

impl Table<'_> {
    fn least(
        pairs: impl Iterator<Item = (usize, usize)>,
        cost: impl Fn(usize, usize) -> f64,
    ) -> Option<(usize, usize)> {
        let costs = pairs.map(|(a, b)| (cost(a, b), a, b));
        // The first of equal ones.
        costs.reduce(|least, next| if next.0 < least.0 { next } else { least }).map(|(_, a, b)| (a, b))
    }

    /// Finds the inner ends again from the root down, where the costs are known: cheaper than keeping them all.
    fn trace(&self, root: usize) -> Vec<usize> {
        let at = |a: usize, b: usize| a * self.n + b;
        let pairs = |a: Range<usize>, b: Range<usize>| a.flat_map(move |x| b.clone().map(move |y| (x, y)));
        let mut order = Vec::with_capacity(self.n);
        let ends = self.tree.merge(root).and_then(|m| {
            Self::least(pairs(self.spans[m.left].clone(), self.spans[m.right].clone()), |l, r| {
                self.best[at(l, r)]
            })
        });
        let mut open: Vec<(usize, usize, usize)> = ends.map(|(l, r)| (root, l, r)).into_iter().collect();
        while let Some((node, l, r)) = open.pop() {
            let Some(merge) = self.tree.merge(node) else {
                order.push(l);
                continue;
            };
            let turned = !self.spans[merge.left].contains(&l);
            let (first, second) = if turned { (merge.right, merge.left) } else { (merge.left, merge.right) };
            let (ms, ks) =
                (inner_ends(self.tree, self.spans, first, l), inner_ends(self.tree, self.spans, second, r));
            let inner = Self::least(pairs(ms, ks), |m, k| {
                self.best[at(l, m)] + self.d[at(m, k)] + self.best[at(k, r)]
            });
            if let Some((m, k)) = inner {
                open.extend([(second, k, r), (first, l, m)]);
            }
        }
        order
    }
}

/// Turns subtrees around as long as the order gets cheaper, from the top down and again (in the spirit of Gruvaeus
/// and Wainer 1972); never worse than the plain order, and mostly within a few per cent of the best. O(n²) a round.
/// `None` when cancelled.
pub fn greedy_order(tree: &Tree, distances: &Distances, cancel: &Cancel) -> Option<Vec<usize>> {
    let mut order = tree.plain_order();
    let mut spans = tree.spans(&order);
    let nodes = tree.leaves()..tree.leaves() + tree.merges().len();
    for _ in 0..ROUNDS {
        let mut better = false;
        for node in nodes.clone().rev() {
            if cancel.is_cancelled() {
                return None;
            }
            let Some(merge) = tree.merge(node) else { continue };
            let (a, b) = (spans[merge.left].clone(), spans[merge.right].clone());
            let (a, b) = if a.start < b.start { (a, b) } else { (b, a) };
            if let Some(turns) = best_turn(&order, distances, &a, &b) {
                apply(&mut order, turns, &a, &b);
                spans = tree.spans(&order);
                better = true;
            }
        }
        if !better {
            break;
        }
    }
    Some(order)
}

/// Which of two neighbouring ranges are mirrored, and whether they change places.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Turns {
    first: bool,
    second: bool,
    swapped: bool,
}

/// The cheapest of the eight ways in which two children can stand between their neighbours, if it is cheaper than how
/// they stand.
fn best_turn(order: &[usize], distances: &Distances, a: &Range<usize>, b: &Range<usize>) -> Option<Turns> {
    let before = a.start.checked_sub(1).map(|i| order[i]);
    let after = order.get(b.end).copied();
    let ends = |range: &Range<usize>, mirrored: bool| {
        let (l, r) = (order[range.start], order[range.end - 1]);
        if mirrored { (r, l) } else { (l, r) }
    };
    let between = |l: Option<usize>, r: usize| l.map_or(0.0, |l| distances.get(l, r));
    let price = |turns: Turns| {
        let (first, second) = (ends(a, turns.first), ends(b, turns.second));
        let (first, second) = if turns.swapped { (second, first) } else { (first, second) };
        between(before, first.0) + distances.get(first.1, second.0) + between(after, second.1)
    };
    let all =
        (0..8_u8).map(|bits| Turns { first: bits & 1 > 0, second: bits & 2 > 0, swapped: bits & 4 > 0 });
    let priced = all.map(|turns| (price(turns), turns));
    let now = price(Turns { first: false, second: false, swapped: false });
    let (least, turns) = priced.reduce(|least, next| if next.0 < least.0 { next } else { least })?;
    // Differences of rounding would turn forever.
    (least < now - 1e-12 * now.abs()).then_some(turns)
}

fn apply(order: &mut [usize], turns: Turns, a: &Range<usize>, b: &Range<usize>) {
    if turns.first {
        order[a.clone()].reverse();
    }
    if turns.second {
        order[b.clone()].reverse();
    }
    if turns.swapped {
        order[a.start..b.end].rotate_left(a.len());
    }
}
