//! What `sample_logs/MANIFEST.tsv` says of each real log is what the program shows of it: the file is claimed by the
//! format named there, its run is found, and number of series, points, first and last value are those that readers
//! which know nothing of this program counted (`tools/describe_samples.py`). The whole way is gone: files are found,
//! read by threads and applied by the engine, as `epochscope status` does it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use epochscope::{
    engine::Session,
    model::{FileHealth, FileState, HyperValue},
    store::{Run, Series},
};
use serde::Deserialize;
use serde_json::Value;

use crate::builders::{reading::read_folder, samples::claimed_paths};

/// Columns of the manifest.
const COLUMNS: [&str; 11] =
    ["path", "format", "source", "commit", "licence", "bytes", "expect", "counts", "read", "by", "differs"];

/// A log, and what is in it.
struct Row {
    /// Below `sample_logs/`: a file, or a folder whose files are one log.
    path: String,
    /// What is given to the program: the same, or the folder of the run that the file is about.
    read: String,
    /// The format that must claim it.
    by: String,
    /// The size of a file.
    bytes: Option<u64>,
    counts: Counts,
    /// Series and points that are here only (more) or there only (less), and why.
    differs: Vec<(i64, i64, String)>,
}

/// What the reference readers count in it. Nothing is said where they do not read that kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    series: Option<i64>,
    points: Option<i64>,
    one: Option<Example>,
    /// Settings of the outermost level that are numbers.
    settings: Option<serde_json::Map<String, Value>>,
    /// Of the confusion matrix.
    classes: Option<usize>,
}

/// One series.
#[derive(Deserialize)]
struct Example {
    /// The run's name where a file holds several.
    run: String,
    tag: String,
    n: u64,
    first: (Option<f64>, Value),
    last: (Option<f64>, Value),
}

