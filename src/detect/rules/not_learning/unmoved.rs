//! Nothing moves, and the log says so to the bit: a learning rate of zero, or a validation loss that has been the
//! same number since its first evaluation. (A gradient norm of zero says nothing: `DeepSpeed` prints one that it does not
//! compute.)

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Evidence, Finding, Hold, Patience, SeriesDetector, Severity, Speaks, Surroundings, Verdict,
    tags::{Role, Split, TagClass},
    words,
};

/// Values from the first that are all zero, or evaluations that are all the same.
const ZEROS: u32 = 20;
const SAME: u32 = 6;

pub(super) fn judges(class: &TagClass) -> bool {
    match class.role {
        Role::LearningRate => true,
        Role::Loss => matches!(class.split, Split::Val | Split::Test),
        _ => false,
    }
}

pub(super) fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Unmoved { role: class.role, first: None, count: 0, moved: false })
}

#[derive(Debug)]
struct Unmoved {
    role: Role,
    first: Option<(Step, f64)>,
    count: u32,
    /// It did move; nothing is said of it any more.
    moved: bool,
}

impl Speaks for Unmoved {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let count = e.number("values");
        let (text, advice) = match self.role {
            Role::LearningRate => (
                format!("{place} has been 0 for {count} values up to step {}", words::step(step)),
                "Check the scheduler: with a learning rate of 0 no weight changes.",
            ),
            _ => (
                format!(
                    "{place} has been {} to the last bit since its first evaluation ({count} of them, up to step {})",
                    words::value(e.number("now")),
                    words::step(step)
                ),
                "Check that the optimiser got the parameters and that the learning rate is not 0: the weights do not change.",
            ),
        };
        (text, advice.to_owned())
    }
}

impl SeriesDetector for Unmoved {
    fn indifferent(&self, _: &[Point]) -> bool {
        self.moved
    }

    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if self.moved || !point.value.is_finite() {
            return None;
        }
        let (since, first) = *self.first.get_or_insert((point.step, point.value));
        let still = match self.role {
            Role::LearningRate => point.value == 0.0,
            _ => point.value.to_bits() == first.to_bits() && first != 0.0,
        };
        if !still {
            self.moved = true;
            return Some((point.step, Verdict::Fine));
        }
        self.count += 1;
        let needed = if matches!(self.role, Role::Loss) { SAME } else { ZEROS };
        if self.count < needed {
            return None;
        }
        let evidence = Evidence::new()
            .with("now", point.value)
            .at_least("values", f64::from(self.count), f64::from(needed))
            .at_most("change", 0.0, 0.0);
        let finding = Finding { severity: Severity::Warn, since: Some(since), evidence, sure: true };
        Some((point.step, Verdict::Bad(finding)))
    }

    fn rewind(&mut self, step: Step) {
        if self.first.is_some_and(|(first, _)| first >= step) {
            *self = Self { role: self.role, first: None, count: 0, moved: false };
        }
    }
}
