//! The grammars of text logs, one file each.

use super::grammar::Grammar;

/// Every grammar, in the order in which they are asked: exact ones before tolerant ones.
pub(super) static GRAMMARS: &[&dyn Grammar] = &[];
