//! The reference's numbers, and populations of which is known what they are.

use std::sync::Arc;

use super::*;
use crate::model::{NumericArray, Payload};

fn one(sights: &[Sight]) -> Instance {
    let mut all = Instances::default();
    for (epoch, sight) in (0..).zip(sights) {
        all.observe(epoch, &Arc::from("a"), sight);
    }
    all.all()[0].clone()
}

fn sure(p: f64) -> Sight {
    Sight { confidence: Some(p), ..Sight::default() }
}

fn right(right: bool) -> Sight {
    Sight { right: Some(right), ..Sight::default() }
}

fn matrix(rows: &[&[f64]]) -> Payload {
    let values = rows.concat();
    Payload::Array(NumericArray::new(vec![rows.len(), rows[0].len()], values).unwrap())
}

fn list(values: &[f64]) -> Payload {
    Payload::Array(NumericArray::new(vec![values.len()], values.to_vec()).unwrap())
}

fn names(names: &[&str]) -> Payload {
    Payload::Texts(names.iter().map(|n| Some(Arc::from(*n))).collect())
}

fn record(fields: Vec<(&str, Payload)>) -> Vec<(Arc<str>, Payload)> {
    fields.into_iter().map(|(name, payload)| (Arc::from(name), payload)).collect()
}

#[test]
fn t_56_confidence_is_the_mean_and_variability_the_population_deviation() {
    let i = one(&[sure(0.1), sure(0.5), sure(0.9)]);
    assert!((i.confidence().unwrap() - 0.5).abs() < 1e-12);
    assert!((i.variability().unwrap() - 0.326_599).abs() < 1e-6);
    assert_eq!(one(&[sure(0.3)]).variability(), None);
}

#[test]
fn t_56_forgetting_counts_changes_to_wrong_and_never_learnt_is_apart() {
    let run = |bits: &[u8]| one(&bits.iter().map(|b| right(*b == 1)).collect::<Vec<_>>());
    assert_eq!(run(&[0, 1, 1, 0, 1, 0]).forgetting_events(), Some(2));
    assert_eq!(run(&[1, 1, 1]).forgetting_events(), Some(0));
    assert_eq!(run(&[0, 0, 0]).forgetting_events(), None);
    assert_eq!(run(&[0, 1, 1, 0, 1, 0]).correctness(), (3, 6));
}

#[test]
fn t_56_the_area_under_the_margin_is_that_of_the_reference() {
    let rows: [&[f64]; 3] = [&[2.0, 1.0, 0.0], &[0.0, 3.0, 1.0], &[1.0, 0.0, 4.0]];
    let mut by_logits = Instances::default();
    let mut by_probabilities = Instances::default();
    for (epoch, row) in (0..).zip(rows.iter()) {
        let sum: f64 = row.iter().map(|v| v.exp()).sum();
        let p: Vec<f64> = row.iter().map(|v| v.exp() / sum).collect();
        for (instances, name, row) in [(&mut by_logits, "logits", *row), (&mut by_probabilities, "p", &p)] {
            let fields = record(vec![("id", names(&["a"])), ("y", list(&[0.0])), (name, matrix(&[row]))]);
            for (id, sight) in sights(&fields) {
                instances.observe(epoch, &id, &sight);
            }
        }
    }
    for instances in [by_logits, by_probabilities] {
        let i = &instances.all()[0];
        assert!((i.area_under_margin().unwrap() + 1.666_666_666_666_666_7).abs() < 1e-9);
        assert_eq!(i.correctness(), (1, 3));
        assert_eq!(i.forgetting_events(), Some(1));
    }
}

