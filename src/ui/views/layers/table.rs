//! The table of layers as it is drawn, with the gradient's flow below it where there is room.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Layers, Page, detail, field::Field, figures, flow, heat, list::Line, state};
use crate::{
    model::{LayerName, Step},
    store::{Run, up_to},
    ui::{
        FrameContext, Selection, Theme,
        text::{put, put_right},
        theme::Role,
        widgets::{
            sparkline,
            table::{Column, Layout, position},
        },
    },
};

/// Rows from which on layers over time are worth drawing below the table.
const OVER_TIME: u16 = 8;

impl Layers {
    /// The columns of the group that the log can fill, the name as wide as is worth while.
    fn choose_columns(&mut self, width: u16) {
        let fields = self.group.columns(&self.lines.all);
        self.columns = fields.into_iter().map(|(field, rank)| (field, field.column(rank))).collect();
        if let Some((_, name)) = self.columns.first_mut() {
            name.max = self.lines.name_width.clamp(name.min, name.max);
            // The name may take a quarter before a number has to leave.
            name.min = name.max.min((width / 4).min(28)).max(name.min);
        }
    }

    pub(super) fn table(
        &mut self,
        run: &Run,
        context: FrameContext<'_>,
        selection: &Selection,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let index = self.index();
        let rows = u16::try_from(self.lines.shown.len()).unwrap_or(u16::MAX);
        let spare = area.height.saturating_sub(rows.saturating_add(2));
        let flows = area.height >= 18 && area.width >= 60 && flow::is_there(&self.lines.all);
        let profile = if flows { spare.clamp(5, (area.height / 2).min(18)) } else { 0 };
        self.flow_is_below = profile > 0;
        // What is left of a tall screen shows the layers over time.
        let over_time = spare.saturating_sub(profile);
        let over_time = if over_time >= OVER_TIME && area.width >= 60 { over_time } else { 0 };
        let body = Rect { height: area.height - profile - over_time, ..area };
        self.choose_columns(body.width);
        let columns: Vec<Column> = self.columns.iter().map(|(_, column)| *column).collect();
        let layout = Layout::new(&columns, body.width);
        self.head = Rect { height: body.height.min(1), ..body };
        let sorted = self.columns.iter().position(|(f, _)| *f == self.order.field);
        let falls = self.order.field.falls() != self.order.reversed;
        layout.head(&columns, sorted.map(|at| (at, falls)), theme, self.head, buffer);
        self.rows = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
        let total = self.lines.shown.len();
        self.visible = self.window.follow(index, total, usize::from(self.rows.height));
        let until = selection.until(run.id());
        for (y, i) in (self.rows.y..).zip(self.visible.clone()) {
            let Some(line) = self.lines.row(i) else { continue };
            let place = Rect { y, height: 1, ..body };
            let cell = |c: usize| self.columns.get(c).map(|(f, _)| f.cell(theme, line)).unwrap_or_default();
            layout.row(&columns, cell, i == index, theme, place, buffer);
            for (at, (field, _)) in self.columns.iter().enumerate() {
                match (field, layout.place(at, place)) {
                    (Field::Trend, Some(spot)) => self.trend(theme, run, line, until, spot, buffer),
                    (Field::Drift, Some(spot)) => self.drift(theme, line, until, spot, buffer),
                    _ => {}
                }
            }
        }
        if total == 0 && body.height > 1 {
            let text = format!("no layer matches {:?}; Esc clears the filter", selection.filter);
            put(buffer, body.x + 2, body.y + 1, &text, body.width.saturating_sub(2), theme.muted());
        }
        self.map_is_shown = over_time > 0;
        if over_time > 0 {
            let what = heat::What {
                run,
                lines: &self.lines,
                quantity: self.quantity,
                until,
                selected: self.lines.row(index).map(|l| l.figures.index),
                alone: false,
            };
            let area = Rect { y: body.bottom(), height: over_time - 1, ..area };
            heat::draw(&mut self.map, theme, &what, area, buffer);
        }
        let below = Rect { y: area.bottom() - profile, height: profile, ..area };
        self.below(run, theme, until, below, buffer);
    }

    /// Which rows are visible, at the right of the view's first line; returns the columns that it takes.
    pub(super) fn position(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) -> u16 {
        let note = position(&self.visible, self.lines.shown.len(), theme.ascii);
        if note.is_empty() || self.page != Page::Table {
            return 0;
        }
        let style = theme.style(Role::Accent);
        area.right() - put_right(buffer, area.x, area.right(), area.y, &format!(" {note}"), style)
    }

    /// The gradient's flow, beside it the histograms of the selected layer.
    fn below(&self, run: &Run, theme: &Theme, until: Option<Step>, mut area: Rect, buffer: &mut Buffer) {
        if area.height == 0 {
            return;
        }
        let line = self.lines.row(self.index());
        if let Some(row) = self.opened_row(run)
            && row.track(self.kind).is_some_and(|track| !track.histograms().is_empty())
            && area.width >= 120
            && area.height >= 8
        {
            let half = area.width / 2;
            let right = Rect { x: area.x + half + 2, width: area.width - half - 2, ..area };
            detail::preview(theme, &detail::What { run, row, kind: self.kind, until }, right, buffer);
            area.width = half;
        }
        flow::draw(theme, &self.lines.all, line.map(|l| l.figures.index), area, buffer);
    }

    /// The norm of the chosen kind over all steps up to the cursor, in one row.
    fn trend(
        &self,
        theme: &Theme,
        run: &Run,
        line: &Line,
        until: Option<Step>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let row = run.layers().row(&LayerName::from(line.figures.name.as_str()));
        let Some(track) = row.and_then(|row| row.track(self.table_kind())) else { return };
        let records = up_to(track.records(), until);
        let points: Vec<[f64; 2]> =
            records.iter().filter_map(|r| figures::norm(&r.stats).map(|n| [r.step as f64, n])).collect();
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let x = (first[0], if last[0] > first[0] { last[0] } else { first[0] + 1.0 });
            sparkline::draw(theme, &points, x, theme.series(0), area, buffer);
        }
    }

    /// The measure of stability over all steps up to the cursor, against its limits.
    fn drift(&self, theme: &Theme, line: &Line, until: Option<Step>, area: Rect, buffer: &mut Buffer) {
        let verdict = line.figures.verdict;
        let Some(measure) = verdict.measure else { return };
        let layer = LayerName::from(line.figures.name.as_str());
        let (moments, tau) = self.lines.stability.known(&layer, measure, until);
        let (Some(first), Some(last), Some(tau)) = (moments.first(), moments.last(), tau) else { return };
        state::draw(theme, moments, (tau, verdict.leave), (first.step, last.step), area, buffer);
    }
}
