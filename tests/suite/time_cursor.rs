//! The time cursor: where it stops, that it plays, and that no view shows what came after it.

use std::{fmt::Write as _, fs};

use epochscope::{
    model::{RunId, WallTime},
    ui::{FrameContext, Place, Screen, ScreenOptions, Theme, VIEWS, background::Inline, theme::Depth},
};
use ratatui::{buffer::Buffer, crossterm::event::KeyCode, layout::Rect};

use crate::{
    builders::reading::read_folder,
    frames::{frame, open},
    sessions::{self, Desk},
};

/// Every record of the present half: what is later is 77,777 or says FUTURE.
const LATER: f64 = 77_777.0;

/// A log in which everything that epochscope draws is written at ten steps; in the later half with numbers and words
/// that are found again wherever they are shown.
fn log() -> String {
    let mut text = String::from(
        "{\"epochscope\":1,\"t\":\"run\",\"name\":\"a\"}\n\
         {\"t\":\"classes\",\"task\":\"main\",\"names\":[\"animal:cat\",\"animal:dog\",\"vehicle:car\"]}\n",
    );
    for i in 1..=10_i64 {
        let step = i * 100;
        let later = step > 500;
        let n = |now: f64| if later { LATER } else { now + 0.01 * i as f64 };
        let mut put = |line: String| writeln!(text, "{line}").unwrap();
        put(format!(
            "{{\"t\":\"scalar\",\"step\":{step},\"wall\":{},\"split\":\"train\",\"v\":{{\"loss\":{},\"acc\":{},\"cockpit/alpha\":{}}}}}",
            1.75e9 + step as f64,
            n(2.0),
            n(0.5),
            n(0.1)
        ));
        put(format!(
            "{{\"t\":\"scalar\",\"step\":{step},\"split\":\"val\",\"v\":{{\"loss\":{},\"acc\":{}}}}}",
            n(2.1),
            n(0.4)
        ));
        for (layer, nan) in [("conv1", 0), ("fc", i64::from(later) * 77_777)] {
            for kind in ["weight", "grad"] {
                put(format!(
                    "{{\"t\":\"layer\",\"step\":{step},\"name\":\"{layer}\",\"kind\":\"{kind}\",\"mean\":{m},\"std\":{m},\"min\":-1,\"max\":{m},\"norm\":{m},\"absmean\":{m},\"numel\":100,\"nan\":{nan},\"update_norm\":{m},\"alpha\":{m},\"dist_init\":{m}}}",
                    m = n(0.3)
                ));
                put(format!(
                    "{{\"t\":\"hist\",\"step\":{step},\"name\":\"{layer}\",\"kind\":\"{kind}\",\"edges\":[-1,0,{}],\"counts\":[{c},{c}]}}",
                    n(1.0),
                    c = n(50.0)
                ));
            }
            for split in ["train", "val"] {
                put(format!(
                    "{{\"t\":\"layer\",\"step\":{step},\"name\":\"{layer}\",\"kind\":\"act\",\"split\":\"{split}\",\"mean\":{m},\"max\":{m},\"density\":{m},\"gdv\":{m},\"dead\":{m},\"disc\":{{\"eta2_mean\":{m}}}}}",
                    m = n(0.2)
                ));
            }
            put(format!(
                "{{\"t\":\"perplexity\",\"step\":{step},\"layer\":\"{layer}\",\"filters\":4,\"n\":100,\"edges\":[1,2,4],\"counts\":[{c},{c}]}}",
                c = n(50.0)
            ));
            for stat in ["mean_act", "max_act", "eta2"] {
                put(format!(
                    "{{\"t\":\"units\",\"step\":{step},\"layer\":\"{layer}\",\"stat\":\"{stat}\",\"v\":[0.1,{m},0.3,0],\"freq\":[0.5,{m},0.2,0]}}",
                    m = n(0.2)
                ));
            }
            put(format!(
                "{{\"t\":\"credit\",\"step\":{step},\"layer\":\"{layer}\",\"method\":\"grad*act\",\"target\":{{\"layer\":\"fc\",\"unit\":1,\"value\":{m}}},\"unit\":[0,1],\"c\":[1,{m}],\"total\":{m}}}",
                m = n(2.0)
            ));
            put(format!(
                "{{\"t\":\"sim\",\"step\":{step},\"layer\":\"{layer}\",\"to\":{{\"step\":0}},\"method\":\"cka_unbiased\",\"value\":{}}}",
                n(0.5)
            ));
            put(format!(
                "{{\"t\":\"map\",\"step\":{step},\"kind\":\"filter\",\"layer\":\"{layer}\",\"v\":[[[0.1,{}],[0.2,0]]]}}",
                n(0.4)
            ));
        }
        put(format!(
            "{{\"t\":\"sim\",\"step\":{step},\"method\":\"cka_unbiased\",\"layers\":[\"conv1\",\"fc\"],\"m\":[[1,{m}],[{m},1]]}}",
            m = n(0.4)
        ));
        put(format!(
            "{{\"t\":\"noise\",\"step\":{step},\"b_small\":10,\"b_big\":100,\"g2_small\":{},\"g2_big\":5}}",
            n(14.0)
        ));
        put(format!(
            "{{\"t\":\"confusion\",\"step\":{step},\"epoch\":{i},\"split\":\"val\",\"rows\":\"true\",\"labels\":\"main\",\"m\":[[50,{m},1],[4,44,2],[0,1,60]]}}",
            m = n(3.0).round()
        ));
        put(format!(
            "{{\"t\":\"pred\",\"step\":{step},\"epoch\":{i},\"split\":\"val\",\"id\":[\"a\",\"{}\"],\"y\":[0,1],\"p\":[[0.7,0.2,0.1],[0.1,0.3,0.6]]}}",
            if later { "FUTURE" } else { "b" }
        ));
    }
    text
}

fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.scope.jsonl"), log()).unwrap();
    let session = read_folder(folder.path(), true);
    let mut desk = Desk::new(Theme::new(Depth::Ansi256, false));
    (desk.store, desk.alerts, desk.health) = (session.store, session.alerts, session.health);
    desk
}

/// Whether a frame tells of the later half.
fn tells(text: &str) -> Option<&str> {
    let told = |line: &&str| {
        let plain = line.replace([',', '\u{202f}', '\u{2009}'], "");
        plain.contains("7777")
            || plain.contains("FUTURE")
            || plain.contains("77.8k")
            || plain.contains("7.78e4")
    };
    text.lines().find(told)
}

fn ways() -> [&'static [KeyCode]; 9] {
    use KeyCode::{Char, Enter};
    [
        &[],
        &[Enter],
        &[Enter, Char('t')],
        &[Enter, Char('v')],
        &[Enter, Char('v'), Char('v')],
        &[Char('t')],
        &[Char('o'), Char('j')],
        &[Char('v')],
        &[Char('N'), Char('l')],
    ]
}

#[test]
fn no_view_shows_what_came_after_the_cursor() {
    for make in VIEWS {
        let view = make().name();
        // Which bytes of a file were read is no data of a step.
        if view == "files" {
            continue;
        }
        let mut live = String::new();
        for keys in ways() {
            let mut desk = desk();
            open(&mut desk, view, "a");
            desk.screen.selection_mut().cursor = Some(500);
            for (width, height) in [(80, 24), (200, 50)] {
                frame(&mut desk, width, height);
                for key in keys {
                    desk.key(*key);
                }
                let text = frame(&mut desk, width, height);
                assert_eq!(tells(&text), None, "{view} after {keys:?} tells of the future:\n{text}");
                // A key may have gone elsewhere: back to where the next size begins.
                open(&mut desk, view, "a");
                desk.screen.selection_mut().cursor = Some(500);
            }
            desk.keys("0");
            open(&mut desk, view, "a");
            live += &frame(&mut desk, 200, 50);
        }
        assert!(tells(&live).is_some(), "{view} shows nothing of the records at all:\n{live}");
    }
}

