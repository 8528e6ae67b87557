//! What keys do to the view: which layer, which columns, which order, which page.

use super::{KINDS, Layers, Page, field::Field, flow, groups::Group, list::Order};
use crate::{
    model::{LayerKind, LayerName},
    store::Run,
    ui::{FrameContext, Outcome, Selection},
};

impl Layers {
    pub(super) fn refresh(&mut self, run: &Run, context: FrameContext<'_>, selection: &Selection) {
        let how = (self.table_kind(), selection.until(run.id()), self.order, selection.filter.as_str());
        self.lines.refresh(run, context.alerts, how);
    }

    /// The kind of tensor whose statistics the table shows.
    pub(super) fn table_kind(&self) -> LayerKind {
        match self.group {
            Group::Tensor(kind) => kind,
            Group::Norms => LayerKind::Weights,
            Group::Stability | Group::Units => self.kind,
        }
    }

    /// Opens the layer that was the first to leave its own history.
    pub(super) fn open_cause(
        &mut self,
        run: &Run,
        context: FrameContext<'_>,
        selection: &mut Selection,
    ) -> Outcome {
        let Some(cause) = self.cause.find(context, run, selection.until(run.id())).0 else {
            return Outcome::Say("no layer has left its own history".to_owned());
        };
        selection.filter.clear();
        (self.selected, self.kind, self.opened) = (Some(cause.layer.clone()), cause.kind, true);
        Outcome::Done
    }

    pub(super) fn open(&mut self, run: &Run, context: FrameContext<'_>, selection: &Selection) -> Outcome {
        self.refresh(run, context, selection);
        self.opened = self.opened_row(run).is_some();
        if self.opened || self.lines.shown.is_empty() {
            return Outcome::Done;
        }
        Outcome::Say("neither statistics nor histograms of this layer were logged".to_owned())
    }

    /// The row of the selected layer; the first one while none is selected.
    pub(super) fn index(&self) -> usize {
        let name = self.selected.as_ref().map(LayerName::as_str);
        let at = |n| self.lines.shown.iter().position(|i| self.lines.all[*i].figures.name == n);
        name.and_then(at).unwrap_or(0)
    }

    pub(super) fn opened_row<'a>(&self, run: &'a Run) -> Option<&'a crate::store::LayerRow> {
        let by_name = self.selected.as_ref().and_then(|name| run.layers().row(name));
        by_name.or_else(|| {
            let name = &self.lines.row(self.index())?.figures.name;
            run.layers().row(&LayerName::from(name.as_str()))
        })
    }

    pub(super) fn step(&mut self, by: isize, run: &Run, context: FrameContext<'_>, selection: &Selection) {
        self.refresh(run, context, selection);
        let last = self.lines.shown.len().saturating_sub(1);
        let next = self.index().saturating_add_signed(by).min(last);
        if let Some(line) = self.lines.row(next) {
            self.selected = Some(LayerName::from(line.figures.name.as_str()));
        }
    }

    /// Falls back to a kind that the run has, and to a group that it can fill.
    pub(super) fn choose_kind(&mut self, run: &Run) {
        let has = |kind| run.layers().rows().any(|r| r.track(kind).is_some());
        if !has(self.kind)
            && let Some(kind) = KINDS.into_iter().find(|k| has(*k))
        {
            self.kind = kind;
        }
        if let Group::Tensor(kind) = self.group
            && !has(kind)
        {
            self.group = Group::default();
        }
    }

    pub(super) fn next_kind(&mut self, run: &Run) {
        let at = KINDS.iter().position(|k| *k == self.kind).unwrap_or(0);
        let has = |kind| run.layers().rows().any(|r| r.track(kind).is_some());
        if let Some(kind) = (1..=KINDS.len()).map(|i| KINDS[(at + i) % KINDS.len()]).find(|k| has(*k)) {
            self.kind = kind;
        }
    }

    /// The next group of columns; one of a tensor makes that the kind that is opened, too.
    pub(super) fn next_group(
        &mut self,
        run: &Run,
        context: FrameContext<'_>,
        selection: &Selection,
    ) -> Outcome {
        self.refresh(run, context, selection);
        let at = Group::ALL.iter().position(|g| *g == self.group).unwrap_or(0);
        let n = Group::ALL.len();
        let next = (1..n).map(|i| Group::ALL[(at + i) % n]).find(|g| self.lines.has(*g));
        self.group = next.unwrap_or_default();
        if let Group::Tensor(kind) = self.group {
            self.kind = kind;
        }
        Outcome::Done
    }

    /// The network's own order, trouble first if there is any, then each column that is drawn.
    pub(super) fn next_order(&mut self) -> Outcome {
        let mut orders = vec![Field::Name];
        let trouble = self.columns.iter().any(|(f, _)| *f == Field::Trouble);
        orders.extend(trouble.then_some(Field::Trouble));
        orders.extend(
            self.columns.iter().map(|(f, _)| *f).filter(|f| !matches!(f, Field::Name | Field::Trouble)),
        );
        let at = orders.iter().position(|f| *f == self.order.field).map_or(0, |at| at + 1);
        let field = orders.get(at).copied().unwrap_or_default();
        self.order = Order { field, reversed: false };
        Outcome::Say(format!("layers {}", field.order_name()))
    }

    pub(super) fn next_page(&mut self, run: &Run, context: FrameContext<'_>, selection: &Selection) {
        self.refresh(run, context, selection);
        let flows = flow::is_there(&self.lines.all) && !self.flow_is_below;
        self.page = match self.page {
            Page::Table if flows => Page::Flow,
            Page::Table | Page::Flow => Page::Map,
            Page::Map => Page::Table,
        };
        if self.page == Page::Map && !self.quantity.is_there(&self.lines, run) {
            self.quantity = self.quantity.next(&self.lines, run, 1);
        }
    }
}
