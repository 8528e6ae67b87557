//! YAML as training programs write it: tags of Python objects, `.inf`, keys that occur twice, several documents.

use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use super::value::Value;
use crate::formats::document::Unread;

/// Scalars, lists and maps of one file.
const NODES_LIMIT: usize = 1 << 16;
/// Nesting deeper than this is refused.
const DEPTH_LIMIT: usize = 64;
/// Bytes of all texts together, those that aliases repeat counted each time.
const TEXT_LIMIT: usize = 4 << 20;

/// All documents of a file. Budgets bound what anchors and aliases can multiply.
///
/// `yes`, `no`, `on`, `off` stay texts: since YAML 1.2 they are, and `no` is also a country.
pub(super) fn documents(text: &[u8]) -> Result<Vec<Value>, Unread> {
    let text = std::str::from_utf8(text).map_err(|_| Unread::Broken("settings that are no UTF-8"))?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES_LIMIT,
            max_depth: DEPTH_LIMIT,
            max_total_scalar_bytes: TEXT_LIMIT,
            max_recorded_anchor_bytes: TEXT_LIMIT,
            max_documents: 16,
            max_aliases: 1024,
            max_anchors: 1024,
        },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
        ignore_binary_tag_for_string: true,
    };
    serde_saphyr::from_str_multiple_with_options(text, options)
        .map_err(|_| Unread::Broken("YAML that cannot be read"))
}
