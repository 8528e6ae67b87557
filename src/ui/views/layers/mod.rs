//! The view *Layers*: a row a layer in the order of the network: whether it is stable, how large it is, what its units do;
//! `Enter` opens one: its histogram over time.

use std::sync::LazyLock;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{ArtefactKind, LayerKind, LayerName, Step},
    store::{LayerTrack, Run},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Place, Selection, View,
        keymap::Key,
        views::units::cause::RootCause,
        widgets::table::{Column, Layout, Window},
    },
};

mod detail;
mod empty;
mod explanations;
mod field;
mod figures;
mod flow;
mod groups;
mod heat;
mod list;
mod moves;
mod state;
mod summary;
mod table;
mod trouble;

use field::Field;
use groups::Group;
use heat::{Map, Quantity};
use list::{Lines, Order};

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Layers::default())
}

/// Those of the table, then those of a layer's own pages.
static ALL_EXPLANATIONS: LazyLock<Vec<Explanation>> =
    LazyLock::new(|| [explanations::EXPLANATIONS, detail::EXPLANATIONS].concat());

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Enter], action: Action::Open, help: "the layer's own pages" },
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "stability, norms, units, tensors" },
    Binding { keys: &[Key::Char('o')], action: Action::Sort, help: "order by the next column" },
    Binding {
        keys: &[Key::Char('v')],
        action: Action::Values,
        help: "table, flow, over time; a layer's pages",
    },
    Binding {
        keys: &[Key::Char('i')],
        action: Action::Explain,
        help: "the layer that left its history first",
    },
    Binding { keys: &[Key::Char('h'), Key::Left], action: Action::Left, help: "over time: quantity before" },
    Binding { keys: &[Key::Char('l'), Key::Right], action: Action::Right, help: "over time: next quantity" },
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

/// What fills the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Page {
    /// The table, below it the gradient's flow where there is room.
    #[default]
    Table,
    /// The gradient's flow alone.
    Flow,
    /// Layers over time.
    Map,
}

