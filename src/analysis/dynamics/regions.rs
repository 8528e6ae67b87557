//! The data map: confidence against variability, and what lies where.

use super::{Instance, Instances};

/// Where an instance lies on the data map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Region {
    /// Confident and steady: learnt early, little more to learn from.
    Easy,
    /// Between right and wrong over the epochs.
    Ambiguous,
    /// Steadily not confident: hard, and often mislabelled.
    Hard,
}

impl Region {
    /// Variability from here on is ambiguous: two fifths of 0.5, the largest there can be. Chosen, not published:
    /// cartography ranks instances and takes a third of them.
    pub const UNSTEADY: f64 = 0.2;
    /// Confidence that parts easy from hard.
    pub const CONFIDENT: f64 = 0.5;

    /// `None` for an instance seen less than twice, or without probabilities.
    pub fn of(instance: &Instance) -> Option<Self> {
        let (confidence, variability) = (instance.confidence()?, instance.variability()?);
        Some(if variability >= Self::UNSTEADY {
            Self::Ambiguous
        } else if confidence >= Self::CONFIDENT {
            Self::Easy
        } else {
            Self::Hard
        })
    }

    /// The word on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Ambiguous => "ambiguous",
            Self::Hard => "hard",
        }
    }
}

/// Sums over all instances, and the ones to look at.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DataMap {
    /// Variability and confidence of all instances that have both.
    pub points: Vec<[f64; 2]>,
    /// How many are easy, ambiguous, hard.
    pub regions: [usize; 3],
    /// How many lie on no map: seen once, or without probabilities.
    pub unplaced: usize,
    /// Never right at two or more epochs.
    pub never_learnt: usize,
    /// Right once and wrong after it at least once.
    pub forgotten: usize,
    /// All such changes from right to wrong.
    pub forgetting_events: u64,
    /// The likeliest wrong labels first: lowest area under the margin, then lowest confidence.
    pub suspects: Vec<Instance>,
}

impl DataMap {
    /// Sums up, and keeps `suspects` instances to look at.
    pub fn of(instances: &Instances, suspects: usize) -> Self {
        let mut map = Self::default();
        for instance in instances.all() {
            match (Region::of(instance), instance.variability(), instance.confidence()) {
                (Some(region), Some(variability), Some(confidence)) => {
                    map.regions[region as usize] += 1;
                    map.points.push([variability, confidence]);
                }
                _ => map.unplaced += 1,
            }
            let (right, judged) = instance.correctness();
            map.never_learnt += usize::from(judged >= 2 && right == 0);
            let events = instance.forgetting_events().unwrap_or(0);
            map.forgotten += usize::from(events > 0);
            map.forgetting_events += u64::from(events);
        }
        let mut order: Vec<&Instance> = instances.all().iter().filter(|i| i.seen >= 2).collect();
        let rank = |i: &Instance| {
            let last = f64::INFINITY;
            (i.area_under_margin().unwrap_or(last), i.confidence().unwrap_or(last))
        };
        order.sort_by(|a, b| {
            let (a, b) = (rank(a), rank(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        map.suspects = order.into_iter().take(suspects).cloned().collect();
        map
    }
}
