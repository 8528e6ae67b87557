//! The view *Units*: curves of many units thinned to a few that stand for all, who is credited with an output, and which
//! layer was the first to leave its own history.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    analysis::units::{self, Spread},
    model::{ArtefactKind, Step},
    store::{Run, StoredArtefact, up_to},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Place, Selection, View,
        keymap::Key,
        numbers::count,
        text::{fit, put},
        theme::Role,
        widgets::{axis::Bounds, prose, table::Window},
    },
};

pub(super) mod cause;
mod credit;
mod empty;
mod explanations;
mod picks;
mod sampled;
mod spaghetti;

use cause::RootCause;
use sampled::{Chooser, DRAWN, Sampled, Subject};

/// Statistics that are shown first, where a layer has them.
const FIRST: [&str; 3] = ["mean_act", "max_act", "act"];

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Units::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('j'), Key::Down], action: Action::Down, help: "the next layer" },
    Binding { keys: &[Key::Char('k'), Key::Up], action: Action::Up, help: "the layer before" },
    Binding { keys: &[Key::Char('h'), Key::Left], action: Action::Left, help: "the curve before" },
    Binding { keys: &[Key::Char('l'), Key::Right], action: Action::Right, help: "the next curve" },
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "next statistic, or target of credit" },
    Binding { keys: &[Key::Char('v')], action: Action::Values, help: "curves, or credit" },
    Binding { keys: &[Key::Char('N')], action: Action::Normalise, help: "by value, or by shape" },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "the layer's own page" },
    Binding {
        keys: &[Key::Char('i')],
        action: Action::Explain,
        help: "the layer that left its history first",
    },
];

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Page {
    #[default]
    Curves,
    Credit,
}

/// State of the view.
#[derive(Default)]
struct Units {
    layer: Option<Arc<str>>,
    statistic: Option<Arc<str>>,
    target: Option<Arc<str>>,
    page: Page,
    spread: Spread,
    /// The curve that is marked, by its place among the picks.
    marked: usize,
    chooser: Chooser,
    cause: RootCause,
    bounds: Bounds,
    window: Window,
    /// Where the list of curves was drawn last.
    rows: Rect,
}

impl View for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn title(&self) -> &'static str {
        "Units"
    }

    fn summary(&self) -> &'static str {
        "units of a layer over time thinned to a few curves, credit assignment, where a failure began"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::EXPLANATIONS
    }

    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        let Some(run) = run_of(context, selection) else { return Vec::new() };
        let Some(layer) = self.layer_of(run) else {
            // Only the first layer to leave its history can be shown: that follows the records of layers.
            let tracks = run.layers().rows().flat_map(|row| row.kinds.values());
            let longest = tracks.map(crate::store::LayerTrack::records).max_by_key(|records| records.len());
            return longest.unwrap_or_default().iter().map(|r| r.step).collect();
        };
        let tracks = [units::statistics(run, &layer), units::credits(run, &layer)];
        let records = tracks.iter().flatten().flat_map(|(_, records)| *records);
        let mut steps: Vec<Step> = records.filter_map(|r| r.artefact.step).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        match action {
            Action::Down => self.step_layer(run, 1),
            Action::Up => self.step_layer(run, -1),
            Action::First => self.step_layer(run, isize::MIN),
            Action::Last => self.step_layer(run, isize::MAX),
            Action::Left => self.marked = self.marked.saturating_sub(1),
            Action::Right => self.marked = (self.marked + 1).min(DRAWN - 1),
            Action::Kind => self.next_kind(run),
            Action::Values => {
                self.page = if self.page == Page::Curves { Page::Credit } else { Page::Curves };
            }
            Action::Normalise => {
                let next = if self.spread == Spread::Values { Spread::Shapes } else { Spread::Values };
                self.spread = next;
                return Outcome::Say(match next {
                    Spread::Values => "curves are chosen by their values".to_owned(),
                    Spread::Shapes => "curves are chosen by their shape, each on its own scale".to_owned(),
                });
            }
            Action::Open => return self.open(run),
            Action::Explain => return self.open_cause(context, run, selection),
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn show(&mut self, place: &Place, context: FrameContext<'_>, selection: &mut Selection) {
        let Some(run) = run_of(context, selection) else { return };
        let known = units::layers(run);
        if let Some(layer) = place.layer.as_ref().and_then(|layer| units::find(&known, layer)) {
            self.layer = Some(layer.clone());
        }
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        self.rows = Rect::ZERO;
        if area.height < 2 || area.width < 8 {
            return;
        }
        let Some(run) = run_of(context, selection) else {
            empty::draw(context, selection, area, buffer);
            return;
        };
        let until = selection.until(run.id());
        let banner = self.cause.draw(
            context,
            run,
            until,
            Rect { height: if area.height >= 12 { 2 } else { 1 }, ..area },
            buffer,
        );
        let area = Rect { y: area.y + banner, height: area.height - banner, ..area };
        let Some(layer) = self.layer_of(run) else {
            empty::draw(context, selection, area, buffer);
            return;
        };
        let (statistics, credits) = (units::statistics(run, &layer), units::credits(run, &layer));
        let page = match self.page {
            _ if credits.is_empty() => Page::Curves,
            _ if statistics.is_empty() => Page::Credit,
            page => page,
        };
        let both = !statistics.is_empty() && !credits.is_empty() && area.height >= 34;
        let low = if both { (area.height * 2 / 5).min(16) } else { 0 };
        let upper = Rect { height: area.height - low, ..area };
        if both || page == Page::Curves {
            self.curves(context, selection, (run, &layer), &statistics, upper, buffer);
        }
        let place = if both { Rect { y: upper.bottom(), height: low, ..area } } else { area };
        if both || page == Page::Credit {
            let key = chosen(&credits, self.target.as_ref());
            let known = key.map(|at| up_to(credits[at].1, until)).unwrap_or_default();
            let many = if credits.len() > 1 && page == Page::Credit { " (t)" } else { "" };
            credit::draw(context.theme, &layer, known, (until, many), place, buffer);
        }
    }

    fn click(
        &mut self,
        _column: u16,
        row: u16,
        _context: FrameContext<'_>,
        _selection: &mut Selection,
    ) -> Outcome {
        if row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        self.marked = (self.window.top + usize::from(row - self.rows.y)).min(DRAWN - 1);
        Outcome::Done
    }
}

