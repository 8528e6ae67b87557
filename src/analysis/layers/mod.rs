//! What the layers of a network are doing: which have stopped changing, by which measure, and which units are of use.
//!
//! ```text
//! subjects      the layers of a run with all that was logged of them; at: as they were at a step
//! measure       L1–L7: how much a layer changes; their order of preference, thresholds
//! samples       records → values of a measure        perplexity, transport: what those are
//! pools         L1: three pools against the noise floor of sampling
//! scalar_rule   L2–L7: median and maximum against τ   reference: the τ of L2
//! machine       both → states                        trend: whether a series falls
//! evaluation    one measure of one layer over time, incremental
//! stability     all layers, each by the best measure the log permits
//! order         which came first, which could be frozen
//! filters       dead, always-on and duplicate units   unit_shares: from whatever was logged
//! power_law     α of eigenvalues
//! ```

pub mod at;
pub mod evaluation;
pub mod filters;
pub mod machine;
pub mod measure;
pub mod order;
pub mod perplexity;
pub mod pools;
pub mod power_law;
pub mod reference;
pub mod ring;
pub mod samples;
pub mod scalar_rule;
pub mod stability;
pub mod state;
pub mod subjects;
pub mod transport;
pub mod trend;
pub mod unit_shares;

pub use at::At;
pub use evaluation::Moment;
pub use filters::Filters;
pub use measure::Measure;
pub use order::FreezeHint;
pub use perplexity::{Snapshot, perplexity};
pub use power_law::PowerLaw;
pub use stability::{Stability, Verdict};
pub use state::State;
pub use subjects::{Subject, subjects};
pub use transport::Quantiles;
pub use unit_shares::UnitShares;

#[cfg(test)]
mod tests;
