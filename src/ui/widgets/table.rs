//! A table of which only the visible rows are made: columns have ranks and leave in that order when it gets narrow.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_width::UnicodeWidthChar;

use crate::ui::{
    Theme,
    text::{columns as columns_of, fit, fit_end, put, put_right},
};

/// Columns before the first one: the mark of the selected row and a blank.
const GUTTER: u16 = 2;

/// Which part of a text that does not fit is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// The beginning.
    #[default]
    Start,
    /// The end, where paths differ.
    End,
    /// Both ends.
    Ends,
    /// All parts of a dotted name, the first ones abbreviated: `e.l.11.attn.weight`; layers differ in every part.
    Parts,
}

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// The word above it.
    pub head: &'static str,
    /// Narrower than this it is left out.
    pub min: u16,
    /// It is never wider than this.
    pub max: u16,
    /// Numbers stand at the right.
    pub right: bool,
    /// 0 stays always; the highest rank leaves first.
    pub rank: u8,
    /// What is kept of a long text.
    pub keep: Keep,
}

impl Column {
    /// A column of numbers, `width` wide.
    pub const fn number(head: &'static str, width: u16, rank: u8) -> Self {
        Self { head, min: width, max: width, right: true, rank, keep: Keep::Start }
    }

    /// A column of text between two widths.
    pub const fn text(head: &'static str, min: u16, max: u16, rank: u8, keep: Keep) -> Self {
        Self { head, min, max, right: false, rank, keep }
    }
}

/// What stands in a cell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// Any text, also hostile.
    pub text: String,
    /// Its look.
    pub style: Style,
}

impl Cell {
    /// Text with a look.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    /// Ordinary text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::new())
    }
}

/// Where a column stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Its index among the columns.
    pub column: usize,
    /// Distance from the left edge of the table.
    pub x: u16,
    /// How wide it is here.
    pub width: u16,
}

/// Which columns fit and where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// From left to right.
    pub placed: Vec<Placed>,
    /// The last column drawn ends here.
    pub width: u16,
}

impl Layout {
    /// Chooses columns by rank for a table of `width` and gives what is left to those that can use it.
    pub fn new(columns: &[Column], width: u16) -> Self {
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|i| columns[*i].rank);
        let room = usize::from(width.saturating_sub(GUTTER));
        let mut used = 0_usize;
        let mut chosen: Vec<usize> = Vec::new();
        for i in order {
            let more = usize::from(columns[i].min) + usize::from(!chosen.is_empty());
            if used + more <= room {
                used += more;
                chosen.push(i);
            } else if columns[i].rank == 0 && chosen.is_empty() && room > 0 {
                used = room;
                chosen.push(i);
            } else if columns[i].rank > 0 {
                break;
            }
        }
        let mut spare = room - used.min(room);
        let mut widths: Vec<u16> = columns.iter().map(|c| c.min.min(room as u16)).collect();
        for i in &chosen {
            let more = usize::from(columns[*i].max.saturating_sub(columns[*i].min)).min(spare);
            widths[*i] += more as u16;
            spare -= more;
        }
        chosen.sort_unstable();
        // A second blank between columns reads better, where there is room for it everywhere.
        let gap = if spare >= chosen.len() { 2 } else { 1 };
        let mut x = GUTTER;
        let mut placed = Vec::new();
        for i in chosen {
            placed.push(Placed { column: i, x, width: widths[i] });
            x += widths[i] + gap;
        }
        let width = placed.last().map_or(0, |p| p.x + p.width).min(width);
        Self { placed, width }
    }

    /// Whether a column is drawn.
    pub fn shows(&self, column: usize) -> bool {
        self.placed.iter().any(|p| p.column == column)
    }

    /// The cell of a column in a row, to be drawn by somebody else.
    pub fn place(&self, column: usize, row: Rect) -> Option<Rect> {
        let p = self.placed.iter().find(|p| p.column == column)?;
        let width = p.width.min(row.width.saturating_sub(p.x));
        (width > 0).then_some(Rect { x: row.x + p.x, y: row.y, width, height: 1 })
    }

    /// The column at a distance from the left edge, for clicks on the head.
    pub fn column_at(&self, x: u16) -> Option<usize> {
        self.placed.iter().rev().find(|p| x >= p.x).map(|p| p.column)
    }

    /// Draws the words above the columns; `sorted` is the column that gives the order and whether it falls.
    pub fn head(
        &self,
        columns: &[Column],
        sorted: Option<(usize, bool)>,
        theme: &Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        for p in &self.placed {
            let c = &columns[p.column];
            let mut word = c.head.to_owned();
            let mut style = theme.muted();
            if let Some((column, falls)) = sorted
                && column == p.column
            {
                let mark = if falls { theme.glyph("▼", "v") } else { theme.glyph("▲", "^") };
                word = fit(&word, usize::from(p.width).saturating_sub(1), theme.ascii) + mark;
                style = theme.accent();
            }
            place(p, c, &Cell::new(word, style), theme, area, buffer);
        }
    }

    /// Draws one row; `cell` is asked only for columns that are shown.
    pub fn row(
        &self,
        columns: &[Column],
        mut cell: impl FnMut(usize) -> Cell,
        selected: bool,
        theme: &Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        if selected {
            buffer.set_style(area.intersection(buffer.area), theme.selected());
            put(buffer, area.x, area.y, theme.glyph("▸", ">"), area.width, theme.selected());
        }
        for p in &self.placed {
            let mut c = cell(p.column);
            if selected {
                c.style = c.style.patch(theme.selected());
            }
            place(p, &columns[p.column], &c, theme, area, buffer);
        }
    }
}

