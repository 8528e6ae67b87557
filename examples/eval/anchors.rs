//! Rules of other tools, as their documents and code state them, on the same series.

use std::collections::BTreeSet;

use epochscope::{
    detect::tags,
    model::{LayerKind, Record, RunId, Step},
    store::Run,
};

use crate::{gather::Source, replay::points_of};

/// Values by step in the order of the log.
pub type Curve = Vec<(Step, f64)>;

/// What the other tools' rules look at.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    /// The training loss, every logged value.
    pub train: Curve,
    /// The validation loss.
    pub val: Curve,
    /// The mean of the training values since the evaluation before, at each evaluation.
    pub train_at_val: Curve,
    /// Means of the absolute values of gradients of any layer.
    pub gradients: Curve,
    /// The first value of any kind that is not finite.
    pub not_finite: Option<Step>,
}

/// One rule of another tool.
#[derive(Debug)]
pub struct Anchor {
    /// Tool and rule.
    pub name: &'static str,
    /// Classes of faults that it speaks to.
    pub classes: &'static [&'static str],
    /// Where it would first have alarmed.
    pub alarm: fn(&Curves) -> Option<Step>,
}

/// All, in the order of the table.
pub static ANCHORS: &[Anchor] = &[
    Anchor {
        name: "SageMaker LossNotDecreasing",
        classes: &["not_learning", "plateau", "divergence"],
        alarm: loss_not_decreasing,
    },
    Anchor { name: "SageMaker Overfit 0.1/1", classes: &["overfitting"], alarm: sagemaker_overfit },
    Anchor { name: "SageMaker Overtraining 5/10", classes: &["overfitting"], alarm: overtraining },
    Anchor {
        name: "SageMaker VanishingGradient",
        classes: &["vanishing_gradient", "not_learning"],
        alarm: vanishing_gradient,
    },
    Anchor { name: "SageMaker ExplodingTensor", classes: &["nan"], alarm: |c| c.not_finite },
    Anchor { name: "patience 3", classes: &["overfitting"], alarm: |c| patience(&c.val, 3) },
    Anchor { name: "patience 10", classes: &["overfitting"], alarm: |c| patience(&c.val, 10) },
    Anchor { name: "Prechelt GL5", classes: &["overfitting"], alarm: |c| generalisation_loss(&c.val, 5.0) },
    Anchor { name: "Prechelt GL10", classes: &["overfitting"], alarm: |c| generalisation_loss(&c.val, 10.0) },
    Anchor { name: "UMLAUT overfit", classes: &["overfitting"], alarm: umlaut },
    Anchor { name: "OLMo 6 sigma W128", classes: &["loss_spike"], alarm: six_sigma },
    Anchor {
        name: "llm-foundry KillLossSpike",
        classes: &["divergence", "loss_spike"],
        alarm: kill_loss_spike,
    },
    Anchor { name: "Megatron spiky", classes: &["divergence", "loss_spike"], alarm: spiky },
];

/// What a run logged, for the anchors.
pub fn curves(sources: &[Source], run: &Run) -> Curves {
    let id = run.id();
    let pair = tags::pairs(run).into_iter().find(|p| tags::classify(&p.val, id).role == tags::Role::Loss);
    let mut curves = Curves::default();
    if let Some(pair) = pair {
        curves.train = points_of(sources, id, &pair.train);
        curves.val = points_of(sources, id, &pair.val);
    } else if let Some(main) = tags::main_loss(run) {
        let points = points_of(sources, id, &main);
        match tags::classify(&main, id).split {
            tags::Split::Val | tags::Split::Test => curves.val = points,
            _ => curves.train = points,
        }
    }
    curves.train_at_val = means(&curves.train, &curves.val);
    layers(sources, id, &mut curves);
    curves
}

fn means(train: &[(Step, f64)], val: &[(Step, f64)]) -> Curve {
    let mut before = Step::MIN;
    let mut out = Vec::new();
    for (step, _) in val {
        let since: Vec<f64> =
            train.iter().filter(|(s, _)| *s > before && s <= step).map(|(_, v)| *v).collect();
        if !since.is_empty() {
            out.push((*step, since.iter().sum::<f64>() / since.len() as f64));
        }
        before = *step;
    }
    out
}

fn layers(sources: &[Source], run: &RunId, curves: &mut Curves) {
    let mut bad: BTreeSet<Step> =
        curves.train.iter().filter(|(_, v)| !v.is_finite()).map(|(s, _)| *s).collect();
    for atom in sources.iter().flat_map(|s| &s.atoms).filter(|a| a.run == *run) {
        for record in &atom.records {
            if let Record::Layer(layer) = record {
                let stats = &layer.stats;
                if let (LayerKind::Gradients, Some(mean)) = (&layer.kind, stats.absmean) {
                    curves.gradients.push((layer.step, mean));
                }
                if stats.nan.unwrap_or(0.0) + stats.inf.unwrap_or(0.0) > 0.0 {
                    bad.insert(layer.step);
                }
            }
        }
        for column in &atom.columns {
            let tag = column.key.tag.as_str();
            if tag.starts_with("gradients/") && tag.ends_with("absmean") {
                curves.gradients.extend(column.points.iter().map(|p| (p.step, p.value)));
            }
            if tag.starts_with("gradients/") || tag.starts_with("weights/") || tag.starts_with("activations/")
            {
                bad.extend(column.points.iter().filter(|p| !p.value.is_finite()).map(|p| p.step));
            }
        }
    }
    curves.not_finite = bad.first().copied();
}

