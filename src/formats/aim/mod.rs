//! Runs of Aim, `.aim/seqs/chunks/<run>/` and `.aim/meta/chunks/<run>/`: two `RocksDB` databases, one with
//! the values and one with what is known of the run.
//!
//! Which numbers are whose, and which of two values of a step holds, only all files of both databases
//! together say: tables are joined into others and logs written into tables all the time. So both are one
//! document, that of `CURRENT` among the values, which every `RocksDB` has; all else is shown beside it. The
//! databases are read from bytes ([`crate::formats::wire::rocksdb`]); they are never opened, locked or
//! changed.
//!
//! Source: the `aim` package 3.29, `aim/sdk/tracker.py`, `aim/storage/{containertreeview,rockscontainer}`,
//! `aim/storage/encoding`.

mod facts;
mod keys;
mod values;

use std::path::Path;

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
    document::folder_above,
    wire::rocksdb::{Damage, each_of_log, each_of_table},
};
use crate::model::{EndStatus, Record, RunInfo};

const TABLES: &str = "*.sst";
const LOGS: &str = "*.log";
const META_TABLES: &str = "../../../meta/chunks/{}/*.sst";
const META_LOGS: &str = "../../../meta/chunks/{}/*.log";

/// What `CURRENT` begins with.
const CURRENT: &[u8] = b"MANIFEST-";

/// Runs of Aim.
pub struct Aim;

impl Format for Aim {
    fn name(&self) -> &'static str {
        "aim"
    }

    fn summary(&self) -> &'static str {
        "Aim repositories (`.aim/`), each run's two databases as one, also while they are written"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["CURRENT"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let above = |up| folder_above(file.path, up);
        if file.name != "CURRENT" || above(1) != Some("chunks") {
            return Claim::No("");
        }
        match above(2) {
            Some("seqs") => {}
            Some("meta") => return Claim::No("facts of an Aim run, read together with its values in `seqs`"),
            _ => return Claim::No(""),
        }
        if file.head.starts_with(CURRENT) {
            Claim::Yes
        } else if CURRENT.starts_with(file.head) {
            Claim::NotYet
        } else {
            Claim::No("named like a part of a RocksDB database, but begins otherwise")
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::folder(0)
    }

    fn companions(&self) -> &'static [&'static str] {
        &[TABLES, LOGS, META_TABLES, META_LOGS]
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let run = folder_above(opening.path, 0).unwrap_or_default().to_owned();
        Box::new(AimDecoder { run, ..AimDecoder::default() })
    }
}

/// Reads one state of both databases.
#[derive(Debug, Default)]
struct AimDecoder {
    /// Aim's name of the run, a number in hexadecimal digits.
    run: String,
    values: values::Values,
    facts: facts::Facts,
    damage: Damage,
}

impl AimDecoder {
    fn tell(&mut self, out: &mut Decoded) {
        let contexts = self.facts.settle(out);
        let info = RunInfo {
            id: Some(self.run.as_str().into()),
            // what Aim shows of a run that was given no name, and shorter than where it lies
            name: Some(self.run.as_str().into()),
            framework: Some("aim".into()),
            ..RunInfo::default()
        };
        out.record(Record::Info(Box::new(info)));
        let settings = self.facts.settings();
        out.count_records(1 + settings.len() as u64);
        if !settings.is_empty() {
            out.record(Record::Hyperparameters(settings));
        }
        self.values.tell(&contexts, out);
        if self.facts.is_closed() {
            out.record(Record::End(EndStatus::Finished));
        }
        for _ in 0..self.damage.unfinished {
            out.oddity("tables without an end: just being written, or given up");
        }
        if let Some(first) = self.damage.first {
            out.skip(0, 0, format!("{} places in the files beside it: {first}", self.damage.places));
        }
    }
}

impl Decoder for AimDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if !available.ends_with(b"\n") {
            return Ok(Consumed::default());
        }
        self.tell(out);
        Ok(Consumed::all(available.len()))
    }

    fn whole_document(&self) -> bool {
        true
    }

    fn beside(&mut self, ending: &'static str, content: &[u8]) {
        let Self { values, facts, .. } = self;
        self.damage.add(match ending {
            TABLES => each_of_table(content, &mut |entry| values.take(entry)),
            LOGS => each_of_log(content, &mut |entry| values.take(entry)),
            META_TABLES => each_of_table(content, &mut |entry| facts.take(entry)),
            META_LOGS => each_of_log(content, &mut |entry| facts.take(entry)),
            _ => Damage::default(),
        });
    }
}

#[cfg(test)]
mod tests;
