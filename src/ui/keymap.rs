//! Keys: one table for dispatch, the help overlay, the command palette and the README.

use std::fmt::{self, Write as _};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for. The screen gives each to the view first, then does what it means everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Go to the view of this number, from 1.
    View(u8),
    /// Go to the next view.
    NextView,
    /// Go to the view before.
    PreviousView,
    /// Select what is below.
    Down,
    /// Select what is above.
    Up,
    /// Pan to the left, or select what is there.
    Left,
    /// Pan to the right, or select what is there.
    Right,
    /// A screenful down.
    PageDown,
    /// A screenful up.
    PageUp,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// Show less in more detail.
    ZoomIn,
    /// Show more in less detail.
    ZoomOut,
    /// Open what is selected.
    Open,
    /// Leave what was opened.
    Back,
    /// Edit the filter.
    Filter,
    /// Mark the run for comparison, or unmark it.
    Mark,
    /// Unmark all runs.
    UnmarkAll,
    /// Select the run after this one, in any view.
    NextRun,
    /// Select the run before this one, in any view.
    PreviousRun,
    /// Next smoothing weight.
    Smoothing,
    /// Logarithmic or linear values.
    LogScale,
    /// Next horizontal axis.
    Axis,
    /// Read values at a step.
    Values,
    /// Time cursor one step back.
    TimeBack,
    /// Time cursor one step forward.
    TimeForward,
    /// Time cursor ten steps back.
    TimeBackTen,
    /// Time cursor ten steps forward.
    TimeForwardTen,
    /// Move the time cursor forward by itself, or stop.
    Play,
    /// Back to live.
    Live,
    /// Next order of rows.
    Sort,
    /// Next kind of what is shown (layer kind, split, …).
    Kind,
    /// Next normalisation of numbers.
    Normalise,
    /// Groups as one, or apart.
    Collapse,
    /// The diagonal of a matrix coloured like the rest, or apart.
    Diagonal,
    /// Hold new data back, or let it through.
    Freeze,
    /// Mark an alert as seen.
    Acknowledge,
    /// Silence an alert's rule in its run.
    Mute,
    /// Silence an alert's rule in all runs.
    MuteEverywhere,
    /// Put an alert off.
    Snooze,
    /// Say why.
    Explain,
    /// Search all actions by name.
    Palette,
    /// Write what is shown to a file.
    Export,
    /// Copy what is selected.
    Copy,
    /// Give the mouse back to the terminal, or take it.
    Mouse,
    /// Show or hide the help.
    Help,
    /// Go to the background.
    Suspend,
    /// End the program.
    Quit,
}

/// A key as a user names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// A printable character, with Shift already in it.
    Char(char),
    /// Control and a letter.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
}

impl Key {
    /// The key of a terminal event; `None` for releases and keys that nothing is bound to.
    pub fn of(event: KeyEvent) -> Option<Self> {
        if event.kind == ratatui::crossterm::event::KeyEventKind::Release {
            return None;
        }
        if event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        Some(match event.code {
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                Self::Ctrl(c.to_ascii_lowercase())
            }
            KeyCode::Char(c) => Self::Char(c),
            KeyCode::Enter => Self::Enter,
            KeyCode::Esc => Self::Esc,
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Self::BackTab,
            KeyCode::Tab => Self::Tab,
            KeyCode::BackTab => Self::BackTab,
            KeyCode::Up => Self::Up,
            KeyCode::Down => Self::Down,
            KeyCode::Left => Self::Left,
            KeyCode::Right => Self::Right,
            KeyCode::PageUp => Self::PageUp,
            KeyCode::PageDown => Self::PageDown,
            KeyCode::Home => Self::Home,
            KeyCode::End => Self::End,
            _ => return None,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Char(' ') => "Space",
            Self::Char(c) => return write!(f, "{c}"),
            Self::Ctrl(c) => return write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            Self::Enter => "Enter",
            Self::Esc => "Esc",
            Self::Tab => "Tab",
            Self::BackTab => "Shift-Tab",
            Self::Up => "Up",
            Self::Down => "Down",
            Self::Left => "Left",
            Self::Right => "Right",
            Self::PageUp => "PgUp",
            Self::PageDown => "PgDn",
            Self::Home => "Home",
            Self::End => "End",
        })
    }
}

