//! Comet's offline archive, `<id>.zip`: `experiment.json`, `messages.json` (a message per line) and the files that were
//! to be uploaded. It is written when the experiment ends.
//!
//! Source: `comet_ml` 3.58.8 (`offline.py`, `messages.py`, `data_structure.py::Histogram`, `confusion_matrix.py`) and an
//! archive that it wrote.

mod histogram;
mod messages;

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    archive::{Archive, is_zip},
    document::{Document, Unread, folder_above},
    wire::lines::named,
};

/// `<id>.zip`
pub struct Comet;

impl Format for Comet {
    fn name(&self) -> &'static str {
        "comet"
    }

    fn summary(&self) -> &'static str {
        "Comet's offline archive (`<id>.zip`): metrics, parameters, histograms, confusion matrices"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.zip"]
    }

    /// An archive's directory stands at its end: its start shows the first members at best. Comet calls it by its
    /// identifier, 32 to 50 letters and digits, and keeps it in `.cometml-runs` unless told otherwise.
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if !named(file.name, ".zip") {
            return Claim::No("");
        }
        if file.head.len() < 4 {
            return Claim::NotYet;
        }
        let has = |name: &[u8]| file.head.windows(name.len()).any(|at| at == name);
        let stem = file.name.len().checked_sub(4).and_then(|end| file.name.get(..end)).unwrap_or_default();
        let id = (32..=50).contains(&stem.len()) && stem.bytes().all(|b| b.is_ascii_alphanumeric());
        let home = folder_above(file.path, 0) == Some(".cometml-runs");
        if is_zip(file.head) && (has(b"experiment.json") || has(b"messages.json") || id || home) {
            Claim::Yes
        } else {
            Claim::No("an archive, but none of Comet's")
        }
    }

    /// Archives of many experiments lie in one folder.
    fn standing(&self, _path: &Path) -> Standing {
        Standing::several()
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let run = opening.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| {
            let mut archive = Archive::open(bytes)?;
            let messages = archive
                .read("messages.json")
                .map_err(|why| Unread::Broken(why.reason("no experiment of Comet in the archive")))?;
            out.in_run(&run);
            messages::read(&messages, &mut archive, bytes.len(), out);
            Ok(())
        }))
    }
}

#[cfg(test)]
mod tests;
