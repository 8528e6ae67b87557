//! The page *units*: which units tell classes apart, how many responses are active, and the early hint of over-fitting.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{What, without};
use crate::{
    analysis::{
        inspect::{self, Hint, Separation},
        units::{self, UnitFigure, UnitFigures},
    },
    model::{LayerKind, LayerStats, Step},
    store::{LayerRow, up_to},
    ui::{
        Theme,
        numbers::{count, percent, value},
        text::{fit, put, put_right},
        theme::Role,
        widgets::{
            axis::{self, Bounds, Unit},
            chart::{self, Line, Stroke, Window},
            prose,
            table::{self, Cell, Column, Keep, Layout, position},
        },
    },
};

/// The split that training is compared with.
const OTHER: &str = "val";

/// The order of units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    #[default]
    Eta2,
    Density,
    Most,
    Number,
}

impl Order {
    pub fn next(self) -> Self {
        match self {
            Self::Eta2 => Self::Density,
            Self::Density => Self::Most,
            Self::Most => Self::Number,
            Self::Number => Self::Eta2,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Eta2 => "units by eta2, which is how well they tell classes apart",
            Self::Density => "units by density, the most active first",
            Self::Most => "units by their largest response",
            Self::Number => "units by number",
        }
    }

    fn sort(self, units: &mut [&UnitFigure]) {
        let falling = |a: Option<f64>, b: Option<f64>| {
            b.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.unwrap_or(f64::NEG_INFINITY))
        };
        units.sort_by(|a, b| {
            let by = match self {
                Self::Eta2 => falling(a.eta2, b.eta2),
                Self::Density => falling(a.density, b.density),
                Self::Most => falling(a.most, b.most),
                Self::Number => std::cmp::Ordering::Equal,
            };
            by.then(a.unit.cmp(&b.unit))
        });
    }
}

const UNIT: usize = 0;
const ETA2: usize = 1;
const DENSITY: usize = 2;
const MOST: usize = 3;

const COLUMNS: [Column; 5] = [
    Column { keep: Keep::End, ..Column::number("unit", 7, 0) },
    Column::number("eta2", 6, 0),
    Column::number("density", 8, 1),
    Column::number("max", 9, 2),
    Column::number("mean", 9, 3),
];

/// What is worked out of records of units and responses.
pub(super) struct Figures {
    pub units: UnitFigures,
    separation: Option<Separation>,
}

impl Figures {
    pub fn of(what: &What<'_>) -> Self {
        let row = what.row.layer.as_str();
        Self {
            units: units::figures(what.run, row, what.until),
            separation: units::separation(what.run, row, what.until),
        }
    }
}

/// The curves of one measure on both kinds of data.
struct Measure {
    name: &'static str,
    training: Vec<(Step, f64)>,
    other: Vec<(Step, f64)>,
}

/// A sentence on the early indicator, charts of density and GDV, the units.
pub(super) fn draw(
    theme: &Theme,
    what: &What<'_>,
    Figures { units, separation }: &Figures,
    (order, cursor): (Order, usize),
    body: Rect,
    buffer: &mut Buffer,
) {
    let row = activations(what);
    let measures =
        [measure(row, what.until, "density", |s| s.density), measure(row, what.until, "gdv", |s| s.gdv)];
    let logged = measures.iter().any(|m| !m.training.is_empty() || !m.other.is_empty());
    if !logged && units.units.is_empty() {
        let missing = "record of its units, its density or its gdv";
        without(theme, missing, what.until, body, buffer);
        return;
    }
    let mut said = Vec::new();
    let hints: Vec<(&str, Hint)> = measures
        .iter()
        .filter_map(|m| Some((m.name, inspect::early_overfit(&m.training, &m.other)?)))
        .collect();
    for (name, hint) in &hints {
        said.push((sentence(name, hint), theme.style(Role::Warn)));
    }
    if let Some(separation) = separation {
        let mut text = format!(
            "gdv of the logged responses {}, from {} instances",
            value(separation.value),
            count(separation.instances as u64)
        );
        if separation.left_out > 0 {
            text += &format!(" ({} with NaN left out)", separation.left_out);
        }
        said.push((text, Style::new()));
    }
    let room = Rect { height: body.height.min(4), ..body };
    let used = prose::draw(theme, &said, room, buffer);
    let rest = Rect { y: body.y + used, height: body.height - used, ..body };
    let charted: Vec<&Measure> =
        measures.iter().filter(|m| m.training.len() > 1 || m.other.len() > 1).collect();
    let tall = match rest.height {
        _ if charted.is_empty() => 0,
        height if units.units.is_empty() => height,
        height @ 14.. => (height / 2).min(14),
        9.. => 5,
        _ => 0,
    };
    charts(theme, &charted, Rect { height: tall, ..rest }, buffer);
    let low = Rect { y: rest.y + tall, height: rest.height - tall, ..rest };
    list(theme, units, (order, cursor), low, buffer);
}

/// The row with the layer's outputs: this one, or the module that it is a parameter of.
fn activations<'a>(what: &What<'a>) -> &'a LayerRow {
    let has = |row: &LayerRow| {
        row.track(LayerKind::Activations).is_some() || row.track_of(LayerKind::Activations, OTHER).is_some()
    };
    if has(what.row) {
        return what.row;
    }
    let mine = |row: &&LayerRow| has(row) && units::speaks_of(what.row.layer.as_str(), row.layer.as_str());
    what.run.layers().rows().find(mine).unwrap_or(what.row)
}

