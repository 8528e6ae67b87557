//! Which classes are taken for which: their order, their groups, and how both separate over training.
//!
//! After Blocks (Bilal et al. 2018): confusion follows a hierarchy of similar classes, and a network separates groups
//! before it separates the classes in them. Rows of a matrix are the true class, always.

mod arrangement;
mod cells;
mod correlation;
mod difference;
mod evolution;
mod groups;
mod names;
mod similarity;
#[cfg(test)]
mod tests;

pub use arrangement::{Arrangement, Evidence, OrderSource, arrange};
pub use cells::super_cells;
pub use correlation::{LogitCorrelation, logit_correlation};
pub use difference::{Move, error_distance, moves, signed, total_ratio};
pub use evolution::{Evolution, Moment, SEPARATED, evolution};
pub use groups::{GroupMeasures, GroupScores, group_measures};
pub use names::{Hierarchy, group_name, hierarchy, shared_level};
pub use similarity::{confusion_similarity, evaluations_needed};
