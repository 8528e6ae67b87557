//! Frames of the view *Layers*.

use std::sync::Arc;

use epochscope::model::{
    Artefact, ArtefactKind, Batch, LayerKind, LayerName, LayerRecord, LayerStats, NumericArray, Payload,
    Record, RunId, WallTime,
};
use ratatui::crossterm::event::{KeyCode, MouseButton, MouseEventKind};

use crate::{
    frames::{desk, frame, open, survives_every_size},
    sessions::{self, Desk, hostile},
};

/// Layers of a convolutional network, and the record with which each stops to move; `None` for never.
const NETWORK: [(&str, Option<i64>); 9] = [
    ("stem.conv", Some(8)),
    ("stem.norm", Some(14)),
    ("stage1.0.conv1", Some(20)),
    ("stage1.0.conv2", None),
    ("stage2.0.conv1", Some(12)),
    ("stage2.0.conv2", None),
    ("stage3.0.conv1", None),
    ("stage3.0.conv2", Some(0)),
    ("head.fc", None),
];

/// How far a layer moves with a record, relative to its weights.
fn moves(layer: &str, stop: Option<i64>, record: i64) -> f64 {
    let jitter = 1.0 + 0.1 * ((record * 7 + stop.unwrap_or(3)) % 5) as f64;
    match (layer, stop) {
        // frozen by mistake
        ("stage3.0.conv2", _) => 0.0,
        // came to rest, and left it
        ("stage2.0.conv1", _) if record > 30 => 0.01 * jitter,
        // comes to rest slowly
        ("stage1.0.conv2", _) => 0.01 * (-0.06 * record as f64).exp() * jitter,
        (_, Some(stop)) if record > stop => 2e-4 * jitter,
        _ => 0.01 * jitter,
    }
}

fn statistics(layer: &str, kind: LayerKind, record: i64, stats: &LayerStats) -> Record {
    Record::Layer(LayerRecord {
        layer: LayerName::from(layer),
        kind,
        step: record * 50,
        wall: WallTime(1_750_000_000.0 + record as f64),
        split: Arc::default(),
        stats: *stats,
    })
}

/// 40 records of that network: weights with the size of their updates, gradients, outputs, perplexities of one layer.
fn network() -> Desk {
    let mut desk = sessions::full();
    let mut batch = Batch::new(RunId::from("cnn"), sessions::origin());
    for record in 0..40_i64 {
        for (depth, (layer, stop)) in (0..).zip(NETWORK) {
            let n = 400.0 * 4_f64.powi(depth / 2);
            let norm = n.sqrt() * 0.05;
            let update = norm * moves(layer, stop, record);
            let size = 1e-9 * 8_f64.powi(depth) * (1.0 + 0.3 * ((record + i64::from(depth)) % 3) as f64);
            batch.records.push(statistics(
                layer,
                LayerKind::Weights,
                record,
                &LayerStats {
                    norm: Some(norm),
                    numel: Some(n),
                    update_norm: Some(update),
                    nan: Some(0.0),
                    alpha: Some(3.0 + 0.2 * f64::from(depth)),
                    dist_init: Some(0.01 * record as f64),
                    ..LayerStats::default()
                },
            ));
            batch.records.push(statistics(
                layer,
                LayerKind::Gradients,
                record,
                &LayerStats {
                    norm: Some(size * n.sqrt()),
                    absmean: Some(0.8 * size),
                    min: Some(-6.0 * size),
                    max: Some(5.0 * size),
                    numel: Some(n),
                    nan: Some(if depth == 8 && record == 39 { 3.0 } else { 0.0 }),
                    ..LayerStats::default()
                },
            ));
            batch.records.push(statistics(
                layer,
                LayerKind::Activations,
                record,
                &LayerStats {
                    zero: Some(0.4 + 0.04 * f64::from(depth)),
                    dead: Some(if depth == 5 { 0.02 * record as f64 } else { 0.01 }),
                    saturated: Some(0.0),
                    always_on: Some(if depth == 2 { 0.3 } else { 0.0 }),
                    duplicate: Some(0.06),
                    density: Some(0.5),
                    gdv: Some(-0.05 * f64::from(depth)),
                    ..LayerStats::default()
                },
            ));
        }
        batch.records.push(perplexity(record));
    }
    desk.store.apply(&batch);
    open(&mut desk, "layers", "cnn");
    desk
}

