//! The time cursor: which step is "one back", and the strip that shows where there are records.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    detect::tags,
    model::Step,
    store::Run,
    ui::{
        Theme,
        text::{columns, fit, put},
        theme::Role,
    },
};

/// Seconds for which each record is shown while the cursor plays.
pub const PACE_S: f64 = 0.4;
/// Rows of a view that can spare one for the strip.
pub const LEAST_HEIGHT: u16 = 8;
/// Columns below which a strip says nothing.
const LEAST_STRIP: usize = 8;

/// The steps of a run's main loss (or of its longest series); thinned as the store has them.
pub fn of_loss(run: &Run) -> Vec<Step> {
    let main = tags::main_loss(run).and_then(|key| run.series_of(&key));
    let series = main.or_else(|| run.series().max_by_key(|s| s.summary().points));
    series.map_or_else(Vec::new, |series| series.buckets(None).iter().map(|b| b.last.step).collect())
}

/// One row: which record is on screen, and where on the way from the first record to the last the cursor stands.
pub fn strip(theme: &Theme, moments: &[Step], cursor: Step, area: Rect, buffer: &mut Buffer) {
    let known = moments.partition_point(|step| *step <= cursor);
    let said = match known.checked_sub(1).and_then(|at| moments.get(at)) {
        Some(step) if *step == cursor => format!("record {known} of {}", moments.len()),
        Some(step) => format!("record {known} of {}, of step {step}", moments.len()),
        None => match moments.first() {
            Some(first) => format!("no record yet, the first is at step {first}"),
            None => "no records".to_owned(),
        },
    };
    let keys = "[ ] P";
    let (said, width) = (fit(&said, usize::from(area.width), theme.ascii), usize::from(area.width));
    let mut x = put(buffer, area.x, area.y, &said, area.width, theme.accent());
    let room = width.saturating_sub(columns(&said) + columns(keys) + 4);
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return };
    if room < LEAST_STRIP || first >= last {
        return;
    }
    x += 2;
    let (begin, span) = (*first as f64, last.saturating_sub(*first) as f64);
    let column = |step: Step| {
        let share = ((step as f64 - begin) / span).clamp(0.0, 1.0);
        (share * (room - 1) as f64).round() as usize
    };
    let mut cells = vec![theme.glyph("·", "."); room];
    for step in moments {
        cells[column(*step)] = theme.glyph("│", "|");
    }
    for (at, cell) in cells.iter().enumerate() {
        put(buffer, x + at as u16, area.y, cell, 1, theme.muted());
    }
    put(buffer, x + column(cursor) as u16, area.y, theme.glyph("▼", "V"), 1, theme.style(Role::Mark));
    put(
        buffer,
        x + room as u16 + 2,
        area.y,
        keys,
        area.right().saturating_sub(x + room as u16 + 2),
        theme.muted(),
    );
}

/// The step `by` places from the cursor in ascending `steps`; `None` (live) beyond the end.
pub fn among(steps: &[Step], cursor: Option<Step>, by: isize) -> Option<Step> {
    let last = steps.len().checked_sub(1)?;
    let at = match cursor {
        None if by >= 0 => return None,
        None => last,
        Some(step) => steps.partition_point(|s| *s <= step).saturating_sub(1),
    };
    let next = at.saturating_add_signed(by);
    if next > last { None } else { steps.get(next).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_walks_the_steps_and_leaves_them_at_the_end() {
        let steps = [10, 20, 30];
        assert_eq!(among(&steps, None, -1), Some(20));
        assert_eq!(among(&steps, Some(20), -10), Some(10));
        assert_eq!(among(&steps, Some(25), 1), Some(30));
        assert_eq!(among(&steps, Some(30), 1), None);
        assert_eq!(among(&steps, None, 1), None);
        assert_eq!(among(&[], None, -1), None);
    }
}
