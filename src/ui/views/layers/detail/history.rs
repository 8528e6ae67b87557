//! The page *over time*: a layer's histogram as a ridgeline, beside it the statistics of its tensors.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{What, bars, histograms, statistics};
use crate::{
    model::LayerKind,
    store::{LayerTrack, StoredHistogram},
    ui::{
        Theme,
        numbers::value,
        text::put_right,
        widgets::{
            distribution::{Bars, common_span},
            prose,
            ridgeline::{self, Ridge},
        },
    },
};

/// Ridgeline and, where there is room, the statistics beside or below; nine numbers of the newest histogram last.
pub(super) fn draw(theme: &Theme, what: &What<'_>, body: Rect, buffer: &mut Buffer) {
    let kinds = statistics::kinds(what);
    let table_width = statistics::NAMES + statistics::NUMBERS * kinds.len() as u16;
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
        statistics::draw(theme, what, &kinds, right, buffer);
    } else if upper.height >= 18 {
        let low = 10.min(upper.height / 2);
        ridges(theme, &histograms, Rect { height: upper.height - low, ..upper }, buffer);
        let below = Rect { y: upper.bottom() - low + 1, height: low - 1, ..upper };
        statistics::draw(theme, what, &kinds, below, buffer);
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

/// Oldest above; two rows each where there are few.
pub(super) fn ridges(theme: &Theme, histograms: &[&StoredHistogram], area: Rect, buffer: &mut Buffer) {
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
pub(super) fn percentiles(theme: &Theme, bars: Bars<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(mut values) = bars.percentiles() else { return };
    // What only rounding keeps from zero.
    let least = 1e-12 * (values[8] - values[0]);
    values.iter_mut().filter(|v| v.abs() < least).for_each(|v| *v = 0.0);
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
    let room = Rect { height: area.height.min(2), ..area };
    let used = prose::draw(theme, &[(text, theme.muted())], room, buffer);
    let body = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    if body.height > 0 {
        statistics::draw(theme, what, kinds, body, buffer);
    }
}
