//! One layer, page by page: its histogram over time, as bands, what changed, its filters, its units, every number.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{ArtefactKind, LayerKind, RunId, Step},
    store::{LayerRow, LayerTrack, Run, StoredHistogram, up_to},
    ui::{
        Action, FrameContext, Outcome, Theme,
        numbers::count,
        text::{fit, put},
        widgets::{distribution::Bars, prose},
    },
};

mod bands;
mod change;
mod explanations;
mod filters;
mod history;
mod inspector;
mod kernels;
mod statistics;
mod units_page;

pub(super) use explanations::EXPLANATIONS;

/// What is opened.
pub(super) struct What<'a> {
    pub run: &'a Run,
    pub row: &'a LayerRow,
    pub kind: LayerKind,
    pub until: Option<Step>,
}

/// What is shown of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Page {
    #[default]
    History,
    Bands,
    Change,
    Filters,
    Units,
    Inspector,
}

/// In the order in which the key walks them.
const PAGES: [(Page, &str); 6] = [
    (Page::History, "over time"),
    (Page::Bands, "bands"),
    (Page::Change, "change"),
    (Page::Filters, "filters"),
    (Page::Units, "units"),
    (Page::Inspector, "inspector"),
];

impl Page {
    fn place(self) -> usize {
        PAGES.iter().position(|(page, _)| *page == self).unwrap_or(0)
    }

    fn next(self) -> Self {
        PAGES[(self.place() + 1) % PAGES.len()].0
    }
}

/// On what the numbers of units depend: run, layer, time cursor, how much was read.
type Asked = (RunId, String, Option<Step>, u64);

/// Which page is open and where its cursors are. The same for all layers, so that one page can be compared over them.
#[derive(Default)]
pub(super) struct Detail {
    page: Page,
    base: change::Base,
    cursor: usize,
    order: units_page::Order,
    /// Worked out once for each state of the records.
    known: Option<(Asked, Known)>,
}

/// What is known of the units of the layer.
struct Known {
    figures: units_page::Figures,
    /// The step of their largest responses.
    most_step: Option<Step>,
    kernels: Option<kernels::Kernels>,
}

