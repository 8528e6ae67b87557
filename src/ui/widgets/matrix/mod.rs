//! A confusion matrix on screen: counts in cells where they fit, a map where they do not, never silently cut.

use ndarray::Array2;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{heatmap, prose};
use crate::ui::{
    Theme,
    text::{columns, fit, put, put_right, set},
};

mod map;
mod plan;

pub use map::Points;
pub use plan::{Plan, Zoom, height, width};

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
            map::draw((matrix, points), (*label, *per, *values), cursor, theme, area, buffer);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{snapshot, theme::Depth, widgets::heatmap::Heat};

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
                    let r = plan::around(index, n, room);
                    assert!(r.contains(&index) && r.end <= n && r.len() == room.min(n), "{n} {room} {index}");
                }
            }
        }
    }

    #[test]
    fn one_bad_pair_survives_the_summary_of_a_thousand_classes() {
        let mut sample = Sample::new(1000);
        sample.counts[[500, 10]] = 80.0;
        let hot = map::block(&sample.matrix(), 20, 25, 0);
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
