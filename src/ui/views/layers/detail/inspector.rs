//! The page *inspector*: the fields of TensorFlow.js' layer inspector for each tensor, and what the spectrum says.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{What, statistics};
use crate::{
    analysis::{cockpit::Spectrum, units},
    model::{ArtefactKind, LayerStats, Payload},
    store::up_to,
    ui::{
        Theme,
        numbers::{percent, value},
        text::{fit, put, put_right},
        theme::Role,
        widgets::prose,
    },
};

/// Names of the fields, and whether a value above 0 is trouble.
const FIELDS: [(&str, bool); 9] = [
    ("values", false),
    ("zeros", false),
    ("NaN", true),
    ("Inf", true),
    ("min", false),
    ("max", false),
    ("mean", false),
    ("std", false),
    ("step", false),
];

/// Fields in rows, a column a tensor; then α and the stable rank.
pub(super) fn draw(theme: &Theme, what: &What<'_>, body: Rect, buffer: &mut Buffer) {
    let mut area = body;
    if area.height >= 6 {
        let (text, style) = match shape(what) {
            Some(shape) => (format!("shape {shape}"), theme.title()),
            None => ("shape not logged (a tensor record says it)".to_owned(), theme.muted()),
        };
        put(buffer, area.x, area.y, &fit(&text, usize::from(area.width), theme.ascii), area.width, style);
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let kinds = statistics::kinds(what);
    statistics::heads(theme, what, &kinds, area, buffer);
    let newest: Vec<_> =
        kinds.iter().map(|(_, track)| up_to(track.records(), what.until).last().copied()).collect();
    let mut y = area.y + 1;
    for (line, (name, trouble)) in FIELDS.iter().enumerate() {
        if y >= area.bottom() {
            return;
        }
        put(buffer, area.x, y, name, statistics::NAMES, theme.muted());
        for (i, record) in newest.iter().enumerate() {
            let field = match (record, line) {
                (Some(record), 8) => Some((record.step as f64, record.step.to_string())),
                (Some(record), _) => field(&record.stats, line),
                (None, _) => None,
            };
            let bad = *trouble && field.as_ref().is_some_and(|(v, _)| *v > 0.0);
            let style = if bad { theme.style(Role::Bad) } else { Style::new() };
            let text = field.map_or_else(|| theme.glyph("–", "-").to_owned(), |(_, text)| text);
            let left = area.x + statistics::NAMES + statistics::NUMBERS * i as u16;
            put_right(buffer, left, (left + statistics::NUMBERS).min(area.right()), y, &text, style);
        }
        y += 1;
    }
    let rest = Rect { y: (y + 1).min(body.bottom()), height: body.bottom().saturating_sub(y + 1), ..body };
    prose::draw(theme, &spectrum(theme, what), rest, buffer);
}

/// A number and how it is written, by its place in [`FIELDS`].
fn field(s: &LayerStats, line: usize) -> Option<(f64, String)> {
    let whole = |v: f64| (v, if v.abs() < 1e15 { format!("{v:.0}") } else { value(v) });
    let plain = |v: f64| (v, value(v));
    match line {
        0 => s.numel.map(whole),
        1 => match (s.zero, s.numel) {
            (Some(share), Some(n)) if n < 1e6 => {
                Some((share, format!("{:.0} ({})", share * n, percent(share))))
            }
            (Some(share), _) => Some((share, percent(share))),
            _ => None,
        },
        2 => s.nan.map(whole),
        3 => s.inf.map(whole),
        4 => s.min.map(plain),
        5 => s.max.map(plain),
        6 => s.mean.map(plain),
        _ => s.std.map(plain),
    }
}

/// The shape where a tensor record of this name says it.
fn shape(what: &What<'_>) -> Option<String> {
    let names =
        |name: &str| name == what.row.layer.as_str() || units::speaks_of(name, what.row.layer.as_str());
    let record = what.run.artefacts().iter().rev().map(|r| &r.artefact).find(|a| {
        let known = what.until.is_none_or(|until| a.step.is_some_and(|step| step <= until));
        a.kind == ArtefactKind::Tensor && known && names(&a.name)
    })?;
    let shape = match record.field("v")? {
        Payload::Array(array) => array.shape(),
        Payload::File { shape, .. } => shape,
        _ => return None,
    };
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    Some(format!("[{}]", axes.join(", ")))
}

/// α with `WeightWatcher`'s word, and the stable rank, where they were logged for any tensor.
fn spectrum(theme: &Theme, what: &What<'_>) -> Vec<prose::Paragraph> {
    let newest = |of: fn(&LayerStats) -> Option<f64>| {
        let mut tracks = what.row.kinds.values();
        tracks.find_map(|t| up_to(t.records(), what.until).iter().rev().find_map(|r| of(&r.stats)))
    };
    let mut said = Vec::new();
    if let Some(alpha) = newest(|s| s.alpha) {
        let word = Spectrum::of(alpha);
        let style = match word {
            Some(Spectrum::OverTrained | Spectrum::UnderTrained) => theme.style(Role::Warn),
            Some(Spectrum::Trained) | None => Style::new(),
        };
        let text = format!(
            "alpha {}: {} (WeightWatcher, experimental: below 2 over-trained, above 6 under-trained)",
            value(alpha),
            word.map_or("no exponent", Spectrum::name)
        );
        said.push((text, style));
    }
    if let Some(rank) = newest(|s| s.stable_rank) {
        said.push((format!("stable rank {}", value(rank)), Style::new()));
    }
    if said.is_empty() {
        let text = "No alpha (layer records with alpha, stable_rank) was logged.";
        said.push((text.to_owned(), theme.muted()));
    }
    said
}
