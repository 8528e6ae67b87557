//! Which columns stand side by side: a group for each question, those that the log can fill.

use super::{
    field::Field::{
        self, AbsMean, Alpha, AlwaysOn, Broken, By, Change, Dead, Density, Drift, Duplicate, Eta2, FromInit,
        Gdv, GradientNorm, Kinds, Max, MaxGradient, Mean, MeanGradient, Min, Name, Norm, Parameters,
        Saturated, Since, Specialisation, StableRank, State, Std, Trend, Trouble, Unanswered,
        Update as UpdateRatio, WeightNorm, Zero, ZeroOutputs,
    },
    list::Line,
};
use crate::model::LayerKind;

/// A question that the table answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Group {
    /// Which layers are stable, and since when.
    #[default]
    Stability,
    /// How large weights, gradients and updates are.
    Norms,
    /// What the units do.
    Units,
    /// The statistics of one kind of tensor.
    Tensor(LayerKind),
}

impl Group {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 9] = [
        Self::Stability,
        Self::Norms,
        Self::Units,
        Self::Tensor(LayerKind::Gradients),
        Self::Tensor(LayerKind::Weights),
        Self::Tensor(LayerKind::Activations),
        Self::Tensor(LayerKind::Updates),
        Self::Tensor(LayerKind::Moments),
        Self::Tensor(LayerKind::Other),
    ];

    /// The word in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stability => "stability",
            Self::Norms => "norms",
            Self::Units => "units",
            Self::Tensor(kind) => kind.name(),
        }
    }

    /// Its columns from left to right, each with how soon it leaves when there is little room: 1 last.
    fn fields(self) -> &'static [(Field, u8)] {
        match self {
            Self::Stability => &[
                (State, 1),
                (By, 4),
                (Since, 5),
                (Drift, 3),
                (UpdateRatio, 6),
                (Trouble, 2),
                (WeightNorm, 9),
                (GradientNorm, 8),
                (Specialisation, 10),
                (Dead, 11),
                (AlwaysOn, 13),
                (Duplicate, 14),
                (Saturated, 15),
                (Broken, 12),
                (Parameters, 16),
                (Kinds, 17),
            ],
            Self::Norms => &[
                (State, 7),
                (Trouble, 2),
                (Parameters, 8),
                (WeightNorm, 1),
                (GradientNorm, 3),
                (UpdateRatio, 4),
                (MeanGradient, 5),
                (MaxGradient, 6),
                (FromInit, 10),
                (Alpha, 11),
                (StableRank, 12),
                (Trend, 9),
            ],
            Self::Units => &[
                (State, 10),
                (Trouble, 2),
                (Specialisation, 3),
                (Dead, 1),
                (AlwaysOn, 4),
                (Duplicate, 5),
                (Saturated, 6),
                (Unanswered, 9),
                (ZeroOutputs, 7),
                (Density, 8),
                (Gdv, 11),
                (Eta2, 12),
                (Parameters, 13),
            ],
            Self::Tensor(_) => &[
                (Trouble, 1),
                (Parameters, 9),
                (Norm, 2),
                (Change, 4),
                (Mean, 7),
                (Std, 6),
                (AbsMean, 12),
                (Min, 10),
                (Max, 11),
                (Zero, 5),
                (Broken, 8),
                (Trend, 3),
            ],
        }
    }

    /// Its columns, less those of which no row knows anything. A count of NaN that is above zero leaves later.
    pub fn columns(self, lines: &[Line]) -> Vec<(Field, u8)> {
        let broken = lines.iter().any(|l| l.figures.broken.is_some_and(|n| n > 0.0));
        let mut columns = vec![(Name, 0)];
        for (field, rank) in self.fields() {
            let known = lines.iter().any(|line| field.is_known(line));
            let always = matches!((self, field), (Self::Stability, State));
            if known || always {
                columns
                    .push((*field, if *field == Broken && broken { rank.min(&9).to_owned() } else { *rank }));
            }
        }
        columns
    }

    /// Whether the log can fill it.
    pub fn is_there(self, lines: &[Line], has: impl Fn(LayerKind) -> bool) -> bool {
        match self {
            Self::Stability => true,
            Self::Norms => lines.iter().any(|l| WeightNorm.is_known(l) || GradientNorm.is_known(l)),
            Self::Units => {
                let fields =
                    [Specialisation, Dead, AlwaysOn, Duplicate, Saturated, ZeroOutputs, Density, Gdv, Eta2];
                lines.iter().any(|l| fields.iter().any(|f| f.is_known(l)))
            }
            Self::Tensor(kind) => has(kind),
        }
    }
}
