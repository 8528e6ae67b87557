//! Frames of the pages of one layer.

use std::sync::Arc;

use epochscope::{
    detect::{AlertBook, Detectors},
    model::{
        ArtefactKind, Batch, Health, HistogramRecord, LayerKind, LayerName, LayerRecord, LayerStats,
        NumericArray, Payload, Record, RunId, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
    ui::{Theme, theme::Depth},
};
use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{desk, frame, open, survives_every_size},
    frames_units::{artefact, numbers, text},
    sessions::{Desk, column, origin},
};

/// Places of the pages among those that the key walks.
const BANDS: usize = 1;
const CHANGE: usize = 2;
const FILTERS: usize = 3;
const UNITS: usize = 4;
const INSPECTOR: usize = 5;

fn layer(name: &str, kind: LayerKind, split: &str, step: Step, stats: &LayerStats) -> Record {
    Record::Layer(LayerRecord {
        layer: LayerName::from(name),
        kind,
        split: Arc::from(split),
        step,
        wall: WallTime(1_750_000_000.0 + step as f64),
        stats: *stats,
    })
}

fn histogram(name: &str, step: Step, edges: &[f64], counts: &[f64]) -> Record {
    Record::Histogram(HistogramRecord {
        layer: LayerName::from(name),
        kind: LayerKind::Weights,
        step,
        wall: WallTime(1_750_000_000.0 + step as f64),
        edges: edges.into(),
        counts: counts.into(),
        stats: LayerStats { numel: Some(counts.iter().sum()), ..LayerStats::default() },
    })
}

fn noise(seed: i64, at: i64) -> f64 {
    (((at * 7919 + seed * 104_729) as f64) * 12.9898).sin()
}

/// A convolution whose weights spread, whose outputs have units, kernels and perplexity, logged each 10 steps. From
/// epoch `opens` on the density on validation data falls away from that on training data.
fn batch(opens: Option<i64>, epochs: i64) -> Batch {
    let mut batch = Batch::new(RunId::from("cnn"), origin());
    for epoch in 1..=epochs {
        let step = epoch * 10;
        let spread = 0.05 + 0.004 * epoch as f64;
        let edges: Vec<f64> = (0..=40).map(|i| f64::from(i - 20) * 0.02).collect();
        let counts: Vec<f64> = (0..40)
            .map(|i| (900.0 * (-0.5 * ((f64::from(i) - 19.5) * 0.02 / spread).powi(2)).exp()).round())
            .collect();
        batch.records.push(histogram("conv1.weight", step, &edges, &counts));
        let density = 0.45 - 0.1 * epoch as f64 / 40.0;
        let gap = opens.map_or(0.0, |o| (epoch - o + 1).max(0) as f64 * 0.012);
        for (split, value, seed) in [("train", density, 1), ("val", density + 0.01 - gap, 2)] {
            let stats = LayerStats {
                density: Some(value + 0.003 * noise(seed, epoch)),
                gdv: Some(-0.1 - 0.005 * epoch as f64 + 0.002 * noise(seed + 5, epoch)),
                zero: Some(0.4),
                numel: Some(100.0),
                nan: Some(if epoch == epochs { 3.0 } else { 0.0 }),
                inf: Some(if epoch == epochs { 1.0 } else { 0.0 }),
                min: Some(0.0),
                max: Some(2.5),
                mean: Some(0.31),
                std: Some(0.52),
                ..LayerStats::default()
            };
            batch.records.push(layer("conv1", LayerKind::Activations, split, step, &stats));
        }
        let low = 200.0 + 20.0 * epoch as f64;
        batch.records.push(artefact(
            ArtefactKind::Perplexity,
            "conv1",
            step,
            &[
                ("edges", numbers(&[1.0, 2.0, 4.0, 8.0, 16.0])),
                ("counts", numbers(&[low, 300.0, 300.0, 200.0])),
            ],
        ));
    }
    let most: Vec<f64> =
        (0..16).map(|u| if u == 4 || u == 9 { 0.0 } else { 0.3 + 0.1 * f64::from(u) }).collect();
    let freq: Vec<f64> = (0..16).map(|u| if u == 4 || u == 9 { 0.0 } else { 0.06 * f64::from(u) }).collect();
    let eta2: Vec<f64> = (0..16).map(|u| f64::from((u * 5) % 16) / 20.0).collect();
    let last = epochs * 10;
    batch.records.push(artefact(
        ArtefactKind::Units,
        "conv1",
        last,
        &[("stat", text("max_act")), ("v", numbers(&most)), ("freq", numbers(&freq))],
    ));
    batch.records.push(artefact(
        ArtefactKind::Units,
        "conv1",
        last,
        &[("stat", text("eta2")), ("v", numbers(&eta2))],
    ));
    let kernel = |f: usize, i: usize| if f == 2 { 0.0 } else { ((f * 3 + i) as f64 * 0.7).sin() * 0.2 };
    let weights: Vec<f64> = (0..8).flat_map(|f| (0..9).map(move |i| kernel(f, i))).collect();
    let weights = Payload::Array(NumericArray::new(vec![8, 3, 3], weights).expect("eight kernels"));
    batch.records.push(artefact(
        ArtefactKind::Map,
        "conv1",
        last,
        &[("kind", text("filter")), ("v", weights)],
    ));
    let stats =
        LayerStats { alpha: Some(1.7), stable_rank: Some(12.5), numel: Some(72.0), ..LayerStats::default() };
    batch.records.push(layer("conv1.weight", LayerKind::Weights, "", last, &stats));
    batch
}

