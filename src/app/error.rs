//! Errors as the user meets them: one line what, one line why, one line what to do.

use std::{fmt, io};

/// A request that cannot be met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppError {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What could not be done.
    pub what: String,
    /// The reason.
    pub why: String,
    /// What the user can do about it.
    pub advice: String,
}

/// What sort of end it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The request makes no sense or cannot be met.
    Request,
    /// Whoever read our output has enough; no error.
    BrokenPipe,
}

impl AppError {
    /// A request that cannot be met, in its three lines.
    pub fn new(what: impl Into<String>, why: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Request, what: what.into(), why: why.into(), advice: advice.into() }
    }

    /// Writing to standard output failed.
    pub fn output(error: &io::Error) -> Self {
        let mut all = Self::new(
            "cannot write to standard output",
            error.to_string(),
            "check where the output goes: a full disk, a closed terminal",
        );
        if error.kind() == io::ErrorKind::BrokenPipe {
            all.kind = ErrorKind::BrokenPipe;
        }
        all
    }

    /// The exit code of `interface.md`: 0 for a broken pipe, else 2.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Request => 2,
            ErrorKind::BrokenPipe => 0,
        }
    }
}

impl From<io::Error> for AppError {
    fn from(error: io::Error) -> Self {
        Self::output(&error)
    }
}

impl fmt::Display for AppError {
    /// Three lines; line breaks inside a part become spaces, control characters are made visible.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| {
            crate::model::sanitise(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
        };
        writeln!(f, "epochscope: {}", line(&self.what))?;
        writeln!(f, "  why: {}", line(&self.why))?;
        write!(f, "  do: {}", line(&self.advice))
    }
}

impl std::error::Error for AppError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_three_lines_whatever_is_in_it() {
        let error = AppError::new("cannot read a\nb", "it is\x1b[31m red", "look");
        assert_eq!(error.to_string(), "epochscope: cannot read a b\n  why: it is␛[31m red\n  do: look");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_broken_pipe_is_no_error() {
        let error = AppError::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit_code(), 0);
        assert_eq!(AppError::output(&io::Error::from(io::ErrorKind::StorageFull)).exit_code(), 2);
    }
}
