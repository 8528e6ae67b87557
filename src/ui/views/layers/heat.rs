//! Layers × time: one quantity of every layer over all records, as the darkness of cells; the first layer above.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::list::Lines;
use crate::{
    analysis::layers::samples::{norm, update_ratio},
    model::{LayerKind, LayerName, LayerStats, RunId, Step},
    store::{LayerTrack, Run, up_to},
    ui::{
        Theme,
        numbers::{percent, step, value},
        text::{fit, put, put_right, set},
        theme::Role,
        widgets::{
            heatmap::{self, Heat},
            table::fit_parts,
        },
    },
};

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Quantity {
    /// The measure of stability, in units of its limit.
    #[default]
    Change,
    WeightNorm,
    GradientNorm,
    Update,
    Dead,
    Zeros,
}

impl Quantity {
    pub const ALL: [Self; 6] =
        [Self::Change, Self::WeightNorm, Self::GradientNorm, Self::Update, Self::Dead, Self::Zeros];

    fn name(self) -> &'static str {
        match self {
            Self::Change => "change / limit",
            Self::WeightNorm => "weight norm",
            Self::GradientNorm => "gradient norm",
            Self::Update => "update to weight ratio",
            Self::Dead => "dead units",
            Self::Zeros => "zero outputs",
        }
    }

    fn is_share(self) -> bool {
        matches!(self, Self::Dead | Self::Zeros)
    }

    fn text(self, v: f64) -> String {
        if self.is_share() { percent(v) } else { value(v) }
    }

    /// Of a record of the tensor that it is of.
    fn of(self) -> (LayerKind, fn(&LayerStats) -> Option<f64>) {
        match self {
            Self::Change | Self::WeightNorm => (LayerKind::Weights, norm),
            Self::GradientNorm => (LayerKind::Gradients, norm),
            Self::Update => (LayerKind::Weights, update_ratio),
            Self::Dead => (LayerKind::Activations, |s| s.dead),
            Self::Zeros => (LayerKind::Activations, |s| s.zero),
        }
    }

    /// The next one in a direction of which any layer has a value.
    pub fn next(self, lines: &Lines, run: &Run, by: isize) -> Self {
        let at = Self::ALL.iter().position(|q| *q == self).unwrap_or(0);
        let n = Self::ALL.len();
        (1..=n)
            .map(|i| Self::ALL[(at + if by < 0 { n * i - i } else { i }) % n])
            .find(|q| q.is_there(lines, run))
            .unwrap_or(self)
    }

    /// Whether any layer has a value.
    pub fn is_there(self, lines: &Lines, run: &Run) -> bool {
        if self == Self::Change {
            return lines.all.iter().any(|l| l.figures.verdict.measure.is_some());
        }
        let (kind, of) = self.of();
        run.layers().rows().any(|row| {
            let records = row.track(kind).map(LayerTrack::records).unwrap_or_default();
            records.last().is_some_and(|r| of(&r.stats).is_some())
        })
    }
}

/// What a map was made from.
#[derive(Clone, PartialEq, Debug)]
struct Source {
    run: RunId,
    generation: u64,
    until: Option<Step>,
    quantity: Quantity,
    columns: usize,
}

/// A map, kept while its source is the same.
#[derive(Default)]
pub(super) struct Map {
    source: Option<Source>,
    /// Layer and the largest value in each column.
    rows: Vec<(usize, Vec<Option<f64>>)>,
    steps: (Step, Step),
    range: (f64, f64),
}

