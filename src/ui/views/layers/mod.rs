//! The view *Layers*: a row a layer in the order of the network; `Enter` opens one: its histogram over time.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{LayerKind, LayerName, Step},
    store::{LayerTrack, Run},
    ui::{
        Action, Binding, FrameContext, Outcome, Place, Selection, View,
        keymap::Key,
        numbers::count,
        text::{fit, put},
        theme::Role,
        widgets::{
            sparkline,
            table::{Layout, Window, position},
        },
    },
};

mod depth;
mod detail;
mod empty;
mod figures;
mod list;
mod trouble;

use list::{Lines, Order};

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Layers::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Enter], action: Action::Open, help: "the layer's histogram over time" },
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "weights, gradients, activations, …" },
    Binding {
        keys: &[Key::Char('o')],
        action: Action::Sort,
        help: "by network, trouble, norms, zeros, change",
    },
];

/// Kinds in the order in which the key goes through them.
const KINDS: [LayerKind; 6] = [
    LayerKind::Gradients,
    LayerKind::Weights,
    LayerKind::Activations,
    LayerKind::Updates,
    LayerKind::Moments,
    LayerKind::Other,
];

/// State of the view.
struct Layers {
    /// By name, so that an order that changes does not move it.
    selected: Option<LayerName>,
    kind: LayerKind,
    order: Order,
    opened: bool,
    lines: Lines,
    window: Window,
    head: Rect,
    rows: Rect,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            selected: None,
            kind: LayerKind::Gradients,
            order: Order::default(),
            opened: false,
            lines: Lines::default(),
            window: Window::default(),
            head: Rect::ZERO,
            rows: Rect::ZERO,
        }
    }
}

impl View for Layers {
    fn name(&self) -> &'static str {
        "layers"
    }

    fn title(&self) -> &'static str {
        "Layers"
    }

    fn summary(&self) -> &'static str {
        "norms, spread, zeros and gradients of each layer; a layer's histogram over time"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down => self.step(1, run, context, selection),
            Action::Up => self.step(-1, run, context, selection),
            Action::PageDown => self.step(page, run, context, selection),
            Action::PageUp => self.step(-page, run, context, selection),
            Action::First => self.step(isize::MIN, run, context, selection),
            Action::Last => self.step(isize::MAX, run, context, selection),
            Action::Kind => return self.next_kind(run),
            Action::Sort if !self.opened => {
                self.order = self.order.next();
                return Outcome::Say(format!("layers {}", self.order.name()));
            }
            Action::Open => self.opened = !run.layers().is_empty(),
            Action::Back if self.opened => self.opened = false,
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        run_of(context, selection).map_or_else(Vec::new, |run| longest(run).iter().map(|r| r.step).collect())
    }

    fn show(&mut self, place: &Place, context: FrameContext<'_>, selection: &mut Selection) {
        let Some(run) = run_of(context, selection) else { return };
        let Some(layer) = &place.layer else { return };
        selection.filter.clear();
        self.selected = Some(layer.clone());
        self.opened = true;
        let row = run.layers().row(layer);
        if let Some(row) = row
            && row.track(self.kind).is_none_or(|t| t.histograms().is_empty())
            && let Some((kind, _)) = row.kinds.iter().find(|(_, t)| !t.histograms().is_empty())
        {
            self.kind = *kind;
        }
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        (self.head, self.rows) = (Rect::ZERO, Rect::ZERO);
        if area.height < 2 || area.width < 8 {
            return;
        }
        let Some(run) = run_of(context, selection).filter(|r| !r.layers().is_empty()) else {
            empty::draw(context, selection, area, buffer);
            return;
        };
        self.choose_kind(run);
        self.refresh(run, context, selection);
        if self.opened
            && let Some(row) = self.opened_row(run)
        {
            let what = detail::What { run, row, kind: self.kind, until: selection.until(run.id()) };
            detail::draw(context, &what, area, buffer);
            return;
        }
        self.overview(run, context, selection, area, buffer);
    }

    fn click(
        &mut self,
        column: u16,
        row: u16,
        context: FrameContext<'_>,
        selection: &mut Selection,
    ) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        if row == self.head.y && self.head.height > 0 {
            let columns = self.columns(self.head.width);
            let layout = Layout::new(&columns, self.head.width);
            if let Some(c) = layout.column_at(column.saturating_sub(self.head.x)) {
                self.order = self.order.by(c);
            }
            return Outcome::Done;
        }
        if row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        self.refresh(run, context, selection);
        let at = self.window.top + usize::from(row - self.rows.y);
        if let Some(line) = self.lines.rows.get(at) {
            let name = LayerName::from(line.figures.name.as_str());
            self.opened = self.selected.as_ref() == Some(&name);
            self.selected = Some(name);
        }
        Outcome::Done
    }
}

