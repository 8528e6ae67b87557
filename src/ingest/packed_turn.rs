//! A turn at a compressed file: unpack, decode, and say how the stream ended.

use std::{cell::RefCell, io, time::Duration};

use super::{
    packed::{Unpacked, Unpacker},
    reader::Scratch,
    source::{ReadAt, Stamp, open},
    tail::{Budget, Tail, Turn},
};
use crate::model::{Clock, FileState, News};

/// A stream between two turns.
#[derive(Default)]
pub struct Packed {
    unpacker: Option<Unpacker>,
    /// How the file looked when unpacking began.
    stamp: Stamp,
}

impl Tail {
    /// Unpacks and decodes the file on, or anew if it changed.
    pub(super) fn packed_turn(
        &mut self,
        file: &dyn ReadAt,
        stamp: Stamp,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> io::Result<Turn> {
        let Some(packing) = self.recipe.packing else { return Ok(Turn::Done) };
        let resting = self.packed.unpacker.take().filter(|_| self.packed.stamp == stamp);
        let document = self.reader.whole_document();
        if resting.is_none() && stamp == self.looked {
            return Ok(self.close(stamp, false, clock, out, Turn::Done));
        }
        let began = clock.elapsed();
        let unpacker = if let Some(mut unpacker) = resting {
            unpacker.wake(self.opened(&stamp)?);
            unpacker
        } else {
            if let Some(wait) = self.wait_for_rest(&stamp, began, clock.now()).filter(|_| !budget.at_end) {
                return Ok(Turn::Later(wait));
            }
            self.unrest = None;
            if self.reader.offset() > 0 && !document {
                self.restart(began);
            }
            Unpacker::new(packing, self.opened(&stamp)?)
        };
        self.packed.stamp = stamp;
        let unpacked = Unpacked { unpacker: RefCell::new(unpacker), file };
        let turn = if document {
            self.document_turn(&unpacked, stamp, budget, clock, out)?
        } else {
            let turn = self.read_packed(&unpacked, stamp, budget, scratch, clock, out)?;
            self.close(stamp, turn == Turn::Done, clock, out, turn)
        };
        let mut unpacker = unpacked.unpacker.into_inner();
        unpacker.rest();
        if turn == Turn::More && !document {
            self.packed.unpacker = Some(unpacker);
        } else {
            self.paid(began, clock.elapsed());
        }
        Ok(turn)
    }

    /// The file for a stream that holds it itself.
    fn opened(&self, stamp: &Stamp) -> io::Result<std::fs::File> {
        let file = open(&self.recipe.path)?;
        if ReadAt::stamp(&file)?.identity() != stamp.identity() {
            return Err(io::Error::new(io::ErrorKind::StaleNetworkFileHandle, "replaced a moment ago"));
        }
        Ok(file)
    }

    fn read_packed(
        &mut self,
        unpacked: &Unpacked<'_>,
        stamp: Stamp,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> io::Result<Turn> {
        let mut budget = Budget { at_end: false, ..budget };
        if !unpacked.unpacker.borrow().may_rest {
            (budget.bytes, budget.time) = (u64::MAX, Duration::MAX);
        }
        let stamp = Self::open_ended(stamp);
        let turn = self.read(unpacked, stamp, budget, scratch, clock, out)?;
        if matches!(turn, Turn::More | Turn::Closed) {
            return Ok(turn);
        }
        // A decoder that gave up is tried again when the file changes: it is read anew then in any case.
        if self.dead.take().is_some() {
            return Ok(turn);
        }
        if let Some(problem) = unpacked.problem() {
            self.report.health.state = FileState::Dead(problem);
            return Ok(if self.send_void(out) { Turn::Done } else { Turn::Closed });
        }
        // The stream is whole: its last line counts without its end.
        let turn = self.read(unpacked, stamp, Budget { at_end: true, ..budget }, scratch, clock, out)?;
        if turn == Turn::Done && self.dead.take().is_none() {
            self.report.health.state = FileState::Ended;
        }
        Ok(turn)
    }
}
