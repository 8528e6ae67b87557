//! The view *Cockpit*: the instruments of a training step, spectra and similarities of layers, instances over epochs.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{ArtefactKind, LayerKind, Step},
    store::{LayerRow, Run},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Selection, View,
        keymap::Key,
        text::{columns, fit, put},
        widgets::table::Window,
    },
};

mod compact;
mod explanations;
mod gauges;
mod instances;
mod layers;
mod missing;
mod readings;
mod similarity;
mod steps;

use instances::Dynamics;
use layers::{LayerReadings, Order};
use missing::Missing;
use readings::Readings;
use similarity::Similarities;

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Cockpit::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "steps, layers, similarity, instances" },
    Binding { keys: &[Key::Char('j'), Key::Down], action: Action::Down, help: "row below" },
    Binding { keys: &[Key::Char('k'), Key::Up], action: Action::Up, help: "row above" },
    Binding { keys: &[Key::Char('h'), Key::Left], action: Action::Left, help: "layer to the left" },
    Binding { keys: &[Key::Char('l'), Key::Right], action: Action::Right, help: "layer to the right" },
    Binding { keys: &[Key::Char('o')], action: Action::Sort, help: "order of layers" },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "next similarity matrix of the run" },
];

/// What is on screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Page {
    #[default]
    Steps,
    Layers,
    Similarity,
    Instances,
}

const PAGES: [(Page, &str); 4] = [
    (Page::Steps, "steps"),
    (Page::Layers, "layers"),
    (Page::Similarity, "similarity"),
    (Page::Instances, "instances"),
];

/// State of the view.
#[derive(Default)]
struct Cockpit {
    /// `None`: the first page that has something.
    page: Option<Page>,
    readings: Readings,
    layers: LayerReadings,
    order: Order,
    row: usize,
    window: Window,
    /// Where the rows of the layers were drawn last.
    rows: Rect,
    similarities: Similarities,
    dynamics: Dynamics,
}

impl View for Cockpit {
    fn name(&self) -> &'static str {
        "cockpit"
    }

    fn title(&self) -> &'static str {
        "Cockpit"
    }

    fn summary(&self) -> &'static str {
        "where steps end, norms, gradient noise, spectra and similarities of layers, instances over epochs"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::ALL
    }

    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        let Some(run) = run_of(context, selection) else { return Vec::new() };
        match self.page_of(run) {
            Page::Steps => readings::moments(run),
            Page::Layers => layers::moments(run),
            Page::Similarity => similarity::moments(run),
            Page::Instances => instances::moments(run),
        }
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection).filter(|run| has_any(run)) else {
            return Outcome::Ignored;
        };
        let page = self.page_of(run);
        let screenful = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Kind => {
                let at = PAGES.iter().position(|(p, _)| *p == page).unwrap_or(0);
                self.page = PAGES.get((at + 1) % PAGES.len()).map(|(p, _)| *p);
            }
            Action::Down => self.step(page, 1),
            Action::Up => self.step(page, -1),
            Action::PageDown => self.step(page, screenful),
            Action::PageUp => self.step(page, -screenful),
            Action::First => self.step(page, isize::MIN),
            Action::Last => self.step(page, isize::MAX),
            Action::Right if page == Page::Similarity => self.similarities.right(1),
            Action::Left if page == Page::Similarity => self.similarities.right(-1),
            Action::Open if page == Page::Similarity => return Outcome::Say(self.similarities.next(run)),
            Action::Sort if page == Page::Similarity => {
                return Outcome::Say(self.similarities.toggle_order().to_owned());
            }
            Action::Sort if page == Page::Layers => {
                self.order = self.order.next();
                return Outcome::Say(format!("layers {}", self.order.name()));
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        self.rows = Rect::ZERO;
        if area.height < 2 || area.width < 8 {
            return;
        }
        let Some(run) = run_of(context, selection).filter(|run| has_any(run)) else {
            missing::draw_all(context, selection, has_any, area, buffer);
            return;
        };
        let until = selection.until(run.id());
        let page = self.page_of(run);
        header(context, page, run, until, area, buffer);
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let theme = context.theme;
        match page {
            Page::Steps => {
                self.readings.refresh(run, until);
                if self.readings.is_empty() && until.is_some() && !readings::moments(run).is_empty() {
                    nothing_yet(context, &readings::moments(run), body, buffer);
                } else {
                    steps::draw(context, &self.readings, body, buffer);
                }
            }
            Page::Layers => {
                self.layers.refresh(run, until);
                if !self.layers.is_empty() {
                    self.row = self.row.min(self.layers.rows.len() - 1);
                    self.rows = layers::draw(
                        context,
                        &self.layers,
                        self.order,
                        self.row,
                        &mut self.window,
                        body,
                        buffer,
                    );
                } else if until.is_some() && !layers::moments(run).is_empty() {
                    nothing_yet(context, &layers::moments(run), body, buffer);
                } else {
                    missing::draw(theme, Missing::Layers, body, buffer);
                }
            }
            Page::Similarity if similarity::any(run) => {
                self.similarities.draw(context, run, until, body, buffer);
            }
            Page::Similarity => missing::draw(theme, Missing::Similarity, body, buffer),
            Page::Instances if instances::any(run) => self.dynamics.draw(context, run, until, body, buffer),
            Page::Instances => missing::draw(theme, Missing::Instances, body, buffer),
        }
    }

    fn click(&mut self, _: u16, row: u16, _: FrameContext<'_>, _: &mut Selection) -> Outcome {
        if row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        let at = self.window.top + usize::from(row - self.rows.y);
        self.row = at.min(self.layers.rows.len().saturating_sub(1));
        Outcome::Done
    }
}

