//! `--desktop`: a notification of the desktop that the terminal shows for us, over ssh as well.
//!
//! Two sequences, because terminals know one or the other: OSC 9 (iTerm2, kitty, ghostty, Windows Terminal)
//! and OSC 777 (rxvt, foot, VTE). Inside tmux they are wrapped so that it passes them on, if `allow-passthrough` is on.

use super::{
    channel::{Channel, Surroundings, Terminal},
    flags::NotifyFlags,
    notice::{Message, short},
};
use crate::app::error::AppError;

/// Characters of a notification; terminals cut longer ones.
const LONGEST: usize = 200;

struct Desktop {
    terminal: Terminal,
    tmux: bool,
}

/// The desktop, if it is asked for.
#[expect(clippy::unnecessary_wraps, reason = "as all channels are made; others can fail")]
pub fn channel(flags: &NotifyFlags, around: &Surroundings) -> Result<Option<Box<dyn Channel>>, AppError> {
    let desktop = || Desktop { terminal: around.terminal.clone(), tmux: around.tmux };
    Ok(flags.desktop.then(|| Box::new(desktop()) as Box<dyn Channel>))
}

impl Channel for Desktop {
    fn name(&self) -> &'static str {
        "desktop"
    }

    fn send(&mut self, message: &Message) -> bool {
        (self.terminal)(sequences(message, self.tmux))
    }
}

fn sequences(message: &Message, tmux: bool) -> Vec<u8> {
    // Control characters of logs are gone since `short`. A semicolon would end the title of OSC 777, and text after
    // `9;` that begins with a number is a progress bar to some terminals: hence our name first.
    let first = message.details().lines().next().unwrap_or_default().to_owned();
    let (title, body) = (plain(&message.headline()), plain(&first));
    let nine = format!("\x1b]9;epochscope: {title}\x07");
    let other = format!("\x1b]777;notify;epochscope: {title};{body}\x07");
    [nine, other]
        .iter()
        .map(|text| if tmux { wrapped(text) } else { text.clone() })
        .collect::<String>()
        .into()
}

fn plain(text: &str) -> String {
    short(text, LONGEST).replace(';', ",")
}

/// As tmux passes it on: every escape doubled.
fn wrapped(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

#[cfg(test)]
mod tests {
    use super::{super::notice::tests::notice, *};
    use crate::detect::Severity;

    fn hostile() -> Message {
        let mut notice = notice("a\x1b]0;x\x07;b\n", "nan", Severity::Critical);
        notice.alert.message = format!("4;1;\u{9c}\x1b\\{}", "long ".repeat(100));
        Message::One(Box::new(notice))
    }

    #[test]
    fn nothing_of_a_log_ends_or_begins_a_sequence() {
        let text = String::from_utf8(sequences(&hostile(), false)).unwrap();
        assert_eq!((text.matches('\x1b').count(), text.matches('\x07').count()), (2, 2), "{text:?}");
        assert!(!text.contains(['\u{9c}', '\n']));
        assert!(text.starts_with("\x1b]9;epochscope: critical nan in train/loss of a"));
        let (_, second) = text.split_once("\x1b]777;notify;").unwrap();
        assert_eq!(second.matches(';').count(), 1, "title and body");
        assert!(second.chars().count() < 2 * LONGEST + 30);
    }

    #[test]
    fn inside_tmux_both_are_passed_on() {
        let plain = String::from_utf8(sequences(&hostile(), false)).unwrap();
        let text = String::from_utf8(sequences(&hostile(), true)).unwrap();
        assert_eq!(text.matches("\x1bPtmux;\x1b\x1b]").count(), 2);
        assert_eq!(text.matches("\x1b\\").count(), 2);
        let unwrapped = text.replace("\x1bPtmux;", "").replace("\x1b\\", "").replace("\x1b\x1b", "\x1b");
        assert_eq!(unwrapped, plain);
    }
}
