//! `exploding_gradient`: a gradient that grows beyond everything before it, in one layer or towards one end of the
//! network.

use rustc_hash::FxHashMap;

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, NetworkDetector, Outlook, Patience, Profile, Scope, Severity,
    Speaks, Surroundings, Threshold, Verdict,
    running::{self, Window},
    tags::Role,
    tensor, words,
};
use crate::model::{LayerKind, LayerName, LayerStats, Step};

use super::exploding_norm;

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "exploding_gradient",
    summary: "the gradient, of a layer or as a whole, grows beyond everything before it",
    advice: "Clip the gradient norm, lower the learning rate, and normalise the layers that grow.",
    clears: "the gradient is back below twice what it was before",
    traps: "recurrent networks that spike, reinforcement learning, batches that shrink, adapters that start from zero",
    thresholds: &[
        Threshold::new(
            DOUBLINGS as f64,
            "times in a row that a layer's norm doubles, beyond 4 times its past",
        ),
        Threshold::new(
            exploding_norm::HIGH,
            "times the median of 64 of the whole norm, 4 values of 5, one of them 20 times",
        ),
        Threshold::new(
            LEAP,
            "times its median before, and 3 times everything before, 3 logs of 4, with a loss that rises",
        ),
        Threshold::new(
            STEEP[0],
            "relative change of the loss for one of a layer's weights, at each log from the first: info",
        ),
        Threshold::new(STEEP[1], "such a slope: warn"),
        Threshold::new(SHARE, "share of the squared norm in one layer that had less than half, 3 logs of 5"),
        Threshold::new(DEPTH, "first third over last third of the layers, 10 logs, with a loss in trouble"),
    ],
    scopes: &[
        Scope::Network { build: || Box::new(Network::default()) },
        Scope::Series { judges: |class| class.role == Role::GradientNorm, build: exploding_norm::build },
    ],
};

/// The worst that the rule on layers may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// How often in a row a norm doubles.
const DOUBLINGS: usize = 5;
/// How far beyond the layer's past it then is.
const BEYOND: f64 = 4.0;
/// Norm beyond its median before.
const LEAP: f64 = 10.0;
/// And beyond everything before.
const LEAP_BEYOND: f64 = 3.0;
/// ‖g‖·‖w‖/loss, which has no unit: about 1 in a network that was initialised well; info, and warn.
const STEEP: [f64; 2] = [30.0, 50.0];
/// A log below this, and the network is no such one.
const GENTLE: f64 = 15.0;
/// Logs from the first on that must show it.
const STEEP_LOGS: usize = 5;
/// Share of the total squared norm.
const SHARE: f64 = 0.9;
/// What it was before at most.
const SHARE_BEFORE: f64 = 0.5;
/// How much more gradient there then is in all: info, and warn.
const TOTAL: [f64; 2] = [2.0, 10.0];
/// The depth ratio that `AutoTrainer` uses.
const DEPTH: f64 = 70.0;
/// Logs in a row for which it holds.
const DEPTH_LOGS: u32 = 10;
/// Logs of a layer before it has a past.
const PAST: u64 = 8;

/// One layer's norms.
#[derive(Debug, Default)]
struct Past {
    norms: Window<8>,
    shares: Window<16>,
    logs: u64,
    /// The largest norm before the eight.
    largest: f64,
    /// Where the growth began that was reported, and the norm there.
    reported: Option<f64>,
}

#[derive(Debug, Default)]
struct Network {
    layers: FxHashMap<LayerName, Past>,
    totals: Window<16>,
    steps: Vec<Step>,
    /// Norms of the weights, for slopes.
    weights: FxHashMap<LayerName, f64>,
    /// The steepest slope of the last logs, and whether one was not steep.
    slopes: Window<5>,
    gentle: bool,
    first_step: Option<Step>,
    deep: u32,
    deep_since: Step,
    early_depth: Option<f64>,
}

