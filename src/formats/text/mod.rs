//! Text logs: what training programs print, kept by `tee`, `nohup`, Slurm or a logging handler.
//!
//! ```text
//! bytes ─▶ segments (\n, \r) ─▶ clean ─▶ prefixes off ─▶ taught │ grammars │ general reader ─▶ sink ─▶ columns
//! ```
//!
//! A progress frame that the next one draws over is dropped. A grammar knows one framework's lines for certain; the
//! general reader believes a shape of lines only after it has come several times.

mod claim;
mod clean;
mod decoder;
mod diagnose;
mod general;
mod grammar;
mod grammars;
mod pairs;
mod prefix;
pub(super) mod scan;
mod series;
mod sink;
pub(super) mod stamp;
mod steps;
mod trial;
pub(super) mod units;
mod words;

use std::path::Path;

use super::{Candidate, Claim, Decoder, Format, Opening, Standing};
use decoder::TextDecoder;
pub use trial::{Trial, TrialLine, try_pattern};

/// Name and summary of every framework whose lines are known, for the documentation.
pub fn known_lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    grammars::GRAMMARS.iter().map(|grammar| (grammar.name(), grammar.summary()))
}

/// Text logs.
pub struct TextLog;

impl Format for TextLog {
    fn name(&self) -> &'static str {
        "text"
    }

    fn summary(&self) -> &'static str {
        "text logs: standard output, Slurm and `logging` files of any framework; patterns can be taught"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.log", "*.out", "*.err", "*.txt", "*.o123", "*.e123", "stdout*", "stderr*", "log.txt.rank*"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim::claim(file)
    }

    fn standing(&self, path: &Path) -> Standing {
        claim::standing(path)
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let speaks = claim::is_output_of_a_job(opening.path);
        Box::new(TextDecoder::new(opening.taught.of(opening.path), speaks))
    }
}

#[cfg(test)]
mod tests;
