//! `all_results.json`, `train_results.json` and `eval_results.json`, which Hugging Face's example scripts write beside
//! the trainer's state (`Trainer.save_metrics`): final numbers, no step. Those of the training and the evaluation are
//! in the state's history with their step, so that they are kept as a table here.

use std::path::Path;

use crate::formats::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, Unread, first_keys, summary, whole_json},
    wire::json_tree::Json,
};

const NAMES: &[&str] =
    &["all_results.json", "train_results.json", "eval_results.json", "predict_results.json"];

/// Final numbers of a Hugging Face script.
pub struct HfResults;

impl Format for HfResults {
    fn name(&self) -> &'static str {
        "hfresults"
    }

    fn summary(&self) -> &'static str {
        "Hugging Face `all_results.json` and its like: final numbers beside a `trainer_state.json`"
    }

    fn patterns(&self) -> &'static [&'static str] {
        NAMES
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if !NAMES.contains(&file.name) {
            return Claim::No("");
        }
        let keys = first_keys(file.head);
        let known = |key: &String| {
            key == "epoch" || ["train_", "eval_", "predict_", "test_"].iter().any(|p| key.starts_with(p))
        };
        match keys.iter().any(known) {
            true => Claim::Yes,
            false if file.head.len() < 32 => Claim::NotYet,
            false => Claim::No("no results of a Hugging Face trainer"),
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::side(0)
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let name = opening.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| read(&name, bytes, out)))
    }
}

fn read(name: &str, bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let object = json.object().ok_or(Unread::Broken("no object of results"))?;
    out.record(summary(name, object, bytes.len()));
    out.count_records(1);
    Ok(())
}
