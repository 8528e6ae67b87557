//! The columns of the table: what each shows, by what it sorts, how wide it is.

use std::cmp::Ordering;

use ratatui::style::Style;

use super::{
    figures::Update,
    list::{Line, change},
    state,
};
use crate::ui::{
    Theme,
    numbers::{count, percent, step, value},
    theme::Role,
    widgets::table::{Cell, Column, Keep},
};

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Field {
    /// The layer; by it, rows stand in the order of the network.
    #[default]
    Name,
    /// What an alert or a number says is wrong.
    Trouble,
    State,
    /// Which measure says so.
    By,
    Since,
    /// The measure over time.
    Drift,
    Update,
    WeightNorm,
    GradientNorm,
    Parameters,
    Kinds,
    Specialisation,
    Unanswered,
    Dead,
    AlwaysOn,
    Duplicate,
    Saturated,
    ZeroOutputs,
    Density,
    Gdv,
    Eta2,
    FromInit,
    Alpha,
    StableRank,
    MeanGradient,
    MaxGradient,
    /// From here on: of the chosen kind of tensor.
    Norm,
    Change,
    Mean,
    Std,
    AbsMean,
    Min,
    Max,
    Zero,
    Broken,
    /// The norm over time.
    Trend,
}

use Field::{
    AbsMean, Alpha, AlwaysOn, Broken, By, Change, Dead, Density, Drift, Duplicate, Eta2, FromInit, Gdv,
    GradientNorm, Kinds, Max, MaxGradient, Mean, MeanGradient, Min, Name, Norm, Parameters, Saturated, Since,
    Specialisation, StableRank, State, Std, Trend, Trouble, Unanswered, Update as UpdateRatio, WeightNorm,
    Zero, ZeroOutputs,
};

impl Field {
    /// The column, `rank` being how soon it leaves when there is little room.
    pub fn column(self, rank: u8) -> Column {
        let number = |head, width| Column::number(head, width, rank);
        match self {
            Name => Column::text("layer", 13, 48, 0, Keep::Parts),
            Trouble => Column::text("trouble", 11, 18, rank, Keep::Start),
            State => Column::text("state", 12, 12, rank, Keep::Start),
            By => Column::text("by", 3, 3, rank, Keep::Start),
            Since => number("since", 6),
            Drift => Column::text("drift", 8, 32, rank, Keep::Start),
            UpdateRatio => number("upd/w", 9),
            WeightNorm => number("w norm", 8),
            GradientNorm => number("g norm", 8),
            Parameters => number("params", 6),
            Kinds => Column::text("logged", 6, 7, rank, Keep::Start),
            Specialisation => number("spec", 5),
            Unanswered => number("mute", 5),
            Dead => number("dead", 5),
            AlwaysOn => number("on", 5),
            Duplicate => number("dupl", 5),
            Saturated => number("satur", 5),
            ZeroOutputs => number("zeros", 5),
            Density => number("active", 6),
            Gdv => number("gdv", 8),
            Eta2 => number("eta2", 7),
            FromInit => number("from init", 9),
            Alpha => number("alpha", 7),
            StableRank => number("s rank", 8),
            MeanGradient => number("mean |g|", 8),
            MaxGradient => number("max |g|", 8),
            Norm => number("norm", 8),
            Change => number("change", 7),
            Mean => number("mean", 9),
            Std => number("std", 8),
            AbsMean => number("abs mean", 8),
            Min => number("min", 9),
            Max => number("max", 9),
            Zero => number("zero", 5),
            Broken => number("NaN", 5),
            Trend => Column::text("trend", 8, 40, rank, Keep::Start),
        }
    }

    /// How rows are ordered by it, in words.
    pub fn order_name(self) -> String {
        match self {
            Name => "in the order of the network".to_owned(),
            Trouble => "trouble first".to_owned(),
            State => "the least settled first".to_owned(),
            By => "by measure".to_owned(),
            Since => "the earliest first".to_owned(),
            Drift => "the largest change first".to_owned(),
            Kinds => "by what was logged".to_owned(),
            other => format!("largest {} first", other.column(0).head),
        }
    }

    /// Rows in ascending order have the largest first; `false` where the smallest does.
    pub fn falls(self) -> bool {
        !matches!(self, Name | State | By | Since | Kinds)
    }

