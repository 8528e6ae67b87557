//! Drawing without knowledge of data: slices in, cells out.

pub mod axis;
pub mod chart;
pub mod dendrogram;
pub mod distribution;
pub mod frame;
pub mod heatmap;
pub mod matrix;
pub mod prose;
pub mod ridgeline;
pub mod sparkline;
pub mod table;
