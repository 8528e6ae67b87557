//! Real files in real folders, followed by real threads. Everything waits for content, with a deadline.

mod bench;
mod discovery;
mod following;
mod hostile;
mod picture;
mod replay;
mod runs;
mod tails;

use bench::{Follower, TEST_FORMATS, append, follow_options, lines, once, write};
