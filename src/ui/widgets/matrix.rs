//! A confusion matrix on screen: counts in cells where they fit, a map where they do not, never silently cut.

use std::ops::Range;

use ndarray::Array2;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{
    heatmap::{self, Heat},
    prose,
};
use crate::ui::{
    Theme,
    text::{columns, fit, put, put_right, set},
};

/// What the numbers in the cells are, and what the colours speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Normalise {
    /// Counts; coloured by the share of the row, which is the true class.
    #[default]
    Counts,
    /// Shares of the row in per cent: where the samples of a class went.
    Rows,
    /// Shares of the column in per cent: what is behind a prediction.
    Columns,
}

impl Normalise {
    /// The next one in the cycle of its key.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Counts => Self::Rows,
            Self::Rows => Self::Columns,
            Self::Columns => Self::Counts,
        }
    }

    /// What the header says of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Rows => "% of the true class",
            Self::Columns => "% of the predicted class",
        }
    }
}

/// How much of the matrix is wanted at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zoom {
    /// Counts if all classes fit so, else the map of all.
    #[default]
    Auto,
    /// Counts; scrolls.
    Counts,
    /// The map of all classes.
    Map,
}

/// The matrix and what is needed to speak of it. Sums are the caller's, so that they are added up once.
pub struct Matrix<'a> {
    /// Counts, rows true.
    pub counts: &'a Array2<f64>,
    /// Sum of each row.
    pub row_sums: &'a [f64],
    /// Sum of each column.
    pub column_sums: &'a [f64],
    /// The largest count.
    pub largest: f64,
    /// Names in the order of the rows; shorter than the matrix where the log names fewer.
    pub names: &'a [String],
    /// What numbers and colours are.
    pub normalise: Normalise,
}

impl Matrix<'_> {
    /// The name of a class, or its number.
    pub fn name(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    fn share(&self, row: usize, column: usize) -> f64 {
        let sum = match self.normalise {
            Normalise::Columns => self.column_sums[column],
            Normalise::Counts | Normalise::Rows => self.row_sums[row],
        };
        if sum > 0.0 { self.counts[[row, column]] / sum } else { 0.0 }
    }

    /// Number of a cell as text of at most `width` columns.
    fn number(&self, row: usize, column: usize, width: usize) -> String {
        if self.normalise == Normalise::Counts {
            count(self.counts[[row, column]], width)
        } else {
            let percent = self.share(row, column) * 100.0;
            if percent > 0.0 && percent < 0.5 { "<1".to_owned() } else { format!("{percent:.0}") }
        }
    }
}

/// A count, or a weight, in `width` columns: whole numbers as they are, large ones with a unit.
pub fn count(value: f64, width: usize) -> String {
    let plain = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    if plain.len() <= width {
        return plain;
    }
    let whole = format!("{value:.0}");
    if whole.len() <= width {
        return whole;
    }
    for (unit, size) in [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)] {
        let short = format!("{:.0}{unit}", value / size);
        if short.len() <= width {
            return short;
        }
    }
    "#".repeat(width)
}

/// Colours rise with the root of the share: 1 % of a class is visible, 25 % is half way, and the scale is the same for
/// every matrix and every step.
fn warmth(share: f64) -> f64 {
    share.max(0.0).sqrt()
}

/// How a matrix is laid out in an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Numbers.
    Counts {
        /// Columns of the row names.
        label: u16,
        /// Columns of a cell, with the blank before it.
        cell: u16,
        /// Visible true classes.
        rows: Range<usize>,
        /// Visible predicted classes.
        columns: Range<usize>,
    },
    /// One value for each class, or for several.
    Map {
        /// Columns of the row names.
        label: u16,
        /// Classes in a value, along each side.
        per: usize,
        /// Values along each side.
        values: usize,
    },
    /// There is no room for anything.
    Nothing,
}