/// Half of the instances excite few filters, more and more of them until record 8.
fn perplexity(record: i64) -> Record {
    let few = 20.0 * record.min(8) as f64;
    let counts = [100.0 + few, 120.0, 260.0, 520.0 - few];
    let array =
        |values: &[f64]| Payload::Array(NumericArray::new(vec![values.len()], values.to_vec()).unwrap());
    let fields = vec![
        (Arc::from("edges"), array(&[1.0, 4.0, 16.0, 32.0, 64.0])),
        (Arc::from("counts"), array(&counts)),
        (Arc::from("filters"), Payload::Number(64.0)),
    ];
    Record::Artefact(Artefact {
        kind: ArtefactKind::Perplexity,
        name: Arc::from("stem.conv"),
        step: Some(record * 50),
        wall: WallTime(1_750_000_000.0 + record as f64),
        offset: record as u64 * 100,
        bytes: 100,
        fields,
    })
}

fn layers() -> Desk {
    let mut desk = desk();
    open(&mut desk, "layers", "resnet18");
    desk
}

#[test]
fn the_table_says_what_is_wrong_with_which_layer() {
    let mut desk = layers();
    insta::assert_snapshot!("layers_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("layers_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("layers_40x12", frame(&mut desk, 40, 12));
    let text = frame(&mut desk, 120, 30);
    for word in ["12 NaN/Inf", "no grad", "x23 grad", "dead 6"] {
        assert!(text.contains(word) || text.contains(&word.replace('x', "×")), "{word}\n{text}");
    }
}

#[test]
fn a_layer_opens_to_its_histogram_over_time() {
    let mut desk = layers();
    desk.key(KeyCode::Enter);
    insta::assert_snapshot!("layer_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("layer_120x40", frame(&mut desk, 120, 40));
    desk.keys("t");
    assert!(frame(&mut desk, 120, 40).contains("weights (t)"));
    desk.key(KeyCode::Esc);
    assert!(frame(&mut desk, 120, 40).contains("14 layers"));
}

#[test]
fn the_time_cursor_shows_the_past_and_says_so() {
    let mut desk = layers();
    desk.keys("[[");
    let past = frame(&mut desk, 120, 30);
    assert!(past.contains("as it was at step 900"), "{past}");
    assert!(!past.contains("NaN/Inf") && !past.contains("23 grad"), "{past}");
    desk.key(KeyCode::Enter);
    let opened = frame(&mut desk, 120, 40);
    assert!(opened.contains("as it was at step 900") && !opened.contains("1100"), "{opened}");
    desk.keys("0");
    assert!(frame(&mut desk, 120, 40).contains("1100"));
}

#[test]
fn rows_are_sorted_by_trouble_on_demand() {
    let mut desk = layers();
    frame(&mut desk, 100, 24);
    desk.keys("o");
    let text = frame(&mut desk, 100, 24);
    assert!(rows(&text)[0].contains("fc.bias"), "{text}");
}

#[test]
fn an_alert_leads_to_its_layer() {
    let mut desk = crate::frames::with_alerts();
    open(&mut desk, "alerts", "resnet18");
    desk.key(KeyCode::Enter);
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("fc.bias") && text.contains("gradients"), "{text}");
    assert_eq!(desk.screen.selection().run, Some(RunId::from("resnet18")));
}

#[test]
fn a_run_without_layers_says_how_to_get_some() {
    let mut desk = desk();
    open(&mut desk, "layers", "baseline");
    insta::assert_snapshot!("layers_empty_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn a_thousand_layers_are_drawn_as_fast_as_ten() {
    let mut desk = desk();
    let mut batch = epochscope::model::Batch::new(RunId::from("deep"), crate::sessions::origin());
    for i in 0..1000 {
        for source in crate::frames::layers_batch(1).records.into_iter().take(2) {
            if let epochscope::model::Record::Histogram(mut h) = source {
                h.layer = epochscope::model::LayerName::from(format!("blocks.{i}.mlp.weight").as_str());
                batch.records.push(epochscope::model::Record::Histogram(h));
            }
        }
    }
    desk.store.apply(&batch);
    open(&mut desk, "layers", "deep");
    desk.keys("G");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("blocks.999.mlp.weight") && text.contains("of 1000"), "{text}");
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    survives_every_size(desk, "layers", "resnet18", &["o", "t", "\u{20}", "[", "0", "jjj"]);
    survives_every_size(hostile, "layers", "", &["j"]);
}

/// The rows of the table from above: the lines below its head.
fn rows(text: &str) -> Vec<&str> {
    text.lines().skip_while(|line| !line.trim_start().starts_with("layer")).skip(1).collect()
}

#[test]
fn the_table_says_which_layers_are_stable_since_when_and_by_which_measure() {
    let mut desk = network();
    insta::assert_snapshot!("stability_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("stability_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("stability_40x12", frame(&mut desk, 40, 12));
    let text = frame(&mut desk, 120, 40);
    for (layer, state, measure) in [
        ("stem.conv ", "● stable", "L1"),
        ("stem.norm ", "● stable", "L2"),
        ("stage1.0.conv2", "◐ settling", "L2"),
        ("stage2.0.conv1", "▲ regressing", "L2"),
        ("stage3.0.conv1", "○ moving", "L2"),
        ("stage3.0.conv2", "■ frozen", "L2"),
    ] {
        let row = rows(&text).into_iter().find(|row| row.contains(layer)).unwrap();
        assert!(row.contains(state) && row.contains(&format!("{measure} ")), "{row}");
    }
    // One order, and no hint while a layer is broken.
    assert!(text.contains("stable since: stem.conv 850, stem.norm 950, stage1.0.conv1 1250"), "{text}");
    assert!(text.contains("no freeze hint: head.fc holds NaN or infinite numbers"), "{text}");
}

#[test]
fn states_are_those_of_the_time_cursor() {
    let mut desk = network();
    desk.keys("[");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("as it was at step 1900"), "{text}");
    assert!(text.contains("freeze hint: the first 3 of 9 layers are at rest since step 1250"), "{text}");
    assert!(!text.contains("NaN/Inf"), "{text}");
    // Before it was stable, a layer moved; before there were records enough, it was warming.
    desk.keys("{{[[[[");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("as it was at step 700"), "{text}");
    let state = |text: &str, layer: &str| {
        let row = rows(text).into_iter().find(|row| row.contains(layer)).unwrap().to_owned();
        ["warming", "moving", "stable", "regressing"].into_iter().find(|s| row.contains(s)).unwrap()
    };
    assert_eq!((state(&text, "stage1.0.conv1"), state(&text, "stem.norm")), ("moving", "moving"));
    assert!(!text.contains("1250"), "{text}");
    desk.keys("{");
    let text = frame(&mut desk, 120, 40);
    assert_eq!(state(&text, "stage1.0.conv1"), "warming", "{text}");
    desk.keys("0");
    assert_eq!(state(&frame(&mut desk, 120, 40), "stage1.0.conv1"), "stable");
}

