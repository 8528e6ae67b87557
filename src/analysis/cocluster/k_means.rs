//! k-means with starts spread out (Arthur and Vassilvitskii 2007), from a generator that is the same everywhere.

use crate::analysis::Cancel;

/// Starts, of which the tightest result counts.
const STARTS: u64 = 20;
/// Rounds of one start; it ends when no point changes its group.
const ROUNDS: usize = 100;

/// The group of each point, numbered by first appearance. All points are of one length. `None` when told to give up.
pub(super) fn k_means(points: &[Vec<f64>], groups: usize, cancel: &Cancel) -> Option<Vec<usize>> {
    let mut best: Option<(f64, Vec<usize>)> = None;
    for start in 0..STARTS {
        if cancel.is_cancelled() {
            return None;
        }
        let (spread, labels) = once(points, groups, start);
        if best.as_ref().is_none_or(|(least, _)| spread < *least) {
            best = Some((spread, labels));
        }
    }
    Some(renumbered(&best?.1))
}

fn once(points: &[Vec<f64>], groups: usize, start: u64) -> (f64, Vec<usize>) {
    let mut centres = spread_out(points, groups, start);
    let mut labels = vec![usize::MAX; points.len()];
    for _ in 0..ROUNDS {
        let mut changed = false;
        for (label, point) in labels.iter_mut().zip(points) {
            let (nearest, _) = nearest(point, &centres);
            changed |= *label != nearest;
            *label = nearest;
        }
        if !changed {
            break;
        }
        for (group, centre) in centres.iter_mut().enumerate() {
            let members: Vec<&Vec<f64>> =
                points.iter().zip(&labels).filter(|(_, l)| **l == group).map(|(p, _)| p).collect();
            // A group that lost all its points stays where it was.
            if !members.is_empty() {
                for (axis, value) in centre.iter_mut().enumerate() {
                    *value = members.iter().map(|p| p[axis]).sum::<f64>() / members.len() as f64;
                }
            }
        }
    }
    let spread = points.iter().map(|p| nearest(p, &centres).1).sum();
    (spread, labels)
}

/// The first centre by chance, each further one with a chance as large as its squared distance from those before.
fn spread_out(points: &[Vec<f64>], groups: usize, start: u64) -> Vec<Vec<f64>> {
    let mut state = start.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let first = ((uniform() * points.len() as f64) as usize).min(points.len().saturating_sub(1));
    let mut centres: Vec<Vec<f64>> = points.get(first).cloned().into_iter().collect();
    while centres.len() < groups {
        let far: Vec<f64> = points.iter().map(|p| nearest(p, &centres).1).collect();
        let mut left = uniform() * far.iter().sum::<f64>();
        let at = far.iter().position(|d| {
            left -= d;
            left <= 0.0
        });
        let Some(next) = points.get(at.unwrap_or(points.len() - 1)) else { break };
        centres.push(next.clone());
    }
    centres
}

/// The nearest centre and its squared distance; the first of equally near ones.
fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let square = |centre: &Vec<f64>| point.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    centres
        .iter()
        .map(square)
        .enumerate()
        .fold((0, f64::INFINITY), |best, (at, d)| if d < best.1 { (at, d) } else { best })
}

fn renumbered(labels: &[usize]) -> Vec<usize> {
    let mut seen: Vec<usize> = Vec::new();
    let mut number = |label: usize| {
        seen.iter().position(|s| *s == label).unwrap_or_else(|| {
            seen.push(label);
            seen.len() - 1
        })
    };
    labels.iter().map(|label| number(*label)).collect()
}
