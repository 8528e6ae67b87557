//! Confusion matrices in TensorBoard logs: markdown tables in texts, and square tensors under a tag with that name.
//!
//! **Orientation:** rows are the true classes, as scikit-learn, `tf.math.confusion_matrix` and torchmetrics make
//! them, unless the table itself says otherwise: a corner `predicted \ true`, or rows named `pred cat`.

use std::sync::Arc;

use ndarray::Array2;

use super::{tensor::Tensor, values::Place};
use crate::{
    formats::wire::numbers::number,
    model::{ConfusionMatrix, ConfusionRecord, Record, WallTime},
};

/// Classes of one matrix; more are no table that a person reads.
const CLASSES_LIMIT: usize = 1024;
/// What is said of a matrix and not of the data it was made on.
const OF_ITSELF: &[&str] = &["confusion", "matrix", "mat", "cm", "text", "summary", "table"];

/// Whether a tag says that its values are confusion matrices.
pub(super) fn is_named_so(tag: &str) -> bool {
    tag.to_ascii_lowercase().contains("confusion")
}

/// The matrix in a rank-2 tensor.
pub(super) fn of_tensor(tensor: &Tensor<'_>, tag: &str, place: Place) -> Option<Record> {
    let [rows, columns] = *tensor.shape() else { return None };
    let classes = usize::try_from(rows).ok().filter(|n| (2..=CLASSES_LIMIT).contains(n))?;
    if rows != columns || !tensor.dtype.is_numeric() {
        return None;
    }
    let counts = Array2::from_shape_vec((classes, classes), tensor.numbers()?).ok()?;
    Some(record(ConfusionMatrix::new(counts).ok()?, None, tag, place))
}

/// The matrix in a markdown table: as many rows as columns, named alike, with counts in all cells.
pub(super) fn of_text(text: &str, tag: &str, place: Place) -> Option<Record> {
    let mut lines = text.lines().map(str::trim).filter(|line| line.contains('|'));
    let (corner, columns) = split_row(lines.next()?)?;
    if columns.len() < 2 || columns.len() > CLASSES_LIMIT {
        return None;
    }
    let mut names = Vec::with_capacity(columns.len());
    let mut counts = Vec::with_capacity(columns.len());
    for line in lines {
        let (name, cells) = split_row(line)?;
        if is_rule(line) {
            continue;
        }
        if cells.len() != columns.len() || names.len() >= columns.len() {
            return None;
        }
        names.push(name);
        for cell in cells {
            counts.push(number(cell.trim_matches('*').as_bytes())?);
        }
    }
    let rows: Vec<&str> = names.iter().map(|name| without_role(name)).collect();
    let named_alike = rows.iter().copied().eq(columns.iter().map(|name| without_role(name)));
    if names.len() != columns.len() || !(named_alike || is_named_so(tag)) {
        return None;
    }
    let counts = Array2::from_shape_vec((names.len(), names.len()), counts).ok()?;
    let matrix = if rows_are_predicted(corner, &names, &columns) {
        ConfusionMatrix::from_predicted_rows(counts)
    } else {
        ConfusionMatrix::new(counts)
    };
    let names = named_alike.then(|| rows.iter().map(|name| Arc::from(*name)).collect());
    Some(record(matrix.ok()?, names, tag, place))
}

fn record(matrix: ConfusionMatrix, names: Option<Arc<[Arc<str>]>>, tag: &str, place: Place) -> Record {
    Record::Confusion(ConfusionRecord {
        split: Arc::from(data_of(tag)),
        step: place.step,
        epoch: None,
        wall: WallTime(place.wall),
        matrix,
        names,
        task: Arc::from(""),
    })
}

/// What a tag says besides being a confusion matrix: `val/confusion_matrix/text_summary` is of `val`.
fn data_of(tag: &str) -> String {
    let words = tag.split(['/', '_', ' ', '-']).filter(|word| !word.is_empty());
    let others = words.filter(|word| !OF_ITSELF.iter().any(|own| own.eq_ignore_ascii_case(word)));
    others.collect::<Vec<_>>().join(" ")
}

