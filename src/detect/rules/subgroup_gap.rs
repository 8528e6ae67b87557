//! `subgroup_gap`: a group of the data is served worse than the rest of it.

use std::sync::Arc;

use crate::{
    detect::{
        DetectorSpec, Evidence, Finding, Hold, Patience, Scope, Severity, Speaks, SubgroupDetector,
        Subgroups, Surroundings, Threshold, Verdict,
        matrix::{self, SUPPORT},
        words,
    },
    model::{ConfusionMatrix, Step},
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "subgroup_gap",
    summary: "a group of the data is served worse than the rest of it",
    advice: "Look at samples and labels of this group, and weight it or collect more of it before a threshold is chosen.",
    clears: "the gap is below half of what it takes to speak, for 4 evaluations",
    traps: "groups of a few samples, groups that are harder by nature, many groups of which one is worst by chance",
    thresholds: &[
        Threshold::new(GAP, "less accuracy than all other groups together, 2 evaluations: info"),
        Threshold::new(Z, "standard errors of that difference"),
        Threshold::new(SUPPORT, "samples of a group"),
        Threshold::new(OPENED, "of the gap must be new since the first evaluations: warn"),
    ],
    scopes: &[Scope::Subgroups { build: || Box::new(Gap::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Difference of accuracy.
const GAP: f64 = 0.1;
/// Standard errors.
const Z: f64 = 3.0;
/// Share of the gap that is new.
const OPENED: f64 = 0.5;
/// Evaluations from which the level of the start is taken.
const START: usize = 3;

#[derive(Debug, Default)]
struct Gap {
    /// The largest gap of each of the first evaluations.
    start: Vec<f64>,
    text: String,
}

impl Speaks for Gap {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(2), Hold::in_a_row(3), Hold::in_a_row(3)], clear: 4 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text = format!(
            "{}{} at step {}{}",
            if place.is_empty() { String::new() } else { format!("{place}: ") },
            self.text,
            words::step(step),
            words::since(finding.since)
        );
        (text, SPEC.advice.to_owned())
    }
}

/// Hits and samples of a group.
#[derive(Clone, Copy, Debug)]
struct Counted {
    hits: f64,
    of: f64,
}

impl SubgroupDetector for Gap {
    fn groups(&mut self, groups: &Subgroups<'_>) -> Verdict {
        let counted: Vec<(&Arc<str>, Counted)> = groups
            .matrices
            .iter()
            .filter(|(_, m)| !matrix::is_normalised(m))
            .map(|(name, m)| (name, Counted { hits: m.counts().diag().sum(), of: m.total() }))
            .filter(|(_, counted)| counted.of >= SUPPORT)
            .collect();
        let worst = counted
            .iter()
            .filter_map(|(name, group)| Some((*name, *group, rest(name, *group, &counted)?)))
            .map(|(name, group, rest)| (name, group, rest, rest.hits / rest.of - group.hits / group.of))
            .max_by(|a, b| a.3.total_cmp(&b.3).then(b.0.cmp(a.0)));
        let Some((name, group, rest, gap)) = worst else { return Verdict::Unsure };
        if self.start.len() < START {
            self.start.push(gap.max(0.0));
        }
        let start = self.start.iter().copied().fold(f64::INFINITY, f64::min);
        let both = (group.hits + rest.hits) / (group.of + rest.of);
        let error = (both * (1.0 - both) * (1.0 / group.of + 1.0 / rest.of)).sqrt();
        let z = if error > 0.0 { gap / error } else { 0.0 };
        if gap < GAP / 2.0 {
            return Verdict::Fine;
        }
        if gap < GAP || z < Z {
            return Verdict::Unsure;
        }
        let opened = (gap - start) / gap;
        let severity = if opened >= OPENED { Severity::Warn } else { Severity::Info };
        let (accuracy, others) = (group.hits / group.of, rest.hits / rest.of);
        self.text = format!(
            "group {name} is right in {:.0} % of {} samples, the others in {:.0} % of {}",
            100.0 * accuracy,
            group.of,
            100.0 * others,
            rest.of
        );
        let evidence = Evidence::new()
            .at_least("gap", gap, GAP)
            .at_least("z", z, Z)
            .at_least("samples", group.of, SUPPORT)
            .with("gap_at_start", start)
            .with("accuracy", accuracy)
            .with("accuracy_of_others", others);
        let binary = |of: &str| groups.matrices.get(of).and_then(Rates::of);
        let others =
            counted.iter().filter(|(other, _)| *other != name).filter_map(|(other, _)| binary(other));
        let evidence = match binary(name).zip(others.max_by(|a, b| a.selected.total_cmp(&b.selected))) {
            Some((group, other)) => fairness(evidence, group, other),
            None => evidence,
        };
        Verdict::Bad(Finding::new(severity.min(EARNED), evidence))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

/// All groups of the same attribute but this one.
fn rest(name: &str, group: Counted, counted: &[(&Arc<str>, Counted)]) -> Option<Counted> {
    let attribute = |name: &str| name.rsplit_once('=').map(|(attribute, _)| attribute.to_owned());
    let alike = counted.iter().filter(|(other, _)| attribute(other) == attribute(name));
    let (hits, of) = alike.fold((0.0, 0.0), |(hits, of), (_, c)| (hits + c.hits, of + c.of));
    let rest = Counted { hits: hits - group.hits, of: of - group.of };
    (rest.of >= SUPPORT).then_some(rest)
}

/// What a two-class classifier does with a group; class 1 is the positive one.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Rates {
    /// Share predicted positive.
    selected: f64,
    /// Of the positive ones.
    true_positive: f64,
    /// Of the negative ones.
    false_positive: f64,
}

impl Rates {
    fn of(m: &ConfusionMatrix) -> Option<Self> {
        if m.classes() != 2 {
            return None;
        }
        let c = m.counts();
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        Some(Self {
            selected: share(c.column(1).sum(), m.total())?,
            true_positive: share(c[[1, 1]], c.row(1).sum())?,
            false_positive: share(c[[0, 1]], c.row(0).sum())?,
        })
    }
}

/// Demographic parity, disparate impact, equal opportunity and equalised odds of two groups.
fn fairness(evidence: Evidence, a: Rates, b: Rates) -> Evidence {
    let opportunity = (a.true_positive - b.true_positive).abs();
    let (less, more) = (a.selected.min(b.selected), a.selected.max(b.selected));
    evidence
        .with("parity_difference", more - less)
        .with("disparate_impact", if more > 0.0 { less / more } else { 1.0 })
        .with("opportunity_difference", opportunity)
        .with("odds_difference", opportunity.max((a.false_positive - b.false_positive).abs()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ndarray::array;

    use super::*;

    /// T-69.
    #[test]
    fn t_69_gaps_of_two_groups_are_those_worked_out_by_hand() {
        let of = |tp: f64, fneg: f64, fp: f64, tn: f64| {
            ConfusionMatrix::new(array![[tn, fp], [fneg, tp]]).unwrap()
        };
        let matrices = BTreeMap::from([
            (Arc::from("sex=a"), of(40.0, 10.0, 5.0, 45.0)),
            (Arc::from("sex=b"), of(20.0, 30.0, 5.0, 45.0)),
        ]);
        let Verdict::Bad(finding) = Gap::default().groups(&Subgroups { step: 1, matrices: &matrices }) else {
            panic!("85 % against 65 % of 100 each is a gap");
        };
        for (name, value) in [
            ("parity_difference", 0.20),
            ("disparate_impact", 0.5556),
            ("opportunity_difference", 0.40),
            ("odds_difference", 0.40),
            ("accuracy", 0.65),
        ] {
            let found = finding.evidence.number(name);
            assert!((found - value).abs() < 1e-4, "{name}: {found}");
        }
        assert!(finding.evidence.holds());
    }
}