impl Layers {
    fn refresh(&mut self, run: &Run, context: FrameContext<'_>, selection: &Selection) {
        let how = (self.kind, selection.until(run.id()), self.order, selection.filter.as_str());
        self.lines.refresh(run, context.alerts, how);
    }

    /// The row of the selected layer; the first one while none is selected.
    fn index(&self) -> usize {
        let name = self.selected.as_ref().map(LayerName::as_str);
        name.and_then(|n| self.lines.rows.iter().position(|l| l.figures.name == n)).unwrap_or(0)
    }

    fn opened_row<'a>(&self, run: &'a Run) -> Option<&'a crate::store::LayerRow> {
        let index = self.lines.rows.get(self.index())?.figures.index;
        let by_name = self.selected.as_ref().and_then(|name| run.layers().row(name));
        by_name.or_else(|| run.layers().rows().nth(index))
    }

    fn step(&mut self, by: isize, run: &Run, context: FrameContext<'_>, selection: &Selection) {
        self.refresh(run, context, selection);
        let last = self.lines.rows.len().saturating_sub(1);
        let next = self.index().saturating_add_signed(by).min(last);
        if let Some(line) = self.lines.rows.get(next) {
            self.selected = Some(LayerName::from(line.figures.name.as_str()));
        }
    }

    /// Falls back to a kind that the run has.
    fn choose_kind(&mut self, run: &Run) {
        let has = |kind| run.layers().rows().any(|r| r.track(kind).is_some());
        if !has(self.kind)
            && let Some(kind) = KINDS.into_iter().find(|k| has(*k))
        {
            self.kind = kind;
        }
    }

    fn next_kind(&mut self, run: &Run) -> Outcome {
        let at = KINDS.iter().position(|k| *k == self.kind).unwrap_or(0);
        let has = |kind| run.layers().rows().any(|r| r.track(kind).is_some());
        if let Some(kind) = (1..=KINDS.len()).map(|i| KINDS[(at + i) % KINDS.len()]).find(|k| has(*k)) {
            self.kind = kind;
        }
        Outcome::Done
    }

    fn columns(&self, width: u16) -> [crate::ui::widgets::table::Column; 11] {
        let mut columns = list::COLUMNS;
        let name = &mut columns[list::NAME];
        name.max = self.lines.name_width.clamp(name.min, name.max);
        // The name may take two fifths before a number has to leave.
        name.min = name.max.min((width * 2 / 5).min(28)).max(name.min);
        columns
    }

    fn overview(
        &mut self,
        run: &Run,
        context: FrameContext<'_>,
        selection: &Selection,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        self.header(run, context, selection, area, buffer);
        let index = self.index();
        let rows = u16::try_from(self.lines.rows.len()).unwrap_or(u16::MAX);
        let profile = if area.height >= 22 && area.width >= 60 {
            area.height.saturating_sub(rows.saturating_add(3)).clamp(5, (area.height / 2).min(18))
        } else {
            0
        };
        let body = Rect { y: area.y + 1, height: area.height - 1 - profile, ..area };
        let columns = self.columns(body.width);
        let layout = Layout::new(&columns, body.width);
        self.head = Rect { height: 1, ..body };
        let falls = self.order.column() != list::NAME;
        layout.head(&columns, Some((self.order.column(), falls)), theme, self.head, buffer);
        self.rows = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
        let lines = &self.lines.rows;
        let visible = self.window.follow(index, lines.len(), usize::from(self.rows.height));
        let until = selection.until(run.id());
        for (y, i) in (self.rows.y..).zip(visible.clone()) {
            let place = Rect { y, height: 1, ..body };
            let selected = i == index;
            layout.row(&columns, |c| list::cell(theme, &lines[i], c), selected, theme, place, buffer);
            if let Some(spot) = layout.place(list::TREND, place)
                && let Some(row) = run.layers().rows().nth(lines[i].figures.index)
            {
                trend(context, row, self.kind, until, spot, buffer);
            }
        }
        if lines.is_empty() {
            let text = format!("no layer matches {:?}; Esc clears the filter", selection.filter);
            put(buffer, body.x + 2, body.y + 1, &text, body.width.saturating_sub(2), theme.muted());
        }
        let note = position(&visible, lines.len(), theme.ascii);
        if !note.is_empty() {
            let style = theme.style(Role::Accent);
            crate::ui::text::put_right(buffer, area.x, area.right(), area.y, &format!(" {note}"), style);
        }
        let here = lines.get(index).map(|l| l.figures.index);
        let mut low = Rect { y: area.bottom() - profile, height: profile, ..area };
        if let Some(row) = here.and_then(|i| run.layers().rows().nth(i))
            && low.width >= 120
            && low.height >= 8
        {
            let half = low.width / 2;
            let right = Rect { x: low.x + half + 2, width: low.width - half - 2, ..low };
            detail::preview(theme, &detail::What { run, row, kind: self.kind, until }, right, buffer);
            low.width = half;
        }
        depth::draw(theme, &self.lines.depth, here, low, buffer);
    }

    /// Which run, which kind, which step; how many layers are in trouble.
    fn header(
        &self,
        run: &Run,
        context: FrameContext<'_>,
        selection: &Selection,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let bad = self.lines.rows.iter().filter(|l| l.trouble.is_trouble()).count();
        let mut parts = Vec::new();
        if bad > 0 {
            parts.push(format!("{} {bad} of {} layers in trouble", theme.glyph("▲", "!"), self.lines.total));
        } else {
            parts.push(format!("{} layers", count(self.lines.total as u64)));
        }
        let newest = self.lines.rows.iter().filter_map(|l| l.figures.step).max();
        parts.push(match (newest, selection.until(run.id())) {
            (None, Some(until)) => format!("no record up to step {until}; 0 back to live"),
            (None, None) => "no record".to_owned(),
            (Some(step), Some(_)) => format!("as it was at step {step}"),
            (Some(step), None) => silence(run, step).unwrap_or_else(|| format!("step {step}")),
        });
        parts.push(format!("{} (t)", self.kind));
        if area.width >= 70 {
            parts.push(run.title().to_owned());
        }
        let style = if bad > 0 { theme.style(Role::Warn) } else { theme.title() };
        let text = fit(&parts.join(theme.glyph(" · ", " | ")), usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y, &text, area.width, style);
    }
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    let some = || context.store.runs().find(|r| !r.layers().is_empty());
    if selection.run.is_none() { some() } else { None }.or_else(|| selection.run_in(context.store))
}

