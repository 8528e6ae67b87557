//! `frozen_layer`: weights that do not change although others do, or none that changes at all.
//!
//! A layer that never moved was most likely frozen on purpose: one line lists them. One that gets a gradient all the same
//! was forgotten: who freezes a layer does not have its gradient worked out. One that moved before and stopped is a fault
//! unless the learning rate has gone, and so is an optimiser that moves nothing.

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
    id: "frozen_layer",
    summary: "weights do not change any more, or never did",
    advice: "Check requires_grad, the optimiser's parameter groups, and that the layer is part of the graph of the loss.",
    clears: "the weights change again",
    traps: "layers frozen on purpose, low-precision weights whose updates are rounded away, weights logged more often than changed",
    thresholds: &[
        Threshold::new(SAME, "relative change that counts as none, in every statistic that is logged"),
        Threshold::new(LOGS as f64, "logs without a change, over 100 steps or 10 logs"),
        Threshold::new(MOVES, "relative change of another layer meanwhile"),
        Threshold::new(PACE, "relative change a log before it stopped: less is fading out"),
        Threshold::new(ZERO_LOGS as f64, "logs with a gradient of exactly zero while others have one"),
        Threshold::new(RATE, "share of its peak below which the learning rate explains it"),
    ],
    scopes: &[Scope::Network { build: || Box::new(Frozen::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Relative change of a statistic that is none.
const SAME: f64 = 1e-6;
/// Relative change of another layer that is one.
const MOVES: f64 = 1e-5;
/// Relative change a log of a layer before it stopped at once.
const PACE: f64 = 1e-4;
/// Logs without a change.
const LOGS: u32 = 3;
/// Over so many steps, or so many logs.
const SPAN: (Step, u32) = (100, 10);
/// A norm alone may be rounded by its writer.
const LOGS_OF_A_NORM: u32 = 10;
/// Logs with a zero gradient.
const ZERO_LOGS: u32 = 5;
/// Share of the peak of the learning rate.
const RATE: f64 = 0.05;

/// What is compared from log to log.
type Print = [Option<f64>; 6];

#[derive(Debug, Default)]
struct Layer {
    print: Print,
    /// Where it was last seen to be what it still is.
    since: Step,
    same: u32,
    changes: u64,
    /// Of the last log.
    change: f64,
    /// Of the last logs with a change: training that fades out is no stop.
    last_changes: Window<4>,
    zero: u32,
    zero_since: Step,
    gradients: u64,
}

#[derive(Debug, Default)]
struct Frozen {
    layers: FxHashMap<LayerName, Layer>,
    listed: Vec<LayerName>,
}

impl Speaks for Frozen {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 2 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let (step_text, since) = (words::step(step), words::step(finding.since.unwrap_or(step)));
        let rate = around
            .schedule
            .rate_at(step)
            .map(|r| format!(", learning rate {}", words::value(r)))
            .unwrap_or_default();
        let text = if get("frozen_layers").is_some() {
            let all = if get("never_changed").is_some() { "have never changed" } else { "do not change" };
            format!(
                "{} of {} layers {all} up to step {step_text} (frozen?): {}",
                get("frozen_layers").unwrap_or(0.0),
                get("layers").unwrap_or(0.0),
                tensor::names(&self.listed)
            ) + &get("with_gradient").map_or_else(String::new, |n| {
                format!("; {n} of them get a gradient all the same: left out of the optimiser?")
            })
        } else if get("all_layers").is_some() {
            let text = format!(
                "no weight of {} layers has changed from step {since} to {step_text}{rate}: the optimiser moves nothing",
                get("all_layers").unwrap_or(0.0)
            );
            return (
                text,
                "Check that optimizer.step() runs and got these parameters, and that the learning rate is not too small for their precision."
                    .to_owned(),
            );
        } else if get("zero_gradients").is_some() {
            format!(
                "{place} are exactly zero from step {since} to {step_text}, {} logs, while other layers get some",
                get("zero_gradients").unwrap_or(0.0)
            )
        } else {
            format!(
                "{place} stopped changing at step {since}: {} logs without a change up to step {step_text}{rate}",
                get("logs_without_change").unwrap_or(0.0)
            )
        };
        (text, SPEC.advice.to_owned())
    }
}

impl NetworkDetector for Frozen {
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        match profile.kind {
            LayerKind::Weights => self.weights(profile, around, report),
            LayerKind::Gradients => self.gradients(profile, report),
            _ => {}
        }
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

impl Frozen {
    fn weights(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    ) {
        let mut told: Vec<(&LayerName, bool)> = Vec::new();
        for (name, stats) in profile.in_depth() {
            let layer = self.layers.entry(name.clone()).or_default();
            layer.take(profile.step, stats);
            told.push((name, stats.frozen == Some(true)));
        }
        let at = |name: &LayerName| self.layers.get(name);
        let still = |name: &LayerName| at(name).is_some_and(|layer| layer.still(profile.step));
        let moving = told.iter().filter(|(name, _)| at(name).is_some_and(|l| l.change > MOVES)).count();
        let never = |name: &LayerName, frozen: bool| {
            frozen || still(name) && at(name).is_some_and(|layer| layer.changes == 0)
        };
        let rate = around.schedule.rate_at(profile.step);
        let faded =
            rate == Some(0.0) || around.schedule.share_of_peak(profile.step).is_some_and(|s| s < RATE);
        let listed: Vec<LayerName> = told
            .iter()
            .filter(|(name, frozen)| never(name, *frozen))
            .map(|(name, _)| (*name).clone())
            .collect();
        let all = told.len() >= 2 && told.iter().all(|(name, frozen)| !frozen && still(name));
        if all && rate != Some(0.0) {
            report(None, Verdict::Bad(self.nothing_moves(&told, faded, around)));
            return;
        }
        if moving > 0 && !listed.is_empty() {
            let evidence = Evidence::new()
                .at_least("frozen_layers", listed.len() as f64, 1.0)
                .with("layers", told.len() as f64)
                .with("never_changed", 1.0)
                .at_least("layers_that_change", moving as f64, 1.0);
            let since = listed.iter().filter_map(|name| Some(at(name)?.since)).min();
            // Weights of low precision can round small updates away: then the layer is still said to be trained.
            let forgotten = listed.iter().filter(|name| {
                let said = told.iter().any(|(other, frozen)| other == name && *frozen);
                said && at(name).is_some_and(|layer| layer.gradients >= u64::from(LOGS))
            });
            let (evidence, severity) = match forgotten.count() {
                0 => (evidence, Severity::Info),
                n => (evidence.at_least("with_gradient", n as f64, 1.0), Severity::Warn.min(EARNED)),
            };
            report(None, Verdict::Bad(Finding { since, ..Finding::new(severity, evidence) }));
        } else if listed.is_empty() && moving > 0 {
            report(None, Verdict::Fine);
        }
        for (name, frozen) in &told {
            let Some(layer) = at(name).filter(|layer| layer.changes > 0) else { continue };
            let verdict = if layer.same == 0 || *frozen {
                Verdict::Fine
            } else if !layer.still(profile.step) || moving == 0 || faded || layer.pace() < PACE {
                Verdict::Unsure
            } else {
                let evidence = Evidence::new()
                    .at_least("logs_without_change", f64::from(layer.same), f64::from(LOGS))
                    .at_most("change", layer.change, SAME)
                    .at_least("change_before", layer.pace(), PACE)
                    .at_least("layers_that_change", moving as f64, 1.0)
                    .with("changes_before", layer.changes as f64);
                let finding = Finding::new(Severity::Warn.min(EARNED), evidence);
                Verdict::Bad(Finding { since: Some(layer.since), ..finding })
            };
            report(Some(name), verdict);
        }
        self.listed = listed;
    }

    /// Nothing changes at all.
    fn nothing_moves(&self, told: &[(&LayerName, bool)], faded: bool, around: &Surroundings) -> Finding {
        let layers = || told.iter().filter_map(|(name, _)| self.layers.get(*name));
        let since = layers().map(|layer| layer.since).max();
        let never = layers().all(|layer| layer.changes == 0);
        // A loss that falls shows that what is logged is not what is trained.
        let falls = around.outlook().is_some_and(|outlook| !outlook.stuck);
        // Layers that all changed at their pace and stop together were trained until then.
        let stopped = layers().all(|layer| layer.changes >= u64::from(LOGS) && layer.pace() >= PACE);
        let severity = if never && !falls && !faded {
            Severity::Critical
        } else if !faded && (stopped || around.schedule.known() && !falls) {
            Severity::Warn
        } else {
            Severity::Info
        };
        let same = layers().map(|layer| layer.same).min().unwrap_or(0);
        let evidence = Evidence::new()
            .with("all_layers", told.len() as f64)
            .at_least("logs_without_change", f64::from(same), f64::from(LOGS))
            .at_most("change", layers().map(|layer| layer.change).fold(0.0, f64::max), SAME);
        Finding { since, ..Finding::new(severity.min(EARNED), evidence) }
    }

    fn gradients(&mut self, profile: &Profile<'_>, report: &mut dyn FnMut(Option<&LayerName>, Verdict)) {
        let others = profile.in_depth().filter(|(_, stats)| !tensor::is_zero(stats)).count();
        for (name, stats) in profile.in_depth() {
            let layer = self.layers.entry(name.clone()).or_default();
            if !tensor::is_zero(stats) {
                layer.zero = 0;
                layer.gradients += u64::from(stats.norm.or(stats.std).is_some());
                report(Some(name), Verdict::Fine);
                continue;
            }
            if layer.zero == 0 {
                layer.zero_since = profile.step;
            }
            layer.zero += 1;
            // A layer that never got a gradient is frozen on purpose, or its weights tell.
            if layer.zero < ZERO_LOGS || others == 0 || layer.gradients < u64::from(LOGS) {
                report(Some(name), Verdict::Unsure);
                continue;
            }
            let evidence = Evidence::new()
                .at_least("zero_gradients", f64::from(layer.zero), f64::from(ZERO_LOGS))
                .at_least("layers_with_gradient", others as f64, 1.0);
            let finding = Finding::new(Severity::Warn.min(EARNED), evidence);
            report(Some(name), Verdict::Bad(Finding { since: Some(layer.zero_since), ..finding }));
        }
    }
}

impl Layer {
    fn take(&mut self, step: Step, stats: &LayerStats) {
        let print = [stats.mean, stats.std, stats.min, stats.max, stats.norm, stats.absmean]
            .map(|v| v.filter(|v| v.is_finite()));
        let known = self.print.iter().zip(&print).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let scale = print.iter().flatten().fold(0.0_f64, |most, v| most.max(v.abs()));
        let mut any = false;
        let mut change = 0.0_f64;
        for (a, b) in known {
            any = true;
            // A mean near zero is nothing beside the spread.
            let unit = a.abs().max(b.abs()).max(1e-3 * scale);
            change = change.max(if unit > 0.0 { (a - b).abs() / unit } else { 0.0 });
        }
        if stats.update_norm.is_some_and(|update| update > 0.0) {
            change = change.max(2.0 * SAME);
        }
        if !any || change > SAME {
            self.changes += u64::from(any);
            if any {
                self.last_changes.push(change);
            }
            self.since = step;
            self.same = 0;
        } else {
            self.same += 1;
        }
        (self.print, self.change) = (print, change);
    }

    /// How much it changed a log while it did.
    fn pace(&self) -> f64 {
        running::median_of(self.last_changes.values()).unwrap_or(0.0)
    }

    /// Has not changed for long enough.
    fn still(&self, step: Step) -> bool {
        let statistics = self.print.iter().flatten().count();
        let logs = if statistics < 2 { LOGS_OF_A_NORM } else { LOGS };
        let long = step.saturating_sub(self.since) >= SPAN.0 || self.same >= SPAN.1;
        statistics > 0 && self.same >= logs && long
    }
}
