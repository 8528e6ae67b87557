//! How good the rules are: replays a corpus of trainings with known faults through the readers and the engine, under a
//! virtual clock, and compares what was said with what is true.
//!
//! `cargo run --release --example eval -- CORPUS [--part tuning|test|final|all] [--chunks 1,7,1000] [--markdown FILE]
//! [--list-misses] [--only WORD] [--healthy DIR]…`; `tools/eval` makes the corpus. Alerts that depend on the pieces in
//! which a log arrives are reported, and make the exit status 1.

mod anchors;
mod corpus;
mod gather;
mod replay;
mod report;
mod score;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use epochscope::{
    app::clock::RealClock,
    detect::tags,
    model::{Clock, LayerKind, RunId},
    store::Run,
};

use crate::{
    anchors::ANCHORS,
    corpus::{Case, Truth},
    gather::Source,
    replay::{Outcome, essence},
    score::Judged,
};

/// What the command line says.
struct Wishes {
    corpus: Option<PathBuf>,
    parts: Vec<&'static str>,
    chunks: Vec<usize>,
    markdown: Option<PathBuf>,
    list_misses: bool,
    only: Option<String>,
    healthy: Vec<PathBuf>,
}

const USAGE: &str = "usage: eval CORPUS [--part tuning|test|final|all] [--chunks 1,7,1000] [--markdown FILE] \
                     [--list-misses] [--only WORD] [--healthy DIR]...";

fn wishes() -> Result<Wishes, String> {
    let mut wishes = Wishes {
        corpus: None,
        parts: vec!["tuning"],
        chunks: vec![1, 7, 1000],
        markdown: None,
        list_misses: false,
        only: None,
        healthy: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--part" => {
                wishes.parts = match value()?.as_str() {
                    "tuning" => vec!["tuning"],
                    "test" => vec!["test"],
                    "final" => vec!["final"],
                    // The final part is looked at only by its name: what was seen no longer tests.
                    "all" => vec!["tuning", "test"],
                    other => return Err(format!("no part {other}\n{USAGE}")),
                };
            }
            "--chunks" => {
                let list = value()?;
                let sizes: Result<Vec<usize>, _> = list.split(',').map(str::parse).collect();
                wishes.chunks = sizes.map_err(|e| format!("--chunks {list}: {e}"))?;
            }
            "--markdown" => wishes.markdown = Some(value()?.into()),
            "--list-misses" => wishes.list_misses = true,
            "--only" => wishes.only = Some(value()?),
            "--healthy" => wishes.healthy.push(value()?.into()),
            other if other.starts_with('-') => return Err(format!("no option {other}\n{USAGE}")),
            _ => wishes.corpus = Some(word.into()),
        }
    }
    if wishes.chunks.is_empty() || wishes.corpus.is_none() && wishes.healthy.is_empty() {
        return Err(USAGE.to_owned());
    }
    Ok(wishes)
}

/// What all replays gave.
#[derive(Default)]
struct Results {
    judged: Vec<Judged>,
    /// Runs whose alerts depend on how the log arrived, with an example.
    unsteady: Vec<String>,
    points: usize,
}

