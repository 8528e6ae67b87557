//! Threads that read: each visits one run after another and gives its files their turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    time::Duration,
};

use super::{
    outlet::Outlet,
    pool::{Pool, Visit},
    reader::Scratch,
    source::Source,
    tail::{Budget, Turn},
    watch::Hint,
};
use crate::model::Clock;

/// A visit to a run that is read for the first time: long, because nobody waits for its single points.
const LOADING: (u64, Duration) = (64 << 20, Duration::from_millis(100));

/// A turn at a file that is followed: short, so that the next one's new points are on screen in time.
const FOLLOWING: (u64, Duration) = (1 << 20, Duration::from_millis(20));

/// What every worker has.
pub struct Workshop {
    /// The work.
    pub pool: Arc<Pool>,
    /// Where files come from.
    pub source: Arc<dyn Source>,
    /// For budgets and for the time of news.
    pub clock: Arc<dyn Clock>,
    /// Where news go.
    pub outlet: Outlet,
    /// Where wishes to be called later go.
    pub hints: SyncSender<Hint>,
    /// Set when a hint was lost.
    pub overflow: Arc<AtomicBool>,
    /// Whether files are followed beyond their present end.
    pub follow: bool,
}

impl Workshop {
    /// Works until the pool says that it is over.
    pub fn work(&self) {
        let mut scratch = Scratch::default();
        while let Some(visit) = self.pool.next() {
            self.visit(&visit, &mut scratch);
            drop(visit);
            scratch.shrink();
        }
    }

    fn visit(&self, visit: &Visit<'_>, scratch: &mut Scratch) {
        let (bytes, time) = if visit.loading { LOADING } else { FOLLOWING };
        let began = self.clock.elapsed();
        let mut left = time;
        while let Some(mut tail) = visit.take() {
            let budget = Budget { bytes, time: left, at_end: !self.follow };
            let mut out = |news| self.outlet.send(news);
            let turn = match self.source.open(tail.path(), tail.companions()) {
                Ok(file) => tail.turn(&*file, budget, scratch, &*self.clock, &mut out),
                Err(error) => tail.lost(&error, &*self.clock, &mut out),
            };
            let now = self.clock.elapsed();
            let id = tail.id();
            visit.put_back(tail, turn == Turn::More, now);
            match turn {
                Turn::Done | Turn::More => {}
                Turn::Later(wait) => {
                    if self.hints.try_send(Hint::Later(id, now + wait)).is_err() {
                        self.overflow.store(true, Ordering::Release);
                    }
                }
                Turn::Closed => {
                    self.pool.stop();
                    return;
                }
            }
            let spent = now.saturating_sub(began);
            if spent >= time {
                return;
            }
            left = time.saturating_sub(spent);
        }
    }
}
