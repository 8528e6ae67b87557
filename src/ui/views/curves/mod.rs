//! Curves of the selected and the marked runs: a grid of charts, one of them at full size, values at a step.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::{
    detect::tags::{self, Split},
    model::{Goal, Step},
    store::Run,
    ui::{
        Action, Axis, Binding, Explanation, FrameContext, Outcome, Place, Request, Selection, View,
        keymap::Key,
        numbers,
        text::{columns, fit, put, put_right},
        theme::Role,
    },
};

pub mod catalog;
mod explanations;
pub mod grid;
mod kept;
pub mod legend;
mod marks;
mod moves;
pub mod painter;
pub mod smoothing;
pub mod trace;
mod values;

use catalog::{Catalog, Chart};
use grid::Grid;
use painter::{Look, Painted, Painter, Scene};

/// Makes the view.
pub fn view() -> Box<dyn View> {
    Box::new(Curves { zoom: (0.0, 1.0), ..Curves::default() })
}

#[derive(Default)]
struct Curves {
    catalog: Catalog,
    painter: Painter,
    /// The chart that takes the keys, by its metric, so that new tags do not move it.
    selected: Option<Arc<str>>,
    /// It is shown alone.
    alone: bool,
    /// The part of the horizontal axis, in shares of it.
    zoom: (f64, f64),
    /// Where values are read, on the axis of the selected chart.
    readout: Option<f64>,
    /// A step to read values at as soon as the chart is drawn.
    readout_step: Option<Step>,
    axis: Axis,
    /// First row of the grid on screen.
    scroll: usize,
    /// What was drawn last.
    grid: Grid,
    cells: Vec<(Rect, Arc<str>)>,
    focus: Painted,
}

const BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('j'), Key::Down], action: Action::Down, help: "chart below" },
    Binding { keys: &[Key::Char('k'), Key::Up], action: Action::Up, help: "chart above" },
    Binding {
        keys: &[Key::Char('h'), Key::Left],
        action: Action::Left,
        help: "chart, window or cursor to the left",
    },
    Binding {
        keys: &[Key::Char('l'), Key::Right],
        action: Action::Right,
        help: "chart, window or cursor to the right",
    },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "chart at full size" },
    Binding { keys: &[Key::Esc], action: Action::Back, help: "back: cursor, full size, zoom, filter" },
    Binding { keys: &[Key::Char('v')], action: Action::Values, help: "read values at a step; h l move" },
    Binding { keys: &[Key::Char('+'), Key::Char('=')], action: Action::ZoomIn, help: "half of the axis" },
    Binding { keys: &[Key::Char('-')], action: Action::ZoomOut, help: "twice of the axis" },
    Binding {
        keys: &[Key::Char('i')],
        action: Action::Explain,
        help: "what its series are taken for, and why",
    },
    Binding { keys: &[Key::Char('e')], action: Action::Export, help: "export the charts on screen as CSV" },
    Binding { keys: &[Key::Char('c')], action: Action::Copy, help: "copy the values of the chart" },
];

