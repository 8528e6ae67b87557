//! Characters that are pictures of their cell: blocks, shades, braille, light lines. Drawn as shapes they meet at
//! the edges and need no font.

/// A part of a cell, in shares of its width and height, and how opaque.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Patch {
    /// Left edge, 0…1.
    pub x: f64,
    /// Upper edge, 0…1.
    pub y: f64,
    /// Width, 0…1.
    pub w: f64,
    /// Height, 0…1.
    pub h: f64,
    /// Opacity in quarters, 1…4.
    pub quarters: u8,
}

/// What a character looks like.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// Rectangles.
    Patches(Vec<Patch>),
    /// Dots as `(column 0…1, row 0…3)`.
    Dots(Vec<(u8, u8)>),
    /// Arms from the middle of the cell.
    Lines(Arms),
}

/// Which edges a line character reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arms {
    /// To the left edge.
    pub left: bool,
    /// To the right edge.
    pub right: bool,
    /// To the upper edge.
    pub up: bool,
    /// To the lower edge.
    pub down: bool,
    /// The corner is round.
    pub round: bool,
}

/// The shape of a cell's symbol; `None` leaves it to the font.
pub(super) fn of(symbol: &str) -> Option<Shape> {
    let mut chars = symbol.chars();
    let (c, None) = (chars.next()?, chars.next()) else { return None };
    match c {
        '\u{2800}'..='\u{28ff}' => Some(Shape::Dots(braille(c))),
        '\u{2580}'..='\u{259f}' => Some(Shape::Patches(blocks(c))),
        _ => arms(c).map(Shape::Lines),
    }
}

/// Bit of each dot: the first column 0x01 0x02 0x04 0x40, the second 0x08 0x10 0x20 0x80.
fn braille(c: char) -> Vec<(u8, u8)> {
    let bits = c as u32 - 0x2800;
    [
        (0x01, 0, 0),
        (0x02, 0, 1),
        (0x04, 0, 2),
        (0x40, 0, 3),
        (0x08, 1, 0),
        (0x10, 1, 1),
        (0x20, 1, 2),
        (0x80, 1, 3),
    ]
    .into_iter()
    .filter(|(bit, ..)| bits & bit != 0)
    .map(|(_, x, y)| (x, y))
    .collect()
}

fn blocks(c: char) -> Vec<Patch> {
    let patch = |x, y, w, h| Patch { x, y, w, h, quarters: 4 };
    let full = |quarters| Patch { x: 0.0, y: 0.0, w: 1.0, h: 1.0, quarters };
    let quadrants = |set: [bool; 4]| {
        let corners = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)];
        corners.into_iter().zip(set).filter(|(_, on)| *on).map(|((x, y), _)| patch(x, y, 0.5, 0.5)).collect()
    };
    match c {
        '\u{2580}' => vec![patch(0.0, 0.0, 1.0, 0.5)],
        '\u{2581}'..='\u{2588}' => {
            let h = f64::from(c as u32 - 0x2580) / 8.0;
            vec![patch(0.0, 1.0 - h, 1.0, h)]
        }
        '\u{2589}'..='\u{258f}' => vec![patch(0.0, 0.0, f64::from(0x2590 - c as u32) / 8.0, 1.0)],
        '\u{2590}' => vec![patch(0.5, 0.0, 0.5, 1.0)],
        '\u{2591}'..='\u{2593}' => vec![full((c as u32 - 0x2590) as u8)],
        '\u{2594}' => vec![patch(0.0, 0.0, 1.0, 0.125)],
        '\u{2595}' => vec![patch(0.875, 0.0, 0.125, 1.0)],
        '\u{2596}' => quadrants([false, false, true, false]),
        '\u{2597}' => quadrants([false, false, false, true]),
        '\u{2598}' => quadrants([true, false, false, false]),
        '\u{2599}' => quadrants([true, false, true, true]),
        '\u{259a}' => quadrants([true, false, false, true]),
        '\u{259b}' => quadrants([true, true, true, false]),
        '\u{259c}' => quadrants([true, true, false, true]),
        '\u{259d}' => quadrants([false, true, false, false]),
        '\u{259e}' => quadrants([false, true, true, false]),
        '\u{259f}' => quadrants([false, true, true, true]),
        _ => Vec::new(),
    }
}

fn arms(c: char) -> Option<Arms> {
    let (edges, round) = match c {
        '─' => ("lr", false),
        '│' => ("ud", false),
        '┌' => ("rd", false),
        '┐' => ("ld", false),
        '└' => ("ru", false),
        '┘' => ("lu", false),
        '├' => ("rud", false),
        '┤' => ("lud", false),
        '┬' => ("lrd", false),
        '┴' => ("lru", false),
        '┼' => ("lrud", false),
        '╴' => ("l", false),
        '╵' => ("u", false),
        '╶' => ("r", false),
        '╷' => ("d", false),
        '╭' => ("rd", true),
        '╮' => ("ld", true),
        '╯' => ("lu", true),
        '╰' => ("ru", true),
        _ => return None,
    };
    let has = |edge| edges.contains(edge);
    Some(Arms { left: has('l'), right: has('r'), up: has('u'), down: has('d'), round })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braille_bits_are_dots_in_their_places() {
        assert_eq!(of("⠁"), Some(Shape::Dots(vec![(0, 0)])));
        assert_eq!(of("⢀"), Some(Shape::Dots(vec![(1, 3)])));
        assert_eq!(of("⡇"), Some(Shape::Dots(vec![(0, 0), (0, 1), (0, 2), (0, 3)])));
    }

    #[test]
    fn blocks_cover_the_part_of_the_cell_that_their_name_says() {
        let area = |s| match of(s) {
            Some(Shape::Patches(p)) => p.iter().map(|p| p.w * p.h).sum::<f64>(),
            other => panic!("{other:?}"),
        };
        assert!((area("▁") - 0.125).abs() < 1e-9 && (area("█") - 1.0).abs() < 1e-9);
        assert!((area("▌") - 0.5).abs() < 1e-9 && (area("▏") - 0.125).abs() < 1e-9);
        assert!((area("▜") - 0.75).abs() < 1e-9);
        assert_eq!(of("a"), None);
        assert_eq!(of("e\u{301}"), None);
    }
}
