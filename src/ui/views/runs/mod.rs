//! All runs: which one is in trouble, where each stands, how its loss goes.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{Action, Binding, FrameContext, Outcome, Selection, View};

pub mod trouble;

struct Runs;

/// Makes the view.
pub fn view() -> Box<dyn View> {
    Box::new(Runs)
}

impl View for Runs {
    fn name(&self) -> &'static str {
        "runs"
    }
    fn title(&self) -> &'static str {
        "Runs"
    }
    fn summary(&self) -> &'static str {
        "all runs: state, progress, main loss, worst alert"
    }
    fn bindings(&self) -> &'static [Binding] {
        &[]
    }
    fn act(&mut self, _: Action, _: FrameContext<'_>, _: &mut Selection) -> Outcome {
        Outcome::Ignored
    }
    fn render(&mut self, _: FrameContext<'_>, _: &Selection, _: Rect, _: &mut Buffer) {}
}
