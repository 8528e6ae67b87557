//! What colours and glyphs mean: roles, four palettes, an ASCII set. Views name roles, never colours.

use ratatui::style::{Color, Modifier, Style};

use crate::detect::Severity;

/// How many colours the terminal has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Depth {
    /// None: bold, dim, underline and reverse only (`NO_COLOR`).
    None,
    /// The sixteen of the user's own palette.
    Ansi16,
    /// The 256 of xterm.
    #[default]
    Ansi256,
    /// Any.
    Rgb,
}

/// What a piece of the screen means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important text, axes, borders.
    Muted,
    /// Names of things that structure the screen.
    Title,
    /// What the user can act on now: the open tab, the focused border, keys.
    Accent,
    /// The selected row.
    Selected,
    /// Fine.
    Good,
    /// Needs a look.
    Warn,
    /// Needs action.
    Bad,
    /// A search hit, a marked run.
    Mark,
}

/// All roles, for reverse look-up in snapshots.
pub const ROLES: [Role; 9] = [
    Role::Text,
    Role::Muted,
    Role::Title,
    Role::Accent,
    Role::Selected,
    Role::Good,
    Role::Warn,
    Role::Bad,
    Role::Mark,
];

impl Role {
    /// The word in snapshots.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Title => "title",
            Self::Accent => "accent",
            Self::Selected => "selected",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Mark => "mark",
        }
    }
}

/// Distinct colours for curves; then they repeat. With letters in the legend nothing depends on them.
pub const SERIES_COLOURS: usize = 8;

/// Okabe and Ito's colours, told apart by most colour-blind people, lightened where needed to be seen on black and
/// on white; the two reddest come last, because red means trouble here.
const SERIES_RGB: [(u8, u8, u8); SERIES_COLOURS] = [
    (74, 164, 222),
    (230, 159, 0),
    (38, 178, 131),
    (204, 121, 167),
    (148, 132, 232),
    (170, 165, 60),
    (120, 150, 170),
    (213, 104, 40),
];
const SERIES_256: [u8; SERIES_COLOURS] = [74, 178, 36, 175, 104, 143, 109, 166];
const SERIES_16: [Color; SERIES_COLOURS] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Blue,
    Color::LightCyan,
    Color::LightGreen,
    Color::LightMagenta,
];

/// Heat from cold to hot, after viridis, as 256-colour indices; few steps on purpose: each step that a cell does not
/// take costs no bytes.
const HEAT_256: [u8; 8] = [236, 54, 60, 24, 30, 35, 77, 184];
const HEAT_RGB: [(u8, u8, u8); 8] = [
    (38, 38, 44),
    (68, 30, 98),
    (64, 67, 135),
    (41, 100, 142),
    (33, 134, 140),
    (45, 163, 119),
    (122, 199, 78),
    (229, 219, 50),
];

/// Colours and glyphs of one terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Theme {
    /// Colours there are.
    pub depth: Depth,
    /// Only ASCII characters may be written.
    pub ascii: bool,
}

impl Theme {
    /// A theme for a terminal.
    pub fn new(depth: Depth, ascii: bool) -> Self {
        Self { depth, ascii }
    }

