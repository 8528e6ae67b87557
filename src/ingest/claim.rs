//! Which format a file has, and whether it must be opened to tell.

use std::{io, path::Path, sync::Arc};

use super::{
    group::{FirstRecords, Start},
    packed::{self, Packing},
    reader::contain,
    source::{ReadAt, Stamp, open},
};
use crate::{
    formats::{Candidate, Decoded, Format, HEAD_BYTES, Opening, Recognised, Taught, recognise_among},
    model::Record,
};

/// First records are looked for in this much of a sub-folder's event file: descriptions of hyper-parameters come
/// first and may be long.
const FIRST_RECORDS_BYTES: usize = 64 << 10;

/// What a look at a file found.
pub enum Claimed {
    /// This format reads it.
    As(&'static dyn Format, Stamp),
    /// Too little is written to tell.
    NotYet(Stamp),
    /// Nobody reads it, and why.
    No(Stamp, Arc<str>),
}

/// Whether the name alone says that no format reads the file. Such files are never opened.
pub fn ruled_out(formats: &[&'static dyn Format], path: &Path, name: &str) -> bool {
    let (_, path) = Packing::of_path(path);
    let file = Candidate { path: &path, name: Packing::of(name).1, head: &[], whole: false };
    matches!(recognise_among(formats, &file), Recognised::Unknown(reasons) if reasons.is_empty())
}

/// Opens the file and asks the formats, unless the user `hinted` at one.
pub fn claim(
    formats: &[&'static dyn Format],
    hinted: Option<&'static dyn Format>,
    path: &Path,
    name: &str,
) -> io::Result<Claimed> {
    let file = open(path)?;
    let stamp = ReadAt::stamp(&file)?;
    if let Some(format) = hinted {
        return Ok(Claimed::As(format, stamp));
    }
    let (head, whole, problem) = packed::head(path, &file, HEAD_BYTES)?;
    if let Some(problem) = problem.filter(|_| head.is_empty()) {
        let empty = stamp.size == 0;
        return Ok(if empty {
            Claimed::NotYet(stamp)
        } else {
            Claimed::No(stamp, format!("nothing can be unpacked: {problem}").into())
        });
    }
    let (_, inner) = Packing::of_path(path);
    let candidate = Candidate { path: &inner, name: Packing::of(name).1, head: &head, whole };
    Ok(match recognise_among(formats, &candidate) {
        Recognised::As(format) => Claimed::As(format, stamp),
        Recognised::NotYet => Claimed::NotYet(stamp),
        Recognised::Unknown(reasons) => {
            let said =
                reasons.iter().map(|(format, reason)| format!("{format}: {reason}")).collect::<Vec<_>>();
            let said =
                if said.is_empty() { "no format reads files like this".to_owned() } else { said.join("; ") };
            Claimed::No(stamp, said.into())
        }
    })
}

/// What the first records of `path` are about.
pub fn first_records(format: &'static dyn Format, path: &Path) -> io::Result<FirstRecords> {
    let file = open(path)?;
    let (head, ..) = packed::head(path, &file, FIRST_RECORDS_BYTES)?;
    Ok(first_records_in(format, path, &head))
}

fn first_records_in(format: &'static dyn Format, path: &Path, head: &[u8]) -> FirstRecords {
    let mut decoded = Decoded::new();
    let mut decoder = format.decoder(&Opening { path, taught: &Taught::default() });
    let read = contain(format.name(), || decoder.decode(head, &mut decoded));
    let mut first = FirstRecords::default();
    if !matches!(read, Ok(Ok(_))) {
        first.others = true;
        return first;
    }
    for part in decoded.take().parts {
        first.tags.extend(part.columns.iter().map(|c| Arc::from(c.key.tag.as_str())));
        for record in &part.records {
            match record {
                Record::Hyperparameters(_) => first.hyperparameters = true,
                Record::Info(info) => {
                    first.others = true;
                    let project = info.labels.iter().find(|l| l.starts_with("project=")).cloned();
                    let start = |id| Start { run: (id, project), resumes: info.segment.is_some() };
                    first.start = first.start.take().or_else(|| info.id.clone().map(start));
                }
                _ => first.others = true,
            }
        }
    }
    first
}
