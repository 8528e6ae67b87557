//! Frames of the view *Cockpit*.

use std::sync::Arc;

use epochscope::model::{
    Artefact, ArtefactKind, Batch, HyperValue, LayerKind, LayerName, LayerRecord, LayerStats, NumericArray,
    Payload, Record, RunId, SeriesKey, Step, WallTime,
};

use crate::{
    frames::{self, frame, open, survives_every_size},
    sessions::{Desk, column, hostile, origin},
};

const LAYERS: [&str; 8] = ["conv1", "conv2", "conv3", "conv4", "fc1", "fc2", "fc3", "head"];

/// Between −1 and 1, the same everywhere.
fn noise(i: i64, salt: i64) -> f64 {
    let x = (i as f64 * 12.9898 + salt as f64 * 78.233).sin() * 43_758.545_3;
    2.0 * (x - x.floor()) - 1.0
}

fn artefact(kind: ArtefactKind, name: &str, step: Step, fields: Vec<(&str, Payload)>) -> Record {
    let fields = fields.into_iter().map(|(name, payload)| (Arc::from(name), payload)).collect();
    Record::Artefact(Artefact {
        kind,
        name: Arc::from(name),
        step: Some(step),
        wall: WallTime(1_750_000_000.0 + step as f64),
        offset: 0,
        bytes: 1,
        fields,
    })
}

fn list(shape: Vec<usize>, values: Vec<f64>) -> Payload {
    Payload::Array(NumericArray::new(shape, values).unwrap())
}

fn texts<'a>(names: impl Iterator<Item = &'a str>) -> Payload {
    Payload::Texts(names.map(|n| Some(Arc::from(n))).collect())
}

/// A run whose learning rate is raised tenfold at step 500: α crosses 1, the gradient drowns in noise.
fn pilot() -> Batch {
    let mut batch = Batch::new(RunId::from("pilot"), origin());
    let late = |s: i64| s >= 500;
    let mut scalar = |tag: &str, of: &dyn Fn(i64) -> f64| {
        batch.columns.push(column(SeriesKey::plain(tag), (0..1000).step_by(2).map(|s| (s, of(s)))));
    };
    scalar("cockpit/alpha", &|s| if late(s) { 1.4 } else { -0.4 } + 0.4 * noise(s, 1));
    scalar("cockpit/norm_test", &|s| if late(s) { 1.6 } else { 0.5 } + 0.05 * noise(s, 2));
    scalar("cockpit/inner_test", &|s| if late(s) { 0.7 } else { 0.2 } + 0.05 * noise(s, 3));
    scalar("cockpit/ortho_test", &|s| if late(s) { 1.4 } else { 0.45 } + 0.05 * noise(s, 4));
    scalar("train/grad_norm", &|s| 3.0 - 0.002 * s as f64 + 0.3 * noise(s, 5));
    scalar("train/loss", &|s| 2.0 - 0.001 * s as f64);
    batch.records.push(Record::Hyperparameters(vec![(Arc::from("batch_size"), HyperValue::Number(8.0))]));
    for step in (0..1000).step_by(50) {
        let t = step as f64 / 1000.0;
        for (at, layer) in LAYERS.iter().enumerate() {
            let stats = LayerStats {
                norm: Some(10.0 + at as f64 + t),
                update_norm: Some(0.02 + 0.001 * at as f64),
                dist_init: Some(3.0 * t.sqrt()),
                alpha: Some([1.7, 2.4, 3.1, 3.3, 4.0, 5.1, 6.4, 8.9][at] - 0.3 * t),
                stable_rank: Some(40.0 - 10.0 * t),
                ..LayerStats::default()
            };
            let layer = LayerName::from(format!("{layer}.weight").as_str());
            let wall = WallTime(1_750_000_000.0 + step as f64);
            batch.records.push(Record::Layer(LayerRecord {
                layer,
                kind: LayerKind::Weights,
                split: Arc::from("train"),
                step,
                wall,
                stats,
            }));
        }
        let small = 14.0 + noise(step, 7);
        let fields = vec![
            ("b_small", Payload::Number(10.0)),
            ("b_big", Payload::Number(100.0)),
            ("g2_small", Payload::Number(small)),
            ("g2_big", Payload::Number(if step % 200 == 150 { 1.2 } else { 5.0 })),
        ];
        batch.records.push(artefact(ArtefactKind::Noise, "noise", step, fields));
        if step > 0 && step % 100 == 0 {
            similarities(&mut batch, step);
        }
        if step % 100 == 0 {
            predictions(&mut batch, step);
        }
    }
    batch
}

