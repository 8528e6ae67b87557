//! What series mean, and what the user says that they mean.
//!
//! Names are read by `detect::tags`; what the user says comes before that. It is kept by the runs themselves, so that
//! whoever has a run understands its series alike.

use std::sync::Arc;

use super::{Goal, SeriesKey};

/// What a series is, for rules and views.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    /// An objective that should fall.
    Loss,
    /// A loss against a moving target (GAN, actor-critic): its level says nothing of health.
    UnstableLoss,
    /// A regulariser or a side objective.
    AuxiliaryLoss,
    /// A measure of quality.
    Metric,
    /// The learning rate.
    LearningRate,
    /// A norm of the gradient.
    GradientNorm,
    /// The factor of mixed-precision loss scaling.
    LossScale,
    /// Durations.
    Time,
    /// Work per time.
    Throughput,
    /// Bytes in use.
    Memory,
    /// Utilisation, power, temperature.
    Hardware,
    /// Counters that only grow: epoch, step, samples.
    Clock,
    /// Settings that change on a plan: batch size, annealing weights.
    Schedule,
    /// Inner numbers of the optimiser or the policy update.
    Optimiser,
    /// Entropy of a policy.
    Entropy,
    /// The user wants no rule to look at it; no name is read so.
    Ignored,
    /// Not known.
    Unknown,
}

impl Role {
    /// All, in the order in which they are listed to users.
    pub const ALL: [Self; 17] = [
        Self::Loss,
        Self::UnstableLoss,
        Self::AuxiliaryLoss,
        Self::Metric,
        Self::LearningRate,
        Self::GradientNorm,
        Self::LossScale,
        Self::Time,
        Self::Throughput,
        Self::Memory,
        Self::Hardware,
        Self::Clock,
        Self::Schedule,
        Self::Optimiser,
        Self::Entropy,
        Self::Unknown,
        Self::Ignored,
    ];

    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::UnstableLoss => "unstable_loss",
            Self::AuxiliaryLoss => "auxiliary_loss",
            Self::Metric => "metric",
            Self::LearningRate => "learning_rate",
            Self::GradientNorm => "gradient_norm",
            Self::LossScale => "loss_scale",
            Self::Time => "time",
            Self::Throughput => "throughput",
            Self::Memory => "memory",
            Self::Hardware => "hardware",
            Self::Clock => "clock",
            Self::Schedule => "schedule",
            Self::Optimiser => "optimiser",
            Self::Entropy => "entropy",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
        }
    }
}

/// Which part of the data a number speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Split {
    /// What the model is fitted to.
    Train,
    /// What is looked at while training.
    Val,
    /// Named `test`. Read as validation where a run has no validation series.
    Test,
    /// The name does not say. A bare `loss` beside a `val_loss` is taken for training.
    Unknown,
}

impl Split {
    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
            Self::Unknown => "unknown",
        }
    }
}

/// What the user says of the series whose names match: each part that is said comes before what the name says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// What kind of quantity it is.
    pub role: Option<Role>,
    /// Whether less or more is better.
    pub goal: Option<Goal>,
    /// Which data it was computed on.
    pub split: Option<Split>,
}

impl Told {
    /// Reads `loss,min` or `val, metric, max`: role, goal and split in any order, each at most once. The error is one
    /// clause.
    pub fn parse(words: &str) -> Result<Self, String> {
        let mut told = Self::default();
        for word in words.split(',').map(str::trim) {
            let twice = match word {
                "min" => told.goal.replace(Goal::Min).is_some(),
                "max" => told.goal.replace(Goal::Max).is_some(),
                "train" => told.split.replace(Split::Train).is_some(),
                "val" => told.split.replace(Split::Val).is_some(),
                "test" => told.split.replace(Split::Test).is_some(),
                "ignore" => told.role.replace(Role::Ignored).is_some(),
                _ => match Role::ALL.iter().find(|role| role.name() == word) {
                    Some(role) => told.role.replace(*role).is_some(),
                    None => return Err(unknown_word(word)),
                },
            };
            if twice {
                return Err(format!("`{word}` contradicts a word before it"));
            }
        }
        Ok(told)
    }

    /// True when nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn unknown_word(word: &str) -> String {
    let roles: Vec<&str> =
        Role::ALL.iter().map(|role| role.name()).filter(|name| *name != "ignored").collect();
    let what =
        if word.is_empty() { "a word is missing".to_owned() } else { format!("`{word}` is not known") };
    format!("{what}: a role ({}, ignore), min or max, train, val or test", roles.join(", "))
}

/// Everything that the user says of series, in the order in which it was said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meanings {
    said: Vec<(Arc<str>, Told)>,
}

impl Meanings {
    /// Adds what is said of series whose tag, or tag with its context, is `pattern` or matches it.
    pub fn add(&mut self, pattern: impl Into<Arc<str>>, told: Told) {
        self.said.push((pattern.into(), told));
    }

    /// True when nothing is said of anything.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// What is said of one series; later words come before earlier ones, part by part.
    pub fn of(&self, key: &SeriesKey) -> Told {
        let mut all = Told::default();
        for (pattern, told) in &self.said {
            if names(pattern, key.tag.as_str()) || (!key.context.is_empty() && names(pattern, &key.label())) {
                all.role = told.role.or(all.role);
                all.goal = told.goal.or(all.goal);
                all.split = told.split.or(all.split);
            }
        }
        all
    }
}

/// True when `text` is `pattern`, or matches it: `*` stands for any characters, `/` among them, `?` for one. Brackets
/// are plain characters, because tags have them (`metrics/mAP50(B)`, `loss[0]`).
pub fn names(pattern: &str, text: &str) -> bool {
    if pattern == text {
        return true;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star does not fit: the star takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((after, taken)) => {
                    (p, t) = (after, taken + 1);
                    retry = Some((after, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_slashes_and_brackets_are_themselves() {
        for (pattern, text, hit) in [
            ("*/loss", "val/a/loss", true),
            ("*/loss", "loss", false),
            ("metrics/mAP50(B)", "metrics/mAP50(B)", true),
            ("loss[?]", "loss[0]", true),
            ("a*b*c", "a__b_b__c", true),
            ("a*b*c", "a__b_b__", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(names(pattern, text), hit, "{pattern} {text}");
        }
    }

    #[test]
    fn words_come_in_any_order_and_a_wrong_one_is_named() {
        let told = Told { role: Some(Role::Metric), goal: Some(Goal::Max), split: Some(Split::Val) };
        assert_eq!(Told::parse("val, max,metric"), Ok(told));
        assert_eq!(Told::parse("ignore").map(|t| t.role), Ok(Some(Role::Ignored)));
        assert!(Told::parse("lost").unwrap_err().starts_with("`lost` is not known: a role (loss,"));
        assert!(Told::parse("min,max").unwrap_err().contains("contradicts"));
        assert!(Told::parse("loss,").unwrap_err().contains("missing"));
    }

    #[test]
    fn the_last_word_counts_part_by_part() {
        let mut meanings = Meanings::default();
        meanings.add("*", Told::parse("metric,max").unwrap());
        meanings.add("val/x", Told::parse("min").unwrap());
        let told = meanings.of(&SeriesKey::new("x", "val"));
        assert_eq!((told.role, told.goal), (Some(Role::Metric), Some(Goal::Min)));
    }
}
