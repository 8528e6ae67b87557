//! Errors between classes, between groups and inside of groups, over the evaluations.

use ratatui::{buffer::Buffer, layout::Rect};

use super::standing::Standing;
use crate::{
    analysis::classes::{Moment, SEPARATED},
    ui::{
        FrameContext,
        numbers::{percent, step},
        text::{fit, put, put_right},
        widgets::chart::{self, Line, Stroke, Window},
    },
};

/// Rows below which a chart says nothing: heading, three rows of curves and an axis.
pub(super) const LEAST: u16 = 6;

/// Draws a heading with the values now, and the curves with the level below which something is separated.
pub(super) fn draw(context: FrameContext<'_>, standing: &Standing, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let moments = &standing.evolution.moments;
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return };
    if area.height < LEAST || area.width < 24 || first.step >= last.step {
        return;
    }
    let several = standing.has_groups();
    let value = |name: &str, v: f64| format!("{name} {}", percent(v));
    let mut heading = vec![value("error: c classes", last.class_error)];
    if several {
        heading.push(value("g groups", last.group_error));
        if let Some(share) = last.within_share {
            heading.push(format!("{} of errors inside groups", percent(share)));
        }
    }
    let text = fit(&heading.join(", "), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.muted());
    let points = |error: &dyn Fn(&Moment) -> f64| -> Vec<[f64; 2]> {
        moments.iter().map(|m| [m.step as f64, error(m)]).collect()
    };
    let (classes, groups) = (points(&|m| m.class_error), points(&|m| m.group_error));
    let top = moments.iter().map(|m| m.class_error).fold(2.0 * SEPARATED, f64::max);
    let window = Window { x: (first.step as f64, last.step as f64), y: (0.0, top), log_y: false };
    let labels = 5;
    let plot =
        Rect { x: area.x + labels, y: area.y + 1, width: area.width - labels, height: area.height - 2 };
    let level: Vec<[f64; 2]> = vec![[window.x.0, SEPARATED], [window.x.1, SEPARATED]];
    let mut lines = vec![
        Line { points: &level, style: theme.muted(), stroke: Stroke::Dotted, letter: None },
        Line { points: &classes, style: theme.series(0), stroke: Stroke::Solid, letter: Some('c') },
    ];
    if several {
        lines.push(Line {
            points: &groups,
            style: theme.series(1),
            stroke: Stroke::Solid,
            letter: Some('g'),
        });
    }
    chart::draw(theme, &lines, &window, plot, buffer);
    let label = |share: f64, y: u16, buffer: &mut Buffer| {
        put_right(buffer, area.x, area.x + labels - 1, y, &percent(share), theme.muted());
    };
    label(top, plot.y, buffer);
    let at = |share: f64| {
        let down = (1.0 - share / top) * f64::from(plot.height);
        plot.y + (down as u16).min(plot.height - 1)
    };
    if at(SEPARATED) > plot.y {
        label(SEPARATED, at(SEPARATED), buffer);
    }
    let bottom = area.bottom() - 1;
    put(buffer, plot.x, bottom, &place(first), plot.width, theme.muted());
    put_right(buffer, plot.x, plot.right(), bottom, &place(last), theme.muted());
}

fn place(moment: &Moment) -> String {
    match moment.epoch {
        Some(epoch) => format!("epoch {}", crate::ui::numbers::epoch(epoch)),
        None => format!("step {}", step(moment.step)),
    }
}

/// The sentence on groups; nothing where there are none, or none that are clear.
pub(super) fn sentence(standing: &Standing) -> Option<String> {
    if !standing.has_groups() || standing.evolution.moments.len() < 2 {
        return None;
    }
    standing.evolution.sentence()
}
