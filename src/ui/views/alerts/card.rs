//! Everything about one alert: what, since when, the numbers, the advice, what explains it and what it explains.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::rows;
use crate::{
    detect::{Alert, DETECTORS, Fact, Needs},
    ui::{
        FrameContext, Selection,
        numbers::{count, value},
        theme::Role,
        widgets::{frame, prose},
    },
};

/// Rows that the card of `alert` would like to have in `width` columns, with its border.
pub(super) fn height(context: FrameContext<'_>, selection: &Selection, alert: &Alert, width: u16) -> u16 {
    let room = usize::from(width.saturating_sub(2));
    let lines: usize = paragraphs(context, selection, alert)
        .iter()
        .map(|(text, _)| prose::wrap(text, room, context.theme.ascii).len().max(1))
        .sum();
    u16::try_from(lines + 2).unwrap_or(u16::MAX)
}

/// Draws the card. With one or two rows there is no border, only the message.
pub(super) fn draw(
    context: FrameContext<'_>,
    selection: &Selection,
    alert: &Alert,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    if area.height < 4 {
        prose::draw(theme, &[(alert.message.clone(), theme.severity(alert.severity))], area, buffer);
        return;
    }
    let place = alert.place();
    let mut title = format!("{} in {}", alert.rule, rows::run_title(context, &alert.run));
    if !place.is_empty() {
        title = format!("{title}{}{place}", theme.glyph(" · ", " | "));
    }
    let inner = frame::draw(theme, &title, theme.severity(alert.severity), area, buffer);
    prose::draw(theme, &paragraphs(context, selection, alert), inner, buffer);
}

fn paragraphs(context: FrameContext<'_>, selection: &Selection, alert: &Alert) -> Vec<prose::Paragraph> {
    let theme = context.theme;
    let dot = theme.glyph(" · ", " | ");
    let mut lines = vec![(alert.message.clone(), theme.severity(alert.severity))];
    if !alert.advice.is_empty() {
        lines.push((format!("{} {}", theme.glyph("→", "->"), alert.advice), Style::new()));
    }
    if !alert.evidence.facts().is_empty() {
        let numbers: Vec<String> =
            alert.evidence.facts().iter().map(|fact| number_in_words(theme.ascii, fact)).collect();
        lines.push((numbers.join(dot), Style::new()));
    }
    lines.push((history(context, selection, alert).join(dot), theme.muted()));
    if let Some(cause) = alert.caused_by.and_then(|id| context.alerts.get(id)) {
        let text = format!("explained by {} {}: {}", cause.rule, cause.place(), cause.message);
        lines.push((text, theme.style(Role::Accent)));
    }
    let explained = context.alerts.of_run(&alert.run).filter(|a| a.caused_by == Some(alert.id));
    let names: Vec<String> = explained.take(4).map(|a| format!("{} {}", a.rule, a.place())).collect();
    if !names.is_empty() {
        lines.push((format!("explains {}", names.join(", ")), theme.style(Role::Accent)));
    }
    if let Some(rule) = DETECTORS.iter().find(|d| d.id == alert.rule) {
        lines.push((format!("{}: {}", rule.id, rule.summary), theme.muted()));
    }
    let keys = format!(
        "Enter {}{dot}a seen{dot}m {}{dot}c copy",
        if alert.layer.is_some() { "opens the layer" } else { "opens the curve" },
        if alert.muted { "unmute" } else { "mute" },
    );
    lines.push((keys, theme.muted()));
    lines
}

/// Since when, where it opened, where it closed, whether somebody saw it.
fn history(context: FrameContext<'_>, selection: &Selection, alert: &Alert) -> Vec<String> {
    let mut parts = vec![format!("{} {}", alert.severity.name(), rows::state(alert))];
    match (alert.since_step, alert.step) {
        (Some(since), Some(step)) if since != step => {
            parts.push(format!("since step {since}, said at step {step}"));
        }
        (Some(step), _) | (None, Some(step)) => parts.push(format!("at step {step}")),
        (None, None) => {}
    }
    let moment = rows::moment(context, selection, alert);
    if !moment.is_empty() {
        parts.push(moment);
    }
    if let Some(step) = alert.closed_step {
        parts.push(format!("over at step {step}"));
    }
    if alert.acknowledged {
        parts.push("acknowledged".to_owned());
    }
    if alert.muted {
        parts.push("muted".to_owned());
    }
    parts
}

/// A number, and beside it what it had to be.
fn number_in_words(ascii: bool, fact: &Fact) -> String {
    let text = format!("{} {}", fact.name.replace('_', " "), evidence(fact.name, fact.value));
    let (sign, limit) = match fact.needs {
        Some(Needs::AtLeast(limit)) => (if ascii { ">=" } else { "≥" }, limit),
        Some(Needs::AtMost(limit)) => (if ascii { "<=" } else { "≤" }, limit),
        None => return text,
    };
    format!("{text} ({sign} {})", evidence(fact.name, limit))
}

/// Steps and counts are whole numbers.
fn evidence(name: &str, v: f64) -> String {
    let whole = v.fract() == 0.0 && v.abs() < 1e15;
    if whole && (name.ends_with("step") || name.ends_with("steps") || v.abs() < 1e5) {
        format!("{v:.0}")
    } else if whole {
        count(v.abs() as u64)
    } else {
        value(v)
    }
}

/// The alert for the clipboard, without control characters.
pub(super) fn as_text(alert: &Alert) -> String {
    let place = alert.place();
    let text = format!(
        "[{}] {} {} {} step {}: {} -> {}",
        alert.severity.name(),
        alert.rule,
        alert.run,
        place,
        alert.step.map_or_else(|| "?".to_owned(), |s| s.to_string()),
        alert.message,
        alert.advice
    );
    crate::model::sanitise(&text).into_owned()
}
