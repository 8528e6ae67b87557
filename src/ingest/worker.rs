//! A thread that gives files their turns.

use std::sync::mpsc::SyncSender;

use super::{board::Board, tail::Turn};
use crate::model::{Clock, News};

/// Reads until the board says that there will be no more, or nobody listens.
pub(super) fn work(board: &Board, clock: &dyn Clock, out: &SyncSender<News>) {
    let mut scratch = Vec::new();
    while let Some((id, mut tail)) = board.take() {
        match tail.turn(&mut scratch, !board.follows(), clock, out) {
            Turn::Hangup => {
                board.stop();
                return;
            }
            turn => board.put(id, tail, turn == Turn::More),
        }
    }
}
