//! Which columns and keys of free-form logs say where on the x axis a row stands, and which names look like
//! metrics. Shared by CSV and JSON lines.

use std::sync::LazyLock;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    numbers::integer,
    words::{LONGEST, Words},
};
use crate::model::Step;

/// Names of the step, best first. `epoch` comes last: it is the step only where nothing finer is there.
const STEP_NAMES: &[&str] = &[
    "step",
    "global_step",
    "current_steps",
    "iteration",
    "_step",
    "trainer/global_step",
    "num_updates",
    "train_num_updates",
    "valid_num_updates",
    "time/total_timesteps",
    "training_iteration",
    "iter",
    "n_iter",
    "timesteps_total",
    "epoch",
];

/// Names of the time of day, best first.
const TIME_NAMES: &[&str] =
    &["_timestamp", "timestamp", "wall_time", "wall time", "wall", "time", "datetime"];

/// Words that occur in the names of metrics.
const METRIC_WORDS: &[&str] = &[
    "learning",
    "loss",
    "acc",
    "accuracy",
    "lr",
    "perplexity",
    "ppl",
    "reward",
    "rew",
    "f1",
    "auc",
    "map",
    "ap",
    "bleu",
    "rouge",
    "wer",
    "psnr",
    "ssim",
    "fid",
    "mse",
    "rmse",
    "mae",
    "miou",
    "iou",
    "precision",
    "recall",
    "grad",
    "entropy",
    "kl",
    "elbo",
    "nll",
    "bpb",
    "mfu",
    "logloss",
    "mlogloss",
    "error",
    "merror",
    "err",
    "ndcg",
];

/// What a column or key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axis {
    /// May be the step; a smaller rank is better.
    Step(u8),
    /// May be the time of day; a smaller rank is better.
    Time(u8),
    /// A value.
    None,
}

impl Axis {
    /// The epoch, which is a step of last resort and a curve of its own.
    pub const EPOCH: Self = Self::Step(STEP_NAMES.len() as u8 - 1);

    /// What the column or key `name` is for. Capitals do not matter.
    pub fn of(name: &str) -> Self {
        let place =
            |names: &[&str]| names.iter().position(|n| n.eq_ignore_ascii_case(name)).map(|at| at as u8);
        if let Some(rank) = place(STEP_NAMES) {
            Self::Step(rank)
        } else if let Some(rank) = place(TIME_NAMES) {
            Self::Time(rank)
        } else {
            Self::None
        }
    }

    /// True for columns that can carry a step.
    pub fn is_step(self) -> bool {
        matches!(self, Self::Step(_))
    }
}

/// How many names a step can have: one more than the largest rank.
pub const STEP_RANKS: usize = STEP_NAMES.len();

/// Decides, row by row, at which step a row stands.
///
/// The best-ranked name that has occurred in the file carries the step; rows without it belong to the last step,
/// because taking their `epoch` instead would mix units. An epoch that is no integer is never a step. A file
/// without any step counts its rows.
#[derive(Clone, Debug)]
pub struct Stepper {
    best: usize,
    last: Step,
    rows: Step,
    fractional_epochs: bool,
}

impl Default for Stepper {
    fn default() -> Self {
        Self { best: usize::MAX, last: 0, rows: 0, fractional_epochs: false }
    }
}

impl Stepper {
    /// The step of the next row, and the rank of the name that it came from. `found` holds the row's numbers by
    /// rank.
    pub fn step(&mut self, found: &[Option<f64>; STEP_RANKS]) -> (Step, Option<usize>) {
        let row = self.rows;
        self.rows += 1;
        if let Some(epoch) = found[STEP_RANKS - 1] {
            self.fractional_epochs |= integer(epoch).is_none() && epoch.is_finite();
        }
        let usable = if self.fractional_epochs { STEP_RANKS - 1 } else { STEP_RANKS };
        let candidate = found
            .iter()
            .take(usable)
            .enumerate()
            .find_map(|(rank, value)| value.and_then(integer).map(|step| (rank, step)));
        match candidate {
            Some((rank, step)) if rank <= self.best => {
                self.best = rank;
                self.last = step;
                (step, Some(rank))
            }
            _ if self.best != usize::MAX && (self.best < STEP_RANKS - 1 || !self.fractional_epochs) => {
                (self.last, None)
            }
            _ => (row, None),
        }
    }

    /// Counts rows from 0 again: the file began anew.
    pub fn restart(&mut self) {
        self.rows = 0;
    }
}

