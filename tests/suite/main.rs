//! All integration tests in one program.

mod screens;
mod sessions;
