//! One layer: its histogram over time as a ridgeline, the statistics of its tensors, its distribution in nine numbers.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    figures::{norm, shown},
    list::change,
};
use crate::{
    model::{LayerKind, LayerStats, Step},
    store::{LayerRow, LayerTrack, Run, StoredHistogram},
    ui::{
        FrameContext, Theme,
        numbers::{count, percent, value},
        text::{fit, put, put_right},
        theme::Role,
        widgets::{
            distribution::{Bars, common_span},
            prose,
            ridgeline::{self, Ridge},
            sparkline,
        },
    },
};

/// Width of the column of names in the table of statistics.
const NAMES: u16 = 10;
/// Width of a column of numbers in it.
const NUMBERS: u16 = 12;

/// What is opened.
pub(super) struct What<'a> {
    pub run: &'a Run,
    pub row: &'a LayerRow,
    pub kind: LayerKind,
    pub until: Option<Step>,
}

/// Draws it: ridgeline and, where there is room, the statistics beside or below.
pub(super) fn draw(context: FrameContext<'_>, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    header(theme, what, area, buffer);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let kinds: Vec<(LayerKind, &LayerTrack)> =
        what.row.kinds.iter().map(|(kind, track)| (*kind, track)).take(4).collect();
    let table_width = NAMES + NUMBERS * kinds.len() as u16;
    let histograms = histograms(what);
    if histograms.is_empty() {
        without_histograms(theme, what, &kinds, body, buffer);
        return;
    }
    let nine = u16::from(body.height >= 6) * 2;
    let upper = Rect { height: body.height - nine, ..body };
    if body.width >= 50 + table_width {
        let left = Rect { width: body.width - table_width - 2, ..upper };
        let right = Rect { x: left.right() + 2, width: table_width, ..upper };
        ridges(theme, &histograms, left, buffer);
        table(theme, what, &kinds, right, buffer);
    } else if upper.height >= 18 {
        let low = 10.min(upper.height / 2);
        ridges(theme, &histograms, Rect { height: upper.height - low, ..upper }, buffer);
        let below = Rect { y: upper.bottom() - low + 1, height: low - 1, ..upper };
        table(theme, what, &kinds, below, buffer);
    } else {
        ridges(theme, &histograms, upper, buffer);
    }
    if nine > 0
        && let Some(last) = histograms.last()
    {
        let low = Rect { y: body.bottom() - nine, height: nine, ..body };
        percentiles(theme, bars(last), low, buffer);
    }
}

/// A small ridgeline of one layer, with a caption, for below the table.
pub(super) fn preview(theme: &Theme, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    let histograms = histograms(what);
    if histograms.is_empty() || area.height < 4 || area.width < 20 {
        return;
    }
    let text = format!("{} of {} over time; Enter opens it", what.kind, what.row.layer);
    put(buffer, area.x, area.y, &fit(&text, usize::from(area.width), theme.ascii), area.width, theme.muted());
    ridges(theme, &histograms, Rect { y: area.y + 1, height: area.height - 1, ..area }, buffer);
}

fn header(theme: &Theme, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    let dot = theme.glyph(" · ", " | ");
    let track = what.row.track(what.kind);
    let records = track.map(|t| shown(t.records(), what.until)).unwrap_or_default();
    let mut parts = vec![what.row.layer.as_str().to_owned(), format!("{} (t)", what.kind)];
    if let (Some(first), Some(last)) = (records.first(), records.last()) {
        parts.push(if what.until.is_some() {
            format!("as it was at step {}", last.step)
        } else {
            format!("step {} to {}", first.step, last.step)
        });
    }
    if let Some(track) = track {
        parts.push(format!("{} records", count(track.count())));
    }
    if area.width >= 60 {
        parts.push("Esc back, j k other layers".to_owned());
        parts.push(what.run.title().to_owned());
    }
    let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
}

/// Histograms of the chosen kind up to the cursor; empty ones are left out.
fn histograms<'a>(what: &What<'a>) -> Vec<&'a StoredHistogram> {
    let all = what.row.track(what.kind).map(LayerTrack::histograms).unwrap_or_default();
    all.iter()
        .filter(|h| what.until.is_none_or(|until| h.step <= until))
        .filter(|h| bars(h).total() > 0.0)
        .collect()
}

