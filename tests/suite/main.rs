//! All integration tests in one program.

mod architecture;
mod event_loop;
mod screens;
mod sessions;