fn main() -> ExitCode {
    match wishes().and_then(|wishes| run(&wishes)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(wishes: &Wishes) -> Result<ExitCode, String> {
    let clock = RealClock::new(None);
    let mut results = Results::default();
    if let Some(corpus) = &wishes.corpus {
        let cases = corpus::load(corpus, &wishes.parts)?;
        for case in &cases {
            let wanted =
                |truth: &Truth| wishes.only.as_ref().is_none_or(|word| truth.id.contains(word.as_str()));
            if case.truths.iter().any(wanted) {
                replay_case(case, &wishes.chunks, &mut results)?;
            }
        }
    }
    let mut text = String::new();
    for part in &wishes.parts {
        let runs: Vec<&Judged> = results.judged.iter().filter(|j| j.truth.part == *part).collect();
        if wishes.corpus.is_some() {
            text += &report::tables(&format!("Made runs, {part} part"), &runs);
        }
    }
    for tree in &wishes.healthy {
        let before = results.judged.len();
        replay_tree(tree, &wishes.chunks, &mut results)?;
        let runs: Vec<&Judged> = results.judged[before..].iter().collect();
        let name = tree.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        text += &report::healthy_tree(&format!("Healthy logs: {name}"), &runs);
    }
    println!("{text}");
    if wishes.list_misses {
        println!("{}", report::misses(&results.judged.iter().collect::<Vec<_>>()));
    }
    for line in &results.unsteady {
        println!("Depends on arrival: {line}");
    }
    println!(
        "{} runs, {} points replayed, pieces of {:?}; alerts of {} runs depend on how the log arrived; {:.1} s",
        results.judged.len(),
        results.points,
        wishes.chunks,
        results.unsteady.len(),
        clock.elapsed().as_secs_f64()
    );
    if let Some(path) = &wishes.markdown {
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(if results.unsteady.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn replay_case(case: &Case, chunks: &[usize], results: &mut Results) -> Result<(), String> {
    let mut sources = Vec::new();
    if case.truths.len() == 1 && case.truths[0].group.is_none() {
        sources = gather::gather(&case.root, &case.truths[0].clock)?;
    } else {
        // Siblings: each has its own clock.
        for truth in &case.truths {
            let own = gather::gather(&case.root, &truth.clock)?;
            sources.extend(own.into_iter().filter(|s| s.health.path.contains(&format!("{}/", truth.id))));
        }
    }
    let end = case.truths.iter().map(|t| t.now_end).fold(f64::NAN, f64::max);
    let outcome = replay_pieces(&sources, chunks, end, &case.root, results);
    for truth in &case.truths {
        let run = if case.truths.len() == 1 {
            main_run(&outcome)
        } else {
            let own = sources.iter().find(|s| s.health.path.contains(&format!("{}/", truth.id)));
            own.and_then(|s| s.atoms.first()).map(|a| a.run.clone())
        };
        let Some(run) = run else {
            eprintln!("{}: nothing was read", truth.id);
            continue;
        };
        results.judged.push(judged(truth.clone(), &run, &sources, &outcome, case.truths.len() == 1));
    }
    Ok(())
}

/// The run with the most to say: a case of one run holds only that one.
fn main_run(outcome: &Outcome) -> Option<RunId> {
    let most = outcome.session.store.runs().max_by_key(|run| run.series_count());
    most.map(|run| run.id().clone())
}

fn judged(truth: Truth, run: &RunId, sources: &[Source], outcome: &Outcome, alone: bool) -> Judged {
    let said = outcome.said.iter().filter(|s| alone || s.run == *run).cloned().collect();
    let curves = outcome.session.store.run(run).map(|run| anchors::curves(sources, run)).unwrap_or_default();
    let anchors = ANCHORS.iter().map(|anchor| (anchor.alarm)(&curves)).collect();
    let mut truth = truth;
    if let Some(run) = outcome.session.store.run(run) {
        truth.looks = looks(truth.fault.as_deref().unwrap_or_default(), run);
    }
    Judged { truth, said, anchors }
}

/// Replays in pieces of each size; the first gives the alerts that are scored, the others must agree.
fn replay_pieces(
    sources: &[Source],
    chunks: &[usize],
    end: f64,
    root: &Path,
    results: &mut Results,
) -> Outcome {
    let first = replay::replay(sources, chunks[0], end);
    results.points += first.points;
    let expected = essence(&first.said);
    for chunk in &chunks[1..] {
        let other = replay::replay(sources, *chunk, end);
        results.points += other.points;
        let got = essence(&other.said);
        if let Some(difference) = difference(&expected, &got) {
            let name = root.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            results.unsteady.push(format!("{name}, pieces of {chunk}: {difference}"));
        }
    }
    first
}

fn difference(expected: &BTreeSet<String>, got: &BTreeSet<String>) -> Option<String> {
    let only =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>().join(" & ");
    (expected != got).then(|| format!("[{}] became [{}]", only(expected, got), only(got, expected)))
}

/// Steps between two of what the rules of a class look at; 0 where that is every logged value.
fn looks(class: &str, run: &Run) -> f64 {
    let steps = run.last_step().unwrap_or(0) as f64;
    match class {
        "overfitting" | "metric_disagreement" | "validation" => {
            let evaluations = run
                .series()
                .filter(|s| {
                    matches!(tags::classify(s.key(), run.id()).split, tags::Split::Val | tags::Split::Test)
                })
                .map(|s| s.summary().points)
                .max();
            evaluations.map_or(0.0, |n| steps / n.max(1) as f64)
        }
        "class_collapse" | "class_confusion" | "class_imbalance" => {
            let matrices = run.confusions().splits().map(|split| run.confusions().count(split)).max();
            matrices.map_or(0.0, |n| steps / n.max(1) as f64)
        }
        "dead_units"
        | "saturated_units"
        | "frozen_layer"
        | "unstable_layer"
        | "vanishing_gradient"
        | "exploding_gradient"
        | "poor_initialisation" => {
            let kinds = [LayerKind::Weights, LayerKind::Gradients, LayerKind::Activations];
            let tracks = run.layers().rows().flat_map(|row| kinds.iter().filter_map(|kind| row.track(*kind)));
            let records = tracks.map(|track| track.records().len()).max();
            records.map_or(0.0, |n| steps / n.max(1) as f64)
        }
        _ => 0.0,
    }
}

/// Healthy logs without truth: every run that the readers find is one of them.
fn replay_tree(tree: &Path, chunks: &[usize], results: &mut Results) -> Result<(), String> {
    let sources = gather::gather(tree, &[])?;
    let ids: BTreeSet<RunId> = sources.iter().flat_map(|s| &s.atoms).map(|a| a.run.clone()).collect();
    for id in ids {
        let own: Vec<Source> = sources
            .iter()
            .map(|s| Source { atoms: s.atoms.iter().filter(|a| a.run == id).cloned().collect(), ..s.clone() })
            .filter(|s| !s.atoms.is_empty())
            .collect();
        let outcome = replay_pieces(&own, chunks, f64::NAN, Path::new(id.as_str()), results);
        let truth = Truth { id: id.as_str().to_owned(), part: "healthy".to_owned(), ..Truth::default() };
        results.judged.push(judged(truth, &id, &own, &outcome, true));
    }
    Ok(())
}
