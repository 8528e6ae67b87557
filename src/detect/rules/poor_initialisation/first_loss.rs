//! A first loss far above that of guessing, or far above all that follows a few points later.

use super::{EARNED, SPEC};
use crate::detect::{
    Evidence, Finding, Hold, Patience, SeriesDetector, Severity, Speaks, Surroundings, Verdict, running,
    tags::{self, Role, Split, TagClass},
    words,
};
use crate::model::{Point, SeriesKey, Step};

/// First point over the median of points 10 to 50.
pub(super) const ABOVE: f64 = 10.0;
/// First point over ln C.
pub(super) const GUESSING: f64 = 2.0;
/// Classes where their number is not known: guessing costs less in all likelihood.
const MOST_CLASSES: f64 = 100_000.0;
/// How much more than its end the part right after the first points may be: training falls for longer.
const FLAT: f64 = 2.0;
/// Points that are looked at.
const POINTS: usize = 50;

/// Asked once per series.
pub(super) fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss
        && matches!(class.split, Split::Train | Split::Unknown)
        && tags::is_whole(&class.stem)
}

/// Makes the detector of one series.
pub(super) fn build(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(FirstLoss::default())
}

#[derive(Debug, Default)]
struct FirstLoss {
    points: Vec<(Step, f64)>,
    /// What was known of the task when the first points were judged; 0: not yet.
    judged: u8,
    done: bool,
}

impl Speaks for FirstLoss {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, place: &str, _: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.number(name);
        let since = words::step(finding.since.unwrap_or(0));
        let mut text = format!(
            "{place} began at {} (step {since}), {}× of what it is {} points later",
            words::value(get("first")),
            words::value(get("first") / get("later")),
            POINTS
        );
        if let Some(classes) = finding.evidence.get("classes") {
            text += &format!("; guessing among {classes} classes costs {}", words::value(classes.ln()));
        }
        (text, SPEC.advice.to_owned())
    }
}

impl SeriesDetector for FirstLoss {
    fn indifferent(&self, _: &[Point]) -> bool {
        self.done
    }

    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if self.done {
            return None;
        }
        if self.points.len() < POINTS {
            if point.value.is_finite() {
                self.points.push((point.step, point.value));
            }
            if self.points.len() < POINTS {
                return None;
            }
        }
        // Class names may come later than the loss, or be read earlier: the verdict is about the same point.
        self.done = around.classes.is_some();
        let known = 1 + u8::from(around.classifies) + 2 * u8::from(self.done);
        if std::mem::replace(&mut self.judged, known) == known {
            return None;
        }
        let (step, _) = *self.points.last()?;
        let verdict = verdict(&self.points, around)?;
        if self.done {
            self.points = Vec::new();
        }
        Some((step, verdict))
    }

    fn rewind(&mut self, step: Step) {
        self.points.retain(|(at, _)| *at < step);
        if self.points.len() < POINTS {
            self.judged = 0;
        }
    }
}

fn verdict(points: &[(Step, f64)], around: &Surroundings) -> Option<Verdict> {
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let (since, first) = *points.first()?;
    let later = running::median_of(&values[10..])?;
    let (soon, end) = (running::median_of(&values[5..10])?, running::median_of(&values[40..])?);
    if around.moving_target || values.iter().any(|v| *v <= 0.0) {
        return None;
    }
    let above = first / later;
    let flat = soon / end;
    let chance = around.classes.filter(|c| *c >= 2).map(|c| (c as f64, (c as f64).ln()));
    // Nobody tells more classes apart than that.
    let bound = around.classifies.then(|| (MOST_CLASSES, MOST_CLASSES.ln()));
    let worse = chance.or(bound).filter(|(_, chance)| first > GUESSING * chance);
    // A loss that falls tenfold as it learns falls on; one that began too high is down after a few points.
    let jumped = above >= ABOVE && flat <= FLAT;
    let mut evidence = Evidence::new().with("first", first).with("later", later);
    if jumped {
        evidence = evidence.at_least("above", above, ABOVE).at_most("still_falling", flat, FLAT);
    }
    if let Some((classes, chance)) = worse {
        evidence = evidence.with("classes", classes).at_least("above_guessing", first / chance, GUESSING);
    }
    let severity = match (jumped, worse) {
        (true, Some(_)) if around.classes.is_some() => EARNED,
        (false, Some((_, chance)))
            if around.classes.is_some() && end > GUESSING * chance && !is_a_sum(first / chance) =>
        {
            EARNED
        }
        (true, _) | (false, Some(_)) => Severity::Info,
        (false, None) => return None,
    };
    Some(Verdict::Bad(Finding { since: Some(since), ..Finding::new(severity, evidence) }))
}

/// A loss that is summed over a batch begins at a power of two times that of guessing.
fn is_a_sum(times: f64) -> bool {
    (times.log2() - times.log2().round()).abs() < 0.12
}
