//! How far a command that reads once has come: one line on standard error, drawn over and wiped off again, for people
//! who wait at a terminal.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crate::{
    model::{Clock, FileState, Health},
    ui::numbers,
};

/// Whoever waits no longer needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(250);

/// The line.
pub struct Progress<'a> {
    clock: &'a dyn Clock,
    out: Option<Box<dyn Write>>,
    next: Duration,
    shown: bool,
}

impl<'a> Progress<'a> {
    /// A line on standard error; none where that is no terminal, or where `other` lines are written to it.
    pub fn new(clock: &'a dyn Clock, other: bool) -> Self {
        let stderr = io::stderr();
        let out = (stderr.is_terminal() && !other).then(|| Box::new(stderr) as Box<dyn Write>);
        Self::on(clock, out)
    }

    fn on(clock: &'a dyn Clock, out: Option<Box<dyn Write>>) -> Self {
        Self { clock, out, next: clock.elapsed() + PATIENCE, shown: false }
    }

    /// Draws the line if it is time to.
    pub fn at(&mut self, health: &Health) {
        let Some(out) = &mut self.out else { return };
        let now = self.clock.elapsed();
        if now < self.next {
            return;
        }
        self.next = now + EVERY;
        self.shown = true;
        // Nobody is helped by an error about a line of progress.
        let _ = write!(out, "\r\x1b[K{}", line(health)).and_then(|()| out.flush());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(out) = self.out.as_mut().filter(|_| self.shown) {
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

fn line(health: &Health) -> String {
    let scan = &health.scan;
    let looked =
        format!("{} files in {} folders", numbers::count(scan.files_seen), numbers::count(scan.folders));
    let total = |part: fn(&crate::model::FileHealth) -> u64| health.files.values().map(part).sum::<u64>();
    let (bytes, read) = (total(|f| f.bytes), total(|f| f.read_bytes));
    let busy = health.files.values().any(|f| matches!(f.state, FileState::Waiting | FileState::Reading));
    let reading = format!("{} of {}", numbers::bytes(read), numbers::bytes(bytes));
    match (scan.complete, busy) {
        (false, true) => format!("searching: {looked}; read {reading}"),
        (false, false) => format!("searching: {looked}"),
        (true, _) => format!("reading: {reading}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::{ManualClock, WallTime};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_waits_for_long_is_told_and_the_line_goes_away() {
        let (clock, screen) = (ManualClock::new(WallTime(0.0)), Screen::default());
        let text = || String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        let mut health = Health::default();
        (health.scan.files_seen, health.scan.folders) = (320_000, 12);
        let mut progress = Progress::on(&clock, Some(Box::new(screen.clone())));
        progress.at(&health);
        assert_eq!(text(), "", "short waits need no line");
        clock.advance(Duration::from_secs(2));
        progress.at(&health);
        progress.at(&health);
        assert_eq!(text(), "\r\x1b[Ksearching: 320k files in 12 folders", "now and then only");
        drop(progress);
        assert!(text().ends_with("\r\x1b[K"));
    }
}
