//! The page *bands*: a layer's distribution over time as nine percentiles, as TensorBoard's *Distributions* draws it.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{What, bars, histograms, history, without};
use crate::{
    store::StoredHistogram,
    ui::{
        Theme,
        text::{fit, put, set},
        widgets::{
            axis::{self, Unit},
            chart::Window,
            distribution::{BASIS_POINTS, common_span},
        },
    },
};

/// Pairs of basis points around the median, the innermost first, and the share of a shade.
const BANDS: [(usize, usize, f64); 4] = [(3, 5, 0.95), (2, 6, 0.7), (1, 7, 0.5), (0, 8, 0.3)];

/// Bands over steps, the key to them, and the nine numbers of the newest histogram.
pub(super) fn draw(theme: &Theme, what: &What<'_>, body: Rect, buffer: &mut Buffer) {
    let histograms = histograms(what);
    let (Some(first), Some(last)) = (histograms.first(), histograms.last()) else {
        without(theme, &format!("histogram of the {}", what.kind), what.until, body, buffer);
        return;
    };
    let nine = u16::from(body.height >= 9) * 2;
    let key = u16::from(body.height >= 6);
    let plot_height = body.height.saturating_sub(nine + key + 1);
    let Some(span) = common_span(histograms.iter().map(|h| bars(h))) else { return };
    if plot_height < 2 {
        return;
    }
    let window = Window {
        x: axis::x_bounds(first.step as f64, last.step as f64, false, None),
        y: (span.low, span.high),
        log_y: false,
    };
    let left = axis::y_width(&window, plot_height).min(body.width / 3);
    let plot = Rect { x: body.x + left, width: body.width - left, height: plot_height, ..body };
    axis::draw_y(&window, theme.muted(), Rect { width: left, height: plot_height, ..body }, buffer);
    let below = Rect { y: plot.bottom(), height: 1, ..plot };
    axis::draw_x(&window, Unit::Count, "step", theme.muted(), below, buffer);
    fill(theme, &histograms, &window, plot, buffer);
    if key > 0 {
        explain(theme, span.cut, Rect { y: below.bottom(), height: 1, ..body }, buffer);
    }
    if nine > 0 {
        let low = Rect { y: body.bottom() - nine, height: nine, ..body };
        history::percentiles(theme, bars(last), low, buffer);
    }
}

/// Each column shows the newest histogram at its right edge or before it; of several in one column the last.
fn fill(theme: &Theme, histograms: &[&StoredHistogram], window: &Window, plot: Rect, buffer: &mut Buffer) {
    let mut known = 0;
    let mut nine: Option<[f64; BASIS_POINTS.len()]> = None;
    for x in 0..plot.width {
        while let Some(next) = histograms.get(known)
            && window.cell(next.step as f64, plot.width).is_none_or(|column| column <= x)
        {
            nine = bars(next).percentiles().or(nine);
            known += 1;
        }
        let Some(values) = nine else { continue };
        let row_of =
            |v: f64| ((1.0 - window.up(v)) * f64::from(plot.height)).clamp(0.0, f64::from(plot.height));
        for row in 0..plot.height {
            let (top, bottom) = (f64::from(row), f64::from(row) + 1.0);
            // The innermost band that covers at least half of the cell; a thin one is not lost: any part of the
            // outermost counts.
            let covered = |(low, high, _): &(usize, usize, f64)| {
                let (from, to) = (row_of(values[*high]).max(top), row_of(values[*low]).min(bottom));
                if *low == 0 { to > from } else { to - from >= 0.5 }
            };
            if let Some((.., share)) = BANDS.iter().find(|band| covered(band)) {
                set(buffer, plot.x + x, plot.y + row, theme.shade(*share), theme.series_dim(0));
            }
        }
        let median = (row_of(values[4]) as u16).min(plot.height - 1);
        let line = if theme.ascii { '-' } else { '━' };
        set(buffer, plot.x + x, plot.y + median, line, theme.accent());
    }
}

/// Which shade is which band.
fn explain(theme: &Theme, cut: bool, area: Rect, buffer: &mut Buffer) {
    let line = theme.glyph("━", "-");
    let names = if theme.ascii {
        ["0.5 sigma", "1 sigma", "1.5 sigma", "min to max"]
    } else {
        ["±½σ", "±1σ", "±1.5σ", "min to max"]
    };
    let mut parts = vec![format!("{line} median")];
    for ((.., share), name) in BANDS.iter().zip(names) {
        parts.push(format!("{} {name}", theme.shade(*share)));
    }
    if cut {
        parts.push("few values lie beyond the axis".to_owned());
    }
    // Shades are ours: `fit` would replace them where there is no Unicode.
    let text = parts.join("  ");
    let text = if theme.ascii { text } else { fit(&text, usize::from(area.width), false) };
    put(buffer, area.x, area.y, &text, area.width, Style::new());
}