impl Detail {
    /// Does what a key asks for while a layer is open; [`Outcome::Ignored`] is the table's.
    pub fn act(&mut self, action: Action, what: &What<'_>) -> Outcome {
        let walk = |by: isize| if by < 0 { Action::Left } else { Action::Right };
        match action {
            Action::Values | Action::Open => {
                self.page = self.page.next();
                self.cursor = 0;
            }
            Action::Sort if self.page == Page::Units => {
                self.order = self.order.next();
                self.cursor = 0;
                return Outcome::Say(self.order.name().to_owned());
            }
            Action::Left | Action::Right => {
                let by = if action == walk(-1) { -1 } else { 1 };
                self.step(by, what);
            }
            Action::PageDown => self.step(10, what),
            Action::PageUp => self.step(-10, what),
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn step(&mut self, by: isize, what: &What<'_>) {
        let most = match self.page {
            Page::Change => {
                self.base = self.base.moved(change::moments(what), by);
                return;
            }
            Page::Filters => filters::walked(self.known(what)),
            Page::Units => self.known(what).figures.units.units.len(),
            Page::History | Page::Bands | Page::Inspector => 0,
        };
        self.cursor = self.cursor.saturating_add_signed(by).min(most.saturating_sub(1));
    }

    /// Draws the open page under a header and the names of all pages.
    pub fn draw(&mut self, context: FrameContext<'_>, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
        let theme = context.theme;
        if area.height < 2 {
            return;
        }
        header(theme, what, area, buffer);
        let tabs = u16::from(area.height >= 7);
        if tabs > 0 {
            self.tabs(theme, Rect { y: area.y + 1, height: 1, ..area }, buffer);
        }
        let body = Rect { y: area.y + 1 + tabs, height: area.height - 1 - tabs, ..area };
        match self.page {
            Page::History => history::draw(theme, what, body, buffer),
            Page::Bands => bands::draw(theme, what, body, buffer),
            Page::Change => change::draw(theme, what, self.base, body, buffer),
            Page::Filters => {
                let cursor = self.cursor;
                filters::draw(theme, what, self.known(what), cursor, body, buffer);
            }
            Page::Units => {
                let how = (self.order, self.cursor);
                units_page::draw(theme, what, &self.known(what).figures, how, body, buffer);
            }
            Page::Inspector => inspector::draw(theme, what, body, buffer),
        }
    }

    /// Names of the pages, the open one in brackets.
    fn tabs(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        if area.width < 60 {
            let place = self.page.place();
            let text = format!("[{}] page {} of {} (v)", PAGES[place].1, place + 1, PAGES.len());
            let text = fit(&text, usize::from(area.width), theme.ascii);
            put(buffer, area.x, area.y, &text, area.width, theme.accent());
            return;
        }
        let mut x = put(buffer, area.x, area.y, "v  ", area.width, theme.muted());
        for (page, name) in PAGES {
            let (text, style) = if page == self.page {
                (format!("[{name}]"), theme.accent())
            } else {
                (format!(" {name} "), theme.muted())
            };
            x = put(buffer, x, area.y, &text, area.right().saturating_sub(x), style) + 1;
        }
    }

    fn known(&mut self, what: &What<'_>) -> &Known {
        let layer = what.row.layer.as_str();
        let kinds = [ArtefactKind::Units, ArtefactKind::Responses, ArtefactKind::Map];
        let read = kinds.into_iter().flat_map(|kind| what.run.tracks(kind));
        let read = read.map(|(key, _)| what.run.track_count(key)).sum();
        let asked = (what.run.id().clone(), layer.to_owned(), what.until, read);
        if self.known.as_ref().is_some_and(|(of, _)| *of != asked) {
            self.known = None;
        }
        let read = || Known {
            figures: units_page::Figures::of(what),
            most_step: filters::most_step(what),
            kernels: kernels::newest(what),
        };
        let (_, known) = self.known.get_or_insert_with(|| (asked, read()));
        known
    }
}

/// A small ridgeline of one layer, with a caption, for below the table.
pub(super) fn preview(theme: &Theme, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    let histograms = histograms(what);
    if histograms.is_empty() || area.height < 4 || area.width < 20 {
        return;
    }
    let text = format!("{} of {} over time; Enter opens it", what.kind, what.row.layer);
    put(buffer, area.x, area.y, &fit(&text, usize::from(area.width), theme.ascii), area.width, theme.muted());
    history::ridges(theme, &histograms, Rect { y: area.y + 1, height: area.height - 1, ..area }, buffer);
}

fn header(theme: &Theme, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    let dot = theme.glyph(" · ", " | ");
    let track = what.row.track(what.kind);
    let records = track.map(|t| up_to(t.records(), what.until)).unwrap_or_default();
    let mut parts = vec![what.row.layer.as_str().to_owned(), format!("{} (t)", what.kind)];
    if let (Some(first), Some(last)) = (records.first(), records.last()) {
        parts.push(if what.until.is_some() {
            format!("as it was at step {}", last.step)
        } else {
            format!("step {} to {}", first.step, last.step)
        });
    }
    if let Some(track) = track.filter(|_| what.until.is_none()) {
        parts.push(format!("{} records", count(track.count())));
    }
    if area.width >= 60 {
        parts.push("Esc back, j k other layers".to_owned());
        parts.push(what.run.title().to_owned());
    }
    let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
}

/// Says that nothing of this page was logged, or not yet at the cursor.
fn without(theme: &Theme, missing: &str, until: Option<Step>, area: Rect, buffer: &mut Buffer) {
    let text = match until {
        Some(step) => format!("No {missing} up to step {step}; 0 back to live."),
        None => format!("No {missing} was logged; docs/NATIVE_LOG.md says which record brings it."),
    };
    prose::draw(theme, &[(text, theme.muted())], area, buffer);
}

/// Histograms of the chosen kind up to the cursor; empty ones are left out.
fn histograms<'a>(what: &What<'a>) -> Vec<&'a StoredHistogram> {
    let all = what.row.track(what.kind).map(LayerTrack::histograms).unwrap_or_default();
    all.iter()
        .filter(|h| what.until.is_none_or(|until| h.step <= until))
        .filter(|h| bars(h).total() > 0.0)
        .collect()
}

fn bars(histogram: &StoredHistogram) -> Bars<'_> {
    Bars { edges: &histogram.edges, counts: &histogram.counts }
}
