//! Alerts against truth: found, late, false, and whether the first card names the cause.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use epochscope::{detect::Severity, model::Step};

use crate::{anchors::ANCHORS, corpus::Truth, replay::Said};

/// A run with everything that was said of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is true.
    pub truth: Truth,
    /// What was said.
    pub said: Vec<Said>,
    /// Where each anchor would have alarmed.
    pub anchors: Vec<Option<Step>>,
}

/// How a fault was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Met {
    /// In time.
    Found,
    /// After the time that counts.
    Late,
    /// Only before the onset.
    Early,
    /// Not at all.
    Missed,
}

impl Judged {
    /// The class of its fault.
    pub fn fault(&self) -> Option<&str> {
        self.truth.fault.as_deref()
    }

    /// The first step at which a right rule spoke, of at least that severity, at or after the onset.
    fn first(&self, least: Severity) -> (Option<&Said>, bool) {
        let right = self
            .said
            .iter()
            .filter(|s| self.truth.expected.iter().any(|r| r == s.rule) && s.severity >= least);
        let slack = self.truth.interval.ceil() as Step;
        let (early, rest): (Vec<_>, Vec<_>) =
            right.partition(|s| at(s, least) < self.truth.onset.saturating_sub(slack));
        (rest.into_iter().min_by_key(|s| at(s, least)), !early.is_empty())
    }

    /// How its fault was met by alerts of at least that severity.
    pub fn met(&self, least: Severity) -> Met {
        let (first, early) = self.first(least);
        match first {
            Some(said) if at(said, least) <= last_in_time(&self.truth) => Met::Found,
            Some(_) => Met::Late,
            None if early => Met::Early,
            None => Met::Missed,
        }
    }

    /// From onset to alert, as a share of the run.
    pub fn delay(&self) -> Option<f64> {
        let (first, _) = self.first(Severity::Info);
        first.map(|s| self.share(s.step - self.truth.onset))
    }

    /// How far the alert's own idea of the beginning is off, as a share of the run.
    pub fn onset_error(&self) -> Option<f64> {
        let (first, _) = self.first(Severity::Info);
        first.map(|s| self.share((s.since - self.truth.onset).abs()))
    }

    /// From alert to damage, as a share of the run.
    pub fn lead(&self) -> Option<f64> {
        let (first, _) = self.first(Severity::Info);
        Some(self.share(self.truth.damage? - first?.step))
    }

    fn share(&self, steps: Step) -> f64 {
        steps as f64 / (self.truth.last_step.max(1)) as f64
    }

    /// The card that stands first: the worst that nothing explains, the earliest of equals.
    pub fn top_card(&self) -> Option<&Said> {
        let cards = self.said.iter().filter(|s| s.caused_by.is_none() && !s.withdrawn);
        cards.min_by_key(|s| (Reverse(s.severity), s.since))
    }

    /// The first card names the cause.
    pub fn names_the_cause(&self) -> bool {
        let class = self.fault().unwrap_or_default();
        self.top_card().is_some_and(|card| {
            self.truth.top.iter().any(|r| r == card.rule) || also_names(class).contains(&card.rule)
        })
    }

    /// Alerts that are wrong here: of rules that neither are expected nor follow from the cause.
    pub fn wrong(&self, least: Severity) -> impl Iterator<Item = &Said> {
        let class = self.truth.fault.clone().unwrap_or_default();
        let excused = move |rule: &str| {
            let known = self.truth.expected.iter().chain(&self.truth.related).chain(&self.truth.top);
            known.map(String::as_str).chain(also_follows(&class).iter().copied()).any(|r| r == rule)
        };
        let on_purpose =
            |s: &&Said| self.truth.variant == "frozen-backbone" && s.rule == "frozen_layer" && !s.loud();
        self.said
            .iter()
            .filter(move |s| s.severity >= least && !excused(s.rule) && !s.caused_by.is_some_and(&excused))
            .filter(move |s| !on_purpose(s))
    }

    /// Rules that spoke before the onset.
    pub fn premature(&self, least: Severity) -> bool {
        self.first(least).1
    }
}

fn at(said: &Said, least: Severity) -> Step {
    if least >= Severity::Warn { said.warned.unwrap_or(said.step) } else { said.step }
}

