//! Puts escape sequences together that a slow link tore apart.
//!
//! crossterm reports a lone `ESC` byte as the Esc key at once. Over a slow link an arrow key may arrive as `ESC`,
//! a pause, `[D`: the Esc would act and the rest would be typed. So an Esc is held for a moment; what follows it like
//! the rest of a sequence is read as one.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// How long an Esc is held. 60 ms between the halves were measured over ssh; a person who presses Esc and then `[`
/// takes longer than this, and does not see the delay.
pub const HOLD: Duration = Duration::from_millis(120);

/// Longest sequence that is put together; a mouse report is shorter.
const LONGEST: usize = 24;

/// Holds an Esc back until it is clear what it was.
#[derive(Debug, Default)]
pub struct EscapeFold {
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    escape: KeyEvent,
    /// What came after the `ESC`: empty, or `[…`, or `O`.
    rest: String,
}

impl EscapeFold {
    /// Whether something is held, so that [`Self::expire`] must be called [`HOLD`] after the last event.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the next event; returns those that are ripe, in order.
    pub fn feed(&mut self, event: Event) -> Vec<Event> {
        let key = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            other => return vec![other],
        };
        let Some(mut held) = self.held.take() else {
            if key.code == KeyCode::Esc && key.modifiers.is_empty() {
                self.held = Some(Held { escape: key, rest: String::new() });
                return Vec::new();
            }
            return vec![Event::Key(key)];
        };
        if let KeyCode::Char(c) = key.code
            && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
            && continues(&held.rest, c)
        {
            held.rest.push(c);
            return if complete(&held.rest) {
                meaning(&held.rest).map(Event::Key).into_iter().collect()
            } else {
                self.held = Some(held);
                Vec::new()
            };
        }
        let mut ripe = release(held);
        ripe.extend(self.feed(Event::Key(key)));
        ripe
    }

    /// Nothing more came in time: an Esc that stood alone was one.
    pub fn expire(&mut self) -> Vec<Event> {
        self.held.take().map(release).unwrap_or_default()
    }
}

/// A bare Esc is a key; a sequence that was cut off for good is dropped rather than typed.
fn release(Held { escape, rest }: Held) -> Vec<Event> {
    if rest.is_empty() { vec![Event::Key(escape)] } else { Vec::new() }
}

fn continues(rest: &str, c: char) -> bool {
    if rest.is_empty() {
        return c == '[' || c == 'O';
    }
    rest.len() < LONGEST && (' '..='~').contains(&c)
}

fn complete(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'O', _] => true,
        [b'[', .., last] if rest.len() > 1 => (b'@'..=b'~').contains(last) || rest.len() >= LONGEST,
        _ => false,
    }
}

/// The key of a whole sequence; `None` for those that are swallowed (mouse reports, answers to queries).
fn meaning(rest: &str) -> Option<KeyEvent> {
    let last = rest.chars().last()?;
    let parameters: Vec<u8> =
        rest.get(1..rest.len() - 1)?.split(';').map(|p| p.parse().unwrap_or(0)).collect();
    let code = match last {
        'A' => KeyCode::Up,
        'B' => KeyCode::Down,
        'C' => KeyCode::Right,
        'D' => KeyCode::Left,
        'H' => KeyCode::Home,
        'F' => KeyCode::End,
        'Z' => KeyCode::BackTab,
        '~' => match parameters.first()? {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            _ => return None,
        },
        _ => return None,
    };
    let bits = parameters.get(1).copied().unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::empty();
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        modifiers.set(modifier, bits & bit != 0);
    }
    Some(KeyEvent::new(code, modifiers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> Event {
        Event::Key(KeyEvent::new(code, KeyModifiers::empty()))
    }

    fn feed(fold: &mut EscapeFold, text: &str) -> Vec<Event> {
        text.chars()
            .flat_map(|c| {
                let code = if c == '\x1b' { KeyCode::Esc } else { KeyCode::Char(c) };
                fold.feed(key(code))
            })
            .collect()
    }

    #[test]
    fn a_torn_arrow_is_an_arrow() {
        for (text, code) in [
            ("\x1b[D", KeyCode::Left),
            ("\x1bOA", KeyCode::Up),
            ("\x1b[5~", KeyCode::PageUp),
            ("\x1b[H", KeyCode::Home),
        ] {
            let mut fold = EscapeFold::default();
            assert_eq!(feed(&mut fold, text), [key(code)], "{text:?}");
            assert!(!fold.holds());
        }
        let mut fold = EscapeFold::default();
        assert_eq!(
            feed(&mut fold, "\x1b[1;5C"),
            [Event::Key(KeyEvent::new(KeyCode::Right, KeyModifiers::CONTROL))]
        );
    }

    #[test]
    fn a_torn_mouse_report_types_nothing() {
        let mut fold = EscapeFold::default();
        assert_eq!(feed(&mut fold, "\x1b[<0;10;20Mq"), [key(KeyCode::Char('q'))]);
    }

    #[test]
    fn a_lone_escape_comes_late_but_comes() {
        let mut fold = EscapeFold::default();
        assert_eq!(feed(&mut fold, "\x1b"), []);
        assert!(fold.holds());
        assert_eq!(fold.expire(), [key(KeyCode::Esc)]);
        assert_eq!(feed(&mut fold, "\x1bq"), [key(KeyCode::Esc), key(KeyCode::Char('q'))]);
        assert_eq!(feed(&mut fold, "\x1b\x1b"), [key(KeyCode::Esc)]);
        assert_eq!(fold.expire(), [key(KeyCode::Esc)]);
    }

    #[test]
    fn a_sequence_that_never_ends_is_dropped() {
        let mut fold = EscapeFold::default();
        assert_eq!(feed(&mut fold, "\x1b[12"), []);
        assert_eq!(fold.expire(), []);
        let long = format!("\x1b[{}", "1".repeat(100));
        let typed = feed(&mut fold, &long);
        assert!(typed.len() <= 100 - LONGEST + 2, "{}", typed.len());
    }
}
