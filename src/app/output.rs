//! What standard output is: a terminal or not, how wide, with how many colours, with which characters.

use std::{
    env,
    io::{self, IsTerminal},
};

use super::cli::{ColorChoice, Common};
use crate::ui::theme::{Depth, Theme};

/// How text is to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Output {
    /// Columns, where standard output is a terminal; elsewhere lines are not cut.
    pub width: Option<usize>,
    /// Colours may be used in plain text.
    pub colour: bool,
    /// Only ASCII.
    pub ascii: bool,
}

impl Output {
    /// As the flags and the surroundings say.
    pub fn of(common: &Common) -> Self {
        let terminal = io::stdout().is_terminal();
        let theme = theme(common);
        let wanted = !matches!(common.color, ColorChoice::Auto | ColorChoice::Never);
        Self {
            width: terminal.then(|| {
                rustix::termios::tcgetwinsize(io::stdout())
                    .ok()
                    .map(|size| usize::from(size.ws_col))
                    .filter(|columns| *columns > 0)
                    .unwrap_or(80)
            }),
            colour: theme.depth != Depth::None && (terminal || wanted),
            ascii: theme.ascii,
        }
    }
}

/// Colours and glyphs for the screen.
pub fn theme(common: &Common) -> Theme {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let surroundings = Surroundings {
        no_color: !variable("NO_COLOR").is_empty(),
        term: variable("TERM"),
        colorterm: variable("COLORTERM"),
        locale: ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).into_iter().find(|v| !v.is_empty()),
    };
    let depth = match common.color {
        ColorChoice::Auto => surroundings.depth(),
        ColorChoice::Always => surroundings.depth_of_terminal().max_with_sixteen(),
        ColorChoice::Never => Depth::None,
        ColorChoice::Sixteen => Depth::Ansi16,
        ColorChoice::TwoHundred => Depth::Ansi256,
        ColorChoice::Rgb => Depth::Rgb,
    };
    Theme::new(depth, common.ascii || surroundings.ascii())
}

/// What the environment says of the terminal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Surroundings {
    no_color: bool,
    term: String,
    colorterm: String,
    /// The first that is set of `LC_ALL`, `LC_CTYPE`, `LANG`.
    locale: Option<String>,
}

impl Surroundings {
    fn depth(&self) -> Depth {
        if self.no_color { Depth::None } else { self.depth_of_terminal() }
    }

    /// ssh does not pass COLORTERM on, so that its absence says little: 256 colours are safe nearly everywhere.
    fn depth_of_terminal(&self) -> Depth {
        if matches!(self.colorterm.as_str(), "truecolor" | "24bit") || self.term.ends_with("-direct") {
            return Depth::Rgb;
        }
        match self.term.as_str() {
            "" | "dumb" | "vt100" | "vt102" | "vt220" => Depth::None,
            "linux" | "ansi" | "cons25" | "xterm-16color" | "screen" => Depth::Ansi16,
            _ => Depth::Ansi256,
        }
    }

    /// An explicit locale without UTF-8 cannot show braille; neither can the Linux console's font. No locale at all
    /// is usual in containers, whose terminal is outside and can.
    fn ascii(&self) -> bool {
        let locale = self.locale.as_ref().map(|l| l.to_ascii_lowercase());
        self.term == "linux" || locale.is_some_and(|l| !l.contains("utf-8") && !l.contains("utf8"))
    }
}

trait AtLeastSixteen {
    fn max_with_sixteen(self) -> Self;
}

impl AtLeastSixteen for Depth {
    fn max_with_sixteen(self) -> Self {
        if self == Self::None { Self::Ansi16 } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(term: &str, colorterm: &str, locale: Option<&str>) -> Surroundings {
        Surroundings {
            no_color: false,
            term: term.into(),
            colorterm: colorterm.into(),
            locale: locale.map(Into::into),
        }
    }

    #[test]
    fn colours_follow_the_terminal_and_no_color() {
        assert_eq!(with("xterm-256color", "", None).depth(), Depth::Ansi256);
        assert_eq!(with("xterm-256color", "truecolor", None).depth(), Depth::Rgb);
        assert_eq!(with("linux", "", None).depth(), Depth::Ansi16);
        assert_eq!(with("dumb", "", None).depth(), Depth::None);
        let refused = Surroundings { no_color: true, ..with("xterm", "truecolor", None) };
        assert_eq!(refused.depth(), Depth::None);
    }

    #[test]
    fn only_an_explicit_locale_without_utf_8_means_ascii() {
        assert!(with("xterm", "", Some("C")).ascii());
        assert!(with("xterm", "", Some("de_DE.ISO-8859-1")).ascii());
        assert!(!with("xterm", "", Some("C.UTF-8")).ascii());
        assert!(!with("xterm", "", Some("en_US.utf8")).ascii());
        assert!(!with("xterm", "", None).ascii());
        assert!(with("linux", "", Some("C.UTF-8")).ascii());
    }
}
