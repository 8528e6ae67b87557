//! The page *change*: which bins of a histogram grew and which shrank since an earlier step.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{What, bars, histograms, without};
use crate::{
    analysis::{
        inspect::{self, Growth},
        units,
    },
    model::{ArtefactKind, NumericArray, Step},
    store::{StoredArtefact, up_to},
    ui::{
        Theme,
        numbers::value,
        text::{fit, put, put_right, set},
        theme::Role,
        widgets::distribution::{Bars, common_span},
    },
};

/// Bins in which tensors are compared for the number that is written.
const BINS: usize = 64;
/// Changes below this share of all elements are not worth a mark.
const LEAST: f64 = 0.0005;

/// What the change is counted from, in histograms before the newest; the whole history at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Base(Option<usize>);

impl Base {
    /// Nearer to now (`by` > 0) or farther from it among `steps` ascending ones, the newest of which is now.
    pub fn moved(self, steps: usize, by: isize) -> Self {
        let farthest = steps.saturating_sub(1);
        let back =
            self.0.unwrap_or(farthest).min(farthest).saturating_add_signed(-by).clamp(1, farthest.max(1));
        Self(Some(back))
    }

    /// The place of the base among so many.
    fn of(self, steps: usize) -> Option<usize> {
        let farthest = steps.checked_sub(2)? + 1;
        Some(steps - 1 - self.0.unwrap_or(farthest).clamp(1, farthest))
    }
}

/// Steps of what would be compared: the tensor's histograms, else perplexities.
pub(super) fn moments(what: &What<'_>) -> usize {
    let histograms = histograms(what).len();
    if histograms > 1 { histograms } else { perplexities(what).len() }
}

/// The tensor's change, and the change of its perplexity where that was logged.
pub(super) fn draw(theme: &Theme, what: &What<'_>, base: Base, body: Rect, buffer: &mut Buffer) {
    let histograms = histograms(what);
    let perplexities = perplexities(what);
    let tensor = base.of(histograms.len());
    let both = tensor.is_some() && perplexities.len() > 1;
    if tensor.is_none() && perplexities.len() < 2 {
        let what_for = format!("second histogram of the {} and no second perplexity record", what.kind);
        without(theme, &what_for, what.until, body, buffer);
        return;
    }
    let upper = if both { Rect { height: body.height.div_ceil(2), ..body } } else { body };
    if let (Some(at), Some(now)) = (tensor, histograms.last()) {
        let before = histograms[at];
        if let Some(span) = common_span([bars(before), bars(now)].into_iter()) {
            let shares = |bars: Bars<'_>, columns| bars.shares(span.low, span.high, columns);
            let compare =
                |columns| inspect::growth(&shares(bars(before), columns), &shares(bars(now), columns));
            let name = what.kind.to_string();
            let ends = (span.low, span.high);
            let steps = (before.step, now.step);
            one(theme, (&name, steps, ends, true), &compare, upper, buffer);
        }
    }
    let place =
        if both { Rect { y: upper.bottom(), height: body.height - upper.height, ..body } } else { body };
    if let Some(now) = perplexities.last()
        && let Some(before) = base.of(perplexities.len()).and_then(|at| perplexities.get(at))
        && (both || tensor.is_none())
        && let (Some(old), Some(new)) = (shares_of(before), shares_of(now))
        && let Some(edges) = now.artefact.array("edges").map(NumericArray::values)
    {
        // Bins of the log, spread over the columns: its edges are often logarithmic.
        let compare = |columns: usize| {
            let found = inspect::growth(&old, &new)?;
            let n = found.bins.len();
            let bins = if columns == BINS {
                found.bins
            } else {
                (0..columns).map(|x| found.bins[x * n / columns]).collect()
            };
            Some(Growth { bins, moved: found.moved })
        };
        let ends = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(0.0));
        let steps = (before.artefact.step.unwrap_or_default(), now.artefact.step.unwrap_or_default());
        one(theme, ("perplexity of responses", steps, ends, false), &compare, place, buffer);
    }
}

