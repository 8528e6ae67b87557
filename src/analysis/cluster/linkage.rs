//! Average linkage by the nearest-neighbour chain.

use super::{Distances, Tree, index};
use crate::analysis::Cancel;

/// Clusters by average linkage (UPGMA): the distance of two clusters is the mean distance of their pairs.
///
/// The nearest-neighbour chain (Benzécri 1982, Juan 1982; Müllner 2011) takes O(n²) time and n²/2 numbers. Heights never
/// fall, because average linkage is reducible. Among neighbours at the same distance the one before in the chain
/// wins, then the smaller index. `None` when cancelled.
pub fn average_linkage(distances: &Distances, cancel: &Cancel) -> Option<Tree> {
    let n = distances.len();
    let mut d = distances.values.clone();
    let mut size = vec![1_usize; n];
    // A cluster lives on in the place of its smaller item.
    let mut node: Vec<usize> = (0..n).collect();
    let mut height = vec![0.0_f64; n];
    let mut alive: Vec<usize> = (0..n).collect();
    let mut chain: Vec<usize> = Vec::with_capacity(n);
    let mut merges: Vec<(usize, usize, f64)> = Vec::with_capacity(n.saturating_sub(1));
    while alive.len() > 1 {
        if cancel.is_cancelled() {
            return None;
        }
        let Some(&tip) = chain.last() else {
            chain.push(alive[0]);
            continue;
        };
        let before = chain.len().checked_sub(2).map(|i| chain[i]);
        let between = |a: usize, b: usize| index(n, a.min(b), a.max(b));
        let mut nearest = before.map(|b| (b, d[between(tip, b)]));
        for &other in alive.iter().filter(|o| **o != tip) {
            let distance = d[between(tip, other)];
            if nearest.is_none_or(|(_, least)| distance < least) {
                nearest = Some((other, distance));
            }
        }
        let Some((next, distance)) = nearest else { break };
        if Some(next) != before {
            chain.push(next);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let (kept, gone) = (tip.min(next), tip.max(next));
        // Rounding must not let a parent fall below its child.
        let at = distance.max(height[kept]).max(height[gone]);
        merges.push((node[kept], node[gone], at));
        let (a, b) = (size[kept] as f64, size[gone] as f64);
        alive.retain(|c| *c != gone);
        for &other in alive.iter().filter(|o| **o != kept) {
            let far = d[between(gone, other)];
            let near = &mut d[between(kept, other)];
            *near = (a * *near + b * far) / (a + b);
        }
        (size[kept], height[kept], node[kept]) = (size[kept] + size[gone], at, n + merges.len() - 1);
    }
    Tree::new(n, ascending(n, &merges))
}

/// The merges by height, with their nodes renumbered; equal ones stay as they were found, children first.
fn ascending(n: usize, merges: &[(usize, usize, f64)]) -> Vec<(usize, usize, f64)> {
    let mut by_height: Vec<usize> = (0..merges.len()).collect();
    by_height.sort_by(|a, b| merges[*a].2.total_cmp(&merges[*b].2));
    let mut renumbered = vec![0; merges.len()];
    for (new, old) in by_height.iter().enumerate() {
        renumbered[*old] = n + new;
    }
    let of = |node: usize| if node < n { node } else { renumbered[node - n] };
    by_height.into_iter().map(|i| (of(merges[i].0), of(merges[i].1), merges[i].2)).collect()
}
