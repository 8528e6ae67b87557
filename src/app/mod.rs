//! Joins the parts: the command line, the event loop, the terminal, reports.

pub mod cli;
pub mod clock;
pub mod error;
pub mod journal;
pub mod units;

use std::process::ExitCode;
/// x
pub fn run(_: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode { ExitCode::SUCCESS }
