//! What is wrong with a layer, in a glyph and a word. The alert book speaks first; what it has no rule for is read
//! off the numbers.

use super::figures::Figures;
use crate::{
    detect::{Alert, Severity},
    ui::{
        Theme,
        numbers::{count, percent},
        widgets::table::Cell,
    },
};

/// A gradient this many times its usual norm is marked. Ten is where trainers' own watchdogs begin to stop runs.
const SURGE: f64 = 10.0;
/// Half of a layer's units silent is worth a look; below that it is normal for rectified units.
const DEAD: f64 = 0.5;

/// What is said of a layer.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// The trainer does not train it; no gradient is expected.
    Frozen,
    /// An open alert names it.
    Alert(Severity, &'static str),
    /// So many elements are NaN or infinite.
    Broken(f64),
    /// The gradient is so many times what it usually is.
    Surge(f64),
    /// The gradient is exactly zero.
    NoGradient,
    /// So large a share of the units is silent.
    Dead(f64),
}

impl Trouble {
    /// Judges a layer. `alert` is its worst open one.
    pub fn of(figures: &Figures, alert: Option<&Alert>) -> Self {
        let gradient_broken = figures.gradient_norm.is_some_and(|n| !n.is_finite());
        let weights_broken = figures.weight_norm.is_some_and(|n| !n.is_finite());
        let broken = figures.broken.unwrap_or(0.0);
        if broken > 0.0 || gradient_broken || weights_broken {
            return Self::Broken(broken);
        }
        if let Some(alert) = alert {
            return Self::Alert(alert.severity, alert.rule);
        }
        if figures.frozen {
            return Self::Frozen;
        }
        match (figures.gradient_norm, figures.usual_gradient) {
            (Some(now), Some(usual)) if usual > 0.0 && now > SURGE * usual => {
                return Self::Surge(now / usual);
            }
            (Some(0.0), _) => return Self::NoGradient,
            _ => {}
        }
        match figures.dead {
            Some(share) if share > DEAD => Self::Dead(share),
            _ => Self::None,
        }
    }

    /// How bad, for sorting: 0 is nothing.
    pub fn rank(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::Frozen => 1,
            Self::Alert(Severity::Info, _) => 2,
            Self::Dead(_) => 3,
            Self::NoGradient => 4,
            Self::Surge(_) => 5,
            Self::Alert(Severity::Warn, _) => 6,
            Self::Alert(Severity::Critical, _) => 7,
            Self::Broken(_) => 8,
        }
    }

    /// Whether it counts as trouble in the header.
    pub fn is_trouble(&self) -> bool {
        self.rank() > 2
    }

    /// Glyph and word; nothing where nothing is wrong. That a layer is frozen is said by its state.
    pub fn cell(&self, theme: &Theme) -> Cell {
        let marked = |severity: Severity, text: String| {
            Cell::new(format!("{} {text}", theme.mark(severity)), theme.severity(severity))
        };
        match self {
            Self::None | Self::Frozen => Cell::default(),
            Self::Alert(severity, rule) => marked(*severity, rule.replace('_', " ")),
            Self::Broken(n) if *n >= 1.0 => {
                marked(Severity::Critical, format!("{} NaN/Inf", count(*n as u64)))
            }
            Self::Broken(_) => marked(Severity::Critical, "NaN".to_owned()),
            Self::Surge(times) => {
                marked(Severity::Warn, format!("{}{} grad", theme.glyph("×", "x"), count(*times as u64)))
            }
            Self::NoGradient => marked(Severity::Warn, "no grad".to_owned()),
            Self::Dead(share) => marked(Severity::Warn, format!("dead {}", percent(*share))),
        }
    }
}
