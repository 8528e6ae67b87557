//! What tags, states and descriptions of an MLflow run say; the same words in the file store and in the database.

use std::sync::Arc;

use serde::Deserialize;

use crate::model::{EndStatus, RunInfo, Tag, TextRecord, WallTime};

/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 64 << 10;

/// What one tag says.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// The run's name.
    Name(Arc<str>),
    /// The identifier of the run that it is nested in.
    Parent(Arc<str>),
    /// Commit of its code.
    Commit(Arc<str>),
    /// Its owner's note.
    Note(TextRecord),
    /// A tag of its owner's own: `team=vision`.
    Label(Arc<str>),
    /// MLflow's own bookkeeping.
    Other,
}

/// What the tag `key` says.
pub fn of_tag(key: &str, value: &str) -> Fact {
    let value = value.get(..value.floor_char_boundary(TEXT_LIMIT)).unwrap_or(value);
    let text = || Arc::<str>::from(value);
    match key {
        _ if value.is_empty() => Fact::Other,
        "mlflow.runName" => Fact::Name(text()),
        "mlflow.parentRunId" => Fact::Parent(text()),
        "mlflow.source.git.commit" => Fact::Commit(text()),
        "mlflow.note.content" => {
            Fact::Note(TextRecord { tag: Tag::from(key), step: 0, wall: WallTime::UNKNOWN, text: text() })
        }
        _ if key.starts_with("mlflow.") => Fact::Other,
        _ => Fact::Label(Arc::from(format!("{key}={value}"))),
    }
}

/// How a run ended, by the word of the database; `None` while it runs. A process that was killed leaves it running.
pub fn end_of_word(status: &str) -> Option<EndStatus> {
    match status {
        "FINISHED" => Some(EndStatus::Finished),
        "FAILED" | "KILLED" => Some(EndStatus::Failed),
        _ => None,
    }
}

/// The same by the number of `meta.yaml`: 1 running, 2 scheduled, 3 finished, 4 failed, 5 killed.
fn end_of_number(status: i64) -> Option<EndStatus> {
    match status {
        3 => Some(EndStatus::Finished),
        4 | 5 => Some(EndStatus::Failed),
        _ => None,
    }
}

/// What `meta.yaml` says.
#[derive(Debug, PartialEq)]
pub struct Meta {
    /// Name, identifier, start.
    pub info: RunInfo,
    /// How it ended.
    pub end: Option<EndStatus>,
    /// It was deleted in MLflow and its files still lie here.
    pub deleted: bool,
}

#[derive(Deserialize)]
struct Yaml {
    run_id: Option<String>,
    run_uuid: Option<String>,
    run_name: Option<String>,
    name: Option<String>,
    status: Option<Status>,
    start_time: Option<i64>,
    lifecycle_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Number(i64),
    Word(String),
}

impl Meta {
    /// `None` for what is no whole description of a run.
    pub fn of(yaml: &[u8]) -> Option<Self> {
        let yaml: Yaml = serde_saphyr::from_slice(yaml).ok()?;
        let id = yaml.run_id.or(yaml.run_uuid)?;
        let name = yaml.run_name.or(yaml.name).filter(|name| !name.is_empty());
        Some(Self {
            info: RunInfo {
                id: Some(id.into()),
                name: name.map(Into::into),
                started: yaml.start_time.map(|ms| ms as f64 / 1000.0),
                ..RunInfo::default()
            },
            end: yaml.status.and_then(|status| match status {
                Status::Number(number) => end_of_number(number),
                Status::Word(word) => end_of_word(&word),
            }),
            deleted: yaml.lifecycle_stage.as_deref() == Some("deleted"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_says_name_start_and_end() {
        let text = "run_id: ab\nrun_name: '3'\nstatus: 4\nstart_time: 1795457048390\nend_time: null\ntags: []\n\
                    lifecycle_stage: active\n";
        let meta = Meta::of(text.as_bytes()).unwrap();
        assert_eq!(meta.info.name.as_deref(), Some("3"));
        assert_eq!(meta.info.started, Some(1_795_457_048.39));
        assert_eq!((meta.end, meta.deleted), (Some(EndStatus::Failed), false));
        let old = Meta::of(b"run_uuid: cd\nname: ''\nstatus: RUNNING\nlifecycle_stage: deleted\n").unwrap();
        assert_eq!((old.info.name, old.end, old.deleted), (None, None, true));
        for broken in ["", "run_id", "name: x\n", "run_id: [", "{"] {
            assert_eq!(Meta::of(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn tags_of_the_owner_are_labels_and_those_of_mlflow_are_facts() {
        assert_eq!(of_tag("team", "vision"), Fact::Label(Arc::from("team=vision")));
        assert_eq!(of_tag("mlflow.runName", "a"), Fact::Name(Arc::from("a")));
        assert_eq!(of_tag("mlflow.user", "me"), Fact::Other);
        assert_eq!(of_tag("mlflow.runName", ""), Fact::Other);
    }
}
