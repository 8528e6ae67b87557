//! SQLite databases in which trackers keep their runs: MLflow's `mlflow.db`, Trackio's `<project>.db`.
//!
//! Which of them a database is shows only in its tables, and those may not be on its first page, so that both are one
//! format. The database itself is read from bytes ([`crate::formats::wire::sqlite`]); its file is never opened by
//! SQLite, locked or changed.

mod claim;
mod gather;
mod mlflow;
mod tracker;
mod trackio;
mod values;

use std::{path::Path, sync::Arc};

pub(super) use gather::setting;

use crate::formats::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
    wire::sqlite::{Database, Trouble},
};
use tracker::Tracker;

const LOG: &str = "-wal";
const JOURNAL: &str = "-journal";

/// Databases of trackers.
pub struct Sqlite;

impl Format for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn summary(&self) -> &'static str {
        "SQLite databases of MLflow (`mlflow.db`) and Trackio (`<project>.db`), also while they are written"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.db", "*.sqlite", "*.sqlite3"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim::claim(file)
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::several()
    }

    fn companions(&self) -> &'static [&'static str] {
        &[LOG, JOURNAL]
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let project = opening.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Box::new(SqliteDecoder { project: project.unwrap_or_default(), ..SqliteDecoder::default() })
    }
}

/// Reads one state of a database.
#[derive(Debug, Default)]
struct SqliteDecoder {
    project: String,
    log: Vec<u8>,
    journal: Vec<u8>,
    failed: Option<Fatal>,
}

impl SqliteDecoder {
    fn read(&self, file: &[u8], out: &mut Decoded) -> Result<(), Trouble> {
        let database = Database::open(file, &self.log, &self.journal)?;
        let tables = database.tables()?;
        match Tracker::of(&tables) {
            Some(Tracker::MlFlow) => mlflow::read(&database, out),
            Some(Tracker::Trackio) => trackio::read(&database, &tables, &self.project, out),
            None if Tracker::may_become(&tables) => Err(Trouble::NotYet),
            None => Err(Trouble::Refused("a SQLite database without the tables of MLflow or Trackio")),
        }
    }
}

impl Decoder for SqliteDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if let Some(fatal) = &self.failed {
            return Err(fatal.clone());
        }
        let reason = match self.read(available, out) {
            Ok(()) => return Ok(Consumed::all(available.len())),
            Err(Trouble::NotYet) => return Ok(Consumed::default()),
            Err(Trouble::Refused(reason)) => Arc::from(reason),
            Err(Trouble::Failed(words)) => Arc::from(format!("SQLite says: {words}")),
        };
        let fatal = Fatal::WrongFormat { offset: 0, reason };
        self.failed = Some(fatal.clone());
        Err(fatal)
    }

    fn whole_document(&self) -> bool {
        true
    }

    fn beside(&mut self, ending: &'static str, content: &[u8]) {
        let place = match ending {
            LOG => &mut self.log,
            JOURNAL => &mut self.journal,
            _ => return,
        };
        place.clear();
        place.extend_from_slice(content);
    }
}
