//! Draws a borrowed session and turns keys into requests.
//!
//! Nothing here reads a file, asks a clock or changes data: a [`View`] gets `&Store` and a buffer. To add a view,
//! write one file in `views/` and add one line to [`VIEWS`]; tabs, help, `frame --view` and the conformance tests
//! pick it up.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    detect::AlertBook,
    model::{Health, LayerName, RunId, SeriesKey, Step, WallTime},
    store::Store,
};

pub mod background;
pub mod explanation;
pub mod filter;
pub mod keymap;
pub mod numbers;
pub mod screen;
pub mod selection;
pub mod sgr;
pub mod snapshot;
pub mod text;
pub mod theme;
pub mod views;
pub mod widgets;

pub use background::Background;
pub use explanation::Explanation;
pub use keymap::{Action, Binding};
pub use screen::{Screen, ScreenOptions};
pub use selection::{Axis, Selection};
pub use theme::Theme;
pub use views::VIEWS;

/// Everything that a frame may be drawn from. Borrowed for one frame or one key.
#[derive(Clone, Copy)]
pub struct FrameContext<'a> {
    /// What was read.
    pub store: &'a Store,
    /// What is wrong with it.
    pub alerts: &'a AlertBook,
    /// Where the files stand.
    pub health: &'a Health,
    /// The time that ages are measured against.
    pub now: WallTime,
    /// Colours and glyphs.
    pub theme: &'a Theme,
    /// Who does what takes too long for a frame.
    pub background: &'a dyn Background,
}

/// A place in the program: which view, and what it shall point at. `None` leaves what is selected.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Place {
    /// The [`View::name`]; empty for the current view.
    pub view: &'static str,
    /// The run to select.
    pub run: Option<RunId>,
    /// The series to show.
    pub series: Option<SeriesKey>,
    /// The layer to show.
    pub layer: Option<LayerName>,
    /// The step to point at.
    pub step: Option<Step>,
}

/// What a view made of an action.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Not mine: the screen does what the action means everywhere.
    Ignored,
    /// Done; draw again.
    Done,
    /// Go there.
    Open(Place),
    /// Ask the application.
    Request(Request),
    /// Say this in the message line until the next key.
    Say(String),
}

/// What only the application can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// End the program.
    Quit,
    /// Go to the background, as `Ctrl-Z` does.
    Suspend,
    /// Mark the alert with this id as seen.
    Acknowledge(u64),
    /// Silence the rule of the alert with this id in its run, or not any more.
    Mute(u64),
    /// Silence the rule of the alert with this id in all runs, or not any more.
    MuteEverywhere(u64),
    /// Put the alert with this id off, or for longer, or not any more.
    Snooze(u64),
    /// Put the text on the clipboard (OSC 52).
    Copy(String),
    /// Give the mouse back to the terminal, or take it.
    ToggleMouse,
    /// Write the text to a file of about this name (no folder, a suggestion) and say where it went.
    Export {
        /// Suggested file name.
        name: String,
        /// The content.
        text: String,
    },
}

/// One way to look at the session.
///
/// **Invariant:** a view may change only itself and the shared [`Selection`]; data is borrowed immutably.
pub trait View {
    /// One lower-case word: the value of `--view`. Unique.
    fn name(&self) -> &'static str;

    /// The word in the tab bar. Unique.
    fn title(&self) -> &'static str;

    /// One clause for help and README.
    fn summary(&self) -> &'static str;

    /// The keys to which this view gives a meaning, in its own words. A key that [`keymap::GLOBAL`] knows too must
    /// have the same action there (a test checks it), so that fingers need to learn it once.
    fn bindings(&self) -> &'static [Binding];

    /// Does what a key asks for. [`Outcome::Ignored`] hands it back to the screen.
    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome;

    /// Points at a place that another view asked to open. The run is selected already.
    fn show(&mut self, place: &Place, context: FrameContext<'_>, selection: &mut Selection) {
        let _ = (place, context, selection);
    }

    /// Draws into `area`, which may be of any size, also empty. `&mut self` is for scroll positions and caches.
    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer);

    /// A press of the left button at a cell of the screen, inside the area last drawn.
    fn click(
        &mut self,
        column: u16,
        row: u16,
        context: FrameContext<'_>,
        selection: &mut Selection,
    ) -> Outcome {
        let _ = (column, row, context, selection);
        Outcome::Ignored
    }

    /// What the numbers on screen mean: for every one that is not a plain count or name.
    fn explanations(&self) -> &'static [Explanation] {
        &[]
    }

    /// The steps at which what this view shows has records, ascending: where the time cursor stops. By default those of
    /// the selected run's main loss.
    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        selection.run_in(context.store).map(screen::moments_of_loss).unwrap_or_default()
    }

    /// The last frame showed texts such as "5m ago" that go stale by themselves.
    fn shows_ages(&self) -> bool {
        false
    }
}
