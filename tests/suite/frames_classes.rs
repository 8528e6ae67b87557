//! Frames of the view *Classes*.

use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{desk, frame, open, survives_every_size},
    sessions::{Desk, hostile},
};

fn classes(run: &str) -> Desk {
    let mut desk = desk();
    open(&mut desk, "classes", run);
    desk
}

#[test]
fn counts_scores_and_pairs_are_on_one_screen() {
    let mut desk = classes("resnet18");
    insta::assert_snapshot!("classes_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("classes_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("classes_40x12", frame(&mut desk, 40, 12));
}

#[test]
fn more_classes_than_fit_are_summed_up_or_scroll_and_it_is_said() {
    let mut desk = classes("cifar100");
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("map of all 100, 3 classes a point"), "{text}");
    assert!(text.contains("of 100"), "{text}");
    desk.keys("+");
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("rows 1–") && text.contains("of 100"), "{text}");
    desk.keys("G");
    assert!(frame(&mut desk, 80, 24).contains("class_99"));
}

#[test]
fn the_cell_under_the_cursor_is_said_in_words() {
    let mut desk = classes("resnet18");
    desk.keys("jjjjlllll");
    let text = frame(&mut desk, 100, 24);
    assert!(text.contains("true four → predicted nine"), "{text}");
    desk.keys("N");
    assert!(frame(&mut desk, 100, 24).contains("true four → predicted nine"));
}

#[test]
fn splits_and_evaluations_are_stepped_through() {
    let mut desk = classes("resnet18");
    assert!(frame(&mut desk, 100, 24).contains("val (t, 2 splits)"));
    desk.keys("[");
    let text = frame(&mut desk, 100, 24);
    assert!(text.contains("as it was at step 700"), "{text}");
    desk.keys("0t");
    assert!(frame(&mut desk, 100, 24).contains("test (t, 2 splits)"));
    desk.keys("t[[");
    desk.keys("t");
    assert!(frame(&mut desk, 100, 24).contains("no evaluation of test up to this step"));
}

#[test]
fn classes_are_sorted_by_their_scores_on_demand() {
    let mut desk = classes("resnet18");
    desk.keys("o");
    desk.key(KeyCode::Enter);
    desk.key(KeyCode::Enter);
    let text = frame(&mut desk, 80, 24);
    let first = text.lines().nth(4).unwrap_or_default();
    assert!(first.contains("nine"), "{text}");
}

#[test]
fn a_run_without_matrices_says_how_to_get_some() {
    let mut desk = classes("baseline");
    insta::assert_snapshot!("classes_empty_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    survives_every_size(desk, "classes", "resnet18", &["+", "-", "N", "o", "ll"]);
    survives_every_size(desk, "classes", "cifar100", &["+", "-", "G", "o"]);
    survives_every_size(hostile, "classes", "", &["j"]);
}

#[test]
fn a_thousand_classes_are_one_map_and_their_worst_pair_is_named() {
    let mut desk = desk();
    let mut batch =
        epochscope::model::Batch::new(epochscope::model::RunId::from("huge"), crate::sessions::origin());
    for step in [100, 200] {
        batch.records.push(epochscope::model::Record::Confusion(crate::frames::confusion(
            "val", step, 1000, 0.9, None,
        )));
    }
    desk.store.apply(&batch);
    open(&mut desk, "classes", "huge");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("map of all 1000") && text.contains("4 → 9"), "{text}");
}
