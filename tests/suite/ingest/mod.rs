//! Real files in real folders, followed by real threads. Everything waits for content, with a deadline.

mod bench;
mod discovery;
mod documents;
mod following;
mod hostile;
mod packed;
mod picture;
mod replay;
mod rotation;
mod runs;
mod side_by_side;
mod tails;

pub use bench::TEST_FORMATS;
use bench::{Follower, append, follow_options, lines, once, write};
