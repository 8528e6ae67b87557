//! The views, in the order of their tabs.

use super::View;

pub mod alerts;
pub mod classes;
pub mod cockpit;
pub mod curves;
pub mod files;
pub mod layers;
pub mod runs;
pub mod units;

/// All views. One line each; everything else about them is found through the trait.
pub static VIEWS: &[fn() -> Box<dyn View>] = &[
    runs::view,
    curves::view,
    layers::view,
    units::view,
    classes::view,
    cockpit::view,
    alerts::view,
    files::view,
];
