//! Frames of the view *Classes*.

use std::{fmt::Write as _, fs};

use epochscope::{
    model::{Batch, Record, RunId},
    ui::{Theme, theme::Depth},
};
use ratatui::crossterm::event::KeyCode;

use crate::{
    builders::reading::read_folder,
    frames::{confusion, desk, frame, open, survives_every_size},
    sessions::{Desk, hostile, origin},
};

fn classes(run: &str) -> Desk {
    let mut desk = desk();
    open(&mut desk, "classes", run);
    desk
}

/// A screen over logs that are read as they are from files, `(name, lines)`.
fn read(logs: &[(&str, String)], run: &str) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in logs {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        let text = format!("{{\"epochscope\":1,\"t\":\"run\",\"name\":\"{name}\"}}\n{text}");
        fs::write(folder.path().join(name).join("a.scope.jsonl"), text).unwrap();
    }
    let session = read_folder(folder.path(), false);
    let mut desk = Desk::new(Theme::new(Depth::Ansi256, false));
    (desk.store, desk.alerts, desk.health) = (session.store, session.alerts, session.health);
    open(&mut desk, "classes", run);
    desk
}

/// Two groups of three classes: errors between the groups end at epoch 3, those inside of them go on.
fn separating(names: &[&str; 6]) -> String {
    let mut text = format!("{{\"t\":\"classes\",\"task\":\"main\",\"names\":{names:?}}}\n");
    for epoch in 1..=8 {
        let between = if epoch < 3 { 6 } else { 0 };
        let inside = 12 - epoch;
        let rows: Vec<String> = (0..6)
            .map(|row| {
                let cell = |column: usize| match (row == column, row % 2 == column % 2) {
                    (true, _) => 100 - 2 * inside - 3 * between,
                    (_, true) => inside,
                    _ => between,
                };
                format!("{:?}", (0..6).map(cell).collect::<Vec<_>>())
            })
            .collect();
        writeln!(
            text,
            "{{\"t\":\"confusion\",\"step\":{},\"epoch\":{epoch},\"split\":\"val\",\"rows\":\"true\",\"labels\":\"main\",\"m\":[{}]}}",
            epoch * 100,
            rows.join(",")
        )
        .unwrap();
    }
    text
}

/// A frame without its last line, which names the folder.
fn without_folder(frame: &str) -> String {
    let lines: Vec<&str> = frame.lines().collect();
    lines[..lines.len() - 1].join("\n")
}

const PLAIN: [&str; 6] = ["cat", "car", "dog", "truck", "deer", "ship"];
const LEVELS: [&str; 6] =
    ["animal:cat", "vehicle:car", "animal:dog", "vehicle:truck", "animal:deer", "vehicle:ship"];

#[test]
fn counts_scores_and_pairs_are_on_one_screen() {
    let mut desk = classes("resnet18");
    insta::assert_snapshot!("classes_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("classes_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("classes_40x12", frame(&mut desk, 40, 12));
}

#[test]
fn groups_stand_together_and_a_sentence_says_when_they_separated() {
    let mut desk = read(&[("a", separating(&PLAIN))], "a");
    insta::assert_snapshot!("classes_groups_80x24", without_folder(&frame(&mut desk, 80, 24)));
    insta::assert_snapshot!("classes_groups_200x50", without_folder(&frame(&mut desk, 200, 50)));
    insta::assert_snapshot!("classes_groups_40x12", without_folder(&frame(&mut desk, 40, 12)));
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("groups separated at epoch 3; remaining 100 % of errors inside groups"), "{text}");
    desk.keys("C");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("exact") && text.contains("ship, truck +1"), "groups are cells: {text}");
    assert!(text.contains("true cat, dog +1 → predicted cat, dog +1:"), "{text}");
}

#[test]
fn names_with_levels_give_the_order_and_the_header_says_so() {
    let mut desk = read(&[("a", separating(&LEVELS))], "a");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("order: names (a:b) · 2 groups"), "{text}");
    desk.keys("C");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("animal") && text.contains("vehicle") && text.contains("exact"), "{text}");
}

