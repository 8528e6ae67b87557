//! Planted groups, the reference matrix, and what must come out of them.

use std::{collections::BTreeSet, sync::Arc};

use ndarray::{Array2, array};

use super::*;
use crate::{
    analysis::{
        Cancel,
        cluster::{Distances, average_linkage, order, structure},
    },
    model::{ConfusionMatrix, PackedMatrix},
};

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `groups` × `members` shuffled classes with `n` samples each: `accuracy` are right, `inside` of the errors stay in
    /// the group. Returns the matrix and the group of each class.
    fn planted(
        &mut self,
        (groups, members): (usize, usize),
        n: usize,
        accuracy: f64,
        inside: f64,
    ) -> (PackedMatrix, Vec<usize>) {
        let classes = groups * members;
        let mut of: Vec<usize> = (0..classes).map(|c| c / members).collect();
        for i in (1..classes).rev() {
            of.swap(i, (self.next() * (i + 1) as f64) as usize);
        }
        let mut counts = Array2::zeros((classes, classes));
        for row in 0..classes {
            let chance = |column: usize| match (row == column, of[row] == of[column]) {
                (true, _) => accuracy,
                (_, true) => (1.0 - accuracy) * inside / (members - 1) as f64,
                _ => (1.0 - accuracy) * (1.0 - inside) / (classes - members) as f64,
            };
            for _ in 0..n {
                let mut left = self.next();
                let hit = (0..classes - 1).find(|c| {
                    left -= chance(*c);
                    left < 0.0
                });
                counts[[row, hit.unwrap_or(classes - 1)]] += 1.0;
            }
        }
        (packed(counts), of)
    }
}

fn packed(counts: Array2<f64>) -> PackedMatrix {
    PackedMatrix::new(&ConfusionMatrix::new(counts).unwrap())
}

fn arranged(matrices: &[PackedMatrix]) -> Arrangement {
    let evidence =
        Evidence { classes: matrices[0].classes(), evaluations: matrices.to_vec(), ..Evidence::default() };
    arrange(&evidence, &Cancel::default()).unwrap()
}

/// How often the group changes along the order, plus one.
fn runs(order: &[usize], of: &[usize]) -> usize {
    1 + order.windows(2).filter(|pair| of[pair[0]] != of[pair[1]]).count()
}

/// Whether two divisions are the same but for the numbers of their parts.
fn same_division(a: &[usize], b: &[usize]) -> bool {
    let pairs: BTreeSet<_> = a.iter().zip(b).collect();
    let (left, right): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
    pairs.len() == left.len() && left.len() == right.len()
}

/// In how many of 100 planted matrices groups are contiguous, found by a cut, found by the widest gap, and weak.
fn recovered(shape: (usize, usize), n: usize, accuracy: f64, inside: f64) -> [usize; 4] {
    let mut found = [0; 4];
    for seed in 0..100 {
        let (matrix, of) = Random(seed).planted(shape, n, accuracy, inside);
        let distances = Distances::of_similarity(&confusion_similarity(&[matrix]));
        let cancel = Cancel::default();
        let tree = average_linkage(&distances, &cancel).unwrap();
        let order = order(&tree, &distances, &cancel).unwrap();
        let structure = structure(&distances, &tree, &cancel).unwrap();
        let facts = [
            runs(&order, &of) == shape.0,
            same_division(&tree.cut(shape.0), &of),
            same_division(&tree.cut(structure.groups), &of),
            structure.is_weak(),
        ];
        for (sum, fact) in found.iter_mut().zip(facts) {
            *sum += usize::from(fact);
        }
    }
    found
}

#[test]
fn t_16_planted_groups_are_contiguous_and_their_structure_is_as_clear_as_it_is() {
    let table = [
        ((3, 4), 200, 0.70, 0.90),
        ((3, 4), 50, 0.70, 0.90),
        ((5, 6), 100, 0.80, 0.85),
        ((3, 4), 200, 0.95, 0.90),
        ((3, 4), 30, 0.90, 0.70),
        // No groups: errors go anywhere alike.
        ((3, 4), 200, 0.70, 3.0 / 11.0),
        ((5, 6), 100, 0.80, 5.0 / 29.0),
    ];
    let found = table.map(|(shape, n, accuracy, inside)| recovered(shape, n, accuracy, inside));
    println!("contiguous, cut at k, widest gap, weak: {found:?}");
    for row in &found[..4] {
        assert_eq!(row[..2], [100, 100], "contiguous and cut at k: {found:?}");
        assert!(row[2] >= 95, "the widest gap finds them: {found:?}");
    }
    assert_eq!(found[0][3], 0, "200 samples each are not weak: {found:?}");
    assert!(found[1..4].iter().all(|row| row[3] <= 5), "clear ones are seldom weak: {found:?}");
    assert!((40..=75).contains(&found[4][0]) && found[4][3] >= 70, "three errors a class: {found:?}");
    assert!(found[5..].iter().all(|row| row[3] >= 90), "no groups are weak: {found:?}");
}

