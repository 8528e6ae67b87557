//! Curves of the selected and the marked runs.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{Action, Binding, FrameContext, Outcome, Selection, View};

struct Curves;

/// Makes the view.
pub fn view() -> Box<dyn View> {
    Box::new(Curves)
}

impl View for Curves {
    fn name(&self) -> &'static str {
        "curves"
    }
    fn title(&self) -> &'static str {
        "Curves"
    }
    fn summary(&self) -> &'static str {
        "curves of the selected and the marked runs"
    }
    fn bindings(&self) -> &'static [Binding] {
        &[]
    }
    fn act(&mut self, _: Action, _: FrameContext<'_>, _: &mut Selection) -> Outcome {
        Outcome::Ignored
    }
    fn render(&mut self, _: FrameContext<'_>, _: &Selection, _: Rect, _: &mut Buffer) {}
}
