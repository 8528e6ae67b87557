//! What every view must do, and what the screen looks like.
//!
//! The conformance tests run over [`VIEWS`]; a new view needs nothing here.

use std::collections::BTreeSet;

use epochscope::{
    model::{Batch, RunId, SeriesKey, WallTime},
    ui::{
        Action, FrameContext, Request, Theme, VIEWS,
        keymap::{self, GLOBAL},
        theme::Depth,
    },
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind},
    layout::Rect,
};

use crate::sessions::{Desk, NOW, column, full, hostile, origin, text, text_and_styles};

const SIZES: [(u16, u16); 8] = [(0, 0), (1, 1), (29, 7), (30, 8), (40, 12), (80, 24), (200, 50), (500, 10)];

fn view_keys() -> impl Iterator<Item = char> {
    ('1'..='9').take(VIEWS.len())
}

/// No cell may hold what a terminal would obey.
fn assert_harmless(buffer: &Buffer, what: &str) {
    for cell in buffer.content() {
        let bad =
            cell.symbol().chars().find(|c| epochscope::model::sanitise(&c.to_string()) != c.to_string());
        // Joiners inside of one grapheme do not reach here: sanitise replaces them first.
        assert!(bad.is_none(), "{what}: {:?}", cell.symbol());
    }
}

#[test]
fn views_have_their_own_names_titles_and_help() {
    let views: Vec<_> = VIEWS.iter().map(|make| make()).collect();
    let names: BTreeSet<&str> = views.iter().map(|v| v.name()).collect();
    let titles: BTreeSet<&str> = views.iter().map(|v| v.title()).collect();
    assert_eq!((names.len(), titles.len()), (views.len(), views.len()));
    for view in &views {
        assert!(!view.summary().is_empty() && !view.name().contains(char::is_uppercase), "{}", view.name());
    }
}

#[test]
fn keys_of_a_view_are_unique_and_mean_what_they_mean_everywhere() {
    for view in VIEWS.iter().map(|make| make()) {
        let mut seen = BTreeSet::new();
        for binding in view.bindings() {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty(), "{}: {binding:?}", view.name());
            assert!(binding.help.chars().count() <= 41, "cut in the help: {}", binding.help);
            for key in binding.keys {
                assert!(seen.insert(key.to_string()), "{}: {key} twice", view.name());
                let elsewhere = GLOBAL.iter().find(|b| b.keys.contains(key)).map(|b| b.action);
                assert!(
                    elsewhere.is_none_or(|action| action == binding.action),
                    "{}: {key} is {elsewhere:?} everywhere else",
                    view.name()
                );
            }
        }
    }
}

#[test]
fn every_view_draws_every_session_at_every_size() {
    for (what, make) in
        [("empty", (|| Desk::new(Theme::default())) as fn() -> Desk), ("full", full), ("hostile", hostile)]
    {
        let mut desk = make();
        for key in view_keys() {
            desk.key(KeyCode::Char(key));
            for (width, height) in SIZES {
                let buffer = desk.draw(width, height);
                assert_harmless(&buffer, &format!("{what}, view {key}, {width}x{height}"));
            }
        }
    }
}

