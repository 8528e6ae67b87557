//! The table of layers: its columns, their order, and the rows kept until something changes.

use std::cmp::Ordering;

use super::{figures::Figures, trouble::Trouble};
use crate::{
    detect::{Alert, AlertBook},
    model::{LayerKind, RunId, Step},
    store::Run,
    ui::{
        Theme,
        filter::Filter,
        numbers::{count, percent, value},
        theme::Role,
        widgets::table::{Cell, Column, Keep},
    },
};

/// Columns, from left to right.
pub(super) const NAME: usize = 0;
pub(super) const STATE: usize = 1;
pub(super) const PARAMETERS: usize = 2;
pub(super) const WEIGHT_NORM: usize = 3;
pub(super) const GRADIENT_NORM: usize = 4;
pub(super) const MEAN: usize = 5;
pub(super) const STD: usize = 6;
pub(super) const ZERO: usize = 7;
pub(super) const BROKEN: usize = 8;
pub(super) const CHANGE: usize = 9;
pub(super) const TREND: usize = 10;

/// Columns as they are; the name is made as wide as the longest one.
pub(super) const COLUMNS: [Column; 11] = [
    Column::text("layer", 13, 48, 0, Keep::Parts),
    Column::text("state", 10, 18, 1, Keep::Start),
    Column::number("params", 6, 8),
    Column::number("w norm", 8, 3),
    Column::number("g norm", 8, 2),
    Column::number("mean", 9, 7),
    Column::number("std", 8, 6),
    Column::number("zero", 5, 5),
    Column::number("NaN", 5, 9),
    Column::number("change", 7, 4),
    Column::text("trend", 8, 40, 4, Keep::Start),
];

/// What the `o` key goes through; the network's own order first.
const ORDERS: [usize; 6] = [NAME, STATE, GRADIENT_NORM, WEIGHT_NORM, ZERO, CHANGE];

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Order(usize);

impl Order {
    pub fn next(self) -> Self {
        Self((self.0 + 1) % ORDERS.len())
    }

    /// By a column of the head that was clicked; columns that give no order are ignored.
    pub fn by(self, column: usize) -> Self {
        ORDERS.iter().position(|c| *c == column).map_or(self, Self)
    }

    pub fn column(self) -> usize {
        ORDERS[self.0]
    }

    pub fn name(self) -> &'static str {
        match self.column() {
            NAME => "in the order of the network",
            STATE => "trouble first",
            GRADIENT_NORM => "largest gradient first",
            WEIGHT_NORM => "largest weights first",
            ZERO => "most zeros first",
            _ => "largest change first",
        }
    }

    fn compare(self, a: &Line, b: &Line) -> Ordering {
        let number =
            |v: Option<f64>| v.map_or(f64::NEG_INFINITY, |v| if v.is_nan() { f64::INFINITY } else { v });
        let falling =
            |f: fn(&Figures) -> Option<f64>| number(f(&b.figures)).total_cmp(&number(f(&a.figures)));
        let by = match self.column() {
            NAME => Ordering::Equal,
            STATE => b.trouble.rank().cmp(&a.trouble.rank()),
            GRADIENT_NORM => falling(|f| f.gradient_norm),
            WEIGHT_NORM => falling(|f| f.weight_norm),
            ZERO => falling(|f| f.stats.zero),
            _ => falling(|f| f.change.map(f64::abs)),
        };
        by.then(a.figures.index.cmp(&b.figures.index))
    }
}

/// One row.
pub(super) struct Line {
    pub figures: Figures,
    pub trouble: Trouble,
}

/// What the rows were made from. While it is the same, so are they.
#[derive(Clone, PartialEq, Debug)]
struct Source {
    run: RunId,
    generation: u64,
    alerts: u64,
    kind: LayerKind,
    until: Option<Step>,
    order: Order,
    filter: String,
}