#[test]
fn logits_and_their_logged_correlation_go_before_confusion() {
    // Logits in which neighbours of the list go together, unlike the confusions.
    let instances: Vec<String> = (0..12)
        .map(|i| {
            let of = |class: i32| if class / 2 == i % 3 { 5 + (i * 7 + class) % 3 } else { -(i + class) % 2 };
            format!("{:?}", (0..6).map(of).collect::<Vec<_>>())
        })
        .collect();
    let ids: Vec<String> = (0..12).map(|i| format!("i{i}")).collect();
    let predictions = format!(
        "{{\"t\":\"pred\",\"step\":300,\"split\":\"val\",\"id\":{ids:?},\"logits\":[{}]}}\n",
        instances.join(",")
    );
    let log = separating(&PLAIN) + &predictions;
    let mut desk = read(&[("a", log.clone())], "a");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("order: correlation of logits, 12 instances"), "{text}");
    let place = |text: &str, name: &str| text.lines().position(|l| l.contains(&format!("{name} "))).unwrap();
    assert_eq!(place(&text, "─  car").abs_diff(place(&text, "─  cat")), 1, "{text}");
    desk.screen.selection_mut().cursor = Some(200);
    assert!(frame(&mut desk, 120, 40).contains("order: confusion"), "there were no logits yet");
    // The log's own correlation, which names the classes in another order: cat with ship, car with deer.
    let names = ["cat", "ship", "car", "deer", "dog", "truck"];
    let rows: Vec<String> = (0..6)
        .map(|i| format!("{:?}", (0..6).map(|j| if i / 2 == j / 2 { 0.9 } else { -0.2 }).collect::<Vec<_>>()))
        .collect();
    let logged = format!(
        "{{\"t\":\"sim\",\"step\":300,\"method\":\"logit_correlation\",\"layers\":{names:?},\"m\":[{}]}}\n",
        rows.join(",")
    );
    let mut desk = read(&[("a", log + &logged)], "a");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("order: logged correlation of logits"), "{text}");
    assert_eq!(place(&text, "─ ship").abs_diff(place(&text, "─  cat")), 1, "{text}");
}

#[test]
fn t_18_before_the_groups_separate_the_sentence_says_how_far_they_are() {
    let mut desk = read(&[("a", separating(&PLAIN))], "a");
    desk.screen.selection_mut().cursor = Some(200);
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("groups not separated: 18 % of samples leave theirs"), "{text}");
    assert!(!text.contains("groups separated"), "nothing of the future: {text}");
    desk.screen.selection_mut().cursor = Some(300);
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("groups separated at epoch 3"), "{text}");
}

#[test]
fn t_19_a_matrix_with_predicted_rows_gives_the_view_of_its_transpose() {
    let line = |rows: &str, m: &str| {
        format!(
            "{{\"t\":\"classes\",\"task\":\"main\",\"names\":[\"cat\",\"dog\",\"car\"]}}\n\
             {{\"t\":\"confusion\",\"step\":5,\"split\":\"val\",\"rows\":\"{rows}\",\"labels\":\"main\",\"m\":{m}}}\n"
        )
    };
    let by_truth = line("true", "[[50,9,1],[4,44,2],[0,3,60]]");
    let by_prediction = line("pred", "[[50,4,0],[9,44,3],[1,2,60]]");
    let mut pictures = Vec::new();
    for log in [by_truth, by_prediction] {
        let mut desk = read(&[("a", log)], "a");
        let picture = without_folder(&frame(&mut desk, 120, 40));
        desk.keys("Nl");
        pictures.push((picture, without_folder(&frame(&mut desk, 120, 40))));
    }
    assert_eq!(pictures[0], pictures[1]);
    assert!(pictures[0].0.contains("cat → dog"), "{}", pictures[0].0);
    let mut wrong = read(&[("a", line("true", "[[50,4,0],[9,44,3],[1,2,60]]"))], "a");
    assert_ne!(without_folder(&frame(&mut wrong, 120, 40)), pictures[0].0, "the orientation matters");
}

#[test]
fn two_evaluations_and_two_runs_are_compared_with_signs() {
    let later = separating(&PLAIN).replace("\"step\":800", "\"step\":900");
    let mut desk = read(&[("a", separating(&PLAIN)), ("b", later)], "a");
    desk.keys("v");
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("difference to step 700 · error distance 0"), "{text}");
    assert!(text.contains("+2") && text.contains("-1"), "{text}");
    insta::assert_snapshot!("classes_difference_80x24", without_folder(&frame(&mut desk, 80, 24)));
    desk.keys("v");
    assert!(frame(&mut desk, 120, 40).contains("difference to step 800"));
    desk.keys("[[");
    let text = frame(&mut desk, 120, 40);
    // What was pinned is of the future now: the evaluation at the cursor is compared with itself.
    assert!(text.contains("difference to step 600"), "{text}");
    desk.screen.selection_mut().cursor = None;
    desk.screen.selection_mut().marked.insert(RunId::from("b"));
    desk.keys("v");
    assert!(frame(&mut desk, 120, 40).contains("difference to b at step 900"));
    desk.screen.selection_mut().marked.clear();
    assert!(frame(&mut desk, 120, 40).contains("no other run with matrices is marked"));
    desk.key(KeyCode::Esc);
    assert!(!frame(&mut desk, 120, 40).contains("difference to"));
}

#[test]
fn more_classes_than_fit_are_summed_up_or_scroll_and_it_is_said() {
    let mut desk = classes("cifar100");
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("map of all 100 classes in 27 cells"), "{text}");
    assert!(text.contains("×4 class_"), "{text}");
    desk.keys("+");
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("rows 1–") && text.contains("of 100"), "{text}");
    desk.keys("G");
    assert!(frame(&mut desk, 80, 24).contains("–100, columns"));
}

