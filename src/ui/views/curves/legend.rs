//! What curves are called: colours, letters, names, the title line of a chart.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    catalog::{Chart, Curve},
    painter::{Look, Scene},
    trace::{Row, Trace},
};
use crate::{
    detect::tags::Split,
    store::Run,
    ui::{
        numbers,
        text::{columns, fit, fit_end, put, set},
        theme::Role,
    },
};

/// Colour of a curve: by run where there are several, by split and place where there is one.
pub fn colour(curve: &Curve, position: usize, runs: usize) -> usize {
    if runs > 1 { curve.run } else { position }
}

/// The letter of the `n`th run shown; after 26 they repeat.
pub fn run_letter(n: usize) -> char {
    char::from(b'A' + (n % 26) as u8)
}

/// The letter of a curve: `t`rain, `v`al, `e` for test; with several runs the run's letter, small for validation.
pub fn letter(curve: &Curve, position: usize, of: usize, runs: usize) -> Option<char> {
    if of < 2 {
        return None;
    }
    if runs > 1 {
        let letter = run_letter(curve.run);
        let later = matches!(curve.split, Split::Val | Split::Test);
        return Some(if later { letter.to_ascii_lowercase() } else { letter });
    }
    Some(match curve.split {
        Split::Train => 't',
        Split::Val => 'v',
        Split::Test => 'e',
        Split::Unknown => run_letter(position).to_ascii_lowercase(),
    })
}

/// Title, then letter and value of each curve as far as there is room; at the right how many values are not finite.
pub fn draw_title(
    scene: Scene<'_>,
    chart: &Chart,
    traces: &[(&Curve, &Trace)],
    look: Look,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.width < 8 || area.height == 0 {
        return;
    }
    let (theme, runs) = (scene.context.theme, scene.runs.len());
    let mut right = area.right() - 1;
    let broken: u64 = traces.iter().map(|(_, t)| t.non_finite).sum();
    if broken > 0 && area.width >= 24 {
        let text = format!(" {} {} NaN/Inf ", theme.glyph("△", "N"), numbers::count(broken));
        right -= columns(&text) as u16;
        put(buffer, right, area.y, &text, 30, theme.style(Role::Bad));
    }
    let left = area.x + 1;
    let room = usize::from(right.saturating_sub(left + 2));
    // The values matter as much as the name.
    let title_room = if traces.is_empty() { room } else { room.min((room / 2).max(10)) };
    let title = format!(" {} ", fit_end(&title(chart), title_room, theme.ascii));
    let style = if look.focused { theme.accent() } else { theme.title() };
    let mut x = put(buffer, left, area.y, &title, right.saturating_sub(left), style);
    x = put(buffer, x, area.y, " ", right.saturating_sub(x), Style::new());
    for (position, (curve, trace)) in traces.iter().enumerate() {
        let value = shown_row(trace, look.readout).map_or_else(
            || theme.glyph("–", "-").to_owned(),
            |r| numbers::value(if r.value.is_finite() { r.smooth } else { r.value }),
        );
        let letter = letter(curve, position, traces.len(), runs);
        let name = match (letter, runs, curve.split) {
            (None, ..) => String::new(),
            (Some(_), 1, Split::Train | Split::Val | Split::Test) => format!("{} ", split_name(curve.split)),
            (Some(c), ..) => format!("{c} "),
        };
        let width = columns(&name) + columns(&value) + 2;
        if usize::from(right.saturating_sub(x)) < width {
            if x < right {
                set(buffer, x, area.y, if theme.ascii { '~' } else { '…' }, theme.muted());
            }
            break;
        }
        let series = theme.series(colour(curve, position, runs));
        x = put(buffer, x, area.y, &name, width as u16, series);
        let bad = value == "NaN" || value.ends_with("Inf");
        let style = if bad { theme.style(Role::Bad) } else { Style::new() };
        x = put(buffer, x, area.y, &value, width as u16, style);
        x = put(buffer, x, area.y, " ", 1, Style::new());
    }
}

/// The writer's own name where there is one curve, else what the curves share.
fn title(chart: &Chart) -> String {
    match chart.curves.as_slice() {
        [only] => only.key.label(),
        _ => chart.stem.to_string(),
    }
}

/// The row of the read-out, or the last one.
pub fn shown_row(trace: &Trace, readout: Option<f64>) -> Option<&Row> {
    readout.map_or_else(|| trace.rows.last(), |x| trace.at(x))
}

/// The word for a split in legends.
pub fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
        Split::Unknown => "",
    }
}

/// What a run is called in legends.
pub fn run_name(run: &Run, width: usize, ascii: bool) -> String {
    // Of a path the end tells more, of a name the start.
    if run.title() == run.id().as_str() {
        fit_end(run.title(), width, ascii)
    } else {
        fit(run.title(), width, ascii)
    }
}
