//! All integration tests in one program.

mod detectors;
mod screens;
mod sessions;
