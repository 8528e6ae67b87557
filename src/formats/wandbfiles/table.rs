//! Tables, `media/table/<key>_<step>_<hash>.table.json`. Those of `wandb.plot.confusion_matrix` have the columns
//! `Actual`, `Predicted` and `nPredictions` and a row for each pair of classes.

use std::{path::Path, sync::Arc};

use ndarray::Array2;
use rustc_hash::FxHashMap;

use crate::{
    formats::{
        Decoded,
        document::{Unread, whole_json},
        wire::json_tree::Json,
    },
    model::{ConfusionMatrix, ConfusionRecord, Record, Step, WallTime},
};

/// Classes of a matrix that is read.
const CLASSES_LIMIT: usize = 1024;

/// What a table's path says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Name {
    /// The key under which it was logged, without the `_table` that W&B adds to those of its plots.
    pub key: Arc<str>,
    pub step: Step,
}

impl Name {
    /// Keys with slashes are folders below `media/table`.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(".table.json").unwrap_or(name);
        let mut parts = name.rsplitn(3, '_');
        let (_, step, key) = (parts.next(), parts.next(), parts.next());
        let (key, step) = match (key, step.and_then(|step| step.parse().ok())) {
            (Some(key), Some(step)) => (key, step),
            _ => (name, 0),
        };
        let mut folders: Vec<&str> = path
            .ancestors()
            .skip(1)
            .map_while(|folder| folder.file_name()?.to_str())
            .take_while(|folder| *folder != "table")
            .take(32)
            .collect();
        // Somewhere else than in a run's folder the names of folders say nothing.
        if !path.components().any(|c| c.as_os_str() == "table") {
            folders.clear();
        }
        folders.reverse();
        folders.push(key.strip_suffix("_table").unwrap_or(key));
        Self { key: folders.join("/").into(), step }
    }
}

/// Reads a table. What is no confusion matrix is in the log as well, with its shape, and is not counted twice.
pub(super) fn read(bytes: &[u8], name: &Name, out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    let table = json.object().ok_or(Unread::Broken("no JSON object"))?;
    let columns = table.get("columns").and_then(Json::elements).unwrap_or_default();
    let place = |wanted: &str| columns.iter().position(|column| column.text() == Some(wanted));
    if let (Some(actual), Some(predicted), Some(count)) =
        (place("Actual"), place("Predicted"), place("nPredictions"))
    {
        let rows = table.get("data").and_then(Json::elements).unwrap_or_default();
        let mut cells = Cells::default();
        for row in rows.iter() {
            let row = row.elements().unwrap_or_default();
            let cell = |at: usize| row.get(at);
            let name = |at: usize| cell(at).and_then(Json::name);
            let (Some(actual), Some(predicted), Some(count)) =
                (name(actual), name(predicted), cell(count).and_then(Json::number))
            else {
                return Err(Unread::Broken("a row of the confusion matrix that is none"));
            };
            cells.add(&actual, &predicted, count).ok_or(Unread::Broken("more than 1024 classes"))?;
        }
        let (matrix, names) = cells.matrix().ok_or(Unread::Broken("the counts are no confusion matrix"))?;
        out.record(Record::Confusion(ConfusionRecord {
            split: Arc::clone(&name.key),
            step: name.step,
            epoch: None,
            wall: WallTime::UNKNOWN,
            matrix,
            names: Some(names),
            task: Arc::clone(&name.key),
        }));
    }
    out.count_records(1);
    Ok(())
}

/// Counts by class, the classes in order of first appearance: first among the actual ones, which W&B writes in the
/// order of `class_names`.
#[derive(Default)]
struct Cells {
    names: Vec<Arc<str>>,
    places: FxHashMap<Arc<str>, usize>,
    counts: Vec<(usize, usize, f64)>,
}

impl Cells {
    fn class(&mut self, name: &str) -> Option<usize> {
        if let Some(at) = self.places.get(name) {
            return Some(*at);
        }
        let at = self.names.len();
        if at >= CLASSES_LIMIT {
            return None;
        }
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.places.insert(name, at);
        Some(at)
    }

    fn add(&mut self, actual: &str, predicted: &str, count: f64) -> Option<()> {
        let cell = (self.class(actual)?, self.class(predicted)?, count);
        self.counts.push(cell);
        Some(())
    }

    /// Rows are the actual classes.
    fn matrix(self) -> Option<(ConfusionMatrix, Arc<[Arc<str>]>)> {
        let classes = self.names.len();
        let mut matrix = Array2::zeros((classes, classes));
        for (actual, predicted, count) in self.counts {
            *matrix.get_mut((actual, predicted))? += count;
        }
        Some((ConfusionMatrix::new(matrix).ok()?, self.names.into()))
    }
}
