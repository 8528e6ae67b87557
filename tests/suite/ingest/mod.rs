//! Real files in real folders, followed by real threads. Everything waits for content, with a deadline.

mod bench;
mod discovery;
mod following;
mod hostile;
mod replay;
mod tails;

use bench::{Follower, TEST_FORMATS, append, follow_options, lines, once, write};