impl Units {
    /// The chosen layer; while none is, or the run lacks it, its first one.
    fn layer_of(&self, run: &Run) -> Option<Arc<str>> {
        let known = units::layers(run);
        let chosen = self.layer.as_ref().filter(|layer| known.contains(layer));
        chosen.or_else(|| known.first()).cloned()
    }

    fn step_layer(&mut self, run: &Run, by: isize) {
        let known = units::layers(run);
        let now = self.layer_of(run);
        let at = known.iter().position(|name| Some(name) == now.as_ref()).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(known.len().saturating_sub(1));
        self.layer = known.get(next).cloned();
        self.marked = 0;
    }

    /// The next statistic, or on the page of credit the next target.
    fn next_kind(&mut self, run: &Run) {
        let Some(layer) = self.layer_of(run) else { return };
        let of_credit = self.page == Page::Credit;
        let known = if of_credit { units::credits(run, &layer) } else { units::statistics(run, &layer) };
        let slot = if of_credit { &mut self.target } else { &mut self.statistic };
        if let Some(at) = chosen(&known, slot.as_ref()) {
            *slot = known.get((at + 1) % known.len()).map(|(name, _)| (*name).clone());
        }
        self.marked = 0;
    }

    /// The page of the chosen layer among the layers.
    fn open(&self, run: &Run) -> Outcome {
        let Some(subject) = self.layer_of(run) else { return Outcome::Done };
        let row = run.layers().rows().find(|row| units::speaks_of(row.layer.as_str(), &subject));
        match row {
            Some(row) => open_layer(run, row.layer.clone()),
            None => Outcome::Say(format!("no layer or histogram records of {subject}")),
        }
    }

    fn open_cause(&mut self, context: FrameContext<'_>, run: &Run, selection: &Selection) -> Outcome {
        match self.cause.find(context, run, selection.until(run.id())).0 {
            Some(cause) => open_layer(run, cause.layer.clone()),
            None => Outcome::Say("no layer has left its own history".to_owned()),
        }
    }