#[test]
fn columns_come_in_groups_and_each_gives_an_order() {
    let mut desk = network();
    frame(&mut desk, 120, 40);
    let mut groups = Vec::new();
    for _ in 0..6 {
        desk.keys("t");
        let text = frame(&mut desk, 120, 40);
        groups.push(
            text.lines().nth(1).unwrap().split(" (t)").next().unwrap().rsplit(' ').next().unwrap().to_owned(),
        );
    }
    assert_eq!(groups, ["norms", "units", "gradients", "weights", "activations", "stability"]);
    desk.keys("tt");
    insta::assert_snapshot!("units_120x30", frame(&mut desk, 120, 30));
    desk.keys("tttt");
    frame(&mut desk, 120, 40);
    // The network's own order, trouble, then the columns from left to right: least settled first, …
    let mut first = Vec::new();
    for _ in 0..4 {
        desk.keys("o");
        let text = frame(&mut desk, 120, 40);
        first.push(rows(&text)[0].split_whitespace().find(|word| word.contains('.')).unwrap().to_owned());
    }
    assert_eq!(first, ["head.fc", "stage2.0.conv1", "stem.conv", "stage3.0.conv2"]);
}

#[test]
fn a_click_on_a_head_orders_and_a_second_one_turns_it_round() {
    let mut desk = network();
    let text = frame(&mut desk, 120, 40);
    let (y, head) = text.lines().enumerate().find(|(_, l)| l.trim_start().starts_with("layer")).unwrap();
    let x = head.chars().take_while(|c| *c != 'w').count() as u16;
    let x = head.find("w norm").map_or(x, |at| head[..at].chars().count() as u16);
    let largest = |desk: &mut Desk| {
        desk.mouse(MouseEventKind::Down(MouseButton::Left), x, y as u16);
        let text = frame(desk, 120, 40);
        rows(&text)[0].split_whitespace().find(|word| word.contains('.')).unwrap().to_owned()
    };
    assert_eq!(largest(&mut desk), "head.fc");
    assert_eq!(largest(&mut desk), "stem.conv");
}

