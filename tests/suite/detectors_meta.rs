//! What holds of every rule whatever the curve: units, counters, names, neighbours and pieces do not matter, every rule
//! speaks and keeps silent, and what an alert says can be checked.

use std::collections::BTreeSet;

use epochscope::{
    detect::{Alert, DETECTORS, Scope, Severity},
    model::Step,
};
use proptest::prelude::*;

use crate::builders::{
    curves::{Log, Row, essence, loud, noise},
    faults::{self, Fault},
};

/// True for a rule that looks at series: of one run, or beside those of others.
fn on_series(scope: &Scope) -> bool {
    matches!(
        scope,
        Scope::Series { .. }
            | Scope::Pair { .. }
            | Scope::Group { .. }
            | Scope::Alerts { .. }
            | Scope::Siblings { .. }
    )
}

#[test]
fn each_rule_on_series_has_a_fault_and_a_run_that_only_looks_so() {
    let rules = |ids: Vec<&'static str>| ids.into_iter().collect::<BTreeSet<_>>();
    let all = rules(DETECTORS.iter().filter(|s| s.scopes.iter().any(on_series)).map(|s| s.id).collect());
    assert_eq!(rules(faults::all().iter().map(|f| f.rule).collect()), all, "faults");
    assert_eq!(rules(faults::healthy().iter().map(|h| h.0).collect()), all, "healthy runs");
}