    fn colour(self, sixteen: Color, index: u8, rgb: (u8, u8, u8)) -> Style {
        match self.depth {
            Depth::None => Style::new(),
            Depth::Ansi16 => Style::new().fg(sixteen),
            Depth::Ansi256 => Style::new().fg(Color::Indexed(index)),
            Depth::Rgb => Style::new().fg(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    /// How a role looks.
    pub fn style(self, role: Role) -> Style {
        let plain = self.depth == Depth::None;
        match role {
            Role::Text => Style::new(),
            Role::Muted if plain => Style::new().add_modifier(Modifier::DIM),
            Role::Muted => self.colour(Color::DarkGray, 244, (128, 134, 144)),
            Role::Title => Style::new().add_modifier(Modifier::BOLD),
            Role::Accent => self.colour(Color::LightBlue, 75, (97, 175, 239)).add_modifier(Modifier::BOLD),
            Role::Selected => match self.depth {
                Depth::None | Depth::Ansi16 => Style::new().add_modifier(Modifier::REVERSED),
                Depth::Ansi256 => Style::new().bg(Color::Indexed(238)).fg(Color::Indexed(255)),
                Depth::Rgb => Style::new().bg(Color::Rgb(56, 62, 74)).fg(Color::Rgb(240, 242, 246)),
            },
            Role::Good => self.colour(Color::Green, 71, (106, 176, 92)),
            Role::Warn => self.colour(Color::Yellow, 214, (229, 170, 50)).add_modifier(Modifier::BOLD),
            Role::Bad if plain => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            Role::Bad => self.colour(Color::LightRed, 203, (240, 84, 84)).add_modifier(Modifier::BOLD),
            Role::Mark => self.colour(Color::LightMagenta, 176, (200, 130, 220)).add_modifier(Modifier::BOLD),
        }
    }

    /// The selected row of a list that takes the keys.
    pub fn selected(self) -> Style {
        self.style(Role::Selected)
    }

    /// Less important text.
    pub fn muted(self) -> Style {
        self.style(Role::Muted)
    }

    /// Titles.
    pub fn title(self) -> Style {
        self.style(Role::Title)
    }

    /// What can be acted on.
    pub fn accent(self) -> Style {
        self.style(Role::Accent)
    }

    /// The colour of the `index`th curve.
    pub fn series(self, index: usize) -> Style {
        let i = index % SERIES_COLOURS;
        self.colour(SERIES_16[i], SERIES_256[i], SERIES_RGB[i])
    }

    /// The same curve behind: raw values under a smoothed line, branches that were superseded.
    pub fn series_dim(self, index: usize) -> Style {
        let i = index % SERIES_COLOURS;
        match self.depth {
            Depth::None | Depth::Ansi16 => self.series(index).add_modifier(Modifier::DIM),
            Depth::Ansi256 => Style::new().fg(Color::Indexed([24, 94, 22, 96, 60, 58, 59, 88][i])),
            Depth::Rgb => {
                let (r, g, b) = SERIES_RGB[i];
                Style::new().fg(Color::Rgb(r / 2, g / 2, b / 2))
            }
        }
    }

    /// A background for a share of one (clamped), with a readable foreground; plain in a terminal without 256
    /// colours, where the cell's text must say it (see [`Theme::shade`]).
    pub fn heat(self, share: f64) -> Style {
        let i = step_of(share, 8);
        let dark_text = i >= 5;
        match self.depth {
            Depth::None | Depth::Ansi16 => Style::new(),
            Depth::Ansi256 => Style::new().bg(Color::Indexed(HEAT_256[i])).fg(Color::Indexed(if dark_text {
                16
            } else {
                255
            })),
            Depth::Rgb => {
                let (r, g, b) = HEAT_RGB[i];
                let text = if dark_text { Color::Rgb(10, 10, 10) } else { Color::Rgb(240, 240, 240) };
                Style::new().bg(Color::Rgb(r, g, b)).fg(text)
            }
        }
    }

    /// A glyph for a share of one: shade blocks, or digits where only ASCII may be written.
    pub fn shade(self, share: f64) -> char {
        if self.ascii {
            [' ', '.', ':', '+', '#', '@'][step_of(share, 6)]
        } else {
            [' ', '░', '▒', '▓', '█'][step_of(share, 5)]
        }
    }

    /// The mark of a severity. Different in shape, so that colour is not needed.
    pub fn mark(self, severity: Severity) -> &'static str {
        match (severity, self.ascii) {
            (Severity::Critical, false) => "✗",
            (Severity::Critical, true) => "X",
            (Severity::Warn, false) => "▲",
            (Severity::Warn, true) => "!",
            (Severity::Info, _) => "i",
        }
    }

    /// The look of a severity.
    pub fn severity(self, severity: Severity) -> Style {
        self.style(match severity {
            Severity::Critical => Role::Bad,
            Severity::Warn => Role::Warn,
            Severity::Info => Role::Accent,
        })
    }

    /// Picks one of two spellings.
    pub fn glyph(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }

    /// The name of a style for snapshots: a role, `series N`, `series N dim`, or `None`.
    pub fn name_of(self, style: Style) -> Option<String> {
        let same = |other: Style| {
            style.fg.filter(|c| *c != Color::Reset) == other.fg
                && style.bg.filter(|c| *c != Color::Reset) == other.bg
                && style.add_modifier == other.add_modifier
        };
        if let Some(role) = ROLES.into_iter().find(|r| same(self.style(*r))) {
            return Some(role.name().to_owned());
        }
        for i in 0..SERIES_COLOURS {
            if same(self.series(i)) {
                return Some(format!("series {i}"));
            }
            if same(self.series_dim(i)) {
                return Some(format!("series {i} dim"));
            }
        }
        (0..8).map(|i| f64::from(i) / 7.0).find(|s| same(self.heat(*s))).map(|s| format!("heat {s:.2}"))
    }
}

/// Which of `steps` equal steps a share of one falls into; what is no number is the first.
fn step_of(share: f64, steps: usize) -> usize {
    if share.is_nan() { 0 } else { ((share.clamp(0.0, 1.0) * steps as f64) as usize).min(steps - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_colour_means_no_colour() {
        let theme = Theme::new(Depth::None, true);
        for role in ROLES {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_eq!(theme.heat(0.7), Style::new());
        assert!(theme.mark(Severity::Critical).is_ascii());
    }

    #[test]
    fn styles_are_told_apart_by_name() {
        for depth in [Depth::Ansi16, Depth::Ansi256, Depth::Rgb] {
            let theme = Theme::new(depth, false);
            assert_eq!(theme.name_of(theme.style(Role::Bad)).as_deref(), Some("bad"));
            assert_eq!(theme.name_of(theme.series(1)).as_deref(), Some("series 1"));
        }
        assert_eq!(Theme::default().heat(f64::NAN), Theme::default().heat(0.0));
    }
}