#[test]
fn layers_over_time_and_the_flow_of_the_gradient_have_a_page() {
    let mut desk = network();
    frame(&mut desk, 80, 20);
    desk.keys("v");
    insta::assert_snapshot!("flow_80x20", frame(&mut desk, 80, 20));
    desk.keys("v");
    let mut names = Vec::new();
    for _ in 0..6 {
        let text = frame(&mut desk, 80, 20);
        names.push(text.lines().nth(4).unwrap().split(" · ").next().unwrap().to_owned());
        desk.keys("l");
    }
    assert!(
        names[0].starts_with("change / limit") && names[1].starts_with("weight norm 1 – 16"),
        "{names:?}"
    );
    assert!(
        names[2].starts_with("gradient norm") && names[4].starts_with("dead units 0% – 100%"),
        "{names:?}"
    );
    desk.set_theme(epochscope::ui::Theme::new(epochscope::ui::theme::Depth::None, true));
    open(&mut desk, "layers", "cnn");
    desk.keys("vv");
    insta::assert_snapshot!("over_time_80x20_ascii", frame(&mut desk, 80, 20));
    desk.key(KeyCode::Esc);
    assert!(frame(&mut desk, 80, 20).contains("stability (t)"));
}

#[test]
fn layers_known_from_perplexities_alone_are_rows_too() {
    let mut desk = sessions::full();
    let mut batch = Batch::new(RunId::from("probe"), sessions::origin());
    batch.records.extend((0..20).map(perplexity));
    desk.store.apply(&batch);
    open(&mut desk, "layers", "probe");
    let text = frame(&mut desk, 100, 24);
    assert!(rows(&text)[0].contains("stem.conv") && rows(&text)[0].contains("L1"), "{text}");
    desk.key(KeyCode::Enter);
    assert!(frame(&mut desk, 100, 24).contains("neither statistics nor histograms"));
}

#[test]
fn every_page_survives_every_size() {
    survives_every_size(
        network,
        "layers",
        "cnn",
        &["t", "t", "t", "v", "l", "v", "lll", "v", "o", "[", "{{{"],
    );
}

/// A run of `sample_logs/inside`, read and judged.
fn inside(name: &str) -> Desk {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/inside").join(name);
    let session = crate::builders::reading::read_folder(&folder, true);
    let mut desk = desk();
    (desk.store, desk.alerts, desk.health) = (session.store, session.alerts, session.health);
    let run = desk.store.runs().next().expect("a run").id().as_str().to_owned();
    open(&mut desk, "layers", &run);
    desk
}

#[test]
fn a_layer_whose_units_answer_to_nothing_is_silent_not_stable() {
    let mut desk = inside("dead-layer");
    let text = frame(&mut desk, 120, 30);
    let relu3 = text.lines().find(|line| line.contains("relu3")).unwrap();
    assert!(relu3.contains("silent") && relu3.contains("320") && relu3.contains("100%"), "{text}");
    // Before its bias was pushed it was an ordinary layer.
    desk.screen.selection_mut().cursor = Some(300);
    let text = frame(&mut desk, 120, 30);
    assert!(!text.contains("silent") && !text.contains("first to leave"), "{text}");
}

#[test]
fn a_layer_that_was_left_out_of_the_optimiser_is_an_alarm() {
    let desk = inside("frozen-by-mistake");
    let alerts: Vec<_> = desk.alerts.alerts().collect();
    let [alert] = alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((alert.rule, alert.severity.name()), ("frozen_layer", "warn"));
    assert!(
        alert.message.contains("conv2") && alert.message.contains("left out of the optimiser"),
        "{}",
        alert.message
    );
}

#[test]
fn the_first_layer_to_leave_its_history_is_the_one_that_was_broken() {
    for (run, wanted) in [
        ("dead-layer", Some("conv3 activations norm, step 320")),
        ("nan-in-layer", Some("sphere activations, step 400")),
        ("healthy", None),
        ("shape-groups", None),
        ("frozen-by-mistake", None),
    ] {
        let mut desk = inside(run);
        let text = frame(&mut desk, 140, 30);
        let told = text.lines().find(|line| line.contains("first to leave its history"));
        match wanted {
            Some(wanted) => assert!(told.is_some_and(|line| line.contains(wanted)), "{run}\n{text}"),
            None => assert_eq!(told, None, "{run}"),
        }
    }
}
