//! Draws one chart: border with title and last values, curves, axes, marks of trouble.

use std::{collections::HashMap, sync::Arc};

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    catalog::{Chart, Curve},
    kept::Traces,
    legend::{colour, draw_title, letter},
    marks::{alert_marks, draw_marks},
    trace::{Scale, Trace},
};
use crate::{
    detect::tags::Split,
    store::Run,
    ui::{
        Axis, FrameContext, Selection, Theme,
        text::{fit, put},
        widgets::{
            axis::{self, Bounds, Unit},
            chart::{self, Line, Stroke, Window},
            frame,
        },
    },
};

/// From this ratio of the largest to the smallest value on, a linear axis shows little but the largest curve.
const FLATTENING: f64 = 200.0;

/// Whose curves are drawn from what.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The frame.
    pub context: FrameContext<'a>,
    /// The user's choice.
    pub selection: &'a Selection,
    /// The runs, as the catalogue numbered them.
    pub runs: &'a [&'a Run],
}

/// How a chart is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// It takes the keys.
    pub focused: bool,
    /// The part of the horizontal axis, in shares of it.
    pub zoom: (f64, f64),
    /// Where values are read, on the axis.
    pub readout: Option<f64>,
    /// Logarithmic by itself where one curve would flatten the others.
    pub auto_log: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { focused: false, zoom: (0.0, 1.0), readout: None, auto_log: false }
    }
}

/// Where a chart was drawn.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Painted {
    /// The cells of the curves.
    pub plot: Rect,
    /// What they show; `None` if there was nothing to show.
    pub window: Option<Window>,
}

/// Keeps between frames what makes charts cheap and calm: traces and vertical bounds.
#[derive(Default)]
pub struct Painter {
    traces: Traces,
    bounds: HashMap<Arc<str>, Bounds>,
    bounds_for: Option<(Axis, (f64, f64), usize)>,
}

impl Painter {
    /// To be called before the charts of a frame: bounds do not outlive a change of what is shown.
    pub fn begin(&mut self, selection: &Selection, zoom: (f64, f64), runs: usize) {
        let stamp = Some((selection.axis, zoom, runs));
        if self.bounds_for != stamp {
            self.bounds.clear();
            self.bounds_for = stamp;
        }
    }

    /// To be called after them.
    pub fn end(&mut self) {
        self.traces.end_frame();
    }

    /// A trace of this frame.
    pub fn trace(&self, curve: &Curve) -> Option<&Trace> {
        self.traces.get(&curve.run_id, &curve.key)
    }

    /// Draws `chart` into `area`.
    pub fn paint(
        &mut self,
        scene: Scene<'_>,
        chart: &Chart,
        look: Look,
        area: Rect,
        buffer: &mut Buffer,
    ) -> Painted {
        let Scene { context, selection, runs } = scene;
        for curve in &chart.curves {
            if let Some(run) = runs.get(curve.run) {
                self.traces.refresh(run, &curve.key, selection);
            }
        }
        let theme = context.theme;
        let border = if look.focused { theme.accent() } else { theme.muted() };
        let inside = frame::draw(theme, "", border, area, buffer);
        let traces: Vec<(&Curve, &Trace)> =
            chart.curves.iter().filter_map(|c| self.traces.get(&c.run_id, &c.key).map(|t| (c, t))).collect();
        draw_title(scene, chart, &traces, look, area, buffer);
        if inside.is_empty() {
            return Painted::default();
        }
        let (x, unit, name) = horizontal(scene, &traces);
        let Some(x) = x else {
            let text = fit(nothing(selection, &traces), usize::from(inside.width), theme.ascii);
            put(buffer, inside.x, inside.y + inside.height / 2, &text, inside.width, theme.muted());
            return Painted::default();
        };
        let x = (x.0 + (x.1 - x.0) * look.zoom.0, x.0 + (x.1 - x.0) * look.zoom.1);
        let wide = |(low, high): (f64, f64)| low > 0.0 && high / low > FLATTENING;
        let log_y = selection.log_y || (look.auto_log && value_range(&traces, x, false).is_some_and(wide));
        let bounds = self.bounds.entry(chart.stem.clone()).or_default();
        let y = match value_range(&traces, x, log_y) {
            Some((low, high)) => bounds.around(low, high, log_y),
            None => (if log_y { 0.1 } else { 0.0 }, 1.0),
        };
        let name = if log_y { format!("log, {name}") } else { name.to_owned() };
        let window = Window { x, y, log_y };
        let alerts = alert_marks(context, chart, &traces);
        let has_marks = !alerts.is_empty() || traces.iter().any(|(_, t)| t.non_finite > 0);
        let plot_height = inside.height.saturating_sub(u16::from(has_marks && inside.height > 2));
        let gutter = axis::y_width(&window, plot_height).min(inside.width / 3);
        let plot = Rect { x: inside.x + gutter, width: inside.width - gutter, height: plot_height, ..inside };
        axis::draw_y(&window, theme.muted(), Rect { width: gutter, ..Rect { x: inside.x, ..plot } }, buffer);
        let labels = Rect { y: area.bottom() - 1, height: 1, ..plot };
        axis::draw_x(&window, unit, &name, theme.muted(), labels, buffer);
        let lines = lines(theme, selection, runs.len(), &traces);
        chart::draw(theme, &lines, &window, plot, buffer);
        if has_marks && plot_height < inside.height {
            let row = Rect { y: plot.bottom(), height: 1, ..plot };
            draw_marks(theme, &window, &traces, &alerts, row, buffer);
        }
        if let Some(at) = look.readout {
            draw_cursor(theme, &window, at, plot, buffer);
        }
        Painted { plot, window: Some(window) }
    }
}

