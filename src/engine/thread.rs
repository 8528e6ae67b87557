//! The engine's own thread, and the loop of one-shot commands.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{Engine, Session};
use crate::model::{Clock, News};

/// How often silence is judged. A stall is noticed this much late at most.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// Takes in news on a thread of its own until all senders are gone.
///
/// `on_change` is called with the session's generation after each change, never under the lock.
pub fn spawn(
    rx: Receiver<News>,
    session: Arc<RwLock<Session>>,
    mut engine: Engine,
    clock: Arc<dyn Clock>,
    on_change: Box<dyn Fn(u64) + Send>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut last_beat = clock.elapsed();
        let mut seen = None;
        session.write().unwrap_or_else(PoisonError::into_inner).store.limit(engine.limits);
        loop {
            let wait = HEARTBEAT.saturating_sub(clock.elapsed().saturating_sub(last_beat));
            let news = match rx.recv_timeout(wait) {
                Ok(news) => Some(news),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // A timeout is a beat even if the clock that we were handed stands still.
            let beat = news.is_none() || clock.elapsed().saturating_sub(last_beat) >= HEARTBEAT;
            let generation = {
                let mut session = session.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(news) = news {
                    engine.apply(&mut session, news, clock.now());
                }
                if beat {
                    engine.heartbeat(&mut session, clock.now());
                }
                session.generation
            };
            if beat {
                last_beat = clock.elapsed();
            }
            if seen != Some(generation) {
                seen = Some(generation);
                on_change(generation);
            }
        }
    })
}

/// Takes in all news until the senders are gone, then judges what was pending: for commands that read once. `seen` is
/// shown the session after each.
pub fn read_all(
    rx: &Receiver<News>,
    mut engine: Engine,
    clock: &dyn Clock,
    seen: &mut dyn FnMut(&Session),
) -> Session {
    let mut session = engine.session();
    while let Ok(news) = rx.recv() {
        engine.apply(&mut session, news, clock.now());
        seen(&session);
    }
    engine.heartbeat(&mut session, clock.now());
    engine.finish(&mut session, clock.now());
    session
}