/// The rows in their order.
#[derive(Default)]
pub(super) struct Lines {
    pub rows: Vec<Line>,
    /// The norm of the gradients in the order of the network, filter or not.
    pub depth: Vec<(usize, Option<f64>)>,
    /// The widest name.
    pub name_width: u16,
    /// Layers in all.
    pub total: usize,
    source: Option<Source>,
}

impl Lines {
    /// Makes the rows anew if anything that they depend on has changed.
    pub fn refresh(
        &mut self,
        run: &Run,
        book: &AlertBook,
        (kind, until, order, filter): (LayerKind, Option<Step>, Order, &str),
    ) {
        let source = Source {
            run: run.id().clone(),
            generation: run.generation(),
            alerts: book.generation(),
            kind,
            until,
            order,
            filter: filter.to_owned(),
        };
        if self.source.as_ref() == Some(&source) {
            return;
        }
        let alerts: Vec<&Alert> =
            book.of_run(run.id()).filter(|a| a.is_open() && !a.is_quiet() && a.layer.is_some()).collect();
        let mut words = Filter::new(filter);
        self.rows.clear();
        self.depth.clear();
        for (index, row) in run.layers().rows().enumerate() {
            let figures = Figures::of(index, row, kind, until);
            self.depth.push((index, figures.gradient_norm));
            if !words.matches(&figures.name) {
                continue;
            }
            let mut worst: Option<&Alert> = None;
            for alert in alerts.iter().filter(|a| a.layer.as_ref() == Some(&row.layer)) {
                if worst.is_none_or(|w| alert.severity > w.severity) {
                    worst = Some(alert);
                }
            }
            let trouble = Trouble::of(&figures, worst);
            self.rows.push(Line { figures, trouble });
        }
        self.total = self.depth.len();
        let width = |line: &Line| crate::ui::text::columns(&line.figures.name);
        self.name_width = self.rows.iter().map(width).max().unwrap_or(0).min(200) as u16;
        self.rows.sort_by(|a, b| order.compare(a, b));
        self.source = Some(source);
    }
}

/// The text of a cell; the trend is drawn, not written.
pub(super) fn cell(theme: &Theme, line: &Line, column: usize) -> Cell {
    let f = &line.figures;
    let number = |v: Option<f64>| match v {
        Some(v) if v.is_finite() => Cell::plain(value(v)),
        Some(v) => Cell::new(value(v), theme.style(Role::Bad)),
        None => Cell::new(theme.glyph("–", "-"), theme.muted()),
    };
    match column {
        NAME => Cell::plain(f.name.as_str()),
        STATE => line.trouble.cell(theme),
        PARAMETERS => {
            f.parameters.map_or_else(|| number(None), |n| Cell::new(count(n.max(0.0) as u64), theme.muted()))
        }
        WEIGHT_NORM => number(f.weight_norm),
        GRADIENT_NORM => number(f.gradient_norm),
        MEAN => number(f.stats.mean),
        STD => number(f.stats.std),
        ZERO => f.stats.zero.map_or_else(|| number(None), |z| Cell::plain(percent(z))),
        BROKEN if f.broken > 0.0 => Cell::new(count(f.broken as u64), theme.style(Role::Bad)),
        BROKEN => Cell::new("0", theme.muted()),
        CHANGE => f.change.map_or_else(|| number(None), |c| Cell::plain(change(theme, c))),
        _ => Cell::default(),
    }
}

/// A relative change with its sign: `+1.2%`, `-40%`, `×12`.
pub(super) fn change(theme: &Theme, c: f64) -> String {
    let p = c * 100.0;
    if !c.is_finite() {
        "?".to_owned()
    } else if p.abs() < 0.05 {
        "0%".to_owned()
    } else if p.abs() < 9.95 {
        format!("{p:+.1}%")
    } else if p.abs() < 999.5 {
        format!("{p:+.0}%")
    } else {
        format!("{}{}", theme.glyph("×", "x"), count((c + 1.0).abs() as u64))
    }
}
