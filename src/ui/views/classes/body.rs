//! What lies below the header: the matrix with its tree, the scores, pairs and errors over time.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    Classes, Drawn, Panes,
    board::{Board, Grain},
    chart, header, pairs, readout,
    scores::{self, Shown},
};
use crate::{
    store::Evaluation,
    ui::{
        FrameContext,
        text::{fit, put},
        widgets::{
            dendrogram,
            matrix::{self, Mode, Plan, widest},
            prose,
        },
    },
};

/// Columns between the matrix and what stands beside it.
const GAP: u16 = 3;
/// Rows from which on the side has room for errors over time as well.
const TALL: u16 = 34;

impl Classes {
    pub(super) fn body(
        &mut self,
        context: FrameContext<'_>,
        drawn: &Drawn<'_>,
        records: &[Evaluation],
        area: Rect,
        buffer: &mut Buffer,
    ) {
        match self.panes {
            Panes::Scores => self.side(context, drawn, area, buffer),
            Panes::Changes => self.changes(context, drawn, area, buffer),
            Panes::Both | Panes::Matrix => self.with_matrix(context, drawn, records, area, buffer),
        }
    }

    fn with_matrix(
        &mut self,
        context: FrameContext<'_>,
        drawn: &Drawn<'_>,
        records: &[Evaluation],
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let readout = u16::from(area.height >= 5);
        let above = Rect { height: area.height.saturating_sub(readout), ..area };
        let both = self.panes == Panes::Both;
        let least = match above.width {
            _ if !both => 0,
            70.. => scores::LEAST + GAP,
            36.. => pairs::LEAST + GAP,
            _ => 0,
        };
        let tree = match above.width {
            _ if drawn.standing.arrangement.tree.is_none() => 0,
            160.. => 13,
            100.. => 9,
            70.. => 5,
            _ => 0,
        };
        let place = Rect { x: above.x + tree, width: above.width - least - tree, ..above };
        let (mode, grain) = self.grain(context, drawn, place);
        let names = Board::names_width(grain, drawn.figures, &drawn.standing.arrangement);
        self.board.refresh(drawn.figures, drawn.standing, grain, drawn.normalise, drawn.other());
        let matrix = self.board.matrix(drawn.normalise, drawn.colours, drawn.diagonal, drawn.other());
        let cursor = self.board.place(self.cursor);
        let plan = Plan::new(&matrix, mode, names, cursor, place);
        let used = matrix::width(&plan).min(place.width);
        let needs = matrix::height(&matrix, theme, &plan).min(place.height);
        let side =
            if least > 0 { above.width.saturating_sub(tree + used + GAP).min(scores::MOST) } else { 0 };
        let low = above.height.saturating_sub(needs);
        let (place, below) = if side == 0 && both && low >= 4 {
            let rest = Rect { y: above.y + needs, height: low, ..above };
            (Rect { height: needs, ..place }, Some(rest))
        } else {
            (Rect { width: used, ..place }, None)
        };
        matrix::draw(&matrix, &plan, cursor, theme, place, buffer);
        let halves = matrix.has_halves(theme);
        let left = Rect { x: above.x, y: place.y + 1, width: tree, height: needs.saturating_sub(1) };
        self.tree(context, drawn, (&plan, halves), left, buffer);
        let text = readout::text(&matrix, &self.board, &plan, self.cursor, drawn, context);
        let beside = side > 0 && tree + used >= 40 && low >= 2;
        if beside {
            // Below the matrix, in as many lines as it takes.
            let spot = Rect { x: above.x, y: place.y + needs, height: low, width: tree + used };
            let taken = prose::draw(theme, &[(text, theme.accent())], spot, buffer);
            let rest = Rect { y: spot.y + taken, height: low.saturating_sub(taken), ..spot };
            let row = Rect { height: rest.height.min(1), ..rest };
            let single = |cell: usize| self.board.cells.get(cell).is_some_and(|c| c.len() == 1);
            if single(cursor.0) && single(cursor.1) {
                header::cell_over_time(context, records, self.cursor, row, buffer);
            }
            let rest = Rect { y: rest.y + 2, height: rest.height.saturating_sub(2), ..rest };
            if above.height < TALL || rest.height >= chart::LEAST {
                chart::draw(context, drawn.standing, Rect { height: rest.height.min(16), ..rest }, buffer);
            }
        } else if readout > 0 {
            let text = fit(&text, usize::from(area.width), theme.ascii);
            put(buffer, area.x, area.bottom() - 1, &text, area.width, theme.accent());
        }
        self.matrix = Some((place, plan, halves));
        if side > 0 {
            let right = Rect { x: place.right() + GAP, width: side, ..above };
            self.side(context, drawn, right, buffer);
        } else if let Some(below) = below {
            self.side(context, drawn, below, buffer);
        }
    }

