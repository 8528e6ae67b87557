//! The way out for news, and the signal to stop.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use crate::model::News;

/// How long a sender waits before it looks again whether the full channel has room. Short against the time in
/// which the engine empties 64 batches, so that the engine is never idle for want of them.
const FULL_WAIT: Duration = Duration::from_micros(500);

/// Tells all threads of an ingest to end, and lets them wait for that with a deadline.
#[derive(Debug, Default)]
pub struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Tells everybody.
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether [`Self::stop`] was called.
    pub fn stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for at most `limit`, or without limit; returns whether it is time to stop.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        let guard = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        match limit {
            Some(limit) => {
                *self
                    .changed
                    .wait_timeout_while(guard, limit, |stopped| !*stopped)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => {
                *self.changed.wait_while(guard, |stopped| !*stopped).unwrap_or_else(PoisonError::into_inner)
            }
        }
    }
}

/// Sends news into the bounded channel, waiting while it is full: the file is the queue.
#[derive(Clone, Debug)]
pub struct Outlet {
    out: SyncSender<News>,
    stop: Arc<Stop>,
}

impl Outlet {
    /// An outlet that gives up when `stop` says so.
    pub fn new(out: SyncSender<News>, stop: Arc<Stop>) -> Self {
        Self { out, stop }
    }

    /// Delivers `news`; false when it is time to stop or nobody listens any more.
    ///
    /// A blocking `send` would hang for ever if the listener stopped listening without going away.
    pub fn send(&self, mut news: News) -> bool {
        loop {
            match self.out.try_send(news) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => news = back,
            }
            if self.stop.wait(Some(FULL_WAIT)) {
                return false;
            }
        }
    }
}
