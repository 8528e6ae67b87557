//! The view *Alerts*: what is wrong, since when, by which numbers, what to do.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    detect::{Alert, AlertState, Severity},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Place, Request, Selection, View,
        keymap::Key,
        numbers::count,
        text::{fit, put},
        theme::Role,
        widgets::table::{Layout, Window, position},
    },
};

mod card;
mod evidence;
mod explanations;
mod order;
mod quiet;
mod rows;
mod why;

use card::Card;
use evidence::Evidence;
use order::Order;

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Alerts::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Enter], action: Action::Open, help: "show the place in Curves or Layers" },
    Binding { keys: &[Key::Char('a')], action: Action::Acknowledge, help: "mark the alert as seen" },
    Binding {
        keys: &[Key::Char('z')],
        action: Action::Snooze,
        help: "put it off: 1 h, 4 h, 24 h, not any more",
    },
    Binding {
        keys: &[Key::Char('m')],
        action: Action::Mute,
        help: "mute its rule in this run, or unmute it",
    },
    Binding {
        keys: &[Key::Char('R')],
        action: Action::MuteEverywhere,
        help: "mute its rule in all runs, or unmute it",
    },
    Binding {
        keys: &[Key::Char('i')],
        action: Action::Explain,
        help: "why: thresholds, and what fools the rule",
    },
    Binding { keys: &[Key::Char('l'), Key::Right], action: Action::Right, help: "unfold what it explains" },
    Binding { keys: &[Key::Char('h'), Key::Left], action: Action::Left, help: "fold it" },
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "alerts of all runs, of this run" },
    Binding { keys: &[Key::Char('c')], action: Action::Copy, help: "copy the alert" },
];

/// Rows of the list that stay visible before the card gets any.
const LIST_ROWS: u16 = 4;

/// State of the view.
#[derive(Default)]
struct Alerts {
    /// By number, so that new alerts do not move it.
    selected: Option<u64>,
    this_run: bool,
    /// The card says why.
    why: bool,
    evidence: Evidence,
    order: Order,
    window: Window,
    rows: Rect,
}

impl View for Alerts {
    fn name(&self) -> &'static str {
        "alerts"
    }

    fn title(&self) -> &'static str {
        "Alerts"
    }

    fn summary(&self) -> &'static str {
        "what is wrong, since when, by which numbers, what to do; Enter goes there"
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
            Action::Down => self.step(1, context, selection),
            Action::Up => self.step(-1, context, selection),
            Action::PageDown => self.step(page, context, selection),
            Action::PageUp => self.step(-page, context, selection),
            Action::First => self.step(isize::MIN, context, selection),
            Action::Last => self.step(isize::MAX, context, selection),
            Action::Kind => {
                self.this_run = !self.this_run;
                return Outcome::Say(format!(
                    "alerts of {}",
                    if self.this_run { "the selected run" } else { "all runs" }
                ));
            }
            Action::Right => self.fold(true, context, selection),
            Action::Left => self.fold(false, context, selection),
            Action::Explain => self.why = !self.why,
            Action::Back if self.why => self.why = false,
            Action::Open => return self.chosen(context, selection).map_or(Outcome::Done, opened),
            Action::Acknowledge => return self.request(context, selection, Request::Acknowledge),
            Action::Snooze => return self.request(context, selection, Request::Snooze),
            Action::MuteEverywhere => return self.request(context, selection, Request::MuteEverywhere),
            Action::Mute => return self.request(context, selection, Request::Mute),
            Action::Copy => {
                return self
                    .chosen(context, selection)
                    .map_or(Outcome::Done, |alert| Outcome::Request(Request::Copy(card::as_text(alert))));
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn show(&mut self, place: &Place, context: FrameContext<'_>, selection: &mut Selection) {
        if let Some(run) = &place.run {
            self.selected = context.alerts.worst_open(run).map(|a| a.id);
            selection.filter.clear();
        }
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        self.rows = Rect::ZERO;
        if area.height < 2 || area.width < 8 {
            return;
        }
        self.refresh(context, selection);
        let index = self.index();
        let Some(alert) = self.order.entries.get(index).and_then(|e| context.alerts.get(e.id)) else {
            quiet::draw(context, selection, self.this_run, area, buffer);
            return;
        };
        self.header(context, selection, area, buffer);
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let shown = Card { alert, why: self.why };
        let wanted = shown.height(context, selection, body.width);
        let all = u16::try_from(self.order.entries.len()).unwrap_or(u16::MAX).saturating_add(1);
        let most = body.height.saturating_sub(all.min(LIST_ROWS + 1));
        let card_height = wanted.min(most);
        let list = Rect { height: body.height - card_height, ..body };
        let card = Rect { y: list.bottom(), height: card_height, ..body };
        self.list(context, selection, index, list, buffer);
        shown.draw(context, selection, &mut self.evidence, card, buffer);
    }

    fn click(&mut self, _: u16, row: u16, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        if row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        let at = self.window.top + usize::from(row - self.rows.y);
        let Some(entry) = self.order.entries.get(at).copied() else { return Outcome::Done };
        let id = entry.id;
        if self.order.entries.get(self.index()).map(|e| e.id) == Some(id) {
            if entry.folded {
                self.order.unfold(id, true);
                return Outcome::Done;
            }
            return self.chosen(context, selection).map_or(Outcome::Done, opened);
        }
        self.selected = Some(id);
        Outcome::Done
    }
}

