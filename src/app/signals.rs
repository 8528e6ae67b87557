//! Signals as messages: stop, hang-up, suspend, continue, resize.
//!
//! They are caught on a thread of their own. Should the event loop hang, because the terminal takes no more bytes
//! or because of a bug, that thread gives the terminal back and ends the program all the same.

use std::{io, process, thread, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{journal::Journal, terminal};

/// How long the loop of a screen may take to end after it was told to.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Signals that may wait for the loop.
const WAITING: usize = 8;

/// What the system wants of us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// End, with 128 + this number as exit code.
    Stop(u8),
    /// Go to sleep (SIGTSTP).
    Suspend,
    /// We were continued; somebody else may have used the terminal.
    Continued,
    /// The terminal has another size.
    Resized,
}

const STOPS: [(SignalKind, u8); 4] = [
    (SignalKind::hangup(), 1),
    (SignalKind::interrupt(), 2),
    (SignalKind::quit(), 3),
    (SignalKind::terminate(), 15),
];
/// For programs without a screen: calls `tell` with the number of SIGINT or SIGTERM. Other signals do what they always
/// do, so that `nohup` and Ctrl-Z work. A second signal, or `patience` after the first, ends the program at once.
pub fn stops(tell: Box<dyn Fn(u8) + Send>, patience: Duration) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guard = runtime.enter();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    drop(guard);
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let mut next = async || {
                tokio::select! { _ = interrupt.recv() => 2_u8, _ = terminate.recv() => 15 }
            };
            let first = next().await;
            tell(first);
            let second = tokio::time::timeout(patience, next()).await;
            process::exit(128 + i32::from(second.unwrap_or(first)));
        });
    })?;
    Ok(())
}

/// SIGTSTP and SIGCONT have no name in tokio; these are their numbers on Linux and the BSDs.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SUSPEND_CONTINUE: (i32, i32) = (20, 18);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SUSPEND_CONTINUE: (i32, i32) = (18, 19);

/// Starts to catch signals. A program that has not ended this long after it was told to is ended.
pub fn spawn(journal: Journal, patience: Duration) -> io::Result<mpsc::Receiver<Wish>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Registered here, not on the thread: after this function no signal can be missed.
    let guard = runtime.enter();
    let mut kinds: Vec<(SignalKind, Wish)> = STOPS.map(|(kind, n)| (kind, Wish::Stop(n))).to_vec();
    kinds.push((SignalKind::from_raw(SUSPEND_CONTINUE.0), Wish::Suspend));
    kinds.push((SignalKind::from_raw(SUSPEND_CONTINUE.1), Wish::Continued));
    kinds.push((SignalKind::window_change(), Wish::Resized));
    let mut streams = Vec::new();
    for (kind, wish) in kinds {
        streams.push((signal(kind)?, wish));
    }
    drop(guard);
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let tasks: Vec<_> = streams
                .into_iter()
                .map(|(mut stream, wish)| {
                    let (sender, journal) = (sender.clone(), journal.clone());
                    async move {
                        while stream.recv().await.is_some() {
                            journal.note(&format!("signal: {wish:?}"));
                            match wish {
                                Wish::Stop(number) => {
                                    let _ = sender.try_send(wish);
                                    tokio::time::sleep(patience).await;
                                    terminal::give_back();
                                    process::exit(128 + i32::from(number));
                                }
                                // A loop that is busy learns of a resize from the size itself at the next frame.
                                _ => drop(sender.try_send(wish)),
                            }
                        }
                    }
                })
                .collect();
            let mut all = tokio::task::JoinSet::new();
            for task in tasks {
                all.spawn(task);
            }
            while all.join_next().await.is_some() {}
        });
    })?;
    Ok(receiver)
}