fn measure(
    row: &LayerRow,
    until: Option<Step>,
    name: &'static str,
    of: fn(&LayerStats) -> Option<f64>,
) -> Measure {
    let values = |split| {
        let track = row.track_of(LayerKind::Activations, split);
        let records = track.map(|t| up_to(t.records(), until)).unwrap_or_default();
        records.iter().filter_map(|r| Some((r.step, of(&r.stats)?))).collect()
    };
    Measure { name, training: values("train"), other: values(OTHER) }
}

/// The hint in words; an indicator, never the alert.
fn sentence(name: &str, hint: &Hint) -> String {
    format!(
        "indicator: {name} on training and on {OTHER} data part since step {} (gap {}, usually {}, z {:.1}). \
         It may begin to over-fit; the alert needs the validation loss.",
        hint.since,
        value(hint.gap),
        value(hint.usual),
        hint.z
    )
}

/// A small chart a measure, beside each other where it is wide.
fn charts(theme: &Theme, measures: &[&Measure], area: Rect, buffer: &mut Buffer) {
    if area.height < 4 || measures.is_empty() {
        return;
    }
    let beside = if area.width >= 100 { measures.len() } else { 1 };
    let width = area.width / beside as u16;
    for (i, measure) in measures.iter().take(beside).enumerate() {
        let place = Rect { x: area.x + width * i as u16, width: width.saturating_sub(2), ..area };
        chart_of(theme, measure, place, buffer);
    }
}

fn chart_of(theme: &Theme, measure: &Measure, area: Rect, buffer: &mut Buffer) {
    let points = |values: &[(Step, f64)]| -> Vec<[f64; 2]> {
        values.iter().map(|(step, v)| [*step as f64, *v]).collect()
    };
    let (training, other) = (points(&measure.training), points(&measure.other));
    let all = || training.iter().chain(&other);
    let finite = || all().map(|p| p[1]).filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let first = all().map(|p| p[0]).fold(f64::INFINITY, f64::min);
    let last = all().map(|p| p[0]).fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return;
    }
    let window = Window {
        x: axis::x_bounds(first, last, false, None),
        y: Bounds::default().around(low, high, false),
        log_y: false,
    };
    let now = |points: &[[f64; 2]]| points.last().map_or_else(|| "none".to_owned(), |p| value(p[1]));
    let solid = theme.glyph("──", "--");
    let dotted = theme.glyph("╌╌", "- -");
    let text =
        format!("{}: train {solid} {}, {OTHER} {dotted} {}", measure.name, now(&training), now(&other));
    let room = usize::from(area.width);
    // The strokes are ours: `fit` would replace them where there is no Unicode.
    let text = if theme.ascii { text } else { fit(&text, room, false) };
    put(buffer, area.x, area.y, &text, area.width, theme.muted());
    let height = area.height - 2;
    let left = axis::y_width(&window, height).min(area.width / 3);
    let plot = Rect { x: area.x + left, y: area.y + 1, width: area.width - left, height };
    axis::draw_y(&window, theme.muted(), Rect { y: area.y + 1, width: left, height, ..area }, buffer);
    let below = Rect { y: plot.bottom(), height: 1, ..plot };
    axis::draw_x(&window, Unit::Count, "step", theme.muted(), below, buffer);
    let lines = [
        Line { points: &other, style: theme.series(1), stroke: Stroke::Dotted, letter: None },
        Line { points: &training, style: theme.series(0), stroke: Stroke::Solid, letter: None },
    ];
    chart::draw(theme, &lines, &window, plot, buffer);
}

fn list(
    theme: &Theme,
    figures: &UnitFigures,
    (order, cursor): (Order, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 2 || figures.units.is_empty() {
        return;
    }
    let mut units: Vec<&UnitFigure> = figures.units.iter().collect();
    order.sort(&mut units);
    let layout = Layout::new(&COLUMNS, area.width);
    let sorted = match order {
        Order::Eta2 => (ETA2, true),
        Order::Density => (DENSITY, true),
        Order::Most => (MOST, true),
        Order::Number => (UNIT, false),
    };
    layout.head(&COLUMNS, Some(sorted), theme, Rect { height: 1, ..area }, buffer);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let cursor = cursor.min(units.len() - 1);
    let mut window = table::Window::default();
    let visible = window.follow(cursor, units.len(), usize::from(rows.height));
    for (y, i) in (rows.y..).zip(visible.clone()) {
        let unit = units[i];
        let number = |v: Option<f64>, text: fn(f64) -> String| match v {
            Some(v) if v.is_finite() => Cell::plain(text(v)),
            Some(v) => Cell::new(value(v), theme.style(Role::Bad)),
            None => Cell::new(theme.glyph("–", "-"), theme.muted()),
        };
        let cell = |column: usize| match column {
            UNIT => Cell::plain(unit.unit.to_string()),
            ETA2 => number(unit.eta2, |v| format!("{v:.3}")),
            DENSITY => number(unit.density, percent),
            MOST => number(unit.most, value),
            _ => number(unit.mean, value),
        };
        layout.row(&COLUMNS, cell, i == cursor, theme, Rect { y, height: 1, ..area }, buffer);
    }
    let note = position(&visible, units.len(), theme.ascii);
    if area.width > layout.width + 16 {
        put_right(buffer, area.x, area.right(), area.y, &note, theme.accent());
    }
}