/// What follows from a fault besides what its generator names: seen on the tuning part and true by construction.
fn also_follows(class: &str) -> &'static [&'static str] {
    match class {
        // Weights that grow make gradients grow, and the other way round.
        "exploding_gradient" => &["unstable_layer", "poor_initialisation"],
        // A corrupted batch makes the gradient explode, as weights do.
        "unstable_layer" | "loss_spike" => &["exploding_gradient"],
        // Frozen weights give the same validation loss to the bit.
        "not_learning" | "plateau" | "frozen_layer" | "slow_convergence" => {
            &["validation", "not_learning", "plateau"]
        }
        // One class swallows the others.
        "class_collapse" => &["class_confusion", "class_imbalance", "plateau", "overfitting"],
        _ => &[],
    }
}

/// What names the cause of a fault as well as what its generator lists.
fn also_names(class: &str) -> &'static [&'static str] {
    match class {
        // The corrupted batches are learned at a raised rate, which the log tells.
        // So are these brought about, or by a raise alone.
        "loss_spike" | "gradient_surge" | "dead_units" | "rl_gan" => &["learning_rate"],
        // A hundredth of the rate, at which nothing moves.
        "slow_convergence" => &["not_learning"],
        _ => &[],
    }
}

/// The severity from which a rule is meant to be heard on its fault: `info` for what is only worth a look by its nature
/// (the specification's own tiers), a warning for the rest.
pub fn heard_from(class: &str) -> Severity {
    match class {
        "loss_spike"
        | "gradient_surge"
        | "plateau"
        | "slow_convergence"
        | "throughput_drop"
        | "validation"
        | "metric_disagreement"
        | "class_confusion"
        | "poor_initialisation"
        | "saturated_units"
        | "unstable_layer"
        | "not_learning"
        | "resume"
        | "rl_gan" => Severity::Info,
        _ => Severity::Warn,
    }
}

/// Until where an alert counts: by the end for what was wrong from the start, for silences, for a plateau (which costs
/// nothing before much of the run is spent on it) and for memory (which runs out at the end); else 3 points for what is
/// not finite, 100 points for spikes, and 20 % of the run for curves, or 15 of the evaluations, layer records or
/// matrices that the class shows in, where these are rarer.
pub fn last_in_time(truth: &Truth) -> Step {
    let points = |n: f64| truth.onset.saturating_add((n * truth.interval).ceil() as Step);
    match truth.fault.as_deref() {
        _ if truth.onset == 0 => Step::MAX,
        Some("stalled" | "plateau" | "memory") => Step::MAX,
        Some("nan") => points(3.0),
        Some("loss_spike" | "gradient_surge") => points(100.0),
        _ => {
            let looks = truth.onset.saturating_add((15.0 * truth.looks).ceil() as Step);
            truth.onset.saturating_add(truth.last_step.max(5) / 5).max(points(3.0)).max(looks)
        }
    }
}

/// The numbers of one class.
#[derive(Clone, Debug, Default)]
pub struct ClassScore {
    /// Runs with the fault.
    pub runs: usize,
    /// Found in time, from the severity on that the rule is meant to be heard from ([`heard_from`]).
    pub found: usize,
    /// After the time that counts.
    pub late: usize,
    /// Before the onset.
    pub premature: usize,
    /// Found in time at any severity.
    pub found_any: usize,
    /// Runs in which the rule of that name was wrong, from that severity on.
    pub wrong: usize,
    /// The same at any severity.
    pub wrong_any: usize,
    /// The first card names the cause.
    pub named: usize,
    /// Medians over the runs that were found, as shares of the run.
    pub delay: Option<f64>,
    /// See [`Judged::onset_error`].
    pub onset_error: Option<f64>,
    /// See [`Judged::lead`].
    pub lead: Option<f64>,
}

impl ClassScore {
    /// Share of alarms that were right.
    pub fn precision(&self) -> Option<f64> {
        let alarms = self.found + self.wrong;
        (alarms > 0).then(|| self.found as f64 / alarms as f64)
    }

    /// Share of faults that were found.
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.runs.max(1) as f64
    }

    /// Harmonic mean of both.
    pub fn f1(&self) -> f64 {
        f1(self.found, self.wrong, self.runs)
    }

    /// F1 when alerts of any severity count.
    pub fn f1_any(&self) -> f64 {
        f1(self.found_any, self.wrong_any, self.runs)
    }
}

fn f1(found: usize, wrong: usize, runs: usize) -> f64 {
    let missed = runs - found.min(runs);
    2.0 * found as f64 / (2 * found + wrong + missed).max(1) as f64
}

