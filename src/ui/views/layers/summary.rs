//! The lines above the table: how many layers are in which state, what could be frozen, which became stable first.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{list::Lines, state};
use crate::{
    analysis::layers::State,
    model::Step,
    store::Run,
    ui::{
        Theme,
        numbers::{count, step},
        text::{columns, fit, put},
        theme::Role,
    },
};

/// What else the first line says.
pub(super) struct Head<'a> {
    pub run: &'a Run,
    pub until: Option<Step>,
    /// The run goes on without layer records.
    pub silence: Option<String>,
    /// What the table is about, with its key.
    pub about: String,
}

/// The first line: trouble or states, step, what the table is about.
pub(super) fn header(theme: &Theme, lines: &Lines, head: &Head<'_>, area: Rect, buffer: &mut Buffer) {
    let total = lines.all.len();
    let bad = lines.shown.iter().filter_map(|i| lines.all.get(*i)).filter(|l| l.trouble.is_trouble()).count();
    let mut parts = Vec::new();
    if bad > 0 {
        parts.push(format!("{} {bad} of {total} layers in trouble", theme.glyph("▲", "!")));
    } else {
        parts.push(format!("{} layers", count(total as u64)));
    }
    let newest = lines.all.iter().filter_map(|l| l.figures.step).max();
    parts.push(match (newest, head.until) {
        (None, Some(until)) => format!("no record up to step {until}; 0 back to live"),
        (None, None) => "no record".to_owned(),
        (Some(step), Some(_)) => format!("as it was at step {step}"),
        (Some(step), None) => head.silence.clone().unwrap_or_else(|| format!("step {step}")),
    });
    parts.push(head.about.clone());
    if area.width >= 100 {
        parts.push(head.run.title().to_owned());
    }
    let style = if bad > 0 { theme.style(Role::Warn) } else { theme.title() };
    let text = fit(&parts.join(theme.glyph(" · ", " | ")), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, style);
}

/// How many lines [`draw`] takes in an area of so many rows.
pub(super) fn rows(lines: &Lines, height: u16) -> u16 {
    match height {
        _ if lines.hint.is_none() => 0,
        ..9 => 0,
        9..14 => 1,
        14..20 => 2,
        _ => 2 + u16::from(!lines.stable.is_empty()),
    }
}

/// As many lines as `area` has rows: how many layers are in which state; what could be frozen; which layers became stable,
/// the first one first.
pub(super) fn draw(theme: &Theme, lines: &Lines, area: Rect, buffer: &mut Buffer) {
    let line = |n: u16| (area.height > n).then_some(Rect { y: area.y + n, height: 1, ..area });
    if let Some(line) = line(0) {
        states(theme, lines, line, buffer);
    }
    if let (Some(line), Some(hint)) = (line(1), &lines.hint) {
        let style = if hint.is_one() { theme.accent() } else { theme.muted() };
        let text = fit(&hint.sentence(), usize::from(line.width), theme.ascii);
        put(buffer, line.x, line.y, &text, line.width, style);
    }
    if let Some(line) = line(2) {
        let text = fit(&order(lines, usize::from(line.width)), usize::from(line.width), theme.ascii);
        put(buffer, line.x, line.y, &text, line.width, theme.muted());
    }
}

fn states(theme: &Theme, lines: &Lines, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x;
    let order = [
        State::Stable,
        State::Settling,
        State::Moving,
        State::Regressing,
        State::Silent,
        State::Frozen,
        State::Warming,
    ];
    for state in order {
        let n = lines.all.iter().filter(|l| l.figures.verdict.state == state).count();
        if n > 0 {
            let text = format!("{} {n} {state}  ", state::glyph(theme, state));
            let room = area.right().saturating_sub(x);
            x = put(buffer, x, area.y, &text, room, state::style(theme, state));
        }
    }
}

/// As many layers as fit, with the steps since which they are stable.
fn order(lines: &Lines, room: usize) -> String {
    let mut text = String::from("stable since: ");
    for (at, (name, since)) in lines.stable.iter().enumerate() {
        let next = format!("{}{name} {}", if at > 0 { ", " } else { "" }, step(*since));
        let left = lines.stable.len() - at;
        // Room for `, and 123 more`.
        let rest = if left > 1 { 14 } else { 0 };
        if at > 0 && columns(&text) + columns(&next) + rest > room {
            return format!("{text}, and {left} more");
        }
        text.push_str(&next);
    }
    text
}
