//! How the states of layers look: a glyph and a word; and the measure over time against its two limits.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    analysis::layers::{Moment, State},
    model::Step,
    ui::{Theme, text::set, theme::Role, widgets::table::Cell},
};

/// The glyph of a state.
pub(super) fn glyph(theme: &Theme, state: State) -> &'static str {
    match state {
        State::NotApplicable => theme.glyph("–", "-"),
        State::Warming => theme.glyph("…", "."),
        State::Moving => theme.glyph("○", "o"),
        State::Settling => theme.glyph("◐", "%"),
        State::Stable => theme.glyph("●", "*"),
        State::Regressing => theme.glyph("▲", "^"),
        State::Silent => theme.glyph("∅", "0"),
        State::Frozen => theme.glyph("■", "="),
    }
}

/// The look of a state.
pub(super) fn style(theme: &Theme, state: State) -> Style {
    match state {
        State::Stable => theme.style(Role::Good),
        State::Settling | State::Moving => Style::new(),
        State::Regressing | State::Silent => theme.style(Role::Warn),
        State::Frozen | State::NotApplicable | State::Warming => theme.muted(),
    }
}

/// Glyph and word.
pub(super) fn cell(theme: &Theme, state: State) -> Cell {
    Cell::new(format!("{} {state}", glyph(theme, state)), style(theme, state))
}

/// What a person looks for comes first.
pub(super) fn rank(state: State) -> u8 {
    match state {
        State::Silent => 0,
        State::Regressing => 1,
        State::Moving => 2,
        State::Settling => 3,
        State::Warming => 4,
        State::Stable => 5,
        State::Frozen => 6,
        State::NotApplicable => 7,
    }
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// The height of a measure that is `relative` to the limit at which a layer is stable, `leave` being that above which it is
/// not any more: two heights below the first limit (the lower is half of it), two between them, four above the second (up
/// to 2, 5, 12 times that, more). A layer begins at 20 times the limit of L2.
pub(super) fn height(relative: f64, leave: f64) -> usize {
    let limits = [0.5, 1.0, f64::midpoint(1.0, leave), leave, 2.0 * leave, 5.0 * leave, 12.0 * leave];
    limits.iter().position(|limit| relative <= *limit).unwrap_or(limits.len())
}

/// Draws a measure over `x` into one row. A column shows the largest of its values, for a single one above the limits
/// decides; columns without one repeat the last; `×` (`N`) where a value was none. Values below the first limit look like
/// *stable*.
pub(super) fn draw(
    theme: &Theme,
    moments: &[Moment],
    (tau, leave): (f64, f64),
    x: (Step, Step),
    area: Rect,
    buffer: &mut Buffer,
) {
    let span = x.1.saturating_sub(x.0) as f64;
    let width = usize::from(area.width);
    if area.is_empty() || moments.is_empty() {
        return;
    }
    let mut columns: Vec<Option<f64>> = vec![None; width];
    for moment in moments {
        let share = if span > 0.0 { moment.step.saturating_sub(x.0) as f64 / span } else { 0.0 };
        let at = ((share.clamp(0.0, 1.0) * width as f64) as usize).min(width - 1);
        let relative = f64::from(moment.value) / tau;
        let largest =
            |known: f64| if known.is_nan() || relative.is_nan() { f64::NAN } else { known.max(relative) };
        columns[at] = Some(columns[at].map_or(relative, largest));
    }
    let end = columns.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
    let mut last = None;
    for (at, column) in columns.into_iter().enumerate().take(end) {
        last = column.or(last);
        let Some(relative) = last else { continue };
        let (glyph, style) = if relative.is_nan() {
            (if theme.ascii { 'N' } else { '×' }, theme.style(Role::Bad))
        } else {
            let level = height(relative, leave);
            let style = match level {
                0..2 => theme.style(Role::Good),
                2..4 => theme.muted(),
                _ => Style::new(),
            };
            (if theme.ascii { ASCII[level] } else { BLOCKS[level] }, style)
        };
        set(buffer, area.x + at as u16, area.y, glyph, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_tell_on_which_side_of_the_limits_a_measure_is() {
        assert_eq!([0.0, 0.6, 1.0].map(|v| height(v, 3.0)), [0, 1, 1]);
        assert_eq!([1.5, 3.0].map(|v| height(v, 3.0)), [2, 3]);
        assert_eq!([5.0, 11.0, 20.0, 99.0].map(|v| height(v, 3.0)), [4, 5, 6, 7]);
        assert_eq!(height(1.2, 4.0 / 3.0), 3);
    }
}
