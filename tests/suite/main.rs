//! All integration tests in one program.

mod builders;
mod formats;
mod native_log;
mod text_formats;