/// Whether a name has a word in it that metrics have: `train_loss`, `val/acc`, `lr-SGD`, `valLoss`.
///
/// Capitals begin a word, digits at its end may be left out. Asked for every word of every text log.
pub fn looks_like_metric(name: &str) -> bool {
    let mut word = [0_u8; LONGEST];
    // how long the word is, and how long without the digits at its end
    let (mut length, mut stem) = (0_usize, 0_usize);
    let mut previous_small = false;
    let shown = name.get(..name.floor_char_boundary(NAME_SHOWN)).unwrap_or(name);
    for byte in shown.bytes().chain([b' ']) {
        let ends = !byte.is_ascii_alphanumeric() || (byte.is_ascii_uppercase() && previous_small);
        if ends && length > 0 {
            let known = |length: usize| word.get(..length).and_then(|word| METRICS.get(word)).is_some();
            if known(length) || (stem < length && known(stem)) {
                return true;
            }
            (length, stem) = (0, 0);
        }
        if byte.is_ascii_alphanumeric() {
            if let Some(place) = word.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
            if !byte.is_ascii_digit() {
                stem = length;
            }
        }
        previous_small = byte.is_ascii_lowercase();
    }
    false
}

/// Bytes of a name that are looked at.
const NAME_SHOWN: usize = 256;
static METRICS: LazyLock<Words<()>> = LazyLock::new(|| {
    let mut words = Words::default();
    for word in METRIC_WORDS {
        words.entry(word);
    }
    words
});

/// Whether a column or key of that name (in small letters) holds the name of a metric whose value stands beside it.
pub fn is_name_column(name: &str) -> bool {
    matches!(name, "name" | "metric" | "metric_name" | "tag" | "key" | "variable" | "series")
}

/// The time of day that a number is: seconds since 1970, or milliseconds. Numbers below 10⁹ are durations.
pub fn wall_of_number(value: f64) -> Option<f64> {
    if !(1e9..1e14).contains(&value) {
        None
    } else if value > 1e11 {
        Some(value / 1000.0)
    } else {
        Some(value)
    }
}

/// The time of day that a text is: ISO 8601 with or without zone (then UTC), with `T` or a blank between date
/// and time.
pub fn wall_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() < 10 || !text.as_bytes().get(..4)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let stamp = match text.parse::<Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    Some(stamp.as_second() as f64 + f64::from(stamp.subsec_nanosecond()) / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_outrank_epochs() {
        let rank = |name| match Axis::of(name) {
            Axis::Step(rank) => rank,
            other => panic!("{name}: {other:?}"),
        };
        assert!(rank("step") < rank("global_step") && rank("iter") < rank("epoch"));
        assert_eq!(Axis::of("Epoch"), Axis::EPOCH);
        assert_eq!(Axis::of("loss"), Axis::None);
        assert!(matches!(Axis::of("Wall time"), Axis::Time(_)));
    }

    fn at(ranks: &[(&str, f64)]) -> [Option<f64>; STEP_RANKS] {
        let mut found = [None; STEP_RANKS];
        for (name, value) in ranks {
            let Axis::Step(rank) = Axis::of(name) else { panic!("{name}") };
            found[usize::from(rank)] = Some(*value);
        }
        found
    }

    #[test]
    fn a_row_without_the_files_step_belongs_to_the_last_step() {
        let mut steps = Stepper::default();
        let read: Vec<_> = [
            at(&[("epoch", 0.0)]),
            at(&[("step", 10.0), ("epoch", 0.0)]),
            at(&[("epoch", 0.0)]),
            at(&[]),
            at(&[("step", 20.0)]),
        ]
        .iter()
        .map(|row| steps.step(row).0)
        .collect();
        assert_eq!(read, [0, 10, 10, 10, 20]);
    }

    #[test]
    fn rows_are_counted_where_nothing_else_tells_them_apart() {
        let mut steps = Stepper::default();
        let rows = [at(&[("epoch", 0.25)]), at(&[("epoch", 0.5)]), at(&[("epoch", 1.0)])];
        assert_eq!(rows.map(|row| steps.step(&row).0), [0, 1, 2]);
        steps.restart();
        assert_eq!(steps.step(&at(&[])).0, 0);
    }

    #[test]
    fn metrics_are_known_by_a_word_of_their_name() {
        for name in ["loss", "train_loss", "valLoss", "lr-SGD", "metrics/mAP", "Accuracy", "learning_rate"] {
            assert!(looks_like_metric(name), "{name}");
        }
        for name in ["lossless_path", "city", "price", "Survived", "text", "label"] {
            assert!(!looks_like_metric(name), "{name}");
        }
    }

    #[test]
    fn times_are_seconds_milliseconds_or_iso_texts() {
        assert_eq!(wall_of_number(1_750_000_000.5), Some(1_750_000_000.5));
        assert_eq!(wall_of_number(1_750_000_000_500.0), Some(1_750_000_000.5));
        assert_eq!(wall_of_number(12.5), None);
        assert_eq!(wall_of_number(f64::NAN), None);
        assert_eq!(wall_of_text("2025-06-15T15:06:40.5Z"), Some(1_750_000_000.5));
        assert_eq!(wall_of_text("2025-06-15 15:06:40"), Some(1_750_000_000.0));
        assert_eq!(wall_of_text("0:01:03"), None);
        assert_eq!(wall_of_text("2026-11-23_18-31-56"), None);
    }
}