impl Cockpit {
    /// The chosen page, else the first that has something.
    fn page_of(&self, run: &Run) -> Page {
        self.page.unwrap_or_else(|| {
            PAGES.iter().map(|(page, _)| *page).find(|page| has(run, *page)).unwrap_or_default()
        })
    }

    fn step(&mut self, page: Page, by: isize) {
        match page {
            Page::Steps => {}
            Page::Layers => {
                let last = self.layers.rows.len().saturating_sub(1);
                self.row = self.row.saturating_add_signed(by).min(last);
            }
            Page::Similarity => self.similarities.down(by),
            Page::Instances => self.dynamics.down(by),
        }
    }
}

/// Whether a run logs something for a page.
fn has(run: &Run, page: Page) -> bool {
    match page {
        Page::Steps => {
            run.tracks(ArtefactKind::Noise).next().is_some()
                || run.series().any(|s| gauges::named(s.key().tag.as_str()).is_some())
                || run.layers().rows().any(has_norms)
        }
        Page::Layers => layers::any(run),
        Page::Similarity => similarity::any(run),
        Page::Instances => instances::any(run),
    }
}

/// Parameters or their gradients are logged, so that the network has norms.
fn has_norms(row: &LayerRow) -> bool {
    row.track(LayerKind::Weights).is_some() || row.track(LayerKind::Gradients).is_some()
}

fn has_any(run: &Run) -> bool {
    PAGES.iter().any(|(page, _)| has(run, *page))
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    selection.run_with(context.store, has_any)
}

/// The pages with the open one marked, the run, and whether this is the past.
fn header(
    context: FrameContext<'_>,
    page: Page,
    run: &Run,
    until: Option<Step>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    let mut x = area.x;
    for (at, (other, name)) in PAGES.iter().enumerate() {
        let open = *other == page;
        let text = if open { format!("[{name}]") } else { format!(" {name} ") };
        // In a narrow screen only the open page is named.
        if area.width < 60 && !open {
            continue;
        }
        let style = if open {
            theme.accent()
        } else if has(run, *other) {
            ratatui::style::Style::new()
        } else {
            theme.muted()
        };
        x = put(buffer, x, area.y, &text, area.right().saturating_sub(x), style);
        if at == PAGES.len() - 1 || area.width < 60 {
            x = put(buffer, x, area.y, "(t)", area.right().saturating_sub(x), theme.muted());
        }
    }
    let dot = theme.glyph(" · ", " | ");
    let mut text = String::new();
    if let Some(step) = until {
        text = format!("{dot}as it was at step {step}");
    }
    text = format!("{text}{dot}{}", run.title());
    let room = usize::from(area.right().saturating_sub(x));
    let text = fit(&text, room, theme.ascii);
    if columns(&text) > 3 {
        put(buffer, x, area.y, &text, room as u16, theme.title());
    }
}

fn nothing_yet(context: FrameContext<'_>, moments: &[Step], area: Rect, buffer: &mut Buffer) {
    let first = moments.first().copied().unwrap_or(0);
    let text =
        format!("nothing of this page up to this step; the first record is at {first}, 0 back to live");
    let text = fit(&text, area.width.into(), context.theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, context.theme.muted());
}
