//! Whole runs: the same layers logged in different ways, the time cursor, new records, thinning.

use std::sync::Arc;

use super::{
    super::{At, FreezeHint, Measure, Stability, State, Verdict, order, subjects},
    BUCKETS, Random, bell,
};
use crate::{
    model::{
        Artefact, ArtefactKind, Batch, FileId, HistogramRecord, LayerKind, LayerName, LayerRecord,
        LayerStats, NumericArray, Origin, Payload, Record, RunId, Step, WallTime,
    },
    store::{Limits, Run, Store},
};

const RUN: &str = "run";

fn store(records: Vec<Record>) -> Store {
    let mut store = Store::new(Limits::default());
    add(&mut store, records);
    store
}

fn add(store: &mut Store, records: Vec<Record>) {
    let mut batch = Batch::new(RunId::from(RUN), Origin::new(FileId(1), "0"));
    batch.records = records;
    store.apply(&batch);
}

fn run(store: &Store) -> &Run {
    store.run(&RunId::from(RUN)).unwrap()
}

fn weights(layer: &str, step: Step, stats: &LayerStats) -> Record {
    Record::Layer(LayerRecord {
        layer: LayerName::from(layer),
        kind: LayerKind::Weights,
        step,
        wall: WallTime(step as f64),
        split: Arc::default(),
        stats: *stats,
    })
}

fn update(layer: &str, step: Step, ratio: f64) -> Record {
    weights(
        layer,
        step,
        &LayerStats { norm: Some(2.0), update_norm: Some(2.0 * ratio), ..LayerStats::default() },
    )
}

fn histogram(layer: &str, kind: LayerKind, step: Step, shift: f64) -> Record {
    Record::Histogram(HistogramRecord {
        layer: LayerName::from(layer),
        kind,
        step,
        wall: WallTime(step as f64),
        edges: [0.0, 2.0].map(|e| e + shift).into(),
        counts: [100.0].into(),
        stats: LayerStats::default(),
    })
}

fn artefact(kind: ArtefactKind, layer: &str, step: Step, fields: Vec<(&str, Payload)>) -> Record {
    Record::Artefact(Artefact {
        kind,
        name: Arc::from(layer),
        step: Some(step),
        wall: WallTime(step as f64),
        offset: u64::try_from(step).unwrap() * 100,
        bytes: 100,
        fields: fields.into_iter().map(|(name, payload)| (Arc::from(name), payload)).collect(),
    })
}

fn array(values: Vec<f64>) -> Payload {
    Payload::Array(NumericArray::new(vec![values.len()], values).unwrap())
}

fn perplexity(layer: &str, step: Step, counts: Vec<f64>) -> Record {
    let edges = (0..=BUCKETS).map(|b| 1.0 + b as f64).collect();
    artefact(
        ArtefactKind::Perplexity,
        layer,
        step,
        vec![("edges", array(edges)), ("counts", array(counts)), ("filters", Payload::Number(21.0))],
    )
}

fn similarity(layer: &str, step: Step, to: Step, value: f64) -> Record {
    artefact(
        ArtefactKind::Similarity,
        layer,
        step,
        vec![
            ("method", Payload::Text(Arc::from("cka_unbiased"))),
            ("to/step", Payload::Number(to as f64)),
            ("value", Payload::Number(value)),
        ],
    )
}

fn verdicts(stability: &mut Stability, run: &Run, until: Option<Step>) -> Vec<(String, Verdict)> {
    subjects(run)
        .iter()
        .map(|subject| (subject.name.to_string(), stability.verdict(&At::new(subject, until))))
        .collect()
}

/// The layers in the order in which they are first called stable, snapshot after snapshot.
fn order_of(records: Vec<Record>, measure: Measure) -> Vec<String> {
    let store = store(records);
    let mut stability = Stability::default();
    let mut order = Vec::new();
    for step in 0..60 {
        for (layer, verdict) in verdicts(&mut stability, run(&store), Some(step)) {
            assert!(verdict.measure.is_none_or(|m| m == measure), "{verdict:?}");
            if verdict.state == State::Stable && !order.contains(&layer) {
                order.push(layer);
            }
        }
    }
    order
}

#[test]
fn t_50_one_run_logged_four_ways_gives_one_order_of_stability() {
    // Four layers that drift until step 15, 8, 34, 25 and then stand still.
    let layers = [("a", 15), ("b", 8), ("c", 34), ("d", 25)];
    let wanted = ["b", "a", "d", "c"];
    let mut random = Random(50);
    let mut logs: [Vec<Record>; 4] = Default::default();
    for step in 0..60 {
        for (layer, stop) in layers {
            let moves = step <= stop;
            let way = step.min(stop) as f64;
            let noise = 1.0 + 0.4 * (random.uniform() - 0.5);
            let change = noise * if moves { 0.1 } else { 0.003 };
            logs[0].push(perplexity(layer, step, random.multinomial(1000, &bell(16.0 - 0.4 * way))));
            logs[1].push(update(layer, step, change));
            if step > 0 {
                logs[2].push(similarity(layer, step, step - 1, 1.0 - change));
            }
            logs[3].push(histogram(layer, LayerKind::Weights, step, 0.1 * way + 0.002 * noise));
        }
    }
    let measures =
        [Measure::Perplexity, Measure::Update, Measure::Cka, Measure::Histogram(LayerKind::Weights)];
    for (log, measure) in logs.into_iter().zip(measures) {
        assert_eq!(order_of(log, measure), wanted, "{}", measure.id());
    }
}

