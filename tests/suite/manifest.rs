//! Real logs of real frameworks hold what the frameworks' own readers (or pandas and `json`) find in them: how many
//! points, and the first and last value of a series. Where the reader differs on purpose, the row says by how much
//! and why.

use std::path::Path;

use epochscope::formats::by_name;

use crate::builders::feeding::{Feeder, Reading};

/// One file and what is in it.
struct Row {
    path: &'static str,
    /// Numeric cells or keys besides the step, as counted by pandas or `json`.
    numbers: usize,
    /// What of these is no point of a curve here (less), or one here only (more), and why.
    differs: &'static [(i64, &'static str)],
    tag: &'static str,
    points: usize,
    first: (i64, f64),
    last: (i64, f64),
}

const ROWS: &[Row] = &[
    Row {
        path: "csv/catboost_info/learn_error.tsv",
        numbers: 120,
        differs: &[],
        tag: "Accuracy",
        points: 60,
        first: (0, 0.515_714_285_7),
        last: (59, 0.988_571_428_6),
    },
    Row {
        path: "csv/catboost_info/test_error.tsv",
        numbers: 120,
        differs: &[],
        tag: "Accuracy",
        points: 60,
        first: (0, 0.501_259_445_8),
        last: (59, 0.959_697_733),
    },
    Row {
        path: "csv/catboost_info/time_left.tsv",
        numbers: 120,
        differs: &[],
        tag: "Passed",
        points: 60,
        first: (0, 77.0),
        last: (59, 862.0),
    },
    Row {
        path: "csv/dvclive/plots/metrics/train/loss.tsv",
        numbers: 5,
        differs: &[],
        tag: "train/loss",
        points: 5,
        first: (0, 2.287_967_205_047_607_4),
        last: (4, 2.020_994_424_819_946_3),
    },
    Row {
        path: "csv/dvclive/plots/metrics/val/acc.tsv",
        numbers: 5,
        differs: &[],
        tag: "val/acc",
        points: 5,
        first: (0, 0.083_123_425_692_695_21),
        last: (4, 0.239_294_710_327_455_92),
    },
    Row {
        path: "csv/dvclive/plots/metrics/val/loss.tsv",
        numbers: 5,
        differs: &[],
        tag: "val/loss",
        points: 5,
        first: (0, 2.296_162_605_285_644_5),
        last: (4, 2.042_696_237_564_087),
    },
    Row {
        path: "csv/fastai/history.csv",
        numbers: 15,
        differs: &[(5, "time as MM:SS is read as seconds")],
        tag: "train_loss",
        points: 5,
        first: (0, 1.789_815_068_244_934),
        last: (1, 0.197_597_861_289_978_03),
    },
    Row {
        path: "csv/keras/training.csv",
        numbers: 32,
        differs: &[],
        tag: "accuracy",
        points: 8,
        first: (0, 0.127_857_148_647_308_35),
        last: (7, 0.801_428_556_442_260_7),
    },
    Row {
        path: "csv/sb3/progress.csv",
        numbers: 230,
        differs: &[],
        tag: "rollout/ep_len_mean",
        points: 16,
        first: (256, 22.272_727_272_727_273),
        last: (4096, 52.441_558_441_558_44),
    },
    Row {
        path: "csv/sb3/0.monitor.csv",
        numbers: 231,
        differs: &[],
        tag: "l",
        points: 77,
        first: (0, 25.0),
        last: (76, 128.0),
    },
    Row {
        path: "csv/ultralytics/results.csv",
        numbers: 24,
        differs: &[],
        tag: "lr/pg0",
        points: 3,
        first: (1, 0.000_321_3),
        last: (3, 0.000_242_76),
    },
    Row {
        path: "csv/ray-tune/progress.csv",
        numbers: 60,
        differs: &[(-6, "done is a bool"), (-6, "timestamp is the time"), (12, "info/layers is a list")],
        tag: "loss",
        points: 6,
        first: (1, 2.063_075_380_668_250_2),
        last: (6, 0.645_321_490_270_176_2),
    },
    Row {
        path: "csv/ray-rllib/progress.csv",
        numbers: 381,
        differs: &[(-23, "done is a bool"), (-23, "timestamp is the time")],
        tag: "timesteps_total",
        points: 23,
        first: (1, 69750.0),
        last: (23, 6_491_500.0),
    },
    Row {
        path: "jsonl/ray-tune/result.json",
        numbers: 66,
        differs: &[
            (-6, "training_iteration is the step"),
            (-6, "timestamp is the time"),
            (-6, "config is the configuration, not a series"),
            (12, "info/layers is a short list"),
        ],
        tag: "loss",
        points: 6,
        first: (1, 2.063_075_380_668_250_2),
        last: (6, 0.645_321_490_270_176_2),
    },
    Row {
        path: "jsonl/ray-rllib/result.json",
        numbers: 1884,
        differs: &[
            (-23, "training_iteration is the step"),
            (-23, "timestamp is the time"),
            (-920, "config is the configuration, not 40 series: config/vf_loss_coeff and others"),
            (115, "info/learner_queue/size_quantiles is a short list"),
        ],
        tag: "timesteps_total",
        points: 23,
        first: (1, 69750.0),
        last: (23, 6_491_500.0),
    },
    Row {
        path: "jsonl/mmengine/20261123_181859/vis_data/scalars.json",
        numbers: 180,
        differs: &[(-25, "step is the step")],
        tag: "loss",
        points: 20,
        first: (5, 2.307_192_850_112_915),
        last: (108, 2.207_155_990_600_585_8),
    },
    Row {
        path: "jsonl/llamafactory/trainer_log.jsonl",
        numbers: 1414,
        differs: &[(-202, "current_steps is the step")],
        tag: "loss",
        points: 202,
        first: (1, 0.6491),
        last: (202, 0.4962),
    },
    Row {
        path: "jsonl/detectron2/metrics.json",
        numbers: 1680,
        differs: &[(-80, "iteration is the step")],
        tag: "loss_box_reg",
        points: 80,
        first: (19, 0.522_836_029_529_571_5),
        last: (999, 0.058_012_139_052_152_634),
    },
];

fn reading(row: &Row) -> Reading {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(row.path);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", row.path));
    let format = by_name(row.path.split('/').next().unwrap()).unwrap();
    let mut feeder = Feeder::named(format, &path, &bytes);
    feeder.grow_to(bytes.len());
    feeder.finish()
}

#[test]
fn real_tables_and_json_lines_hold_what_their_frameworks_wrote() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let reading = reading(row);
        let expected = row.differs.iter().map(|(n, _)| n).sum::<i64>() + row.numbers.cast_signed() as i64;
        let series = reading.series(row.tag);
        let ends = (series.first().copied(), series.last().copied());
        if reading.points().cast_signed() as i64 != expected
            || series.len() != row.points
            || ends != (Some(row.first), Some(row.last))
            || !reading.skips.is_empty()
        {
            wrong.push(format!(
                "{}: {} points for {expected}, {} of {}, {ends:?}, {:?}, {:?}",
                row.path,
                reading.points(),
                series.len(),
                row.tag,
                reading.skips,
                reading.columns.iter().map(|((_, tag), points)| (tag, points.len())).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
