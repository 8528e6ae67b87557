//! Confusion matrices and the names of classes.

use std::sync::Arc;

use ndarray::Array2;

use super::{
    envelope::Envelope,
    payload::numeric_array,
    record::{Reason, required_step, unknown_keys},
};
use crate::{
    formats::{
        Decoded,
        wire::{
            json_tree::{Json, Object},
            numbers::integer,
        },
    },
    model::{ConfusionMatrix, ConfusionRecord, Record},
};

/// Classes of one matrix; a dense one of so many takes 32 MiB.
const CLASSES_LIMIT: usize = 2048;
/// Tasks whose names are remembered for sparse matrices.
const TASKS_LIMIT: usize = 64;

type Names = Arc<[Arc<str>]>;

/// Class names by task, as far as the file has said.
#[derive(Debug, Default)]
pub struct ClassNames(Vec<(Arc<str>, Names)>);

impl ClassNames {
    fn of(&self, task: &str) -> Option<&Names> {
        match self.0.iter().find(|(known, _)| &**known == task) {
            Some((_, names)) => Some(names),
            // a matrix that names no task means the only one
            None if task.is_empty() && self.0.len() == 1 => self.0.first().map(|(_, names)| names),
            None => None,
        }
    }

    fn set(&mut self, task: &str, names: Names) {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| &**known == task) {
            *known = names;
        } else if self.0.len() < TASKS_LIMIT {
            self.0.push((Arc::from(task), names));
        }
    }
}

fn texts(json: &Json<'_>) -> Option<Vec<Arc<str>>> {
    json.elements()?.iter().map(|name| Some(Arc::from(&*name.name()?))).collect()
}

/// `classes`
pub fn classes(record: &Object<'_>, known: &mut ClassNames, out: &mut Decoded) -> Result<(), Reason> {
    let names = record.get("names").and_then(texts).filter(|names| !names.is_empty());
    let names: Names = names.ok_or("a classes record without a list of `names`")?.into();
    unknown_keys("classes", record, &["task", "names", "positive"], out);
    let task = record.text("task").unwrap_or_default();
    known.set(task, names.clone());
    out.record(Record::Classes { task: Arc::from(task), names });
    Ok(())
}

/// `confusion`
pub fn confusion(
    record: &Object<'_>,
    envelope: &Envelope,
    known: &ClassNames,
    out: &mut Decoded,
) -> Result<(), Reason> {
    let step = required_step(envelope)?;
    let rows_predicted = match record.text("rows") {
        Some("true") => false,
        Some("pred") => true,
        _ => return Err("a confusion matrix must say `rows`: \"true\" or \"pred\"".into()),
    };
    let (task, mut names) = match record.get("labels") {
        Some(Json::Text(task)) => (&**task, None),
        Some(list) => ("", Some(texts(list).ok_or("`labels` is neither a task nor a list of names")?)),
        None => ("", None),
    };
    let counts = match (record.get("m"), record.get("sparse")) {
        (Some(dense), _) => matrix(dense)?,
        (None, Some(cells)) => {
            let start = names.take().or_else(|| known.of(task).map(|names| names.to_vec()));
            let (counts, all) = sparse(cells, start.unwrap_or_default())?;
            names = Some(all).filter(|all| !all.is_empty());
            counts
        }
        (None, None) => return Err("a confusion matrix without `m` or `sparse`".into()),
    };
    if names.as_ref().is_some_and(|names| names.len() != counts.nrows()) {
        return Err("as many `labels` as classes are needed".into());
    }
    let made = if rows_predicted {
        ConfusionMatrix::from_predicted_rows(counts)
    } else {
        ConfusionMatrix::new(counts)
    };
    let matrix = made.map_err(|e| e.to_string())?;
    unknown_keys("confusion", record, &["rows", "labels", "m", "sparse", "weighted"], out);
    out.record(Record::Confusion(ConfusionRecord {
        split: Arc::from(&*envelope.context),
        step,
        epoch: envelope.epoch,
        wall: envelope.wall,
        matrix,
        names: names.map(Into::into),
        task: Arc::from(task),
    }));
    Ok(())
}

fn matrix(json: &Json<'_>) -> Result<Array2<f64>, Reason> {
    let array = numeric_array(json, CLASSES_LIMIT * CLASSES_LIMIT).map_err(|e| format!("m: {e}"))?;
    let [rows, columns] = *array.shape() else {
        return Err("the matrix does not have two axes".into());
    };
    Array2::from_shape_vec((rows, columns), array.values().to_vec()).map_err(|e| e.to_string().into())
}

/// Cells `[row class, column class, count]`; classes by name or by number. Names that are new are added.
fn sparse(json: &Json<'_>, mut names: Vec<Arc<str>>) -> Result<(Array2<f64>, Vec<Arc<str>>), Reason> {
    const TRIPLES: &str = "`sparse` needs triples of row class, column class and count";
    let mut cells = Vec::new();
    let mut size = names.len();
    for triple in json.elements().ok_or(TRIPLES)?.iter() {
        let triple = triple.elements().ok_or(TRIPLES)?;
        let [row, column, count] = &*triple else { return Err(TRIPLES.into()) };
        let row = place(row, &mut names).ok_or(TRIPLES)?;
        let column = place(column, &mut names).ok_or(TRIPLES)?;
        size = size.max(row + 1).max(column + 1).max(names.len());
        if size > CLASSES_LIMIT {
            return Err("more than 2048 classes".into());
        }
        cells.push((row, column, count.number().ok_or(TRIPLES)?));
    }
    if size > CLASSES_LIMIT {
        return Err("more than 2048 classes".into());
    }
    let mut counts = Array2::zeros((size, size));
    for (row, column, count) in cells {
        counts[[row, column]] += count;
    }
    if !names.is_empty() {
        (names.len()..size).for_each(|class| names.push(Arc::from(class.to_string())));
    }
    Ok((counts, names))
}

fn place(class: &Json<'_>, names: &mut Vec<Arc<str>>) -> Option<usize> {
    if let Some(name) = class.text() {
        return Some(names.iter().position(|known| &**known == name).unwrap_or_else(|| {
            names.push(Arc::from(name));
            names.len() - 1
        }));
    }
    class.number().and_then(integer).and_then(|class| usize::try_from(class).ok())
}