impl Speaks for Network {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 5 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.number(name);
        let step = words::step(step);
        let text = if finding.evidence.has("doublings") {
            format!(
                "{place} doubled {} logs in a row, {} → {} at step {step}, {}× its past",
                get("doublings"),
                words::value(get("from")),
                words::value(get("norm")),
                words::value(get("of_its_past"))
            )
        } else if finding.evidence.has("of_its_median") {
            format!(
                "{place} left its range: norm {} → {} at step {step}, {}× its median before, 3 logs of 4",
                words::value(get("before")),
                words::value(get("norm")),
                words::value(get("of_its_median"))
            )
        } else if finding.evidence.has("slope") {
            format!(
                "gradient from {place} on is steep since the first log: 1 % of the weights of a layer change the loss by {:.0} % (loss {}, step {step})",
                get("slope"),
                words::value(get("loss"))
            )
        } else if finding.evidence.has("share") {
            format!(
                "{place} holds {:.0} % of the squared gradient norm at step {step}, {:.0} % before, while the whole grew {}×",
                100.0 * get("share"),
                100.0 * get("share_before"),
                words::value(get("of_the_total_before"))
            )
        } else {
            format!(
                "gradient grows {}× from the end of the network to {place}, for {DEPTH_LOGS} logs up to step {step}, and the loss went {} → {}",
                words::value(get("depth_ratio")),
                words::value(get("loss_start")),
                words::value(get("loss_now"))
            )
        };
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Network {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        if profile.kind == LayerKind::Weights {
            for ((name, stats), part) in profile.layers.iter().zip(profile.parts) {
                if let Some(norm) = stats.norm.filter(|n| n.is_finite() && part.has_depth()) {
                    self.weights.insert(name.clone(), norm);
                }
            }
        }
        if profile.kind != LayerKind::Gradients {
            return;
        }
        let steep = self.steep(profile, around);
        let rising = around.outlook().is_some_and(|outlook| outlook.rising);
        self.first_step.get_or_insert(profile.step);
        self.steps.push(profile.step);
        if self.steps.len() > 8 {
            self.steps.remove(0);
        }
        let square = |stats: &LayerStats| stats.norm.filter(|n| n.is_finite()).map(|n| n * n);
        let total: f64 = profile.layers.iter().filter_map(|(_, stats)| square(stats)).sum();
        let warming = around.schedule.warming_up(profile.step);
        let before = running::median_of(self.totals.values());
        let growth = before.filter(|b| *b > 0.0).map(|b| (total / b).sqrt());
        let many = profile.layers.len() >= tensor::DEEP;
        let depth = self.depth(profile, around);
        for ((name, stats), part) in profile.layers.iter().zip(profile.parts) {
            let Some(norm) = stats.norm.filter(|n| n.is_finite()) else { continue };
            let past = self.layers.entry(name.clone()).or_default();
            let share = if total > 0.0 { norm * norm / total } else { 0.0 };
            let concentrated = past.concentrated(share, growth.filter(|_| many));
            // A network that wakes up from a plateau has more gradient too, and its loss falls.
            let leapt = past.leapt(norm).filter(|_| rising);
            let grown = past.grown(norm, &self.steps);
            let depth = depth.as_ref().filter(|(layer, _)| layer == name).map(|(_, finding)| finding.clone());
            let steep = steep.as_ref().filter(|(layer, _)| layer == name).map(|(_, finding)| finding.clone());
            let grown = grown.or(leapt);
            let found = grown.or(concentrated).filter(|_| part.has_depth() && !warming).or(depth).or(steep);
            match found {
                Some(finding) => report(Some(name), Verdict::Bad(finding)),
                None if past.reported.is_some_and(|level| norm > 2.0 * level) => {
                    report(Some(name), Verdict::Unsure);
                }
                None => report(Some(name), Verdict::Fine),
            }
        }
        self.totals.push(total);
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

impl Past {
    /// The norm stands far above everything before; asked before it is taken.
    fn leapt(&mut self, norm: f64) -> Option<Finding> {
        let mut values = self.norms.values().to_vec();
        values.push(norm);
        let (before, now) = values.split_at(values.len().saturating_sub(4));
        let usual = running::median_of(before).filter(|usual| *usual > 0.0)?;
        let most = before.iter().copied().fold(self.largest, f64::max);
        let high = |v: &&f64| **v >= LEAP * usual && **v >= LEAP_BEYOND * most;
        if self.logs < PAST || before.len() < 4 || now.iter().filter(high).count() < 3 || !high(&&norm) {
            return None;
        }
        self.reported = Some(most);
        let evidence = Evidence::new()
            .at_least("of_its_median", norm / usual, LEAP)
            .at_least("of_everything_before", if most > 0.0 { norm / most } else { f64::MAX }, LEAP_BEYOND)
            .with("before", usual)
            .with("norm", norm);
        Some(Finding::new(Severity::Warn.min(EARNED), evidence))
    }
    /// The norm has doubled again and again, and is beyond everything before.
    fn grown(&mut self, norm: f64, steps: &[Step]) -> Option<Finding> {
        if self.logs >= PAST
            && let [oldest, ..] = self.norms.values()
        {
            self.largest = self.largest.max(*oldest);
        }
        self.norms.push(norm);
        self.logs += 1;
        let values = self.norms.last(DOUBLINGS + 1);
        let doubled = values.len() > DOUBLINGS && values.windows(2).all(|w| w[0] > 0.0 && w[1] >= 2.0 * w[0]);
        let from = *values.first()?;
        let before = self.norms.values().iter().rev().skip(DOUBLINGS).copied().fold(self.largest, f64::max);
        if !doubled || self.logs < PAST + DOUBLINGS as u64 || norm < BEYOND * before {
            return None;
        }
        self.reported = Some(before);
        let evidence = Evidence::new()
            .at_least("doublings", DOUBLINGS as f64, DOUBLINGS as f64)
            .at_least("of_its_past", norm / before, BEYOND)
            .with("from", from)
            .with("norm", norm);
        let since = steps.iter().rev().nth(DOUBLINGS).copied();
        Some(Finding { since, ..Finding::new(Severity::Warn.min(EARNED), evidence) })
    }

    /// Nearly all of the gradient is in this layer, which it was not before, and there is more of it in all.
    fn concentrated(&mut self, share: f64, growth: Option<f64>) -> Option<Finding> {
        self.shares.push(share);
        let shares = self.shares.values();
        let (old, new) = shares.split_at(shares.len().saturating_sub(5));
        let growth = growth.filter(|growth| *growth >= TOTAL[0])?;
        let before = running::median_of(old)?;
        let high = new.iter().filter(|s| **s > SHARE).count();
        if old.len() < PAST as usize || before > SHARE_BEFORE || high < 3 || share < SHARE {
            return None;
        }
        let severity = if growth >= TOTAL[1] { Severity::Warn } else { Severity::Info };
        let evidence = Evidence::new()
            .at_least("share", share, SHARE)
            .at_most("share_before", before, SHARE_BEFORE)
            .at_least("of_the_total_before", growth, TOTAL[0]);
        Some(Finding::new(severity.min(EARNED), evidence))
    }
}

impl Network {
    /// From the first log on a small change of the weights changes the loss by many times as much.
    fn steep(&mut self, profile: &Profile<'_>, around: &Surroundings) -> Option<(LayerName, Finding)> {
        if self.gentle || around.moving_target {
            return None;
        }
        let loss = around.progress.level().filter(|loss| *loss > 0.0)?;
        let slope = |(name, stats): &(LayerName, LayerStats)| {
            Some(stats.norm? * self.weights.get(name)? / loss).filter(|slope| slope.is_finite())
        };
        let steepest = profile.in_depth().filter_map(slope).max_by(f64::total_cmp)?;
        if steepest < GENTLE {
            self.gentle = true;
            return None;
        }
        self.slopes.push(steepest);
        if self.slopes.values().len() < STEEP_LOGS {
            return None;
        }
        let slope = running::median_of(self.slopes.values()).filter(|slope| *slope >= STEEP[0])?;
        let severity = if slope >= STEEP[1] { Severity::Warn } else { Severity::Info };
        let evidence = Evidence::new().at_least("slope", slope, STEEP[severity as usize]).with("loss", loss);
        // The same layer from log to log, whichever is steepest at one.
        let (first, _) = profile.in_depth().next()?;
        let finding = Finding::new(severity.min(EARNED), evidence);
        Some((first.clone(), Finding { since: self.first_step, ..finding }))
    }

    /// The gradient grows towards the beginning of the network, for long, and the loss is in trouble.
    fn depth(&mut self, profile: &Profile<'_>, around: &Surroundings) -> Option<(LayerName, Finding)> {
        let depth = tensor::depth(profile)?;
        let ratio = depth.first / depth.last;
        let early = *self.early_depth.get_or_insert(ratio);
        if self.deep == 0 {
            self.deep_since = profile.step;
        }
        self.deep = if ratio >= DEPTH { self.deep + 1 } else { 0 };
        let outlook = around.outlook().filter(Outlook::trouble)?;
        if self.deep < DEPTH_LOGS {
            return None;
        }
        // A ratio that a network always had may be its shape; one that grew is a fault.
        let severity = if ratio >= 5.0 * early { Severity::Warn } else { Severity::Info };
        let evidence = Evidence::new()
            .at_least("depth_ratio", ratio, DEPTH)
            .at_least("logs", f64::from(self.deep), f64::from(DEPTH_LOGS))
            .with("depth_ratio_at_start", early)
            .with("loss_start", outlook.start)
            .with("loss_now", outlook.now);
        let finding = Finding::new(severity.min(EARNED), evidence);
        Some((depth.top, Finding { since: Some(self.deep_since), ..finding }))
    }
}
