//! Precision, recall, F1 and support by class or by group, with how sure they are.

use std::cmp::Ordering;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    dash,
    figures::{Figures, f1_interval, interval},
    standing::Standing,
};
use crate::ui::{
    FrameContext,
    text::put_right,
    theme::Role,
    widgets::{
        matrix::count,
        table::{Cell, Column, Keep, Layout, Window, position},
    },
};

/// Columns that the table needs beside the matrix: all but the support.
pub(super) const LEAST: u16 = 32;
/// With more the numbers drift apart.
pub(super) const MOST: u16 = 86;

/// Below this F1 a class is marked, where the mean is at least twice as good.
const WEAK: f64 = 0.5;
/// Samples of a class below which its scores are luck.
const FEW: f64 = 20.0;

const NAME: usize = 0;
const F1: usize = 1;
const RECALL: usize = 3;
const PRECISION: usize = 5;
const SUPPORT: usize = 7;

const COLUMNS: [Column; 8] = [
    Column::text("class", 6, 20, 0, Keep::Parts),
    Column::number("F1", 7, 0),
    Column::number("95 %", 8, 6),
    Column::number("recall", 7, 1),
    Column::number("95 %", 8, 4),
    Column::number("prec", 6, 2),
    Column::number("95 %", 8, 5),
    Column::number("n", 6, 3),
];

/// Of groups: what counts only the diagonal stands beside what counts the group.
const GROUP_COLUMNS: [Column; 8] = [
    Column::text("group", 6, 20, 0, Keep::Parts),
    Column::number("F1", 7, 0),
    Column::number("classes", 7, 6),
    Column::number("recall", 7, 1),
    Column::number("exact", 6, 4),
    Column::number("prec", 6, 2),
    Column::number("exact", 6, 5),
    Column::number("n", 6, 3),
];

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    /// As in the matrix.
    #[default]
    Matrix,
    /// Lowest F1 first.
    Worst,
    /// Most samples first.
    Recall,
    Largest,
}

impl Order {
    pub fn next(self) -> Self {
        match self {
            Self::Matrix => Self::Worst,
            Self::Worst => Self::Recall,
            Self::Recall => Self::Largest,
            Self::Largest => Self::Matrix,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Matrix => "as in the matrix",
            Self::Worst => "worst F1 first",
            Self::Recall => "lowest recall first",
            Self::Largest => "largest first",
        }
    }

    /// The rows of the table in this order: classes, or groups if they are `collapsed`.
    pub fn sorted(self, figures: &Figures, standing: &Standing, collapsed: bool) -> Vec<usize> {
        let f1 = |i: usize| if collapsed { standing.groups.scores[i].f1() } else { figures.scores[i].f1 };
        let recall = |i: usize| {
            if collapsed { standing.groups.scores[i].recall() } else { figures.scores[i].recall }
        };
        let support = |i: usize| {
            if collapsed { standing.groups.scores[i].support } else { figures.scores[i].support }
        };
        let mut rows: Vec<usize> = if collapsed {
            (0..standing.groups.scores.len()).collect()
        } else {
            let known = figures.scores.len();
            standing.arrangement.order.iter().copied().filter(|class| *class < known).collect()
        };
        let compare = |a: &usize, b: &usize| match self {
            Self::Matrix => Ordering::Equal,
            Self::Worst => f1(*a).unwrap_or(f64::INFINITY).total_cmp(&f1(*b).unwrap_or(f64::INFINITY)),
            Self::Recall => {
                recall(*a).unwrap_or(f64::INFINITY).total_cmp(&recall(*b).unwrap_or(f64::INFINITY))
            }
            Self::Largest => support(*b).total_cmp(&support(*a)),
        };
        rows.sort_by(compare);
        rows
    }
}

/// What the table shows.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub figures: &'a Figures,
    pub standing: &'a Standing,
    pub order: Order,
    pub collapsed: bool,
    /// The class under the cursor.
    pub selected: usize,
}

impl Shown<'_> {
    /// The row that a class stands in.
    fn row_of(&self, class: usize) -> usize {
        if self.collapsed { self.standing.arrangement.groups.get(class).copied().unwrap_or(0) } else { class }
    }
}

