//! All runs: which one is in trouble, where each stands, how its loss goes.
//!
//! Only rows on screen are computed, so that thousands of runs cost as much as fifty.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    detect::state,
    model::RunId,
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Place, Request, Selection, View,
        keymap::Key,
        numbers,
        text::{columns, fit, put, put_right},
        theme::Role,
        views::curves::legend::run_name,
    },
};

mod detail;
mod explanations;
mod facts;
mod order;
mod overview;
mod table;
pub mod trouble;

use detail::Detail;
use facts::Memory;
use order::{Listing, Order, headline};
use overview::Overview;
use table::{Column, RowSource};
use trouble::Trouble;

/// Makes the view.
pub fn view() -> Box<dyn View> {
    Box::new(Runs::default())
}

#[derive(Default)]
struct Runs {
    listing: Listing,
    memory: Memory,
    detail: Detail,
    overview: Overview,
    order: Order,
    /// First row on screen.
    scroll: usize,
    /// Where the rows were drawn last.
    rows: Rect,
    shows_ages: bool,
}

const BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('j'), Key::Down], action: Action::Down, help: "next run" },
    Binding { keys: &[Key::Char('k'), Key::Up], action: Action::Up, help: "previous run" },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "curves of the run" },
    Binding { keys: &[Key::Char(' ')], action: Action::Mark, help: "mark the run for comparison" },
    Binding { keys: &[Key::Char('o')], action: Action::Sort, help: "order: name, trouble, newest, best" },
    Binding {
        keys: &[Key::Char('a')],
        action: Action::Acknowledge,
        help: "acknowledge the run's worst alert",
    },
    Binding { keys: &[Key::Char('m')], action: Action::Mute, help: "mute the run's worst alert" },
    Binding { keys: &[Key::Char('e')], action: Action::Export, help: "export the list as CSV" },
    Binding { keys: &[Key::Char('c')], action: Action::Copy, help: "copy the run's name" },
];

impl View for Runs {
    fn name(&self) -> &'static str {
        "runs"
    }

    fn title(&self) -> &'static str {
        "Runs"
    }

    fn summary(&self) -> &'static str {
        "all runs: state, progress, main loss, best value, worst alert"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::EXPLANATIONS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down | Action::NextRun => self.move_by(context, selection, 1),
            Action::Up | Action::PreviousRun => self.move_by(context, selection, -1),
            Action::PageDown => self.move_by(context, selection, page),
            Action::PageUp => self.move_by(context, selection, -page),
            Action::First => self.move_by(context, selection, isize::MIN / 2),
            Action::Last => self.move_by(context, selection, isize::MAX / 2),
            Action::Open => {
                let run = selection.run_in(context.store).map(|r| r.id().clone());
                return Outcome::Open(Place { view: "curves", run, ..Place::default() });
            }
            Action::Sort => {
                self.order = self.order.next();
                return Outcome::Say(format!("order: {}", self.order.name()));
            }
            Action::Acknowledge | Action::Mute => return on_worst_alert(action, context, selection),
            Action::Export => return self.export(context, selection),
            Action::Copy => {
                return selection.run_in(context.store).map_or(Outcome::Ignored, |run| {
                    Outcome::Request(Request::Copy(run.id().as_str().to_owned()))
                });
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        self.rows = Rect::ZERO;
        self.shows_ages = false;
        if area.is_empty() {
            return;
        }
        if context.store.run_count() == 0 {
            draw_waiting(context, area, buffer);
            return;
        }
        let trouble = Trouble::of(context.alerts);
        let (list, pane) = split(area);
        self.draw_headline(context, &trouble, Rect { height: 1, ..area }, buffer);
        self.draw_list(context, selection, &trouble, list, buffer);
        if let Some(run) = selection.run_in(context.store).filter(|_| !pane.is_empty()) {
            let facts = self.memory.of(run);
            self.detail.draw(context, selection, run, facts, pane, buffer);
        }
    }

    fn click(&mut self, _: u16, row: u16, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        if row < self.rows.top() || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        let index = self.scroll + usize::from(row - self.rows.top());
        let ids = self.listing.ids(context, selection, self.order, &mut self.memory);
        let Some(id) = ids.get(index).cloned() else { return Outcome::Ignored };
        if selection.run.as_ref() == Some(&id) {
            return Outcome::Open(Place { view: "curves", run: Some(id), ..Place::default() });
        }
        selection.run = Some(id);
        Outcome::Done
    }

    fn shows_ages(&self) -> bool {
        self.shows_ages
    }
}