impl Map {
    fn refresh(&mut self, run: &Run, lines: &Lines, quantity: Quantity, until: Option<Step>, columns: usize) {
        let source = Source { run: run.id().clone(), generation: run.generation(), until, quantity, columns };
        if self.source.as_ref() == Some(&source) {
            return;
        }
        let mut all: Vec<(usize, Vec<(Step, f64)>)> = Vec::new();
        for line in &lines.all {
            let values = values(run, lines, line, quantity, until);
            if !values.is_empty() {
                all.push((line.figures.index, values));
            }
        }
        let steps = || all.iter().flat_map(|(_, v)| [v.first(), v.last()]).flatten().map(|(s, _)| *s);
        self.steps = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
        let span = self.steps.1.saturating_sub(self.steps.0) as f64;
        let log = !quantity.is_share();
        let drawn = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let finite = || all.iter().flat_map(|(_, v)| v).map(|(_, v)| *v).filter(drawn);
        self.range = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        if quantity.is_share() {
            self.range = (0.0, 1.0);
        }
        self.rows = all
            .into_iter()
            .map(|(index, values)| (index, binned(&values, self.steps.0, span, columns)))
            .collect();
        self.source = Some(source);
    }

    /// Where a value lies between the ends of the range, 0…1.
    fn share(&self, v: f64, quantity: Quantity) -> f64 {
        let (low, high) = self.range;
        if quantity.is_share() {
            return v;
        }
        if v <= 0.0 || high <= low {
            return if v <= 0.0 { 0.0 } else { 0.5 };
        }
        (v.ln() - low.ln()) / (high.ln() - low.ln())
    }
}

fn values(
    run: &Run,
    lines: &Lines,
    line: &super::list::Line,
    quantity: Quantity,
    until: Option<Step>,
) -> Vec<(Step, f64)> {
    if quantity == Quantity::Change {
        let Some(measure) = line.figures.verdict.measure else { return Vec::new() };
        let (moments, tau) =
            lines.stability.known(&LayerName::from(line.figures.name.as_str()), measure, until);
        let Some(tau) = tau else { return Vec::new() };
        return moments.iter().map(|m| (m.step, f64::from(m.value) / tau)).collect();
    }
    let (kind, of) = quantity.of();
    let row = run.layers().row(&LayerName::from(line.figures.name.as_str()));
    let records = row.and_then(|r| r.track(kind)).map(|t| up_to(t.records(), until)).unwrap_or_default();
    records.iter().filter_map(|r| of(&r.stats).map(|v| (r.step, v))).collect()
}

/// The largest value in each of `columns` equal stretches of steps; NaN stays. Stretches without a record repeat the one
/// before, as a state lasts until something else is known.
fn binned(values: &[(Step, f64)], first: Step, span: f64, columns: usize) -> Vec<Option<f64>> {
    let mut bins: Vec<Option<f64>> = vec![None; columns];
    for (step, v) in values {
        let share = if span > 0.0 { step.saturating_sub(first) as f64 / span } else { 0.0 };
        let at = ((share * columns as f64) as usize).min(columns.saturating_sub(1));
        if let Some(bin) = bins.get_mut(at) {
            let larger = |known: f64| if known.is_nan() || v.is_nan() { f64::NAN } else { known.max(*v) };
            *bin = Some(bin.map_or(*v, larger));
        }
    }
    let end = bins.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
    let mut last = None;
    for bin in bins.iter_mut().take(end) {
        last = bin.or(last);
        *bin = last;
    }
    bins
}

/// What is drawn, and which layer is marked.
pub(super) struct What<'a> {
    pub run: &'a Run,
    pub lines: &'a Lines,
    pub quantity: Quantity,
    pub until: Option<Step>,
    pub selected: Option<usize>,
    /// Nothing else is on screen.
    pub alone: bool,
}

