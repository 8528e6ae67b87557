//! Frames of the view *Alerts*.

use epochscope::ui::Request;
use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{desk, frame, open, survives_every_size, with_alerts},
    sessions::{Desk, hostile},
};

fn alerts() -> Desk {
    let mut desk = with_alerts();
    open(&mut desk, "alerts", "resnet18");
    desk
}

#[test]
fn what_is_open_comes_first_with_its_numbers_and_advice() {
    let mut desk = alerts();
    insta::assert_snapshot!("alerts_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("alerts_200x50", frame(&mut desk, 200, 50));
    insta::assert_snapshot!("alerts_40x12", frame(&mut desk, 40, 12));
    let text = frame(&mut desk, 160, 40);
    let row_of = |word: &str| text.lines().position(|l| l.contains(word) && l.contains("resnet18"));
    assert!(row_of("not_learning") > row_of("overfitting"), "closed ones come last\n{text}");
}

#[test]
fn keys_ask_for_what_only_the_application_may_change() {
    let mut desk = alerts();
    frame(&mut desk, 80, 24);
    let Some(Request::Acknowledge(id)) = desk.key(KeyCode::Char('a')).pop() else { panic!("no request") };
    assert_eq!(desk.alerts.get(id).unwrap().rule, "nan");
    desk.keys("j");
    let Some(Request::Mute(other)) = desk.key(KeyCode::Char('m')).pop() else { panic!("no request") };
    assert_ne!(id, other);
}

#[test]
fn enter_goes_to_the_place() {
    let mut desk = alerts();
    frame(&mut desk, 80, 24);
    desk.key(KeyCode::Enter);
    assert_eq!(desk.screen.view_name(), "layers");
}

#[test]
fn nothing_to_report_says_what_is_watched_and_by_which_rules() {
    let mut desk = desk();
    desk.alerts = epochscope::detect::AlertBook::default();
    open(&mut desk, "alerts", "baseline");
    insta::assert_snapshot!("alerts_quiet_80x24", frame(&mut desk, 80, 24));
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    survives_every_size(with_alerts, "alerts", "resnet18", &["j", "j", "t", "G"]);
    survives_every_size(hostile, "alerts", "", &["j"]);
}
