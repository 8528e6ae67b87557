//! Moving among charts, along the axis and through the values.

use super::{Curves, catalog::Chart};
use crate::ui::Outcome;

impl Curves {
    /// Where the selected chart is now; the first where it is not.
    pub(super) fn at(&self, charts: &[Chart]) -> usize {
        self.selected.as_ref().and_then(|stem| charts.iter().position(|c| &c.stem == stem)).unwrap_or(0)
    }

    pub(super) fn row_length(&self) -> isize {
        if self.alone { 1 } else { self.grid.columns.max(1).cast_signed() }
    }

    pub(super) fn step(&mut self, charts: &[Chart], by: isize) {
        let next = self.at(charts).saturating_add_signed(by).min(charts.len().saturating_sub(1));
        self.selected = charts.get(next).map(|c| c.stem.clone());
    }

    pub(super) fn sideways(&mut self, charts: &[Chart], by: isize) {
        if self.readout.is_some() {
            self.move_readout(charts, by);
        } else if self.zoom != (0.0, 1.0) {
            let length = self.zoom.1 - self.zoom.0;
            let from = (self.zoom.0 + length * 0.25 * by as f64).clamp(0.0, 1.0 - length);
            self.zoom = (from, from + length);
        } else {
            self.step(charts, by);
        }
    }

    pub(super) fn far(&mut self, charts: &[Chart], last: bool) {
        if self.readout.is_some() {
            let rows = self.rows_of_selected(charts);
            self.readout = if last { rows.last().copied() } else { rows.first().copied() };
        } else {
            let chart = if last { charts.last() } else { charts.first() };
            self.selected = chart.map(|c| c.stem.clone());
        }
    }

    pub(super) fn back(&mut self) -> Outcome {
        if self.readout.is_some() {
            self.readout = None;
        } else if self.alone {
            self.alone = false;
        } else if self.zoom != (0.0, 1.0) {
            self.zoom = (0.0, 1.0);
        } else {
            return Outcome::Ignored;
        }
        Outcome::Done
    }

    /// Around the read-out, else towards the newest data, which is what one zooms in for.
    pub(super) fn zoom_by(&mut self, factor: f64) {
        let length = ((self.zoom.1 - self.zoom.0) * factor).clamp(1e-6, 1.0);
        let anchor = match (self.readout, self.focus.window) {
            (Some(x), Some(window)) => {
                self.zoom.0 + (self.zoom.1 - self.zoom.0) * window.across(x).clamp(0.0, 1.0)
            }
            _ => self.zoom.1,
        };
        let share = (anchor - self.zoom.0) / (self.zoom.1 - self.zoom.0);
        let from = (anchor - length * share).clamp(0.0, 1.0 - length);
        self.zoom = if length >= 1.0 { (0.0, 1.0) } else { (from, from + length) };
    }

    /// All places on the axis of the selected chart at which there is a value, ascending.
    pub(super) fn rows_of_selected(&self, charts: &[Chart]) -> Vec<f64> {
        let Some(chart) = charts.get(self.at(charts)) else { return Vec::new() };
        let traces = chart.curves.iter().filter_map(|c| self.painter.trace(c));
        let mut xs: Vec<f64> = traces.flat_map(|t| t.rows.iter().map(|r| r.x)).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        xs
    }

    pub(super) fn toggle_readout(&mut self, charts: &[Chart]) {
        self.readout = if self.readout.is_some() {
            None
        } else {
            let rows = self.rows_of_selected(charts);
            let right = self.focus.window.map_or(f64::INFINITY, |w| w.x.1);
            rows[..rows.partition_point(|x| *x <= right)].last().copied()
        };
    }

    /// To the next place with a value that is at least one dot away.
    pub(super) fn move_readout(&mut self, charts: &[Chart], by: isize) {
        let (Some(at), Some(window)) = (self.readout, self.focus.window) else { return };
        let rows = self.rows_of_selected(charts);
        let dot = (window.x.1 - window.x.0) / f64::from(self.focus.plot.width.max(1)) / 2.0;
        let next = if by > 0 {
            let next =
                rows.partition_point(|x| *x <= at).max(rows.partition_point(|x| *x < at + dot * 0.999));
            rows.get(next).or(rows.last())
        } else {
            let end = rows.partition_point(|x| *x < at).min(rows.partition_point(|x| *x <= at - dot * 0.999));
            rows[..end].last().or(rows.first())
        };
        self.readout = next.copied().or(self.readout);
        // The cursor takes the window along.
        if let Some(x) = self.readout {
            let share = window.across(x);
            let length = self.zoom.1 - self.zoom.0;
            if !(0.0..=1.0).contains(&share) && length < 1.0 {
                let from = (self.zoom.0 + length * (share - 0.5)).clamp(0.0, 1.0 - length);
                self.zoom = (from, from + length);
            }
        }
    }
}