fn bars(histogram: &StoredHistogram) -> Bars<'_> {
    Bars { edges: &histogram.edges, counts: &histogram.counts }
}

/// Oldest above; two rows each where there are few.
fn ridges(theme: &Theme, histograms: &[&StoredHistogram], area: Rect, buffer: &mut Buffer) {
    let rows = usize::from(area.height.saturating_sub(1));
    if rows == 0 {
        return;
    }
    let height = (rows / histograms.len().max(1)).clamp(1, 3);
    let picked = ridgeline::pick(histograms.len(), rows / height);
    let Some(span) = common_span(picked.iter().map(|i| bars(histograms[*i]))) else { return };
    let last = picked.len().saturating_sub(1);
    // The axis stands right below the last record, wherever the area ends.
    let area = Rect { height: (picked.len() * height + 1) as u16, ..area };
    let list: Vec<Ridge<'_>> = picked
        .iter()
        .enumerate()
        .map(|(at, i)| Ridge {
            label: histograms[*i].step.to_string(),
            bars: bars(histograms[*i]),
            style: if at == last { theme.accent() } else { theme.series(0) },
        })
        .collect();
    ridgeline::draw(theme, &list, span, height as u16, area, buffer);
}

/// The nine numbers to which TensorBoard compresses a distribution, over their names.
fn percentiles(theme: &Theme, bars: Bars<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(values) = bars.percentiles() else { return };
    let names = if theme.ascii {
        ["min", "-1.5s", "-1s", "-0.5s", "median", "+0.5s", "+1s", "+1.5s", "max"]
    } else {
        ["min", "−1.5σ", "−1σ", "−½σ", "median", "+½σ", "+1σ", "+1.5σ", "max"]
    };
    // All nine, five, or three: what is left out is never a part of a number.
    let room = usize::from(area.width) / 10;
    let step = if room >= 9 {
        1
    } else if room >= 5 {
        2
    } else {
        4
    };
    let chosen: Vec<usize> = (0..9).step_by(step).collect();
    let cell = (area.width / chosen.len() as u16).min(13);
    for (i, at) in chosen.into_iter().enumerate() {
        let right = area.x + cell * (i as u16 + 1) - 1;
        let left = area.x + cell * i as u16;
        put_right(buffer, left, right, area.y, names[at], theme.muted());
        put_right(buffer, left, right, area.y + 1, &value(values[at]), Style::new());
    }
}

/// Names and numbers of every statistic that any kind has, a column a kind.
fn table(
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
        put_right(
            buffer,
            left,
            right,
            area.y,
            &fit(kind.name(), usize::from(NUMBERS) - 1, theme.ascii),
            style,
        );
    }
    let columns_of: Vec<Vec<Option<String>>> = kinds
        .iter()
        .map(|(_, track)| {
            let records = shown(track.records(), what.until);
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

fn norms(
    theme: &Theme,
    track: &LayerTrack,
    until: Option<Step>,
    series: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let points: Vec<[f64; 2]> = shown(track.records(), until)
        .iter()
        .filter_map(|r| norm(&r.stats).map(|n| [r.step as f64, n]))
        .collect();
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let x = (first[0], if last[0] > first[0] { last[0] } else { first[0] + 1.0 });
        sparkline::draw(theme, &points, x, theme.series(series), area, buffer);
    }
}

const STATISTICS: [&str; 20] = [
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
    "saturated",
    "active",
    "alpha",
    "rank",
    "gdv",
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
        share(s.saturated),
        share(s.density),
        plain(s.alpha),
        plain(s.stable_rank),
        plain(s.gdv),
        s.frozen.map(|f| if f { "yes" } else { "no" }.to_owned()),
    ]
}

/// Only statistics were logged: the table, with a word on what is missing.
fn without_histograms(
    theme: &Theme,
    what: &What<'_>,
    kinds: &[(LayerKind, &LayerTrack)],
    area: Rect,
    buffer: &mut Buffer,
) {
    let text = match what.until {
        Some(step) => format!("No histogram of the {} up to step {step}.", what.kind),
        None => format!("No histogram of the {} was logged; these are the statistics.", what.kind),
    };
    let used =
        prose::draw(theme, &[(text, theme.muted())], Rect { height: area.height.min(2), ..area }, buffer);
    let body = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    if body.height > 0 {
        table(theme, what, kinds, body, buffer);
    }
}
