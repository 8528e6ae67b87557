//! Which training series a validation series is compared with, and which series speaks for a run.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Goal, SeriesKey},
    store::Run,
};

use super::{Role, Split, TagClass, class_of};

/// Training and validation series of one quantity.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// What both measure.
    pub stem: Arc<str>,
    /// On the training data.
    pub train: SeriesKey,
    /// On the validation data.
    pub val: SeriesKey,
}

/// A series as far as pairing needs to know it.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// Its name.
    pub key: SeriesKey,
    /// What the name means.
    pub class: TagClass,
    /// Points so far.
    pub points: u64,
    /// A value that is typical of its unit: the first finite one (later ones may have fallen to nothing).
    pub level: Option<f64>,
}

/// All pairs of a run, in the order of their validation series.
pub fn pairs(run: &Run) -> Vec<Pair> {
    pair_up(&known(run))
}

/// The series whose curve stands for the run in a list: the training loss, else the validation loss.
pub fn main_loss(run: &Run) -> Option<SeriesKey> {
    let known = known(run);
    main_of(&known, Role::Loss, &[Split::Train, Split::Unknown])
        .or_else(|| main_of(&known, Role::Loss, &[Split::Val, Split::Test]))
        .or_else(|| main_of(&known, Role::UnstableLoss, &[Split::Train, Split::Unknown]))
        .map(|k| k.key.clone())
}

/// What "best" speaks of: the goal that the run declares, else the validation loss, else a validation metric,
/// else the training loss.
pub fn main_metric(run: &Run) -> Option<(SeriesKey, Goal)> {
    let known = known(run);
    if let Some((tag, goal)) = &run.info().goal
        && let Some(k) = declared(&known, tag.as_str())
    {
        return Some((k.key.clone(), *goal));
    }
    let with_goal = |k: &Known| k.class.goal.map(|goal| (k.key.clone(), goal));
    let val = [Split::Val];
    main_of(&known, Role::Loss, &val)
        .or_else(|| main_of(&known, Role::Loss, &[Split::Test]))
        .and_then(with_goal)
        .or_else(|| main_of(&known, Role::Metric, &val).and_then(with_goal))
        .or_else(|| main_of(&known, Role::Loss, &[Split::Train, Split::Unknown]).and_then(with_goal))
        .or_else(|| {
            main_of(&known, Role::Metric, &[Split::Train, Split::Unknown, Split::Test]).and_then(with_goal)
        })
}

/// The declared goal may be written `val/loss` for the tag `loss` in context `val`.
fn declared<'a>(known: &'a [Known], name: &str) -> Option<&'a Known> {
    let candidates = || known.iter().filter(|k| k.key.tag.as_str() == name || k.key.label() == name);
    candidates().find(|k| k.class.split == Split::Val).or_else(|| candidates().next())
}

fn known(run: &Run) -> Vec<Known> {
    run.series()
        .map(|series| Known {
            key: series.key().clone(),
            class: class_of(series.key(), run),
            points: series.summary().points,
            level: series.summary().first.map(|p| p.value).filter(|v| v.is_finite()),
        })
        .collect()
}

/// The series that speaks for all of one role: the plainest name, then the most points, then the order given.
/// Metrics without a direction do not count.
pub fn main_of<'a>(known: &'a [Known], role: Role, splits: &[Split]) -> Option<&'a Known> {
    let candidates = || {
        known
            .iter()
            .filter(|k| k.class.role == role && splits.contains(&k.class.split) && k.points > 0)
            .filter(|k| role != Role::Metric || k.class.goal.is_some())
    };
    let most = candidates().map(|k| k.points).max()?;
    candidates().min_by_key(|k| {
        let split = splits.iter().position(|s| *s == k.class.split);
        (is_summary(k, most), plainness(&k.class.stem), split, std::cmp::Reverse(k.points))
    })
}

/// One value beside curves: Hugging Face ends with one `train_loss` after all of `loss`.
fn is_summary(known: &Known, most: u64) -> bool {
    known.points < 2 && most > 4
}

/// Stems that mean the whole objective, not a part of it.
const WHOLE: &[&str] =
    &["loss", "total_loss", "loss_total", "lm_loss", "reduced_loss", "ce_loss", "nll_loss"];

/// True for the name of a whole objective; `loss_cls` beside `total_loss` is a part of it, and parts trade off.
pub fn is_whole(stem: &str) -> bool {
    WHOLE.contains(&stem)
}

/// 0 for the names that mean the whole objective, growing with what is added to them.
fn plainness(stem: &str) -> usize {
    const USUAL: &[&str] =
        &["accuracy", "acc", "map50_95_b", "bbox_map", "f1", "top1", "accuracy_top1", "ep_rew_mean"];
    if let Some(rank) = WHOLE.iter().chain(USUAL).position(|w| *w == stem) {
        return rank.min(2);
    }
    3 + stem.split('_').count()
}

/// Pairs validation series with training series.
///
/// A partner has the same stem and role; where a loss has none, the main training loss stands in
/// (`eval_g0_loss` and `loss`, Megatron's suffixes). Per-epoch series are preferred over per-step ones, named
/// training series over those whose split is unknown. Values of different units (a factor above 50 between
/// the first values) are not compared.
pub fn pair_up(known: &[Known]) -> Vec<Pair> {
    let has_val = known.iter().any(|k| k.class.split == Split::Val && k.class.role == Role::Loss);
    let mut by_stem: BTreeMap<(&str, Role), Vec<&Known>> = BTreeMap::new();
    for k in known {
        if comparable(k.class.role) && matches!(k.class.split, Split::Train | Split::Unknown) && k.points > 0
        {
            by_stem.entry((&*k.class.stem, k.class.role)).or_default().push(k);
        }
    }
    let fallback = main_of(known, Role::Loss, &[Split::Train, Split::Unknown]);
    let mut pairs = Vec::new();
    for val in known {
        let as_val = val.class.split == Split::Val || (val.class.split == Split::Test && !has_val);
        if !as_val || !comparable(val.class.role) {
            continue;
        }
        let partner = by_stem
            .get(&(&*val.class.stem, val.class.role))
            .and_then(|all| all.iter().copied().filter(|t| same_unit(t, val)).min_by_key(|t| rank(t, val)))
            .or_else(|| fallback.filter(|t| val.class.role == Role::Loss && same_unit(t, val)));
        if let Some(train) = partner {
            pairs.push(Pair { stem: val.class.stem.clone(), train: train.key.clone(), val: val.key.clone() });
        }
    }
    pairs
}

fn comparable(role: Role) -> bool {
    matches!(role, Role::Loss | Role::Metric | Role::UnstableLoss | Role::AuxiliaryLoss)
}

/// Smaller is the better partner.
fn rank(train: &Known, val: &Known) -> (bool, bool, bool, bool, usize, SeriesKey) {
    let name = train.key.tag.as_str();
    (
        // Hugging Face ends with one `train_loss` beside all of `loss`, and calls validation `eval_loss`.
        name == "train_loss" && val.key.tag.as_str() == "eval_loss",
        train.class.split != Split::Train,
        name.contains("step") || name.contains("batch"),
        (val.key.context.is_empty()) != (train.key.context.is_empty()),
        // Hugging Face ends with one `train/train_loss` beside all of `train/loss`.
        name.len(),
        train.key.clone(),
    )
}

fn same_unit(a: &Known, b: &Known) -> bool {
    match (a.level, b.level) {
        (Some(a), Some(b)) if a > 0.0 && b > 0.0 => (a / b).max(b / a) <= 50.0,
        _ => true,
    }
}
