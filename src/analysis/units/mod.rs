//! Units of a layer: their curves over time, the few that stand for all, and who is to blame for an output.
//!
//! After `DGMTracker` (Liu et al. 2018): sampling that keeps outliers, and credit assignment.

mod credit;
mod curves;
mod sampling;

pub use credit::{Conservation, conservation, lrp_0, z_plus};
pub use curves::{Curves, MOST_CELLS, UnitRecord};
pub use sampling::{EXACT_MEDOID, Pick, Sample, Spread, sample};