fn session(opens: Option<i64>) -> Desk {
    let mut desk = desk();
    desk.store.apply(&batch(opens, 40));
    desk
}

/// The page at a place, of the run's first layer.
fn page(place: usize) -> Desk {
    let mut desk = session(Some(20));
    open(&mut desk, "layers", "cnn");
    desk.key(KeyCode::Enter);
    (0..place).for_each(|_| desk.keys("v"));
    desk
}

#[test]
fn the_pages_of_a_layer_are_walked_with_a_key() {
    let mut desk = page(0);
    for name in ["over time", "bands", "change", "filters", "units", "inspector", "over time"] {
        let text = frame(&mut desk, 100, 30);
        assert!(text.contains(&format!("[{name}]")), "{name}\n{text}");
        desk.keys("v");
    }
    desk.key(KeyCode::Enter);
    assert!(frame(&mut desk, 100, 30).contains("[change]"));
    assert!(frame(&mut desk, 40, 12).contains("[change] page 3 of 6"));
    desk.key(KeyCode::Esc);
    assert!(frame(&mut desk, 100, 30).contains("2 layers"), "{}", frame(&mut desk, 100, 30));
}

#[test]
fn t_3_bands_show_nine_percentiles_over_time() {
    let mut desk = page(BANDS);
    insta::assert_snapshot!("detail_bands_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("detail_bands_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("detail_bands_40x12", frame(&mut desk, 40, 12));
    desk.set_theme(Theme::new(Depth::None, true));
    open(&mut desk, "layers", "cnn");
    desk.key(KeyCode::Enter);
    desk.keys("v");
    insta::assert_snapshot!("detail_bands_ascii_80x24", frame(&mut desk, 80, 24));
    // TensorBoard's own numbers for two buckets.
    let mut desk = crate::frames::desk();
    let mut two = Batch::new(RunId::from("two"), origin());
    two.records.push(histogram("w", 0, &[0.0, 1.0, 2.0], &[10.0, 10.0]));
    desk.store.apply(&two);
    open(&mut desk, "layers", "two");
    desk.key(KeyCode::Enter);
    desk.keys("v");
    let text = frame(&mut desk, 120, 24);
    let numbers = text.lines().nth_back(1).expect("nine numbers").split_whitespace().collect::<Vec<_>>();
    assert_eq!(numbers, ["0", "0.1336", "0.3174", "0.617", "1", "1.383", "1.6826", "1.8664", "2"], "{text}");
}

#[test]
fn the_change_since_a_step_has_plus_and_minus() {
    let mut desk = page(CHANGE);
    insta::assert_snapshot!("detail_change_80x24", frame(&mut desk, 80, 24));
    let text = frame(&mut desk, 100, 30);
    assert!(text.contains("from step 10 (h l) to 400") && text.contains('+') && text.contains('−'), "{text}");
    desk.keys("l");
    assert!(frame(&mut desk, 100, 30).contains("from step 20 (h l) to 400"), "{}", frame(&mut desk, 100, 30));
    desk.keys("h");
    assert!(frame(&mut desk, 100, 30).contains("from step 10 (h l) to 400"));
}

#[test]
fn filters_are_cells_and_silent_ones_are_named() {
    let mut desk = page(FILTERS);
    desk.keys("lll");
    insta::assert_snapshot!("detail_filters_80x24", frame(&mut desk, 80, 24));
    let text = frame(&mut desk, 100, 30);
    assert!(text.contains("2 silent: 4, 9") && text.contains("1 all zero: 2"), "{text}");
    assert!(text.contains("unit 3 (h l): largest response 0.6, active in 18%"), "{text}");
}

#[test]
fn t_15_units_are_sorted_by_eta_squared() {
    let mut desk = page(UNITS);
    insta::assert_snapshot!("detail_units_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("detail_units_200x50", frame(&mut desk, 200, 50));
    let first = |desk: &mut Desk| {
        let text = frame(desk, 100, 40);
        let head = text.lines().position(|l| l.contains("eta2") && l.contains("density")).expect("a head");
        text.lines().nth(head + 1).map(|l| l.split_whitespace().nth(1).unwrap_or("").to_owned())
    };
    assert_eq!(first(&mut desk).as_deref(), Some("3"));
    desk.keys("o");
    assert_eq!(first(&mut desk).as_deref(), Some("15"));
}

#[test]
fn t_14_a_gap_of_density_is_an_indicator_and_the_alert_waits_for_the_validation_loss() {
    let mut desk = page(UNITS);
    let hint = frame(&mut desk, 120, 40);
    assert!(hint.contains("indicator: density on training and on val data part since step 2"), "{hint}");
    assert!(hint.contains("the alert needs the validation loss"), "{hint}");
    // As of epoch 20 nothing was said yet; at epoch 23 it was.
    desk.screen.selection_mut().cursor = Some(200);
    assert!(!frame(&mut desk, 120, 40).contains("indicator"), "{}", frame(&mut desk, 120, 40));
    desk.screen.selection_mut().cursor = Some(230);
    assert!(frame(&mut desk, 120, 40).contains("indicator"), "{}", frame(&mut desk, 120, 40));
    // A log without a gap gives none.
    let mut calm = session(None);
    open(&mut calm, "layers", "cnn");
    calm.key(KeyCode::Enter);
    calm.keys("vvvv");
    let text = frame(&mut calm, 120, 40);
    assert!(text.contains("[units]") && !text.contains("indicator"), "{text}");
}

/// The log of [`batch`] with losses of which the validation one turns at epoch 30, up to an epoch.
fn overfitting_alerts(epochs: i64) -> Vec<(Option<Step>, String)> {
    let mut store = Store::new(Limits::default());
    let (mut detectors, mut book) = (Detectors::new(), AlertBook::new());
    let mut all = batch(Some(20), epochs);
    let level = |e: i64| 2.0 * (-0.12 * e as f64).exp() + 0.2;
    let val = |e: i64| if e <= 30 { level(e) + 0.1 } else { level(30) + 0.1 + 0.03 * (e - 30) as f64 };
    let points = |of: &dyn Fn(i64) -> f64, seed: i64| {
        let all: Vec<(i64, f64)> =
            (1..=epochs).map(|e| (e * 10, of(e) * (1.0 + 0.004 * noise(seed, e)))).collect();
        all.into_iter()
    };
    all.columns.push(column(SeriesKey::plain("train/loss"), points(&level, 11)));
    all.columns.push(column(SeriesKey::plain("val/loss"), points(&val, 12)));
    let changes = store.apply(&all);
    let run = store.run(&all.run).expect("it was applied");
    detectors.observe(&all, &changes, run, &mut book, WallTime(2e9));
    detectors.finish(&store, &Health::default(), &mut book, WallTime(2e9));
    book.alerts().filter(|a| a.rule == "overfitting").map(|a| (a.step, a.message.clone())).collect()
}

#[test]
fn t_14_the_overfitting_alert_comes_only_after_the_validation_loss_has_turned() {
    assert_eq!(overfitting_alerts(30), []);
    let alerts = overfitting_alerts(60);
    assert!(alerts.iter().any(|(step, _)| step.is_some_and(|s| s > 300)), "{alerts:?}");
    assert!(alerts.iter().all(|(step, _)| step.is_some_and(|s| s > 300)), "{alerts:?}");
}

#[test]
fn t_26_the_inspector_counts_zeros_nan_and_infinities() {
    let mut desk = page(INSPECTOR);
    desk.keys("j");
    insta::assert_snapshot!("detail_inspector_80x24", frame(&mut desk, 80, 24));
    let text = frame(&mut desk, 100, 30);
    let field = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{text}"));
        line[name.len()..].trim().to_owned()
    };
    assert_eq!(field("values"), "100");
    assert_eq!(field("zeros"), "40 (40%)");
    assert_eq!((field("NaN"), field("Inf")), ("3".to_owned(), "1".to_owned()));
    desk.keys("k");
    let weights = frame(&mut desk, 100, 30);
    assert!(weights.contains("alpha 1.7: over-trained (WeightWatcher, experimental"), "{weights}");
    assert!(weights.contains("stable rank 12.5"), "{weights}");
}

#[test]
fn no_page_shows_what_came_after_the_cursor() {
    for place in 0..6 {
        let mut desk = page(place);
        desk.screen.selection_mut().cursor = Some(150);
        let text = frame(&mut desk, 120, 40);
        assert!(text.contains("as it was at step 150"), "{text}");
        for future in ["160", "400", "alpha 1.7", "silent: 4", "NaN 3"] {
            // The strip of records and the axes may name no later step either.
            let body: Vec<&str> = text.lines().filter(|l| !l.contains("record 15 of")).collect();
            assert!(!body.join("\n").contains(future), "page {place}: {future}\n{text}");
        }
        desk.screen.selection_mut().cursor = Some(1);
        let before = frame(&mut desk, 120, 40);
        assert!(!before.contains("from step") && !before.contains("indicator"), "{before}");
    }
}

#[test]
fn pages_without_records_say_which_are_needed() {
    let mut desk = desk();
    open(&mut desk, "layers", "resnet18");
    desk.key(KeyCode::Enter);
    desk.keys("vvv");
    assert!(frame(&mut desk, 80, 24).contains("No record of its units (stat max_act)"));
    desk.keys("v");
    assert!(frame(&mut desk, 80, 24).contains("No record of its units, its density or its gdv"));
    insta::assert_snapshot!("detail_missing_80x24", frame(&mut desk, 80, 24));
}

/// Records whose arrays are empty, of wrong shapes, huge, NaN or of no use.
fn broken_records() -> Desk {
    let mut desk = desk();
    let mut batch = Batch::new(RunId::from("cnn"), origin());
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, -0.0, 1e-310, 5.0];
    let shaped = |shape: &[usize], fill: f64| {
        let cells = shape.iter().product();
        Payload::Array(NumericArray::new(shape.to_vec(), vec![fill; cells]).expect("it fits"))
    };
    let lists =
        [numbers(&[]), numbers(&wild), shaped(&[0, 3], 0.0), shaped(&[2, 2, 2, 2, 1], f64::NAN), text("x")];
    for (i, (step, list)) in (-1000..).step_by(1000).zip(&lists).enumerate() {
        let stat = text(["mean_act", "max_act", "eta2", "", "\u{1b}[2J"][i]);
        for kind in [ArtefactKind::Units, ArtefactKind::Credit, ArtefactKind::Perplexity] {
            batch.records.push(artefact(
                kind,
                "w",
                step,
                &[
                    ("stat", stat.clone()),
                    ("v", list.clone()),
                    ("ids", numbers(&wild)),
                    ("freq", numbers(&[0.5])),
                    ("unit", numbers(&wild)),
                    ("c", list.clone()),
                    ("total", Payload::Number(wild[i])),
                    ("edges", list.clone()),
                    ("counts", numbers(&wild)),
                    ("method", stat.clone()),
                ],
            ));
        }
        for shape in [&[0, 0][..], &[3, 0, 2], &[1, 1, 700, 900], &[2, 0, 3, 3], &[5]] {
            let fields =
                [("kind", text("filter")), ("v", shaped(shape, wild[i])), ("m", shaped(shape, wild[i]))];
            batch.records.push(artefact(ArtefactKind::Map, "w", step, &fields));
            let labels = [("m", shaped(shape, wild[i])), ("labels", numbers(&wild))];
            batch.records.push(artefact(ArtefactKind::Responses, "w", step, &labels));
        }
        let stats = LayerStats {
            density: Some(wild[i]),
            gdv: Some(wild[7 - i]),
            zero: Some(wild[i]),
            numel: Some(wild[7 - i]),
            nan: Some(wild[i]),
            alpha: Some(wild[i]),
            max: Some(wild[i]),
            ..LayerStats::default()
        };
        for split in ["train", "val"] {
            batch.records.push(layer("w", LayerKind::Activations, split, step, &stats));
        }
        batch.records.push(histogram("w", step, &[f64::MIN, 0.0, f64::MAX], &[1.0, 1e300]));
    }
    desk.store.apply(&batch);
    desk
}

