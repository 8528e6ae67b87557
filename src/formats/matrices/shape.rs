//! From numbers and names to a matrix whose rows are the true classes.

use std::sync::Arc;

use ndarray::Array2;
use rustc_hash::FxHashMap;

use crate::model::ConfusionMatrix;

/// Classes of one matrix; a dense one of so many takes 32 MiB.
const CLASSES_LIMIT: usize = 2048;

/// Counts and the names of their classes.
#[derive(Debug)]
pub(in crate::formats) struct Matrix {
    pub counts: ConfusionMatrix,
    pub names: Option<Vec<Arc<str>>>,
}

/// From rows of numbers. `names` must be as many as rows, or none.
pub(in crate::formats) fn from_rows(
    rows: &[Vec<f64>],
    names: Option<Vec<Arc<str>>>,
    rows_true: bool,
) -> Result<Matrix, &'static str> {
    let classes = rows.len();
    if classes == 0 || rows.iter().any(|row| row.len() != classes) {
        return Err("a confusion matrix that is not square");
    }
    if classes > CLASSES_LIMIT {
        return Err("a confusion matrix of more than 2048 classes");
    }
    if names.as_ref().is_some_and(|names| names.len() != classes) {
        return Err("a confusion matrix with fewer or more names than classes");
    }
    let flat: Vec<f64> = rows.iter().flatten().copied().collect();
    let counts = Array2::from_shape_vec((classes, classes), flat);
    let counts = counts.map_err(|_| "a confusion matrix that is not square")?;
    Ok(Matrix { counts: oriented(counts, rows_true)?, names })
}

fn oriented(counts: Array2<f64>, rows_true: bool) -> Result<ConfusionMatrix, &'static str> {
    let made =
        if rows_true { ConfusionMatrix::new(counts) } else { ConfusionMatrix::from_predicted_rows(counts) };
    made.map_err(|_| "a confusion matrix with negative or non-finite counts")
}

/// From cells `(true class, predicted class, count)`, which may repeat. Classes are in the order of their numbers where
/// all names are numbers, otherwise of the alphabet: the order in which samples came says nothing.
pub(in crate::formats) fn from_cells<'a>(
    cells: impl Iterator<Item = (&'a str, &'a str, f64)>,
) -> Result<Matrix, &'static str> {
    let mut sums: FxHashMap<(&str, &str), f64> = FxHashMap::default();
    for (actual, predicted, count) in cells {
        *sums.entry((actual, predicted)).or_default() += count;
        if sums.len() > CLASSES_LIMIT * CLASSES_LIMIT {
            return Err("a confusion matrix of more than 2048 classes");
        }
    }
    let mut names: Vec<&str> = sums.keys().flat_map(|(actual, predicted)| [*actual, *predicted]).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Err("a confusion matrix without classes");
    }
    if names.len() > CLASSES_LIMIT {
        return Err("a confusion matrix of more than 2048 classes");
    }
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse::<f64>().ok()).collect();
    if numbers.is_some() {
        names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
    }
    let places: FxHashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut counts = Array2::zeros((names.len(), names.len()));
    for ((actual, predicted), count) in sums {
        let at = places.get(actual).zip(places.get(predicted));
        if let Some(cell) = at.and_then(|(row, column)| counts.get_mut((*row, *column))) {
            *cell += count;
        }
    }
    let names = names.into_iter().map(Arc::from).collect();
    Ok(Matrix { counts: oriented(counts, true)?, names: Some(names) })
}
