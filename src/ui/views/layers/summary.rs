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
        text::{fit, put},
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

/// How many lines [`states`] and [`freezing`] take in an area of so many rows.
pub(super) fn rows(lines: &Lines, height: u16) -> u16 {
    if lines.hint.is_none() {
        return 0;
    }
    match height {
        ..9 => 0,
        9..14 => 1,
        _ => 2,
    }
}

/// How many layers are in which state, and the order in which those that are stable became so.
pub(super) fn states(theme: &Theme, lines: &Lines, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x;
    let right = area.right();
    let order =
        [State::Stable, State::Settling, State::Moving, State::Regressing, State::Frozen, State::Warming];
    for state in order {
        let n = lines.all.iter().filter(|l| l.figures.verdict.state == state).count();
        if n > 0 {
            let text = format!("{} {n} {state}  ", state::glyph(theme, state));
            x = put(buffer, x, area.y, &text, right.saturating_sub(x), state::style(theme, state));
        }
    }
    let room = usize::from(right.saturating_sub(x));
    if lines.stable.is_empty() || room < 24 {
        return;
    }
    let mut text = String::from("stable in this order: ");
    let mut left = lines.stable.len();
    for (name, since) in &lines.stable {
        let next = format!("{name} {}", step(*since));
        let more = if left > 1 { ", " } else { "" };
        if text.chars().count() + next.chars().count() + 12 > room {
            break;
        }
        text.push_str(&next);
        text.push_str(more);
        left -= 1;
    }
    if left > 0 {
        text.push_str(&format!("and {left} more"));
    }
    put(buffer, x, area.y, &fit(&text, room, theme.ascii), right.saturating_sub(x), theme.muted());
}

/// What could be frozen.
pub(super) fn freezing(theme: &Theme, lines: &Lines, area: Rect, buffer: &mut Buffer) {
    let Some(hint) = &lines.hint else { return };
    let text = fit(&hint.sentence(), usize::from(area.width), theme.ascii);
    let style = if hint.is_one() { theme.accent() } else { theme.muted() };
    put(buffer, area.x, area.y, &text, area.width, style);
}