/// Perplexity histograms of the layer up to the cursor.
fn perplexities<'a>(what: &What<'a>) -> &'a [StoredArtefact] {
    let tracks = what.run.tracks(ArtefactKind::Perplexity);
    let mine = tracks
        .filter(|(key, _)| key.aspect.is_empty() && units::speaks_of(what.row.layer.as_str(), &key.name));
    mine.map(|(_, records)| up_to(records, what.until)).next().unwrap_or_default()
}

/// Shares of the bins; `None` for an empty histogram.
fn shares_of(record: &StoredArtefact) -> Option<Vec<f64>> {
    let counts = record.artefact.array("counts")?.values();
    let total: f64 = counts.iter().sum();
    (total > 0.0).then(|| counts.iter().map(|c| c / total).collect())
}

/// One comparison (`linear`: places on the axis can be read off between its ends): a sentence, bars up for bins that grew and down for those that shrank, the ends of the axis.
fn one(
    theme: &Theme,
    (name, (from, to), ends, linear): (&str, (Step, Step), (f64, f64), bool),
    compare: &dyn Fn(usize) -> Option<Growth>,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 4 || area.width < 12 {
        return;
    }
    let mut area = area;
    let (Some(exact), Some(drawn)) = (compare(BINS), compare(usize::from(area.width))) else { return };
    let bins = exact.bins.len() as f64;
    let extreme = |sign: f64| {
        let best = exact.bins.iter().enumerate().max_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)))?;
        let at = ends.0 + (ends.1 - ends.0) * (best.0 as f64 + 0.5) / bins;
        (best.1.abs() >= LEAST).then_some((at, *best.1))
    };
    let text = format!("{name}: {} moved from step {from} (h l) to {to}", share(exact.moved));
    let text = fit(&text, usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
    if let (Some((grew, more)), Some((shrank, less)), true) = (extreme(1.0), extreme(-1.0), linear)
        && area.height >= 8
    {
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let text = format!(
            "grew most at {} (+{}), shrank most at {} ({})",
            value(grew),
            share(more),
            value(shrank),
            share(less)
        );
        let text = fit(&text, usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y, &text, area.width, theme.muted());
    }
    let plot = Rect { y: area.y + 1, height: area.height - 2, ..area };
    let up = plot.height / 2;
    let down = plot.height - up - 1;
    let axis_row = plot.y + up;
    let largest = drawn.bins.iter().map(|d| d.abs()).fold(LEAST, f64::max);
    for (x, change) in (plot.x..plot.right()).zip(&drawn.bins) {
        set(buffer, x, axis_row, if theme.ascii { '-' } else { '─' }, theme.muted());
        if change.abs() < LEAST * BINS as f64 / f64::from(area.width) {
            continue;
        }
        let room = f64::from(if *change > 0.0 { up } else { down });
        let tall = ((change.abs() / largest * room).round() as u16).max(1);
        for away in 1..=tall {
            if *change > 0.0 {
                set(buffer, x, axis_row.saturating_sub(away), '+', theme.style(Role::Good));
            } else {
                set(buffer, x, axis_row + away, if theme.ascii { '-' } else { '−' }, theme.series(7));
            }
        }
    }
    let y = area.bottom() - 1;
    put(buffer, area.x, y, &value(ends.0), area.width, theme.muted());
    put_right(buffer, area.x, area.right(), y, &value(ends.1), theme.muted());
    if linear && ends.0 < 0.0 && ends.1 > 0.0 {
        let zero = (-ends.0 / (ends.1 - ends.0) * f64::from(area.width)) as u16;
        if zero > 10 && zero + 10 < area.width {
            put(buffer, area.x + zero, y, "0", 1, theme.muted());
        }
    }
}

/// A share in per cent with one decimal, signed where it is negative.
fn share(v: f64) -> String {
    format!("{:.1} %", v * 100.0)
}
