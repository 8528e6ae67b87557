//! Drawing without knowledge of data: slices in, cells out.

pub mod distribution;
pub mod frame;
pub mod heatmap;
pub mod matrix;
pub mod ridgeline;
pub mod table;
