//! A file that could not be read on: whether it can be now.
//!
//! It is read from its start by a fresh decoder, silently, and only when that gets further than the one before does
//! the file begin again on screen. Failures make the tries rarer, so that a large broken file that grows every second
//! is not read every second.

use std::{io, sync::Arc, time::Duration};

use super::{
    reader::{Reader, Recipe, Scratch, Step},
    source::{ReadAt, Stamp},
    tail::Budget,
};
use crate::formats::Decoded;

/// Pause after the first failed try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What a look at a dead file found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing changed, or it failed again.
    Dead,
    /// It changed, but it is too early for another try.
    NotNow(Duration),
    /// The try is not over.
    Busy,
    /// It reads.
    Alive,
}

/// The tries to read a dead file.
pub struct Revival {
    reason: Arc<str>,
    died_at: u64,
    stamp: Stamp,
    pause: Duration,
    not_before: Duration,
    probe: Option<(Reader, Decoded)>,
}

impl Revival {
    /// A file that died for `reason` at the byte `died_at` when it looked like `stamp`.
    pub fn new(reason: Arc<str>, died_at: u64, stamp: Stamp) -> Self {
        Self { reason, died_at, stamp, pause: FIRST_PAUSE, not_before: Duration::ZERO, probe: None }
    }

    /// Why it is dead.
    pub fn reason(&self) -> Arc<str> {
        Arc::clone(&self.reason)
    }

    /// Tries again if the file changed.
    pub fn turn(
        &mut self,
        recipe: &Recipe,
        file: &dyn ReadAt,
        stamp: &Stamp,
        budget: Budget,
        scratch: &mut Scratch,
        now: Duration,
    ) -> io::Result<Verdict> {
        let (mut reader, mut decoded) = if let Some(probe) = self.probe.take() {
            probe
        } else {
            if *stamp == self.stamp {
                return Ok(Verdict::Dead);
            }
            let replaced = stamp.identity() != self.stamp.identity() || stamp.size < self.stamp.size;
            if now < self.not_before && !replaced {
                return Ok(Verdict::NotNow(self.not_before.saturating_sub(now)));
            }
            self.stamp = *stamp;
            (recipe.reader(), Decoded::new())
        };
        let begin = reader.offset();
        loop {
            let step = reader.step(file, stamp.size, false, scratch, &mut decoded)?;
            decoded.take();
            match step {
                Step::Advanced if reader.offset() > self.died_at => return Ok(Verdict::Alive),
                Step::Advanced => {}
                Step::CaughtUp { .. } => return Ok(Verdict::Alive),
                Step::Torn => return Ok(self.failed(None, now)),
                Step::Failed(reason) => return Ok(self.failed(Some(reason), now)),
            }
            if reader.offset() - begin >= budget.bytes {
                self.probe = Some((reader, decoded));
                return Ok(Verdict::Busy);
            }
        }
    }

    fn failed(&mut self, reason: Option<Arc<str>>, now: Duration) -> Verdict {
        self.reason = reason.unwrap_or_else(|| self.reason());
        self.not_before = now + self.pause;
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Verdict::Dead
    }
}