impl Plan {
    /// Chooses for `area`, with the cell of `cursor` (true, predicted) in view.
    pub fn new(matrix: &Matrix<'_>, zoom: Zoom, cursor: (usize, usize), theme: &Theme, area: Rect) -> Self {
        let n = matrix.counts.nrows();
        if n == 0 || area.width < 6 || area.height < 3 {
            return Self::Nothing;
        }
        let label = label_width(matrix, n, area.width);
        let (width, height) = (usize::from(area.width - label), usize::from(area.height - 1));
        let widest = match matrix.normalise {
            Normalise::Counts => count(matrix.largest, 5).len(),
            Normalise::Rows | Normalise::Columns => 3,
        };
        let least = widest.max(2) + 1;
        let counts_fit = width / least >= n && height >= n;
        if zoom == Zoom::Counts || (zoom == Zoom::Auto && (counts_fit || n <= 4)) {
            let names = matrix.names.iter().take(64).map(|name| columns(name)).max().unwrap_or(0);
            let roomy = (names + 1).clamp(least.max(6), least.max(10));
            let cell = (width / n).clamp(least, roomy).min(width.max(1));
            let rows = around(cursor.0, n, height.max(1));
            let columns = around(cursor.1, n, (width / cell).max(1));
            return Self::Counts { label, cell: cell as u16, rows, columns };
        }
        let tall = usize::from(heatmap::value_rows(theme, area.height - 1));
        let per = n.div_ceil(width.max(1)).max(n.div_ceil(tall.max(1))).max(1);
        Self::Map { label, per, values: n.div_ceil(per) }
    }

    /// What has to be said because not every class has a number of its own; empty when everything is there.
    pub fn note(&self, classes: usize, theme: &Theme) -> String {
        let dash = if theme.ascii { '-' } else { '–' };
        match self {
            Self::Counts { rows, columns, .. } if rows.len() < classes || columns.len() < classes => {
                let span = |r: &Range<usize>| format!("{}{dash}{}", r.start + 1, r.end);
                format!("rows {}, columns {} of {classes}", span(rows), span(columns))
            }
            Self::Map { per: 1, .. } => format!("map of all {classes}, a point a cell"),
            Self::Map { per, .. } => format!("map of all {classes}, {per} classes a point"),
            Self::Counts { .. } | Self::Nothing => String::new(),
        }
    }

    /// The class pair (true, predicted) at a cell of the screen; the first of several.
    pub fn at(&self, theme: &Theme, area: Rect, column: u16, row: u16) -> Option<(usize, usize)> {
        let down = usize::from(row.checked_sub(area.y + 1)?);
        match self {
            Self::Counts { label, cell, rows, columns } => {
                let right = usize::from(column.checked_sub(area.x + label)? / (*cell).max(1));
                let pair = (rows.start + down, columns.start + right);
                (pair.0 < rows.end && pair.1 < columns.end).then_some(pair)
            }
            Self::Map { label, per, values } => {
                let right = usize::from(column.checked_sub(area.x + label)?);
                let down = if heatmap::has_half_blocks(theme) { down * 2 } else { down };
                (right < *values && down < *values).then_some((down * per, right * per))
            }
            Self::Nothing => None,
        }
    }
}

/// Columns that a plan fills, with the names of the rows.
pub fn width(plan: &Plan) -> u16 {
    match plan {
        Plan::Counts { label, cell, columns, .. } => label + cell * columns.len() as u16,
        Plan::Map { label, values, .. } => label + *values as u16,
        Plan::Nothing => 0,
    }
}

/// Rows that a plan fills, with the row of column names.
pub fn height(theme: &Theme, plan: &Plan, classes: usize) -> u16 {
    let rows = match plan {
        Plan::Counts { rows, .. } => rows.len().min(classes),
        Plan::Map { values, .. } if heatmap::has_half_blocks(theme) => values.div_ceil(2),
        Plan::Map { values, .. } => *values,
        Plan::Nothing => 0,
    };
    u16::try_from(rows + 1).unwrap_or(u16::MAX)
}

