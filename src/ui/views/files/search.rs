//! What the search passed by: files that no format claimed, folders and how they are watched.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    model::WatchMode,
    ui::{
        FrameContext, Theme,
        numbers::count,
        theme::Role,
        widgets::{
            prose,
            table::{Cell, Column, Keep, Layout, Window, position},
        },
    },
};

const COLUMNS: [Column; 2] =
    [Column::text("", 12, 90, 0, Keep::End), Column::text("why", 16, 120, 0, Keep::Start)];

/// Lists ignored files with reasons.
pub(super) fn ignored(
    context: FrameContext<'_>,
    line: &mut usize,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (theme, scan) = (context.theme, &context.health.scan);
    let paths: Vec<String> = scan
        .passed_over
        .iter()
        .map(|group| match group.count {
            1 => group.path.to_string(),
            several => format!("{} ({})", group.path, count(several)),
        })
        .collect();
    let rows: Vec<Row> = scan
        .passed_over
        .iter()
        .zip(&paths)
        .map(|(group, what)| Row { what, why: &group.reason, style: Style::new() })
        .collect();
    let title = format!("{} files ignored", count(scan.ignored));
    let none = "No file was ignored.";
    list(theme, &title, none, &rows, (line, window), area, buffer);
}

/// Lists what is watched, and what could not be read.
pub(super) fn folders(
    context: FrameContext<'_>,
    line: &mut usize,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (theme, scan) = (context.theme, &context.health.scan);
    let modes: Vec<(&str, String)> = scan
        .watched
        .iter()
        .map(|(path, mode)| match mode {
            WatchMode::Notified => (&**path, "watched: the system tells of changes".to_owned()),
            WatchMode::Polled(why) => (&**path, format!("looked at again and again: {why}")),
        })
        .collect();
    let bad = theme.style(Role::Bad);
    let mut rows: Vec<Row> =
        scan.unreadable.iter().map(|(path, why)| Row { what: path, why, style: bad }).collect();
    rows.extend(modes.iter().map(|(what, why)| Row { what, why, style: Style::new() }));
    let title = format!("{} folders searched", count(scan.folders));
    list(theme, &title, "Nothing is watched.", &rows, (line, window), area, buffer);
}

struct Row<'a> {
    what: &'a str,
    why: &'a str,
    style: Style,
}

fn list(
    theme: &Theme,
    title: &str,
    none: &str,
    rows: &[Row<'_>],
    (line, window): (&mut usize, &mut Window),
    area: Rect,
    buffer: &mut Buffer,
) {
    let used = prose::draw(theme, &[(title.to_owned(), theme.muted())], Rect { height: 1, ..area }, buffer);
    let body = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    if rows.is_empty() {
        prose::draw(theme, &[(none.to_owned(), Style::new())], body, buffer);
        return;
    }
    *line = (*line).min(rows.len() - 1);
    let mut columns = COLUMNS;
    let widest = rows.iter().map(|r| crate::ui::text::columns(r.what)).max().unwrap_or(0) as u16;
    columns[0].max = widest.clamp(columns[0].min, (body.width / 2).max(columns[0].min));
    let layout = Layout::new(&columns, body.width);
    let visible = window.follow(*line, rows.len(), usize::from(body.height));
    for (y, i) in (body.y..).zip(visible.clone()) {
        let row = &rows[i];
        let cell = |column| Cell::new(if column == 0 { row.what } else { row.why }, row.style);
        layout.row(&columns, cell, i == *line, theme, Rect { y, height: 1, ..body }, buffer);
    }
    let note = position(&visible, rows.len(), theme.ascii);
    crate::ui::text::put_right(buffer, area.x, area.right(), area.y, &note, theme.muted());
}
