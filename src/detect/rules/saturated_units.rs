//! `saturated_units`: sigmoid or tanh units that stand at the ends of their range, where hardly any gradient passes.

use rustc_hash::FxHashMap;

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, NetworkDetector, Part, Patience, Profile, Scope, Severity, Speaks,
    Surroundings, Threshold, Verdict,
    running::{self, Window},
    words,
};
use crate::model::{LayerKind, LayerName, Step};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "saturated_units",
    summary: "sigmoid or tanh units stand at the ends of their range",
    advice: "Lower the learning rate or the scale of the initial weights, normalise the inputs of the layer.",
    clears: "fewer than a quarter of the units are saturated, for 6 logs",
    traps: "the outputs of a good classifier, gates of recurrent cells, attention: all of them saturate by design",
    thresholds: &[
        Threshold::new(SOME, "share of saturated units, 5 logs: info"),
        Threshold::new(MOST, "share, if the loss does not fall: warn"),
        Threshold::new(MUCH_MORE, "rise since the start: warn"),
    ],
    scopes: &[Scope::Network { build: || Box::new(Saturated::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Share of units.
const SOME: f64 = 0.5;
/// Share of units.
const MOST: f64 = 0.8;
/// How much more than at the start is a fault.
const MUCH_MORE: f64 = 0.4;

#[derive(Debug, Default)]
struct Saturated {
    starts: FxHashMap<LayerName, Window<3>>,
}

impl Speaks for Saturated {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(5); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let percent = |name| 100.0 * finding.evidence.number(name);
        let text = format!(
            "{:.0} % of the units of {place} are saturated at step {}, {:.0} % at the start{}",
            percent("saturated"),
            words::step(step),
            percent("saturated_at_start"),
            words::since(finding.since)
        );
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Saturated {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        if profile.kind != LayerKind::Activations {
            return;
        }
        let outlook = around.outlook();
        let last = profile.layers.len().saturating_sub(1);
        for (at, ((name, stats), part)) in profile.layers.iter().zip(profile.parts).enumerate() {
            // The last layer may be what a classifier puts out, unless it reaches below zero.
            if at == last && stats.min.is_none_or(|min| min >= 0.0) {
                continue;
            }
            let Some(share) = stats.saturated.filter(|share| (0.0..=1.0).contains(share)) else { continue };
            if matches!(part, Part::Gate | Part::Expert) {
                continue;
            }
            let start = self.starts.entry(name.clone()).or_default();
            if start.values().len() < 3 {
                start.push(share);
            }
            let start = running::median_of(start.values()).unwrap_or(share);
            let evidence =
                |limit| Evidence::new().at_least("saturated", share, limit).with("saturated_at_start", start);
            let bad =
                |severity: Severity, evidence| Verdict::Bad(Finding::new(severity.min(EARNED), evidence));
            let verdict = if share < SOME / 2.0 {
                Verdict::Fine
            } else if share > SOME && share - start >= MUCH_MORE {
                bad(Severity::Warn, evidence(SOME).at_least("risen", share - start, MUCH_MORE))
            } else if let Some(outlook) = outlook.filter(|outlook| share > MOST && outlook.stuck) {
                bad(Severity::Warn, evidence(MOST).with("loss_gained", outlook.gained))
            } else if share > SOME {
                bad(Severity::Info, evidence(SOME))
            } else {
                Verdict::Unsure
            };
            report(Some(name), verdict);
        }
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}