/// `confusion_fixture` of the reference answers: 3 groups of 3 shuffled classes with 100 samples each.
fn fixture() -> (PackedMatrix, [usize; 9]) {
    let counts = array![
        [73, 14, 0, 12, 0, 1, 0, 0, 0],
        [15, 67, 0, 15, 0, 0, 0, 2, 1],
        [0, 0, 68, 0, 1, 1, 15, 15, 0],
        [11, 16, 2, 71, 0, 0, 0, 0, 0],
        [1, 1, 2, 0, 64, 15, 2, 0, 15],
        [0, 1, 2, 4, 16, 63, 0, 0, 14],
        [0, 1, 6, 0, 0, 0, 80, 12, 1],
        [0, 1, 15, 0, 0, 2, 14, 68, 0],
        [0, 0, 2, 0, 11, 12, 0, 0, 75]
    ];
    (packed(counts.mapv(f64::from)), [2, 2, 1, 2, 0, 0, 1, 1, 0])
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 5e-7)
}

#[test]
fn t_16_the_reference_matrix_falls_into_its_groups_with_their_scores() {
    let (matrix, of) = fixture();
    let found = arranged(std::slice::from_ref(&matrix));
    assert_eq!(found.source, OrderSource::Confusion(1));
    assert_eq!(runs(&found.order, &of), 3, "{:?}", found.order);
    assert!(same_division(&found.groups, &of) && !found.is_weak(), "{:?}", found.structure);
    let measures = group_measures(&matrix, &of, 3);
    assert!(close(matrix.accuracy(), 0.698_889) || (matrix.accuracy().unwrap() - 0.698_889).abs() < 1e-6);
    assert!(close(measures.within_share(), 0.896_678_966_789_667_9));
    let expected = [
        (0.976_027_397_260_274, 0.95),
        (0.960_655_737_704_918, 0.976_666_666_666_666_7),
        (0.970_297_029_702_970_3, 0.98),
    ];
    for (scores, (precision, recall)) in measures.scores.iter().zip(expected) {
        assert!(close(scores.precision(), precision) && close(scores.recall(), recall), "{scores:?}");
        assert!(scores.exact_recall() < scores.recall(), "exact counts only the diagonal");
    }
    assert!(close(measures.scores[0].exact_recall(), (64.0 + 63.0 + 75.0) / 300.0));
    assert!(close(measures.class_error(), 1.0 - 0.698_888_888_888_888_9));
}

#[test]
fn few_errors_are_summed_over_the_last_evaluations() {
    let mut random = Random(5);
    let all: Vec<PackedMatrix> = (0..20).map(|_| random.planted((3, 4), 30, 0.9, 0.7).0).collect();
    let needed = evaluations_needed(&all);
    assert!((3..=5).contains(&needed), "{needed} of 3 errors a class");
    assert_eq!(evaluations_needed(&all[..2]), 2);
    assert_eq!(evaluations_needed(&[]), 0);
    assert_eq!(evaluations_needed(&[packed(array![[5.0]]), all[0].clone()]), 1, "other classes");
}

fn names(of: &[&str]) -> Vec<Arc<str>> {
    of.iter().map(|n| Arc::from(*n)).collect()
}

#[test]
fn names_with_levels_come_first_then_logits_then_confusion_then_the_matrix() {
    let (matrix, _) = fixture();
    let similarity = Array2::from_shape_fn((9, 9), |(i, j)| if i % 3 == j % 3 { 0.9 } else { 0.1 });
    let mut evidence = Evidence {
        classes: 9,
        names: names(&["a:x:1", "b:y:2", "a:z:3", "b:y:4", "a:x:5", "c:7", "c:8", "a:z", "c"]),
        correlation: Some(LogitCorrelation { similarity, instances: 500, broken: 0 }),
        evaluations: vec![matrix],
    };
    let cancel = Cancel::default();
    let found = arrange(&evidence, &cancel).unwrap();
    assert_eq!(found.source, OrderSource::Names(':'));
    assert_eq!(found.order, [0, 4, 2, 7, 1, 3, 5, 6, 8]);
    assert_eq!(
        (found.group_names.as_slice(), found.is_weak()),
        (&["a", "b:y", "c"].map(String::from)[..], false)
    );
    assert_eq!(found.members(1).collect::<Vec<_>>(), [1, 3]);
    evidence.names = names(&["T-shirt/top", "b", "c", "d", "e", "f", "g", "h", "i"]);
    let found = arrange(&evidence, &cancel).unwrap();
    assert_eq!(found.source, OrderSource::Logits(500));
    assert_eq!(found.group_count(), 3);
    assert!(found.groups[0] == found.groups[3] && found.groups[3] == found.groups[6]);
    evidence.correlation = None;
    assert_eq!(arrange(&evidence, &cancel).unwrap().source, OrderSource::Confusion(1));
    evidence.evaluations = vec![packed(Array2::eye(9))];
    let found = arrange(&evidence, &cancel).unwrap();
    assert_eq!((found.source, found.order), (OrderSource::Index, (0..9).collect()), "no errors at all");
    cancel.cancel();
    evidence.evaluations = vec![fixture().0];
    assert_eq!(arrange(&evidence, &cancel), None);
}