/// `room` indices of `n`, with `index` among them, moving by half a screen.
fn around(index: usize, n: usize, room: usize) -> Range<usize> {
    if n <= room {
        return 0..n;
    }
    let stride = (room / 2).max(1);
    let first = (index / stride * stride).saturating_sub(stride / 2).min(n - room);
    let first = first.clamp((index + 1).saturating_sub(room), index);
    first..first + room
}

fn label_width(matrix: &Matrix<'_>, n: usize, width: u16) -> u16 {
    let most = usize::from(width / 4).clamp(3, 18);
    let numbers = n.to_string().len();
    // A look at the first few hundred names is enough to set a width, and costs the same in every frame.
    let names = matrix.names.iter().take(n.min(400)).map(|name| columns(name)).max().unwrap_or(0);
    (label_text_width(numbers, names).min(most) + 1) as u16
}

fn label_text_width(number: usize, name: usize) -> usize {
    name.max(number).max(1)
}

/// Draws the matrix as planned: rows are the true classes, columns the predicted ones. `points` are those of the
/// same matrix and plan.
pub fn draw(
    matrix: &Matrix<'_>,
    (plan, points): (&Plan, &Points),
    cursor: (usize, usize),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    match plan {
        Plan::Counts { label, cell, rows, columns } => {
            corner(theme, *label, area, buffer);
            for (i, column) in columns.clone().enumerate() {
                let x = area.x + label + i as u16 * cell;
                let room = usize::from(*cell).saturating_sub(1);
                // Cut without a mark: two letters say more than one and an ellipsis.
                let name = fit(&matrix.name(column), usize::MAX, theme.ascii);
                let name = prose::wrap(&name.replace(' ', "_"), room, theme.ascii).swap_remove(0);
                let style = if column == cursor.1 { theme.accent() } else { theme.muted() };
                put_right(buffer, x, (x + cell).min(area.right()), area.y, &name, style);
            }
            for (i, row) in rows.clone().enumerate() {
                let y = area.y + 1 + i as u16;
                let style = if row == cursor.0 { theme.accent() } else { Style::new() };
                let name = fit(&matrix.name(row), usize::from(label - 1), theme.ascii);
                put_right(buffer, area.x, area.x + label - 1, y, &name, style);
                for (j, column) in columns.clone().enumerate() {
                    let place = Rect { x: area.x + label + j as u16 * cell, y, width: *cell, height: 1 };
                    number_cell(matrix, (row, column), (row, column) == cursor, theme, place, buffer);
                }
            }
        }
        Plan::Map { label, per, values } => {
            corner(theme, *label, area, buffer);
            map((matrix, points), (*label, *per, *values), cursor, theme, area, buffer);
        }
        Plan::Nothing => {}
    }
}

/// Says which side is which, in the corner where both meet.
fn corner(theme: &Theme, label: u16, area: Rect, buffer: &mut Buffer) {
    let text = match (label, theme.ascii) {
        (10.., false) => "true↓ pred→",
        (10.., true) => "true v pred>",
        (5.., false) => "true↓",
        (5.., true) => "truev",
        (_, false) => "t↓",
        (_, true) => "tv",
    };
    let room = usize::from(label);
    put(buffer, area.x, area.y, &fit(text, room, theme.ascii), label, theme.muted());
}

fn number_cell(
    matrix: &Matrix<'_>,
    (row, column): (usize, usize),
    selected: bool,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    let share = matrix.share(row, column);
    let nothing = matrix.counts[[row, column]] <= 0.0;
    let mut style = if row == column {
        heatmap::diagonal_text(theme)
    } else if nothing {
        theme.muted()
    } else {
        theme.heat(warmth(share))
    };
    if selected {
        style = style.add_modifier(Modifier::REVERSED);
    }
    let room = usize::from(place.width).saturating_sub(1);
    let text = match (nothing, row == column) {
        (true, false) => theme.glyph("·", ".").to_owned(),
        _ => fit(&matrix.number(row, column, room), room, theme.ascii),
    };
    let painted = Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place };
    buffer.set_style(painted.intersection(buffer.area), style);
    put_right(buffer, painted.x, painted.right(), place.y, &text, style);
    if selected && theme.depth == crate::ui::theme::Depth::None {
        let left = painted.right().saturating_sub(columns(&text) as u16 + 1).max(place.x);
        set(buffer, left, place.y, if theme.ascii { '>' } else { '▸' }, Style::new());
    }
}

