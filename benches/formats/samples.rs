//! The list of logs, and what their makers share.

use crate::{binary, documents, lines, texts};

/// A kind of log.
pub struct Sample {
    /// Name of its format.
    pub format: &'static str,
    /// What is in it.
    pub what: &'static str,
    /// Where it would lie.
    pub path: &'static str,
    /// Makes one of about so many bytes.
    pub make: fn(usize) -> Vec<u8>,
}

impl Sample {
    /// Format and content.
    pub fn title(&self) -> String {
        format!("{} {}", self.format, self.what)
    }
}

const fn sample(
    format: &'static str,
    what: &'static str,
    path: &'static str,
    make: fn(usize) -> Vec<u8>,
) -> Sample {
    Sample { format, what, path, make }
}

/// Every format has at least one.
#[rustfmt::skip] // one a line
pub const SAMPLES: &[Sample] = &[
    sample("tfevents", "20 scalars", "tb/events.out.tfevents.1750000000.host.1.0", binary::event_scalars),
    sample("tfevents", "128 histograms of 64 buckets", "tbh/events.out.tfevents.1750000000.host.1.0", binary::event_histograms),
    sample("scope", "4 scalars a record", "scope/run.scope.jsonl", lines::scope_scalars),
    sample("scope", "scalars, layers and histograms", "scopelayers/run.scope.jsonl", lines::scope_mixed),
    sample("sqlite", "MLflow, 20 runs of 10 metrics", "mlflow.db", documents::mlflow),
    sample("sqlite", "Trackio, 10 metrics a row", "trackio/project.db", documents::trackio),
    sample("mlflow", "one metric", "mlruns/0/0123456789abcdef0123456789abcdef/metrics/loss", lines::mlflow_metric),
    sample("projector", "embeddings", "tb/projector_config.pbtxt", documents::projector),
    sample("wandb", "4 metrics a row", "wandb/run-20261123_175752-narrow00/run-narrow00.wandb", binary::wandb_narrow),
    sample("wandb", "10 metrics a row, statistics, console", "wandb/run-20261123_175752-usual000/run-usual000.wandb", binary::wandb_usual),
    sample("wandb", "1000 metrics a row", "wandb/run-20261123_175752-wide0000/run-wide0000.wandb", binary::wandb_wide),
    sample("wandb", "50 histograms a row", "wandb/run-20261123_175752-hist0000/run-hist0000.wandb", binary::wandb_histograms),
    sample("swanlab", "10 scalars", "swanlog/run-20261123_180751-a/run-a.swanlab", binary::swanlab),
    sample("visualdl", "10 scalars", "vdl/vdlrecords.1795457339.log", binary::visualdl),
    sample("wandbfiles", "summary", "wandb/run-20261123_175752-a/files/wandb-summary.json", documents::wandb_summary),
    sample("catboost", "4 metrics", "catboost_info/catboost_training.json", lines::catboost),
    sample("hfstate", "4 metrics a row", "hf/trainer_state.json", documents::trainer_state),
    sample("sacred", "4 metrics", "sacred/1/metrics.json", documents::sacred),
    sample("clearml", "4 events a line", "offline-a/metrics.jsonl", lines::clearml),
    sample("clearmlzip", "the same in an archive", "offline-b.zip", documents::clearml_archive),
    sample("comet", "archive of messages", "0123456789abcdef0123456789abcdef.zip", documents::comet),
    sample("neptune", "4 values an operation", "data-1.log", lines::neptune),
    sample("polyaxon", "one metric", "run/events/metric/loss.plx", lines::polyaxon),
    sample("confusion", "square table of 600 classes", "confusion_matrix.csv", documents::confusion),
    sample("jsonl", "10 metrics a line", "jsonl/metrics.jsonl", lines::json_flat),
    sample("jsonl", "nested, texts, lists", "jsonl/result.json", lines::json_nested),
    sample("csv", "10 columns", "csv/metrics.csv", lines::csv_wide),
    sample("csv", "gaps, as Lightning leaves them", "lightning/metrics.csv", lines::csv_gaps),
    sample("dvclive", "latest values", "dvclive/metrics.json", documents::dvclive),
    sample("hfresults", "final numbers", "hf/all_results.json", documents::hf_results),
    sample("settings", "hparams.yaml", "lightning/hparams.yaml", documents::settings),
    sample("text", "Megatron-LM", "text/megatron.out", texts::megatron),
    sample("text", "dicts of Hugging Face", "text/hf.out", texts::huggingface),
    sample("text", "progress bars of tqdm", "text/tqdm.out", texts::tqdm),
    sample("text", "nanoGPT", "text/nanogpt.out", texts::nanogpt),
    sample("text", "Detectron2", "text/detectron.out", texts::detectron),
    sample("text", "own `print` calls (general reader)", "text/general.out", texts::general),
    sample("text", "`logging` with key=value (general reader)", "text/logging.log", texts::logging),
    sample("text", "chatter without numbers", "text/chatter.out", texts::chatter),
];

/// Numbers that look like those of a training, the same each time.
pub struct Numbers(u64);

impl Numbers {
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub fn whole(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// At least 0 and less than 1, with as many digits as a double has.
    pub fn unit(&mut self) -> f64 {
        (self.whole() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A loss.
    pub fn loss(&mut self, step: u64) -> f64 {
        2.5 / (1.0 + step as f64 / 1e4) + self.unit() / 10.0
    }
}

/// Calls `add` with rising steps until the log is large enough.
pub fn fill(
    target: usize,
    head: impl Into<Vec<u8>>,
    mut add: impl FnMut(u64, &mut Numbers, &mut Vec<u8>),
) -> Vec<u8> {
    let (mut numbers, mut log) = (Numbers::new(), head.into());
    log.reserve(target + target / 16);
    for step in 0.. {
        if log.len() >= target {
            break;
        }
        add(step, &mut numbers, &mut log);
    }
    log
}