/// One row of the table: any of these keys does this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The keys, the one to teach first.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// One clause in lower case, for the help and the palette.
    pub help: &'static str,
}

const fn bind(keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding { keys, action, help }
}

/// What keys mean everywhere. A view may give an action its own words, not another action.
pub static GLOBAL: &[Binding] = &[
    bind(&[Key::Char('1')], Action::View(1), "first view; 2 to 9 the others"),
    bind(&[Key::Char('2')], Action::View(2), "second view"),
    bind(&[Key::Char('3')], Action::View(3), "third view"),
    bind(&[Key::Char('4')], Action::View(4), "fourth view"),
    bind(&[Key::Char('5')], Action::View(5), "fifth view"),
    bind(&[Key::Char('6')], Action::View(6), "sixth view"),
    bind(&[Key::Char('7')], Action::View(7), "seventh view"),
    bind(&[Key::Char('8')], Action::View(8), "eighth view"),
    bind(&[Key::Char('9')], Action::View(9), "ninth view"),
    bind(&[Key::Tab], Action::NextView, "next view"),
    bind(&[Key::BackTab], Action::PreviousView, "previous view"),
    bind(&[Key::Char('j'), Key::Down], Action::Down, "select below"),
    bind(&[Key::Char('k'), Key::Up], Action::Up, "select above"),
    bind(&[Key::Char('h'), Key::Left], Action::Left, "pan or select left"),
    bind(&[Key::Char('l'), Key::Right], Action::Right, "pan or select right"),
    bind(&[Key::PageDown, Key::Ctrl('d')], Action::PageDown, "page down"),
    bind(&[Key::PageUp, Key::Ctrl('u')], Action::PageUp, "page up"),
    bind(&[Key::Home, Key::Char('g')], Action::First, "to the first"),
    bind(&[Key::End, Key::Char('G')], Action::Last, "to the last"),
    bind(&[Key::Char('+'), Key::Char('=')], Action::ZoomIn, "zoom in"),
    bind(&[Key::Char('-')], Action::ZoomOut, "zoom out"),
    bind(&[Key::Enter], Action::Open, "open"),
    bind(&[Key::Esc], Action::Back, "back; clears the filter"),
    bind(&[Key::Char('/')], Action::Filter, "fuzzy filter"),
    bind(&[Key::Char(' ')], Action::Mark, "mark the run for comparison"),
    bind(&[Key::Char('u')], Action::UnmarkAll, "unmark all runs"),
    bind(&[Key::Char('n'), Key::Char('.')], Action::NextRun, "next run"),
    bind(&[Key::Char('p'), Key::Char(',')], Action::PreviousRun, "previous run"),
    bind(&[Key::Char('s')], Action::Smoothing, "smoothing 0, 0.3, 0.6, 0.9, 0.97"),
    bind(&[Key::Char('y')], Action::LogScale, "logarithmic values"),
    bind(&[Key::Char('x')], Action::Axis, "axis: step, epoch, wall, relative"),
    bind(&[Key::Char('v')], Action::Values, "read values at a step"),
    bind(&[Key::Char('[')], Action::TimeBack, "time cursor back"),
    bind(&[Key::Char(']')], Action::TimeForward, "time cursor forward"),
    bind(&[Key::Char('{')], Action::TimeBackTen, "time cursor ten back"),
    bind(&[Key::Char('}')], Action::TimeForwardTen, "time cursor ten forward"),
    bind(&[Key::Char('P')], Action::Play, "play the time cursor forward"),
    bind(&[Key::Char('0')], Action::Live, "back to live"),
    bind(&[Key::Char('o')], Action::Sort, "order of rows"),
    bind(&[Key::Char('t')], Action::Kind, "kind of what is shown"),
    bind(&[Key::Char('N')], Action::Normalise, "normalisation of numbers"),
    bind(&[Key::Char('C')], Action::Collapse, "groups as one, or apart"),
    bind(&[Key::Char('d')], Action::Diagonal, "diagonal of a matrix coloured, or apart"),
    bind(&[Key::Char('f')], Action::Freeze, "freeze"),
    bind(&[Key::Char('a')], Action::Acknowledge, "acknowledge the alert"),
    bind(&[Key::Char('m')], Action::Mute, "mute the alert's rule in this run"),
    bind(&[Key::Char('R')], Action::MuteEverywhere, "mute the alert's rule in all runs"),
    bind(&[Key::Char('z')], Action::Snooze, "put the alert off: 1, 4, 24 hours"),
    bind(&[Key::Char('i')], Action::Explain, "why: thresholds, or meaning of a tag"),
    bind(&[Key::Char(':')], Action::Palette, "command palette"),
    bind(&[Key::Char('e')], Action::Export, "export what is shown"),
    bind(&[Key::Char('c')], Action::Copy, "copy"),
    bind(&[Key::Char('M')], Action::Mouse, "mouse on or off"),
    bind(&[Key::Char('?')], Action::Help, "this help"),
    bind(&[Key::Ctrl('z')], Action::Suspend, "suspend"),
    bind(&[Key::Char('q'), Key::Ctrl('c')], Action::Quit, "quit"),
];

