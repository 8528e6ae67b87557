//! Sacred's `FileStorageObserver`: a folder per run, called by a number, with `metrics.json`, `run.json`, `config.json`
//! and `info.json`, each rewritten as a whole at every heartbeat (10 s).
//!
//! Source: `IDSIA/sacred`, `sacred/observers/file_storage.py` and `serializer.py`. What the program printed
//! (`cout.txt`) is a text log.

mod metrics;
mod run;

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, first_keys, folder_above},
    wire::{
        json::{Cursor, JsonError, Kind},
        lines::{trim, without_mark},
    },
};

/// Files of a Sacred run.
pub struct Sacred;

impl Format for Sacred {
    fn name(&self) -> &'static str {
        "sacred"
    }

    fn summary(&self) -> &'static str {
        "Sacred's file storage: `metrics.json`, `run.json`, `config.json`, `info.json` of each run"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["metrics.json", "run.json", "config.json", "info.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        match file.name {
            "metrics.json" => has_metrics(file),
            "run.json" => {
                let keys = first_keys(file.head);
                let has = |name: &str| keys.iter().any(|key| key == name);
                match has("experiment") && (has("command") || has("heartbeat") || has("format")) {
                    true => Claim::Yes,
                    false if file.head.is_empty() => Claim::NotYet,
                    false => Claim::No("no run of Sacred"),
                }
            }
            "config.json" | "info.json" if in_numbered_folder(file.path) => beside(file),
            _ => Claim::No(""),
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        match name(path) {
            "metrics.json" | "run.json" => Standing::folder(0),
            _ => Standing::side(0),
        }
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        match name(opening.path) {
            "run.json" => {
                let id = folder_above(opening.path, 0).map(str::to_owned);
                Box::new(Document(move |bytes: &[u8], out: &mut Decoded| run::run(id.as_deref(), bytes, out)))
            }
            "config.json" => Box::new(Document(run::config)),
            "info.json" => Box::new(Document(run::info)),
            _ => Box::new(Document(metrics::metrics)),
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}

fn in_numbered_folder(path: &Path) -> bool {
    folder_above(path, 0).is_some_and(|folder| folder.bytes().all(|b| b.is_ascii_digit()))
}

/// `{"loss": {"steps": [`: keys are sorted, so that the steps stand before timestamps and values.
fn has_metrics(file: &Candidate<'_>) -> Claim {
    let head = trim(without_mark(file.head));
    let first_list = |head| -> Result<bool, JsonError> {
        let mut cursor = Cursor::new(head);
        cursor.open()?;
        if cursor.key(&mut true)?.is_none() || cursor.kind()? != Kind::Object {
            return Ok(false);
        }
        cursor.open()?;
        let key = cursor.key(&mut true)?;
        Ok(key.is_some_and(|key| key == b"steps" || key == b"values") && cursor.kind()? == Kind::Array)
    };
    match first_list(head) {
        Ok(true) => Claim::Yes,
        Err(JsonError::Unfinished) if file.head.len() < 64 => Claim::NotYet,
        _ => Claim::No("no metrics of Sacred"),
    }
}

/// Sacred puts a seed into every configuration; `info` holds whatever the program put there, and the number that names
/// its folder is all there is to know it by.
fn beside(file: &Candidate<'_>) -> Claim {
    let keys = first_keys(file.head);
    let seeded = file.name == "info.json" || keys.iter().any(|key| key == "seed") || !file.whole;
    match trim(file.head).first() {
        Some(b'{') if seeded && !keys.is_empty() => Claim::Yes,
        None => Claim::NotYet,
        _ => Claim::No("no configuration of Sacred"),
    }
}

#[cfg(test)]
mod tests;
