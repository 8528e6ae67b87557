//! What the layers of a network are doing: which have stopped changing, by which measure, and which units are of use.
//!
//! Seven measures (L1–L7) say how much a layer changes; the log decides which can be computed, and
//! `Measure` names the one that was. L1 is judged by the three-pool rule (`pools`), the others by
//! median and maximum against a threshold (`scalar_rule`); both end in the same states (`state`).

pub mod filters;
pub mod machine;
pub mod perplexity;
pub mod pools;
pub mod power_law;
pub mod scalar_rule;
pub mod state;
pub mod transport;
pub mod trend;

pub use filters::Filters;
pub use perplexity::{Snapshot, perplexity};
pub use power_law::PowerLaw;
pub use state::State;
pub use transport::Quantiles;

#[cfg(test)]
mod tests;
