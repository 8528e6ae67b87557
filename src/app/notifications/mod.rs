//! Alerts that leave the program: once each, at a bearable pace, without ever being waited for.
//!
//! ```text
//! AlertBook ─▶ Stream ─▶ notices ─▶ Dispatcher ─ ledger ─ pacing ─▶ Channel (bell, desktop, command, webhook)
//!              settles               one lane a channel              own thread where it can take time
//! ```
//!
//! **Invariants:** reading and drawing never wait for a channel; every queue is bounded, and what finds no room is
//! counted and said; nothing that a log says is run, or reaches a terminal unescaped; nothing is written among the
//! logs.

mod background;
mod bell;
mod body;
pub mod channel;
mod command;
mod desktop;
pub mod dispatcher;
pub mod flags;
pub mod ledger;
pub mod notice;
pub mod pacing;
mod quiet_hours;
mod stream;
mod webhook;
mod words;

use std::{
    env,
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{error::AppError, monitor::utc_offset_s, reading::Setting, xdg};
use crate::{engine::Session, model::Clock};
use channel::{Say, Surroundings, Terminal};
use dispatcher::Dispatcher;
use ledger::Ledger;
use notice::Notice;
use pacing::Moment;
pub use quiet_hours::QuietHours;
use quiet_hours::minute_of_day;
use stream::Stream;

/// Between two looks at the session, at least: a flood of news costs ten looks a second.
const REST: Duration = Duration::from_millis(100);
/// How often the clock is looked at while something is held back.
const HELD_LOOK: Duration = Duration::from_secs(15);
/// How long the end waits for what is under way, where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Turns what happens in a session into notices and hands them on.
pub struct Pump {
    session: Arc<RwLock<Session>>,
    clock: Arc<dyn Clock>,
    stream: Stream,
    dispatcher: Dispatcher,
    utc_offset_s: f64,
}

impl Pump {
    /// For `session`, which reads `paths`.
    pub fn new(
        session: Arc<RwLock<Session>>,
        paths: &[PathBuf],
        setting: &Setting,
        outside: (Terminal, Say, bool),
    ) -> Result<Self, AppError> {
        let (terminal, say, screen) = outside;
        let clock = Arc::clone(&setting.clock);
        let around = Surroundings {
            terminal,
            say,
            clock: Arc::clone(&clock),
            screen,
            tmux: env::var_os("TMUX").is_some_and(|v| !v.is_empty()),
        };
        let watched = xdg::canonical(paths);
        let folder = if setting.notify.any() { xdg::state_folder() } else { None };
        let ledger = Ledger::open(folder, &watched, clock.now());
        let dispatcher = Dispatcher::new(&setting.notify, &around, watched, ledger)?;
        let stream = Stream::new(setting.common.stale_after);
        Ok(Self { session, clock, stream, dispatcher, utc_offset_s: utc_offset_s(setting) })
    }

    /// Looks at the session; returns what has happened to alerts. With `last` nothing waits any longer.
    pub fn turn(&mut self, last: bool) -> Vec<Notice> {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let notices = {
            let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
            self.stream.look(&session, now, elapsed, last)
        };
        self.dispatcher.tell(&notices, now, self.moment());
        notices
    }

    /// What was there at the start has been read.
    pub fn caught_up(&self) -> bool {
        self.stream.caught_up()
    }

    /// How long nothing will happen by itself; `None`: until there is news.
    pub fn rest(&self) -> Option<Duration> {
        let settles = self.stream.deadline().map(|at| at.saturating_sub(self.clock.elapsed()));
        let held = self.dispatcher.holds().then_some(HELD_LOOK);
        [settles, held].into_iter().flatten().min().map(|rest| rest.max(REST))
    }

    /// The end: see [`Dispatcher::finish`].
    pub fn finish(&mut self, patience: Duration) {
        self.dispatcher.finish(self.clock.now(), self.moment(), patience);
    }

    fn moment(&self) -> Moment {
        let local = self.clock.now().known().unwrap_or_default() + self.utc_offset_s;
        Moment { elapsed: self.clock.elapsed(), minute: minute_of_day(local) }
    }
}

/// A knock on the door of whoever looks at the session; knocking twice is knocking once.
#[derive(Clone)]
pub struct Knock(SyncSender<()>);

impl Knock {
    /// A door and its knocker.
    pub fn new() -> (Self, Receiver<()>) {
        let (sender, receiver) = sync_channel(1);
        (Self(sender), receiver)
    }

    /// Somebody should look. False if nobody is there any more.
    pub fn knock(&self) -> bool {
        !matches!(self.0.try_send(()), Err(TrySendError::Disconnected(())))
    }
}

/// A pump that runs beside a screen. Dropping it without [`Beside::finish`] leaves it to end with the program.
pub struct Beside {
    thread: thread::JoinHandle<()>,
    end: SyncSender<Duration>,
    knock: Knock,
}

impl Beside {
    /// Runs `pump` on a thread of its own, woken by `door`.
    pub fn start(mut pump: Pump, knock: Knock, door: Receiver<()>) -> std::io::Result<Self> {
        let (end, ended) = sync_channel::<Duration>(1);
        let thread = thread::Builder::new().name("notifications".into()).spawn(move || {
            loop {
                if let Ok(patience) = ended.try_recv() {
                    pump.turn(true);
                    pump.finish(patience);
                    return;
                }
                pump.turn(false);
                // A flood of news is looked at ten times a second.
                thread::park_timeout(REST);
                let woken = match pump.rest() {
                    Some(rest) => door.recv_timeout(rest),
                    None => door.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                if woken == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        })?;
        Ok(Self { thread, end, knock })
    }

    /// Ends it; waits for what is under way, for so long at most.
    pub fn finish(self, patience: Duration) {
        let _ = self.end.try_send(patience);
        self.knock.knock();
        background::wait_for(&self.thread, patience + REST * 3);
    }
}
