//! One file: where it stands, what was passed over and why, what was kept out of the way.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    model::{FileHealth, FileState},
    ui::{
        FrameContext, Selection,
        numbers::{bytes, clock, count, date},
        theme::Role,
        widgets::{frame, prose},
    },
};

/// Draws it into a border. What does not fit at the bottom is counted in the last row.
pub(super) fn draw(
    context: FrameContext<'_>,
    selection: &Selection,
    file: &FileHealth,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    let inner = frame::draw(theme, &file.path, theme.muted(), area, buffer);
    if inner.is_empty() {
        return;
    }
    let dot = theme.glyph(" · ", " | ");
    let mut lines: Vec<(String, Style)> = Vec::new();
    lines.push(standing(context, file));
    let mut facts = vec![
        format!("run {}", file.run),
        format!("format {}", file.format),
        format!("{} records", count(file.records)),
        format!("{} of {} read", bytes(file.read_bytes), bytes(file.bytes)),
    ];
    if file.pending_bytes > 0 {
        facts.push(format!("{} at the end are no whole record yet", bytes(file.pending_bytes)));
    }
    if file.restarts > 0 {
        facts.push(format!("rewritten or replaced {} times while watched", file.restarts));
    }
    if let Some(modified) = file.modified.known() {
        let local = modified + selection.utc_offset_s;
        facts.push(format!("last written {} {}", date(local), clock(local)));
    }
    lines.push((facts.join(dot), Style::new()));
    if file.skip_count > 0 {
        let what = format!(
            "{} skipped in {} {}:",
            bytes(file.skipped_bytes),
            count(file.skip_count),
            if file.skip_count == 1 { "place" } else { "places" }
        );
        lines.push((what, theme.style(Role::Warn)));
        for skip in &file.skips {
            let at = format!("  at byte {}, {} bytes: {}", skip.offset, skip.bytes, skip.reason);
            lines.push((at, Style::new()));
        }
        let more = file.skip_count.saturating_sub(file.skips.len() as u64);
        if more > 0 {
            lines.push((format!("  and {} more", count(more)), theme.muted()));
        }
    }
    if !file.oddities.is_empty() {
        lines.push(("Kept out of the way:".to_owned(), theme.muted()));
        for (what, times) in &file.oddities {
            lines.push((format!("  {} {} {what}", count(*times), theme.glyph("×", "x")), Style::new()));
        }
    }
    let room = usize::from(inner.height);
    if lines.len() > room && room > 2 {
        let rest = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push((format!("{} more lines; Enter shows all", rest), theme.muted()));
    }
    prose::draw(theme, &lines, inner, buffer);
}

/// What the state means for someone who waits for data.
fn standing(context: FrameContext<'_>, file: &FileHealth) -> (String, Style) {
    let theme = context.theme;
    match &file.state {
        FileState::Waiting => ("waiting for its turn".to_owned(), theme.muted()),
        FileState::Reading => ("being read".to_owned(), theme.muted()),
        FileState::Following => (
            "everything was read; new records appear as they are written".to_owned(),
            theme.style(Role::Good),
        ),
        FileState::Ended => ("read to its end; nothing more is expected".to_owned(), theme.muted()),
        FileState::Gone => (
            "it disappeared; what was read stays, and it is read on if it returns".to_owned(),
            theme.style(Role::Warn),
        ),
        FileState::Dead(why) => (
            format!("cannot be read on: {why}; it comes back when the file is replaced"),
            theme.style(Role::Bad),
        ),
    }
}
