//! `MLflow`'s file store (`mlruns/`): a folder per run, in it a small file per metric, parameter and tag.
//!
//! What a file is shows in its path ([`place`]); names of metrics are the paths below `metrics/`. The database of the
//! same program is read by [`super::sqlite`]. Source: `mlflow/mlflow`, `mlflow/store/tracking/file_store.py`.

pub mod facts;
mod metric;
mod place;

use std::{path::Path, sync::Arc};

use crate::{
    formats::{
        Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
        sqlite::setting,
        wire::lines::{trim, whole_lines},
    },
    model::{Record, RunInfo},
};
use facts::{Fact, Meta};
use metric::MetricDecoder;
use place::{Content, Place};

/// Parameters are at most 6000 characters, tags 8000; more than this is none of them.
const VALUE_LIMIT: usize = 1 << 20;

/// The file store.
pub struct MlFlow;

impl Format for MlFlow {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn summary(&self) -> &'static str {
        "MLflow file stores: metrics, parameters, tags and `meta.yaml` of the runs in `mlruns/`"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["mlruns/*/*/metrics/**", "mlruns/*/*/params/**", "mlruns/*/*/tags/**", "mlruns/*/*/meta.yaml"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let Some(place) = Place::of(file.path) else {
            return other(file);
        };
        match place.content {
            Content::Metric(_) => metric(file),
            Content::Parameter(_) | Content::Tag(_) => Claim::Yes,
            Content::Meta => meta(file.head),
            Content::Deleted => Claim::No("below `.trash`: the experiment was deleted in MLflow"),
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        match Place::of(path) {
            Some(Place { content: Content::Metric(_), up, .. }) => Standing::folder(up),
            Some(Place { up, .. }) => Standing::side(up),
            None => Standing::default(),
        }
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        match Place::of(opening.path) {
            Some(Place { content: Content::Metric(name), .. }) => Box::new(MetricDecoder::new(&name)),
            Some(place) => Box::new(FactDecoder { place }),
            None => {
                let name = opening.path.file_name().unwrap_or_default().to_string_lossy();
                Box::new(MetricDecoder::new(&name))
            }
        }
    }
}

/// Files that are no part of a run's record; only one of them could be taken for one.
fn other(file: &Candidate<'_>) -> Claim {
    if file.name != "meta.yaml" {
        return Claim::No("");
    }
    match file.head {
        [] => Claim::NotYet,
        head if says(head, b"experiment_id:") => Claim::No("describes an MLflow experiment, no run"),
        _ => Claim::No("not in the folder of an MLflow run"),
    }
}

fn metric(file: &Candidate<'_>) -> Claim {
    let lines = whole_lines(file.head, file.whole);
    match lines.split(|b| *b == b'\n').find(|line| !line.is_empty()) {
        Some(line) if metric::fields(line).is_some() => Claim::Yes,
        Some(_) if lines.len() == file.head.len() && !lines.ends_with(b"\n") => Claim::NotYet,
        Some(_) => Claim::No("the first line is none of time, value and step"),
        None => Claim::NotYet,
    }
}

fn meta(head: &[u8]) -> Claim {
    if head.is_empty() {
        Claim::NotYet
    } else if says(head, b"run_id:") || says(head, b"run_uuid:") {
        Claim::Yes
    } else {
        Claim::No("does not name a run")
    }
}

/// Whether a line begins so.
fn says(head: &[u8], key: &[u8]) -> bool {
    head.split(|b| *b == b'\n').any(|line| line.starts_with(key))
}

/// Reads a file that says one thing of a run.
#[derive(Debug)]
struct FactDecoder {
    place: Place,
}

impl FactDecoder {
    fn tag(key: &str, value: &str, out: &mut Decoded) {
        let mut info = RunInfo::default();
        match facts::of_tag(key, value) {
            Fact::Name(name) => info.name = Some(name),
            Fact::Commit(commit) => info.git = Some(commit),
            Fact::Label(label) => info.labels.push(label),
            Fact::Note(note) => return out.record(Record::Text(note)),
            Fact::Parent(_) | Fact::Other => return,
        }
        out.record(Record::Info(Box::new(info)));
    }
}

impl Decoder for FactDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if available.len() > VALUE_LIMIT {
            return Err(Fatal::WrongFormat {
                offset: 0,
                reason: Arc::from("longer than any value of MLflow"),
            });
        }
        let value = || String::from_utf8_lossy(trim(available));
        match &self.place.content {
            Content::Parameter(name) => {
                out.record(Record::Hyperparameters(vec![(Arc::from(&**name), setting(&value()))]));
            }
            Content::Tag(name) => Self::tag(name, &value(), out),
            Content::Meta => {
                let Some(meta) = Meta::of(available) else { return Ok(Consumed::default()) };
                if meta.deleted {
                    out.oddity("runs that were deleted in MLflow");
                }
                out.record(Record::Info(Box::new(meta.info)));
                meta.end.into_iter().for_each(|end| out.record(Record::End(end)));
            }
            Content::Metric(_) | Content::Deleted => {}
        }
        out.count_records(1);
        Ok(Consumed::all(available.len()))
    }

    fn whole_document(&self) -> bool {
        true
    }
}
