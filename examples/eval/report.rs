//! Tables for docs/DETECTION.md, and every miss and every false alarm by name.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use epochscope::detect::{DETECTORS, Severity};

use crate::score::{self, ClassScore, Judged, Met};

/// Rounds of the bootstrap.
const ROUNDS: usize = 400;

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{:.1} %", 100.0 * v))
}

fn fraction(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"))
}

fn per_100(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

fn is_there(rule: &str) -> bool {
    DETECTORS.iter().any(|spec| spec.id == rule)
}

/// All tables of one part of the corpus.
pub fn tables(title: &str, runs: &[&Judged]) -> String {
    let mut out = format!("### {title}\n\n");
    if runs.is_empty() {
        out.push_str("No runs.\n\n");
        return out;
    }
    let scores = score::by_class(runs);
    classes(&mut out, runs, &scores);
    totals(&mut out, runs, &scores);
    crossed(&mut out, runs);
    healthy(&mut out, runs);
    anchors(&mut out, runs);
    out
}

fn classes(out: &mut String, runs: &[&Judged], scores: &BTreeMap<String, ClassScore>) {
    out.push_str("| class | heard from | runs | precision | recall | F1 (95 %) | F1, any severity | late | premature | delay | onset error | lead | first card |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (class, s) in scores {
        let f1_of = |drawn: &[&Judged]| score::by_class(drawn).get(class).map_or(0.0, ClassScore::f1);
        let (low, high) = if s.found > 0 { score::bootstrap(runs, ROUNDS, &f1_of) } else { (0.0, 0.0) };
        let name = if is_there(class) { format!("`{class}`") } else { format!("`{class}` (no such rule)") };
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {:.3} | {:.3} ({low:.2}–{high:.2}) | {:.3} | {} | {} | {} | {} | {} | {}/{} |",
            score::heard_from(class).name(),
            s.runs,
            fraction(s.precision()),
            s.recall(),
            s.f1(),
            s.f1_any(),
            s.late,
            s.premature,
            percent(s.delay),
            percent(s.onset_error),
            percent(s.lead),
            s.named,
            s.runs,
        );
    }
    out.push_str(
        "\nPrecision counts the rule of the class, from the severity on that it is meant to be heard from, on healthy runs, on runs of other faults that it \
         does not follow from, and before the onset. Delay, onset error and lead (alert before the damage) are medians, \
         as shares of the run, of alerts of any severity.\n\n",
    );
}

fn totals(out: &mut String, runs: &[&Judged], scores: &BTreeMap<String, ClassScore>) {
    let there: BTreeMap<_, _> =
        scores.iter().filter(|(c, _)| is_there(c)).map(|(c, s)| (c.clone(), s.clone())).collect();
    let all = |drawn: &[&Judged]| score::macro_f1(&score::by_class(drawn));
    let (low, high) = score::bootstrap(runs, ROUNDS, &all);
    let faulty = runs.iter().filter(|r| r.fault().is_some()).count();
    let named = runs.iter().filter(|r| r.fault().is_some() && r.names_the_cause()).count();
    let carded = runs.iter().filter(|r| r.fault().is_some() && r.top_card().is_some()).count();
    let _ = writeln!(
        out,
        "Macro-F1 over {} classes {:.3} (95 % {low:.3}–{high:.3}); over the {} classes that have a rule {:.3}. The \
         first card names the cause in {named} of {faulty} faulty runs ({:.1} %; {:.1} % of those with a card).\n",
        scores.len(),
        score::macro_f1(scores),
        there.len(),
        score::macro_f1(&there),
        per_100(named, faulty),
        per_100(named, carded),
    );
}

/// By rule: runs in which it spoke, and of them those in which it only followed from another alert.
type Rules<'a> = BTreeMap<&'a str, (usize, usize)>;

