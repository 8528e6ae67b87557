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
    /// The first points have been judged, and again when the number of classes was known.
    judged: bool,
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
        if std::mem::replace(&mut self.judged, true) && !self.done {
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
        self.judged &= self.points.len() >= POINTS;
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
    let worse = chance.filter(|(_, chance)| first > GUESSING * chance);
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
        (true, Some(_)) => EARNED,
        (true, None) | (false, Some(_)) => Severity::Info,
        (false, None) => return None,
    };
    Some(Verdict::Bad(Finding { since: Some(since), ..Finding::new(severity, evidence) }))
}
