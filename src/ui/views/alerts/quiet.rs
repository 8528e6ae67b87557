//! What is shown while there is nothing to report: what is being watched, and by which rules.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    detect::DETECTORS,
    ui::{
        FrameContext, Selection,
        numbers::count,
        theme::Role,
        widgets::{
            prose,
            table::{Cell, Column, Keep, Layout},
        },
    },
};

const COLUMNS: [Column; 2] = [
    Column::text("rule", 14, 20, 0, Keep::Start),
    Column::text("what it watches for", 20, 140, 0, Keep::Start),
];

/// Draws it. `this_run` says that only one run's alerts were asked for.
pub(super) fn draw(
    context: FrameContext<'_>,
    selection: &Selection,
    this_run: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    let hidden = context.alerts.alerts().count();
    let (first, style) = if hidden > 0 && !selection.filter.is_empty() {
        (format!("No alert matches {:?}; Esc clears the filter.", selection.filter), theme.title())
    } else if hidden > 0 && this_run {
        (format!("Nothing to report of this run; t shows all {hidden} alerts."), theme.title())
    } else if context.store.run_count() == 0 {
        ("Nothing to report: no run has been read yet.".to_owned(), theme.title())
    } else {
        let series: usize = context.store.runs().map(|r| r.series_count()).sum();
        let text = format!(
            "{} Nothing to report: {} series of {} {} are watched by {} rules.",
            theme.glyph("✓", "ok:"),
            count(series as u64),
            count(context.store.run_count() as u64),
            if context.store.run_count() == 1 { "run" } else { "runs" },
            DETECTORS.len()
        );
        (text, theme.style(Role::Good))
    };
    let mut paragraphs: Vec<(String, Style)> = vec![(first, style)];
    if !context.health.caught_up() {
        let waiting = context.health.files.values().filter(|f| f.read_bytes < f.bytes).count();
        paragraphs.push((
            format!(
                "Still reading: {} of {} files are not through yet.",
                waiting,
                context.health.files.len()
            ),
            theme.muted(),
        ));
    }
    paragraphs.push((String::new(), Style::new()));
    let used = prose::draw(theme, &paragraphs, area, buffer);
    let body = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    if body.height < 2 {
        return;
    }
    let layout = Layout::new(&COLUMNS, body.width);
    layout.head(&COLUMNS, None, theme, Rect { height: 1, ..body }, buffer);
    for (y, rule) in (body.y + 1..body.bottom()).zip(DETECTORS) {
        let cell = |column| {
            if column == 0 { Cell::plain(rule.id) } else { Cell::new(rule.summary, theme.muted()) }
        };
        layout.row(&COLUMNS, cell, false, theme, Rect { y, height: 1, ..body }, buffer);
    }
}
