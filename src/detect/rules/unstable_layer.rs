//! `unstable_layer`: a layer whose weights change much faster than those of the others, or grow faster and faster.

use rustc_hash::FxHashMap;

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, NetworkDetector, Patience, Profile, Scope, Severity, Speaks,
    Surroundings, Threshold, Verdict,
    running::{self, Window},
    tensor, words,
};
use crate::model::{LayerKind, LayerName, LayerStats, Step};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "unstable_layer",
    summary: "the weights of a layer change much faster than those of the others",
    advice: "Lower the learning rate of this layer, or clip and normalise what it is fed.",
    clears: "the weights change by half as much as it takes to speak, for 6 logs",
    traps: "layers that begin at zero, a large weight decay, a first layer of another width",
    thresholds: &[
        Threshold::new(UPDATE, "‖Δw‖/‖w‖ a step, and"),
        Threshold::new(
            OTHERS,
            "times that of the median layer, 5 logs: info, warn if the loss is in trouble",
        ),
        Threshold::new(GROWTH, "times the norm of 5 logs before, growing faster, 3 logs: info"),
        Threshold::new(LEAP, "times the largest norm before, 3 logs, while the others stay: warn"),
    ],
    scopes: &[Scope::Network { build: || Box::new(Unstable::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Share of its weights by which a layer changes in a step.
const UPDATE: f64 = 0.1;
/// How many times that of the others.
const OTHERS: f64 = 10.0;
/// Growth of the norm over 5 logs.
const GROWTH: f64 = 1.5;
/// Norm beyond everything before.
const LEAP: f64 = 2.0;
/// What the others may grow meanwhile.
const STAY: f64 = 1.3;
/// Logs that show it.
const LEAP_LOGS: usize = 3;
/// Logs of a layer before it has a past.
const PAST: u64 = 10;
/// Weights below this, per element, are still at their zero initialisation.
const ZERO: f64 = 1e-3;

#[derive(Debug, Default)]
struct Layer {
    norms: Window<12>,
    logs: u64,
    held: u32,
    leapt_from: Option<f64>,
}

#[derive(Debug, Default)]
struct Unstable {
    layers: FxHashMap<LayerName, Layer>,
    last_step: Option<Step>,
}

impl Speaks for Unstable {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.number(name);
        let step = words::step(step);
        let text = if finding.evidence.has("update_ratio") {
            format!(
                "{place} changes by {:.0} % of itself a step at step {step}, {}× as much as the other layers",
                100.0 * get("update_ratio"),
                words::value(get("of_the_others"))
            )
        } else if finding.evidence.has("leap") {
            format!(
                "{place} left its range: norm {} → {} (at least {}× for {LEAP_LOGS} logs up to step {step}), the other layers {}×",
                words::value(get("norm_before")),
                words::value(get("norm")),
                words::value(get("leap")),
                words::value(get("of_the_others"))
            )
        } else {
            format!(
                "{place} grows faster and faster: its norm went {} → {} in 5 logs up to step {step} (×{}, ×{} before)",
                words::value(get("norm_before")),
                words::value(get("norm")),
                words::value(get("growth")),
                words::value(get("growth_before"))
            )
        };
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Unstable {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        if profile.kind != LayerKind::Weights {
            return;
        }
        let steps = self.last_step.map_or(1, |last| profile.step.saturating_sub(last)).max(1) as f64;
        self.last_step = Some(profile.step);
        let warming = around.schedule.warming_up(profile.step);
        let trouble = around.outlook().is_some_and(|outlook| outlook.trouble());
        let ratios: Vec<Option<f64>> = profile
            .layers
            .iter()
            .zip(profile.parts)
            .map(|((name, stats), part)| {
                let layer = self.layers.entry(name.clone()).or_default();
                let ratio = layer.update(stats, steps);
                ratio.filter(|_| part.has_depth())
            })
            .collect();
        let usual = Usual::of(&ratios);
        let leaps: Vec<Option<f64>> =
            profile.in_depth().map(|(name, _)| self.layers.get(name).and_then(Layer::leap)).collect();
        let others_leap = Usual::of(&leaps);
        for (((name, _), part), ratio) in profile.layers.iter().zip(profile.parts).zip(ratios) {
            let Some(layer) = self.layers.get_mut(name).filter(|_| part.has_depth()) else { continue };
            let leapt = layer.leapt(&others_leap);
            let fast = layer.fast(ratio.filter(|_| !warming), &usual, trouble);
            let verdict = leapt.or(fast).or_else(|| layer.growing(warming, trouble)).unwrap_or(Verdict::Fine);
            report(Some(name), verdict);
        }
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

/// What is usual among the layers.
#[derive(Debug)]
struct Usual {
    sorted: Vec<f64>,
}

impl Usual {
    fn of(values: &[Option<f64>]) -> Self {
        let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    /// The median of the others: of all but one that has `value`.
    fn beside(&self, value: f64) -> Option<f64> {
        let at = self.sorted.partition_point(|v| *v < value);
        let others = self.sorted.len().saturating_sub(1);
        let place = |i: usize| self.sorted.get(if i < at { i } else { i + 1 }).copied();
        let (low, high) = (place(others.saturating_sub(1) / 2), place(others / 2));
        (others > 0).then_some(())?;
        Some(f64::midpoint(low?, high?))
    }
}

impl Layer {
    /// How many times the largest norm before it stands, the least of the last few logs.
    fn leap(&self) -> Option<f64> {
        let values = self.norms.values();
        let (before, now) = values.split_at(values.len().saturating_sub(LEAP_LOGS));
        if before.len() < 5 {
            return None;
        }
        let largest = before.iter().copied().fold(0.0, f64::max);
        let least = now.iter().copied().fold(f64::INFINITY, f64::min);
        (largest > 0.0).then(|| least / largest)
    }

    /// It stands far above its past, and the others do not.
    fn leapt(&mut self, all: &Usual) -> Option<Verdict> {
        if let Some(level) = self.leapt_from {
            let now = self.norms.values().last().copied().unwrap_or(0.0);
            if now >= f64::midpoint(1.0, LEAP) * level {
                return Some(Verdict::Unsure);
            }
            self.leapt_from = None;
        }
        let leap = self.leap().filter(|leap| *leap >= LEAP)?;
        let others = all.beside(leap).filter(|others| *others <= STAY)?;
        let values = self.norms.values();
        let before = values.iter().rev().skip(LEAP_LOGS).copied().fold(0.0, f64::max);
        self.leapt_from = Some(before);
        let evidence = Evidence::new()
            .at_least("leap", leap, LEAP)
            .at_most("of_the_others", others, STAY)
            .with("norm_before", before)
            .with("norm", values.last().copied().unwrap_or(f64::NAN));
        let finding = Finding::new(Severity::Warn.min(EARNED), evidence);
        Some(Verdict::Bad(Finding { sure: true, ..finding }))
    }

    /// Takes the norm; by which share of itself the layer changed in a step. From the norms alone: at least.
    fn update(&mut self, stats: &LayerStats, steps: f64) -> Option<f64> {
        let norm = stats.norm.filter(|norm| norm.is_finite())?;
        let before = self.norms.values().last().copied();
        self.norms.push(norm);
        self.logs += 1;
        if norm <= 0.0 || tensor::rms(stats).is_some_and(|rms| rms < ZERO) {
            return None;
        }
        let told = stats.update_norm.map(|update| update / norm);
        told.or_else(|| before.map(|before| (norm - before).abs() / norm / steps.sqrt()))
    }

    fn fast(&mut self, ratio: Option<f64>, all: &Usual, trouble: bool) -> Option<Verdict> {
        let ratio = ratio?;
        let usual = all.beside(ratio)?;
        let others = if usual > 0.0 { ratio / usual } else { f64::INFINITY };
        if ratio < UPDATE / 2.0 || others < OTHERS / 2.0 {
            self.held = 0;
            return None;
        }
        if ratio < UPDATE || others < OTHERS || self.logs <= PAST {
            return Some(Verdict::Unsure);
        }
        self.held += 1;
        if self.held < 3 {
            return Some(Verdict::Unsure);
        }
        let severity = if trouble { Severity::Warn } else { Severity::Info };
        let evidence = Evidence::new().at_least("update_ratio", ratio, UPDATE).at_least(
            "of_the_others",
            others.min(f64::MAX),
            OTHERS,
        );
        Some(Verdict::Bad(Finding::new(severity.min(EARNED), evidence)))
    }

    /// The norm grows by ever larger factors.
    fn growing(&mut self, warming: bool, trouble: bool) -> Option<Verdict> {
        let &[oldest, .., now] = self.norms.last(11) else { return None };
        let values = self.norms.last(11);
        if values.len() < 11 || self.logs <= PAST + 1 || warming || oldest <= 0.0 || values[5] <= 0.0 {
            return None;
        }
        let (growth, before) = (now / values[5], values[5] / oldest);
        let mut each: Vec<f64> = values[5..].windows(2).map(|w| w[1] / w[0]).collect();
        if growth < f64::midpoint(1.0, GROWTH) {
            return None;
        }
        // One jump is no growth.
        let steady = running::median(&mut each).is_some_and(|median| median.powi(5) >= GROWTH);
        if growth < GROWTH || growth <= before || before < 1.0 || !steady {
            return Some(Verdict::Unsure);
        }
        let severity = if trouble { Severity::Warn } else { Severity::Info };
        let evidence = Evidence::new()
            .at_least("growth", growth, GROWTH)
            .with("growth_before", before)
            .at_most("growth_before_of_now", before / growth, 1.0)
            .with("norm_before", values[5])
            .with("norm", now);
        Some(Verdict::Bad(Finding::new(severity.min(EARNED), evidence)))
    }
}