/// Why there is no curve.
fn nothing(selection: &Selection, traces: &[(&Curve, &Trace)]) -> &'static str {
    let timeless = matches!(selection.axis, Axis::Wall | Axis::Relative)
        && traces.iter().all(|(_, t)| t.extent.is_none());
    if timeless && !traces.is_empty() {
        " the log has no times; x: other axis"
    } else {
        " nothing here up to this moment"
    }
}

/// Bounds of the horizontal axis before zooming, what it measures and its name.
fn horizontal(scene: Scene<'_>, traces: &[(&Curve, &Trace)]) -> (Option<(f64, f64)>, Unit, &'static str) {
    let Scene { context, selection, runs } = scene;
    let mut epochs = selection.axis == Axis::Epoch;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut grows, mut planned) = (false, None::<f64>);
    for (curve, trace) in traces {
        let Some(run) = runs.get(curve.run) else { continue };
        epochs = epochs && Scale::of(run, Axis::Epoch).is_epochs();
        for (a, b) in trace.extent.into_iter().chain(trace.faded.iter().filter_map(|f| ends(f))) {
            (low, high) = (low.min(a), high.max(b));
        }
        let silent = context.now.since(run.last_wall());
        grows |= run.end().is_none() && (silent.is_nan() || silent <= selection.stale_after_s);
        let plan = match selection.axis {
            Axis::Step => run.steps_total().map(|s| s as f64),
            Axis::Epoch => run.epochs_total(),
            Axis::Wall | Axis::Relative => None,
        };
        planned = match (planned, plan) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
    }
    let (unit, name) = match selection.axis {
        Axis::Epoch if epochs => (Unit::Real, "epoch"),
        Axis::Step | Axis::Epoch => (Unit::Count, "step"),
        Axis::Wall => (Unit::Time { utc_offset_s: selection.utc_offset_s }, "time"),
        Axis::Relative => (Unit::Seconds, "elapsed"),
    };
    ((low <= high).then(|| axis::x_bounds(low, high, grows, planned)), unit, name)
}

fn ends(points: &[[f64; 2]]) -> Option<(f64, f64)> {
    Some((points.first()?[0], points.last()?[0]))
}

/// The finite values to be seen between the edges.
fn value_range(traces: &[(&Curve, &Trace)], x: (f64, f64), log: bool) -> Option<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let least = if log { f64::MIN_POSITIVE } else { f64::NEG_INFINITY };
    for (_, trace) in traces {
        for points in trace.faded.iter().chain([&trace.raw, &trace.smooth]) {
            let from = points.partition_point(|p| p[0] < x.0);
            for [_, y] in points[from..].iter().take_while(|p| p[0] <= x.1) {
                if y.is_finite() && *y >= least {
                    low = low.min(*y);
                    high = high.max(*y);
                }
            }
        }
    }
    (low <= high).then_some((low, high))
}

/// All lines from back to front: void branches, raw values under a smoothed line, the curves.
fn lines<'a>(
    theme: &Theme,
    selection: &Selection,
    runs: usize,
    traces: &[(&Curve, &'a Trace)],
) -> Vec<Line<'a>> {
    let smoothed = selection.smoothing > 0.0;
    let mut lines = Vec::new();
    let dim = |points, position, curve| Line {
        points,
        style: theme.series_dim(colour(curve, position, runs)),
        stroke: Stroke::Solid,
        letter: None,
    };
    for (position, (curve, trace)) in traces.iter().enumerate() {
        lines.extend(trace.faded.iter().map(|f| dim(f.as_slice(), position, *curve)));
    }
    if smoothed {
        for (position, (curve, trace)) in traces.iter().enumerate() {
            lines.push(dim(trace.raw.as_slice(), position, *curve));
        }
    }
    // The selected run and, within it, the first split lie on top.
    for (position, (curve, trace)) in traces.iter().enumerate().rev() {
        let twin = runs > 1
            && curve.split == Split::Train
            && traces.iter().any(|(c, _)| c.run == curve.run && c.split == Split::Val);
        let colourless = theme.depth == crate::ui::theme::Depth::None;
        let dotted = twin || (colourless && position % 2 == 1);
        lines.push(Line {
            points: if smoothed { &trace.smooth } else { &trace.raw },
            style: theme.series(colour(curve, position, runs)),
            stroke: if dotted { Stroke::Dotted } else { Stroke::Solid },
            letter: letter(curve, position, traces.len(), runs),
        });
    }
    lines
}

fn draw_cursor(theme: &Theme, window: &Window, at: f64, plot: Rect, buffer: &mut Buffer) {
    let Some(column) = window.cell(at, plot.width) else { return };
    for y in plot.top()..plot.bottom() {
        if let Some(cell) = buffer.cell_mut((plot.x + column, y))
            && cell.symbol() == " "
        {
            cell.set_char(if theme.ascii { '|' } else { '┊' }).set_style(theme.accent());
        }
    }
}
