//! Curves of the selected and the marked runs: a grid of charts, one of them at full size, values at a step.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::{
    model::Step,
    store::Run,
    ui::{
        Action, Axis, Binding, FrameContext, Outcome, Place, Request, Selection, View,
        keymap::Key,
        text::{columns, fit, put, put_right},
        theme::Role,
    },
};

pub mod catalog;
pub mod grid;
pub mod painter;
pub mod smoothing;
pub mod trace;
mod values;

use catalog::{Catalog, Chart};
use grid::Grid;
use painter::{Look, Painted, Painter};

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

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let runs = selection.shown_runs(context.store);
        let charts = self.catalog.charts(&runs, &selection.filter).to_vec();
        match action {
            Action::Down => self.step(&charts, self.row_length()),
            Action::Up => self.step(&charts, -self.row_length()),
            Action::PageDown => self.step(&charts, self.grid.len().max(1) as isize),
            Action::PageUp => self.step(&charts, -(self.grid.len().max(1) as isize)),
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
        self.draw(context, selection, &runs, catalog.charts(&runs, &selection.filter), area, buffer);
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

impl Curves {
    /// Where the selected chart is now; the first where it is not.
    fn at(&self, charts: &[Chart]) -> usize {
        self.selected.as_ref().and_then(|stem| charts.iter().position(|c| &c.stem == stem)).unwrap_or(0)
    }

    fn row_length(&self) -> isize {
        if self.alone { 1 } else { self.grid.columns.max(1) as isize }
    }

    fn step(&mut self, charts: &[Chart], by: isize) {
        let next = self.at(charts).saturating_add_signed(by).min(charts.len().saturating_sub(1));
        self.selected = charts.get(next).map(|c| c.stem.clone());
    }

    fn sideways(&mut self, charts: &[Chart], by: isize) {
        if self.readout.is_some() {
            self.move_readout(charts, by);
        } else if self.zoom != (0.0, 1.0) {
            let length = self.zoom.1 - self.zoom.0;
            let from = (self.zoom.0 + length * 0.25 * by as f64).clamp(0.0, 1.0 - length);
            self.zoom = (from, from + length);
        } else {
            self.step(charts, by);
        }
    }

    fn far(&mut self, charts: &[Chart], last: bool) {
        if self.readout.is_some() {
            let rows = self.rows_of_selected(charts);
            self.readout = if last { rows.last().copied() } else { rows.first().copied() };
        } else {
            let chart = if last { charts.last() } else { charts.first() };
            self.selected = chart.map(|c| c.stem.clone());
        }
    }

    fn back(&mut self) -> Outcome {
        if self.readout.is_some() {
            self.readout = None;
        } else if self.alone {
            self.alone = false;
        } else if self.zoom != (0.0, 1.0) {
            self.zoom = (0.0, 1.0);
        } else {
            return Outcome::Ignored;
        }
        Outcome::Done
    }

    /// Around the read-out, else towards the newest data, which is what one zooms in for.
    fn zoom_by(&mut self, factor: f64) {
        let length = ((self.zoom.1 - self.zoom.0) * factor).clamp(1e-6, 1.0);
        let anchor = match (self.readout, self.focus.window) {
            (Some(x), Some(window)) => {
                self.zoom.0 + (self.zoom.1 - self.zoom.0) * window.across(x).clamp(0.0, 1.0)
            }
            _ => self.zoom.1,
        };
        let share = (anchor - self.zoom.0) / (self.zoom.1 - self.zoom.0);
        let from = (anchor - length * share).clamp(0.0, 1.0 - length);
        self.zoom = if length >= 1.0 { (0.0, 1.0) } else { (from, from + length) };
    }

    /// All places on the axis of the selected chart at which there is a value, ascending.
    fn rows_of_selected(&self, charts: &[Chart]) -> Vec<f64> {
        let Some(chart) = charts.get(self.at(charts)) else { return Vec::new() };
        let traces = chart.curves.iter().filter_map(|c| self.painter.trace(c));
        let mut xs: Vec<f64> = traces.flat_map(|t| t.rows.iter().map(|r| r.x)).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        xs
    }

    fn toggle_readout(&mut self, charts: &[Chart]) {
        self.readout = if self.readout.is_some() {
            None
        } else {
            let rows = self.rows_of_selected(charts);
            let right = self.focus.window.map_or(f64::INFINITY, |w| w.x.1);
            rows[..rows.partition_point(|x| *x <= right)].last().copied()
        };
    }

    /// To the next place with a value that is at least one dot away.
    fn move_readout(&mut self, charts: &[Chart], by: isize) {
        let (Some(at), Some(window)) = (self.readout, self.focus.window) else { return };
        let rows = self.rows_of_selected(charts);
        let dot = (window.x.1 - window.x.0) / f64::from(self.focus.plot.width.max(1)) / 2.0;
        let next = if by > 0 {
            let next =
                rows.partition_point(|x| *x <= at).max(rows.partition_point(|x| *x < at + dot * 0.999));
            rows.get(next).or(rows.last())
        } else {
            let end = rows.partition_point(|x| *x < at).min(rows.partition_point(|x| *x <= at - dot * 0.999));
            rows[..end].last().or(rows.first())
        };
        self.readout = next.copied().or(self.readout);
        // The cursor takes the window along.
        if let Some(x) = self.readout {
            let share = window.across(x);
            let length = self.zoom.1 - self.zoom.0;
            if !(0.0..=1.0).contains(&share) && length < 1.0 {
                let from = (self.zoom.0 + length * (share - 0.5)).clamp(0.0, 1.0 - length);
                self.zoom = (from, from + length);
            }
        }
    }

    fn draw(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        runs: &[&Run],
        charts: &[Chart],
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let header = Rect { height: 1, ..area };
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        if charts.is_empty() {
            let text = empty_text(context, selection, runs);
            put(buffer, area.x + 1, area.y, &text, area.width.saturating_sub(1), theme.muted());
            return;
        }
        let at = self.at(charts);
        let shown = if self.alone {
            let table = self.readout.map_or(0, |_| values::width(body.width));
            let plot = Rect { width: body.width - table, ..body };
            let side = Rect { x: plot.right(), width: table, ..body };
            self.painter.begin(selection, self.zoom, runs.len());
            let look = Look { focused: true, zoom: self.zoom, readout: self.readout, ..Look::default() };
            self.focus = self.painter.paint(context, selection, runs, &charts[at], look, plot, buffer);
            values::draw(context, &self.painter, runs, &charts[at], self.readout, side, buffer);
            self.grid = Grid { columns: 1, rows: 1 };
            (at, at + 1)
        } else {
            self.draw_grid(context, selection, runs, charts, at, body, buffer)
        };
        if let (Some(step), Some(chart)) = (self.readout_step.take(), charts.get(at)) {
            let traces = chart.curves.iter().filter_map(|c| self.painter.trace(c));
            self.readout = traces.filter_map(|t| t.x_of_step(step)).next();
        }
        self.painter.end();
        draw_header(context, selection, runs, self.zoom, shown, charts.len(), header, buffer);
    }

    fn draw_grid(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        runs: &[&Run],
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
        self.painter.begin(selection, self.zoom, runs.len());
        for (i, chart) in charts.iter().enumerate().skip(first).take(self.grid.len()) {
            let cell = self.grid.cell(i - first, body);
            let look = Look { focused: i == at, zoom: self.zoom, readout: self.readout, ..Look::default() };
            let painted = self.painter.paint(context, selection, runs, chart, look, cell, buffer);
            if i == at {
                self.focus = painted;
            }
            self.cells.push((cell, chart.stem.clone()));
        }
        (first, (first + self.grid.len()).min(charts.len()))
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

fn empty_text(context: FrameContext<'_>, selection: &Selection, runs: &[&Run]) -> String {
    if !selection.filter.is_empty() {
        format!("no tag matches \"{}\"; Esc clears the filter", selection.filter)
    } else if let Some(run) = runs.first() {
        format!("{} has no curves yet", painter::run_name(run, 40, context.theme.ascii))
    } else {
        "no runs yet: waiting for logs to appear".to_owned()
    }
}

/// Which runs, on which axis, how smoothed; at the right which charts of how many.
fn draw_header(
    context: FrameContext<'_>,
    selection: &Selection,
    runs: &[&Run],
    zoom: (f64, f64),
    shown: (usize, usize),
    charts: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    let separator = theme.glyph(" · ", " | ");
    let mut modes = vec![selection.axis.name().to_owned()];
    if selection.smoothing > 0.0 {
        modes.push(format!("smoothed {}", selection.smoothing));
    }
    if selection.log_y {
        modes.push("log".to_owned());
    }
    if zoom != (0.0, 1.0) {
        modes.push(format!("zoom {}x", crate::ui::numbers::count((1.0 / (zoom.1 - zoom.0)).round() as u64)));
    }
    if shown.1 - shown.0 < charts {
        let which = if shown.1 - shown.0 == 1 {
            format!("chart {} of {charts}", shown.1)
        } else {
            format!("charts {}-{} of {charts}", shown.0 + 1, shown.1)
        };
        modes.push(which);
    }
    let text = modes.join(separator);
    let text = fit(&text, usize::from(area.width) / 2, theme.ascii);
    let right = put_right(buffer, area.x, area.right().saturating_sub(1), area.y, &text, theme.muted());
    let mut x = area.x + 1;
    let room = usize::from(right.saturating_sub(x + 1));
    if let [only] = runs {
        put(buffer, x, area.y, &painter::run_name(only, room, theme.ascii), room as u16, theme.title());
        return;
    }
    for (i, run) in runs.iter().enumerate() {
        let room = usize::from(right.saturating_sub(x + 1));
        let each = (room / (runs.len() - i)).max(12).min(room);
        if each < 6 {
            put(buffer, x, area.y, theme.glyph("…", "~"), 1, theme.muted());
            break;
        }
        let letter = painter::run_letter(i);
        x = put(buffer, x, area.y, &format!("{letter} "), 2, theme.series(i));
        let name = painter::run_name(run, each - 4, theme.ascii);
        let style = if i == 0 { theme.title() } else { theme.style(Role::Text) };
        x = put(buffer, x, area.y, &name, columns(&name) as u16, style) + 2;
    }
}
