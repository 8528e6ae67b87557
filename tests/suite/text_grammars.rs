//! Text logs that real frameworks printed: the points of a series are exactly what an independent pattern finds in the
//! file, and number, first and last are those of the manifest of real logs.

use std::path::{Path, PathBuf};

use epochscope::formats::by_name;
use regex::bytes::Regex;

use crate::builders::feeding::{Feeder, Reading};

/// A row of the manifest.
struct Row {
    /// Below `sample_logs/text`.
    sample: &'static str,
    /// Below the folder of real logs: the same file, uncut.
    original: &'static str,
    /// The manifest's pattern; groups: step and value, or value.
    pattern: &'static str,
    /// The series that holds the numbers of the pattern's last group.
    tag: &'static str,
    /// Points of the uncut file, its first and its last; values as printed.
    points: usize,
    ends: [(i64, &'static str); 2],
}

const MEGATRON: &str = r"(?m)^ iteration +(\d+)/ *\d+ \|.*? lm[- ]loss: ([\d.E+-]+)";
const VAL_LOSS: &str = r"(?m)^step:(\d+)/\d+ val_loss:([\d.]+)";
const TRL: &str = r"(?m)^s:(\d+) trl:([\d.]+)";
const TOTAL_LOSS: &str = r"iter: (\d+)  total_loss: ([\d.]+)";

const ROWS: &[Row] = &[
    Row {
        sample: "catboost/stdout.log",
        original: "stdout/catboost.log",
        pattern: r"(?m)^(\d+):\tlearn: ([\d.]+)",
        tag: "learn",
        points: 7,
        ends: [(0, "1.8923704"), (59, "0.1366400")],
    },
    Row {
        sample: "clu/absl.log",
        original: "stdout/clu-absl.log",
        pattern: r"\[(\d+)\].*?train_loss=([\d.]+)",
        tag: "train_loss",
        points: 16,
        ends: [(5, "2.25423"), (80, "0.78103")],
    },
    Row {
        sample: "lightgbm/stdout.log",
        original: "stdout/lightgbm.log",
        pattern: r"\[(\d+)\]\ttrain's multi_logloss: ([\d.]+)",
        tag: "train's multi_logloss",
        points: 25,
        ends: [(1, "1.64443"), (25, "0.0403402")],
    },
    // a terminal's log without the bar: no step is printed, lines are counted
    Row {
        sample: "hf-trainer/tty.log",
        original: "stdout/hf-trainer-tty.log",
        pattern: r"\{'loss': '?([\d.]+)'?",
        tag: "loss",
        points: 13,
        ends: [(0, "2.604"), (12, "1.93")],
    },
    // four processes print the same bar and then their own times, at step 16 of 16
    Row {
        sample: "hf-deepspeed/slurm.out",
        original: "github/bigscience-workshop+bigscience/experiments/gpt2-hf-ds/hf_ds_gpt2_base_n4-1832555.out",
        pattern: r"\{'train_runtime': ([\d.]+)",
        tag: "train_runtime",
        points: 4,
        ends: [(16, "919.097"), (16, "919.0933")],
    },
    Row {
        sample: "mmengine/stdout.log",
        original: "stdout/mmengine.log",
        pattern: r"Epoch\(train\).*?loss: ([\d.]+)",
        tag: "loss",
        points: 20,
        ends: [(5, "2.3072"), (108, "2.2072")],
    },
    Row {
        sample: "detectron2/semi-supervised.log.txt",
        original: "github/HaowenGuan+NYU-Semi-Supervise-Object-Detection/output/log_semi-supervised-to-supervised.txt",
        pattern: TOTAL_LOSS,
        tag: "total_loss",
        points: 50,
        ends: [(19, "0.1651"), (999, "0.1415")],
    },
    Row {
        sample: "detectron2/supervised-end.log.txt",
        original: "github/HaowenGuan+NYU-Semi-Supervise-Object-Detection/output/log_supervised_lr_0.020.txt",
        pattern: TOTAL_LOSS,
        tag: "total_loss",
        points: 801,
        ends: [(19, "0.1409"), (16009, "0.1668")],
    },
    Row {
        sample: "llmc/adamw.log",
        original: "github/KellerJordan+modded-nanogpt/records/track_1_short/2024-06-06_AdamW/f66d43d7-e449-4029-8adf-e8537bab49ea.log",
        pattern: TRL,
        tag: "trl",
        points: 9536,
        ends: [(0, "10.965596"), (9535, "3.340180")],
    },
    Row {
        sample: "llmc/main.log",
        original: "github/KellerJordan+modded-nanogpt/records/track_1_short/2024-10-13_llmc/main.log",
        pattern: TRL,
        tag: "trl",
        points: 19560,
        ends: [(0, "11.0091"), (19559, "3.2217")],
    },
    Row {
        sample: "modded-nanogpt/2024-10-10_Muon/eb5659d0-fb6a-49e5-a311-f1f89412f726.txt",
        original: "github/KellerJordan+modded-nanogpt/records/track_1_short/2024-10-10_Muon/eb5659d0-fb6a-49e5-a311-f1f89412f726.txt",
        pattern: VAL_LOSS,
        tag: "val_loss",
        points: 51,
        ends: [(0, "10.9264"), (6200, "3.2785")],
    },
    Row {
        sample: "modded-nanogpt/2024-12-10_MFUTweaks/04df8c70-2462-4b6c-9e49-c7589b321a81.txt",
        original: "github/KellerJordan+modded-nanogpt/records/track_1_short/2024-12-10_MFUTweaks/04df8c70-2462-4b6c-9e49-c7589b321a81.txt",
        pattern: VAL_LOSS,
        tag: "val_loss",
        points: 13,
        ends: [(0, "10.8258"), (1480, "3.2756")],
    },
    Row {
        sample: "modded-nanogpt/2025-12-18_CautiousWDAdam/1981d492-bc65-4ba9-a0fa-2b30fc5c3eba.txt",
        original: "github/KellerJordan+modded-nanogpt/records/track_1_short/2025-12-18_CautiousWDAdam/1981d492-bc65-4ba9-a0fa-2b30fc5c3eba.txt",
        pattern: VAL_LOSS,
        tag: "val_loss",
        points: 10,
        ends: [(0, "10.8258"), (2090, "3.2746")],
    },
    Row {
        sample: "megatron/deepspeed-3d.out",
        original: "github/bigscience-workshop+bigscience/experiments/gpt2-meg-ds-3d/meg_ds_3d_gpt2_perf_n16-ds-on.out",
        pattern: MEGATRON,
        tag: "lm-loss",
        points: 49,
        ends: [(1, "1.244238E+01"), (49, "7.747273E+00")],
    },
    Row {
        sample: "megatron/deepspeed-zero-1999616.out",
        original: "github/bigscience-workshop+bigscience/experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16-1999616.out",
        pattern: MEGATRON,
        tag: "lm loss",
        points: 4,
        ends: [(1, "1.252221E+01"), (4, "3.899556E+01")],
    },
    Row {
        sample: "megatron/deepspeed-zero-nbs48.out",
        original: "github/bigscience-workshop+bigscience/experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16_nbs48_ms48.out",
        pattern: MEGATRON,
        tag: "lm loss",
        points: 3,
        ends: [(1, "1.252221E+01"), (3, "4.075231E+01")],
    },
    Row {
        sample: "megatron/gpt2-base.out",
        original: "github/bigscience-workshop+bigscience/experiments/gpt2-meg/meg_gpt2_base_n4_dp1_tp4_pp4-1809579.out",
        pattern: MEGATRON,
        tag: "lm loss",
        points: 19,
        ends: [(20, "1.203115E+01"), (200, "7.365868E+00")],
    },
];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/text").join(name)
}

fn read(path: &Path) -> (Reading, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut feeder = Feeder::named(by_name("text").unwrap(), path, &bytes);
    feeder.grow_to(bytes.len());
    (feeder.finish(), bytes)
}

/// Steps, where the pattern has them, and values that the pattern finds.
fn matched(pattern: &str, bytes: &[u8]) -> Vec<(Option<i64>, f64)> {
    let text = |found: regex::bytes::Match<'_>| String::from_utf8(found.as_bytes().to_vec()).unwrap();
    let pattern = Regex::new(pattern).unwrap();
    let row = |found: regex::bytes::Captures<'_>| {
        let groups: Vec<_> = found.iter().skip(1).flatten().map(text).collect();
        let step = (groups.len() > 1).then(|| groups[0].parse().unwrap());
        (step, groups.last().unwrap().parse().unwrap())
    };
    pattern.captures_iter(bytes).map(row).collect()
}