/// In how many runs of a class each rule spoke, and in how many of them it only followed from another alert.
fn crossed(out: &mut String, runs: &[&Judged]) {
    let mut cells: BTreeMap<&str, (usize, Rules<'_>)> = BTreeMap::new();
    for run in runs {
        let row = cells.entry(run.fault().unwrap_or("(healthy)")).or_default();
        row.0 += 1;
        let loud: BTreeSet<&str> = run.said.iter().filter(|s| s.loud()).map(|s| s.rule).collect();
        for rule in loud {
            let mut own = run.said.iter().filter(|s| s.loud() && s.rule == rule);
            let cell = row.1.entry(rule).or_default();
            cell.0 += 1;
            cell.1 += usize::from(own.all(|s| s.caused_by.is_some()));
        }
    }
    out.push_str(
        "| class | runs | rules that spoke at warning or worse: runs (of them only as a consequence) |\n",
    );
    out.push_str("| --- | --- | --- |\n");
    for (class, (count, rules)) in cells {
        let mut rules: Vec<_> = rules.into_iter().collect();
        rules.sort_by_key(|(rule, (runs, _))| (Reverse(*runs), *rule));
        let words: Vec<String> = rules
            .iter()
            .map(|(rule, (runs, followed))| {
                let followed = if *followed > 0 { format!(" ({followed})") } else { String::new() };
                format!("`{rule}` {runs}{followed}")
            })
            .collect();
        let words = if words.is_empty() { "–".to_owned() } else { words.join(", ") };
        let _ = writeln!(out, "| `{class}` | {count} | {words} |");
    }
    out.push('\n');
}

fn healthy(out: &mut String, runs: &[&Judged]) {
    let counts = score::healthy(runs);
    let loud = |drawn: &[&Judged]| {
        let h = score::healthy(drawn);
        per_100(h.loud, h.runs)
    };
    let (low, high) = score::bootstrap(runs, ROUNDS, &loud);
    let _ = writeln!(
        out,
        "Healthy runs: {}. With a warning or worse: {} ({:.2} per 100, 95 % {low:.2}–{high:.2}); with an info and \
         nothing worse: {} ({:.2} per 100).\n",
        counts.runs,
        counts.loud,
        per_100(counts.loud, counts.runs),
        counts.quiet,
        per_100(counts.quiet, counts.runs)
    );
    if !counts.rules.is_empty() {
        out.push_str(
            "| rule | warning or worse, per 100 healthy runs | info, per 100 |\n| --- | --- | --- |\n",
        );
        for (rule, (loud, quiet)) in &counts.rules {
            let (loud, quiet) = (per_100(*loud, counts.runs), per_100(*quiet, counts.runs));
            let _ = writeln!(out, "| `{rule}` | {loud:.2} | {quiet:.2} |");
        }
        out.push('\n');
    }
}

fn anchors(out: &mut String, runs: &[&Judged]) {
    let scores = score::anchors(runs);
    if scores.iter().all(|s| s.runs == 0) {
        return;
    }
    out.push_str("| rule of another tool | class | recall | premature | alarms per 100 healthy runs | F1 | only ours : only theirs (p) |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for s in scores.iter().filter(|s| s.runs > 0) {
        let [_, ours, theirs, _] = s.beside_ours;
        let _ = writeln!(
            out,
            "| {} | `{}` | {:.3} | {}/{} | {:.1} | {:.3} | {ours} : {theirs} ({:.3}) |",
            s.name,
            s.class,
            s.found as f64 / s.runs as f64,
            s.premature,
            s.runs,
            per_100(s.alarmed, s.healthy),
            s.f1(),
            s.mcnemar(),
        );
    }
    out.push('\n');
}

/// A table of healthy logs without truth.
pub fn healthy_tree(title: &str, runs: &[&Judged]) -> String {
    let mut out = format!("### {title}\n\n");
    healthy(&mut out, runs);
    out
}

/// Every miss and every wrong alarm, one a line.
pub fn misses(runs: &[&Judged]) -> String {
    let mut out = String::new();
    for run in runs {
        let truth = &run.truth;
        let said: Vec<String> = run
            .said
            .iter()
            .map(|s| {
                let end = if s.withdrawn {
                    ", taken back"
                } else if s.open {
                    ""
                } else {
                    ", closed"
                };
                let cause = s.caused_by.map(|c| format!(", because of {c}")).unwrap_or_default();
                format!("{} {} at {} since {}{end}{cause}", s.severity.name(), s.rule, s.step, s.since)
            })
            .collect();
        let said = if said.is_empty() { "nothing".to_owned() } else { said.join("; ") };
        if let Some(fault) = run.fault().filter(|fault| is_there(fault)) {
            let met = run.met(score::heard_from(run.fault().unwrap_or_default()));
            if met != Met::Found {
                let _ = writeln!(
                    out,
                    "{met:?} {fault} {} ({}), onset {} of {}: {said}",
                    truth.id, truth.variant, truth.onset, truth.last_step
                );
            } else if !run.names_the_cause() {
                let card = run.top_card().map_or("none", |c| c.rule);
                let _ = writeln!(
                    out,
                    "First card {card} instead of {fault} {} ({}): {said}",
                    truth.id, truth.variant
                );
            }
        }
        for wrong in run.wrong(Severity::Info) {
            let what = run.fault().unwrap_or("healthy");
            let word = if wrong.loud() { "False" } else { "Info" };
            let _ = writeln!(
                out,
                "{word} {} on {what} {} ({}), onset {} of {}: at {} since {}: {}",
                wrong.rule,
                truth.id,
                truth.variant,
                truth.onset,
                truth.last_step,
                wrong.step,
                wrong.since,
                wrong.message.replace('\n', " ")
            );
        }
    }
    out
}