/// Every 10 values the loss must have fallen by 0.1 % and may not have risen by 5 %.
fn loss_not_decreasing(c: &Curves) -> Option<Step> {
    let at: Vec<_> = c.train.iter().step_by(10).collect();
    at.windows(2).find(|w| w[1].1 > w[0].1 - 0.001 * w[0].1.abs()).map(|w| w[1].0)
}

/// (validation − training) / training above 0.1 once.
fn sagemaker_overfit(c: &Curves) -> Option<Step> {
    let train = |step: Step| c.train_at_val.iter().find(|(s, _)| *s == step).map(|(_, v)| *v);
    let ratio = |(step, v): &&(Step, f64)| train(*step).is_some_and(|t| (v - t) / t.abs().max(1e-12) > 0.1);
    c.val.iter().find(ratio).map(|(s, _)| *s)
}

fn without_improvement(curve: &[(Step, f64)], patience: usize, delta: f64) -> Option<Step> {
    let (mut best, mut waited) = (f64::INFINITY, 0);
    for (step, value) in curve {
        if *value < best - delta {
            (best, waited) = (*value, 0);
        } else {
            waited += 1;
            if waited >= patience {
                return Some(*step);
            }
        }
    }
    None
}

/// Training without an improvement by 0.01 for 5 evaluations, or validation for 10.
fn overtraining(c: &Curves) -> Option<Step> {
    let train = without_improvement(&c.train_at_val, 5, 0.01);
    let val = without_improvement(&c.val, 10, 0.01);
    train.into_iter().chain(val).min()
}

fn patience(val: &[(Step, f64)], patience: usize) -> Option<Step> {
    without_improvement(val, patience, 0.0)
}

/// 100 · (E / best − 1) above `alpha`.
fn generalisation_loss(val: &[(Step, f64)], alpha: f64) -> Option<Step> {
    let mut best = f64::INFINITY;
    for (step, value) in val {
        if best > 0.0 && 100.0 * (value / best - 1.0) > alpha {
            return Some(*step);
        }
        best = best.min(*value);
    }
    None
}

/// Validation rises while training falls, between two evaluations.
fn umlaut(c: &Curves) -> Option<Step> {
    let (t, v) = (&c.train_at_val, &c.val);
    let n = t.len().min(v.len());
    (1..n).find(|i| v[*i].1 > v[i - 1].1 && t[*i].1 <= t[i - 1].1).map(|i| v[i].0)
}

/// A mean gradient below 1e-7.
fn vanishing_gradient(c: &Curves) -> Option<Step> {
    c.gradients.iter().find(|(_, mean)| mean.abs() < 1e-7).map(|(s, _)| *s)
}

/// Above the mean of the last 128 by 6 standard deviations; at least 64 values.
fn six_sigma(c: &Curves) -> Option<Step> {
    let values: Vec<f64> = c.train.iter().map(|(_, v)| *v).collect();
    (64..values.len())
        .find(|i| {
            let window = &values[i.saturating_sub(128)..*i];
            let mean = window.iter().sum::<f64>() / window.len() as f64;
            let variance = window.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / window.len() as f64;
            variance.sqrt() > 1e-10 && values[*i] > mean + 6.0 * variance.sqrt()
        })
        .map(|i| c.train[i].0)
}

/// Twice the mean of the window, five times in a row; or half of the window above the maximum of the first one, after
/// two windows. The window is the larger of 100 values and 5 % of the run.
fn kill_loss_spike(c: &Curves) -> Option<Step> {
    let values: Vec<f64> = c.train.iter().map(|(_, v)| *v).collect();
    let window = (values.len() / 20).max(100);
    let cap = values.iter().take(window).copied().fold(0.0, f64::max).min(10.0);
    let mut row = 0;
    for i in window..values.len() {
        let last = &values[i - window..i];
        let mean = last.iter().sum::<f64>() / window as f64;
        row = if values[i] >= 2.0 * mean { row + 1 } else { 0 };
        let high = 2 * last.iter().filter(|v| **v > cap).count() >= window && i >= 2 * window;
        if row > 4 || high {
            return Some(c.train[i].0);
        }
    }
    None
}

/// Ten times the maximum of the first hundred.
fn spiky(c: &Curves) -> Option<Step> {
    let first = c.train.iter().take(100).map(|(_, v)| v.abs()).fold(0.0, f64::max);
    let rest = c.train.iter().skip(100);
    rest.clone().find(|(_, v)| first > 0.0 && v.abs() >= 10.0 * first).map(|(s, _)| *s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: impl IntoIterator<Item = f64>) -> Curve {
        values.into_iter().enumerate().map(|(i, v)| (i as Step, v)).collect()
    }

    #[test]
    fn patience_counts_evaluations_since_the_best() {
        let val = curve([3.0, 2.0, 1.0, 1.1, 1.2, 1.3, 0.9]);
        assert_eq!((patience(&val, 3), patience(&val, 4)), (Some(5), None));
    }

    #[test]
    fn generalisation_loss_is_relative_to_the_best_so_far() {
        let val = curve([2.0, 1.0, 1.04, 1.06]);
        assert_eq!((generalisation_loss(&val, 5.0), generalisation_loss(&val, 10.0)), (Some(3), None));
    }

    #[test]
    fn a_spike_is_six_deviations_above_the_window() {
        let mut values: Vec<f64> = (0..100).map(|i| 1.0 + 0.01 * f64::from(i % 2)).collect();
        values.push(2.0);
        let curves = Curves { train: curve(values), ..Curves::default() };
        assert_eq!(six_sigma(&curves), Some(100));
    }
}
