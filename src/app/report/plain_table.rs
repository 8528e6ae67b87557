//! A table of plain text: columns as wide as they must be, the first one gives way when the line is too long.

use std::io::{self, Write};

use crate::ui::text::{columns, fit, fit_end};

/// Which side a column's text keeps to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A cell: its text, and the SGR parameters it is painted with if colour is wanted (empty for none).
pub type Cell = (String, &'static str);

/// Least width that is left to the first column when the others are too wide.
const FIRST_AT_LEAST: usize = 12;

/// Writes head and rows, at most `width` columns a line if that is given.
pub fn write_table(
    head: &[(&str, Side)],
    rows: &[Vec<Cell>],
    width: Option<usize>,
    (colour, ascii): (bool, bool),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut widths: Vec<usize> = head.iter().map(|(name, _)| columns(name)).collect();
    for row in rows {
        for (have, (text, _)) in widths.iter_mut().zip(row) {
            *have = (*have).max(columns(text));
        }
    }
    let total: usize = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    if let Some(width) = width
        && total > width
        && let Some(first) = widths.first_mut()
    {
        *first = first.saturating_sub(total - width).max(FIRST_AT_LEAST);
    }
    let line = |cells: Vec<(String, &str)>, out: &mut dyn Write| -> io::Result<()> {
        let mut text = String::new();
        for (i, ((cell, paint), wide)) in cells.into_iter().zip(&widths).enumerate() {
            let side = head.get(i).map_or(Side::Left, |h| h.1);
            let shown = if i == 0 { fit_end(&cell, *wide, ascii) } else { fit(&cell, *wide, ascii) };
            let gap = " ".repeat(wide.saturating_sub(columns(&shown)));
            let shown =
                if colour && !paint.is_empty() { format!("\x1b[{paint}m{shown}\x1b[m") } else { shown };
            if i > 0 {
                text.push_str("  ");
            }
            match side {
                Side::Left => text.extend([shown, gap]),
                Side::Right => text.extend([gap, shown]),
            }
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(head.iter().map(|(name, _)| ((*name).to_owned(), "1")).collect(), out)?;
    for row in rows {
        line(row.clone(), out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>, colour: bool) -> String {
        let head = [("run", Side::Left), ("step", Side::Right)];
        let rows = [
            vec![("a/long/path/to/run_1".to_owned(), ""), ("7".to_owned(), "")],
            vec![("損失".to_owned(), "31"), ("12345".to_owned(), "")],
        ];
        let mut out = Vec::new();
        write_table(&head, &rows, width, (colour, false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let text = table(None, false);
        assert_eq!(
            text,
            "run                    step\na/long/path/to/run_1      7\n損失                  12345\n"
        );
    }

    #[test]
    fn a_narrow_line_keeps_the_end_of_the_name() {
        for line in table(Some(20), false).lines() {
            assert!(columns(line) <= 20, "{line}");
        }
        assert!(table(Some(20), false).contains("run_1      7"));
        assert!(table(None, true).contains("\x1b[31m損失\x1b[m"));
    }
}