fn place(p: &Placed, column: &Column, cell: &Cell, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = p.width.min(area.width.saturating_sub(p.x));
    if width == 0 || area.height == 0 {
        return;
    }
    let room = usize::from(width);
    let text = match column.keep {
        Keep::Start => fit(&cell.text, room, theme.ascii),
        Keep::End => fit_end(&cell.text, room, theme.ascii),
        Keep::Ends => fit_middle(&cell.text, room, theme.ascii),
        Keep::Parts => fit_parts(&cell.text, room, theme.ascii),
    };
    let x = area.x + p.x;
    if column.right {
        put_right(buffer, x, x + width, area.y, &text, cell.style);
    } else {
        put(buffer, x, area.y, &text, width, cell.style);
    }
}

/// `text` made harmless and shortened to `width` columns: parts between dots, slashes and colons become their first letter
/// and their digits, from the left and only as many as needed; what is still too long is cut in the middle.
pub fn fit_parts(text: &str, width: usize, ascii: bool) -> String {
    let clean = fit(text, usize::MAX, ascii);
    let mut excess = columns_of(&clean).saturating_sub(width);
    if excess == 0 {
        return clean;
    }
    // Classes of a group (`animal:dog`): the group loses letters from its end, the same for all of its classes.
    if let Some((head, leaf)) = clean.rsplit_once(':')
        && !head.contains(['.', '/'])
        && excess < columns_of(head)
    {
        let mut left = columns_of(head) - excess;
        let kept = head.chars().take_while(|c| {
            let fits = c.width().unwrap_or(0) <= left;
            left = left.saturating_sub(c.width().unwrap_or(0));
            fits
        });
        return format!("{}:{leaf}", kept.collect::<String>());
    }
    let mut short = String::new();
    let mut rest = clean.as_str();
    while let Some(end) = rest.find(['.', '/', ':']) {
        let part = &rest[..end];
        let brief: String =
            part.chars().enumerate().filter(|(i, c)| *i == 0 || c.is_ascii_digit()).map(|(_, c)| c).collect();
        let saved = columns_of(part).saturating_sub(columns_of(&brief));
        short.push_str(if excess > 0 { &brief } else { part });
        excess = excess.saturating_sub(saved);
        short.push_str(&rest[end..=end]);
        rest = &rest[end + 1..];
    }
    fit_middle(&(short + rest), width, ascii)
}