impl View for Curves {
    fn name(&self) -> &'static str {
        "curves"
    }

    fn title(&self) -> &'static str {
        "Curves"
    }

    fn summary(&self) -> &'static str {
        "all metrics of the selected and the marked runs, training and validation together"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::EXPLANATIONS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let runs = selection.shown_runs(context.store);
        let charts = self.catalog.charts(&runs, &selection.filter).to_vec();
        match action {
            Action::Down => self.step(&charts, self.row_length()),
            Action::Up => self.step(&charts, -self.row_length()),
            Action::PageDown => self.step(&charts, self.grid.cells().max(1).cast_signed()),
            Action::PageUp => self.step(&charts, -(self.grid.cells().max(1).cast_signed())),
            Action::Left => self.sideways(&charts, -1),
            Action::Right => self.sideways(&charts, 1),
            Action::First => self.far(&charts, false),
            Action::Last => self.far(&charts, true),
            Action::Open => self.alone = true,
            Action::Back => return self.back(),
            Action::ZoomIn => self.zoom_by(0.5),
            Action::ZoomOut => self.zoom_by(2.0),
            Action::Values => self.toggle_readout(&charts),
            Action::Axis => {
                self.readout = None;
                self.zoom = (0.0, 1.0);
                return Outcome::Ignored;
            }
            Action::Explain => return explained(charts.get(self.at(&charts)), &runs),
            Action::Export => return self.export(&charts, &runs),
            Action::Copy => return self.copy(&charts, &runs),
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn show(&mut self, place: &Place, context: FrameContext<'_>, selection: &mut Selection) {
        let Some(key) = &place.series else { return };
        selection.filter.clear();
        let runs = selection.shown_runs(context.store);
        let charts = self.catalog.charts(&runs, "");
        if let Some(chart) = charts.iter().find(|c| c.curves.iter().any(|curve| &curve.key == key)) {
            self.selected = Some(chart.stem.clone());
            self.alone = true;
            self.zoom = (0.0, 1.0);
            self.readout = None;
            self.readout_step = place.step;
        }
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        self.cells.clear();
        self.focus = Painted::default();
        if area.is_empty() {
            return;
        }
        let runs = selection.shown_runs(context.store);
        if self.axis != selection.axis {
            self.axis = selection.axis;
            self.readout = None;
        }
        self.catalog.charts(&runs, &selection.filter);
        let mut catalog = std::mem::take(&mut self.catalog);
        let scene = Scene { context, selection, runs: &runs };
        self.draw(scene, catalog.charts(&runs, &selection.filter), area, buffer);
        self.catalog = catalog;
    }

    fn click(&mut self, column: u16, row: u16, _: FrameContext<'_>, _: &mut Selection) -> Outcome {
        let at = Position::new(column, row);
        if self.alone {
            if let Some(window) = self.focus.window.filter(|_| self.focus.plot.contains(at)) {
                let share = f64::from(column - self.focus.plot.x) / f64::from(self.focus.plot.width);
                self.readout = Some(window.x.0 + (window.x.1 - window.x.0) * share);
            }
            return Outcome::Done;
        }
        let Some((_, stem)) = self.cells.iter().find(|(cell, _)| cell.contains(at)) else {
            return Outcome::Ignored;
        };
        if self.selected.as_ref() == Some(stem) {
            self.alone = true;
        } else {
            self.selected = Some(stem.clone());
        }
        Outcome::Done
    }
}

/// What the series of a chart are taken for, and why; of the first run that is shown, the others are alike.
fn explained(chart: Option<&Chart>, runs: &[&Run]) -> Outcome {
    let (Some(chart), Some(run)) = (chart, runs.first()) else { return Outcome::Done };
    let mut said: Vec<String> = Vec::new();
    for curve in chart.curves.iter().filter(|curve| curve.run == 0) {
        let class = tags::class_of(&curve.key, run);
        let goal = match class.goal {
            Some(Goal::Min) => ", less is better",
            Some(Goal::Max) => ", more is better",
            None => "",
        };
        let split =
            if class.split == Split::Unknown { String::new() } else { format!("{} ", class.split.name()) };
        let role = class.role.name().replace('_', " ");
        said.push(format!("{}: {split}{role}{goal} ({})", curve.key.label(), class.why));
    }
    if said.is_empty() {
        return Outcome::Say("the selected run has none of it".to_owned());
    }
    said.push("--role changes it".to_owned());
    Outcome::Say(crate::model::sanitise(&said.join("; ")).into_owned())
}

impl Curves {
    fn draw(&mut self, scene: Scene<'_>, charts: &[Chart], area: Rect, buffer: &mut Buffer) {
        let theme = scene.context.theme;
        let header = Rect { height: 1, ..area };
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        if charts.is_empty() {
            let text = empty_text(scene);
            put(buffer, area.x + 1, area.y, &text, area.width.saturating_sub(1), theme.muted());
            return;
        }
        let at = self.at(charts);
        let shown = if self.alone {
            let table = self.readout.map_or(0, |_| values::width(body.width));
            let plot = Rect { width: body.width - table, ..body };
            let side = Rect { x: plot.right(), width: table, ..body };
            self.painter.begin(scene.selection, self.zoom, scene.runs.len());
            let look = Look { focused: true, zoom: self.zoom, readout: self.readout, ..Look::default() };
            self.focus = self.painter.paint(scene, &charts[at], look, plot, buffer);
            values::draw(scene, &self.painter, &charts[at], self.readout, side, buffer);
            self.grid = Grid { columns: 1, rows: 1 };
            (at, at + 1)
        } else {
            self.draw_grid(scene, charts, at, body, buffer)
        };
        if let (Some(step), Some(chart)) = (self.readout_step.take(), charts.get(at)) {
            let mut traces = chart.curves.iter().filter_map(|c| self.painter.trace(c));
            self.readout = traces.find_map(|t| t.x_of_step(step));
        }
        self.painter.end();
        let modes = modes(scene.selection, self.zoom, shown, charts.len());
        draw_header(scene, &modes, header, buffer);
    }

