//! Credit assignment: which units contribute how much to an output, and whether the contributions add up to it.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    analysis::units::{Conservation, compensated_sum, conservation},
    model::{Artefact, Step},
    store::StoredArtefact,
    ui::{
        Theme,
        numbers::{count, value},
        text::{columns, fit, put, put_right, set},
        theme::Role,
        widgets::prose,
    },
};

/// Draws the newest of `records`: a sentence on the sum, then a bar a unit, the largest magnitudes first.
pub(super) fn draw(
    theme: &Theme,
    layer: &str,
    records: &[StoredArtefact],
    (until, hint): (Option<Step>, &str),
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(record) = records.last().map(|r| &r.artefact).filter(|_| area.height > 0) else {
        if let Some(step) = until {
            let text = format!("No credit was assigned up to step {step}; 0 back to live.");
            prose::draw(theme, &[(text, theme.muted())], area, buffer);
        }
        return;
    };
    let Some((ids, contributions)) = numbers(record) else {
        let text = "The contributions were too many to be kept in memory.".to_owned();
        prose::draw(theme, &[(text, theme.muted())], area, buffer);
        return;
    };
    let dot = theme.glyph(" · ", " | ");
    let mut parts = vec![format!("credit of {layer} for {}{hint}", target(record))];
    if let Some(method) = record.text("method") {
        parts.push(method.to_owned());
    }
    if let Some(step) = record.step {
        parts.push(format!("step {step}"));
    }
    parts.push(format!("{} units", count(ids.len() as u64)));
    let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
    if area.height < 2 {
        return;
    }
    let total = record.number("total").or_else(|| record.number("target/value"));
    let (text, style) = sum(theme, contributions, total);
    let text = fit(&text, usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y + 1, &text, area.width, style);
    bars(theme, &sorted(ids, contributions), Rect { y: area.y + 2, height: area.height - 2, ..area }, buffer);
}

/// Units and contributions; `None` where they were not kept.
fn numbers(record: &Artefact) -> Option<(&[f64], &[f64])> {
    Some((record.array("unit")?.values(), record.array("c")?.values()))
}

fn target(record: &Artefact) -> String {
    let layer = record.text("target/layer").unwrap_or("the output");
    record.number("target/unit").map_or_else(|| layer.to_owned(), |unit| format!("{layer} unit {unit:.0}"))
}

/// Whether the contributions add up, in words.
fn sum(theme: &Theme, contributions: &[f64], total: Option<f64>) -> (String, Style) {
    let sum = value(compensated_sum(contributions));
    match (conservation(contributions, total), total) {
        (Conservation::Holds, Some(total)) => {
            (format!("sum {sum} of {}: conserves", value(total)), theme.style(Role::Good))
        }
        (Conservation::Misses(share), Some(total)) => {
            let text = format!("sum {sum} of {}: does not conserve ({})", value(total), percent(share));
            (text, theme.style(Role::Warn))
        }
        _ => (format!("sum {sum}; the log does not say what it should be"), theme.muted()),
    }
}

/// A share of one in per cent with two significant digits: deviations are small.
fn percent(share: f64) -> String {
    let p = share * 100.0;
    if p.is_nan() {
        "NaN".to_owned()
    } else if p >= 999.5 {
        ">999 %".to_owned()
    } else if p >= 10.0 {
        format!("{p:.0} %")
    } else if p >= 0.01 {
        format!("{p:.2} %")
    } else {
        format!("{p:.1e} %")
    }
}

/// Units by the magnitude of what they contribute; what is no number first, for it spoils the sum.
fn sorted(ids: &[f64], contributions: &[f64]) -> Vec<(f64, f64)> {
    let mut rows: Vec<(f64, f64)> = ids.iter().copied().zip(contributions.iter().copied()).collect();
    let size = |c: f64| if c.is_nan() { f64::INFINITY } else { c.abs() };
    rows.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)).then(a.0.total_cmp(&b.0)));
    rows
}

/// A row a unit; negative contributions reach to the left of the middle, positive ones to the right.
fn bars(theme: &Theme, rows: &[(f64, f64)], area: Rect, buffer: &mut Buffer) {
    if area.height == 0 || rows.is_empty() {
        return;
    }
    let fits = if rows.len() > usize::from(area.height) { area.height - 1 } else { area.height };
    let finite = || rows.iter().map(|(_, c)| *c).filter(|c| c.is_finite());
    let largest = finite().map(f64::abs).fold(0.0, f64::max);
    let any_negative = finite().any(|c| c < 0.0);
    let ids: Vec<String> = rows.iter().map(|(id, _)| format!("{id:.0}")).collect();
    let shown = usize::from(fits).min(rows.len());
    let label = ids[..shown].iter().map(|t| columns(t)).max().unwrap_or(1).min(12) as u16;
    let left = area.x + 5 + label + 10;
    let width = area.right().saturating_sub(left + 1).min(80);
    let middle = if any_negative { width / 2 } else { 0 };
    for (y, (id, (_, c))) in (area.y..).zip(ids.iter().zip(rows)).take(shown) {
        put(buffer, area.x, y, "unit", 4, theme.muted());
        put_right(
            buffer,
            area.x + 5,
            area.x + 5 + label,
            y,
            &fit(id, usize::from(label), theme.ascii),
            Style::new(),
        );
        let style = match c {
            c if !c.is_finite() => theme.style(Role::Bad),
            c if *c < 0.0 => theme.series(1),
            _ => theme.series(0),
        };
        let sign = if *c > 0.0 { "+" } else { "" };
        put_right(buffer, area.x + 5 + label, left - 1, y, &format!("{sign}{}", value(*c)), style);
        if width < 4 {
            continue;
        }
        if any_negative {
            set(buffer, left + middle, y, if theme.ascii { '|' } else { '│' }, theme.muted());
        }
        if !c.is_finite() || largest <= 0.0 {
            continue;
        }
        let room = f64::from(if any_negative { (width - 1) / 2 } else { width });
        let long = ((c.abs() / largest * room).round() as u16).max(u16::from(*c != 0.0));
        let (from, full) = if *c < 0.0 {
            (left + middle - long.min(middle), '-')
        } else {
            (left + middle + u16::from(any_negative), '+')
        };
        let symbol = if theme.ascii { full } else { '█' };
        for x in from..from + long {
            set(buffer, x, y, symbol, style);
        }
    }
    if shown < rows.len() {
        let rest: Vec<f64> = rows[shown..].iter().map(|(_, c)| *c).collect();
        let text = format!("{} more units, together {}", rest.len(), value(compensated_sum(&rest)));
        put(buffer, area.x, area.bottom() - 1, &text, area.width, theme.muted());
    }
}
