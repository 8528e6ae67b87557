//! The terminal: taken, given back as it was found, whatever happens in between.
//!
//! **Invariant:** whoever ends the program while the screen is up calls [`give_back`] first: the normal end, an
//! error, a panic, a signal, a suspend. It may be called any number of times, from any thread.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Signal, kill_current_process_group},
    termios::tcgetwinsize,
};

use super::journal::Journal;

/// Alternate screen, no cursor, pastes marked as such.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Buttons and wheel, in the notation without a limit of 223 columns. Not the motion: nobody needs the flood.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Everything back, beginning with a synchronized update that may be open.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// The screen is up.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The thread that draws; a panic of any other thread must not take the screen down.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
/// What the last panic of another thread said.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// What the event loop needs of a terminal; tests have one that counts.
pub trait Device {
    /// Columns and rows.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// Writes all of it, in one go if the system allows.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Gives the terminal back, sleeps until continued, takes it again.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again after something else may have used it.
    fn retake(&mut self) -> io::Result<()>;
    /// Takes or frees the mouse.
    fn set_mouse(&mut self, on: bool) -> io::Result<()>;
}

/// The terminal on standard output. Dropping it gives it back.
#[derive(Debug)]
pub struct Tty {
    mouse: bool,
}

impl Tty {
    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let mut tty = Self { mouse };
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        tty.enter()?;
        Ok(tty)
    }

    fn enter(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        crossterm::terminal::enable_raw_mode()?;
        self.write(ENTER)?;
        if self.mouse {
            self.write(MOUSE_ON)?;
        }
        Ok(())
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        give_back();
    }
}

impl Device for Tty {
    fn size(&self) -> io::Result<(u16, u16)> {
        let size = tcgetwinsize(io::stdout())?;
        // Serial lines and some containers say 0 × 0.
        Ok(if size.ws_col == 0 || size.ws_row == 0 { (80, 24) } else { (size.ws_col, size.ws_row) })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_all(bytes)
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // To the whole group, as the terminal's own Ctrl-Z: `cargo run` or `time` in front of us must stop too.
        // SIGSTOP, because SIGTSTP is what we listen to.
        kill_current_process_group(Signal::STOP)?;
        // Execution goes on here when the shell continues us.
        self.enter()
    }

    fn retake(&mut self) -> io::Result<()> {
        // The shell has put its own modes in place while we were stopped; crossterm thinks raw mode is still on.
        crossterm::terminal::disable_raw_mode()?;
        self.enter()
    }

    fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        self.write(if on { MOUSE_ON } else { MOUSE_OFF })
    }
}

/// Writes to standard output past any buffer, so that a frame is one `write`.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(&stdout, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written.min(bytes.len())..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                // Somebody who shares the terminal made it non-blocking.
                poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Gives the terminal back as it was found, if it was taken. Never blocks for long: a terminal that takes nothing
/// any more gets its modes back and no farewell.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let stdout = io::stdout();
    let patience = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let ready = poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], Some(&patience));
    if matches!(ready, Ok(n) if n > 0) {
        let _ = write_all(LEAVE);
    }
    let _ = crossterm::terminal::disable_raw_mode();
}

/// From now on a panic of the drawing thread gives the terminal back before it says version and place; panics of
/// other threads (a decoder's, which is caught) are noted in the journal and kept for [`take_last_panic`].
pub fn install_panic_hook(journal: Journal) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let message = info.payload_as_str().unwrap_or("no message");
        journal.note(&format!("panic at {place}: {message}"));
        let owner = *OWNER.lock().unwrap_or_else(PoisonError::into_inner);
        if owner.is_some_and(|owner| owner != thread::current().id()) {
            *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(format!("{message} at {place}"));
            return;
        }
        if owner.is_none() && thread::current().name() != Some("main") {
            return;
        }
        give_back();
        let _ = write!(
            io::stderr(),
            "epochscope: this is a bug in epochscope {}\n  why: panic at {place}: {}\n  do: please report it with \
             these lines and the kind of log you watched; RUST_BACKTRACE=1 tells more\n",
            env!("CARGO_PKG_VERSION"),
            crate::model::sanitise(message),
        );
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0") {
            let _ = writeln!(io::stderr(), "{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}

/// What the last panic of another thread said, once.
pub fn take_last_panic() -> Option<String> {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Whether a screen can be shown: standard output is a terminal that understands positions, and keys can be read.
pub fn can_show_a_screen() -> bool {
    io::stdout().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb" && !term.is_empty())
}
