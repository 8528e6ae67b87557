//! One layer looked at closely: how well it separates classes, whether it begins to over-fit, what its histogram gained
//! and lost, and which layer was the first to leave its own history.

mod cause;
mod growth;
mod indicator;
mod separation;

pub use cause::{Cause, Departure, History, around, first_to_leave, histories};
pub use growth::{Growth, growth};
pub use indicator::{Hint, IN_A_ROW, Z_LIMIT, early_overfit};
pub use separation::{Separation, density, eta_squared, gdv};