/// Draws the table and returns where its rows are.
pub(super) fn draw(
    context: FrameContext<'_>,
    shown: Shown<'_>,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let theme = context.theme;
    if area.height < 2 {
        return Rect::ZERO;
    }
    let list = shown.order.sorted(shown.figures, shown.standing, shown.collapsed);
    let selected = shown.row_of(shown.selected);
    let index = list.iter().position(|row| *row == selected).unwrap_or(0);
    let columns = if shown.collapsed { &GROUP_COLUMNS } else { &COLUMNS };
    let layout = Layout::new(columns, area.width);
    let sorted = match shown.order {
        Order::Matrix => (NAME, false),
        Order::Worst => (F1, false),
        Order::Recall => (RECALL, false),
        Order::Largest => (SUPPORT, true),
    };
    layout.head(columns, Some(sorted), theme, Rect { height: 1, ..area }, buffer);
    let mut rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    // The last row says where we are when not all classes fit.
    if list.len() > usize::from(rows.height) && rows.height > 2 {
        rows.height -= 1;
    }
    let visible = window.follow(index, list.len(), usize::from(rows.height));
    for (y, i) in (rows.y..).zip(visible.clone()) {
        let place = Rect { y, height: 1, ..area };
        let cell = |c| {
            if shown.collapsed {
                group(context, shown, list[i], c)
            } else {
                class(context, shown, list[i], c)
            }
        };
        layout.row(columns, cell, i == index, theme, place, buffer);
    }
    let note = position(&visible, list.len(), theme.ascii);
    put_right(buffer, area.x, area.right(), rows.bottom(), &note, theme.muted());
    rows
}

fn class(context: FrameContext<'_>, shown: Shown<'_>, class: usize, column: usize) -> Cell {
    let theme = context.theme;
    let figures = shown.figures;
    let Some(scores) = figures.scores.get(class) else { return Cell::default() };
    let predicted = figures.predicted(class);
    let hits = figures.matrix.as_ref().map_or(0.0, |m| m.get(class, class));
    // Grey: too few to mean anything. How many shares stand for is not known.
    let few = !figures.shares && scores.support < FEW;
    let plain = |text: String| if few { Cell::new(text, theme.muted()) } else { Cell::plain(text) };
    let share = |v: Option<f64>| v.map_or_else(|| dash(context), |v| plain(format!("{v:.3}")));
    let range = |range: Option<(f64, f64)>| match range.filter(|_| !figures.shares) {
        Some((low, high)) => Cell::new(between(low, high, theme.ascii), theme.muted()),
        None => dash(context),
    };
    match column {
        NAME => plain(figures.name(class)),
        F1 => match scores.f1 {
            Some(f1) if !few && is_weak(figures, f1) => {
                Cell::new(format!("{}{f1:.3}", theme.glyph("▼ ", "! ")), theme.style(Role::Warn))
            }
            f1 => share(f1),
        },
        2 => range(f1_interval(hits, scores.support, predicted)),
        RECALL => share(scores.recall),
        4 => range(interval(hits, scores.support)),
        PRECISION => share(scores.precision),
        6 => range(interval(hits, predicted)),
        _ => Cell::new(count(scores.support, 6), theme.muted()),
    }
}

fn group(context: FrameContext<'_>, shown: Shown<'_>, group: usize, column: usize) -> Cell {
    let theme = context.theme;
    let arrangement = &shown.standing.arrangement;
    let Some(scores) = shown.standing.groups.scores.get(group) else { return Cell::default() };
    let few = !shown.figures.shares && scores.support < FEW;
    let plain = |text: String| if few { Cell::new(text, theme.muted()) } else { Cell::plain(text) };
    let share = |v: Option<f64>| v.map_or_else(|| dash(context), |v| plain(format!("{v:.3}")));
    match column {
        NAME => plain(arrangement.group_names.get(group).cloned().unwrap_or_default()),
        F1 => share(scores.f1()),
        2 => Cell::new(arrangement.members(group).count().to_string(), theme.muted()),
        RECALL => share(scores.recall()),
        4 => share(scores.exact_recall()),
        PRECISION => share(scores.precision()),
        6 => share(scores.exact_precision()),
        _ => Cell::new(count(scores.support, 6), theme.muted()),
    }
}

/// `.55–.74`
fn between(low: f64, high: f64, ascii: bool) -> String {
    let short = |v: f64| {
        let text = format!("{v:.2}");
        text.strip_prefix('0').map_or_else(|| "1.0".to_owned(), str::to_owned)
    };
    format!("{}{}{}", short(low.max(0.0)), if ascii { '-' } else { '–' }, short(high))
}

/// A class that is poor in itself, or far below the others.
fn is_weak(figures: &Figures, f1: f64) -> bool {
    let mean = figures.macro_f1.unwrap_or(0.0);
    f1 < WEAK * mean || (f1 < WEAK && mean >= WEAK)
}