#[test]
fn every_view_survives_every_key_on_every_session() {
    let codes: Vec<KeyCode> = (' '..='~')
        .filter(|c| *c != 'q')
        .map(KeyCode::Char)
        .chain([
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Tab,
            KeyCode::BackTab,
        ])
        .collect();
    for mut desk in [Desk::new(Theme::default()), full(), hostile()] {
        for view in view_keys() {
            for (round, size) in [(80, 24), (30, 8), (170, 40)].into_iter().enumerate() {
                desk.key(KeyCode::Esc);
                desk.key(KeyCode::Esc);
                desk.key(KeyCode::Char(view));
                for i in 0..codes.len() {
                    // A different order in each round, so that keys meet in different states.
                    let code = codes[(i * [1, 37, 61][round]) % codes.len()];
                    for request in desk.key(code) {
                        assert!(!matches!(request, Request::Quit), "{code:?}");
                    }
                    if round == 0 || i % 4 == 0 {
                        let buffer = desk.draw(size.0, size.1);
                        assert_harmless(&buffer, &format!("view {view} after {code:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn every_cell_can_be_clicked() {
    for mut desk in [Desk::new(Theme::default()), full(), hostile()] {
        for view in view_keys() {
            for (column, row) in (0..80).step_by(7).flat_map(|x| (0..24).map(move |y| (x, y))) {
                desk.key(KeyCode::Char(view));
                desk.draw(80, 24);
                desk.mouse(MouseEventKind::Down(MouseButton::Left), column, row);
            }
            desk.mouse(MouseEventKind::ScrollDown, 5, 5);
            desk.mouse(MouseEventKind::ScrollUp, 5, 5);
        }
    }
}

#[test]
fn without_colours_and_unicode_nothing_else_is_written() {
    let mut desk = full();
    desk.set_theme(Theme::new(Depth::None, true));
    for key in view_keys() {
        desk.key(KeyCode::Char(key));
        for (width, height) in SIZES {
            for cell in desk.draw(width, height).content() {
                assert!(cell.symbol().is_ascii(), "view {key}: {:?}", cell.symbol());
                assert_eq!(cell.fg, ratatui::style::Color::Reset, "view {key}: {:?}", cell.symbol());
                assert_eq!(cell.bg, ratatui::style::Color::Reset, "view {key}: {:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn help_lists_every_binding_of_the_table() {
    let mut desk = full();
    desk.draw(200, 50);
    desk.keys("2?");
    let shown = text(&desk.draw(200, 60));
    let view = VIEWS[1]();
    for row in keymap::rows(view.bindings()) {
        assert!(shown.contains(row.help), "{}:\n{shown}", row.help);
    }
    desk.keys("q");
    assert!(!text(&desk.draw(200, 60)).contains("command palette"));
}

#[test]
fn quitting_and_suspending_work_from_everywhere() {
    let mut desk = full();
    assert_eq!(desk.key(KeyCode::Char('q')), [Request::Quit]);
    for opener in ['/', ':', '?'] {
        desk.keys(&opener.to_string());
        assert_eq!(desk.control('z'), [Request::Suspend]);
        assert_eq!(desk.control('c'), [Request::Quit]);
        desk.key(KeyCode::Esc);
    }
}

#[test]
fn the_filter_narrows_what_is_listed_and_escape_clears_it() {
    let mut desk = full();
    desk.keys("/vgg");
    let shown = text(&desk.draw(80, 24));
    assert!(shown.contains("vgg/run_2") && !shown.contains("lr_low"), "{shown}");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("/vgg"));
    // Each view has its own.
    desk.keys("2");
    assert!(text(&desk.draw(200, 50)).contains("grad_norm"));
    desk.keys("1");
    desk.key(KeyCode::Esc);
    assert!(text(&desk.draw(80, 24)).contains("lr_low"));
    desk.keys("/");
    desk.screen.paste("lr_\x1b[2Jhigh\nsecond line");
    assert_eq!(desk.screen.selection().filter, "lr_[2Jhigh");
}

#[test]
fn a_newcomer_reads_which_run_is_in_trouble_in_the_first_line() {
    let shown = text(&full().draw(80, 24));
    let line = shown.lines().nth(1).unwrap();
    assert!(line.contains("2 of 6 runs need attention: lr_high (divergence)"), "{line}");
    let mut calm = full();
    for id in calm.alerts.alerts().map(|a| a.id).collect::<Vec<_>>() {
        calm.alerts.mute(id);
    }
    assert!(text(&calm.draw(80, 24)).contains("6 runs, none needs attention"));
}

#[test]
fn the_open_view_is_named_at_every_width() {
    let mut desk = full();
    for (key, view) in view_keys().zip(VIEWS) {
        desk.keys(&key.to_string());
        for width in 30..=80 {
            let shown = text(&desk.draw(width, 12));
            let line = shown.lines().next().unwrap();
            assert!(line.contains(&format!("{key} {}", view().title())), "{width}: {line}");
        }
    }
}

#[test]
fn the_selection_stays_when_a_run_appears_before_it() {
    let mut desk = full();
    desk.keys("oj");
    assert_eq!(desk.screen.selection().run, Some(RunId::from("lr_high")));
    desk.store.apply(&Batch::new(RunId::from("aaa"), origin()));
    desk.draw(80, 24);
    assert_eq!(desk.screen.selection().run, Some(RunId::from("lr_high")));
    desk.keys("k");
    assert_eq!(desk.screen.selection().run, Some(RunId::from("baseline")));
}

#[test]
fn marked_runs_are_overlaid_and_named() {
    let mut desk = full();
    desk.keys("o j");
    desk.key(KeyCode::Enter);
    let shown = text(&desk.draw(120, 40));
    let header = shown.lines().nth(1).unwrap();
    assert!(header.contains("A lr_high") && header.contains("B baseline"), "{header}");
}

#[test]
fn the_time_cursor_and_freeze_hide_what_came_later() {
    let mut desk = full();
    desk.screen.selection_mut().cursor = Some(500);
    desk.keys("2");
    desk.key(KeyCode::Enter);
    let shown = text(&desk.draw(80, 24));
    assert!(shown.contains("AT STEP 500"), "{shown}");
    desk.keys("0f");
    let before = desk.draw(80, 24);
    append(&mut desk, 1000);
    let after = desk.draw(80, 24);
    assert_eq!(text(&before), text(&after));
    desk.keys("f");
    assert_ne!(text(&before), text(&desk.draw(80, 24)));
}

#[test]
fn values_are_read_with_the_keyboard() {
    let mut desk = full();
    // Without a choice the run in the worst trouble is shown; the third row is the first without any.
    desk.draw(100, 30);
    desk.keys("jj2");
    desk.draw(100, 30);
    desk.key(KeyCode::Enter);
    desk.draw(100, 30);
    desk.keys("v");
    let end = text(&desk.draw(100, 30));
    assert!(end.contains("values") && end.contains("step 999"), "{end}");
    desk.keys("hhh");
    let earlier = text(&desk.draw(100, 30));
    assert!(!earlier.contains("step 999"), "{earlier}");
    desk.key(KeyCode::Home);
    assert!(text(&desk.draw(100, 30)).contains("step 0"));
    let requests = desk.key(KeyCode::Char('c'));
    assert!(
        matches!(&requests[..], [Request::Copy(t)] if t.contains("baseline\ttrain/loss\t0\t")),
        "{requests:?}"
    );
    let requests = desk.key(KeyCode::Char('e'));
    assert!(matches!(&requests[..], [Request::Export { text, .. }] if text.lines().count() > 1000));
}

#[test]
fn a_spike_of_one_step_and_a_nan_are_seen() {
    let mut desk = full();
    desk.keys("2");
    let shown = text(&desk.draw(80, 24));
    let spike = shown.lines().skip_while(|l| !l.contains("grad_norm")).nth(2).unwrap();
    assert!(spike.contains(['⢸', '⡇', '⣿']), "{shown}");
    desk.screen.selection_mut().run = Some(RunId::from("lr_high"));
    let shown = text(&desk.draw(80, 24));
    assert!(shown.contains("△ 60 NaN/Inf") && shown.contains("train NaN"), "{shown}");
}

fn append(desk: &mut Desk, step: i64) {
    let mut batch = Batch::new(RunId::from("baseline"), origin());
    let value = 0.15 + 0.1 * ((step as f64) * 12.9898).sin();
    batch.columns.push(column(SeriesKey::plain("train/loss"), std::iter::once((step, value))));
    desk.store.apply(&batch);
}

fn changed_cells(before: &Buffer, after: &Buffer) -> usize {
    before.content().iter().zip(after.content()).filter(|(a, b)| a != b).count()
}

#[test]
fn a_new_point_changes_a_handful_of_cells() {
    let mut desk = full();
    for view in view_keys() {
        desk.keys(&view.to_string());
        let mut counts = Vec::new();
        let mut before = desk.draw(200, 50);
        for step in 0..100 {
            append(&mut desk, 1000 + step + 100 * i64::from(view.to_digit(10).unwrap()));
            let after = desk.draw(200, 50);
            counts.push(changed_cells(&before, &after));
            before = after;
        }
        counts.sort_unstable();
        assert!(counts[50] < 60, "view {view}: median {}", counts[50]);
    }
}

#[test]
fn a_quiet_screen_asks_for_no_ticks_except_when_an_age_changes() {
    let mut desk = full();
    desk.draw(200, 50);
    let wait = desk.next_tick().unwrap().as_secs_f64();
    // The newest record is 100.5 s old; its age reads the same until it is five minutes old.
    assert!((wait - 199.5).abs() < 1.0, "{wait}");
    desk.keys("f");
    desk.draw(200, 50);
    assert_eq!(desk.next_tick(), None);
}

#[test]
fn the_palette_finds_actions_by_name() {
    let mut desk = full();
    desk.keys(":smoo");
    assert!(text(&desk.draw(80, 24)).contains("smoothing"));
    desk.key(KeyCode::Enter);
    assert!((desk.screen.selection().smoothing - 0.3).abs() < 1e-9);
    assert!(GLOBAL.iter().any(|b| b.action == Action::Smoothing));
}

#[test]
fn screens_look_as_they_did() {
    for (width, height) in [(80, 24), (200, 50), (40, 12)] {
        let mut desk = full();
        let theme = desk.theme;
        for (key, name) in [('1', "runs"), ('2', "curves")] {
            desk.keys(&key.to_string());
            insta::assert_snapshot!(
                format!("{name}_{width}x{height}"),
                text_and_styles(&desk.draw(width, height), &theme)
            );
        }
    }
    let mut desk = full();
    desk.keys(" j ");
    desk.keys("2s");
    desk.draw(100, 30);
    desk.key(KeyCode::Enter);
    desk.draw(100, 30);
    desk.keys("v");
    let theme = desk.theme;
    insta::assert_snapshot!("curves_compared_100x30", text_and_styles(&desk.draw(100, 30), &theme));
    let mut desk = Desk::new(Theme::new(Depth::None, true));
    insta::assert_snapshot!("empty_40x12", text(&desk.draw(40, 12)));
    let mut desk = full();
    desk.set_theme(Theme::new(Depth::None, true));
    desk.keys("2");
    insta::assert_snapshot!("curves_ascii_80x24", text(&desk.draw(80, 24)));
}

impl Desk {
    fn context(&self) -> FrameContext<'_> {
        FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(NOW),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        }
    }

    pub fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        let context = FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(NOW),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        };
        self.screen.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }, context);
    }

    fn control(&mut self, letter: char) -> Vec<Request> {
        let context = FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(NOW),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        };
        self.screen.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL), context)
    }

    fn next_tick(&self) -> Option<std::time::Duration> {
        self.screen.next_tick(self.context())
    }
}

#[test]
fn an_area_inside_of_a_larger_buffer_is_respected() {
    let mut desk = full();
    for view in view_keys() {
        desk.keys(&view.to_string());
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 40));
        let area = Rect::new(10, 5, 60, 20);
        let context = FrameContext {
            store: &desk.store,
            alerts: &desk.alerts,
            health: &desk.health,
            now: WallTime(NOW),
            theme: &desk.theme,
            background: &epochscope::ui::background::Inline,
        };
        desk.screen.draw(context, area, &mut buffer);
        for y in 0..40 {
            for x in 0..100 {
                if !area.contains((x, y).into()) {
                    assert_eq!(buffer[(x, y)].symbol(), " ", "view {view}: {x},{y}");
                }
            }
        }
    }
}
