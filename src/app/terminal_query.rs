//! Asks the terminal what it can do, for `doctor`. Never during the monitor: answers would mix with keys.

use std::{
    io::{self, IsTerminal, Read, Write},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a terminal may take per answer; over a slow link the first takes a round trip.
const PATIENCE: Duration = Duration::from_millis(400);

/// What a terminal said of itself; `None`: nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Abilities {
    /// Mode 2026.
    pub synchronized: Option<bool>,
    /// Sixel pictures (4 in the primary device attributes).
    pub sixel: Option<bool>,
    /// Kitty's graphics protocol.
    pub kitty: Option<bool>,
}

/// Asks; takes at most [`PATIENCE`] when nobody answers. Nothing is asked unless both ends are terminals.
pub fn ask() -> Abilities {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Abilities::default();
    }
    if crossterm::terminal::enable_raw_mode().is_err() {
        return Abilities::default();
    }
    let answer = exchange();
    let _ = crossterm::terminal::disable_raw_mode();
    answer.map_or_else(|_| Abilities::default(), |bytes| abilities(&bytes))
}

/// The device attributes are asked last: every terminal answers those, so that their answer ends the waiting.
fn exchange() -> io::Result<Vec<u8>> {
    let mut out = io::stdout();
    out.write_all(b"\x1b[?2026$p\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c")?;
    out.flush()?;
    let mut seen = Vec::new();
    let mut stdin = io::stdin().lock();
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(PATIENCE.subsec_nanos()) };
    while seen.len() < 4096 {
        let ready = {
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            poll(&mut fds, Some(&wait))?
        };
        if ready == 0 {
            break;
        }
        let mut part = [0; 256];
        let n = stdin.read(&mut part)?;
        seen.extend_from_slice(&part[..n]);
        if n == 0 || attributes(&seen).is_some() {
            break;
        }
    }
    Ok(seen)
}

/// The parameters of `ESC [ ? … c`.
fn attributes(seen: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(seen);
    text.match_indices("\x1b[?").find_map(|(at, start)| {
        let rest = &text[at + start.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
        rest[end..].starts_with('c').then(|| rest[..end].to_owned())
    })
}

fn abilities(seen: &[u8]) -> Abilities {
    let text = String::from_utf8_lossy(seen);
    let Some(attributes) = attributes(seen) else { return Abilities::default() };
    // DECRPM: 1 set, 2 reset, 3 always set; 0 and 4 mean that it cannot be had.
    let mode = text.split("\x1b[?2026;").nth(1).and_then(|rest| rest.chars().next());
    Abilities {
        synchronized: mode.map(|m| matches!(m, '1' | '2' | '3')),
        sixel: Some(attributes.split(';').any(|a| a == "4")),
        kitty: Some(text.contains("\x1b_Gi=31;OK")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_real_terminals_are_understood() {
        let kitty = b"\x1b[?2026;2$y\x1b_Gi=31;OK\x1b\\\x1b[?62;c";
        assert_eq!(
            abilities(kitty),
            Abilities { synchronized: Some(true), sixel: Some(false), kitty: Some(true) }
        );
        let xterm = b"\x1b[?2026;0$y\x1b[?64;1;2;4;6;22c";
        assert_eq!(
            abilities(xterm),
            Abilities { synchronized: Some(false), sixel: Some(true), kitty: Some(false) }
        );
        assert_eq!(abilities(b""), Abilities::default());
        assert_eq!(abilities(b"\x1b[?1;2"), Abilities::default());
    }
}
