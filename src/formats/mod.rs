//! Bytes of a log file in, columns and records out. Nothing here opens, waits or trusts.
//!
//! A decoder is shown the bytes from where it stopped, again and longer each time more arrive; it takes the
//! whole frames at their start. An incomplete frame is no error, it is *not yet*. **Invariant:** a decoder
//! never allocates by a length that it read before comparing it with a limit, and never panics.
//!
//! To add a format: one file here with a `Format`, one line in [`FORMATS`], one sample in `sample_logs/`.

mod aim;
mod archive;
mod by_line;
mod catboost;
mod clearml;
mod comet;
mod csv;
mod decoded;
mod document;
mod dvclive;
mod hfstate;
mod jsonl;
mod matrices;
mod mlflow;
mod neptune;
mod polyaxon;
mod projector;
mod sacred;
mod scope;
mod settings;
mod sqlite;
mod standing;
mod swanlab;
mod taught;
mod text;
mod tfevents;
mod visualdl;
mod wandb;
mod wandbfiles;
pub mod wire;

use std::{fmt, path::Path, sync::Arc};

pub use decoded::{ColumnIndex, Decoded, Part, Taken};
pub(crate) use standing::split_of;
pub use standing::{Part as RunPart, Standing};
pub use taught::{Pattern, PatternSource, Taught, TaughtError};
pub use text::{Trial, TrialLine, known_lines, try_pattern};
pub use tfevents::TfEvents;

/// Bytes of a file's start that [`Format::recognises`] is shown.
pub const HEAD_BYTES: usize = 4096;

/// A frame (record, line) larger than this is skipped. Graphs and embeddings are honestly large, scalars never.
pub const FRAME_LIMIT: u64 = 64 << 20;

/// A file that some format may claim.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its path as far as it is known, its name included: absolute where it lies on a disk, so that the folders above
    /// can be told from their names even when the file itself, or its folder, is what is watched.
    pub path: &'a Path,
    /// Its last part.
    pub name: &'a str,
    /// The first [`HEAD_BYTES`] bytes, or fewer if the file is shorter so far.
    pub head: &'a [u8],
    /// `head` is the whole file as it is now.
    pub whole: bool,
}

/// A format's answer to a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Not mine. The clause says why, for `doctor`; empty when the name alone ruled it out.
    No(&'static str),
    /// The name fits and too little is written yet to tell; ask again when it has grown.
    NotYet,
    /// Mine.
    Yes,
}

/// One log format.
pub trait Format: Sync {
    /// Short name, used on the command line and in JSON.
    fn name(&self) -> &'static str;

    /// One line for the README's table: which files and which frameworks write them.
    fn summary(&self) -> &'static str;

    /// File name patterns as globs, for documentation.
    fn patterns(&self) -> &'static [&'static str];

    /// Whether `file` is of this format, from its name and first bytes alone.
    fn recognises(&self, file: &Candidate<'_>) -> Claim;

    /// How a file of this format stands to its run, from its path alone (as in [`Candidate::path`]).
    fn standing(&self, _path: &Path) -> Standing {
        Standing::default()
    }

    /// Whether the file at `path` goes on where another file of this format in the same run stopped: a resumed writer
    /// opens a new file. Of files that do not, only one is shown for each series: the first by name, of whole documents
    /// the last.
    fn continues(&self, _path: &Path) -> bool {
        false
    }

    /// Files that are shown to the decoder together with a whole document: endings that its name has in addition
    /// (`-wal`); with a star, endings of all names in a folder as seen from its own, `{}` being that one's name
    /// (`*.sst`, `../../../meta/chunks/{}/*.sst`).
    fn companions(&self) -> &'static [&'static str] {
        &[]
    }

    /// A decoder that stands at the start of a file.
    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder>;
}

/// What a decoder may know of its file besides the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// As [`Candidate::path`]: some writers keep a metric's name in the names of folders.
    pub path: &'a Path,
    /// Line patterns of the user's own.
    pub taught: &'a Taught,
}

impl<'a> Opening<'a> {
    /// A file of that path for a user who taught nothing.
    pub fn at(path: &'a Path) -> Self {
        Self { path, taught: Taught::NONE }
    }
}

