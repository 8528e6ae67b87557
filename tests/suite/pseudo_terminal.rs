//! The real program in a pseudo-terminal: what its screen shows, what it leaves behind.
//!
//! Everything waits for content with a deadline, never for time.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{LocalModes, tcgetattr},
};

/// How long anything may take on a busy machine before the test fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The program's file.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_epochscope");

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

/// A program running in a terminal of its own.
pub struct PseudoTerminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open so that the terminal outlives the program and can be looked at.
    _slave: Box<dyn SlavePty + Send>,
    tty: File,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    cooked: LocalModes,
}

impl PseudoTerminal {
    /// Starts the program with `arguments` in `folder` on a terminal of `columns` × `rows`.
    pub fn start<S: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = S>,
        folder: &Path,
        columns: u16,
        rows: u16,
    ) -> Self {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(arguments);
        Self::spawn(command, folder, columns, rows)
    }

    /// Starts any command.
    pub fn spawn(mut command: CommandBuilder, folder: &Path, columns: u16, rows: u16) -> Self {
        command.cwd(folder);
        for name in ["NO_COLOR", "COLORTERM", "TMUX", "LC_ALL", "LC_CTYPE", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let tty = File::options().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let cooked = tcgetattr(&tty).unwrap().local_modes;
        let child = pair.slave.spawn_command(command).unwrap();
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(rows, columns, 0),
                bytes: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 16_000];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*shared;
                let mut seen = lock.lock().unwrap();
                if read == 0 {
                    seen.closed = true;
                    changed.notify_all();
                    return;
                }
                seen.parser.process(&buffer[..read]);
                seen.bytes.extend_from_slice(&buffer[..read]);
                changed.notify_all();
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: Some(pair.master), _slave: pair.slave, tty, writer: Some(writer), child, seen, cooked }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Makes the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// The terminal is closed under the program.
    pub fn hang_up(&mut self) {
        self.writer = None;
        self.master = None;
    }

    /// The screen as text, a line a row.
    pub fn screen(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Everything that was written to the terminal so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().bytes.clone()
    }

    /// Waits until the terminal satisfies `is_so`.
    #[expect(clippy::disallowed_methods, reason = "a deadline in real time, for a real program")]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().unwrap();
        let end = Instant::now() + DEADLINE;
        while !is_so(seen.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited for {what}; the screen shows:\n{}\n",
                seen.parser.screen().contents()
            );
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Waits until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen no longer shows `text`.
    pub fn wait_without(&self, text: &str) {
        self.wait_until(&format!("no {text:?}"), |screen| !screen.contents().contains(text));
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    /// Waits until the program is stopped, as by Ctrl-Z.
    pub fn wait_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        wait_for_condition("the program to stop", || {
            let text = std::fs::read_to_string(&stat).unwrap();
            text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        });
    }

    /// Waits until the program has ended; returns its exit code.
    pub fn wait_end(&mut self) -> u32 {
        let mut code = None;
        let child = &mut self.child;
        wait_for_condition("the program to end", || {
            code = child.try_wait().unwrap().map(|status| status.exit_code());
            code.is_some()
        });
        code.unwrap()
    }

    /// Asserts that the terminal is as it was found: main screen, cursor, no mouse, no paste marks, cooked.
    pub fn assert_clean(&self) {
        self.wait_until("the main screen with its cursor", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        let modes = tcgetattr(&self.tty).unwrap().local_modes;
        assert_eq!(modes, self.cooked, "the terminal's modes differ from those that were found");
    }

    /// True while the terminal is raw and shows the other screen.
    pub fn is_taken(&self) -> bool {
        let taken = self.seen.0.lock().unwrap().parser.screen().alternate_screen();
        taken && !tcgetattr(&self.tty).unwrap().local_modes.contains(LocalModes::ICANON)
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Waits for something that cannot wake us.
#[expect(clippy::disallowed_methods, reason = "a deadline in real time, for a real program")]
pub fn wait_for_condition(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "waited for {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}