#[test]
fn alerts_of_the_future_are_not_told_and_come_back() {
    let mut desk = desk();
    assert!(desk.alerts.alerts().any(|a| a.step > Some(500)), "the later half raises alerts");
    open(&mut desk, "alerts", "a");
    desk.screen.selection_mut().cursor = Some(500);
    let past = frame(&mut desk, 120, 40);
    assert!(past.lines().next().unwrap().contains("no trouble"), "{past}");
    desk.keys("0");
    let now = frame(&mut desk, 120, 40);
    assert!(!now.lines().next().unwrap().contains("no trouble"), "{now}");
}

#[test]
fn t_20_between_two_records_the_earlier_one_is_shown_and_said_so() {
    let mut desk = desk();
    open(&mut desk, "layers", "a");
    desk.screen.selection_mut().cursor = Some(250);
    let text = frame(&mut desk, 120, 30);
    assert!(text.contains("record 2 of 10, of step 200"), "{text}");
    let strip = text.lines().rev().nth(1).unwrap();
    assert!(strip.contains('▼') && strip.contains('│'), "{strip}");
    desk.screen.selection_mut().cursor = Some(50);
    let before = frame(&mut desk, 120, 30);
    assert!(before.contains("no record yet, the first is at step 100"), "{before}");
}

#[test]
fn the_cursor_stops_at_the_records_of_the_view_and_ends_live() {
    let mut desk = desk();
    open(&mut desk, "classes", "a");
    desk.keys("[");
    assert_eq!(desk.screen.selection().cursor, Some(900));
    desk.keys("{");
    assert_eq!(desk.screen.selection().cursor, Some(100));
    desk.keys("]]");
    assert_eq!(desk.screen.selection().cursor, Some(300));
    desk.keys("}");
    assert_eq!(desk.screen.selection().cursor, None, "behind the last record it is live again");
}

#[test]
fn play_goes_from_record_to_record_at_its_pace_and_ends_live() {
    let desk = desk();
    let mut screen = Screen::new(desk.theme, ScreenOptions::default());
    let at = |now: f64| FrameContext {
        store: &desk.store,
        alerts: &desk.alerts,
        health: &desk.health,
        now: WallTime(now),
        theme: &desk.theme,
        background: &Inline,
    };
    let place = Place { view: "layers", run: Some(RunId::from("a")), ..Place::default() };
    assert!(screen.open(&place, at(0.0)));
    let area = Rect::new(0, 0, 80, 24);
    let mut cursors = Vec::new();
    screen.key(KeyCode::Char('P').into(), at(0.0));
    for tenth in 0..60 {
        let mut buffer = Buffer::empty(area);
        screen.draw(at(f64::from(tenth) / 10.0), area, &mut buffer);
        if cursors.last() != Some(&screen.selection().cursor) {
            cursors.push(screen.selection().cursor);
        }
        let waits =
            screen.next_tick(at(f64::from(tenth) / 10.0)).is_some_and(|wait| wait.as_secs_f64() < 1.0);
        assert_eq!(waits, screen.selection().cursor.is_some(), "it wakes by itself while it plays");
    }
    let wanted: Vec<Option<i64>> = (1..=10).map(|i| Some(i * 100)).chain([None]).collect();
    assert_eq!(cursors, wanted);
}

#[test]
fn a_strip_has_its_place_at_every_size() {
    let mut desk = desk();
    open(&mut desk, "curves", "a");
    desk.screen.selection_mut().cursor = Some(500);
    for (width, height) in [(30, 8), (30, 10), (40, 12), (80, 24), (300, 9), (31, 60)] {
        let text = sessions::text(&desk.draw(width, height));
        assert_eq!(text.contains("record 5 of 10"), height >= 10, "{width}×{height}\n{text}");
    }
}
