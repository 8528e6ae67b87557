//! Units of a layer: their curves over time, the few that stand for all, and who is to blame for an output.
//!
//! After `DGMTracker` (Liu et al. 2018): sampling that keeps outliers, and credit assignment.

mod credit;
mod curves;
mod records;
mod sampling;

pub use credit::compensated_sum;
pub use credit::{Conservation, conservation, lrp_0, z_plus};
pub use curves::{Curves, MOST_CELLS, UnitRecord};
pub use records::{
    UnitFigure, UnitFigures, credits, curves, figures, find, layers, separation, speaks_of, statistics,
};
pub use sampling::{EXACT_MEDOID, Pick, Sample, Spread, sample};