fn similarities(batch: &mut Batch, step: Step) {
    let method = || ("method", Payload::Text(Arc::from("cka_unbiased")));
    for (at, layer) in LAYERS.iter().enumerate() {
        let value = 1.0 - 0.5 * (-(step as f64) / 200.0 / (1.0 + at as f64)).exp();
        let fields = vec![
            method(),
            ("to/step", Payload::Number((step - 100) as f64)),
            ("value", Payload::Number(value)),
        ];
        batch.records.push(artefact(ArtefactKind::Similarity, layer, step, fields));
    }
    // Even and odd layers are alike: the order of the network hides it.
    let n = LAYERS.len();
    let value = |i: usize, j: usize| match (i == j, i % 2 == j % 2) {
        (true, _) => 1.0,
        (_, true) => 0.8 - 0.02 * i.abs_diff(j) as f64,
        _ => 0.15 - 0.03 * i.abs_diff(j) as f64,
    };
    let values = (0..n * n).map(|at| value(at / n, at % n)).collect();
    let fields = vec![method(), ("layers", texts(LAYERS.into_iter())), ("m", list(vec![n, n], values))];
    batch.records.push(artefact(ArtefactKind::Similarity, "cka_unbiased", step, fields));
}

/// 200 instances: every twentieth has a wrong label, three of twenty are ambiguous.
fn predictions(batch: &mut Batch, step: Step) {
    let ids: Vec<String> = (0..200).map(|i| format!("img_{i:03}")).collect();
    let learnt = 1.0 - (-(step as f64 + 100.0) / 150.0).exp();
    let row = |i: i64| {
        let z = match i % 20 {
            0 => -4.0 * learnt,
            1..=3 => 3.0 * noise(i, step),
            _ => 4.0 * learnt + noise(i, step),
        };
        [0.0, z, -5.0]
    };
    let fields = vec![
        ("split", Payload::Text(Arc::from("train"))),
        ("id", texts(ids.iter().map(String::as_str))),
        ("y", list(vec![200], vec![1.0; 200])),
        ("logits", list(vec![200, 3], (0..200).flat_map(row).collect())),
    ];
    batch.records.push(artefact(ArtefactKind::Predictions, "pred", step, fields));
}

fn desk() -> Desk {
    let mut desk = frames::desk();
    desk.store.apply(&pilot());
    desk
}

fn cockpit(run: &str) -> Desk {
    let mut desk = desk();
    open(&mut desk, "cockpit", run);
    desk
}

