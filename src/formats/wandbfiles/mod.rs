//! What W&B puts beside its transaction log, below `files/` of a run's folder: the summary, the configuration, facts of
//! the machine, tables.
//!
//! The log says all of it as well, except the content of tables. These files are for runs whose log is not there or not
//! whole: downloaded ones, those of old versions. What the log says counts more (it comes later in a run's folder, and
//! its format before this one in the registry).

mod config;
mod summary;
mod table;

use std::path::Path;

use table::Name;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, first_keys, folder_above},
};

/// W&B's files beside the log.
pub struct WandbFiles;

/// Which of the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Summary,
    Metadata,
    Config,
    Table,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        match path.file_name()?.to_str()? {
            "wandb-summary.json" => Some(Self::Summary),
            "wandb-metadata.json" => Some(Self::Metadata),
            "config.yaml" if is_run(folder_above(path, 1)?) && folder_above(path, 0)? == "files" => {
                Some(Self::Config)
            }
            name if name.ends_with(".table.json") => Some(Self::Table),
            _ => None,
        }
    }
}

/// `run-20261123_175555-3aubf5ps`, `offline-run-…`
fn is_run(folder: &str) -> bool {
    folder.starts_with("run-") || folder.starts_with("offline-run-")
}

impl Format for WandbFiles {
    fn name(&self) -> &'static str {
        "wandbfiles"
    }

    fn summary(&self) -> &'static str {
        "W&B's files beside the log: summary, configuration, metadata, confusion matrices among its tables"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["wandb-summary.json", "wandb-metadata.json", "files/config.yaml", "*.table.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let Some(kind) = Kind::of(file.path).or_else(|| Kind::of(Path::new(file.name))) else {
            return Claim::No("");
        };
        let Some(first) = file.head.trim_ascii_start().first() else { return Claim::NotYet };
        match (kind, first) {
            (Kind::Config, b'{' | 0..=8) => Claim::No("no W&B configuration"),
            (Kind::Config, _) | (_, b'{') => Claim::Yes,
            _ => Claim::No("named like a file of W&B, but no JSON object"),
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        // Tables lie in `files/media/table`, deeper where their key has slashes.
        let above = (0..32).map_while(|up| folder_above(path, up));
        let files = above.enumerate().find(|(_, folder)| *folder == "files").map(|(up, _)| up);
        Standing::side(files.map_or(0, |up| up + 1))
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        match Kind::of(opening.path) {
            Some(Kind::Metadata) => Box::new(Document(summary::metadata)),
            Some(Kind::Config) => Box::new(Document(config::read)),
            Some(Kind::Table) => {
                let name = Name::of(opening.path);
                Box::new(Document(move |bytes: &[u8], out: &mut Decoded| table::read(bytes, &name, out)))
            }
            Some(Kind::Summary) => Box::new(Document(summary::read)),
            // Told by its content where the name says nothing: a format that was chosen by hand.
            None => Box::new(Document(|bytes: &[u8], out: &mut Decoded| match first_keys(bytes) {
                keys if keys.iter().any(|key| key == "columns") => table::read(bytes, &Name::default(), out),
                _ => summary::read(bytes, out),
            })),
        }
    }
}