    fn draw_grid(
        &mut self,
        scene: Scene<'_>,
        charts: &[Chart],
        at: usize,
        body: Rect,
        buffer: &mut Buffer,
    ) -> (usize, usize) {
        self.grid = Grid::fitting(charts.len(), body);
        let (columns, rows) = (self.grid.columns.max(1), self.grid.rows);
        let row = at / columns;
        let last_scroll = charts.len().div_ceil(columns).saturating_sub(rows);
        self.scroll = self.scroll.clamp(row.saturating_sub(rows.saturating_sub(1)), row).min(last_scroll);
        let first = self.scroll * columns;
        self.painter.begin(scene.selection, self.zoom, scene.runs.len());
        for (i, chart) in charts.iter().enumerate().skip(first).take(self.grid.cells()) {
            let cell = self.grid.cell(i - first, body);
            let look = Look { focused: i == at, zoom: self.zoom, readout: self.readout, ..Look::default() };
            let painted = self.painter.paint(scene, chart, look, cell, buffer);
            if i == at {
                self.focus = painted;
            }
            self.cells.push((cell, chart.stem.clone()));
        }
        (first, (first + self.grid.cells()).min(charts.len()))
    }

    fn export(&self, charts: &[Chart], runs: &[&Run]) -> Outcome {
        let on_screen: Vec<&Chart> = if self.alone {
            charts.get(self.at(charts)).into_iter().collect()
        } else {
            charts.iter().filter(|c| self.cells.iter().any(|(_, stem)| stem == &c.stem)).collect()
        };
        let text = values::csv(&self.painter, runs, &on_screen);
        Outcome::Request(Request::Export { name: "curves.csv".to_owned(), text })
    }

    fn copy(&self, charts: &[Chart], runs: &[&Run]) -> Outcome {
        charts.get(self.at(charts)).map_or(Outcome::Ignored, |chart| {
            Outcome::Request(Request::Copy(values::summary(&self.painter, runs, chart, self.readout)))
        })
    }
}

fn empty_text(scene: Scene<'_>) -> String {
    let Scene { context, selection, runs } = scene;
    if !selection.filter.is_empty() {
        format!("no tag matches \"{}\"; Esc clears the filter", selection.filter)
    } else if let Some(run) = runs.first() {
        format!("{} has no curves yet", legend::run_name(run, 40, context.theme.ascii))
    } else {
        "no runs yet: waiting for logs to appear".to_owned()
    }
}

/// The axis and everything that makes a chart differ from plain values; then which charts of how many.
fn modes(selection: &Selection, zoom: (f64, f64), shown: (usize, usize), charts: usize) -> Vec<String> {
    let mut modes = vec![selection.axis.name().to_owned()];
    if selection.smoothing > 0.0 {
        modes.push(format!("smoothed {}", selection.smoothing));
    }
    if selection.log_y {
        modes.push("log".to_owned());
    }
    if zoom != (0.0, 1.0) {
        modes.push(format!("zoom {}x", numbers::count((1.0 / (zoom.1 - zoom.0)).round() as u64)));
    }
    if shown.1 - shown.0 < charts {
        modes.push(if shown.1 - shown.0 == 1 {
            format!("chart {} of {charts}", shown.1)
        } else {
            format!("charts {}-{} of {charts}", shown.0 + 1, shown.1)
        });
    }
    modes
}

/// The runs with their letters; at the right the modes.
fn draw_header(scene: Scene<'_>, modes: &[String], area: Rect, buffer: &mut Buffer) {
    let Scene { context, runs, .. } = scene;
    let theme = context.theme;
    let separator = theme.glyph(" · ", " | ");
    let text = modes.join(separator);
    let text = fit(&text, usize::from(area.width) / 2, theme.ascii);
    let right = put_right(buffer, area.x, area.right().saturating_sub(1), area.y, &text, theme.muted());
    let mut x = area.x + 1;
    let room = usize::from(right.saturating_sub(x + 1));
    if let [only] = runs {
        put(buffer, x, area.y, &legend::run_name(only, room, theme.ascii), room as u16, theme.title());
        return;
    }
    for (i, run) in runs.iter().enumerate() {
        let room = usize::from(right.saturating_sub(x + 1));
        let each = (room / (runs.len() - i)).max(12).min(room);
        if each < 6 {
            put(buffer, x, area.y, theme.glyph("…", "~"), 1, theme.muted());
            break;
        }
        let letter = legend::run_letter(i);
        x = put(buffer, x, area.y, &format!("{letter} "), 2, theme.series(i));
        let name = legend::run_name(run, each - 4, theme.ascii);
        let style = if i == 0 { theme.title() } else { theme.style(Role::Text) };
        x = put(buffer, x, area.y, &name, columns(&name) as u16, style) + 2;
    }
}
