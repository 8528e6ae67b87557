//! Keys, mouse and paste: one thread that waits for the terminal and passes events on through a bounded channel.
//!
//! The thread waits with `poll` itself before it lets crossterm read, because crossterm 0.29 never returns from a
//! terminal that was hung up and burns a core instead.

use std::{
    fs::File,
    io::{self, IsTerminal},
    os::fd::{AsFd, BorrowedFd},
    thread,
    time::Duration,
};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

/// Events that may wait; a person types slower, a paste is one event.
const WAITING: usize = 64;

/// What comes from the terminal.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A key, the mouse, a paste, a resize.
    Event(Event),
    /// The terminal is gone.
    Closed,
}

/// Starts the thread. It ends when the terminal is gone or nobody listens any more.
pub fn spawn() -> io::Result<mpsc::Receiver<Input>> {
    let tty = if io::stdin().is_terminal() { None } else { Some(File::open("/dev/tty")?) };
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::Builder::new().name("input".into()).spawn(move || {
        let stdin = io::stdin();
        let fd = tty.as_ref().map_or_else(|| stdin.as_fd(), AsFd::as_fd);
        while wait(fd) && pass_on(&sender) {}
        let _ = sender.blocking_send(Input::Closed);
    })?;
    Ok(receiver)
}

/// Blocks until something can be read; false when the terminal was hung up.
fn wait(fd: BorrowedFd<'_>) -> bool {
    loop {
        let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return false,
        }
        let seen = fds[0].revents();
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return false;
        }
        if seen.contains(PollFlags::IN) {
            return true;
        }
    }
}

/// Passes on what crossterm can make of the bytes that are there; false when that is over.
fn pass_on(sender: &mpsc::Sender<Input>) -> bool {
    loop {
        match crossterm::event::poll(Duration::ZERO) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(_) => return false,
        }
        match crossterm::event::read() {
            Ok(event) => {
                if sender.blocking_send(Input::Event(event)).is_err() {
                    return false;
                }
            }
            // A sequence that cannot be parsed is dropped by crossterm; the next bytes are fine.
            Err(error) if error.kind() == io::ErrorKind::Other => {}
            Err(_) => return false,
        }
    }
}
