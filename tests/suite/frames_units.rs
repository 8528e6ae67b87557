//! Frames of the view *Units*, and where a failure begins.

use std::sync::Arc;

use epochscope::{
    detect::{Alert, AlertBook, Detectors},
    model::{
        Artefact, ArtefactKind, Batch, FileId, Health, LayerKind, LayerName, LayerRecord, LayerStats,
        NumericArray, Origin, Payload, Record, RunId, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
};
use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{desk, frame, open, survives_every_size},
    sessions::{Desk, column, hostile, origin},
};

/// A uniform number between 0 and 1, the same everywhere.
fn uniform(seed: u64, at: u64) -> f64 {
    let mut x = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    x as f64 / u64::MAX as f64
}

/// A record of numbers per subject.
pub fn artefact(kind: ArtefactKind, layer: &str, step: Step, fields: &[(&str, Payload)]) -> Record {
    Record::Artefact(Artefact {
        kind,
        name: Arc::from(layer),
        step: Some(step),
        wall: WallTime(1_750_000_000.0 + step as f64),
        offset: 0,
        bytes: 100,
        fields: fields.iter().map(|(name, p)| (Arc::from(*name), p.clone())).collect(),
    })
}

pub fn numbers(values: &[f64]) -> Payload {
    Payload::Array(NumericArray::new(vec![values.len()], values.to_vec()).expect("one axis"))
}

pub fn text(t: &str) -> Payload {
    Payload::Text(Arc::from(t))
}

/// `units` curves of the layer every ten steps; units 5, 17 and 40 go their own ways, 33 turns NaN at step 300.
fn curves(layer: &str, stat: &str, units: u64, records: Step) -> Vec<Record> {
    let record = |i: Step| {
        let t = i as f64 / 59.0;
        let value = |u: u64| match u {
            5 => t,
            17 => (12.0 * t).sin(),
            40 => 2.0,
            33 if i >= 30 => f64::NAN,
            _ => (-3.0 * t).exp() + 0.04 * (uniform(u, i.unsigned_abs()) - 0.5),
        };
        let v: Vec<f64> = (0..units).map(value).collect();
        artefact(ArtefactKind::Units, layer, i * 10, &[("stat", text(stat)), ("v", numbers(&v))])
    };
    (0..records).map(record).collect()
}

fn credit(layer: &str, step: Step, c: &[f64], total: Option<f64>) -> Record {
    let ids: Vec<f64> = (0..c.len()).map(|i| (i * 3) as f64).collect();
    let mut fields = vec![
        ("unit", numbers(&ids)),
        ("c", numbers(c)),
        ("method", text("grad*act")),
        ("target/layer", text("out")),
        ("target/unit", Payload::Number(3.0)),
    ];
    if let Some(total) = total {
        fields.push(("total", Payload::Number(total)));
    }
    artefact(ArtefactKind::Credit, layer, step, &fields)
}

/// A run with curves of units and credit; `fc2` has few units, `fc3` credit only, which does not add up.
fn with_units() -> Desk {
    let mut desk = desk();
    let mut batch = Batch::new(RunId::from("mlp"), origin());
    batch
        .columns
        .push(column(SeriesKey::plain("train/loss"), (0..60).map(|s| (s * 10, 2.0 - s as f64 * 0.03))));
    for (name, step) in [("fc1", 0), ("fc2", 0), ("fc3", 0)] {
        batch.records.push(layer(name, step, 1.0, 0.0));
    }
    batch.records.extend(curves("fc1", "mean_act", 64, 60));
    batch.records.extend(curves("fc1", "max_act", 64, 60));
    let eta2: Vec<f64> = (0..64).map(|u| uniform(9, u) * 0.8).collect();
    batch.records.push(artefact(
        ArtefactKind::Units,
        "fc1",
        500,
        &[("stat", text("eta2")), ("v", numbers(&eta2))],
    ));
    let c: Vec<f64> = (0..24).map(|u| 4.0 * (uniform(3, u) - 0.35).powi(3)).collect();
    batch.records.push(credit("fc1", 500, &c, Some(c.iter().sum())));
    batch.records.extend(curves("fc2", "mean_act", 4, 40));
    batch.records.push(credit("fc3", 400, &[60.0, 22.0, 9.1], Some(91.2)));
    desk.store.apply(&batch);
    desk
}

