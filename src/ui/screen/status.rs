//! The status line: what is watched, how far reading is, how fresh the data is, what is not live.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{FileState, Health, WatchMode},
    ui::{
        FrameContext, Selection, numbers,
        text::{columns, fit, fit_end, put, put_right},
        theme::Role,
    },
};

/// Draws one row; returns after how many seconds the row would read differently without any news.
pub fn draw(context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) -> f64 {
    let theme = context.theme;
    let hint = if area.width >= 60 { "? help  q quit" } else { "? help" };
    let right = put_right(buffer, area.x, area.right(), area.y, hint, theme.muted()).saturating_sub(2);
    let mut x = area.x;
    for word in modes(selection) {
        let room = right.saturating_sub(x);
        x = put(
            buffer,
            x,
            area.y,
            &fit(&word, usize::from(room), theme.ascii),
            room,
            theme.style(Role::Mark),
        );
        x = put(buffer, x, area.y, "  ", right.saturating_sub(x), theme.muted());
    }
    let (fresh, stale_after) = freshness(context);
    let reading = progress(context.health);
    let runs = context.store.run_count();
    let files = context.health.files.len();
    let watched = watched(context.health);
    let plural = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let room = usize::from(right.saturating_sub(x));
    let full = [plural(runs, "run"), plural(files, "file"), reading.clone(), fresh.clone()].join(" · ");
    let short = [plural(runs, "run"), reading.clone(), fresh.clone()].join(" · ");
    let separator = if theme.ascii { " | " } else { " · " };
    let tail = if columns(&full) + 12 <= room { full } else { short }.replace(" · ", separator);
    let path_room = room.saturating_sub(columns(&tail) + 2);
    if path_room >= 6 && !watched.is_empty() {
        let path = fit_end(&watched, path_room, theme.ascii);
        x = put(buffer, x, area.y, &path, path_room as u16, theme.title());
        x = put(buffer, x, area.y, "  ", right.saturating_sub(x), theme.muted());
    }
    let room = right.saturating_sub(x);
    put(buffer, x, area.y, &fit(&tail, usize::from(room), theme.ascii), room, theme.muted());
    stale_after
}

/// Everything that makes the screen differ from "all data, live".
fn modes(selection: &Selection) -> Vec<String> {
    let mut words = Vec::new();
    if selection.frozen.is_some() {
        words.push("FROZEN (f)".to_owned());
    }
    if let Some(step) = selection.cursor {
        words.push(format!("AT STEP {} (0 live)", numbers::step(step)));
    }
    if !selection.filter.is_empty() {
        words.push(format!("/{}", selection.filter));
    }
    words
}

fn watched(health: &Health) -> String {
    let mut text = String::new();
    for (path, mode) in &health.scan.watched {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(path);
        if matches!(mode, WatchMode::Polled(_)) {
            text.push_str(" (polled)");
        }
    }
    text
}

fn progress(health: &Health) -> String {
    let (mut bytes, mut read, mut dead, mut damaged) = (0_u64, 0_u64, 0_usize, 0_usize);
    let mut busy = false;
    for file in health.files.values() {
        bytes = bytes.saturating_add(file.bytes);
        read = read.saturating_add(file.read_bytes);
        busy |= matches!(file.state, FileState::Waiting | FileState::Reading);
        dead += usize::from(matches!(file.state, FileState::Dead(_)));
        damaged += usize::from(file.skip_count > 0);
    }
    if busy && bytes > 0 {
        return format!("reading {}", numbers::percent(read as f64 / bytes as f64));
    }
    if !health.scan.complete {
        return match health.scan.files_seen {
            0 => "searching".to_owned(),
            seen => format!("searching, {} files seen", numbers::count(seen)),
        };
    }
    if dead + damaged > 0 { format!("{} damaged", dead.max(damaged)) } else { "all read".to_owned() }
}

fn freshness(context: FrameContext<'_>) -> (String, f64) {
    let newest = context.store.runs().filter_map(|r| r.last_wall().known()).fold(f64::NEG_INFINITY, f64::max);
    if newest == f64::NEG_INFINITY {
        // A log may hold points and no times at all.
        let word = if context.store.run_count() == 0 { "no data yet" } else { "no times" };
        return (word.to_owned(), f64::INFINITY);
    }
    let (age, changes_after) = numbers::age(context.now.0 - newest);
    (format!("newest {age} ago"), changes_after)
}