/// The action of `key`: the view's own words first, then [`GLOBAL`].
pub fn action_of(key: Key, of_view: &[Binding]) -> Option<Action> {
    of_view.iter().chain(GLOBAL).find(|b| b.keys.contains(&key)).map(|b| b.action)
}

/// Rows for help, palette and README: the view's own words, then what is left of [`GLOBAL`].
///
/// The nine keys of the views count as one row.
pub fn rows(of_view: &'static [Binding]) -> Vec<Binding> {
    let mut rows: Vec<Binding> = of_view.to_vec();
    for b in GLOBAL {
        if matches!(b.action, Action::View(2..)) || rows.iter().any(|r| r.action == b.action) {
            continue;
        }
        rows.push(*b);
    }
    rows
}

/// The keys of a row as text: `j Down`.
pub fn keys_text(binding: &Binding) -> String {
    let names: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    names.join(" ")
}

/// The table of [`GLOBAL`] as Markdown, for the README.
pub fn markdown() -> String {
    let mut text = String::from("| key | what it does |\n| --- | --- |\n");
    for b in rows(&[]) {
        let keys: Vec<String> = b.keys.iter().map(|k| format!("`{k}`")).collect();
        let _ = writeln!(text, "| {} | {} |", keys.join(" "), b.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_has_two_meanings() {
        let keys: Vec<String> = GLOBAL.iter().flat_map(|b| b.keys).map(ToString::to_string).collect();
        let unique: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(keys.len(), unique.len());
    }

    #[test]
    fn events_become_the_keys_that_people_name() {
        let event = |code, modifiers| KeyEvent::new(code, modifiers);
        assert_eq!(Key::of(event(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Key::Ctrl('c')));
        assert_eq!(Key::of(event(KeyCode::Char('G'), KeyModifiers::SHIFT)), Some(Key::Char('G')));
        assert_eq!(Key::of(event(KeyCode::Tab, KeyModifiers::SHIFT)), Some(Key::BackTab));
        assert_eq!(Key::of(event(KeyCode::F(5), KeyModifiers::NONE)), None);
        assert_eq!(action_of(Key::Ctrl('c'), &[]), Some(Action::Quit));
    }
}
