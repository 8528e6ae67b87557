//! All integration tests in one program.

mod architecture;
mod detectors;
mod event_loop;
mod screens;
mod sessions;
