//! The three questions that are asked of every run, answered in words: has it begun to learn, has it converged, does it
//! overfit? Each answer carries the numbers that it rests on, and is "not yet known" where they do not suffice.

use crate::{
    model::{Goal, SeriesKey, Step},
    store::{Run, Series},
};

use super::{
    Alert, AlertBook, running,
    tags::{self, Role, Split},
    words,
};

/// Points of the training loss before the first question is answered.
const LEARNING_POINTS: u64 = 20;
/// Evaluations (or blocks of a training loss) before the second is answered.
const CONVERGED_POINTS: usize = 15;
/// Improvement over the last 30 % below which a curve is flat, as a share of its level.
const FLAT: f64 = 0.01;
/// The stretch that the second question is about.
const STRETCH: f64 = 0.3;

/// Class counts whose level of guessing, ln C, is recognised.
const GUESSING: &[f64] = &[2.0, 10.0, 100.0, 1000.0];

/// What can be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Too little is known.
    Unknown,
}

impl Verdict {
    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// An answer and what it rests on.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The answer.
    pub verdict: Verdict,
    /// The answer in a word or two, for a list.
    pub short: &'static str,
    /// One clause with the numbers.
    pub because: String,
}

impl Answer {
    fn new(verdict: Verdict, short: &'static str, because: impl Into<String>) -> Self {
        Self { verdict, short, because: because.into() }
    }
}

/// The best evaluation so far: the checkpoint that one would keep.
#[derive(Clone, PartialEq, Debug)]
pub struct BestSoFar {
    /// The series that it was chosen by.
    pub series: SeriesKey,
    /// Where.
    pub step: Step,
    /// The value there.
    pub value: f64,
}

/// The three answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Answers {
    /// Has it begun to learn?
    pub learning: Answer,
    /// Has it converged?
    pub converged: Answer,
    /// Does it overfit?
    pub overfits: Answer,
    /// The best checkpoint step so far.
    pub best: Option<BestSoFar>,
}

impl Answers {
    /// The three in a few words each, for a list: `learns · converged · does not overfit`.
    pub fn in_short(&self) -> [&'static str; 3] {
        [self.learning.short, self.converged.short, self.overfits.short]
    }
}

/// Answers for a run as its log stands, with what the rules said of it.
pub fn answers(run: &Run, alerts: &AlertBook) -> Answers {
    Answers {
        learning: learning(run, alerts),
        converged: converged(run),
        overfits: overfits(run, alerts),
        best: best(run),
    }
}

fn open<'a>(run: &Run, alerts: &'a AlertBook, rule: &str) -> Option<&'a Alert> {
    alerts.of_run(run.id()).filter(|a| a.rule == rule && a.is_open()).max_by_key(|a| a.severity)
}

/// Means of a series' finite values in at most 64 blocks, with the last step of each.
fn blocks(series: &Series) -> Vec<(Step, f64)> {
    let all: Vec<(Step, f64)> =
        series.buckets(None).iter().filter_map(|b| Some((b.last.step, b.mean()?))).collect();
    let size = all.len().div_ceil(64).max(1);
    all.chunks(size)
        .map(|part| (part[part.len() - 1].0, part.iter().map(|p| p.1).sum::<f64>() / part.len() as f64))
        .collect()
}

fn learning(run: &Run, alerts: &AlertBook) -> Answer {
    for rule in ["nan", "divergence", "not_learning"] {
        if let Some(alert) = open(run, alerts, rule) {
            let because = format!("{} since step {}", rule.replace('_', " "), at(alert));
            return Answer::new(Verdict::No, "does not learn", because);
        }
    }
    let Some(series) = tags::main_loss(run).and_then(|key| run.series_of(&key)) else {
        return Answer::new(Verdict::Unknown, "learns?", "no loss is known by its name");
    };
    let class = tags::class_of(series.key(), run);
    if class.role == Role::UnstableLoss {
        return Answer::new(
            Verdict::Unknown,
            "learns?",
            "its losses chase moving targets; look at the reward or the samples",
        );
    }
    let points = series.summary().points;
    if points < LEARNING_POINTS {
        return Answer::new(
            Verdict::Unknown,
            "learns?",
            format!("only {points} points of {}", series.key().label()),
        );
    }
    let blocks = blocks(series);
    let values: Vec<f64> = blocks.iter().map(|b| b.1).collect();
    let edge = (values.len() / 10).max(2).min(values.len());
    let (Some(first), Some(last)) =
        (running::median_of(&values[..edge]), running::median_of(&values[values.len() - edge..]))
    else {
        return Answer::new(Verdict::Unknown, "learns?", "no finite values");
    };
    let noise = running::noise(&values);
    let fallen = first - last;
    let numbers =
        format!("{} went from {} to {}", series.key().label(), words::value(first), words::value(last));
    let chance = GUESSING.iter().find(|c| (last - c.ln()).abs() < 0.01 * c.ln() && first < 1.2 * c.ln());
    if let Some(classes) = chance.filter(|_| points >= 200) {
        let because = format!("{numbers} = ln({classes}), the level of guessing");
        return Answer::new(Verdict::No, "does not learn", because);
    }
    if fallen >= (3.0 * noise).max(0.01 * first.abs()) {
        let since = blocks.iter().find(|b| first - b.1 >= (3.0 * noise).max(0.01 * first.abs()));
        let since = since.map(|b| format!(", beyond its noise since step {}", words::step(b.0)));
        Answer::new(Verdict::Yes, "learns", numbers + &since.unwrap_or_default())
    } else if points >= 200 && running::mann_kendall(&values) > -1.64 {
        Answer::new(
            Verdict::No,
            "does not learn",
            format!("{numbers} in {points} points (noise {})", words::value(noise)),
        )
    } else {
        Answer::new(
            Verdict::Unknown,
            "learns?",
            format!("{numbers}, within its noise of {}", words::value(noise)),
        )
    }
}

