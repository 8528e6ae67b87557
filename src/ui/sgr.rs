//! Colours and attributes as parameters of the terminal's "select graphic rendition" sequence (ECMA-48).

use std::fmt;

use ratatui::style::{Color, Modifier};

/// Attributes with their parameters.
pub const ATTRIBUTES: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// A colour's parameters, without `;` around them; the terminal's own colour is one too (39, 49).
#[derive(Clone, Copy, Debug)]
pub struct Colour {
    colour: Color,
    base: u8,
}

/// As the foreground.
pub fn foreground(colour: Color) -> Colour {
    Colour { colour, base: 30 }
}

/// As the background.
pub fn background(colour: Color) -> Colour {
    Colour { colour, base: 40 }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self.colour {
            Color::Indexed(index) => return write!(f, "{};5;{index}", self.base + 8),
            Color::Rgb(red, green, blue) => return write!(f, "{};2;{red};{green};{blue}", self.base + 8),
            Color::Reset => 9,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 60,
            Color::LightRed => 61,
            Color::LightGreen => 62,
            Color::LightYellow => 63,
            Color::LightBlue => 64,
            Color::LightMagenta => 65,
            Color::LightCyan => 66,
            Color::White => 67,
        };
        write!(f, "{}", self.base + plain)
    }
}
