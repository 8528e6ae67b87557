//! The statistics of a layer's tensors, a column a kind.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::What;
use crate::{
    model::{LayerKind, LayerStats, Step},
    store::{LayerTrack, up_to},
    ui::{
        Theme,
        numbers::{count, percent, value},
        text::{fit, put, put_right},
        theme::Role,
        views::layers::{figures::norm, list::change},
        widgets::sparkline,
    },
};

/// Width of the column of names in the table.
pub(super) const NAMES: u16 = 10;
/// Width of a column of numbers in it.
pub(super) const NUMBERS: u16 = 12;

/// The tensors of a layer that have a column, at most four.
pub(super) fn kinds<'a>(what: &What<'a>) -> Vec<(LayerKind, &'a LayerTrack)> {
    what.row.kinds.iter().map(|(kind, track)| (*kind, track)).take(4).collect()
}

/// Names and numbers of every statistic that any kind has.
pub(super) fn draw(
    theme: &Theme,
    what: &What<'_>,
    kinds: &[(LayerKind, &LayerTrack)],
    area: Rect,
    buffer: &mut Buffer,
) {
    heads(theme, what, kinds, area, buffer);
    let columns_of: Vec<Vec<Option<String>>> = kinds
        .iter()
        .map(|(_, track)| {
            let records = up_to(track.records(), what.until);
            let before = records.len().checked_sub(2).and_then(|i| norm(&records[i].stats));
            records.last().map_or_else(Vec::new, |r| statistics(theme, &r.stats, before))
        })
        .collect();
    let mut y = area.y + 1;
    for (line, name) in STATISTICS.iter().enumerate() {
        let known = columns_of.iter().any(|c| c.get(line).is_some_and(Option::is_some));
        if !known {
            continue;
        }
        if y >= area.bottom() {
            return;
        }
        put(buffer, area.x, y, name, NAMES, theme.muted());
        for (i, column) in columns_of.iter().enumerate() {
            let text =
                column.get(line).cloned().flatten().unwrap_or_else(|| theme.glyph("–", "-").to_owned());
            let left = area.x + NAMES + NUMBERS * i as u16;
            let bad = matches!(*name, "NaN" | "infinite") && text != "0" && text != "–" && text != "-";
            let style = if bad { theme.style(Role::Bad) } else { Style::new() };
            put_right(buffer, left, (left + NUMBERS).min(area.right()), y, &text, style);
        }
        y += 1;
    }
    if y < area.bottom() {
        put(buffer, area.x, y, "norm", NAMES, theme.muted());
        for (i, (_, track)) in kinds.iter().enumerate() {
            let spot = Rect { x: area.x + NAMES + NUMBERS * i as u16 + 1, y, width: NUMBERS - 1, height: 1 }
                .intersection(area);
            norms(theme, track, what.until, i, spot, buffer);
        }
    }
}

/// The kinds above their columns.
pub(super) fn heads(
    theme: &Theme,
    what: &What<'_>,
    kinds: &[(LayerKind, &LayerTrack)],
    area: Rect,
    buffer: &mut Buffer,
) {
    for (i, (kind, _)) in kinds.iter().enumerate() {
        let left = area.x + NAMES + NUMBERS * i as u16;
        let style = if *kind == what.kind { theme.accent() } else { theme.muted() };
        let right = (left + NUMBERS).min(area.right());
        let text = fit(kind.name(), usize::from(NUMBERS) - 1, theme.ascii);
        put_right(buffer, left, right, area.y, &text, style);
    }
}

fn norms(
    theme: &Theme,
    track: &LayerTrack,
    until: Option<Step>,
    series: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let points: Vec<[f64; 2]> = up_to(track.records(), until)
        .iter()
        .filter_map(|r| norm(&r.stats).map(|n| [r.step as f64, n]))
        .collect();
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let x = (first[0], if last[0] > first[0] { last[0] } else { first[0] + 1.0 });
        sparkline::draw(theme, &points, x, theme.series(series), area, buffer);
    }
}

const STATISTICS: [&str; 23] = [
    "elements",
    "norm",
    "change",
    "mean",
    "std",
    "abs mean",
    "min",
    "max",
    "zero",
    "NaN",
    "infinite",
    "update",
    "from init",
    "dead",
    "always on",
    "duplicate",
    "saturated",
    "active",
    "alpha",
    "rank",
    "gdv",
    "eta2",
    "frozen",
];

/// The numbers in the order of [`STATISTICS`].
fn statistics(theme: &Theme, s: &LayerStats, norm_before: Option<f64>) -> Vec<Option<String>> {
    let plain = |v: Option<f64>| v.map(value);
    let share = |v: Option<f64>| v.map(percent);
    let whole = |v: Option<f64>| v.map(|n| count(n.max(0.0) as u64));
    let now = norm(s);
    let grown =
        now.zip(norm_before).filter(|(_, b)| *b != 0.0).map(|(n, b)| change(theme, (n - b) / b.abs()));
    vec![
        whole(s.numel),
        plain(now),
        grown,
        plain(s.mean),
        plain(s.std),
        plain(s.absmean),
        plain(s.min),
        plain(s.max),
        share(s.zero),
        whole(s.nan),
        whole(s.inf),
        plain(s.update_norm),
        plain(s.dist_init),
        share(s.dead),
        share(s.always_on),
        share(s.duplicate),
        share(s.saturated),
        share(s.density),
        plain(s.alpha),
        plain(s.stable_rank),
        plain(s.gdv),
        plain(s.eta2),
        s.frozen.map(|f| if f { "yes" } else { "no" }.to_owned()),
    ]
}