/// The first cell of a row, and the others.
fn split_row(line: &str) -> Option<(&str, Vec<&str>)> {
    // a stroke at one end only separates cells, the first of which is empty
    let line = line.strip_prefix('|').and_then(|inner| inner.strip_suffix('|')).unwrap_or(line);
    let mut cells = line.split('|').map(str::trim);
    Some((cells.next()?.trim_matches('*'), cells.collect()))
}

/// `|---|:--:|`
fn is_rule(line: &str) -> bool {
    line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

fn says(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.starts_with(word))
}

const PREDICTED: &[&str] = &["pred"];
const TRUE: &[&str] = &["true", "actual", "target", "label", "truth", "ground"];

/// A class without the word that says which of the two it is: `pred cat`, `True: cat`.
fn without_role(name: &str) -> &str {
    let name = name.trim_matches('*').trim();
    match name.split_once([' ', ':', '_']) {
        Some((role, rest)) if says(role, PREDICTED) || says(role, TRUE) => {
            rest.trim_start_matches([':', ' ', '_'])
        }
        _ => name,
    }
}

fn rows_are_predicted(corner: &str, rows: &[&str], columns: &[&str]) -> bool {
    let all = |names: &[&str], words: &[&str]| {
        names.iter().all(|name| without_role(name) != *name && says(name, words))
    };
    // a corner names the rows first, the columns behind the stroke
    let first = corner.split(['\\', '/', ' ', '|', '↓']).find(|word| !word.is_empty()).unwrap_or_default();
    says(first, PREDICTED) || all(rows, PREDICTED) || all(columns, TRUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, tag: &str) -> Option<ConfusionRecord> {
        let place = Place { offset: 0, bytes: 1, wall: 1.0, step: 7 };
        match of_text(text, tag, place)? {
            Record::Confusion(record) => Some(record),
            _ => None,
        }
    }

    #[test]
    fn a_square_table_with_equal_names_is_a_matrix_with_true_rows() {
        let table = "Epoch 3:\n\n|  | cat | dog |\n|:--|--:|--:|\n| **cat** | 5 | 1 |\n| **dog** | 2 | 4 |\n";
        let found = read(table, "val/report/text_summary").unwrap();
        assert_eq!((found.step, &*found.split), (7, "val report"));
        assert_eq!(found.matrix.counts()[[0, 1]], 1.0, "a cat taken for a dog");
        assert_eq!(found.names.unwrap().iter().map(|n| &**n).collect::<Vec<_>>(), ["cat", "dog"]);
    }

    #[test]
    fn a_table_says_itself_when_its_rows_are_predictions() {
        for table in [
            "pred \\ true | cat | dog\n---|---|---\ncat | 5 | 1\ndog | 2 | 4",
            "| Predicted/Actual | cat | dog |\n|-|-|-|\n| cat | 5 | 1 |\n| dog | 2 | 4 |",
            "| | cat | dog |\n|-|-|-|\n| pred cat | 5 | 1 |\n| pred dog | 2 | 4 |",
            "| | true cat | true dog |\n|-|-|-|\n| pred cat | 5 | 1 |\n| pred dog | 2 | 4 |",
        ] {
            let found = read(table, "confusion").unwrap();
            assert_eq!(found.matrix.counts()[[0, 1]], 2.0, "{table}");
            assert_eq!(&*found.split, "");
        }
        let rows_true = "true \\ pred | cat | dog\n---|---|---\ncat | 5 | 1\ndog | 2 | 4";
        assert_eq!(read(rows_true, "cm").unwrap().matrix.counts()[[0, 1]], 1.0);
    }

    #[test]
    fn other_tables_are_no_matrices() {
        for table in [
            "| name | value | unit |\n|-|-|-|\n| loss | 5 | 1 |\n| acc | 2 | 4 |",
            "| | cat | dog |\n|-|-|-|\n| cat | 5 | 1 |",
            "| | cat | dog |\n|-|-|-|\n| cat | 5 | x |\n| dog | 2 | 4 |",
            "| | cat | dog |\n|-|-|-|\n| cat | 5 | -1 |\n| dog | 2 | 4 |",
            "| | cat | dog |\n|-|-|-|\n| cat | 5 |\n| dog | 2 | 4 |",
            "no table",
            "",
            "a | b",
        ] {
            assert!(read(table, "notes").is_none(), "{table}");
        }
    }
}