#[test]
fn each_rule_speaks_where_its_fault_is() {
    let mut wrong = Vec::new();
    for Fault { rule, name, log, least, steps } in faults::all() {
        let alerts = log.alerts();
        let said = |a: &Alert| {
            a.rule == rule && a.severity >= least && a.step.is_some_and(|step| steps.contains(&step))
        };
        if !alerts.iter().any(said) {
            wrong.push(format!("{rule}, {name}: {:#?}", essence(&alerts)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_ill_is_no_alarm() {
    let mut wrong = Vec::new();
    for (rule, name, log) in faults::healthy() {
        let alerts = log.alerts();
        if !loud(&alerts).is_empty() {
            wrong.push(format!("{rule}, {name}: {:#?}", essence(&alerts)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an alert is about, leaving names out.
type Said = (&'static str, Severity, Option<Step>, Option<Step>);

fn said(alerts: &[Alert], shift: Step) -> Vec<Said> {
    let mut all: Vec<_> = alerts
        .iter()
        .map(|a| (a.rule, a.severity, a.step.map(|s| s - shift), a.since_step.map(|s| s - shift)))
        .collect();
    all.sort_unstable();
    all
}

/// Compares what is said of each fault with what is said of it in another form.
fn unchanged(
    keep: impl Fn(&Fault) -> bool,
    say: impl Fn(&Log) -> Vec<Said>,
    change: impl Fn(&Log) -> Vec<Said>,
) {
    let mut wrong = Vec::new();
    for fault in faults::all().into_iter().filter(keep) {
        let (before, after) = (say(&fault.log), change(&fault.log));
        if before != after {
            wrong.push(format!("{}, {}: {before:#?} became {after:#?}", fault.rule, fault.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn all_said(log: &Log) -> Vec<Said> {
    said(&log.alerts(), 0)
}

#[test]
fn the_pieces_in_which_points_arrive_do_not_matter() {
    let logs = faults::all().into_iter().map(|f| (f.name, f.log));
    for (name, log) in logs.chain(faults::healthy().into_iter().map(|(_, name, log)| (name, log))) {
        let whole = essence(&log.in_pieces_of(usize::MAX));
        for size in [1, 7, 1000] {
            assert_eq!(essence(&log.in_pieces_of(size)), whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn the_unit_of_the_loss_does_not_matter() {
    // What guessing costs, ln C, is said in nats.
    let of_chance = |said: &Said| matches!(said.0, "not_learning" | "poor_initialisation");
    for factor in [1000.0, 0.001] {
        let rescale = |row: &mut Row| {
            if row.tag.contains("loss") && row.tag != "loss_scale" {
                row.value *= factor;
            }
        };
        unchanged(
            |_| true,
            |log| all_said(log).into_iter().filter(|s| !of_chance(s)).collect(),
            |log| all_said(&log.clone().map(&rescale)).into_iter().filter(|s| !of_chance(s)).collect(),
        );
    }
}

#[test]
fn where_steps_begin_does_not_matter() {
    const SHIFT: Step = 5_000_000;
    // How much of a plan is done, and how near a raise is as a share of the run, is a matter of the counter.
    let by_the_counter = |fault: &Fault| fault.log.info.steps_total.is_some();
    let later = |log: &Log| said(&log.clone().map(&|row: &mut Row| row.step += SHIFT).alerts(), SHIFT);
    unchanged(|fault| !by_the_counter(fault), all_said, later);
}

#[test]
fn what_series_are_called_does_not_matter() {
    let names: [&[(&str, &str)]; 3] = [
        &[("train/loss", "loss/train"), ("val/loss", "loss/val"), ("train/grad_norm", "gradient_norm")],
        &[("train/loss", "training.loss"), ("val/loss", "validation_loss"), ("lr", "learning_rate")],
        &[("train/loss", "train_loss"), ("val/loss", "eval_loss"), ("lr", "train/lr"), ("mfu", "perf/mfu")],
    ];
    for table in names {
        let rename = |row: &mut Row| {
            if let Some((_, new)) = table.iter().find(|(old, _)| row.tag == *old) {
                row.tag = (*new).to_owned();
            }
        };
        unchanged(|_| true, all_said, |log| all_said(&log.clone().map(&rename)));
    }
}

#[test]
fn an_unrelated_series_does_not_matter() {
    let beside = |rows: &[Row]| {
        let with = |row: &Row| {
            let value = noise(9, row.step);
            [row.clone(), Row { tag: "custom/embedding_drift".to_owned(), value, ..row.clone() }]
        };
        rows.iter().flat_map(with).collect()
    };
    unchanged(|_| true, all_said, |log| all_said(&log.clone().filter(&beside)));
}

/// Which rules wake somebody.
fn alarms(log: &Log) -> BTreeSet<&'static str> {
    loud(&log.alerts()).iter().map(|a| a.rule).collect()
}

#[test]
fn every_second_point_raises_the_same_alarms() {
    // Evaluations stay: a log that is written half as often is not evaluated half as often.
    let half = |rows: &[Row]| {
        rows.iter().filter(|r| r.tag.starts_with("val/") || r.step % 2 == 0).cloned().collect()
    };
    let mut wrong = Vec::new();
    for Fault { rule, name, log, .. } in faults::all() {
        let (all, some) = (alarms(&log), alarms(&log.clone().filter(&half)));
        if all != some {
            wrong.push(format!("{rule}, {name}: {all:?} became {some:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can be asked of any alert.
fn checked(alert: &Alert) -> Result<(), String> {
    let holds = |what: bool, why: &str| if what { Ok(()) } else { Err(format!("{why}: {alert:?}")) };
    let place = alert.place();
    holds(alert.evidence.facts().iter().any(|fact| fact.needs.is_some()), "nothing to hold it to")?;
    holds(alert.evidence.holds(), "its own numbers deny it")?;
    holds(alert.message.bytes().any(|b| b.is_ascii_digit()), "no number")?;
    // What follows from another alert names that instead.
    holds(alert.rule == "learning_rate" || alert.message.contains(&place), "does not say where")?;
    holds(alert.advice.ends_with('.'), "no sentence")?;
    holds(alert.since_step <= alert.step, "since later than it opened")
}

#[test]
fn what_is_said_of_faults_can_be_checked() {
    for Fault { name, log, .. } in faults::all() {
        for alert in log.alerts() {
            checked(&alert).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

/// A stretch of a curve: how many points, where it goes to, its noise, and what happens in it.
type Stretch = (usize, f64, f64, u8);

const TAGS: [&str; 14] = [
    "train/loss",
    "val/loss",
    "val/accuracy",
    "loss_D",
    "loss_G",
    "train/entropy",
    "iteration-time",
    "lr",
    "train/grad_norm",
    "loss_scale",
    "mfu",
    "system/gpu.0.memoryAllocated",
    "rollout/ep_rew_mean",
    "train/approx_kl",
];

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    proptest::collection::vec((1_usize..160, -2.0_f64..4.0, 0.0_f64..0.5, 0_u8..8), 1..6)
}

fn curve(tag: &'static str, seed: u64, stretches: &[Stretch]) -> Vec<(&'static str, Step, f64)> {
    let (mut rows, mut level, mut step) = (Vec::new(), 2.0_f64, 0);
    for (points, goal, sigma, kind) in stretches {
        let from = level;
        for i in 0..*points {
            let done = (i + 1) as f64 / *points as f64;
            level = match kind {
                0 => from,
                1 => *goal,
                _ => from + (goal - from) * done,
            };
            let value = match kind {
                2 if i % 17 == 5 => f64::NAN,
                3 => level.abs() * 10_f64.powf(3.0 * done),
                4 => level,
                _ => level + sigma * noise(seed, step),
            };
            rows.push((tag, step, value));
            step += 1;
        }
        // The trainer starts again from an earlier checkpoint.
        if *kind == 5 {
            step = (step - 40).max(0);
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_any_curve_can_be_checked(
        curves in proptest::collection::vec((0..TAGS.len(), any::<u64>(), stretches()), 1..5),
        total in proptest::option::of(100_i64..2000),
    ) {
        let mut rows: Vec<_> = curves.iter().flat_map(|(tag, seed, s)| curve(TAGS[*tag], *seed, s)).collect();
        rows.dedup_by_key(|row| (row.0, row.1));
        let mut log = Log::of(rows);
        log.info.steps_total = total;
        for alert in log.alerts() {
            checked(&alert).map_err(TestCaseError::fail)?;
        }
    }
}
