//! The order of runs and series: `run_2` before `run_10`.

use std::cmp::Ordering;

use crate::model::SeriesKey;
pub use crate::model::natural;

/// Series by tag, then context.
pub(crate) fn by_key(a: &SeriesKey, b: &SeriesKey) -> Ordering {
    natural(a.tag.as_str(), b.tag.as_str()).then_with(|| natural(&a.context, &b.context))
}
