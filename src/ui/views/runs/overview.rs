//! The main losses of all runs in one chart, in the rows that a short list leaves free.

use ratatui::{buffer::Buffer, layout::Rect};

use super::facts::Memory;
use crate::{
    detect::tags::{Role, Split},
    model::RunId,
    ui::{
        FrameContext, Selection,
        views::curves::{
            catalog::{Chart, Curve},
            painter::{Look, Painter},
        },
    },
};

/// More curves than this are a tangle.
const MOST_RUNS: usize = 12;
/// Fewer free rows or columns than this are left free.
const LEAST: (u16, u16) = (60, 10);

/// Keeps what the chart needs between frames.
#[derive(Default)]
pub struct Overview {
    painter: Painter,
}

impl Overview {
    /// The rows for the chart below a list of `runs` in `rows`; empty if it is not to be drawn.
    pub fn area(rows: Rect, runs: usize) -> Rect {
        let used = runs as u16 + 1;
        if !(2..=MOST_RUNS).contains(&runs) || rows.width < LEAST.0 || rows.height < used + LEAST.1 {
            return Rect { height: 0, ..rows };
        }
        Rect { y: rows.y + used, height: rows.height - used, ..rows }
    }

    /// Draws the chart; the run at `selected` lies on top.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        memory: &mut Memory,
        ids: &[RunId],
        selected: Option<usize>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let runs: Vec<_> = ids.iter().filter_map(|id| context.store.run(id)).collect();
        let mut curves: Vec<Curve> = runs
            .iter()
            .enumerate()
            .filter_map(|(i, run)| {
                let key = memory.of(run).main_loss.clone()?;
                Some(Curve { run: i, run_id: run.id().clone(), key, split: Split::Unknown })
            })
            .collect();
        curves.sort_by_key(|c| Some(c.run) != selected);
        let chart = Chart { stem: "main loss of all runs".into(), role: Role::Loss, curves };
        let look = Look { auto_log: true, ..Look::default() };
        self.painter.begin(selection, look.zoom, runs.len());
        self.painter.paint(context, selection, &runs, &chart, look, area, buffer);
        self.painter.end();
    }
}