fn layer(name: &str, step: Step, size: f64, nan: f64) -> Record {
    Record::Layer(LayerRecord {
        layer: LayerName::from(name),
        kind: LayerKind::Activations,
        split: Arc::default(),
        step,
        wall: WallTime(1_750_000_000.0 + step as f64),
        stats: LayerStats {
            std: Some(if nan > 0.0 { f64::NAN } else { size }),
            max: Some(3.0 * size),
            norm: Some(if nan > 0.0 { f64::NAN } else { 10.0 * size }),
            numel: Some(4096.0),
            nan: Some(nan),
            ..LayerStats::default()
        },
    })
}

/// Twelve layers logged every 20 steps and a loss logged at each. NaN begins in the activations of layer 7 at step 400,
/// runs forward within that step, and reaches the loss at 401.
fn failing(last: Step) -> Batch {
    let mut batch = Batch::new(RunId::from("failing"), Origin::new(FileId(3), "0"));
    for step in (20..=last).step_by(20) {
        for i in 1..=12_u64 {
            let broken = step > 400 || (step == 400 && i >= 7);
            let size = 0.9 + 0.2 * uniform(i, step.unsigned_abs());
            batch.records.push(layer(&format!("layer{i}"), step, size, if broken { 12.0 } else { 0.0 }));
        }
    }
    let loss = |s: Step| if s > 400 { f64::NAN } else { 2.0 * (-0.004 * s as f64).exp() };
    batch.columns.push(column(SeriesKey::plain("train/loss"), (1..=last).map(|s| (s, loss(s)))));
    batch
}

/// The run of [`failing`] with what the rules say of it.
fn judged(last: Step) -> Desk {
    let mut desk = with_units();
    let batch = failing(last);
    let changes = desk.store.apply(&batch);
    let mut detectors = Detectors::new();
    let now = WallTime(crate::sessions::NOW);
    let run = desk.store.run(&batch.run).expect("it was applied");
    detectors.observe(&batch, &changes, run, &mut desk.alerts, now);
    detectors.finish(&desk.store, &Health::default(), &mut desk.alerts, now);
    desk
}

fn units() -> Desk {
    let mut desk = with_units();
    open(&mut desk, "units", "mlp");
    desk
}