    fn curves(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        (run, layer): (&Run, &Arc<str>),
        statistics: &[(&Arc<str>, &[StoredArtefact])],
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let until = selection.until(run.id());
        let Some((statistic, records)) =
            chosen(statistics, self.statistic.as_ref()).and_then(|at| statistics.get(at))
        else {
            return;
        };
        let records = up_to(records, until);
        let what = Subject { run, layer, statistic, records, until, spread: self.spread };
        let (value, eta2, running) = self.chooser.ask(context, &what);
        let more = if statistics.len() > 1 { " (t)" } else { "" };
        let mut parts = header(&what, more, value);
        if running {
            parts.push("choosing curves…".to_owned());
        }
        if area.width >= 120 {
            parts.push(run.title().to_owned());
        }
        let text = fit(&parts.join(theme.glyph(" · ", " | ")), usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y, &text, area.width, theme.title());
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let Some(sampled) = value else {
            if !running {
                let text = match until {
                    Some(step) => format!("No numbers of units up to step {step}; 0 back to live."),
                    None => "The numbers of these units were too many to be kept in memory.".to_owned(),
                };
                prose::draw(theme, &[(text, theme.muted())], body, buffer);
            }
            return;
        };
        self.marked = self.marked.min(sampled.sample.picks.len() - 1);
        let (chart, list) = split(body);
        let log = selection.log_y;
        spaghetti::draw(theme, sampled, (self.marked, log), &mut self.bounds, chart, buffer);
        self.rows = picks::draw(theme, sampled, eta2, self.marked, &mut self.window, list, buffer);
    }
}

/// Which layer and statistic, how many units, up to when; `more` is the key where there are more statistics.
fn header(what: &Subject<'_>, more: &str, value: Option<&Sampled>) -> Vec<String> {
    let known = units::layers(what.run);
    let place = known.iter().position(|name| name == what.layer).map_or(0, |at| at + 1);
    let statistic = if what.statistic.is_empty() { "units" } else { &**what.statistic };
    let mut parts =
        vec![format!("{} ({place} of {}, j k)", what.layer, known.len()), format!("{statistic}{more}")];
    let Some(Sampled { curves, sample, broken, .. }) = value else { return parts };
    let units = curves.units().len();
    parts.push(format!("{} units, {} drawn", count(units as u64), sample.picks.len()));
    if let (Some(first), Some(last)) = (curves.steps().first(), curves.steps().last()) {
        parts.push(match what.until {
            Some(_) => format!("as it was at step {last}"),
            None => format!("step {first} to {last}"),
        });
    }
    if *broken > 0 {
        parts.push(format!("{} with NaN or Inf", count(*broken as u64)));
    }
    if what.spread == Spread::Shapes {
        parts.push("by shape (N)".to_owned());
    }
    parts
}

/// Room for the chart and for the list of its curves: beside each other where it is wide.
fn split(body: Rect) -> (Rect, Rect) {
    if body.width >= 110 && body.height >= 10 {
        let wide = 52;
        let left = Rect { width: body.width - wide - 2, ..body };
        return (left, Rect { x: left.right() + 2, width: wide, ..body });
    }
    let low = if body.height >= 9 { (body.height * 2 / 5).min(DRAWN as u16 + 1) } else { 0 };
    let upper = Rect { height: body.height - low, ..body };
    (upper, Rect { y: upper.bottom(), height: low, ..body })
}

/// The place of the chosen aspect; while none is, or the layer lacks it, of the one that says most.
fn chosen(known: &[(&Arc<str>, &[StoredArtefact])], wanted: Option<&Arc<str>>) -> Option<usize> {
    let place = |name: &str| known.iter().position(|(aspect, _)| ***aspect == *name);
    wanted
        .and_then(|name| place(name))
        .or_else(|| FIRST.iter().find_map(|name| place(name)))
        .or_else(|| (!known.is_empty()).then_some(0))
}

fn open_layer(run: &Run, layer: crate::model::LayerName) -> Outcome {
    Outcome::Open(Place {
        view: "layers",
        run: Some(run.id().clone()),
        layer: Some(layer),
        ..Place::default()
    })
}

/// Whether a run has anything to show here.
fn has_units(run: &Run) -> bool {
    [ArtefactKind::Units, ArtefactKind::Credit].iter().any(|kind| run.tracks(*kind).next().is_some())
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    selection.run_with(context.store, has_units)
}

/// The look of a curve and of its row.
fn style(theme: &crate::ui::Theme, number: usize, outlier: bool, marked: bool) -> ratatui::style::Style {
    match (marked, outlier, number) {
        (true, ..) => theme.style(Role::Mark),
        (_, true, _) => theme.series(number),
        (_, _, 0) => theme.series(0),
        _ => theme.series_dim(0),
    }
}