impl Row {
    /// Whether there is nothing to be shown in it: it speaks for itself and holds no point.
    fn is_empty(&self) -> bool {
        self.read == self.path && self.counts.one.is_none() && self.by != "text"
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(samples().join("MANIFEST.tsv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap().split('\t').collect::<Vec<_>>(), COLUMNS);
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('\t').collect();
    let [path, format, source, commit, licence, bytes, expect, counts, read, by, differs] = cells[..] else {
        panic!("{} cells: {line}", cells.len())
    };
    for (cell, column) in [format, source, commit, licence].iter().zip(&COLUMNS[1..]) {
        assert!(!cell.is_empty(), "{path} has no {column}");
    }
    serde_json::from_str::<Value>(expect).unwrap_or_else(|e| panic!("{path}: {e}"));
    Row {
        path: path.to_owned(),
        read: if read == "-" { path } else { read }.to_owned(),
        by: by.to_owned(),
        bytes: (bytes != "-").then(|| bytes.parse().unwrap()),
        counts: serde_json::from_str(counts).unwrap_or_else(|e| panic!("{path}: {e}")),
        differs: serde_json::from_str(differs).unwrap_or_else(|e| panic!("{path}: {e}")),
    }
}

/// Everything that is not as the row says.
fn differences(row: &Row) -> Vec<String> {
    let session = read_folder(&samples().join(&row.read), false);
    let mut wrong = Vec::new();
    let mine: Vec<&FileHealth> = session.health.files.values().filter(|f| is_of(row, f)).collect();
    if mine.is_empty() {
        wrong.push(format!("is not read; passed over: {:?}", session.health.scan.passed_over));
    }
    for file in mine {
        if file.format != row.by {
            wrong.push(format!("{} is claimed by {}, not by {}", file.path, file.format, row.by));
        }
        if let FileState::Dead(why) = &file.state {
            wrong.push(format!("{} is dead: {why}", file.path));
        }
        if file.skip_count > 0 || file.records == 0 {
            wrong.push(format!("{}: {} records, skipped {:?}", file.path, file.records, file.skips));
        }
        // what holds nothing makes no run, and what holds several names them itself
        let run = session.store.run(&file.run).is_some();
        let named = samples().join(&row.read).is_file() && session.store.run_count() > 0;
        if !(run || named || row.is_empty()) {
            wrong.push(format!("the run {} of {} is not there", file.run.as_str(), file.path));
        }
    }
    wrong.extend(totals(row, &session));
    wrong.extend(row.counts.one.as_ref().and_then(|one| example(one, &session)));
    wrong.extend(facts(row, &session));
    wrong
}

/// Whether a file that was read is the row's: it, or one in its folder.
fn is_of(row: &Row, file: &FileHealth) -> bool {
    // paths are relative to what was read, or the name where that is a file
    let below = Path::new(&row.read).join(&*file.path);
    let (path, read) = (Path::new(&row.path), samples().join(&row.read));
    match read.is_file() {
        true => path.ends_with(&*file.path),
        // in a folder of event files lie settings as well, which have a row of their own
        false if read.join(path.strip_prefix(&row.read).unwrap()).is_dir() => file.format == row.by,
        false => below.starts_with(path),
    }
}

fn totals(row: &Row, session: &Session) -> Vec<String> {
    let Some((series, points)) = row.counts.series.zip(row.counts.points) else { return Vec::new() };
    if row.read != row.path {
        return Vec::new();
    }
    let all: Vec<&Series> = session.store.runs().flat_map(Run::series).collect();
    let found =
        (all.len().cast_signed() as i64, all.iter().map(|s| s.summary().points.cast_signed()).sum::<i64>());
    let sum = |of: fn(&(i64, i64, String)) -> i64| row.differs.iter().map(of).sum::<i64>();
    let wanted = (series + sum(|d| d.0), points + sum(|d| d.1));
    if found == wanted {
        return Vec::new();
    }
    let each = all.iter().map(|s| format!("{} {}", s.key().label(), s.summary().points)).collect::<Vec<_>>();
    vec![format!("{found:?} series and points for {wanted:?}: {}", each.join(", "))]
}

/// The named series must be there with exactly these values.
fn example(one: &Example, session: &Session) -> Option<String> {
    let of_run = |run: &&Run| {
        one.run.is_empty()
            || run.info().name.as_deref() == Some(&*one.run)
            || run.id().as_str().ends_with(&one.run)
    };
    let called = |series: &&Series| {
        let plain = |name: &str| name.replace(['.', '_', '-', ' '], "/");
        let (label, tag) = (plain(&series.key().label()), plain(&one.tag));
        label == tag || label.ends_with(&format!("/{tag}"))
    };
    let found: Vec<&Series> =
        session.store.runs().filter(of_run).flat_map(Run::series).filter(called).collect();
    let is = |end: Option<epochscope::model::Point>, (step, value): &(Option<f64>, Value)| {
        let value = value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
        end.is_some_and(|p| {
            step.is_none_or(|step| step == p.step as f64)
                && (p.value == value || p.value.is_nan() && value.is_nan())
        })
    };
    let fits = |series: &&Series| {
        let summary = series.summary();
        summary.points == one.n && is(summary.first, &one.first) && is(summary.last, &one.last)
    };
    if found.iter().any(fits) {
        return None;
    }
    let seen: Vec<_> = found.iter().map(|s| (s.key().label(), s.summary())).collect();
    Some(format!("no {} of {} points from {:?} to {:?}, but {seen:?}", one.tag, one.n, one.first, one.last))
}

fn facts(row: &Row, session: &Session) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, value) in row.counts.settings.iter().flatten() {
        let shown = |run: &Run| run.hyperparameters().get(name.as_str()).cloned();
        let ours: Vec<HyperValue> = session.store.runs().filter_map(shown).collect();
        let wanted = HyperValue::Number(value.as_f64().unwrap());
        if !ours.contains(&wanted) {
            wrong.push(format!("{name} is {value} in the file, here {ours:?}"));
        }
    }
    if let Some(classes) = row.counts.classes {
        let of = |run: &Run| {
            let all = run.confusions();
            all.splits().flat_map(|split| all.of(split)).map(|c| c.matrix.classes()).collect::<Vec<_>>()
        };
        let ours: Vec<usize> = session.store.runs().flat_map(of).collect();
        if !ours.contains(&classes) {
            wrong.push(format!("no confusion matrix of {classes} classes, but of {ours:?}"));
        }
    }
    wrong
}

#[test]
fn every_real_log_holds_what_readers_of_its_own_kind_find_in_it() {
    let rows = rows();
    assert!(rows.len() > 100);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = differences(row);
                    wrong.lock().unwrap().extend(found.iter().map(|d| format!("{}: {d}", row.path)));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_manifest_names_every_sample_with_its_size() {
    let rows = rows();
    let mut paths = BTreeSet::new();
    for row in &rows {
        assert!(paths.insert(&row.path), "{} is there twice", row.path);
        let path = samples().join(&row.path);
        assert_eq!(path.is_file().then(|| path.metadata().unwrap().len()), row.bytes, "{}", row.path);
    }
    let named = |file: &Path| rows.iter().any(|row| file.starts_with(&row.path));
    let unnamed: Vec<_> = claimed_paths().into_iter().filter(|file| !named(file)).collect();
    assert!(unnamed.is_empty(), "add to sample_logs/MANIFEST.tsv: {unnamed:?}");
}
