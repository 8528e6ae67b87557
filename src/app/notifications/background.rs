//! A thread that delivers messages, and the queue before it: sending never waits.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::notice::Message;

/// Messages that wait for their turn.
pub(super) const WAITING: usize = 100;

/// What both sides of the queue look at.
#[derive(Clone, Default)]
pub(super) struct Shared {
    /// Nobody waits for the thread any longer.
    pub hurry: Arc<AtomicBool>,
    /// Messages that were taken and of which it is not decided whether they arrive.
    pub waiting: Arc<AtomicU64>,
}

/// The near side.
pub(super) struct Background {
    sender: Option<SyncSender<Message>>,
    worker: Option<JoinHandle<()>>,
    shared: Shared,
}

impl Background {
    /// Starts a thread that works off the queue until it is closed.
    pub fn start(
        name: &str,
        work: impl FnOnce(&Receiver<Message>, Shared) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let shared = Shared::default();
        let theirs = shared.clone();
        let worker = thread::Builder::new().name(name.to_owned()).spawn(move || work(&receiver, theirs))?;
        Ok(Self { sender: Some(sender), worker: Some(worker), shared })
    }

    /// Puts a message into the queue; false if there is no room.
    pub fn send(&self, message: &Message) -> bool {
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        let taken = self.sender.as_ref().is_some_and(|s| s.try_send(message.clone()).is_ok());
        if !taken {
            self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        taken
    }

    /// Closes the queue and waits for the rest, then tells the thread to hurry and waits for its `end`. How many messages
    /// were undecided when patience ended.
    pub fn finish(&mut self, patience: Duration, end: Duration) -> u64 {
        self.sender = None;
        let Some(worker) = self.worker.take() else { return 0 };
        wait_for(&worker, patience);
        let lost = self.shared.waiting.load(Ordering::SeqCst);
        self.shared.hurry.store(true, Ordering::SeqCst);
        wait_for(&worker, end);
        lost
    }
}

/// Waits for a thread to end, for so long at most.
pub fn wait_for(worker: &JoinHandle<()>, patience: Duration) {
    const PIECE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while !worker.is_finished() && waited < patience {
        thread::park_timeout(PIECE);
        waited += PIECE;
    }
}
