//! Frames of the view *Alerts*.

use epochscope::{
    detect::{AlertBook, Draft, Evidence, Severity},
    model::{RunId, SeriesKey, WallTime},
    ui::Request,
};
use ratatui::crossterm::event::{KeyCode, MouseButton, MouseEventKind};

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

/// The overfitting run of the sessions made by hand, with the numbers that its rule gives.
fn overfit() -> Desk {
    let mut desk = crate::sessions::full();
    let draft = |rule, severity, tag: &str, since: i64, step: i64, evidence| Draft {
        run: RunId::from("overfit"),
        rule,
        severity,
        series: Some(SeriesKey::plain(tag)),
        layer: None,
        kind: None,
        step: Some(step),
        since_step: Some(since),
        time: WallTime(1_750_000_000.0 + step as f64),
        message: format!("{tag} does what {rule} says since step {since}"),
        advice: "Keep the checkpoint of step 380.".to_owned(),
        evidence,
    };
    desk.alerts = AlertBook::default();
    let evidence = Evidence::new()
        .with("best", 0.59)
        .with("best_step", 380.0)
        .at_least("now", 0.84, 0.71)
        .at_least("rise_sigma", 9.1, 5.0)
        .at_least("rise", 0.42, 0.25);
    desk.alerts.raise(draft("overfitting", Severity::Critical, "val/loss", 440, 560, evidence));
    let effect = || Evidence::new().at_least("gap", 0.4, 0.1);
    desk.alerts.raise(draft("generalisation_gap", Severity::Warn, "val/loss", 600, 640, effect()));
    desk.alerts.raise(draft("plateau", Severity::Info, "val/accuracy", 700, 760, effect()));
    for (rule, step) in [("loss_spike", 300), ("gradient_surge", 200)] {
        let id =
            desk.alerts.raise(draft(rule, Severity::Warn, "grad_norm", step, step + 5, effect())).unwrap();
        desk.alerts.close(id, Some(step + 60));
    }
    open(&mut desk, "alerts", "overfit");
    desk
}

#[test]
fn the_evidence_is_drawn_with_its_moments_and_the_level_it_is_held_against() {
    let mut desk = overfit();
    for (width, height) in [(200, 50), (80, 24), (40, 12), (30, 8)] {
        insta::assert_snapshot!(format!("evidence_{width}x{height}"), frame(&mut desk, width, height));
    }
    let text = frame(&mut desk, 120, 40);
    for word in ["val/loss", "beside train/loss", "best↑", "↑since", "↑said", "0.71 needed", "╌"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    assert!(text.contains("over when validation comes within"), "{text}");
}

#[test]
fn why_lists_the_thresholds_with_the_numbers_of_the_alert_and_what_fools_the_rule() {
    let mut desk = overfit();
    desk.keys("i");
    insta::assert_snapshot!("why_80x24", frame(&mut desk, 80, 24));
    let text = frame(&mut desk, 120, 40);
    assert!(text.contains("It may be a false alarm: ") && text.contains("← rise sigma 9.1"), "{text}");
    desk.key(KeyCode::Esc);
    assert!(frame(&mut desk, 120, 40).contains("↑said"));
}

#[test]
fn what_an_alert_explains_is_folded_and_what_is_over_stands_last_the_newest_first() {
    let mut desk = overfit();
    let rows = |desk: &mut Desk| {
        let text = frame(desk, 120, 40);
        let rules = ["overfitting", "generalisation_gap", "plateau", "loss_spike", "gradient_surge"];
        let list = text.lines().take_while(|l| !l.contains('╭')).skip(3);
        list.filter_map(|l| rules.into_iter().find(|r| l.contains(&format!("{r} ")))).collect::<Vec<_>>()
    };
    assert_eq!(rows(&mut desk), ["overfitting", "loss_spike", "gradient_surge"]);
    assert!(frame(&mut desk, 80, 24).contains("overfitting +2"));
    desk.key(KeyCode::Right);
    let all = ["overfitting", "plateau", "generalisation_gap", "loss_spike", "gradient_surge"];
    assert_eq!(rows(&mut desk).len(), all.len());
    desk.keys("jh");
    assert_eq!(rows(&mut desk), ["overfitting", "loss_spike", "gradient_surge"]);
    // A click on the chosen row unfolds it, the next one goes there.
    desk.mouse(MouseEventKind::Down(MouseButton::Left), 5, 3);
    assert_eq!(rows(&mut desk).len(), all.len());
}

#[test]
fn what_is_put_off_is_listed_and_not_counted() {
    let mut desk = overfit();
    frame(&mut desk, 80, 24);
    let Some(Request::Snooze(id)) = desk.key(KeyCode::Char('z')).pop() else { panic!("no request") };
    let until = desk.alerts.snooze(id, WallTime(crate::sessions::NOW)).unwrap();
    assert!(desk.alerts.counts().critical == 0 && until.0 > crate::sessions::NOW);
    let text = frame(&mut desk, 120, 40);
    assert!(
        text.contains("1 put off") && text.contains("snoozed") && text.contains("put off until"),
        "{text}"
    );
    let Some(Request::MuteEverywhere(id)) = desk.key(KeyCode::Char('R')).pop() else { panic!("no request") };
    desk.alerts.mute_everywhere(id);
    assert!(frame(&mut desk, 120, 40).contains("muted in all runs"));
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
    survives_every_size(with_alerts, "alerts", "resnet18", &["j", "j", "t", "l", "i", "j", "i", "G"]);
    survives_every_size(overfit, "alerts", "overfit", &["l", "j", "i", "j", "i", "G"]);
    survives_every_size(hostile, "alerts", "", &["j"]);
}