/// Every format. The first that claims a file gets it: exact formats before general ones.
///
/// The order also settles whose numbers are shown where several files of one run hold the same series: those of the
/// format that stands first.
#[rustfmt::skip] // one a line
pub static FORMATS: &[&dyn Format] = &[
    &tfevents::TfEvents,
    &scope::Scope,
    &sqlite::Sqlite,
    &mlflow::MlFlow,
    &projector::Projector,
    &wandb::Wandb,
    &swanlab::SwanLab,
    &aim::Aim,
    &visualdl::VisualDl,
    &wandbfiles::WandbFiles,
    &catboost::CatBoost,
    &hfstate::HfState,
    &sacred::Sacred,
    &clearml::ClearMl,
    &clearml::ClearMlArchive,
    &comet::Comet,
    &neptune::Neptune,
    &polyaxon::Polyaxon,
    &matrices::Matrices,
    &jsonl::JsonLines,
    &csv::Csv,
    // summaries of what other files tell in full
    &dvclive::DvcLive,
    &hfstate::HfResults,
    &settings::Settings,
    &text::TextLog,
];

/// How far a decoder came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// Bytes of `available` that need not be shown again.
    pub bytes: usize,
    /// Bytes after those that may be passed over unread: an oversized frame whose length is trustworthy.
    /// The decoder has already listed the skip.
    pub then_skip: u64,
}

impl Consumed {
    /// `bytes` were used, nothing is to be skipped.
    pub fn all(bytes: usize) -> Self {
        Self { bytes, then_skip: 0 }
    }
}

/// Turns the bytes of one file into columns and records.
pub trait Decoder: Send {
    /// Decodes every whole frame at the start of `available`, which begins where the last call stopped.
    ///
    /// Offsets of skips are absolute: the decoder counts what it consumed (including `then_skip`).
    /// Returns [`Consumed::default`] when no whole frame is there. After an error the same error is returned
    /// again until the decoder is thrown away.
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal>;

    /// The file's end, where nobody will wait for more: decodes a last record that only lacks its terminator
    /// (a text line without newline). Returns how many bytes that took; the rest is reported as unfinished.
    fn decode_rest(&mut self, _rest: &[u8], _out: &mut Decoded) -> usize {
        0
    }

    /// Bytes from the file's start that, when they change under a decoder that has read past them, mean that
    /// the file was rewritten in place (a CSV header that grew). 0: the format is append-only. At most 64 KiB.
    fn fingerprint_bytes(&self) -> usize {
        0
    }

    /// True for formats that are rewritten as a whole: after any change the file is decoded again from its
    /// start by a fresh decoder and replaces what it said before.
    ///
    /// [`Decoder::decode`] is then shown the entire file at once, after [`Decoder::beside`], and takes all of it, or
    /// nothing as long as it is not whole.
    fn whole_document(&self) -> bool {
        false
    }

    /// The content of a file beside a whole document that `ending`, one of [`Format::companions`], means; called before
    /// `decode` for each that exists.
    fn beside(&mut self, _ending: &'static str, _content: &[u8]) {}
}

/// Why a file cannot be read on. It is tried again when it is replaced, shrinks, or grows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fatal {
    /// Record boundaries are lost and no later ones were found.
    LostFraming {
        /// Where.
        offset: u64,
        /// One clause.
        reason: Arc<str>,
    },
    /// A declared length is beyond belief.
    FrameTooLarge {
        /// Where.
        offset: u64,
        /// What it says.
        declared: u64,
    },
    /// The content is of another kind than the start promised.
    WrongFormat {
        /// Where.
        offset: u64,
        /// One clause.
        reason: Arc<str>,
    },
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostFraming { offset, reason } => {
                write!(f, "record boundaries lost at byte {offset}: {reason}")
            }
            Self::FrameTooLarge { offset, declared } => {
                write!(f, "a record at byte {offset} claims {declared} bytes")
            }
            Self::WrongFormat { offset, reason } => {
                write!(f, "unexpected content at byte {offset}: {reason}")
            }
        }
    }
}

impl std::error::Error for Fatal {}

/// The format that claims `file`, or why none does: the reasons of those whose name pattern fitted.
pub fn recognise(file: &Candidate<'_>) -> Recognised {
    recognise_among(FORMATS, file)
}

/// As [`recognise`], with a choice of formats.
pub fn recognise_among(formats: &[&'static dyn Format], file: &Candidate<'_>) -> Recognised {
    let mut reasons = Vec::new();
    let mut wait = false;
    for format in formats {
        match format.recognises(file) {
            Claim::Yes if !wait => return Recognised::As(*format),
            Claim::Yes => return Recognised::NotYet,
            Claim::NotYet => wait = true,
            Claim::No("") => {}
            Claim::No(reason) => reasons.push((format.name(), reason)),
        }
    }
    if wait { Recognised::NotYet } else { Recognised::Unknown(reasons) }
}

/// What [`recognise`] found.
pub enum Recognised {
    /// This format.
    As(&'static dyn Format),
    /// A format may claim it when more is written.
    NotYet,
    /// None; `(format, reason)` for those that looked into it.
    Unknown(Vec<(&'static str, &'static str)>),
}

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|f| f.name() == name)
}
