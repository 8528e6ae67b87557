//! The views, in the order of their tabs.

use super::View;

pub mod curves;
pub mod runs;

/// All views. One line each; everything else about them is found through the trait.
pub static VIEWS: &[fn() -> Box<dyn View>] = &[runs::view, curves::view];