/// Draws caption, map, time axis. Where there are more layers than rows, several share one and the largest value is shown.
pub(super) fn draw(map: &mut Map, theme: &Theme, what: &What<'_>, area: Rect, buffer: &mut Buffer) {
    if area.height < 3 || area.width < 24 {
        return;
    }
    let names = what.lines.name_width.clamp(6, (area.width / 4).clamp(8, 30));
    let body =
        Rect { x: area.x + names + 3, y: area.y + 1, width: area.width - names - 3, height: area.height - 2 };
    map.refresh(what.run, what.lines, what.quantity, what.until, usize::from(body.width));
    if map.rows.is_empty() {
        let text = format!("no layer has a {} up to here; h l other quantities", what.quantity.name());
        put(
            buffer,
            area.x,
            area.y,
            &fit(&text, usize::from(area.width), theme.ascii),
            area.width,
            theme.muted(),
        );
        return;
    }
    let rows = usize::from(body.height);
    let halves = map.rows.len() > rows && heatmap::has_half_blocks(theme);
    let slots = if halves { rows * 2 } else { rows };
    let per = map.rows.len().div_ceil(slots.max(1)).max(1);
    let used = map.rows.len().div_ceil(per);
    caption(map, theme, what, per, area, buffer);
    let at = |slot: usize, column: usize| -> Option<f64> {
        let members = map.rows.get(slot * per..((slot + 1) * per).min(map.rows.len()))?;
        let larger = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        members.iter().filter_map(|(_, bins)| bins.get(column).copied().flatten()).reduce(larger)
    };
    let heat = |row: usize, column: usize| {
        let slot = if halves || !heatmap::has_half_blocks(theme) { row } else { row / 2 };
        match at(slot, column) {
            Some(v) if v.is_nan() => Heat::Empty,
            Some(v) => Heat::Share(map.share(v, what.quantity)),
            None => Heat::Empty,
        }
    };
    let drawn = if halves || !heatmap::has_half_blocks(theme) { used } else { used * 2 };
    heatmap::draw(theme, (usize::from(body.width), drawn), heat, body, buffer);
    let per_text_row = if halves { 2 } else { 1 };
    for slot in 0..used {
        let y = body.y + (slot / per_text_row) as u16;
        for column in 0..usize::from(body.width) {
            if at(slot, column).is_some_and(f64::is_nan) {
                let mark = if theme.ascii { 'N' } else { '×' };
                set(buffer, body.x + column as u16, y, mark, theme.style(Role::Bad));
            }
        }
    }
    labels(map, theme, what, (per * per_text_row, names), Rect { height: body.height, ..area }, buffer);
    let y = body.y + (used.div_ceil(per_text_row) as u16).min(body.height);
    if y < area.bottom() {
        put(buffer, body.x, y, &step(map.steps.0), body.width, theme.muted());
        put_right(buffer, body.x, body.right(), y, &format!("step {}", step(map.steps.1)), theme.muted());
    }
}

/// The name of the first layer of each row of cells; the selected one's stands out.
fn labels(
    map: &Map,
    theme: &Theme,
    what: &What<'_>,
    (per, width): (usize, u16),
    area: Rect,
    buffer: &mut Buffer,
) {
    for (row, members) in map.rows.chunks(per.max(1)).enumerate().take(usize::from(area.height)) {
        let y = area.y + 1 + row as u16;
        let here = members.iter().find(|(index, _)| Some(*index) == what.selected);
        let Some((index, _)) = here.or(members.first()) else { continue };
        let Some(line) = what.lines.all.get(*index) else { continue };
        let style = if here.is_some() { theme.accent() } else { Style::new() };
        let name = fit_parts(&line.figures.name, usize::from(width), theme.ascii);
        if here.is_some() {
            put(buffer, area.x, y, theme.glyph("▸", ">"), 1, theme.accent());
        }
        put(buffer, area.x + 2, y, &name, width, style);
    }
}

fn caption(map: &Map, theme: &Theme, what: &What<'_>, per: usize, area: Rect, buffer: &mut Buffer) {
    let dash = theme.glyph("–", "-");
    let scale = if what.quantity.is_share() { "" } else { ", log" };
    let mut parts = vec![
        format!(
            "{} {} {dash} {}{scale}",
            what.quantity.name(),
            what.quantity.text(map.range.0),
            what.quantity.text(map.range.1),
        ),
        format!("h l another quantity, v {}", if what.alone { "back" } else { "alone" }),
    ];
    if per > 1 {
        parts.insert(1, format!("{per} layers a row, the largest value"));
    }
    if what.quantity == Quantity::Change {
        parts.insert(1, "1 is the limit of stable".to_owned());
    }
    let text = fit(&parts.join(theme.glyph(" · ", " | ")), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.muted());
}
