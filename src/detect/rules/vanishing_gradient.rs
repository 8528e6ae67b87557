//! `vanishing_gradient`: the first layers get next to nothing of the gradient, and the loss does not fall.
//!
//! How small a gradient is says nothing: that of a healthy network goes to zero with its loss. What counts is how much
//! less arrives at the beginning of the network than at its end, for long, while training gets nowhere.

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, NetworkDetector, Outlook, Patience, Profile, Scope, Severity,
    Speaks, Surroundings, Threshold, Verdict,
    progress::LEARNT,
    running,
    tensor::{self, Depth},
    words,
};
use crate::model::{LayerKind, LayerName, Step};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "vanishing_gradient",
    summary: "the first layers get next to no gradient and the loss does not fall",
    advice: "Use residual connections, normalisation or ReLU-like activations, and an initialisation that fits them.",
    clears: "the first layers get twice the share of the gradient again that was too little, or the loss falls",
    traps: "layers that the log names in another order than the network has, adapters on a frozen network",
    thresholds: &[
        Threshold::new(RATIO, "first third over last third of the layers, gradient per element"),
        Threshold::new(RATIO_ALONE, "of it says enough; above that"),
        Threshold::new(RATIO, "of what the first third had at the start"),
        Threshold::new(LEARNT, "share of its start by which a loss that learns has fallen"),
    ],
    scopes: &[Scope::Network { build: || Box::new(Vanishing::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Gradient of the first third of the layers over that of the last.
const RATIO: f64 = 1e-3;
/// Such a ratio needs no further sign.
const RATIO_ALONE: f64 = 1e-4;
/// Logs from which the level of the start is taken.
const START: usize = 3;

#[derive(Debug, Default)]
struct Vanishing {
    start: Vec<f64>,
    bottom: Option<LayerName>,
    speaks_of: Option<LayerName>,
}

impl Speaks for Vanishing {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(6), Hold::in_a_row(10), Hold::in_a_row(10)], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.number(name);
        let last = self.bottom.as_ref().map_or("the last layer", LayerName::as_str);
        let text = format!(
            "gradient vanishes towards {place}: {} an element, {} of that at {last}, up to step {}, and the loss went {} → {}",
            words::value(get("first")),
            words::value(get("depth_ratio")),
            words::step(step),
            words::value(get("loss_start")),
            words::value(get("loss_now"))
        );
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Vanishing {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        if profile.kind != LayerKind::Gradients {
            return;
        }
        let Some(depth) = tensor::depth(profile) else { return };
        if self.start.len() < START {
            self.start.push(depth.first);
        }
        let top = self.speaks_of.get_or_insert(depth.top.clone()).clone();
        self.bottom = Some(depth.bottom.clone());
        let ratio = depth.first / depth.last;
        let outlook = around.outlook();
        if ratio > 2.0 * RATIO || outlook.is_some_and(|o| !o.stuck) {
            report(Some(&top), Verdict::Fine);
            return;
        }
        let own = running::median_of(&self.start).map_or(f64::NAN, |start| depth.first / start);
        let faded = if ratio <= RATIO_ALONE {
            Some(("depth_ratio", ratio, RATIO_ALONE))
        } else {
            (ratio <= RATIO && own <= RATIO).then_some(("of_its_start", own, RATIO))
        };
        let verdict = match (faded, outlook) {
            (Some(needs), Some(outlook)) => Verdict::Bad(finding((ratio, &depth), needs, outlook)),
            _ => Verdict::Unsure,
        };
        report(Some(&top), verdict);
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

fn finding(
    (ratio, depth): (f64, &Depth),
    (name, value, limit): (&'static str, f64, f64),
    outlook: Outlook,
) -> Finding {
    let mut evidence = Evidence::new().at_most(name, value, limit);
    if name != "depth_ratio" {
        evidence = evidence.at_most("depth_ratio", ratio, RATIO);
    }
    evidence = evidence
        .with("first", depth.first)
        .with("last", depth.last)
        .with("loss_start", outlook.start)
        .with("loss_now", outlook.now)
        .with("loss_gained", outlook.gained);
    Finding::new(Severity::Warn.min(EARNED), evidence)
}