fn check(row: &Row, path: &Path) -> Vec<(i64, f64)> {
    let (reading, bytes) = read(path);
    let points = reading.series(row.tag);
    let expected = matched(row.pattern, &bytes);
    assert_eq!(points.len(), expected.len(), "{}: {:?}", row.sample, reading.columns.keys());
    for ((step, value), (expected_step, expected)) in points.iter().zip(&expected) {
        assert_eq!(value.to_bits(), expected.to_bits(), "{}", row.sample);
        assert!(expected_step.is_none_or(|expected| expected == *step), "{}: {step} {value}", row.sample);
    }
    points
}

fn ends(row: &Row) -> [(i64, f64); 2] {
    row.ends.map(|(step, value)| (step, value.parse().unwrap()))
}

#[test]
fn every_point_of_the_sampled_text_logs_is_read() {
    for row in ROWS {
        let points = check(row, &sample(row.sample));
        let whole = points.len() == row.points;
        if whole {
            assert_eq!([points[0], points[points.len() - 1]], ends(row), "{}", row.sample);
        }
        // three are cut in the middle of their points
        let cut = ["llmc/adamw.log", "llmc/main.log", "detectron2/supervised-end.log.txt"];
        assert_eq!(whole, !cut.contains(&row.sample), "{}: {} points", row.sample, points.len());
    }
}

/// `EPOCHSCOPE_REAL_LOGS=/path/to/real-logs cargo test --test suite real_text_logs -- --ignored`
#[test]
#[ignore = "needs the collection of real logs"]
fn real_text_logs_agree_with_their_manifest() {
    let folder = PathBuf::from(std::env::var_os("EPOCHSCOPE_REAL_LOGS").expect("EPOCHSCOPE_REAL_LOGS"));
    for row in ROWS {
        let points = check(row, &folder.join(row.original));
        assert_eq!(points.len(), row.points, "{}", row.original);
        assert_eq!([points[0], points[points.len() - 1]], ends(row), "{}", row.original);
    }
}

#[test]
fn dump() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut folders = vec![std::env::var("FOLDER").map_or_else(|_| sample(""), PathBuf::from)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path.to_string_lossy().contains(&only) {
                continue;
            }
            let (reading, _) = read(&path);
            println!("=== {}", path.display());
            for (key, points) in &reading.columns {
                let p = |p: &(i64, u64, u64)| (p.0, f64::from_bits(p.2));
                println!(
                    "  {key:?}: {} {:?} .. {:?}",
                    points.len(),
                    p(&points[0]),
                    p(&points[points.len() - 1])
                );
            }
            for (run, records) in &reading.records {
                for r in records.iter().take(8) {
                    println!("  R {run}: {}", r.chars().take(300).collect::<String>());
                }
            }
            println!("  {:?}", reading.oddities);
        }
    }
}
