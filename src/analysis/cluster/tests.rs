//! Clustering against brute force.

use ndarray::Array2;

use super::*;
use crate::analysis::Cancel;

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn points(&mut self, n: usize) -> Distances {
        let points: Vec<[f64; 3]> = (0..n).map(|_| [self.next(), self.next(), self.next()]).collect();
        Distances::from_fn(n, |i, j| {
            points[i].iter().zip(points[j]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        })
    }
}

fn never() -> Cancel {
    Cancel::default()
}

/// Average linkage by its definition: mean over all pairs, the closest two clusters first.
fn slow_linkage(d: &Distances) -> Vec<(Vec<usize>, f64)> {
    let mut clusters: Vec<Vec<usize>> = (0..d.len()).map(|i| vec![i]).collect();
    let mut merges = Vec::new();
    while clusters.len() > 1 {
        let mut least = (f64::INFINITY, 0, 0);
        for i in 0..clusters.len() {
            for j in i + 1..clusters.len() {
                let sum: f64 =
                    clusters[i].iter().flat_map(|a| clusters[j].iter().map(|b| d.get(*a, *b))).sum();
                let mean = sum / (clusters[i].len() * clusters[j].len()) as f64;
                if mean < least.0 {
                    least = (mean, i, j);
                }
            }
        }
        let gone = clusters.remove(least.2);
        clusters[least.1].extend(gone);
        let mut items = clusters[least.1].clone();
        items.sort_unstable();
        merges.push((items, least.0));
    }
    merges
}

#[test]
fn the_chain_finds_the_merges_of_the_definition() {
    for seed in 0..30 {
        let d = Random(seed).points(17);
        let tree = average_linkage(&d, &never()).unwrap();
        for (merge, (items, height)) in tree.merges().iter().zip(slow_linkage(&d)) {
            let mut mine = [tree.items(merge.left), tree.items(merge.right)].concat();
            mine.sort_unstable();
            assert_eq!(mine, items);
            assert!((merge.height - height).abs() < 1e-12);
        }
    }
}

/// All orders in which a tree can be drawn.
fn orders(tree: &Tree, node: usize) -> Vec<Vec<usize>> {
    let Some(merge) = tree.merge(node) else { return vec![vec![node]] };
    let (left, right) = (orders(tree, merge.left), orders(tree, merge.right));
    left.iter()
        .flat_map(|a| right.iter().flat_map(|b| [[&a[..], b].concat(), [&b[..], a].concat()]))
        .collect()
}

#[test]
fn t_17_the_leaf_order_costs_what_brute_force_finds_on_50_random_trees() {
    for seed in 0..50 {
        let d = Random(seed).points(7);
        let tree = average_linkage(&d, &never()).unwrap();
        let all = orders(&tree, tree.root().unwrap());
        assert_eq!(all.len(), 1 << 6);
        let least = all.iter().map(|o| cost(o, &d)).fold(f64::INFINITY, f64::min);
        let found = optimal_order(&tree, &d, &never()).unwrap();
        assert!(all.contains(&found), "{found:?} is no order of the tree");
        assert!((cost(&found, &d) - least).abs() < 1e-12, "{} is not {least}", cost(&found, &d));
        let greedy = greedy_order(&tree, &d, &never()).unwrap();
        assert!(all.contains(&greedy));
        assert!(cost(&greedy, &d) <= cost(&tree.plain_order(), &d) + 1e-12);
        assert!(cost(&greedy, &d) >= least - 1e-12);
    }
}

#[test]
fn many_leaves_are_ordered_exactly_and_greedily_near_it() {
    let d = Random(1).points(200);
    let tree = average_linkage(&d, &never()).unwrap();
    let (plain, exact, greedy) = (
        cost(&tree.plain_order(), &d),
        cost(&optimal_order(&tree, &d, &never()).unwrap(), &d),
        cost(&greedy_order(&tree, &d, &never()).unwrap(), &d),
    );
    println!("plain {plain} greedy {greedy} exact {exact}");
    assert!(exact <= greedy && greedy < plain, "{exact} {greedy} {plain}");
    assert!(greedy < 1.1 * exact, "{exact} {greedy}");
}

#[test]
fn equal_distances_and_few_items_are_ordered_by_index() {
    let d = Distances::from_fn(5, |_, _| 1.0);
    let tree = average_linkage(&d, &never()).unwrap();
    assert_eq!(tree, average_linkage(&d, &never()).unwrap());
    assert_eq!(order(&tree, &d, &never()).unwrap().len(), 5);
    for n in 0..3 {
        let d = Distances::from_fn(n, |_, _| 0.5);
        let tree = average_linkage(&d, &never()).unwrap();
        assert_eq!(order(&tree, &d, &never()).unwrap(), (0..n).collect::<Vec<_>>());
        assert_eq!(tree.cut(3).len(), n);
    }
}

#[test]
fn what_is_not_a_number_is_far_away_and_counted() {
    let mut s = Array2::from_elem((4, 4), 0.1);
    (s[[0, 1]], s[[1, 0]]) = (0.8, 0.8);
    s[[2, 3]] = f64::NAN;
    let d = Distances::of_similarity(&s);
    assert_eq!((d.unknown(), d.get(2, 3), d.get(1, 0)), (1, d.get(0, 2), 0.0));
    let tree = average_linkage(&d, &never()).unwrap();
    assert_eq!(tree.merges()[0].height, 0.0);
    assert_eq!(tree.cut(3), [0, 0, 1, 2]);
    assert_eq!(Distances::of_similarity(&Array2::from_elem((3, 3), -1.0)).get(0, 2), 1.0);
}

#[test]
fn what_is_no_tree_is_refused() {
    assert!(Tree::new(3, [(0, 1, 0.5), (2, 3, 0.7)]).is_some());
    assert!(Tree::new(3, [(0, 1, 0.5), (2, 3, 0.4)]).is_none(), "heights fall");
    assert!(Tree::new(3, [(0, 1, 0.5), (1, 2, 0.7)]).is_none(), "a child has two parents");
    assert!(Tree::new(3, [(0, 4, 0.5), (1, 2, 0.7)]).is_none(), "a child comes later");
    assert!(Tree::new(3, [(0, 1, 0.5)]).is_none(), "not all are joined");
    assert_eq!(Tree::new(0, []), Some(Tree::default()));
}

#[test]
fn a_cancelled_computation_gives_up() {
    let d = Random(1).points(20);
    let cancel = Cancel::default();
    let tree = average_linkage(&d, &cancel).unwrap();
    cancel.cancel();
    assert_eq!(average_linkage(&d, &cancel), None);
    assert_eq!(optimal_order(&tree, &d, &cancel), None);
    assert_eq!(greedy_order(&tree, &d, &cancel), None);
}