/// Scores by class over some of the runs.
pub fn by_class(runs: &[&Judged]) -> BTreeMap<String, ClassScore> {
    let classes: BTreeSet<&str> = runs.iter().filter_map(|run| run.fault()).collect();
    classes.into_iter().map(|class| (class.to_owned(), of_class(class, runs))).collect()
}

fn of_class(class: &str, runs: &[&Judged]) -> ClassScore {
    let mut score = ClassScore::default();
    let (mut delays, mut errors, mut leads) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs {
        let spoke_wrongly = |least| run.wrong(least).any(|s| s.rule == class);
        if run.fault() == Some(class) {
            score.runs += 1;
            match run.met(heard_from(class)) {
                Met::Found => score.found += 1,
                Met::Late => score.late += 1,
                Met::Early | Met::Missed => {}
            }
            score.found_any += usize::from(run.met(Severity::Info) == Met::Found);
            score.named += usize::from(run.names_the_cause());
            let premature = run.premature(heard_from(class));
            score.premature += usize::from(premature);
            score.wrong += usize::from(premature);
            score.wrong_any += usize::from(run.premature(Severity::Info));
            delays.extend(run.delay());
            errors.extend(run.onset_error());
            leads.extend(run.lead());
        } else {
            score.wrong += usize::from(spoke_wrongly(heard_from(class)));
            score.wrong_any += usize::from(spoke_wrongly(Severity::Info));
        }
    }
    (score.delay, score.onset_error, score.lead) = (median(delays), median(errors), median(leads));
    score
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Mean of the classes' F1.
pub fn macro_f1(scores: &BTreeMap<String, ClassScore>) -> f64 {
    scores.values().fold(0.0, |sum, score| sum + score.f1()) / scores.len().max(1) as f64
}

/// Of healthy runs: how many, with a warning or worse, with nothing worse than info, and by rule.
#[derive(Clone, Debug, Default)]
pub struct Healthy {
    /// Runs.
    pub runs: usize,
    /// With a warning or worse.
    pub loud: usize,
    /// With an info and nothing worse.
    pub quiet: usize,
    /// By rule: runs with a warning or worse, runs with an info.
    pub rules: BTreeMap<&'static str, (usize, usize)>,
}

/// Counts what healthy runs were told.
pub fn healthy(runs: &[&Judged]) -> Healthy {
    let mut out = Healthy::default();
    for run in runs.iter().filter(|r| r.truth.fault.is_none()) {
        out.runs += 1;
        let loud: BTreeSet<_> = run.said.iter().filter(|s| s.loud()).map(|s| s.rule).collect();
        let quiet: BTreeSet<_> = run.said.iter().filter(|s| !s.loud()).map(|s| s.rule).collect();
        out.loud += usize::from(!loud.is_empty());
        out.quiet += usize::from(loud.is_empty() && !quiet.is_empty());
        for rule in &loud {
            out.rules.entry(rule).or_default().0 += 1;
        }
        for rule in quiet.difference(&loud) {
            out.rules.entry(rule).or_default().1 += 1;
        }
    }
    out
}

/// An anchor on a class of faults.
#[derive(Clone, Debug)]
pub struct AnchorScore {
    /// Tool and rule.
    pub name: &'static str,
    /// The class.
    pub class: &'static str,
    /// Runs with the fault.
    pub runs: usize,
    /// Found in time.
    pub found: usize,
    /// Alarmed before the onset.
    pub premature: usize,
    /// Healthy runs that it alarmed on.
    pub alarmed: usize,
    /// Healthy runs.
    pub healthy: usize,
    /// Both found it, only we, only the anchor, neither.
    pub beside_ours: [usize; 4],
}

impl AnchorScore {
    /// F1 with the healthy runs as the only negatives.
    pub fn f1(&self) -> f64 {
        f1(self.found, self.alarmed + self.premature, self.runs)
    }

    /// Two-sided exact test of pairs (`McNemar`) that both find equally many.
    pub fn mcnemar(&self) -> f64 {
        let [_, ours, theirs, _] = self.beside_ours;
        let (n, k) = (ours + theirs, ours.min(theirs));
        let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
        let mut sum = 0.0;
        for i in 0..=k {
            sum += term;
            term *= (n - i) as f64 / (i + 1) as f64;
        }
        (2.0 * sum).min(1.0)
    }
}

/// All anchors on the classes that they speak to.
pub fn anchors(runs: &[&Judged]) -> Vec<AnchorScore> {
    let mut out = Vec::new();
    for (n, anchor) in ANCHORS.iter().enumerate() {
        for class in anchor.classes {
            let faulty = runs.iter().filter(|r| r.fault() == Some(class));
            let in_time = |r: &Judged| {
                let slack = r.truth.interval.ceil() as Step;
                r.anchors[n]
                    .map(|step| (step >= r.truth.onset.saturating_sub(slack), step <= last_in_time(&r.truth)))
            };
            let healthy = runs.iter().filter(|r| r.truth.fault.is_none());
            let mut score = AnchorScore {
                name: anchor.name,
                class,
                runs: 0,
                found: 0,
                premature: 0,
                alarmed: healthy.clone().filter(|r| r.anchors[n].is_some()).count(),
                healthy: healthy.count(),
                beside_ours: [0; 4],
            };
            for run in faulty {
                let theirs = in_time(run) == Some((true, true));
                let ours = run.met(heard_from(class)) == Met::Found;
                score.runs += 1;
                score.found += usize::from(theirs);
                score.premature += usize::from(matches!(in_time(run), Some((false, _))));
                score.beside_ours[usize::from(!theirs) + 2 * usize::from(!ours)] += 1;
            }
            out.push(score);
        }
    }
    out
}

/// The 95 % interval of a statistic over runs that are drawn again and again.
pub fn bootstrap(runs: &[&Judged], rounds: usize, statistic: &dyn Fn(&[&Judged]) -> f64) -> (f64, f64) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap_or(0)
    };
    let mut values: Vec<f64> = (0..rounds)
        .map(|_| {
            let drawn: Vec<&Judged> = (0..runs.len()).map(|_| runs[next(runs.len())]).collect();
            statistic(&drawn)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let place = |share: f64| values.get((share * rounds as f64) as usize).copied().unwrap_or(f64::NAN);
    (place(0.025), place(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;
    use epochscope::model::RunId;

    fn said(rule: &'static str, severity: Severity, step: Step) -> Said {
        Said {
            run: RunId::from("a"),
            rule,
            severity,
            step,
            warned: (severity >= Severity::Warn).then_some(step),
            since: step,
            place: String::new(),
            caused_by: None,
            withdrawn: false,
            open: true,
            message: String::new(),
        }
    }

    fn judged(fault: Option<&str>, said: Vec<Said>) -> Judged {
        let truth = Truth {
            fault: fault.map(str::to_owned),
            expected: fault.iter().map(|f| (*f).to_owned()).collect(),
            top: fault.iter().map(|f| (*f).to_owned()).collect(),
            onset: 100,
            last_step: 500,
            interval: 1.0,
            ..Truth::default()
        };
        Judged { truth, said, anchors: vec![None; ANCHORS.len()] }
    }

    #[test]
    fn an_alert_counts_from_the_onset_to_a_fifth_of_the_run() {
        let met = |step| {
            judged(Some("divergence"), vec![said("divergence", Severity::Warn, step)]).met(Severity::Warn)
        };
        assert_eq!([50, 100, 200, 201].map(met), [Met::Early, Met::Found, Met::Found, Met::Late]);
        let quiet = judged(Some("divergence"), vec![said("divergence", Severity::Info, 120)]);
        assert_eq!((quiet.met(Severity::Warn), quiet.met(Severity::Info)), (Met::Missed, Met::Found));
    }

    #[test]
    fn wrong_alarms_on_healthy_and_on_other_runs_cost_precision() {
        let runs = [
            judged(Some("nan"), vec![said("nan", Severity::Critical, 101)]),
            judged(None, vec![said("nan", Severity::Warn, 7)]),
            judged(Some("stalled"), vec![said("nan", Severity::Warn, 7)]),
        ];
        let runs: Vec<&Judged> = runs.iter().collect();
        let scores = by_class(&runs);
        assert_eq!((scores["nan"].found, scores["nan"].wrong), (1, 2));
        assert_eq!(scores["nan"].precision(), Some(1.0 / 3.0));
        assert_eq!(healthy(&runs).loud, 1);
    }

    #[test]
    fn the_test_of_pairs_is_exact() {
        let score = AnchorScore {
            name: "",
            class: "",
            runs: 10,
            found: 2,
            premature: 0,
            alarmed: 0,
            healthy: 0,
            beside_ours: [2, 5, 0, 3],
        };
        assert!((score.mcnemar() - 0.0625).abs() < 1e-12);
    }
}