/// `text` made harmless and cut to `width` columns by taking from the middle: `encoder…weight`.
pub fn fit_middle(text: &str, width: usize, ascii: bool) -> String {
    let clean = fit(text, usize::MAX, ascii);
    if columns_of(&clean) <= width {
        return clean;
    }
    if width < 5 {
        return fit_end(&clean, width, ascii);
    }
    let front = (width - 1) / 2;
    let mut used = 0;
    let head: String = clean
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= front
        })
        .collect();
    let rest = width - columns_of(&head);
    head + &fit_end(&clean, rest, ascii)
}

/// The part of a long list that is on screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// Index of the first visible row.
    pub top: usize,
}

impl Window {
    /// Moves as little as needed for `selected` to be among `height` visible of `total` rows, and returns them.
    pub fn follow(&mut self, selected: usize, total: usize, height: usize) -> std::ops::Range<usize> {
        if height == 0 || total == 0 {
            return 0..0;
        }
        let selected = selected.min(total - 1);
        if selected < self.top {
            self.top = selected;
        } else if selected >= self.top + height {
            self.top = selected + 1 - height;
        }
        self.top = self.top.min(total.saturating_sub(height));
        self.top..(self.top + height).min(total)
    }
}

/// `3–20 of 96`, or nothing when all rows are visible.
pub fn position(visible: &std::ops::Range<usize>, total: usize, ascii: bool) -> String {
    if visible.len() >= total {
        return String::new();
    }
    let dash = if ascii { '-' } else { '–' };
    format!("{}{dash}{} of {total}", visible.start + 1, visible.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::text("name", 8, 30, 0, Keep::Ends),
        Column::number("norm", 7, 1),
        Column::number("mean", 7, 3),
        Column::number("trouble", 7, 2),
    ];

    #[test]
    fn columns_leave_by_rank_and_the_name_takes_what_is_left() {
        let heads =
            |w| Layout::new(&COLUMNS, w).placed.iter().map(|p| COLUMNS[p.column].head).collect::<Vec<_>>();
        assert_eq!(heads(80), ["name", "norm", "mean", "trouble"]);
        assert_eq!(heads(30), ["name", "norm", "trouble"]);
        assert_eq!(heads(20), ["name", "norm"]);
        assert_eq!(heads(6), ["name"]);
        assert_eq!(heads(2), Vec::<&str>::new());
        assert_eq!(Layout::new(&COLUMNS, 80).placed[0].width, 30);
        for w in 0..120 {
            let layout = Layout::new(&COLUMNS, w);
            assert!(layout.placed.iter().all(|p| p.x + p.width <= w), "{w}");
        }
    }

    #[test]
    fn names_are_shortened_in_the_middle() {
        assert_eq!(fit_middle("encoder.layers.11.attn.weight", 16, false), "encoder…n.weight");
        assert_eq!(fit_parts("encoder.layers.11.attn.weight", 25, false), "e.layers.11.attn.weight");
        assert_eq!(fit_parts("layer3.0.conv1.weight", 17, false), "l3.0.conv1.weight");
        assert_eq!(fit_parts("layer3.0.conv1.weight", 14, false), "l3.0.c1.weight");
        assert!(columns_of(&fit_parts("損失.0.損失損失", 7, false)) <= 7);
        assert_eq!(fit_middle("short", 16, false), "short");
        assert_eq!(columns_of(&fit_middle("損失損失損失損失", 7, false)), 7);
        assert!(fit_middle("\u{1b}[2Jabcdefghij", 8, true).is_ascii());
    }

    #[test]
    fn a_window_follows_the_selected_row_and_no_further() {
        let mut w = Window::default();
        assert_eq!(w.follow(0, 100, 10), 0..10);
        assert_eq!(w.follow(12, 100, 10), 3..13);
        assert_eq!(w.follow(5, 100, 10), 3..13);
        assert_eq!(w.follow(99, 100, 10), 90..100);
        assert_eq!(w.follow(99, 4, 10), 0..4);
        assert_eq!(position(&(3..13), 100, false), "4–13 of 100");
        assert_eq!(position(&(0..4), 4, false), "");
    }
}