#[test]
fn the_best_measure_that_the_log_permits_is_taken_and_named() {
    let mut records = Vec::new();
    let mut random = Random(1);
    for step in 0..20 {
        records.push(update("both", step, 0.01));
        records.push(perplexity("both", step, random.multinomial(1000, &bell(9.0))));
        records.push(histogram("hist", LayerKind::Weights, step, 0.001 * (step % 2) as f64));
        records.push(histogram("hist", LayerKind::Gradients, step, 0.1 * step as f64));
        records.push(histogram("grads", LayerKind::Gradients, step, 0.1 * step as f64));
        records.push(weights("silent", step, &LayerStats { mean: Some(0.0), ..LayerStats::default() }));
    }
    let store = store(records);
    let mut stability = Stability::default();
    let at = |stability: &mut Stability, until| {
        verdicts(stability, run(&store), until)
            .into_iter()
            .map(|(layer, v)| (layer, v.measure.map(Measure::id), v.state))
            .collect::<Vec<_>>()
    };
    let row = |layer: &str, id, state| (layer.to_owned(), id, state);
    assert_eq!(
        at(&mut stability, None),
        [
            row("both", Some("L1"), State::Stable),
            row("hist", Some("L5w"), State::Stable),
            row("grads", Some("L5g"), State::Moving),
            row("silent", None, State::NotApplicable),
        ]
    );
    // Before there are twelve snapshots, the next measure speaks; before there are five, none.
    assert_eq!(at(&mut stability, Some(10))[0], row("both", Some("L2"), State::Moving));
    assert_eq!(at(&mut stability, Some(3))[0], row("both", Some("L1"), State::Warming));
    assert_eq!(at(&mut stability, Some(-1))[0], row("both", None, State::NotApplicable));
}

#[test]
fn layers_that_are_not_trained_are_frozen() {
    let mut records = Vec::new();
    for step in 0..12 {
        records.push(update("zero", step, if step < 4 { 0.1 } else { 0.0 }));
        let frozen = Some(step >= 6);
        records.push(weights("said", step, &LayerStats { norm: Some(1.0), frozen, ..LayerStats::default() }));
        let size = Some(f64::max(1.0, 6.0 - step as f64));
        let stats = LayerStats { norm: size, mean: size, min: size, max: size, ..LayerStats::default() };
        records.push(weights("same", step, &stats));
    }
    let store = store(records);
    let mut stability = Stability::default();
    let found = verdicts(&mut stability, run(&store), None);
    assert_eq!((found[0].1.state, found[0].1.since), (State::Frozen, Some(6)));
    assert_eq!((found[1].1.state, found[1].1.since), (State::Frozen, Some(6)));
    assert_eq!((found[2].1.state, found[2].1.since), (State::Frozen, Some(5)));
    let of_run = subjects(run(&store));
    let hint = |n: usize| {
        let judged: Vec<_> = of_run.iter().take(n).zip(found.iter().map(|(_, v)| *v)).collect();
        FreezeHint::of(&judged).sentence()
    };
    assert_eq!(hint(3), "no freeze hint: none of 3 layers moves at all");
    let before = verdicts(&mut stability, run(&store), Some(5));
    assert_eq!([before[1].1.state, before[2].1.state], [State::NotApplicable; 2]);
}

#[test]
fn a_similarity_to_one_state_counts_by_how_it_changes() {
    // 0.5 away from the first state, and staying there.
    let records = (0..20).map(|step| similarity("a", step, 0, if step < 5 { 1.0 } else { 0.5 })).collect();
    let store = store(records);
    let found = verdicts(&mut Stability::default(), run(&store), None);
    assert_eq!(found[0].1.state, State::Stable);
}

#[test]
fn a_similarity_that_is_no_number_is_not_at_rest() {
    let records = (1..20).map(|step| similarity("a", step, step - 1, f64::NAN)).collect();
    let store = store(records);
    let found = verdicts(&mut Stability::default(), run(&store), None)[0].1;
    assert_ne!(found.state, State::Stable);
    assert!(found.relative.unwrap().is_nan());
}