#[test]
fn broken_records_do_no_harm() {
    let keys = ["v", "hl", "v", "hhl", "v", "lllh", "v", "o", "lj", "v", "[", "0", "t"];
    for view in ["layers", "units"] {
        survives_every_size(broken_records, view, "cnn", &keys);
    }
    for make in [broken_records, || session(Some(20))] as [fn() -> Desk; 2] {
        for theme in [Theme::new(Depth::None, true), Theme::new(Depth::Ansi16, false)] {
            let mut desk = make();
            desk.set_theme(theme);
            open(&mut desk, "layers", "cnn");
            desk.key(KeyCode::Enter);
            for _ in 0..6 {
                for (w, h) in [(30, 8), (40, 12), (80, 24), (200, 50)] {
                    for cell in desk.draw(w, h).content() {
                        assert!(!theme.ascii || cell.symbol().is_ascii(), "{:?}", cell.symbol());
                    }
                }
                desk.keys("lv");
            }
        }
    }
    let mut desk = broken_records();
    open(&mut desk, "layers", "cnn");
    desk.key(KeyCode::Enter);
    for _ in 0..12 {
        for (w, h) in [(30, 8), (40, 12), (80, 24), (200, 50)] {
            desk.draw(w, h);
            desk.keys("hl");
        }
        desk.keys("vt");
    }
}

#[test]
fn any_size_and_any_key_do_no_harm() {
    let keys = ["v", "hl", "v", "hhl", "v", "lllh", "v", "o", "lj", "v", "k", "[", "0", "t", "v"];
    // Enter is not typed: the layer is opened by its place.
    survives_every_size(|| session(Some(20)), "layers", "cnn", &keys);
    for place in 0..6 {
        let mut desk = page(place);
        for (w, h) in [(0, 0), (1, 1), (30, 8), (31, 9), (40, 12), (57, 13), (80, 24), (133, 30), (300, 9)] {
            desk.draw(w, h);
            desk.keys("lh");
        }
    }
}
