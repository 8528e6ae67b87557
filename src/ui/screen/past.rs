//! The alerts as they were at the time cursor, so that no view tells of what came later.

use crate::{
    detect::AlertBook,
    model::Step,
    ui::{FrameContext, selection::Frozen},
};

use super::{Screen, Selection};

/// A book of the past, kept while neither the cursor nor the book moves.
pub(super) struct Past {
    cursor: Step,
    frozen: Option<Frozen>,
    generation: u64,
    book: AlertBook,
}

impl Past {
    fn is_of(&self, context: &FrameContext<'_>, selection: &Selection) -> bool {
        Some(self.cursor) == selection.cursor
            && self.generation == context.alerts.generation()
            && self.frozen == selection.frozen
    }
}

impl Screen {
    /// Does something with the alerts as they were at the time cursor; with those of now while it is not set.
    pub(super) fn at_cursor<R>(
        &mut self,
        context: FrameContext<'_>,
        work: impl FnOnce(&mut Self, FrameContext<'_>) -> R,
    ) -> R {
        let Some(cursor) = self.selection.cursor else {
            self.past = None;
            return work(self, context);
        };
        let past = match self.past.take() {
            Some(known) if known.is_of(&context, &self.selection) => known,
            _ => {
                self.pasts += 1;
                Past {
                    cursor,
                    frozen: self.selection.frozen.clone(),
                    generation: context.alerts.generation(),
                    book: context.alerts.as_of(|run| self.selection.until(run), self.pasts),
                }
            }
        };
        let result = work(self, FrameContext { alerts: &past.book, ..context });
        self.past = Some(past);
        result
    }
}
