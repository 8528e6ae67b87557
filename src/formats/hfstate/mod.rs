//! Hugging Face `trainer_state.json`: what `transformers.Trainer` (and TRL, PEFT, Accelerate examples on top of it)
//! keeps of a training, written with every checkpoint and by `save_state()`.
//!
//! Source: `huggingface/transformers`, `src/transformers/trainer_callback.py::TrainerState`. Each state holds the whole
//! history: of several, the one of the last checkpoint says it all. Rows of training and of evaluation share steps;
//! a resumed training keeps the rows from before.

mod results;
mod rows;

use std::{path::Path, sync::Arc};

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, Unread, each_member, first_keys, folder_above, passed, whole_json},
    wire::{
        json::{Cursor, Kind},
        json_tree::{Json, settings},
        numbers::integer,
    },
};
use crate::model::{EndStatus, Goal, HyperValue, Record, RunInfo, Step, Tag, WallTime};
pub use results::HfResults;
use rows::Rows;

const NAME: &str = "trainer_state.json";

/// Fields of the state that are settings of the training.
const SETTINGS: &[&str] = &["train_batch_size", "logging_steps", "eval_steps", "save_steps"];

/// `trainer_state.json`
pub struct HfState;

impl Format for HfState {
    fn name(&self) -> &'static str {
        "hfstate"
    }

    fn summary(&self) -> &'static str {
        "Hugging Face `trainer_state.json`, in the output folder and in its checkpoints: `transformers`, TRL, PEFT"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["trainer_state.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if file.name != NAME {
            return Claim::No("");
        }
        let keys = first_keys(file.head);
        let known = ["best_metric", "best_global_step", "epoch", "global_step", "log_history", "max_steps"];
        if keys.iter().any(|key| known.contains(&key.as_str())) {
            Claim::Yes
        } else if file.head.len() < 64 {
            Claim::NotYet
        } else {
            Claim::No("no state of a Hugging Face trainer")
        }
    }

    /// A checkpoint's state speaks for the folder that the checkpoint lies in.
    fn standing(&self, path: &Path) -> Standing {
        let checkpoint = folder_above(path, 0).is_some_and(|folder| folder.starts_with("checkpoint-"));
        Standing::folder(usize::from(checkpoint))
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(Document(read))
    }
}

/// What a state says besides its history.
#[derive(Default)]
struct State {
    info: RunInfo,
    settings: Vec<(Arc<str>, HyperValue)>,
    global_step: Option<Step>,
    max_steps: Option<Step>,
    stopped: bool,
    best: Option<String>,
    best_step: Option<Step>,
    goal: (Option<String>, Option<bool>),
}

fn read(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let text = whole_json(bytes)?;
    let mut state = State::default();
    let mut rows = Rows::default();
    each_member(&mut Cursor::new(text), |key, cursor| {
        if key == b"log_history" && cursor.kind()? == Kind::Array {
            return rows.read(cursor, out);
        }
        let value = Json::parse(passed(cursor)?)?;
        state.take(key, &value);
        Ok(())
    })?;
    state.say(&rows, out);
    out.count_records(1);
    Ok(())
}

impl State {
    fn take(&mut self, key: &[u8], value: &Json<'_>) {
        let number = value.number();
        let step = number.and_then(integer);
        let positive = number.filter(|n| *n > 0.0 && n.is_finite());
        match key {
            b"global_step" => self.global_step = step,
            b"max_steps" => self.max_steps = step.filter(|max| *max > 0),
            b"num_train_epochs" => self.info.epochs_total = positive,
            b"best_model_checkpoint" => self.best = value.text().map(str::to_owned),
            b"best_global_step" => self.best_step = step,
            b"metric_for_best_model" => self.goal.0 = value.text().map(str::to_owned),
            b"greater_is_better" => self.goal.1 = value.bool(),
            // a search for hyper-parameters names its trials
            b"trial_name" => self.info.name = value.text().map(Arc::from),
            b"trial_params" => {
                self.settings.extend(value.object().map(settings).unwrap_or_default());
            }
            b"stateful_callbacks" => self.stopped = has_stopped(value),
            _ => {
                let known = SETTINGS.iter().find(|name| name.as_bytes() == key);
                if let (Some(name), Some(number)) = (known, number) {
                    self.settings.push((Arc::from(*name), HyperValue::Number(number)));
                }
            }
        }
    }

    fn say(mut self, rows: &Rows, out: &mut Decoded) {
        self.info.steps_total = self.max_steps;
        if let (Some(metric), Some(greater)) = self.goal {
            // the trainer adds the prefix itself when the user left it out
            let metric = if metric.starts_with("eval_") { metric } else { format!("eval_{metric}") };
            let goal = if greater { Goal::Max } else { Goal::Min };
            self.info.goal = Some((Tag::new(metric), goal));
        }
        if self.info != RunInfo::default() {
            out.record(Record::Info(Box::new(self.info)));
        }
        if !self.settings.is_empty() {
            out.record(Record::Hyperparameters(self.settings));
        }
        if let Some(path) = self.best {
            let kind = Arc::from("best checkpoint");
            out.record(Record::Event {
                step: self.best_step,
                wall: WallTime::UNKNOWN,
                kind,
                value: path.into(),
            });
        }
        let reached = self.global_step.zip(self.max_steps).is_some_and(|(now, max)| now >= max);
        let summed_up = rows.summary_step.is_some() && rows.summary_step == self.global_step;
        if reached || self.stopped || summed_up {
            out.record(Record::End(EndStatus::Finished));
        }
    }
}

/// The trainer, or a callback such as early stopping, decided that this was the last step.
fn has_stopped(callbacks: &Json<'_>) -> bool {
    fn inner<'j, 'a>(json: &'j Json<'a>, key: &str) -> Option<&'j Json<'a>> {
        json.object()?.get(key)
    }
    let args = inner(callbacks, "TrainerControl").and_then(|control| inner(control, "args"));
    args.and_then(|args| inner(args, "should_training_stop")).and_then(Json::bool) == Some(true)
}

#[cfg(test)]
mod tests;
