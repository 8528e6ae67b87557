//! Frames of the view *Layers*.

use epochscope::model::RunId;
use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{desk, frame, open, survives_every_size},
    sessions::{Desk, hostile},
};

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
    for word in ["12 NaN/Inf", "no grad", "x40 grad", "dead 6"] {
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
    assert!(!past.contains("NaN/Inf") && !past.contains("× grad"), "{past}");
    desk.key(KeyCode::Enter);
    let opened = frame(&mut desk, 120, 40);
    assert!(opened.contains("as it was at step 900") && !opened.contains("1100"), "{opened}");
    desk.keys("0");
    assert!(frame(&mut desk, 120, 40).contains("1100"));
}

#[test]
fn rows_are_sorted_by_trouble_on_demand() {
    let mut desk = layers();
    desk.keys("o");
    let text = frame(&mut desk, 100, 24);
    let first = text.lines().nth(3).unwrap();
    assert!(first.contains("fc.bias"), "{text}");
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