fn map(
    (matrix, points): (&Matrix<'_>, &Points),
    (label, per, values): (u16, usize, usize),
    cursor: (usize, usize),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let n = matrix.counts.nrows();
    let inner = Rect { x: area.x + label, y: area.y + 1, width: area.width - label, height: area.height - 1 };
    let step = if heatmap::has_half_blocks(theme) { 2 } else { 1 };
    for (i, y) in (inner.y..inner.bottom()).enumerate() {
        let first = i * step * per;
        if first >= n {
            break;
        }
        let covers = first..(first + step * per).min(n);
        let here = covers.contains(&cursor.0);
        let class = if here { cursor.0 } else { first };
        let style = if here { theme.accent() } else { theme.muted() };
        let name = fit(&matrix.name(class), usize::from(label - 1), theme.ascii);
        put_right(buffer, area.x, area.x + label - 1, y, &name, style);
    }
    let tip = inner.x + (cursor.1 / per) as u16;
    if tip < inner.right() {
        put(buffer, tip, area.y, theme.glyph("▾", "v"), 1, theme.accent());
    }
    let heat = |row: usize, column: usize| points.at(row, column);
    heatmap::draw(theme, (values, values), heat, inner, buffer);
}

/// The points of a map, kept between frames: each may be the summary of many cells.
#[derive(Default)]
pub struct Points {
    version: u64,
    per: usize,
    normalise: Normalise,
    values: usize,
    heat: Vec<Heat>,
}

impl Points {
    /// Sums up anew if the plan is another map or the matrix has another `version`; nothing for other plans.
    pub fn refresh(&mut self, matrix: &Matrix<'_>, plan: &Plan, version: u64) {
        let Plan::Map { per, values, .. } = *plan else { return };
        let same = (self.version, self.per, self.normalise, self.values)
            == (version, per, matrix.normalise, values)
            && !self.heat.is_empty();
        if same {
            return;
        }
        let heat = (0..values).flat_map(|row| (0..values).map(move |column| (row, column)));
        self.heat = heat.map(|(row, column)| block(matrix, per, row, column)).collect();
        (self.version, self.per, self.normalise, self.values) = (version, per, matrix.normalise, values);
    }

    fn at(&self, row: usize, column: usize) -> Heat {
        self.heat.get(row * self.values + column).copied().unwrap_or(Heat::Empty)
    }
}

/// Several classes as one value: the largest share of its cells, so that one bad pair among many good ones stays
/// visible.
fn block(matrix: &Matrix<'_>, per: usize, row: usize, column: usize) -> Heat {
    let n = matrix.counts.nrows();
    let mut worst: f64 = 0.0;
    let mut best: f64 = 0.0;
    for r in row * per..((row + 1) * per).min(n) {
        for c in column * per..((column + 1) * per).min(n) {
            let share = matrix.share(r, c);
            if r == c {
                best = best.max(share);
            } else {
                worst = worst.max(share);
            }
        }
    }
    if row == column && (per == 1 || best >= worst) {
        Heat::Diagonal(best)
    } else if worst > 0.0 {
        Heat::Share(warmth(worst))
    } else {
        Heat::Empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{snapshot, theme::Depth};

    struct Sample {
        counts: Array2<f64>,
        rows: Vec<f64>,
        columns: Vec<f64>,
        names: Vec<String>,
    }

    impl Sample {
        fn new(n: usize) -> Self {
            let counts = Array2::from_shape_fn((n, n), |(r, c)| match (r, c) {
                (r, c) if r == c => 90.0,
                (1, 2) => 7.0,
                _ if c == (r + 3) % n => 3.0,
                _ => 0.0,
            });
            let rows = counts.rows().into_iter().map(|r| r.sum()).collect();
            let columns = counts.columns().into_iter().map(|c| c.sum()).collect();
            Self { counts, rows, columns, names: (0..n).map(|i| format!("class{i}")).collect() }
        }

        fn matrix(&self) -> Matrix<'_> {
            Matrix {
                counts: &self.counts,
                row_sums: &self.rows,
                column_sums: &self.columns,
                largest: 90.0,
                names: &self.names,
                normalise: Normalise::Counts,
            }
        }
    }

    fn drawn(n: usize, zoom: Zoom, cursor: (usize, usize), theme: Theme, w: u16, h: u16) -> (String, Plan) {
        let sample = Sample::new(n);
        let area = Rect::new(0, 0, w, h);
        let mut buffer = Buffer::empty(area);
        let plan = Plan::new(&sample.matrix(), zoom, cursor, &theme, area);
        let mut points = Points::default();
        points.refresh(&sample.matrix(), &plan, 1);
        draw(&sample.matrix(), (&plan, &points), cursor, &theme, area, &mut buffer);
        (snapshot::text(&buffer), plan)
    }

    #[test]
    fn few_classes_are_numbers_with_rows_true() {
        let (text, plan) = drawn(5, Zoom::Auto, (1, 2), Theme::new(Depth::None, true), 40, 6);
        assert!(matches!(plan, Plan::Counts { .. }));
        assert_eq!(plan.note(5, &Theme::default()), "");
        let second = text.lines().nth(2).unwrap();
        let numbers: Vec<&str> = second.split_whitespace().collect();
        assert_eq!(numbers, ["class1", ".", "90", ">7", ".", "3"], "{text}");
        assert!(text.starts_with("truev"), "{text}");
    }

    #[test]
    fn many_classes_are_a_map_of_all_or_numbers_that_scroll_and_both_say_so() {
        let theme = Theme::new(Depth::Rgb, false);
        let (_, plan) = drawn(100, Zoom::Auto, (0, 0), theme, 60, 20);
        assert_eq!(plan, Plan::Map { label: 8, per: 3, values: 34 });
        assert!(plan.note(100, &theme).contains("3 classes a point"));
        let (text, plan) = drawn(100, Zoom::Counts, (50, 70), theme, 60, 20);
        let Plan::Counts { rows, columns, .. } = &plan else { panic!("{plan:?}") };
        assert!(rows.contains(&50) && columns.contains(&70), "{plan:?}");
        assert!(text.contains("class50"), "{text}");
        assert!(plan.note(100, &theme).contains("of 100"));
    }

    #[test]
    fn the_cursor_is_always_inside_of_what_is_visible() {
        for n in [1, 2, 10, 97] {
            for room in 1..12 {
                for index in 0..n {
                    let r = around(index, n, room);
                    assert!(r.contains(&index) && r.end <= n && r.len() == room.min(n), "{n} {room} {index}");
                }
            }
        }
    }

    #[test]
    fn one_bad_pair_survives_the_summary_of_a_thousand_classes() {
        let mut sample = Sample::new(1000);
        sample.counts[[500, 10]] = 80.0;
        let hot = block(&sample.matrix(), 20, 25, 0);
        assert!(matches!(hot, Heat::Share(s) if s > 0.8), "{hot:?}");
    }

    #[test]
    fn any_area_is_drawn_without_harm() {
        for w in 0..30 {
            for h in 0..9 {
                for zoom in [Zoom::Auto, Zoom::Counts, Zoom::Map] {
                    drawn(12, zoom, (11, 11), Theme::new(Depth::Ansi256, false), w, h);
                }
            }
        }
    }

    #[test]
    fn counts_are_shortened_with_units() {
        assert_eq!(
            [count(12.0, 4), count(12_345.0, 4), count(1.5, 4), count(1e9, 3)],
            ["12", "12k", "1.5", "1G"]
        );
    }
}
