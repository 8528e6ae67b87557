//! Terminal colours as red, green and blue, for pictures.

use ratatui::style::Color;

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// The paper of pictures: near black, as most terminals are set.
pub(super) const BACKGROUND: Rgb = (22, 24, 29);
/// Ordinary text on it.
pub(super) const FOREGROUND: Rgb = (215, 218, 224);

/// The sixteen, in the hues of the true-colour roles, so that a picture of a 16-colour frame looks related.
const SIXTEEN: [Rgb; 16] = [
    (40, 44, 52),
    (224, 90, 90),
    (120, 184, 104),
    (222, 178, 84),
    (84, 150, 220),
    (190, 120, 210),
    (70, 170, 180),
    (190, 195, 205),
    (110, 116, 128),
    (240, 104, 104),
    (140, 208, 124),
    (240, 200, 110),
    (110, 178, 240),
    (214, 146, 232),
    (100, 200, 208),
    (240, 242, 246),
];

/// The colour that a terminal would show; `unset` for the terminal's own.
pub(super) fn rgb(colour: Color, unset: Rgb) -> Rgb {
    let sixteen = |i: usize| SIXTEEN[i];
    match colour {
        Color::Reset => unset,
        Color::Black => sixteen(0),
        Color::Red => sixteen(1),
        Color::Green => sixteen(2),
        Color::Yellow => sixteen(3),
        Color::Blue => sixteen(4),
        Color::Magenta => sixteen(5),
        Color::Cyan => sixteen(6),
        Color::Gray => sixteen(7),
        Color::DarkGray => sixteen(8),
        Color::LightRed => sixteen(9),
        Color::LightGreen => sixteen(10),
        Color::LightYellow => sixteen(11),
        Color::LightBlue => sixteen(12),
        Color::LightMagenta => sixteen(13),
        Color::LightCyan => sixteen(14),
        Color::White => sixteen(15),
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(i) => indexed(i),
    }
}

/// xterm's table: sixteen, a cube of six levels, 24 greys.
fn indexed(i: u8) -> Rgb {
    match i {
        0..=15 => SIXTEEN[usize::from(i)],
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = i - 16;
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (i - 232);
            (grey, grey, grey)
        }
    }
}

/// `a` with `share` of `b` mixed in: dim text towards the paper.
pub(super) fn mix(a: Rgb, b: Rgb, share: f64) -> Rgb {
    let one = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    (one(a.0, b.0), one(a.1, b.1), one(a.2, b.2))
}

/// `#rrggbb`.
pub(super) fn hex(c: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", c.0, c.1, c.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_follow_the_table_of_xterm() {
        assert_eq!(indexed(16), (0, 0, 0));
        assert_eq!(indexed(231), (255, 255, 255));
        assert_eq!(indexed(214), (255, 175, 0));
        assert_eq!(indexed(232), (8, 8, 8));
        assert_eq!(indexed(255), (238, 238, 238));
        assert_eq!(hex(mix((0, 0, 0), (10, 20, 30), 0.5)), "#050a0f");
    }
}