/// The list and the pane of the selected run: beside it where there is width, below where there is height.
fn split(area: Rect) -> (Rect, Rect) {
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if area.width >= 160 {
        let list = Rect { width: area.width - (area.width / 3).max(60), ..body };
        let pane = Rect { x: list.right() + 1, width: body.width - list.width - 1, ..body };
        (list, pane)
    } else if body.height >= 18 {
        let pane_height = (body.height * 2 / 5).max(8);
        let list = Rect { height: body.height - pane_height, ..body };
        (list, Rect { y: list.bottom(), height: pane_height, ..body })
    } else {
        (body, Rect { height: 0, ..body })
    }
}

impl Runs {
    fn draw_headline(
        &self,
        context: FrameContext<'_>,
        trouble: &Trouble<'_>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let order = if area.width >= 60 { format!("by {} (o)", self.order.name()) } else { String::new() };
        let right = put_right(buffer, area.x, area.right().saturating_sub(1), area.y, &order, theme.muted());
        let (severity, text) = headline(trouble, context.store.run_count(), area.width < 60);
        let mut x = area.x + 1;
        if let Some(severity) = severity {
            x = put(buffer, x, area.y, theme.mark(severity), 1, theme.severity(severity)) + 1;
        }
        let room = right.saturating_sub(x + 1);
        let style = severity.map_or(theme.style(Role::Good), |s| theme.severity(s));
        put(buffer, x, area.y, &fit(&text, usize::from(room), theme.ascii), room, style);
    }

    fn draw_list(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        trouble: &Trouble<'_>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let longest = self.longest_name(context, selection, area.height);
        let places = table::places(area, longest);
        let by = match self.order {
            Order::Name => Column::Name,
            Order::Trouble => Column::Alert,
            Order::Newest => Column::Age,
            Order::Best => Column::Best,
        };
        table::draw_titles(theme, &places, by, area.y, buffer);
        let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.shows_ages = places.iter().any(|p| p.column == Column::Age);
        let ids = self.listing.ids(context, selection, self.order, &mut self.memory).to_vec();
        let chosen = selection.run_in(context.store).map(|r| r.id().clone());
        let at = chosen.as_ref().and_then(|id| ids.iter().position(|i| i == id));
        let spare = Overview::area(rows, ids.len());
        let rows = Rect { height: rows.height - spare.height, ..rows };
        self.rows = rows;
        let height = usize::from(rows.height);
        if let Some(at) = at {
            self.scroll = self.scroll.clamp((at + 1).saturating_sub(height), at);
        }
        self.scroll = self.scroll.min(ids.len().saturating_sub(height));
        if ids.is_empty() {
            put(buffer, rows.x + 1, rows.y, "no run matches the filter", rows.width, theme.muted());
        }
        for (i, id) in ids.iter().enumerate().skip(self.scroll).take(height) {
            let Some(run) = context.store.run(id) else { continue };
            let y = rows.y + (i - self.scroll) as u16;
            let number = (!spare.is_empty()).then_some(i);
            let source = RowSource { context, selection, trouble, run, number };
            table::draw_row(&source, self.memory.of(run), &places, y, buffer);
            if Some(i) == at {
                mark_selected(context, Rect { y, height: 1, ..rows }, buffer);
            }
        }
        if !spare.is_empty() {
            self.overview.draw(context, selection, &mut self.memory, (&ids, at), spare, buffer);
        }
        let hidden = ids.len().saturating_sub(self.scroll + height);
        if hidden > 0 && rows.height > 1 {
            let text = format!(" {} more below ", numbers::count(hidden as u64));
            put_right(buffer, rows.x, rows.right(), rows.bottom() - 1, &text, theme.muted());
        }
    }

    /// Of the rows that may be on screen; in steps of four, so that scrolling seldom moves the columns.
    fn longest_name(&mut self, context: FrameContext<'_>, selection: &Selection, rows: u16) -> u16 {
        let ids = self.listing.ids(context, selection, self.order, &mut self.memory);
        let names = ids.iter().skip(self.scroll).take(rows.into()).filter_map(|id| context.store.run(id));
        let longest = names.map(|run| columns(&run_name(run, 40, false))).max().unwrap_or(0);
        longest.next_multiple_of(4) as u16
    }