#[test]
fn what_only_looks_like_a_hierarchy_is_none() {
    assert_eq!(hierarchy(&names(&["cat", "dog", "T-shirt/top"])), None, "one name of three");
    assert_eq!(hierarchy(&names(&["a:b", "c:d", "e:f"])), None, "each its own group");
    let deep = hierarchy(&names(&["all:a:b", "all:a:c", "all:d:e", "all:d:f"])).unwrap();
    assert_eq!((deep.groups, deep.tree.plain_order()), (2, vec![0, 1, 2, 3]), "what all share is no level");
    let same = hierarchy(&names(&["a:b", "a:b", "c:b", ":", "::::::::::::::::::"])).unwrap();
    assert_eq!(same.tree.leaves(), 5);
}

#[test]
fn groups_are_named_by_what_their_names_share() {
    let named = |all: &'static [&'static str], common: &str| {
        group_name(&(0..all.len()).collect::<Vec<_>>(), common, |c| all[c].to_owned())
    };
    let name = |all| named(all, "");
    assert_eq!(name(&["animal:cat", "animal:dog"]), "animal");
    assert_eq!(name(&["animal:bird:finch", "animal:bird:jay"]), "animal:bird");
    assert_eq!(name(&["truck_red", "truck_blue"]), "truck…");
    assert_eq!(name(&["cat", "dog", "deer"]), "cat, dog +1");
    assert_eq!(name(&["cat"]), "cat");
    assert_eq!(name(&["損失一", "損失二"]), "損失一, 損失二");
    assert_eq!(
        named(&["class_1", "class_2"], "class_"),
        "class_1, class_2",
        "what all classes share says nothing"
    );
    assert_eq!(name(&[]), "");
}

#[test]
fn correlated_logits_are_alike_and_broken_ones_are_left_out() {
    let mut random = Random(3);
    let mut logits = Array2::zeros((200, 4));
    for mut row in logits.outer_iter_mut() {
        let (a, b) = (random.next(), random.next());
        row.assign(&array![a + 0.1 * random.next(), a, b, 7.0]);
    }
    logits[[5, 2]] = f64::NAN;
    let found = logit_correlation(&[logits.view()], 4).unwrap();
    assert_eq!((found.instances, found.broken), (199, 1));
    assert!(found.similarity[[0, 1]] > 0.95 && found.similarity[[0, 2]] < 0.2);
    assert_eq!(found.similarity[[0, 3]], 0.0, "a logit that never changes");
    assert!(found.similarity.iter().all(|s| *s >= 0.0));
    assert_eq!(logit_correlation(&[logits.view()], 5), None);
    assert_eq!(logit_correlation(&[], 4), None);
}

/// 4 classes in 2 groups; errors between groups end at epoch 3, inside of them at epoch 20.
fn separating() -> Vec<PackedMatrix> {
    (0..=25_i32)
        .map(|epoch| {
            let between = if epoch < 3 { 10.0 } else { 0.0 };
            let inside = if epoch < 20 { 20.0 } else { 2.0 };
            packed(Array2::from_shape_fn((4, 4), |(r, c)| match (r == c, r / 2 == c / 2) {
                (true, _) => 100.0 - inside - 2.0 * between,
                (_, true) => inside,
                _ => between,
            }))
        })
        .collect()
}

