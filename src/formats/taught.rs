//! Patterns of lines that the user teaches.

/// The user's own patterns for lines of text logs, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Taught {}

impl Taught {
    /// No patterns.
    pub const NONE: &Self = &Self {};
}