    fn move_by(&mut self, context: FrameContext<'_>, selection: &mut Selection, by: isize) {
        let ids: &[RunId] = self.listing.ids(context, selection, self.order, &mut self.memory);
        let at = selection.run_in(context.store).and_then(|r| ids.iter().position(|id| id == r.id()));
        let next = at.map_or(0, |at| at.saturating_add_signed(by)).min(ids.len().saturating_sub(1));
        if let Some(id) = ids.get(next) {
            selection.run = Some(id.clone());
        }
    }

    /// All listed runs, not only those on screen.
    fn export(&mut self, context: FrameContext<'_>, selection: &Selection) -> Outcome {
        let ids = self.listing.ids(context, selection, self.order, &mut self.memory).to_vec();
        let trouble = Trouble::of(context.alerts);
        let mut text = String::from("run,state,step,epoch,main_loss,last,best,best_step,alert\n");
        for run in ids.iter().filter_map(|id| context.store.run(id)) {
            let until = selection.until(run.id());
            let state = state::run_state(run, context.health, context.now, selection.stale_after_s);
            let facts = self.memory.of(run);
            let last = facts.spark(run, until).last;
            let best = facts.best(run, until);
            let or_empty = |v: Option<String>| v.unwrap_or_default();
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{}",
                quoted(run.id().as_str()),
                state.name(),
                or_empty(run.last_step().map(|s| s.to_string())),
                or_empty(run.epoch().map(|e| e.to_string())),
                or_empty(facts.main_loss.as_ref().map(|k| quoted(&k.label()))),
                or_empty(last.map(|v| v.to_string())),
                or_empty(best.as_ref().map(|b| b.value.to_string())),
                or_empty(best.as_ref().map(|b| b.step.to_string())),
                trouble.of_run(run.id()).map_or("", |a| a.rule),
            );
        }
        Outcome::Request(Request::Export { name: "runs.csv".to_owned(), text })
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// A bar of the selected colour that keeps the colours of what it lies under, and a mark for those without colours.
fn mark_selected(context: FrameContext<'_>, row: Rect, buffer: &mut Buffer) {
    let style = context.theme.selected();
    for x in row.left()..row.right() {
        if let Some(cell) = buffer.cell_mut((x, row.y)) {
            let plain = cell.fg == ratatui::style::Color::Reset;
            let fg = cell.fg;
            cell.set_style(style);
            if !plain && style.fg.is_some() {
                cell.set_fg(fg);
            }
        }
    }
    put(buffer, row.x, row.y, context.theme.glyph("▌", ">"), 1, context.theme.accent().patch(style));
}

fn on_worst_alert(action: Action, context: FrameContext<'_>, selection: &Selection) -> Outcome {
    let trouble = Trouble::of(context.alerts);
    let alert = selection.run_in(context.store).and_then(|run| trouble.of_run(run.id()));
    alert.map_or_else(
        || Outcome::Say("this run has no open alert".to_owned()),
        |alert| {
            Outcome::Request(if action == Action::Mute {
                Request::Mute(alert.id)
            } else {
                Request::Acknowledge(alert.id)
            })
        },
    )
}

fn draw_waiting(context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let scan = &context.health.scan;
    let lines = [
        (
            if scan.complete { "no training logs here yet" } else { "looking for training logs" }.to_owned(),
            theme.title(),
        ),
        (format!("{} folders, {} files seen", scan.folders, scan.files_seen), theme.muted()),
        (String::new(), theme.muted()),
        ("TensorBoard event files, *.scope.jsonl, JSON lines and CSV are read".to_owned(), theme.muted()),
        (
            "as soon as they appear; `epochscope doctor` says what was ignored and why".to_owned(),
            theme.muted(),
        ),
    ];
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (i, (text, style)) in lines.iter().enumerate() {
        let y = top + i as u16;
        if y >= area.bottom() {
            break;
        }
        let text = fit(text, usize::from(area.width), theme.ascii);
        let width = columns(&text) as u16;
        put(buffer, area.x + (area.width - width.min(area.width)) / 2, y, &text, area.width, *style);
    }
}