#[test]
fn t_18_groups_separate_at_epoch_3_and_classes_at_20_and_a_sentence_says_so() {
    let all = separating();
    let dated = |end: usize| {
        (0_i64..).zip(&all[..end]).map(|(i, m)| (i * 100, Some(i as f64), m)).collect::<Vec<_>>()
    };
    let groups = [0, 0, 1, 1];
    let whole = evolution(dated(26), &groups, 2);
    assert_eq!(whole.groups_separated().unwrap().epoch, Some(3.0));
    assert_eq!(whole.classes_separated().unwrap().epoch, Some(20.0));
    assert_eq!(whole.moments[2].group_error, 0.2);
    assert_eq!(
        whole.sentence().unwrap(),
        "groups separated at epoch 3, classes at epoch 20; remaining 100 % of errors inside groups"
    );
    let part = evolution(dated(12), &groups, 2);
    assert_eq!(
        part.sentence().unwrap(),
        "groups separated at epoch 3; remaining 100 % of errors inside groups"
    );
    let early = evolution(dated(2), &groups, 2).sentence().unwrap();
    assert!(early.starts_with("groups not separated: 20 % of samples leave theirs"), "{early}");
    assert_eq!(evolution(dated(0), &groups, 2).sentence(), None);
    // An error that comes back ends the separation.
    let mut back = dated(26);
    back.push((2600, Some(26.0), &all[0]));
    assert_eq!(evolution(back, &groups, 2).groups_separated(), None);
}

#[test]
fn t_55_groups_are_sums_rows_sum_to_one_and_a_run_has_no_distance_to_itself() {
    let (matrix, of) = fixture();
    let measures = group_measures(&matrix, &of, 3);
    let dense = matrix.unpack();
    for (a, b) in [(0, 0), (0, 2), (2, 1)] {
        let sum: f64 =
            dense.indexed_iter().filter(|((r, c), _)| (of[*r], of[*c]) == (a, b)).map(|(_, n)| n).sum();
        assert_eq!(measures.matrix[[a, b]], sum);
    }
    assert_eq!(measures.matrix.sum(), 900.0);
    for (row, sum) in measures.matrix.rows().into_iter().zip(measures.scores.iter().map(|s| s.support)) {
        assert!((row.mapv(|n| n / sum).sum() - 1.0).abs() < 1e-12);
    }
    assert_eq!(error_distance(&matrix, &matrix), Some(0.0));
    let other = packed(Array2::from_shape_fn((9, 9), |(r, c)| f64::from(u8::from(c == (r + 4) % 9))));
    let (there, back) = (error_distance(&matrix, &other).unwrap(), error_distance(&other, &matrix).unwrap());
    assert!(there > 0.5 && (there - back).abs() < 1e-12, "{there} {back}");
    // The amount of errors does not count, where they go does.
    let twice = packed(dense.mapv(|n| n * 2.0));
    assert!(error_distance(&matrix, &twice).unwrap() < 1e-12);
    assert_eq!(error_distance(&matrix, &packed(Array2::eye(9))), Some(1.0));
    assert_eq!(error_distance(&matrix, &packed(Array2::eye(3))), None);
}

#[test]
fn moves_are_signed_sorted_and_scaled_to_equal_totals() {
    let before = packed(array![[8.0, 2.0, 0.0], [4.0, 6.0, 0.0], [0.0, 1.0, 9.0]]);
    let now = packed(array![[9.0, 0.0, 1.0], [4.0, 6.0, 0.0], [0.0, 4.0, 6.0]]);
    let found = moves(&now, &before, 9);
    let brief: Vec<_> = found.iter().map(|m| (m.row, m.column, m.change)).collect();
    assert_eq!(brief, [(2, 1, 3.0), (0, 1, -2.0), (0, 2, 1.0)]);
    assert_eq!(moves(&now, &before, 1)[0].now, 4.0);
    let half = packed(before.unpack().mapv(|n| n / 2.0));
    assert_eq!(moves(&now, &half, 9), found);
    assert_eq!(signed(&now, &half).unwrap()[[2, 2]], -3.0);
    assert!(moves(&now, &packed(Array2::eye(2)), 9).is_empty());
}

#[test]
fn super_cells_hold_every_class_once_and_never_more_than_were_asked_for() {
    let (matrix, _) = Random(1).planted((10, 10), 50, 0.8, 0.8);
    let found = arranged(&[matrix]);
    for most in [1, 2, 7, 10, 33, 99, 100, 500] {
        for tree in [found.tree.as_ref(), None] {
            let cells = super_cells(tree, &found.order, most);
            assert!(cells.len() <= most && cells.len() * 3 >= most.min(100), "{} of {most}", cells.len());
            let places: Vec<usize> = cells.iter().cloned().flatten().collect();
            assert_eq!(places, (0..100).collect::<Vec<_>>());
        }
    }
    assert!(super_cells(None, &[], 3).is_empty());
}
