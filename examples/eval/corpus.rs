//! The corpus on disk: what is true of each run, and which runs are replayed together.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use epochscope::model::Step;
use serde_json::Value;

/// What the generator knows of a run.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Its name, unique in a part.
    pub id: String,
    /// The folder of its logs below the corpus.
    pub run: String,
    /// `tuning` or `test`.
    pub part: String,
    /// The class of the fault; `None` for a healthy run.
    pub fault: Option<String>,
    /// How it was brought about, or what makes the healthy run special.
    pub variant: String,
    /// Where the fault begins, in the log's own steps.
    pub onset: Step,
    /// Where the damage is done, if that can be said.
    pub damage: Option<Step>,
    /// The largest step.
    pub last_step: Step,
    /// Steps between two logged training values.
    pub interval: f64,
    /// Steps between two evaluations, two records of layers or two matrices: what the rules of the class can see.
    pub looks: f64,
    /// Rules that are right.
    pub expected: Vec<String>,
    /// Rules that name the cause.
    pub top: Vec<String>,
    /// Rules whose condition holds as a consequence: neither right nor wrong.
    pub related: Vec<String>,
    /// Where the virtual clock stands when the replay ends.
    pub now_end: f64,
    /// Steps and wall times in the order of the log, for formats without times.
    pub clock: Vec<(Step, f64)>,
    /// The folder that the run is replayed in together with its siblings.
    pub group: Option<String>,
}

/// Runs that are replayed into one engine.
#[derive(Clone, Debug)]
pub struct Case {
    /// The folder that is read.
    pub root: PathBuf,
    /// What is known of the runs in it; empty for healthy trees without truth.
    pub truths: Vec<Truth>,
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn step(value: &Value, key: &str) -> Option<Step> {
    value.get(key).and_then(Value::as_f64).map(|v| v as Step)
}

fn truth(value: &Value) -> Truth {
    let pair = |v: &Value| Some((v.get(0)?.as_f64()? as Step, v.get(1)?.as_f64()?));
    Truth {
        id: text(value, "id"),
        run: text(value, "run"),
        part: text(value, "part"),
        fault: value.get("fault").and_then(Value::as_str).map(str::to_owned),
        variant: text(value, "variant"),
        onset: step(value, "onset_step").unwrap_or(0),
        damage: step(value, "damage_step"),
        last_step: step(value, "last_step").unwrap_or(0),
        interval: value.get("interval").and_then(Value::as_f64).unwrap_or(1.0).max(1.0),
        looks: 0.0,
        expected: texts(value, "expected"),
        top: texts(value, "top"),
        related: texts(value, "related"),
        now_end: value.get("now_end").and_then(Value::as_f64).unwrap_or(f64::NAN),
        clock: value.get("clock").and_then(Value::as_array).into_iter().flatten().filter_map(pair).collect(),
        group: value.get("group").and_then(Value::as_str).map(str::to_owned),
    }
}

/// All cases of the parts of a corpus, in the order of their names.
pub fn load(corpus: &Path, parts: &[&str]) -> Result<Vec<Case>, String> {
    let mut cases: BTreeMap<PathBuf, Case> = BTreeMap::new();
    for part in parts {
        let folder = corpus.join(part).join("truth");
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let content = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            // Python writes NaN where a check had nothing to say.
            let content =
                content.replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null");
            let value = serde_json::from_str(&content).map_err(|e| format!("{}: {e}", path.display()))?;
            let truth = truth(&value);
            let root = corpus.join(truth.group.as_ref().unwrap_or(&truth.run));
            cases.entry(root.clone()).or_insert(Case { root, truths: Vec::new() }).truths.push(truth);
        }
    }
    Ok(cases.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truth_is_read_with_what_it_leaves_out() {
        let value =
            serde_json::json!({"id": "a", "fault": null, "interval": 0.0, "clock": [[1, 2.5], [2, 3.5]]});
        let truth = truth(&value);
        assert_eq!((truth.fault, truth.interval, truth.onset), (None, 1.0, 0));
        assert_eq!(truth.clock, [(1, 2.5), (2, 3.5)]);
    }
}
