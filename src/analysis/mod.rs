//! Pure functions over numbers and store data: what records mean, between the store and the views.

pub mod layers;