/// State of the view.
struct Layers {
    /// By name, so that an order that changes does not move it.
    selected: Option<LayerName>,
    kind: LayerKind,
    group: Group,
    order: Order,
    page: Page,
    quantity: Quantity,
    opened: bool,
    detail: detail::Detail,
    cause: RootCause,
    lines: Lines,
    map: Map,
    /// The columns that were drawn last.
    columns: Vec<(Field, Column)>,
    window: Window,
    visible: std::ops::Range<usize>,
    head: Rect,
    rows: Rect,
    /// The table had the room to show the flow below it.
    flow_is_below: bool,
    /// Layers over time are on screen.
    map_is_shown: bool,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            selected: None,
            kind: LayerKind::Gradients,
            group: Group::default(),
            order: Order::default(),
            page: Page::default(),
            quantity: Quantity::default(),
            opened: false,
            detail: detail::Detail::default(),
            cause: RootCause::default(),
            lines: Lines::default(),
            map: Map::default(),
            columns: Vec::new(),
            window: Window::default(),
            visible: 0..0,
            head: Rect::ZERO,
            rows: Rect::ZERO,
            flow_is_below: false,
            map_is_shown: false,
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
        "which layers are stable, norms, gradients, units; a layer's histogram over time"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        &ALL_EXPLANATIONS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        if self.opened {
            self.refresh(run, context, selection);
        }
        if self.opened
            && let Some(row) = self.opened_row(run)
        {
            let what = detail::What { run, row, kind: self.kind, until: selection.until(run.id()) };
            let outcome = self.detail.act(action, &what);
            if outcome != Outcome::Ignored {
                return outcome;
            }
        }
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down => self.step(1, run, context, selection),
            Action::Up => self.step(-1, run, context, selection),
            Action::PageDown => self.step(page, run, context, selection),
            Action::PageUp => self.step(-page, run, context, selection),
            Action::First => self.step(isize::MIN, run, context, selection),
            Action::Last => self.step(isize::MAX, run, context, selection),
            Action::Kind if self.opened => self.next_kind(run),
            Action::Kind => return self.next_group(run, context, selection),
            Action::Sort if !self.opened => return self.next_order(),
            Action::Values if !self.opened => self.next_page(run, context, selection),
            Action::Left if self.map_is_shown => self.quantity = self.quantity.next(&self.lines, run, -1),
            Action::Right if self.map_is_shown => self.quantity = self.quantity.next(&self.lines, run, 1),
            Action::Open => return self.open(run, context, selection),
            Action::Explain => return self.open_cause(run, context, selection),
            Action::Back if self.opened => self.opened = false,
            Action::Back if self.page != Page::Table => self.page = Page::Table,
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        run_of(context, selection).map_or_else(Vec::new, moments)
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
        self.map_is_shown = false;
        if area.height < 2 || area.width < 8 {
            return;
        }
        let Some(run) = run_of(context, selection).filter(|r| has_layers(r)) else {
            empty::draw(context, selection, area, buffer);
            return;
        };
        self.choose_kind(run);
        self.refresh(run, context, selection);
        if self.opened
            && let Some(row) = self.opened_row(run)
        {
            let what = detail::What { run, row, kind: self.kind, until: selection.until(run.id()) };
            self.detail.draw(context, &what, area, buffer);
            return;
        }
        let theme = context.theme;
        // Below the first line what explains the trouble, then states and hint.
        let said = match area.height {
            14.. => 2,
            9.. => 1,
            _ => 0,
        };
        let until = selection.until(run.id());
        let below = Rect { y: area.y + 1, height: said, ..area };
        let top = 1 + self.cause.draw(context, run, until, below, buffer);
        let head = summary::Head {
            run,
            until,
            silence: self.lines.all.iter().filter_map(|l| l.figures.step).max().and_then(|s| silence(run, s)),
            about: match self.page {
                Page::Table => format!("{} (t)", self.group.name()),
                Page::Flow => "gradient flow (v)".to_owned(),
                Page::Map => "over time (v)".to_owned(),
            },
        };
        let said = summary::rows(&self.lines, area.height);
        // On a low screen the table and its chart keep their rows.
        let said = if area.height < 26 { said.saturating_sub(top - 1) } else { said };
        summary::draw(theme, &self.lines, Rect { y: area.y + top, height: said, ..area }, buffer);
        let body = Rect { y: area.y + top + said, height: area.height - top - said, ..area };
        let index = self.lines.row(self.index()).map(|l| l.figures.index);
        match self.page {
            Page::Table => self.table(run, context, selection, body, buffer),
            Page::Flow => flow::draw(theme, &self.lines.all, index, body, buffer),
            Page::Map => {
                self.map_is_shown = true;
                let what = heat::What {
                    run,
                    lines: &self.lines,
                    quantity: self.quantity,
                    until: head.until,
                    selected: index,
                    alone: true,
                };
                heat::draw(&mut self.map, theme, &what, body, buffer);
            }
        }
        let taken = self.position(theme, area, buffer);
        let room = Rect { width: area.width.saturating_sub(taken), ..area };
        summary::header(theme, &self.lines, &head, room, buffer);
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
            let columns: Vec<Column> = self.columns.iter().map(|(_, column)| *column).collect();
            let layout = Layout::new(&columns, self.head.width);
            let clicked = layout.column_at(column.saturating_sub(self.head.x));
            if let Some((field, _)) = clicked.and_then(|c| self.columns.get(c)) {
                let again = self.order.field == *field;
                self.order = Order { field: *field, reversed: again && !self.order.reversed };
            }
            return Outcome::Done;
        }
        if row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        self.refresh(run, context, selection);
        let at = self.window.top + usize::from(row - self.rows.y);
        if let Some(line) = self.lines.row(at) {
            let name = LayerName::from(line.figures.name.as_str());
            self.opened = self.selected.as_ref() == Some(&name) && self.opened_row(run).is_some();
            self.selected = Some(name);
        }
        Outcome::Done
    }
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    selection.run_with(context.store, has_layers)
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

/// Whether anything was logged of any layer.
fn has_layers(run: &Run) -> bool {
    !run.layers().is_empty() || BESIDE.into_iter().any(|kind| run.tracks(kind).next().is_some())
}

/// Records of layers that are kept apart from statistics and histograms.
const BESIDE: [ArtefactKind; 3] = [ArtefactKind::Perplexity, ArtefactKind::Responses, ArtefactKind::Units];

/// The steps of the tensor and of the other subject that were logged most often.
fn moments(run: &Run) -> Vec<Step> {
    let mut steps: Vec<Step> = longest(run).iter().map(|r| r.step).collect();
    let others = BESIDE.into_iter().flat_map(|kind| run.tracks(kind)).map(|(_, records)| records);
    let other = others.max_by_key(|records| records.len()).unwrap_or_default();
    steps.extend(other.iter().filter_map(|r| r.artefact.step));
    steps.sort_unstable();
    steps.dedup();
    steps
}