#[test]
fn the_cell_under_the_cursor_is_said_in_words() {
    let mut desk = classes("resnet18");
    let text = frame(&mut desk, 100, 24);
    let first =
        text.lines().nth(5).unwrap().split_whitespace().find(|w| w.len() > 2 && w.is_ascii()).unwrap();
    assert!(text.contains(&format!("true {first} → predicted {first}")), "the cursor begins above: {text}");
    // From wherever four and nine stand in the order.
    for _ in 0..10 {
        if frame(&mut desk, 100, 24).contains("true four →") {
            break;
        }
        desk.keys("j");
    }
    desk.keys("h");
    let text = frame(&mut desk, 100, 24);
    assert!(text.contains("true four → predicted nine: 6 = 6.0% of the true"), "{text}");
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
    assert!(text.contains("accuracy over 7 evaluations"), "{text}");
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
    let head = text.lines().position(|line| line.contains("recall")).unwrap();
    assert!(text.lines().nth(head + 1).unwrap().contains("nine"), "{text}");
    desk.key(KeyCode::Enter);
    let text = frame(&mut desk, 80, 24);
    assert!(text.contains("error: c classes") && text.contains("moved most since step 700"), "{text}");
}

#[test]
fn few_samples_are_grey_and_shares_have_no_intervals() {
    let log = |m: &str| {
        format!("{{\"t\":\"confusion\",\"step\":5,\"split\":\"val\",\"rows\":\"true\",\"m\":{m}}}\n")
    };
    let mut desk = read(&[("a", log("[[65,35,0],[1,3,0],[0,0,40]]"))], "a");
    let text = frame(&mut desk, 200, 50);
    assert!(text.contains(".55–.74") && text.contains(".30–.95"), "Wilson's intervals: {text}");
    let mut desk = read(&[("a", log("[[0.65,0.35,0],[0.25,0.75,0],[0,0,1]]"))], "a");
    let text = frame(&mut desk, 200, 50);
    assert!(text.contains("0.650") && !text.contains(".55–"), "{text}");
    assert!(text.contains("shares of samples") && !text.contains("3 samples"), "{text}");
}

#[test]
fn a_run_without_matrices_says_how_to_get_some() {
    let mut desk = classes("baseline");
    insta::assert_snapshot!("classes_empty_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    let keys = ["+", "-", "N", "o", "ll", "C", "v", "d", "yy", "v"];
    survives_every_size(desk, "classes", "resnet18", &keys);
    survives_every_size(desk, "classes", "cifar100", &["+", "-", "G", "o", "C", "vN"]);
    survives_every_size(hostile, "classes", "", &["j", "C", "v"]);
    survives_every_size(grouped, "classes", "a", &["C", "-", "v", "NNN"]);
}

fn grouped() -> Desk {
    read(&[("a", separating(&LEVELS))], "a")
}

fn thousand() -> Desk {
    let mut desk = desk();
    let mut batch = Batch::new(RunId::from("huge"), origin());
    for step in [100, 200] {
        batch.records.push(Record::Confusion(confusion("val", step, 1000, 0.9, None)));
    }
    desk.store.apply(&batch);
    open(&mut desk, "classes", "huge");
    desk
}

#[test]
fn a_thousand_classes_are_one_map_and_their_worst_pair_is_named() {
    let mut desk = thousand();
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("map of all 1000 classes in") && text.contains("4 → 9"), "{text}");
    insta::assert_snapshot!("classes_1000_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("classes_1000_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("classes_1000_40x12", frame(&mut desk, 40, 12));
    // Whatever the size, every class is in a cell of the picture.
    for (width, height) in [(60, 16), (80, 24), (133, 30), (200, 50), (300, 90)] {
        let text = frame(&mut desk, width, height);
        let rows: usize = text.lines().filter(|line| line.contains('×')).count();
        assert!(rows > 3 && rows <= usize::from(height), "{text}");
    }
}

/// `perClassAccuracy` of tfjs-vis: class, accuracy, samples.
#[test]
fn t_26_classes_are_listed_by_their_accuracy() {
    let mut desk = desk();
    open(&mut desk, "classes", "resnet18");
    desk.keys("oo");
    let text = frame(&mut desk, 200, 50);
    let begin = text.lines().position(|l| l.contains("recall") && l.contains("prec")).expect(&text);
    let head = text.lines().nth(begin).unwrap();
    let column = head.find("recall").unwrap();
    let column = head[..column].chars().count();
    let recalls: Vec<f64> = text
        .lines()
        .skip(begin + 1)
        .map_while(|line| {
            let cell: String = line.chars().skip(column).take(7).collect();
            cell.trim().parse().ok()
        })
        .collect();
    assert_eq!(recalls.len(), 10, "{text}");
    assert!(recalls.windows(2).all(|pair| pair[0] <= pair[1]), "{recalls:?}\n{text}");
    assert!(recalls[0] < recalls[9]);
}
