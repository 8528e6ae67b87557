//! Drawing without knowledge of data: slices in, cells out.

pub mod axis;
pub mod chart;
pub mod frame;
pub mod sparkline;
