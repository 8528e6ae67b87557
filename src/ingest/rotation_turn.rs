//! A turn at the older parts of a rotated log, and what to do when the file itself was rotated away.

use std::time::Duration;

use super::{
    reader::Scratch,
    rotated,
    source::Stamp,
    tail::{Budget, Tail, Turn},
};
use crate::{
    formats::Decoded,
    model::{Clock, FileState, News, Skip},
};

impl Tail {
    /// The log has older parts that are read first.
    pub fn expect_older_parts(&mut self) {
        self.rotation.expected = true;
        self.rotation.unlisted = true;
    }

    /// Whether older parts are to be read before the file goes on.
    pub(super) fn older_parts_wait(&mut self) -> bool {
        if std::mem::take(&mut self.rotation.unlisted) && !self.reader.whole_document() {
            self.rotation.enqueue(rotated::parts(&self.recipe.path), false);
        }
        !self.rotation.queue.is_empty()
    }

    /// The file at the path is another one. If the one that was read lies beside it under a rotated name, its end is
    /// read there, and the new one continues it.
    pub(super) fn was_rotated(&mut self) -> bool {
        let mut parts = rotated::parts(&self.recipe.path);
        let continued = parts.iter().rposition(|part| {
            let long_enough = part.packed() || part.stamp.size >= self.reader.offset();
            long_enough && part.with(|file| self.reader.begins_alike(file)).unwrap_or(false)
        });
        let Some(at) = continued else { return false };
        self.rotation.enqueue(parts.drain(at..), true);
        true
    }

    /// Reads on in the first of the older parts.
    pub(super) fn older_part_turn(
        &mut self,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> Turn {
        let Some(part) = self.rotation.queue.front().cloned() else { return Turn::More };
        if !std::mem::replace(&mut self.rotation.within, true) {
            self.reader = self.recipe.reader();
            self.decoded = Decoded::new();
        }
        let mut budget = Budget { at_end: true, ..budget };
        let mut stamp = part.stamp;
        if part.packed() {
            // its stream cannot rest: it would begin again
            (budget.bytes, budget.time) = (u64::MAX, Duration::MAX);
            stamp = Self::open_ended(stamp);
        }
        self.report.health.state = FileState::Reading;
        let read = part.with(|file| {
            let turn = self.read(file, stamp, budget, scratch, clock, out)?;
            Ok((turn, file.problem()))
        });
        let problem = match read {
            Ok((turn @ (Turn::More | Turn::Closed), _)) => {
                return if self.report.send(false, clock, out) { turn } else { Turn::Closed };
            }
            Ok((_, problem)) => self.dead.take().map(|dead| dead.reason()).or(problem),
            Err(error) => Some(error.to_string().into()),
        };
        if let Some(problem) = problem {
            let name = part.path.file_name().unwrap_or_default().to_string_lossy();
            let reason = format!("older part {name}: {problem}").into();
            self.report.health.skip(Skip { offset: 0, bytes: 0, reason });
        }
        self.rotation.queue.pop_front();
        self.rotation.done += part.stamp.size;
        self.rotation.within = false;
        if self.rotation.queue.is_empty() {
            self.reader = self.recipe.reader();
            self.decoded = Decoded::new();
            self.ended = false;
        }
        if self.report.send(false, clock, out) { Turn::More } else { Turn::Closed }
    }

    /// Whether it is an older part that the reader stands in.
    pub(super) fn within_older_part(&self) -> bool {
        self.rotation.within && !self.rotation.queue.is_empty()
    }

    /// How the file looks to a reader of its unpacked bytes, whose number nobody knows.
    pub(super) fn open_ended(stamp: Stamp) -> Stamp {
        Stamp { size: u64::MAX, ..stamp }
    }

    /// Adds what older parts brought to what is known of the file itself.
    pub(super) fn set_read_bytes(&mut self, read: u64) {
        let all = self.report.health.bytes;
        self.report.health.read_bytes = read.saturating_add(self.rotation.done).min(all);
    }
}