    /// Numbers or a map, and what a cell is: classes or groups if they fit, else as many together as need be.
    fn grain(&self, context: FrameContext<'_>, drawn: &Drawn<'_>, place: Rect) -> (Mode, Grain) {
        let arrangement = &drawn.standing.arrangement;
        let collapsed = self.is_collapsed(drawn.standing);
        let (grain, cells, largest) = if collapsed {
            let largest = drawn.standing.groups.matrix.iter().copied().fold(0.0, f64::max);
            (Grain::Group, arrangement.group_count(), largest)
        } else {
            (Grain::Class, arrangement.order.len(), drawn.figures.largest)
        };
        let signed = drawn.other().is_some();
        let names = Board::names_width(grain, drawn.figures, arrangement);
        let widest = widest(drawn.normalise, largest, signed);
        let mode = Mode::choose(self.zoom, cells, widest, names, place);
        if mode == Mode::Counts {
            return (mode, grain);
        }
        if matrix::map_side(context.theme, names, signed, place) >= cells {
            return (mode, grain);
        }
        let names = Board::names_width(Grain::Cells(1), drawn.figures, arrangement);
        (mode, Grain::Cells(matrix::map_side(context.theme, names, signed, place)))
    }

    /// The tree beside the matrix, unless rows are scrolled away.
    fn tree(
        &self,
        context: FrameContext<'_>,
        drawn: &Drawn<'_>,
        (plan, halves): (&Plan, bool),
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let arrangement = &drawn.standing.arrangement;
        let order = &arrangement.order;
        let Some(tree) = &arrangement.tree else { return };
        let row = |place: usize| {
            let cell = self.board.cell_of.get(*order.get(place)?)?;
            plan.row_of(halves, *cell)
        };
        if (0..order.len()).any(|place| row(place).is_none()) {
            return;
        }
        let group = arrangement.groups.get(self.cursor.0).copied();
        let is_mine = |class: &usize| arrangement.groups.get(*class).copied() == group;
        let first = order.iter().position(is_mine).unwrap_or(0);
        let members = order.iter().filter(|class| is_mine(class)).count();
        let selected = if drawn.standing.has_groups() { first..first + members } else { 0..0 };
        let row = |place: usize| row(place).unwrap_or(0);
        dendrogram::draw(context.theme, (tree, order), row, &selected, area, buffer);
    }

    /// Scores by class, below them what is mixed up most and what moved, and errors over time where there is room.
    fn side(&mut self, context: FrameContext<'_>, drawn: &Drawn<'_>, area: Rect, buffer: &mut Buffer) {
        let figures = drawn.figures;
        let pair_rows = u16::try_from(figures.pairs.len()).unwrap_or(u16::MAX).saturating_add(1);
        if area.width < scores::LEAST {
            pairs::draw(context, figures, self.cursor, area, buffer);
            return;
        }
        let collapsed = self.is_collapsed(drawn.standing);
        let rows = if collapsed { drawn.standing.groups.scores.len() } else { figures.scores.len() };
        let wanted = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2);
        let pairs = if area.height < 8 {
            0
        } else {
            area.height.saturating_sub(wanted).max(area.height / 3).min(2 * pair_rows + 1)
        };
        let upper = Rect { height: (area.height - pairs).min(wanted), ..area };
        let shown = Shown {
            figures,
            standing: drawn.standing,
            order: self.order,
            collapsed,
            selected: self.cursor.0,
        };
        self.rows = scores::draw(context, shown, &mut self.window, upper, buffer);
        let lower = Rect { y: upper.bottom(), height: pairs, ..area };
        self.pairs(context, drawn, lower, buffer);
    }

    /// What is mixed up most; with enough rows also what moved most.
    fn pairs(&self, context: FrameContext<'_>, drawn: &Drawn<'_>, area: Rect, buffer: &mut Buffer) {
        let figures = drawn.figures;
        let moved = if area.height >= 9 && !figures.moves.is_empty() { area.height / 2 } else { 0 };
        let upper = Rect { height: area.height - moved - u16::from(moved > 0), ..area };
        pairs::draw(context, figures, self.cursor, upper, buffer);
        if moved > 0 {
            let lower = Rect { y: area.bottom() - moved, height: moved, ..area };
            pairs::draw_moves(context, figures, self.cursor, lower, buffer);
        }
    }

    /// Errors over time above both lists of pairs.
    fn changes(&mut self, context: FrameContext<'_>, drawn: &Drawn<'_>, area: Rect, buffer: &mut Buffer) {
        let several = drawn.standing.evolution.moments.len() > 1;
        let tall = if several { (area.height / 2).min(16) } else { 0 };
        let upper = Rect { height: tall, ..area };
        chart::draw(context, drawn.standing, upper, buffer);
        let gap = u16::from(tall > 0 && area.height > tall);
        let lower = Rect { y: area.y + tall + gap, height: area.height - tall - gap, ..area };
        if area.width < 2 * scores::LEAST + GAP {
            self.pairs(context, drawn, lower, buffer);
            return;
        }
        let half = (lower.width - GAP) / 2;
        pairs::draw(context, drawn.figures, self.cursor, Rect { width: half, ..lower }, buffer);
        let right = Rect { x: lower.x + half + GAP, width: half, ..lower };
        pairs::draw_moves(context, drawn.figures, self.cursor, right, buffer);
    }
}