#[test]
fn the_instruments_of_a_step_are_on_one_screen() {
    let mut desk = cockpit("pilot");
    insta::assert_snapshot!("cockpit_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("cockpit_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("cockpit_40x12", frame(&mut desk, 40, 12));
}

#[test]
fn layers_have_their_spectra_and_resemble_their_past() {
    let mut desk = cockpit("pilot");
    desk.keys("t");
    insta::assert_snapshot!("cockpit_layers_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("cockpit_layers_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("cockpit_layers_40x12", frame(&mut desk, 40, 12));
    desk.keys("o");
    let text = frame(&mut desk, 80, 24);
    let first = text.lines().nth(4).unwrap_or_default();
    assert!(first.contains("head") && first.contains("under-trained"), "{text}");
    desk.keys("o");
    let text = frame(&mut desk, 80, 24);
    assert!(text.lines().nth(4).unwrap_or_default().contains("head"), "{text}");
}

#[test]
fn similar_layers_stand_together_and_the_cursor_says_the_value() {
    let mut desk = cockpit("pilot");
    desk.keys("tt");
    insta::assert_snapshot!("cockpit_similarity_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("cockpit_similarity_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("cockpit_similarity_40x12", frame(&mut desk, 40, 12));
    let text = frame(&mut desk, 80, 24);
    let of_line = |line: &str| -> Option<usize> {
        let mut words = line.trim_start_matches('▸').split_whitespace();
        words.next()?.parse::<usize>().ok()?;
        let name = words.next()?;
        LAYERS.iter().position(|layer| *layer == name)
    };
    let order: Vec<usize> = text.lines().filter_map(of_line).collect();
    assert_eq!(order.len(), LAYERS.len(), "{text}");
    let parities: Vec<usize> = order.iter().map(|i| i % 2).collect();
    assert_eq!(parities.windows(2).filter(|w| w[0] != w[1]).count(), 1, "{order:?}\n{text}");
    desk.keys("o");
    assert!(frame(&mut desk, 80, 24).contains("as logged"));
    desk.keys("jlll");
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("conv2 ↔ fc1: 0.06"), "{text}");
}

#[test]
fn instances_lie_on_a_map_and_flipped_labels_are_listed() {
    let mut desk = cockpit("pilot");
    desk.keys("ttt");
    insta::assert_snapshot!("cockpit_instances_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("cockpit_instances_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("cockpit_instances_40x12", frame(&mut desk, 40, 12));
    let text = frame(&mut desk, 80, 24);
    for flipped in ["img_000", "img_020", "img_040"] {
        assert!(text.contains(flipped), "{text}");
    }
}

#[test]
fn t_51_the_median_crosses_one_after_the_rate_was_raised_and_the_view_says_so() {
    let mut desk = cockpit("pilot");
    assert!(frame(&mut desk, 80, 24).contains("steps overshoot"));
    let before = until(&mut desk, 400);
    assert!(before.contains("steps are too short") && !before.contains("overshoot:"), "{before}");
}

/// The frame with the time cursor at or before a step.
fn until(desk: &mut Desk, step: Step) -> String {
    for _ in 0..2000 {
        desk.keys("[");
        let text = frame(desk, 80, 24);
        let at = text.split("as it was at step ").nth(1).and_then(|rest| {
            rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<Step>().ok())
        });
        if at.is_some_and(|at| at <= step) {
            return text;
        }
    }
    panic!("the cursor does not get there");
}

#[test]
fn nothing_from_after_the_time_cursor_is_shown() {
    // A run that ends at the cursor must look like one that goes on, but for what says that time goes on.
    let whole = pilot();
    let mut cut = pilot();
    cut.run = RunId::from("cut");
    for column in &mut cut.columns {
        column.points.retain(|p| p.step <= 400);
    }
    cut.records.retain(|r| match r {
        Record::Layer(layer) => layer.step <= 400,
        Record::Artefact(artefact) => artefact.step <= Some(400),
        _ => true,
    });
    let mut desk = frames::desk();
    desk.store.apply(&whole);
    desk.store.apply(&cut);
    for page in ["", "t", "tt", "ttt"] {
        let mut shown = Vec::new();
        for run in ["pilot", "cut"] {
            desk.screen = epochscope::ui::Screen::new(desk.theme, epochscope::ui::ScreenOptions::default());
            open(&mut desk, "cockpit", run);
            desk.keys(page);
            if run == "pilot" {
                until(&mut desk, 400);
            }
            // Numbers only: lines of the longer run are drawn narrower.
            let text = frame(&mut desk, 80, 40);
            let words = text.lines().skip(2).take(34).flat_map(str::split_whitespace);
            let numbers: Vec<String> = words
                .filter(|w| w.chars().any(|c| c.is_ascii_digit()) && w.is_ascii())
                .map(str::to_owned)
                .collect();
            shown.push(numbers);
        }
        assert!(shown[0].len() > 5);
        assert_eq!(shown[0], shown[1], "page {page:?}");
    }
}

#[test]
fn what_is_not_logged_is_said_in_its_place() {
    let mut desk = cockpit("baseline");
    insta::assert_snapshot!("cockpit_little_80x24", frame(&mut desk, 80, 24));
    desk.keys("t");
    assert!(frame(&mut desk, 80, 24).contains("docs/NATIVE_LOG.md"));
    let mut batch = Batch::new(RunId::from("bare"), origin());
    batch.columns.push(column(SeriesKey::plain("loss"), (0..10).map(|s| (s, 1.0))));
    desk.store.apply(&batch);
    open(&mut desk, "cockpit", "bare");
    insta::assert_snapshot!("cockpit_empty_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn what_is_not_finite_is_marked_and_never_averaged() {
    let mut desk = frames::desk();
    let mut batch = Batch::new(RunId::from("broken"), origin());
    let alpha = |s: i64| if s % 3 == 0 { f64::NAN } else { -0.5 };
    batch.columns.push(column(SeriesKey::plain("cockpit/alpha"), (0..100).map(|s| (s, alpha(s)))));
    batch.columns.push(column(SeriesKey::plain("cockpit/norm_test"), (0..100).map(|s| (s, f64::INFINITY))));
    for (step, g2_big) in [(1, 1.0), (2, f64::NAN), (3, 0.5)] {
        let number = |v| Payload::Number(v);
        let fields = vec![
            ("b_small", number(10.0)),
            ("b_big", number(100.0)),
            ("g2_small", number(14.0)),
            ("g2_big", number(g2_big)),
        ];
        batch.records.push(artefact(ArtefactKind::Noise, "noise", step, fields));
    }
    let nan = vec![f64::NAN; 9];
    batch.records.push(artefact(ArtefactKind::Similarity, "cka", 5, vec![("m", list(vec![3, 3], nan))]));
    desk.store.apply(&batch);
    open(&mut desk, "cockpit", "broken");
    let text = frame(&mut desk, 100, 30);
    assert!(text.contains("34 NaN/Inf") && text.contains("median -0.5"), "{text}");
    assert!(text.contains("B_simple not estimable") && text.contains("1 unusable"), "{text}");
    desk.keys("tt");
    let text = frame(&mut desk, 100, 30);
    assert!(text.contains("NaN"), "{text}");
}

#[test]
fn many_layers_are_a_map_or_scroll_and_say_so() {
    let mut desk = desk();
    let n = 60_usize;
    let mut batch = Batch::new(RunId::from("deep"), origin());
    let names: Vec<String> = (0..n).map(|i| format!("blocks.{i}.mlp")).collect();
    let values = (0..n * n).map(|at| 1.0 / (1.0 + (at / n).abs_diff(at % n) as f64)).collect();
    let fields = vec![
        ("method", Payload::Text(Arc::from("svcca"))),
        ("layers", texts(names.iter().map(String::as_str))),
        ("m", list(vec![n, n], values)),
    ];
    batch.records.push(artefact(ArtefactKind::Similarity, "svcca", 10, fields));
    desk.store.apply(&batch);
    open(&mut desk, "cockpit", "deep");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("svcca of 60 layers") && text.contains("leaf order"), "{text}");
    insta::assert_snapshot!("cockpit_deep_120x40", text);
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("rows 1–"), "{text}");
    desk.keys("G");
    assert!(frame(&mut desk, 80, 24).contains("of 60"));
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    survives_every_size(desk, "cockpit", "pilot", &["t", "jl", "t", "jlo", "t", "j"]);
    survives_every_size(desk, "cockpit", "baseline", &["t", "t", "t"]);
    survives_every_size(hostile, "cockpit", "", &["t", "t", "t"]);
}
