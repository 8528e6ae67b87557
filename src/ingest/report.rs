//! What a tail tells of its file, and how often.

use std::{collections::BTreeMap, mem::discriminant, sync::Arc, time::Duration};

use crate::model::{Clock, FileHealth, FileState, News, Skip};

/// While a large file is being read it is reported five times a second: often enough for a progress display.
const WHILE_BUSY: Duration = Duration::from_millis(200);

/// A file's health, and what was last sent of it.
#[derive(Debug)]
pub struct Report {
    /// As it is now.
    pub health: FileHealth,
    sent: Option<Sent>,
}

#[derive(Debug)]
struct Sent {
    at: Duration,
    state: FileState,
    numbers: [u64; 6],
}

impl Report {
    /// A report of a file of which nothing was sent yet.
    pub fn new(health: FileHealth) -> Self {
        Self { health, sent: None }
    }

    /// Adds what one step of reading found.
    pub fn count(
        &mut self,
        skips: Vec<Skip>,
        oddities: BTreeMap<Arc<str>, u64>,
        records: u64,
        content: bool,
        clock: &dyn Clock,
    ) {
        for skip in skips {
            self.health.skip(skip);
        }
        for (name, count) in oddities {
            *self.health.oddities.entry(name).or_default() += count;
        }
        self.health.records += records;
        if content || records > 0 {
            self.health.last_news = clock.now();
        }
    }

    /// The file is read from its start again.
    pub fn restarted(&mut self) {
        self.health.restarts = self.health.restarts.saturating_add(1);
        self.forget();
    }

    /// The file belongs to another run: it is read from its start again, and said so in any case.
    pub fn moved(&mut self) {
        self.health.state = FileState::Waiting;
        self.forget();
        self.sent = None;
    }

    /// What was counted is counted anew.
    pub fn forget(&mut self) {
        let health = &mut self.health;
        health.read_bytes = 0;
        health.pending_bytes = 0;
        health.records = 0;
        health.skips.clear();
        health.skip_count = 0;
        health.skipped_bytes = 0;
        health.oddities.clear();
    }

    /// Sends the report if it differs from what was sent; unless `due`, only now and then or when the state changed.
    /// False when nobody listens any more.
    pub fn send(&mut self, due: bool, clock: &dyn Clock, out: &mut dyn FnMut(News) -> bool) -> bool {
        let numbers = self.numbers();
        let now = clock.elapsed();
        if let Some(sent) = &self.sent {
            let other_state = discriminant(&sent.state) != discriminant(&self.health.state);
            let changed = other_state || sent.numbers != numbers || sent.state != self.health.state;
            let rested = now.saturating_sub(sent.at) >= WHILE_BUSY;
            if !changed || !(due || other_state || rested) {
                return true;
            }
        }
        self.sent = Some(Sent { at: now, state: self.health.state.clone(), numbers });
        out(News::File(Box::new(self.health.clone())))
    }

    fn numbers(&self) -> [u64; 6] {
        let health = &self.health;
        [
            health.bytes,
            health.read_bytes.wrapping_add(health.skip_count << 48),
            health.pending_bytes,
            health.records.wrapping_add(health.oddities.values().sum::<u64>() << 40),
            u64::from(health.restarts),
            health.modified.0.to_bits(),
        ]
    }
}