/// What is worth saying when the run goes on and its layers are not logged any more: writers leave histograms out
/// when they hold NaN.
fn silence(run: &Run, newest: Step) -> Option<String> {
    let records = longest(run);
    let interval = records.last()?.step.checked_sub(records.first()?.step)?
        / i64::try_from(records.len().max(2)).unwrap_or(i64::MAX);
    let last = run.last_step()?;
    (last > newest.saturating_add(interval.max(1).saturating_mul(3)))
        .then(|| format!("no layer record since step {newest}, the run is at {last}"))
}

/// The records of the tensor that was logged most often.
fn longest(run: &Run) -> &[crate::store::LayerPoint] {
    let tracks = run.layers().rows().flat_map(|row| row.kinds.values());
    tracks.map(LayerTrack::records).max_by_key(|records| records.len()).unwrap_or_default()
}

/// The norm over all steps up to the cursor, in one row.
fn trend(
    context: FrameContext<'_>,
    row: &crate::store::LayerRow,
    kind: LayerKind,
    until: Option<Step>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(track) = row.track(kind) else { return };
    let records = figures::shown(track.records(), until);
    let points: Vec<[f64; 2]> =
        records.iter().filter_map(|r| figures::norm(&r.stats).map(|n| [r.step as f64, n])).collect();
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let x = (first[0], if last[0] > first[0] { last[0] } else { first[0] + 1.0 });
        sparkline::draw(context.theme, &points, x, context.theme.series(0), area, buffer);
    }
}
