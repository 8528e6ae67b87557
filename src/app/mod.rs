//! Joins the parts: the command line, the event loop, the terminal, reports.

pub mod cli;
pub mod clock;
pub mod error;
pub mod escape;
pub mod event_loop;
pub mod input;
pub mod journal;
pub mod painter;
pub mod signals;
pub mod terminal;
pub mod units;

use std::process::ExitCode;
/// x
pub fn run(_: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    ExitCode::SUCCESS
}