fn converged(run: &Run) -> Answer {
    let Some((key, goal)) = tags::main_metric(run) else {
        return Answer::new(Verdict::Unknown, "converged?", "nothing is known to get better or worse");
    };
    let Some(series) = run.series_of(&key) else {
        return Answer::new(Verdict::Unknown, "converged?", "nothing is known to get better or worse");
    };
    let blocks = blocks(series);
    if blocks.len() < CONVERGED_POINTS {
        return Answer::new(
            Verdict::Unknown,
            "converged?",
            format!("only {} values of {}", blocks.len(), key.label()),
        );
    }
    let sign = if goal == Goal::Min { 1.0 } else { -1.0 };
    let values: Vec<f64> = blocks.iter().map(|b| sign * b.1).collect();
    let from = values.len() - ((STRETCH * values.len() as f64) as usize).max(5);
    let level = |upto: usize| running::median_of(&values[upto.saturating_sub(3)..upto]).unwrap_or(f64::NAN);
    let (then, now) = (level(from), level(values.len()));
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let unit = if lowest > 0.0 || highest < 0.0 { now.abs() } else { highest - lowest };
    let gained = (then - now) / unit;
    let since = words::step(blocks[from - 1].0);
    let text = |what: &str| {
        format!(
            "{} {what} {} over the last {:.0} % (since step {since})",
            key.label(),
            words::percent(-sign * gained),
            100.0 * STRETCH
        )
    };
    let trend = running::mann_kendall(&values[from..]);
    if now - lowest > 0.1 * unit && goal == Goal::Min {
        let because =
            format!("{} is {}, far from its best {}", key.label(), words::value(now), words::value(lowest));
        return Answer::new(Verdict::No, "got worse", because);
    }
    if gained > FLAT && trend < -1.0 {
        Answer::new(Verdict::No, "still improves", text("still improves:"))
    } else if gained < -3.0 * FLAT && trend > 1.64 {
        Answer::new(Verdict::No, "gets worse", text("gets worse:"))
    } else {
        Answer::new(Verdict::Yes, "converged", text("is flat:"))
    }
}

fn overfits(run: &Run, alerts: &AlertBook) -> Answer {
    if let Some(alert) = open(run, alerts, "overfitting") {
        let best = words::step(alert.evidence.number("best_step") as Step);
        let because = format!(
            "{} is {} above its best of step {best}",
            alert.place(),
            words::percent(alert.evidence.number("rise")).trim_start_matches('+')
        );
        return Answer::new(Verdict::Yes, "overfits", because);
    }
    let val = run.series().find(|series| {
        let class = tags::class_of(series.key(), run);
        class.role == Role::Loss && class.split == Split::Val
    });
    let Some(series) = tags::main_metric(run)
        .filter(|(key, _)| {
            let class = tags::class_of(key, run);
            matches!(class.split, Split::Val | Split::Test)
        })
        .and_then(|(key, _)| run.series_of(&key))
        .or(val)
    else {
        return Answer::new(Verdict::Unknown, "overfits?", "no validation series");
    };
    let summary = series.summary();
    let class = tags::class_of(series.key(), run);
    let best = if class.goal == Some(Goal::Max) { summary.max } else { summary.min };
    let (Some(best), Some(last)) = (best, summary.last) else {
        return Answer::new(Verdict::Unknown, "overfits?", "no finite validation values");
    };
    if summary.points < 8 {
        return Answer::new(Verdict::Unknown, "overfits?", format!("only {} evaluations", summary.points));
    }
    let sign = if class.goal == Some(Goal::Max) { -1.0 } else { 1.0 };
    let recent: Vec<f64> = blocks(series).iter().rev().take(3).map(|b| b.1).collect();
    let level = running::median_of(&recent).unwrap_or(last.value);
    if sign * (level - best.value) > 0.1 * best.value.abs() {
        let because = format!(
            "{} is {}, far from its best {} at step {}, but nothing says that training goes on to improve",
            series.key().label(),
            words::value(level),
            words::value(best.value),
            words::step(best.step)
        );
        return Answer::new(Verdict::Unknown, "overfits?", because);
    }
    let because = if best.step == last.step {
        format!("the last {} is the best: {}", series.key().label(), words::value(last.value))
    } else {
        format!(
            "{} is {}, its best {} at step {}",
            series.key().label(),
            words::value(last.value),
            words::value(best.value),
            words::step(best.step)
        )
    };
    Answer::new(Verdict::No, "does not overfit", because)
}

fn best(run: &Run) -> Option<BestSoFar> {
    let (key, goal) = tags::main_metric(run)?;
    // The luckiest batch of a training is no reason to keep its checkpoint.
    if !matches!(tags::class_of(&key, run).split, Split::Val | Split::Test) {
        return None;
    }
    let summary = run.series_of(&key)?.summary();
    let point = match goal {
        Goal::Min => summary.min,
        Goal::Max => summary.max,
    }?;
    Some(BestSoFar { series: key, step: point.step, value: point.value })
}

fn at(alert: &Alert) -> String {
    alert.since_step.or(alert.step).map_or_else(|| "?".to_owned(), words::step)
}