    /// The number that stands in the cell, where it is one.
    pub fn number(self, line: &Line) -> Option<f64> {
        let f = &line.figures;
        match self {
            Trouble => Some(f64::from(line.trouble.rank())),
            Since => f.verdict.since.map(|s| s as f64),
            Drift | Trend => f.verdict.relative.filter(|_| self == Drift).or(f.norm),
            UpdateRatio => f.update.map(Update::value),
            WeightNorm => f.weight_norm,
            GradientNorm => f.gradient_norm,
            Parameters => f.parameters,
            Specialisation => f.units.specialisation,
            Unanswered => f.units.unanswered,
            Dead => f.units.dead,
            AlwaysOn => f.units.always_on,
            Duplicate => f.units.duplicate,
            Saturated => f.units.saturated,
            ZeroOutputs => f.zero_outputs,
            Density => f.outputs.density,
            Gdv => f.outputs.gdv,
            Eta2 => f.outputs.eta2,
            FromInit => f.weights.dist_init,
            Alpha => f.weights.alpha,
            StableRank => f.weights.stable_rank,
            MeanGradient => f.mean_gradient(),
            MaxGradient => f.largest_gradient(),
            Norm => f.norm,
            Change => f.change,
            Mean => f.stats.mean,
            Std => f.stats.std,
            AbsMean => f.stats.absmean,
            Min => f.stats.min,
            Max => f.stats.max,
            Zero => f.stats.zero,
            Broken => f.broken,
            Name | State | By | Kinds => None,
        }
    }

    /// Whether a row has something to say in it.
    pub fn is_known(self, line: &Line) -> bool {
        match self {
            Name => true,
            Kinds => !line.figures.kinds.is_empty(),
            State | By => line.figures.verdict.state != crate::analysis::layers::State::NotApplicable,
            Trouble => line.trouble.rank() > 1,
            Since => line.figures.verdict.since.is_some(),
            Drift => line.figures.verdict.measure.is_some(),
            other => other.number(line).is_some(),
        }
    }

    /// Two rows, before the order of the network decides. What is broken is largest, what is not known comes last.
    pub fn compare(self, a: &Line, b: &Line) -> Ordering {
        let key = |line: &Line| match self.number(line) {
            Some(v) if v.is_nan() => f64::INFINITY,
            Some(v) if matches!(self, Change) => v.abs(),
            Some(v) => v,
            None => f64::NEG_INFINITY,
        };
        match self {
            Name => Ordering::Equal,
            State => state::rank(a.figures.verdict.state).cmp(&state::rank(b.figures.verdict.state)),
            By => a.figures.verdict.measure.cmp(&b.figures.verdict.measure),
            Kinds => a.figures.kinds.cmp(&b.figures.kinds),
            Since => {
                let since = |line: &Line| line.figures.verdict.since.map_or((1, 0), |s| (0, s));
                since(a).cmp(&since(b))
            }
            _ => key(b).total_cmp(&key(a)),
        }
    }

    /// The text of a cell; curves are drawn, not written.
    pub fn cell(self, theme: &Theme, line: &Line) -> Cell {
        let f = &line.figures;
        let number = |v: Option<f64>| match v {
            Some(v) if v.is_finite() => Cell::plain(value(v)),
            Some(v) => Cell::new(value(v), theme.style(Role::Bad)),
            None => nothing(theme),
        };
        let share = |v: Option<f64>, worrying: f64| match v {
            Some(v) if v.is_nan() => Cell::new("NaN", theme.style(Role::Bad)),
            Some(v) if v > worrying => Cell::new(percent(v), theme.style(Role::Warn)),
            Some(v) => Cell::plain(percent(v)),
            None => nothing(theme),
        };
        match self {
            Name => Cell::plain(f.name.as_str()),
            Trouble => line.trouble.cell(theme),
            State => state::cell(theme, f.verdict.state),
            By => f.verdict.measure.map_or_else(|| nothing(theme), |m| Cell::new(m.id(), theme.muted())),
            Since => f.verdict.since.map_or_else(|| nothing(theme), |s| Cell::plain(step(s))),
            Parameters => f
                .parameters
                .map_or_else(|| nothing(theme), |n| Cell::new(count(n.max(0.0) as u64), theme.muted())),
            Kinds => Cell::new(f.kinds.as_str(), theme.muted()),
            UpdateRatio => match f.update {
                Some(Update::AtLeast(v)) => Cell::plain(format!("{}{}", theme.glyph("≥", ">"), value(v))),
                other => number(other.map(Update::value)),
            },
            Specialisation => {
                f.units.specialisation.map_or_else(|| nothing(theme), |v| Cell::plain(format!("{v:.2}")))
            }
            Dead | Saturated => share(self.number(line), 0.5),
            AlwaysOn | Duplicate => share(self.number(line), 0.25),
            Zero | ZeroOutputs | Density | Unanswered => share(self.number(line), 1.0),
            Broken => match f.broken {
                Some(n) if n > 0.0 => Cell::new(count(n as u64), theme.style(Role::Bad)),
                Some(_) => Cell::new("0", theme.muted()),
                None => nothing(theme),
            },
            Change => f.change.map_or_else(|| nothing(theme), |c| Cell::plain(change(theme, c))),
            Drift | Trend => Cell::default(),
            _ => number(self.number(line)),
        }
    }
}

fn nothing(theme: &Theme) -> Cell {
    Cell::new(theme.glyph("–", "-"), Style::patch(Style::new(), theme.muted()))
}
