//! `CatBoost`'s `catboost_info/catboost_training.json`: a line of facts, then a line per iteration.
//!
//! The file as a whole is JSON only when the training is over; until then it lacks its end. Each line is an object by
//! itself, so that it is read line by line as it grows. Values stand in the order of the metrics in `meta`. They are
//! called as in the event files and tables beside it: the metric is the tag, the set (`learn`, `test`) the context.
//!
//! Source: `catboost/catboost`, `catboost/libs/logging`, and `plot_helpers.py`, which reads it.

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    by_line::{ByLine, Place, ReadLine},
    document::first_keys,
    wire::{
        json::JsonError,
        json_tree::{Json, Object},
        lines::trim,
    },
};
use crate::model::{EndStatus, Goal, Point, Record, RunInfo, SeriesKey, Step, Tag};

/// Metrics and sets of a file that are kept.
const NAMES_LIMIT: usize = 1024;

/// `catboost_training.json`
pub struct CatBoost;

impl Format for CatBoost {
    fn name(&self) -> &'static str {
        "catboost"
    }

    fn summary(&self) -> &'static str {
        "CatBoost `catboost_info/catboost_training.json`, also while it is being written"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["catboost_training.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if file.name != "catboost_training.json" {
            return Claim::No("");
        }
        match first_keys(file.head).iter().any(|key| key == "meta" || key == "iterations") {
            true => Claim::Yes,
            false if file.head.len() < 16 => Claim::NotYet,
            false => Claim::No("no log of CatBoost"),
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::folder(0)
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(ByLine::new(CatBoostLines::default()))
    }
}

/// What is known of a file so far.
#[derive(Default)]
struct CatBoostLines {
    /// A set of samples and the series of its metrics, in the order of the values.
    sets: Vec<(String, Vec<SeriesKey>)>,
    last: Option<Step>,
    total: Option<Step>,
}

impl CatBoostLines {
    fn json(&mut self, text: &[u8], out: &mut Decoded) -> Result<(), JsonError> {
        let text = trim(text.strip_suffix(b",").unwrap_or(text));
        if let Some(meta) = text.strip_prefix(b"\"meta\":") {
            let meta = Json::parse(trim(meta))?;
            self.meta(meta.object().ok_or(JsonError::Unexpected)?, out);
            return Ok(());
        }
        match text {
            b"{" | b"\"iterations\":[" | b"" => Ok(()),
            b"]}" | b"]" | b"}" => {
                if self.last.is_some() && self.last.map(|last| last + 1) == self.total {
                    out.record(Record::End(EndStatus::Finished));
                }
                Ok(())
            }
            _ => {
                let json = Json::parse(text)?;
                let object = json.object().ok_or(JsonError::Unexpected)?;
                self.object(object, out);
                Ok(())
            }
        }
    }

    /// One iteration, or the whole file where somebody wrote it anew in one line.
    fn object(&mut self, object: &Object<'_>, out: &mut Decoded) {
        if let Some(meta) = object.get("meta").and_then(Json::object) {
            self.meta(meta, out);
        }
        if let Some(Json::Array(iterations)) = object.get("iterations") {
            iterations.iter().filter_map(Json::object).for_each(|one| self.iteration(one, out));
        } else if object.get("iteration").is_some() {
            self.iteration(object, out);
        }
    }

    fn meta(&mut self, meta: &Object<'_>, out: &mut Decoded) {
        out.count_records(1);
        self.sets.clear();
        for (sets, metrics, usual) in
            [("learn_sets", "learn_metrics", "learn"), ("test_sets", "test_metrics", "test")]
        {
            let metrics = meta.get(metrics).map(metric_names).unwrap_or_default();
            let sets = match meta.get(sets) {
                Some(Json::Array(names)) => names.iter().filter_map(Json::text).collect(),
                _ => vec![usual],
            };
            for set in sets.into_iter().take(NAMES_LIMIT) {
                let keys = metrics.iter().map(|metric| SeriesKey::new(Tag::from(metric.as_str()), set));
                self.sets.push((set.to_owned(), keys.collect()));
            }
        }
        self.total = meta.integer("iteration_count").filter(|count| *count > 0);
        let goal = ["test_metrics", "learn_metrics"].iter().find_map(|key| goal(meta.get(key)?));
        // `experiment` is what CatBoost writes where the user gave no name
        let name = meta.text("name").filter(|name| !matches!(*name, "experiment" | ""));
        out.record(Record::Info(Box::new(RunInfo {
            name: name.map(Into::into),
            framework: Some("CatBoost".into()),
            steps_total: self.total,
            goal,
            ..RunInfo::default()
        })));
    }

