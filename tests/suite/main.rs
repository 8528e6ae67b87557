//! All integration tests in one program.

mod event_loop;