impl Alerts {
    fn refresh(&mut self, context: FrameContext<'_>, selection: &Selection) {
        let run = if self.this_run { selection.run_in(context.store).map(|r| r.id().clone()) } else { None };
        self.order.refresh((context.alerts, context.store), run.as_ref(), &selection.filter);
    }

    fn index(&self) -> usize {
        let position = |id: u64| self.order.entries.iter().position(|e| e.id == id);
        self.selected.and_then(|id| position(id).or_else(|| position(self.order.root_of(id)))).unwrap_or(0)
    }

    /// Shows or hides what the selected alert explains; folding from within goes to the one above.
    fn fold(&mut self, open: bool, context: FrameContext<'_>, selection: &Selection) {
        let Some(id) = self.chosen(context, selection).map(|a| a.id) else { return };
        let root = self.order.root_of(id);
        self.selected = Some(if open { id } else { root });
        self.order.unfold(root, open);
    }

    fn step(&mut self, by: isize, context: FrameContext<'_>, selection: &Selection) {
        self.refresh(context, selection);
        let next = self.index().saturating_add_signed(by).min(self.order.entries.len().saturating_sub(1));
        self.selected = self.order.entries.get(next).map(|e| e.id);
    }

    fn chosen<'a>(&mut self, context: FrameContext<'a>, selection: &Selection) -> Option<&'a Alert> {
        self.refresh(context, selection);
        self.order.entries.get(self.index()).and_then(|e| context.alerts.get(e.id))
    }

    /// Asks for something to be done to the selected alert, which stays selected when the order changes.
    fn request(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        make: fn(u64) -> Request,
    ) -> Outcome {
        let Some(id) = self.chosen(context, selection).map(|a| a.id) else { return Outcome::Done };
        self.selected = Some(id);
        Outcome::Request(make(id))
    }

    /// How many of what; says when the filter or the choice of a run hides some.
    fn header(&self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let theme = context.theme;
        let (mut open, mut explained, mut muted, mut later, mut closed) = ([0_u64; 3], 0_u64, 0, 0, 0);
        for entry in &self.order.all {
            match context.alerts.get(entry.id) {
                Some(a) if a.state == AlertState::Closed => closed += 1,
                Some(a) if a.muted => muted += 1,
                Some(a) if a.snoozed_until.is_some() => later += 1,
                Some(a) if a.caused_by.is_some() => explained += 1,
                Some(a) => open[a.severity as usize] += 1,
                None => {}
            }
        }
        let mut x = area.x;
        for severity in Severity::ALL.into_iter().rev() {
            let n = open[severity as usize];
            let text = format!("{} {} {}  ", theme.mark(severity), count(n), severity.name());
            let style = if n > 0 { theme.severity(severity) } else { theme.muted() };
            x = put(buffer, x, area.y, &text, area.right().saturating_sub(x), style);
        }
        let mut rest = Vec::new();
        for (n, word) in
            [(explained, "explained by them"), (later, "put off"), (muted, "muted"), (closed, "closed")]
        {
            if n > 0 {
                rest.push(format!("{} {word}", count(n)));
            }
        }
        let lost = context.alerts.counts().not_kept;
        if lost > 0 {
            rest.push(format!("{} more of the same not listed", count(lost)));
        }
        if self.this_run {
            rest.push("of this run".to_owned());
        }
        if !selection.filter.is_empty() {
            rest.push(format!("matching {:?}", selection.filter));
        }
        let room = area.right().saturating_sub(x);
        let text = fit(&rest.join(theme.glyph(" · ", " | ")), usize::from(room), theme.ascii);
        put(buffer, x, area.y, &text, room, theme.muted());
    }

    fn list(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        index: usize,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let entries = &self.order.entries;
        let (columns, known) = rows::columns(context, entries);
        let layout = Layout::new(&columns, area.width);
        layout.head(&columns, None, theme, Rect { height: 1, ..area }, buffer);
        self.rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let visible = self.window.follow(index, entries.len(), usize::from(self.rows.height));
        for (y, i) in (self.rows.y..).zip(visible.clone()) {
            let Some(alert) = context.alerts.get(entries[i].id) else { continue };
            let place = Rect { y, height: 1, ..area };
            let cell = |c: usize| rows::cell(context, selection, &entries[i], alert, known[c]);
            layout.row(&columns, cell, i == index, theme, place, buffer);
        }
        let note = position(&visible, entries.len(), theme.ascii);
        let style = theme.style(Role::Accent);
        crate::ui::text::put_right(buffer, area.x, area.right(), area.y, &note, style);
    }
}

/// Where the alert points: the layer it names, else its series.
fn opened(alert: &Alert) -> Outcome {
    let view = if alert.layer.is_some() { "layers" } else { "curves" };
    Outcome::Open(Place {
        view,
        run: Some(alert.run.clone()),
        series: alert.series.clone(),
        layer: alert.layer.clone(),
        step: alert.step,
    })
}