    fn iteration(&mut self, object: &Object<'_>, out: &mut Decoded) {
        let Some(step) = object.integer("iteration") else {
            out.oddity("an iteration without its number");
            return;
        };
        out.count_records(1);
        self.last = Some(step);
        for (set, keys) in &self.sets {
            let Some(values) = object.get(set).and_then(Json::elements) else { continue };
            for (key, value) in keys.iter().zip(values.iter()) {
                if let Some(value) = value.number() {
                    out.point(key, Point { step, wall: f64::NAN, value });
                }
            }
        }
        for name in ["passed_time", "remaining_time"] {
            if let Some(value) = object.number(name) {
                out.point(&SeriesKey::plain(name), Point { step, wall: f64::NAN, value });
            }
        }
    }
}

fn metric_names(metrics: &Json<'_>) -> Vec<String> {
    let Json::Array(metrics) = metrics else { return Vec::new() };
    let name = |metric: &Json<'_>| metric.object()?.text("name").map(str::to_owned);
    metrics.iter().take(NAMES_LIMIT).map(|metric| name(metric).unwrap_or_default()).collect()
}

/// The first metric decides: the loss function, or what the user chose for the evaluation. A number instead of `Min`
/// or `Max` is a value to come close to.
fn goal(metrics: &Json<'_>) -> Option<(Tag, Goal)> {
    let Json::Array(metrics) = metrics else { return None };
    let first = metrics.first()?.object()?;
    let goal = match first.text("best_value")? {
        "Min" => Goal::Min,
        "Max" => Goal::Max,
        _ => return None,
    };
    Some((Tag::from(first.text("name")?), goal))
}

impl ReadLine for CatBoostLines {
    fn line(&mut self, text: &[u8], _: Place, out: &mut Decoded) -> Result<(), &'static str> {
        self.json(text, out).map_err(JsonError::reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{
"meta":{"test_sets":["test0","test1"],"test_metrics":[{"best_value":"Max","name":"AUC"},{"best_value":"Min","name":"Logloss"}],"learn_metrics":[{"best_value":"Min","name":"Logloss"}],"iteration_count":2,"learn_sets":["learn"],"name":"night"},
"iterations":[
{"learn":[0.5],"iteration":0,"passed_time":1,"remaining_time":1,"test0":[0.7,0.6],"test1":[nan,0.9]},
{"learn":[NaN],"iteration":1,"passed_time":2,"remaining_time":0,"test0":[0.75,0.5],"test1":[0.8,0.8]}"#;

    fn decode(text: &str) -> super::super::Taken {
        let mut out = Decoded::new();
        let mut decoder = CatBoost.decoder(&Opening::at(Path::new("catboost_training.json")));
        let used = decoder.decode(text.as_bytes(), &mut out).unwrap().bytes;
        decoder.decode_rest(&text.as_bytes()[used..], &mut out);
        out.take()
    }

    fn values(taken: &super::super::Taken, label: &str) -> Vec<f64> {
        let column = taken.parts[0].columns.iter().find(|c| c.key.label() == label);
        column.map_or_else(Vec::new, |c| c.points.iter().map(|p| p.value).collect())
    }

    #[test]
    fn values_belong_to_the_metrics_of_their_set_by_position() {
        let taken = decode(&format!("{START}\n]}}"));
        assert_eq!(values(&taken, "test1/Logloss"), [0.8]);
        assert_eq!(values(&taken, "test0/AUC"), [0.75]);
        assert!(values(&taken, "learn/Logloss")[0].is_nan());
        assert_eq!(taken.skips.len(), 1, "a word that JSON does not know costs its line");
        let records = &taken.parts[0].records;
        assert!(records.contains(&Record::End(EndStatus::Finished)));
        let Record::Info(info) = &records[0] else { panic!("{records:?}") };
        assert_eq!((info.name.as_deref(), info.steps_total), (Some("night"), Some(2)));
        assert_eq!(info.goal, Some((Tag::from("AUC"), Goal::Max)));
    }

    #[test]
    fn a_file_without_its_end_is_a_training_under_way() {
        let taken = decode(START);
        assert_eq!(values(&taken, "test0/Logloss"), [0.5]);
        assert!(!taken.parts[0].records.contains(&Record::End(EndStatus::Finished)));
        let stopped_early = decode(&format!("{}\n]}}", START.replace("count\":2", "count\":500")));
        assert!(!stopped_early.parts[0].records.contains(&Record::End(EndStatus::Finished)));
    }
}
