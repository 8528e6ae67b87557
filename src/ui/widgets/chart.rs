//! Curves in braille dots, 2×4 to a cell (1×2 of `'`, `.` and `:` in ASCII).
//!
//! Each dot column shows everything between its smallest and its largest value, joined to its neighbours: a spike of
//! one step is never lost. A cell has one colour, that of the topmost curve in it, and shows only that curve's dots.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{Theme, text::set};

/// How a line is drawn; tells curves apart where colours cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stroke {
    /// Every dot column.
    #[default]
    Solid,
    /// Two columns in four.
    Dotted,
}

/// One line. Later lines lie on top of earlier ones.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// `[x, y]` in ascending `x`; a `y` that is not finite breaks the line.
    pub points: &'a [[f64; 2]],
    /// Its colour.
    pub style: Style,
    /// Its stroke.
    pub stroke: Stroke,
    /// A letter put at its end (and along it, where there is no colour).
    pub letter: Option<char>,
}

/// What part of the plane the area shows. Both ranges ascend and are not empty.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    /// Left and right edge.
    pub x: (f64, f64),
    /// Bottom and top edge.
    pub y: (f64, f64),
    /// Decades instead of differences; both `y` must be positive.
    pub log_y: bool,
}

impl Window {
    /// Where `x` lies between the edges: 0 is the left one, 1 the right one.
    pub fn across(&self, x: f64) -> f64 {
        (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// Where `y` lies: 0 is the bottom, 1 the top; NaN where a logarithm does not exist.
    pub fn up(&self, y: f64) -> f64 {
        if self.log_y {
            if y <= 0.0 {
                return f64::NAN;
            }
            (y.ln() - self.y.0.ln()) / (self.y.1.ln() - self.y.0.ln())
        } else {
            (y - self.y.0) / (self.y.1 - self.y.0)
        }
    }

    /// The column of cells, among `width`, in which `x` is drawn.
    pub fn cell(&self, x: f64, width: u16) -> Option<u16> {
        let share = self.across(x);
        if !(0.0..=1.0).contains(&share) || width == 0 {
            return None;
        }
        Some(((share * f64::from(width)) as u16).min(width - 1))
    }
}

/// The dots of an area and whose they are.
struct Dots {
    width: usize,
    height: usize,
    /// Dots across and down a cell.
    grain: (usize, usize),
    bits: Vec<u8>,
    owner: Vec<u16>,
}

const NOBODY: u16 = u16::MAX;

/// Bits of U+2800 by column and row.
pub const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Dots {
    fn new(width: u16, height: u16, ascii: bool) -> Self {
        let cells = usize::from(width) * usize::from(height);
        Self {
            width: width.into(),
            height: height.into(),
            grain: if ascii { (1, 2) } else { (2, 4) },
            bits: vec![0; cells],
            owner: vec![NOBODY; cells],
        }
    }

    fn columns(&self) -> usize {
        self.width * self.grain.0
    }

    fn rows(&self) -> usize {
        self.height * self.grain.1
    }

    /// Fills a column between two rows, both included; what lies outside is cut off.
    fn bar(&mut self, column: i64, a: f64, b: f64, who: u16, stroke: Stroke) {
        let Ok(column) = usize::try_from(column) else { return };
        if column >= self.columns() || (stroke == Stroke::Dotted && column / self.grain.0 % 2 == 1) {
            return;
        }
        let last = (self.rows() - 1) as f64;
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        if high < -0.5 || low > last + 0.5 {
            return;
        }
        let (from, to) = (low.round().clamp(0.0, last) as usize, high.round().clamp(0.0, last) as usize);
        for row in from..=to {
            let cell = row / self.grain.1 * self.width + column / self.grain.0;
            if self.owner[cell] != who {
                self.owner[cell] = who;
                self.bits[cell] = 0;
            }
            self.bits[cell] |= self.bit(column % self.grain.0, row % self.grain.1);
        }
    }

    fn bit(&self, x: usize, y: usize) -> u8 {
        if self.grain.0 == 1 {
            return 1 << y;
        }
        BRAILLE[x][y]
    }

    fn glyph(&self, bits: u8) -> char {
        if self.grain.0 == 1 {
            [' ', '\'', '.', ':'][usize::from(bits & 3)]
        } else {
            char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')
        }
    }
}

/// The extent of a line within one dot column.
#[derive(Clone, Copy)]
struct Span {
    column: i64,
    low: f64,
    high: f64,
    last: f64,
}

fn trace(dots: &mut Dots, line: &Line<'_>, window: &Window, who: u16) {
    let columns = dots.columns() as f64;
    let bottom = (dots.rows() - 1) as f64;
    let mut open: Option<Span> = None;
    for &[x, y] in line.points {
        let up = window.up(y);
        if !up.is_finite() {
            if let Some(span) = open.take() {
                dots.bar(span.column, span.low, span.high, who, line.stroke);
            }
            continue;
        }
        // The right edge belongs to the last column.
        let at = window.across(x) * columns;
        let inside = window.x.0 <= x && x <= window.x.1;
        let last = if inside { columns - 1.0 } else { 1e9 };
        let column = at.floor().clamp(-1e9, last) as i64;
        let row = ((1.0 - up) * bottom).clamp(-1e9, 1e9);
        match &mut open {
            Some(span) if span.column == column => {
                span.low = span.low.min(row);
                span.high = span.high.max(row);
                span.last = row;
            }
            _ => {
                if let Some(span) = open {
                    dots.bar(span.column, span.low, span.high, who, line.stroke);
                    join(dots, (span.column, span.last), (column, row), who, line.stroke);
                }
                open = Some(Span { column, low: row, high: row, last: row });
            }
        }
    }
    if let Some(span) = open {
        dots.bar(span.column, span.low, span.high, who, line.stroke);
    }
}

/// A straight line between two columns; each column is filled up to half of the way to the next.
fn join(dots: &mut Dots, from: (i64, f64), to: (i64, f64), who: u16, stroke: Stroke) {
    let last = dots.columns().cast_signed() as i64 - 1;
    if to.0 < 0 || from.0 > last {
        return;
    }
    let slope = (to.1 - from.1) / (to.0 - from.0) as f64;
    let at = |column: i64| from.1 + slope * (column - from.0) as f64;
    for column in from.0.max(-1)..to.0.min(last + 1) {
        let (here, next) = (at(column), at(column + 1));
        let middle = f64::midpoint(here, next);
        dots.bar(column, here, middle, who, stroke);
        dots.bar(column + 1, middle, next, who, stroke);
    }
}

/// Draws `lines` into the whole of `area`; cells without dots stay as they are.
pub fn draw(theme: &Theme, lines: &[Line<'_>], window: &Window, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() || window.x.0 >= window.x.1 || window.y.0 >= window.y.1 {
        return;
    }
    let mut dots = Dots::new(area.width, area.height, theme.ascii);
    for (who, line) in lines.iter().enumerate() {
        trace(&mut dots, line, window, who as u16);
    }
    for (i, (bits, who)) in dots.bits.iter().zip(&dots.owner).enumerate() {
        if let Some(line) = lines.get(usize::from(*who)) {
            let (x, y) = (area.x + (i % dots.width) as u16, area.y + (i / dots.width) as u16);
            set(buffer, x, y, dots.glyph(*bits), line.style);
        }
    }
    for line in lines {
        if let Some(letter) = line.letter {
            put_letters(theme, line, letter, window, area, buffer);
        }
    }
}

/// The letter at the end of a line; where there is no colour also at a third and two thirds of it.
fn put_letters(
    theme: &Theme,
    line: &Line<'_>,
    letter: char,
    window: &Window,
    area: Rect,
    buffer: &mut Buffer,
) {
    let visible: Vec<&[f64; 2]> = line
        .points
        .iter()
        .filter(|p| (0.0..=1.0).contains(&window.across(p[0])) && (0.0..=1.0).contains(&window.up(p[1])))
        .collect();
    let Some(end) = visible.last() else { return };
    let mut places = vec![**end];
    if theme.depth == crate::ui::theme::Depth::None && visible.len() > 8 {
        places.extend([1, 2].map(|third| *visible[visible.len() * third / 3]));
    }
    for [x, y] in places {
        let Some(column) = window.cell(x, area.width) else { continue };
        let row = (1.0 - window.up(y)) * f64::from(area.height - 1);
        let place = (area.x + column, area.y + row.round() as u16);
        set(buffer, place.0, place.1, letter, line.style.add_modifier(ratatui::style::Modifier::BOLD));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Depth;

    fn picture(points: &[[f64; 2]], window: Window, width: u16, height: u16, ascii: bool) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let line = Line { points, style: Style::new(), stroke: Stroke::Solid, letter: None };
        draw(&Theme::new(Depth::Rgb, ascii), &[line], &window, area, &mut buffer);
        (0..height).map(|y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect()).collect()
    }

    #[test]
    fn corners_and_bars_take_the_right_dots() {
        let unit = Window { x: (0.0, 1.0), y: (0.0, 1.0), log_y: false };
        assert_eq!(picture(&[[0.0, 1.0]], unit, 1, 1, false), ["⠁"]);
        assert_eq!(picture(&[[1.0, 0.0]], unit, 1, 1, false), ["⢀"]);
        assert_eq!(picture(&[[0.0, 0.0], [0.1, 1.0]], unit, 1, 1, false), ["⡇"]);
        assert_eq!(picture(&[[0.0, 0.0], [1.0, 1.0]], unit, 2, 2, true), [" :", ":'"]);
    }

    #[test]
    fn a_spike_of_one_point_in_a_million_reaches_the_top() {
        let points: Vec<[f64; 2]> =
            (0..1_000_000).map(|i| [f64::from(i), if i == 654_321 { 50.0 } else { 1.0 }]).collect();
        let window = Window { x: (0.0, 1e6), y: (0.0, 50.0), log_y: false };
        let rows = picture(&points, window, 80, 10, false);
        let column = (654_321.0 / 1e6 * 160.0) as usize / 2;
        let top: Vec<char> = rows[0].chars().collect();
        assert_ne!(top[column], ' ');
        assert_eq!(top.iter().filter(|c| **c != ' ').count(), 1);
    }

    #[test]
    fn a_gap_breaks_the_line_and_the_edges_cut_it() {
        let window = Window { x: (0.0, 10.0), y: (0.0, 1.0), log_y: false };
        let rows = picture(&[[0.0, 0.5], [2.0, f64::NAN], [8.0, 0.5]], window, 10, 1, false);
        assert_eq!(rows[0].chars().filter(|c| *c != ' ').count(), 2);
        let rows = picture(&[[-5.0, 0.5], [15.0, 0.5]], window, 10, 1, false);
        assert_eq!(rows[0].chars().filter(|c| *c != ' ').count(), 10);
        let rows = picture(&[[0.0, 9.0], [10.0, 9.0]], window, 10, 1, false);
        assert_eq!(rows[0].trim(), "");
    }

    #[test]
    fn the_topmost_line_owns_the_cells_it_touches() {
        let area = Rect::new(0, 0, 4, 1);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::new(Depth::Rgb, false);
        let low = [[0.0, 0.0], [1.0, 0.0]];
        let high = [[0.6, 1.0], [1.0, 1.0]];
        let lines = [
            Line { points: &low, style: theme.series(0), stroke: Stroke::Solid, letter: None },
            Line { points: &high, style: theme.series(1), stroke: Stroke::Solid, letter: None },
        ];
        draw(&theme, &lines, &Window { x: (0.0, 1.0), y: (0.0, 1.0), log_y: false }, area, &mut buffer);
        assert_eq!(buffer[(0, 0)].symbol(), "⣀");
        assert_eq!(buffer[(3, 0)].symbol(), "⠉");
        assert_eq!(Some(buffer[(3, 0)].fg), theme.series(1).fg);
    }

    #[test]
    fn logarithms_that_do_not_exist_are_gaps() {
        let window = Window { x: (0.0, 2.0), y: (0.1, 10.0), log_y: true };
        let rows = picture(&[[0.0, 0.1], [1.0, -1.0], [2.0, 10.0]], window, 2, 2, false);
        assert_eq!(rows, [" ⠈", "⡀ "]);
    }
}
