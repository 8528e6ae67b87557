//! The row below the curves: values that are not finite, and alerts.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    catalog::{Chart, Curve},
    trace::Trace,
};
use crate::{
    detect::Severity,
    model::Step,
    ui::{
        FrameContext, Theme,
        text::{put, set},
        theme::Role,
        widgets::chart::Window,
    },
};

/// A moment that an alert points at.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertMark {
    /// Where on the axis.
    pub x: f64,
    /// How bad.
    pub severity: Severity,
}

/// The alerts about a chart's curves, mildest first.
pub fn alert_marks(context: FrameContext<'_>, chart: &Chart, traces: &[(&Curve, &Trace)]) -> Vec<AlertMark> {
    let mut marks = Vec::new();
    for alert in context.alerts.alerts() {
        let Some(key) = &alert.series else { continue };
        let Some(at) = chart.curves.iter().position(|c| c.run_id == alert.run && &c.key == key) else {
            continue;
        };
        let step: Option<Step> = alert.since_step.or(alert.step);
        let x = traces.get(at).zip(step).and_then(|((_, trace), step)| trace.x_of_step(step));
        if let Some(x) = x {
            marks.push(AlertMark { x, severity: alert.severity });
        }
    }
    marks.sort_by_key(|m| m.severity);
    marks
}

/// The row below the curves: where values are not finite and where alerts began; the worst wins a cell.
pub fn draw_marks(
    theme: &Theme,
    window: &Window,
    traces: &[(&Curve, &Trace)],
    alerts: &[AlertMark],
    row: Rect,
    buffer: &mut Buffer,
) {
    for (_, trace) in traces {
        for (x, _) in &trace.marks {
            if let Some(column) = window.cell(*x, row.width) {
                let glyph = if theme.ascii { 'N' } else { '△' };
                set(buffer, row.x + column, row.y, glyph, theme.style(Role::Bad));
            }
        }
    }
    for mark in alerts {
        if let Some(column) = window.cell(mark.x, row.width) {
            put(buffer, row.x + column, row.y, theme.mark(mark.severity), 1, theme.severity(mark.severity));
        }
    }
}
