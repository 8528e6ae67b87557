//! Where the keys lead: splits, groups, rows of the scores, columns of the matrix.

use std::sync::Arc;

use super::{Classes, standing::Standing};
use crate::{store::Run, ui::Outcome};

impl Classes {
    /// The chosen split if the run has it, else `val`-like ones before others.
    pub(super) fn split_of(&self, run: &Run) -> Option<Arc<str>> {
        let splits: Vec<Arc<str>> = run.confusions().splits().cloned().collect();
        if let Some(chosen) = &self.split
            && splits.contains(chosen)
        {
            return Some(chosen.clone());
        }
        splits.iter().find(|s| s.starts_with("val")).or_else(|| splits.first()).cloned()
    }

    pub(super) fn next_split(&mut self, run: &Run, now: &Arc<str>) -> Outcome {
        let splits: Vec<Arc<str>> = run.confusions().splits().cloned().collect();
        let at = splits.iter().position(|s| s == now).unwrap_or(0);
        if splits.len() < 2 {
            return Outcome::Say(format!("this run has only {}", crate::model::sanitise(now)));
        }
        self.split = splits.get((at + 1) % splits.len()).cloned();
        Outcome::Done
    }

    pub(super) fn collapse(&mut self) -> Outcome {
        let groups = self.standing.as_ref().map_or(1, |s| s.arrangement.group_count());
        if groups < 2 {
            self.collapsed = false;
            return Outcome::Say("there are no groups to collapse".to_owned());
        }
        self.collapsed = !self.collapsed;
        let weak = self.standing.as_ref().is_some_and(|s| s.arrangement.is_weak());
        if self.collapsed && weak {
            return Outcome::Say("these groups are no clearer than chance".to_owned());
        }
        Outcome::Done
    }

    /// The classes of the table's rows; of a group its first.
    pub(super) fn listed(&self) -> Vec<usize> {
        let Some(standing) = &self.standing else { return Vec::new() };
        let collapsed = self.is_collapsed(standing);
        let rows = self.order.sorted(&self.figures, standing, collapsed);
        if !collapsed {
            return rows;
        }
        rows.into_iter().filter_map(|group| standing.arrangement.members(group).next()).collect()
    }

    pub(super) fn is_collapsed(&self, standing: &Standing) -> bool {
        self.collapsed && standing.arrangement.group_count() > 1
    }

    /// To the next row of the table.
    pub(super) fn step(&mut self, by: isize) {
        let listed = self.listed();
        let at = self.position(&listed, self.cursor.0);
        let next = at.saturating_add_signed(by).min(listed.len().saturating_sub(1));
        (self.cursor.0, self.row_chosen) = (listed.get(next).copied().unwrap_or(0), true);
    }

    /// To the next column of the matrix.
    pub(super) fn pan(&mut self, by: isize) {
        if !self.column_chosen {
            self.cursor.1 = self.cursor.0;
        }
        (self.row_chosen, self.column_chosen) = (true, true);
        let columns: Vec<usize> = match &self.standing {
            Some(standing) if self.is_collapsed(standing) => (0..standing.arrangement.group_count())
                .filter_map(|group| standing.arrangement.members(group).next())
                .collect(),
            Some(standing) => standing.arrangement.order.clone(),
            None => return,
        };
        let at = self.position(&columns, self.cursor.1);
        let next = at.saturating_add_signed(by).min(columns.len().saturating_sub(1));
        self.cursor.1 = columns.get(next).copied().unwrap_or(0);
    }

    /// Where a class stands in a list; with groups, where one of its group does.
    fn position(&self, list: &[usize], class: usize) -> usize {
        let exact = list.iter().position(|other| *other == class);
        let of_group = || {
            let groups = &self.standing.as_ref()?.arrangement.groups;
            list.iter().position(|other| groups.get(*other) == groups.get(class))
        };
        exact.or_else(of_group).unwrap_or(0)
    }
}
