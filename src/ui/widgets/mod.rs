//! Drawing without knowledge of data: slices in, cells out.

pub mod frame;
