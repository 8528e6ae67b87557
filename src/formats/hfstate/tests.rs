//! States that Hugging Face trainers write.

use super::*;
use crate::formats::Part;

fn decode(text: &str) -> Part {
    let mut out = Decoded::new();
    let mut decoder = HfState.decoder(&Opening::at(Path::new("out/trainer_state.json")));
    let taken = decoder.decode(text.as_bytes(), &mut out).unwrap();
    assert_eq!(taken.bytes, text.len());
    out.take().parts.into_iter().next().unwrap_or_default()
}

fn series(part: &Part, tag: &str) -> Vec<(i64, f64)> {
    let found = part.columns.iter().find(|c| c.key.tag.as_str() == tag);
    found.map_or_else(Vec::new, |c| c.points.iter().map(|p| (p.step, p.value)).collect())
}

#[test]
fn training_and_evaluation_share_a_step_and_the_epoch_comes_once() {
    let part = decode(
        r#"{"global_step": 10, "max_steps": 20, "num_train_epochs": 2, "log_history": [
            {"loss": 2.5, "epoch": 0.5, "step": 5}, {"loss": NaN, "epoch": 1.0, "step": 10},
            {"epoch": 1.0, "eval_loss": "1.5", "eval_per": {"class": 0.25}, "step": 10}]}"#,
    );
    assert_eq!(series(&part, "epoch"), [(5, 0.5), (10, 1.0)]);
    assert_eq!(series(&part, "eval_loss"), [(10, 1.5)]);
    assert_eq!(series(&part, "eval_per/class"), [(10, 0.25)]);
    assert!(series(&part, "loss")[1].1.is_nan());
    assert!(!part.records.iter().any(|r| matches!(r, Record::End(_))), "half of it is still to come");
    let info = part.records.iter().find_map(|r| if let Record::Info(info) = r { Some(info) } else { None });
    let info = info.unwrap();
    assert_eq!((info.steps_total, info.epochs_total), (Some(20), Some(2.0)));
}

#[test]
fn a_training_has_ended_when_it_reached_its_steps_or_decided_to_stop() {
    let ended = |text: &str| decode(text).records.contains(&Record::End(EndStatus::Finished));
    assert!(ended(r#"{"global_step": 20, "max_steps": 20, "log_history": []}"#));
    let early = r#"{"TrainerControl": {"args": {"should_training_stop": true}}}"#;
    assert!(ended(&format!(r#"{{"global_step": 7, "max_steps": 20, "stateful_callbacks": {early}}}"#)));
    assert!(ended(
        r#"{"global_step": 7, "max_steps": 20, "log_history": [{"train_runtime": 1, "step": 7}]}"#
    ));
    // the summary of a training that was resumed later
    assert!(!ended(
        r#"{"global_step": 9, "max_steps": 20, "log_history": [{"train_runtime": 1, "step": 7}]}"#
    ));
}

#[test]
fn the_metric_that_decides_is_named_as_it_is_logged() {
    let part = decode(r#"{"metric_for_best_model": "accuracy", "greater_is_better": true}"#);
    let Some(Record::Info(info)) = part.records.first() else { panic!("{:?}", part.records) };
    assert_eq!(info.goal, Some((Tag::from("eval_accuracy"), Goal::Max)));
}

#[test]
fn a_state_that_is_being_written_says_nothing_yet() {
    let mut out = Decoded::new();
    let mut decoder = HfState.decoder(&Opening::at(Path::new("trainer_state.json")));
    let text = br#"{"global_step": 10, "log_history": [{"loss": 2.5, "step": 5}"#;
    assert_eq!(decoder.decode(text, &mut out).unwrap().bytes, 0);
    assert!(out.take().parts.is_empty());
}

#[test]
fn a_checkpoints_state_speaks_for_the_folder_above() {
    assert_eq!(HfState.standing(Path::new("out/checkpoint-44/trainer_state.json")), Standing::folder(1));
    assert_eq!(HfState.standing(Path::new("out/trainer_state.json")), Standing::folder(0));
}
