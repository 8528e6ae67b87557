//! Matrices in JSON: `{labels, matrix}`, a nested list, a list of samples or cells.

use std::sync::Arc;

use super::{
    Found,
    orientation::{Side, agree, side},
    shape::{Matrix, from_cells, from_rows},
};
use crate::formats::{
    document::{Unread, whole_json},
    wire::json_tree::{Json, Object},
};

const MATRIX: &[&str] = &["matrix", "confusion_matrix", "confusionMatrix", "cm", "counts", "m"];
const LABELS: &[&str] = &["labels", "classes", "class_names", "names", "target_names", "categories"];
const ROWS: &[&str] = &["rowLabel", "row_label", "rows", "row_axis", "ylabel", "y_label"];
const COLUMNS: &[&str] =
    &["columnLabel", "column_label", "columns", "cols", "column_axis", "xlabel", "x_label"];

pub(in crate::formats) fn json(text: &[u8]) -> Result<Found, Unread> {
    let json = Json::parse(whole_json(text)?)?;
    let found = match &json {
        Json::Object(object) => of_object(object),
        Json::Array(_) => of_list(&json).map(|matrix| (matrix, None)),
        _ => Err("no confusion matrix: neither an object nor a list"),
    };
    Ok(match found {
        Ok((matrix, step)) => Found::Matrix(matrix, step),
        Err(reason) => Found::Other(reason),
    })
}

fn get<'j, 'a>(object: &'j Object<'a>, keys: &[&str]) -> Option<&'j Json<'a>> {
    keys.iter().find_map(|key| object.get(key))
}

fn of_object(object: &Object<'_>) -> Result<(Matrix, Option<i64>), &'static str> {
    let step = ["step", "global_step", "iteration", "epoch"].iter().find_map(|key| object.integer(key));
    let Some(matrix) = get(object, MATRIX) else {
        let nested = object.entries().all(|(_, value)| value.object().is_some());
        return Err(match nested {
            // pandas writes columns first, people write rows first
            true => "a confusion matrix of names within names, which does not say which are true",
            false => "no confusion matrix under a known name",
        });
    };
    if matrix.object().is_some() {
        return Err("a confusion matrix of names within names, which does not say which are true");
    }
    let said = |keys| get(object, keys).and_then(Json::text).and_then(side);
    let rows_true = agree(said(ROWS), said(COLUMNS))?.unwrap_or(true);
    let names = get(object, LABELS).and_then(Json::elements).map(|names| {
        names.iter().filter_map(|name| Some(Arc::from(&*name.name()?))).collect::<Vec<Arc<str>>>()
    });
    Ok((from_rows(&rows(matrix)?, names, rows_true)?, step))
}

fn rows(matrix: &Json<'_>) -> Result<Vec<Vec<f64>>, &'static str> {
    const NO_ROWS: &str = "a confusion matrix that is no list of rows of numbers";
    let rows = matrix.elements().ok_or(NO_ROWS)?;
    rows.iter().map(|row| row.numbers().map(|row| row.to_vec()).ok_or(NO_ROWS)).collect()
}

fn of_list(json: &Json<'_>) -> Result<Matrix, &'static str> {
    let elements = json.elements().unwrap_or_default();
    if elements.first().is_some_and(|first| first.object().is_some()) {
        return samples(json);
    }
    from_rows(&rows(json)?, None, true)
}

/// `[{"actual": "a", "predicted": "b"}, …]`, one per sample, or one per cell with its count.
pub(in crate::formats) fn samples(json: &Json<'_>) -> Result<Matrix, &'static str> {
    const NOT_SAMPLES: &str = "a list of objects that do not hold a true and a predicted class";
    let elements = json.elements().ok_or(NOT_SAMPLES)?;
    let mut cells = Vec::with_capacity(elements.len());
    for element in elements.iter() {
        let object = element.object().ok_or(NOT_SAMPLES)?;
        let of =
            |wanted| object.entries().find(|(key, _)| side(key) == Some(wanted)).and_then(|(_, v)| v.name());
        let (actual, predicted) = of(Side::True).zip(of(Side::Predicted)).ok_or(NOT_SAMPLES)?;
        let count = ["count", "n", "value"].iter().find_map(|key| object.number(key)).unwrap_or(1.0);
        cells.push((actual, predicted, count));
    }
    from_cells(cells.iter().map(|(actual, predicted, count)| (&**actual, &**predicted, *count)))
}