#[test]
fn t_21_a_few_curves_stand_for_all_and_outliers_carry_their_number() {
    let mut desk = units();
    insta::assert_snapshot!("units_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("units_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("units_40x12", frame(&mut desk, 40, 12));
    let wide = frame(&mut desk, 160, 40);
    for unit in ["5", "17", "40", "33"] {
        let row = wide.lines().find(|l| l.contains("outlier") && l.contains(&format!(" {unit} ")));
        assert!(row.is_some(), "{unit}\n{wide}");
    }
    assert!(wide.contains("64 units, 20 drawn") && wide.contains("1 with NaN"), "{wide}");
}

#[test]
fn layers_statistics_and_curves_are_walked_with_keys() {
    let mut desk = units();
    assert!(frame(&mut desk, 120, 30).contains("fc1 (1 of 3, j k) · mean_act (t)"));
    desk.keys("t");
    assert!(
        frame(&mut desk, 120, 30).contains("fc1 (1 of 3, j k) · eta2 (t)"),
        "{}",
        frame(&mut desk, 120, 30)
    );
    desk.keys("tt");
    desk.keys("j");
    let second = frame(&mut desk, 120, 30);
    assert!(second.contains("fc2 (2 of 3, j k) · mean_act · 4 units"), "{second}");
    desk.keys("kN");
    assert!(frame(&mut desk, 120, 30).contains("by shape (N)"));
    desk.keys("l");
    desk.key(KeyCode::Enter);
    let layers = frame(&mut desk, 120, 30);
    assert!(layers.contains("fc1") && layers.contains("activations"), "{layers}");
}

#[test]
fn t_22_credit_is_shown_with_whether_it_conserves() {
    let mut desk = units();
    desk.keys("v");
    insta::assert_snapshot!("units_credit_80x24", frame(&mut desk, 80, 24));
    assert!(frame(&mut desk, 80, 24).contains(": conserves"));
    desk.keys("G");
    let missed = frame(&mut desk, 80, 24);
    assert!(missed.contains("sum 91.10 of 91.20: does not conserve (0.11 %)"), "{missed}");
}

#[test]
fn nothing_after_the_cursor_is_shown() {
    let mut desk = units();
    for _ in 0..50 {
        desk.keys("[");
    }
    let past = frame(&mut desk, 120, 30);
    assert!(past.contains("as it was at step 90"), "{past}");
    // Unit 5 is the time itself, 9/59 by now; eta2 comes at step 500.
    assert!(!past.contains("with NaN") && past.contains("0.1525") && !past.contains(" 0.66 "), "{past}");
    desk.keys("v");
    let credit = frame(&mut desk, 120, 30);
    assert!(credit.contains("No credit was assigned up to step 90"), "{credit}");
    let full = {
        let mut desk = units();
        frame(&mut desk, 120, 30)
    };
    assert!(full.contains("step 0 to 590"), "{full}");
}

#[test]
fn t_23_the_first_layer_to_leave_its_history_is_named_and_opened() {
    let mut desk = judged(500);
    open(&mut desk, "units", "failing");
    let text = frame(&mut desk, 120, 30);
    assert!(
        text.contains("first to leave its history: layer7 activations, step 400: 12 NaN/Inf; 11 more layers"),
        "{text}"
    );
    insta::assert_snapshot!("units_cause_80x24", frame(&mut desk, 80, 24));
    desk.keys("i");
    let layers = frame(&mut desk, 120, 30);
    assert!(layers.contains("layer7") && layers.contains("activations"), "{layers}");
    // The table of layers says it too, and leads there.
    let mut desk = judged(500);
    open(&mut desk, "layers", "failing");
    let text = frame(&mut desk, 120, 30);
    assert!(text.contains("first to leave its history: layer7 activations, step 400"), "{text}");
    desk.keys("i");
    assert!(frame(&mut desk, 120, 30).contains("layer7 · activations (t)"), "{}", frame(&mut desk, 120, 30));
    // As of the step before it nothing had happened.
    let mut desk = judged(500);
    open(&mut desk, "units", "failing");
    desk.screen.selection_mut().cursor = Some(390);
    assert!(!frame(&mut desk, 120, 30).contains("first to leave"), "{}", frame(&mut desk, 120, 30));
}

#[test]
fn t_23_the_alert_of_the_loss_is_explained_by_layer_7() {
    let mut book = AlertBook::new();
    let mut store = Store::new(Limits::default());
    let mut detectors = Detectors::new();
    let batch = failing(500);
    let changes = store.apply(&batch);
    let run = store.run(&batch.run).expect("it was applied");
    detectors.observe(&batch, &changes, run, &mut book, WallTime(2e9));
    detectors.finish(&store, &Health::default(), &mut book, WallTime(2e9));
    let alerts: Vec<&Alert> = book.alerts().collect();
    let of_loss = alerts.iter().find(|a| a.series.is_some() && a.rule == "nan").expect("the loss is NaN");
    assert_eq!(of_loss.since_step, Some(401));
    let cause = of_loss.caused_by.and_then(|id| book.get(id)).expect("it has a cause");
    assert_eq!((cause.layer.as_ref().map(LayerName::as_str), cause.since_step), (Some("layer7"), Some(400)));
    let roots: Vec<String> = alerts.iter().filter(|a| a.caused_by.is_none()).map(|a| a.place()).collect();
    assert_eq!(roots, ["layer7"]);
}

#[test]
fn a_run_without_units_says_how_to_get_some() {
    let mut desk = with_units();
    open(&mut desk, "units", "baseline");
    insta::assert_snapshot!("units_empty_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn any_size_and_any_key_do_no_harm() {
    survives_every_size(with_units, "units", "mlp", &["j", "t", "v", "l", "N", "y", "[", "0", "G"]);
    survives_every_size(|| judged(460), "units", "failing", &["i"]);
    survives_every_size(hostile, "units", "", &["j"]);
}
