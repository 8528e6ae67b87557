//! Confusion matrices in files that are named so: `*confusion*.csv`, `.tsv`, `.json`, as scikit-learn users, DVC and
//! evaluation scripts write them.
//!
//! **Orientation** is told by words, in this order: the names of the axes (`rowLabel`, `rows`, `columns`), the corner of
//! the table (`actual\predicted`; a single word speaks of the rows, as pandas writes the name of its index), a word that
//! all names of rows or all names of columns begin with (`pred_cat`, `true dog`). Where nothing is said, rows are the
//! true classes, as `sklearn.metrics.confusion_matrix` has it. Where words contradict each other, or a writer's shape can
//! mean either (`{name: {name: count}}`), nothing is guessed: the file is kept as a table, with the reason.

mod json;
mod orientation;
mod place;
mod shape;
mod table;

use std::{path::Path, sync::Arc};

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, Unread, first_keys},
    wire::{
        axes::Axis,
        lines::{is_text, named, trim, without_mark},
    },
};
use crate::model::{ConfusionRecord, Payload, Record, WallTime};
pub(super) use json::{json, samples};
pub(super) use orientation::rows_are_true;
pub(super) use shape::{Matrix, from_rows};

/// Documents larger than this hold no matrix.
const DOCUMENT_LIMIT: usize = 4 << 20;

/// Files named so.
pub struct Matrices;

impl Format for Matrices {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn summary(&self) -> &'static str {
        "Confusion matrices in files named so: square tables, `actual,predicted[,count]`, `{labels, matrix}`"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*confusion*.csv", "*confusion*.tsv", "*confusion*.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let table = named(file.name, ".csv") || named(file.name, ".tsv");
        let json = named(file.name, ".json") && !named(file.name, ".table.json");
        if !(table || json) || !file.name.to_ascii_lowercase().contains("confusion") {
            return Claim::No("");
        }
        let head = trim(without_mark(file.head));
        let Some(first) = head.first() else { return Claim::NotYet };
        if !is_text(file.head) {
            return Claim::No("no text");
        }
        let log = if table {
            let header = head.split(|b| *b == b'\n').next().unwrap_or_default();
            let mut names = table::cells(header).into_iter();
            names.any(|name| Axis::of(&name).is_step())
        } else {
            let keys = first_keys(head);
            !matches!(first, b'{' | b'[') || keys.iter().any(|key| key == "loss")
        };
        if log { Claim::No("named after confusion, but a log") } else { Claim::Yes }
    }

    /// Such files lie beside the log of the run that they speak of.
    fn standing(&self, _path: &Path) -> Standing {
        Standing::side(0)
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let path = opening.path.to_path_buf();
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| read(&path, bytes, out)))
    }
}

/// What a file holds.
pub(super) enum Found {
    /// A matrix, and the step if the file says it.
    Matrix(Matrix, Option<i64>),
    /// Something else, and why.
    Other(&'static str),
}

fn read(path: &Path, bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    if bytes.len() > DOCUMENT_LIMIT {
        return Err(Unread::Broken("a confusion matrix of more than 4 MiB"));
    }
    let text = trim(without_mark(bytes));
    let found = match text.first() {
        None => return Err(Unread::NotWhole),
        Some(b'{' | b'[') => json(text)?,
        Some(_) => table::table(text)?,
    };
    say(path, bytes.len(), found, out);
    out.count_records(1);
    Ok(())
}

/// Hands out what was found; step and split from the file's name where the content does not say.
pub(super) fn say(path: &Path, bytes: usize, found: Found, out: &mut Decoded) {
    let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    match found {
        Found::Matrix(matrix, step) => {
            let (named_step, epoch) = place::step_of(&stem);
            out.record(Record::Confusion(ConfusionRecord {
                split: Arc::from(place::split_of(&stem)),
                step: step.or(named_step).unwrap_or(0),
                epoch,
                wall: WallTime::UNKNOWN,
                matrix: matrix.counts,
                names: matrix.names.map(Into::into),
                task: Arc::from(""),
            }));
        }
        Found::Other(reason) => {
            out.oddity(reason);
            let why = vec![(Arc::from("reason"), Payload::Text(Arc::from(reason)))];
            out.record(super::document::table(&stem, why, 0, bytes));
        }
    }
}

#[cfg(test)]
mod tests;
