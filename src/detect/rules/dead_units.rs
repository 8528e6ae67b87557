//! `dead_units`: units that are never active any more.
//!
//! A healthy `ReLU` layer puts out 50 to 90 % zeros, so the share of zero outputs alone says nothing. Units that were
//! silent over a whole batch do, where the log counts them; and so does a layer that puts out nothing but zeros, or
//! ever more of them while its gradient turns to zeros too.

use rustc_hash::FxHashMap;

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, NetworkDetector, Part, Patience, Profile, Scope, Severity, Speaks,
    Surroundings, Threshold, Verdict,
    running::{self, Window},
    tensor, words,
};
use crate::model::{LayerKind, LayerName, LayerStats, Step};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "dead_units",
    summary: "units of a layer are never active any more",
    advice: "Lower the learning rate, look at biases and initialisation, or use LeakyReLU or GELU.",
    clears: "fewer than half as many units are silent as it takes to speak, for 6 logs",
    traps: "units counted over a small batch, sparse inputs, dropout, experts that are not used, padding",
    thresholds: &[
        Threshold::new(SOME, "share of units never active, and 0.1 more than at the start, 10 logs: info"),
        Threshold::new(MANY, "share, 10 logs: info; and 0.1 more than at the start, 5 logs: warn"),
        Threshold::new(
            MOST,
            "share of units, or all outputs zero, 5 logs: warn; critical if the loss does not fall",
        ),
        Threshold::new(ZEROS, "share of zero outputs, rising, with as many zero gradients"),
    ],
    scopes: &[Scope::Network { build: || Box::new(Dead::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Share of units that are never active: worth a look.
const SOME: f64 = 0.3;
/// A fault if it was less at the start.
const MANY: f64 = 0.5;
/// A fault.
const MOST: f64 = 0.9;
/// How much more than at the start.
const MORE: f64 = 0.1;
/// z of an upward trend (Mann–Kendall).
const TREND_Z: f64 = 2.0;
/// Share of zeros among outputs, and in the gradient of the layer.
const ZEROS: f64 = 0.95;
/// Logs that the level of the start is the median of.
const START: u64 = 3;

#[derive(Debug, Default)]
struct Unit {
    dead: Window<16>,
    zeros: Window<16>,
    start: Window<3>,
    start_zeros: Window<3>,
    logs: u64,
}

#[derive(Debug, Default)]
struct Dead {
    layers: FxHashMap<LayerName, Unit>,
    /// Share of zeros in the gradient of each module.
    gradients: FxHashMap<String, f64>,
}

impl Speaks for Dead {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(10), Hold::in_a_row(5), Hold::in_a_row(5)], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let percent = |name| 100.0 * finding.evidence.number(name);
        let (step, since) = (words::step(step), words::since(finding.since));
        let text = if get("dead").is_some() {
            format!(
                "{:.0} % of the units of {place} are dead at step {step}, {:.0} % at the start{since}",
                percent("dead"),
                percent("dead_at_start")
            )
        } else if get("silent").is_some() {
            format!("{place} puts out nothing but zeros at step {step}{since}")
        } else {
            format!(
                "{:.0} % of the outputs of {place} are zero at step {step}, {:.0} % at the start, and {:.0} % of its gradient",
                percent("zeros"),
                percent("zeros_at_start"),
                percent("gradient_zeros")
            )
        };
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Dead {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        match profile.kind {
            LayerKind::Gradients => {
                for (name, stats) in profile.in_depth() {
                    if let Some(zeros) = zeros(stats) {
                        self.gradients.insert(module(name.as_str()), zeros);
                    }
                }
            }
            LayerKind::Activations => {
                let stuck = around.outlook().is_some_and(|outlook| outlook.stuck);
                for ((name, stats), part) in profile.layers.iter().zip(profile.parts) {
                    if matches!(part, Part::Expert | Part::Gate | Part::Adapter | Part::Embedding) {
                        continue;
                    }
                    let gradient = self.gradients.get(&module(name.as_str())).copied();
                    let unit = self.layers.entry(name.clone()).or_default();
                    unit.take(stats);
                    if let Some(verdict) = unit.verdict(stats, gradient, stuck) {
                        report(Some(name), verdict);
                    }
                }
            }
            _ => {}
        }
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

impl Unit {
    fn take(&mut self, stats: &LayerStats) {
        if let Some(dead) = stats.dead.filter(|share| (0.0..=1.0).contains(share)) {
            self.dead.push(dead);
            if self.logs < START {
                self.start.push(dead);
            }
        }
        if let Some(zeros) = zeros(stats) {
            self.zeros.push(zeros);
            if self.logs < START {
                self.start_zeros.push(zeros);
            }
        }
        self.logs += 1;
    }

    fn verdict(&self, stats: &LayerStats, gradient: Option<f64>, stuck: bool) -> Option<Verdict> {
        let worst = if stuck { Severity::Critical } else { Severity::Warn };
        if let Some(dead) = stats.dead.filter(|share| (0.0..=1.0).contains(share)) {
            return Some(self.units(dead, worst));
        }
        let zeros = zeros(stats)?;
        let bad =
            |severity: Severity, evidence| Some(Verdict::Bad(Finding::new(severity.min(EARNED), evidence)));
        if zeros >= 1.0 {
            return bad(worst, Evidence::new().with("silent", 1.0).at_least("zeros", zeros, 1.0));
        }
        let start = running::median_of(self.start_zeros.values())?;
        let z = running::mann_kendall(self.zeros.values());
        // A layer that always was sparse, and one that is no sparser than healthy ones are.
        if zeros < ZEROS - 0.05 || zeros < start + 0.02 {
            return Some(Verdict::Fine);
        }
        if zeros < ZEROS || zeros < start + 0.05 || z < TREND_Z && self.logs < 16 {
            return Some(Verdict::Unsure);
        }
        let evidence = Evidence::new().at_least("zeros", zeros, ZEROS).with("zeros_at_start", start);
        match gradient {
            Some(gradient) if gradient >= ZEROS => {
                bad(Severity::Warn, evidence.at_least("gradient_zeros", gradient, ZEROS).with("trend_z", z))
            }
            _ => Some(Verdict::Unsure),
        }
    }

    fn units(&self, dead: f64, worst: Severity) -> Verdict {
        let start = running::median_of(self.start.values()).unwrap_or(dead);
        if dead < SOME / 2.0 {
            return Verdict::Fine;
        }
        let z = running::mann_kendall(self.dead.values());
        let evidence = |limit| {
            Evidence::new().at_least("dead", dead, limit).with("dead_at_start", start).with("trend_z", z)
        };
        let bad = |severity: Severity, evidence| Verdict::Bad(Finding::new(severity.min(EARNED), evidence));
        if dead > MOST {
            bad(worst, evidence(MOST))
        } else if dead > MANY && dead >= start + MORE {
            bad(Severity::Warn, evidence(MANY).at_least("more_than_at_start", dead - start, MORE))
        } else if dead > MANY {
            bad(Severity::Info, evidence(MANY))
        } else if dead > SOME && dead >= start + MORE {
            bad(Severity::Info, evidence(SOME).at_least("more_than_at_start", dead - start, MORE))
        } else {
            Verdict::Unsure
        }
    }
}

/// Share of elements that are exactly zero.
fn zeros(stats: &LayerStats) -> Option<f64> {
    if tensor::is_zero(stats) { Some(1.0) } else { stats.zero.filter(|share| (0.0..=1.0).contains(share)) }
}

/// The module that a parameter belongs to: `fc1` of `fc1.weight`, `dense` of `dense/kernel`.
fn module(name: &str) -> String {
    let plain = name.replace('/', ".");
    let stem = [".weight", ".kernel", ".w"].iter().find_map(|end| plain.strip_suffix(end));
    stem.unwrap_or(&plain).to_owned()
}