#[test]
fn records_that_become_rarer_are_judged_the_same_live_and_opened_later() {
    // As with a watcher that looks at the first two steps and then at each hundredth; the store thins on the way.
    let mut store = Store::new(Limits { bytes: 1 << 20 });
    let mut live = Stability::default();
    let alpha = |alpha| LayerStats { alpha: Some(alpha), ..LayerStats::default() };
    for at in 0..1100_i32 {
        let step = Step::from(if at < 2 { at + 1 } else { 100 * at - 98 });
        let side = f64::from(at % 2);
        add(
            &mut store,
            vec![
                histogram("a", LayerKind::Weights, step, 0.05 * f64::from(at)),
                weights("b", step, &alpha(3.0 + side)),
                similarity("c", step, 1, 0.5 + 0.2 * side),
            ],
        );
        let now = verdicts(&mut live, run(&store), None);
        assert_eq!(now, verdicts(&mut Stability::default(), run(&store), None), "at {step}");
        // None of them has come to rest, whatever its steps are.
        assert!(at > 100 || now.iter().all(|(_, v)| v.state != State::Stable), "at {step}: {now:?}");
    }
}

#[test]
fn a_field_of_every_tenth_record_is_there_in_all_of_them() {
    let mut store = store(Vec::new());
    let mut live = Stability::default();
    for step in 0..200 {
        let alpha = (step % 10 == 0).then_some(3.0 + 0.001 * step as f64);
        add(&mut store, vec![weights("a", step, &LayerStats { alpha, ..LayerStats::default() })]);
        let measure = verdicts(&mut live, run(&store), None)[0].1.measure;
        assert!(step < 20 || measure == Some(Measure::Alpha), "at {step}: {measure:?}");
    }
    assert_eq!(verdicts(&mut live, run(&store), Some(155))[0].1.measure, Some(Measure::Alpha));
}

#[test]
fn new_records_change_nothing_that_was_said_before_and_cost_only_themselves() {
    let change = |step: Step| if step < 20 { 0.1 } else { 0.002 };
    let mut store = store(Vec::new());
    let mut growing = Stability::default();
    for step in 0..40 {
        add(&mut store, vec![update("a", step, change(step))]);
        let now = verdicts(&mut growing, run(&store), None);
        let anew = verdicts(&mut Stability::default(), run(&store), None);
        assert_eq!(now, anew, "at {step}");
    }
    let since = verdicts(&mut growing, run(&store), None)[0].1.since.unwrap();
    assert_eq!(since, 24);
    for until in 0..40 {
        let state = verdicts(&mut growing, run(&store), Some(until))[0].1.state;
        assert_eq!(state == State::Stable, until >= since, "{until}: {state}");
    }
}

#[test]
fn a_store_that_thins_makes_the_evaluation_begin_anew() {
    let mut store = Store::new(Limits { bytes: 1 << 20 });
    let mut stability = Stability::default();
    for step in 0..1500 {
        add(&mut store, vec![update("a", step, if step < 700 { 0.1 } else { 0.001 })]);
        if step % 97 == 0 || step == 1499 {
            let now = verdicts(&mut stability, run(&store), None);
            assert_eq!(now, verdicts(&mut Stability::default(), run(&store), None), "at {step}");
        }
    }
    assert_eq!(verdicts(&mut stability, run(&store), None)[0].1.state, State::Stable);
}

#[test]
fn the_prefix_that_is_at_rest_could_be_frozen() {
    let layers = ["in.weight", "in.bias", "mid.weight", "out.weight"];
    let stops: [Step; 4] = [12, 15, 40, 20];
    let records = (0..40)
        .flat_map(|step| {
            layers
                .iter()
                .zip(stops)
                .map(move |(layer, stop)| update(layer, step, if step < stop { 0.1 } else { 0.001 }))
        })
        .collect();
    let store = store(records);
    let subjects = subjects(run(&store));
    let mut stability = Stability::default();
    let found: Vec<_> = subjects.iter().map(|s| (s, stability.verdict(&At::new(s, None)))).collect();
    assert_eq!(
        FreezeHint::of(&found).sentence(),
        "freeze hint: the first 2 of 4 layers are at rest since step 19 (in.weight to in.bias)"
    );
    let order = order::became_stable(found.iter().map(|(s, v)| (&s.name, *v)));
    let order: Vec<(&str, Step)> = order.into_iter().map(|(name, step)| (name.as_str(), step)).collect();
    assert_eq!(order, [("in.weight", 16), ("in.bias", 19), ("out.weight", 24)]);
    let early: Vec<_> = subjects.iter().map(|s| (s, stability.verdict(&At::new(s, Some(13))))).collect();
    assert_eq!(FreezeHint::of(&early).sentence(), "no freeze hint: the first layer, in.weight, is moving");
}

#[test]
fn broken_perplexity_records_are_refused_and_counted() {
    let mut random = Random(7);
    let records = (0..20)
        .map(|step| {
            let mut counts = random.multinomial(1000, &bell(9.0));
            if step == 4 {
                counts[3] = f64::NAN;
            } else if step == 5 {
                counts[3] = -1.0;
            }
            perplexity("a", step, counts)
        })
        .collect();
    let store = store(records);
    let found = verdicts(&mut Stability::default(), run(&store), None)[0].1;
    assert_eq!((found.refused, found.state), (2, State::Stable));
}