#[test]
fn t_56_three_planted_populations_fall_into_their_regions_and_flipped_labels_have_the_lowest_margins() {
    let mut state = 11_u64;
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let kinds = |i: usize| match i % 20 {
        0 => Region::Hard,
        1..=3 => Region::Ambiguous,
        _ => Region::Easy,
    };
    let mut all = Instances::default();
    let ids: Vec<Arc<str>> = (0..2000).map(|i| Arc::from(format!("x{i}"))).collect();
    for epoch in 0..12 {
        let learnt = 1.0 - (-f64::from(epoch + 1) / 1.5).exp();
        for (i, id) in ids.iter().enumerate() {
            let noise = 2.0 * (uniform() - 0.5);
            // Logit of the label beside one other class and a third that nobody predicts.
            let z = match kinds(i) {
                Region::Easy => 4.0 * learnt + noise,
                Region::Ambiguous => 3.0 * noise,
                // What looks like the other class is learnt as that.
                Region::Hard => -4.0 * learnt + noise,
            };
            let fields = record(vec![
                ("id", Payload::Texts(vec![Some(id.clone())])),
                ("y", list(&[1.0])),
                ("logits", matrix(&[&[0.0, z, -6.0]])),
            ]);
            for (id, sight) in sights(&fields) {
                all.observe(epoch.into(), &id, &sight);
            }
        }
    }
    let placed = |kind| {
        let of: Vec<bool> = (0..2000)
            .filter(|i| kinds(*i) == kind)
            .map(|i| Region::of(&all.all()[i]) == Some(kind))
            .collect();
        of.iter().filter(|hit| **hit).count() as f64 / of.len() as f64
    };
    for kind in [Region::Easy, Region::Ambiguous, Region::Hard] {
        assert!(placed(kind) >= 0.95, "{kind:?}: {}", placed(kind));
    }
    let map = DataMap::of(&all, 100);
    assert_eq!(map.regions.iter().sum::<usize>(), 2000);
    let flipped = map.suspects.iter().filter(|s| kinds(s.id[1..].parse().unwrap()) == Region::Hard).count();
    assert!(flipped >= 90, "{flipped} of the lowest 100 are the flipped ones");
    assert!(map.forgetting_events > 0 && map.never_learnt > 50);
}

#[test]
fn more_instances_than_the_limit_are_left_out_and_counted() {
    let mut all = Instances::with_limit(3);
    for (step, count) in [(10, 5), (20, 8), (30, 4)] {
        for i in 0..count {
            all.observe(step, &Arc::from(format!("{i}")), &sure(0.5));
        }
    }
    assert_eq!((all.all().len(), all.left_out(), all.epochs()), (3, 5, 3));
    all.observe(30, &Arc::from("1"), &sure(0.9));
    assert_eq!((all.repeated(), all.all()[1].seen), (1, 3));
}

#[test]
fn what_is_not_finite_is_in_no_mean_and_is_counted() {
    let fields = record(vec![
        ("id", names(&["a", "b"])),
        ("y", list(&[0.0, 7.0])),
        ("p", matrix(&[&[f64::NAN, 0.5], &[0.5, 0.5]])),
    ]);
    let seen = sights(&fields);
    assert_eq!(seen[0].1, Sight { class: Some(0), right: Some(false), broken: true, ..Sight::default() });
    assert_eq!(seen[1].1, Sight { class: Some(7), ..Sight::default() }, "no such column");
    let i = one(&[seen[0].1, sure(0.7)]);
    assert_eq!((i.confidence(), i.broken()), (Some(0.7), 1));
}

#[test]
fn records_say_as_much_as_they_hold() {
    let by_name = record(vec![
        ("id", names(&["a", "b"])),
        ("y", names(&["cat", "dog"])),
        ("yhat", names(&["cat", "cat"])),
    ]);
    let seen: Vec<Option<bool>> = sights(&by_name).iter().map(|(_, s)| s.right).collect();
    assert_eq!(seen, [Some(true), Some(false)]);
    let numbered = record(vec![("id", list(&[17.0, f64::NAN]))]);
    let seen = sights(&numbered);
    assert_eq!(seen, [(Arc::from("17"), Sight::default())]);
    let zero = record(vec![("id", names(&["a"])), ("y", list(&[0.0])), ("p", matrix(&[&[0.0, 1.0]]))]);
    assert!(sights(&zero)[0].1.margin.unwrap() < -80.0);
    assert_eq!(sights(&record(vec![("y", list(&[0.0]))])), []);
}
