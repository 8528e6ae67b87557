//! Precision, recall, F1 and support by class.

use std::cmp::Ordering;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{dash, figures::Figures};
use crate::ui::{
    FrameContext,
    text::put_right,
    theme::Role,
    widgets::{
        matrix::count,
        table::{Cell, Column, Keep, Layout, Window, position},
    },
};

/// Columns that the table would like to have beside the matrix.
pub(super) const WIDTH: u16 = 46;

/// Below this F1 a class is marked, where the mean is at least twice as good.
const WEAK: f64 = 0.5;

const NAME: usize = 0;
const F1: usize = 1;
const RECALL: usize = 2;
const PRECISION: usize = 3;

const COLUMNS: [Column; 5] = [
    Column::text("class", 6, 20, 0, Keep::Ends),
    Column::number("F1", 7, 0),
    Column::number("recall", 6, 1),
    Column::number("precis", 6, 2),
    Column::number("support", 7, 3),
];

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    /// As in the matrix.
    #[default]
    Logged,
    /// Lowest F1 first.
    Worst,
    /// Most samples first.
    Largest,
}

impl Order {
    pub fn next(self) -> Self {
        match self {
            Self::Logged => Self::Worst,
            Self::Worst => Self::Largest,
            Self::Largest => Self::Logged,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Logged => "as they were logged",
            Self::Worst => "worst F1 first",
            Self::Largest => "largest first",
        }
    }

    /// Classes in this order.
    pub fn sorted(self, figures: &Figures) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..figures.scores.len()).collect();
        let s = &figures.scores;
        let f1 = |c: usize| s[c].f1.unwrap_or(f64::INFINITY);
        let compare = |a: &usize, b: &usize| match self {
            Self::Logged => Ordering::Equal,
            Self::Worst => f1(*a).total_cmp(&f1(*b)),
            Self::Largest => s[*b].support.total_cmp(&s[*a].support),
        };
        classes.sort_by(compare);
        classes
    }
}

/// Draws the table and returns where its rows are.
pub(super) fn draw(
    context: FrameContext<'_>,
    figures: &Figures,
    order: Order,
    selected: usize,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let theme = context.theme;
    if area.height < 2 {
        return Rect::ZERO;
    }
    let classes = order.sorted(figures);
    let index = classes.iter().position(|c| *c == selected).unwrap_or(0);
    let layout = Layout::new(&COLUMNS, area.width);
    let sorted = match order {
        Order::Logged => (NAME, false),
        Order::Worst => (F1, false),
        Order::Largest => (COLUMNS.len() - 1, true),
    };
    layout.head(&COLUMNS, Some(sorted), theme, Rect { height: 1, ..area }, buffer);
    let mut rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    // The last row says where we are when not all classes fit.
    if classes.len() > usize::from(rows.height) && rows.height > 2 {
        rows.height -= 1;
    }
    let visible = window.follow(index, classes.len(), usize::from(rows.height));
    for (y, i) in (rows.y..).zip(visible.clone()) {
        let place = Rect { y, height: 1, ..area };
        let cell = |c| cell(context, figures, classes[i], c);
        layout.row(&COLUMNS, cell, i == index, theme, place, buffer);
    }
    let note = position(&visible, classes.len(), theme.ascii);
    put_right(buffer, area.x, area.right(), rows.bottom(), &note, theme.muted());
    rows
}

fn cell(context: FrameContext<'_>, figures: &Figures, class: usize, column: usize) -> Cell {
    let theme = context.theme;
    let scores = &figures.scores[class];
    let share = |v: Option<f64>| v.map_or_else(|| dash(context), |v| Cell::plain(format!("{v:.3}")));
    match column {
        NAME => Cell::plain(figures.name(class)),
        F1 => match scores.f1 {
            Some(f1) if is_weak(figures, f1) => {
                Cell::new(format!("{}{f1:.3}", theme.glyph("▼ ", "! ")), theme.style(Role::Warn))
            }
            f1 => share(f1),
        },
        RECALL => share(scores.recall),
        PRECISION => share(scores.precision),
        _ => Cell::new(count(scores.support, 7), theme.muted()),
    }
}

/// A class that is poor in itself, or far below the others.
fn is_weak(figures: &Figures, f1: f64) -> bool {
    let mean = figures.macro_f1.unwrap_or(0.0);
    f1 < WEAK * mean || (f1 < WEAK && mean >= WEAK)
}
