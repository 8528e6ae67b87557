//! The rows of the table, kept until something changes, and their order.

use std::collections::HashMap;

use super::{field::Field, figures::Figures, groups::Group, trouble::Trouble};
use crate::{
    analysis::layers::{
        At, FreezeHint, Stability, Subject, UnitShares, Verdict, order, subjects, unit_shares::Read,
    },
    detect::{Alert, AlertBook},
    model::{LayerKind, LayerName, RunId, Step},
    store::Run,
    ui::{Theme, filter::Filter, numbers::count},
};

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Order {
    /// By which column; the name is the network's own order.
    pub field: Field,
    /// The other way round.
    pub reversed: bool,
}

/// One row.
pub(super) struct Line {
    pub figures: Figures,
    pub trouble: Trouble,
}

/// What the rows were made from. While it is the same, so are they.
#[derive(Clone, PartialEq, Debug)]
struct Source {
    run: RunId,
    generation: u64,
    alerts: u64,
    kind: LayerKind,
    until: Option<Step>,
}

/// The rows and what is said of them together.
#[derive(Default)]
pub(super) struct Lines {
    /// All layers in the order of the network.
    pub all: Vec<Line>,
    /// Of `all`, those that the filter lets through, in the chosen order.
    pub shown: Vec<usize>,
    /// The widest name.
    pub name_width: u16,
    /// The kinds of tensors that were logged.
    pub kinds: Vec<LayerKind>,
    /// What can be frozen.
    pub hint: Option<FreezeHint>,
    /// Layers that are stable and since when, the earliest first.
    pub stable: Vec<(String, Step)>,
    /// Evaluations of the run.
    pub stability: Stability,
    /// By layer: places move when a layer appears.
    units: HashMap<LayerName, Read>,
    source: Option<Source>,
    sorted: Option<(Order, String)>,
}

impl Lines {
    /// A row by its place among those that are shown.
    pub fn row(&self, at: usize) -> Option<&Line> {
        self.shown.get(at).and_then(|i| self.all.get(*i))
    }

    /// Makes the rows anew if anything that they depend on has changed.
    pub fn refresh(
        &mut self,
        run: &Run,
        book: &AlertBook,
        (kind, until, order, filter): (LayerKind, Option<Step>, Order, &str),
    ) {
        let source = Source {
            run: run.id().clone(),
            generation: run.generation(),
            alerts: book.generation(),
            kind,
            until,
        };
        if self.source.as_ref() != Some(&source) {
            self.read(run, book, kind, until);
            self.source = Some(source);
            self.sorted = None;
        }
        let wanted = (order, filter.to_owned());
        if self.sorted.as_ref() != Some(&wanted) {
            self.sort(order, filter);
            self.sorted = Some(wanted);
        }
    }

    fn read(&mut self, run: &Run, book: &AlertBook, kind: LayerKind, until: Option<Step>) {
        let epoch = run.info().steps_per_epoch;
        let other_run = self.source.as_ref().is_some_and(|s| s.run != *run.id());
        if other_run || !self.stability.is_for(epoch) {
            self.stability = Stability::new(epoch);
            self.units.clear();
        }
        let subjects = subjects(run);
        self.stability.keep(&subjects);
        if self.units.len() > subjects.len() {
            self.units.clear();
        }
        let alerts: Vec<&Alert> =
            book.of_run(run.id()).filter(|a| a.is_open() && !a.is_quiet() && a.layer.is_some()).collect();
        self.all.clear();
        for (index, subject) in subjects.iter().enumerate() {
            let at = At::new(subject, until);
            let units = UnitShares::of(&at, self.units.entry(subject.name.clone()).or_default());
            let verdict = self.stability.verdict(&at);
            let figures = Figures::of(index, &at, kind, (units, verdict));
            let trouble = Trouble::of(&figures, worst(&alerts, &subject.name));
            self.all.push(Line { figures, trouble });
        }
        self.kinds = [
            LayerKind::Weights,
            LayerKind::Gradients,
            LayerKind::Activations,
            LayerKind::Updates,
            LayerKind::Moments,
            LayerKind::Other,
        ]
        .into_iter()
        .filter(|kind| subjects.iter().any(|s| s.track(*kind).is_some()))
        .collect();
        self.judge(&subjects);
    }

    /// What the states say together.
    fn judge(&mut self, subjects: &[Subject<'_>]) {
        let verdicts: Vec<(&Subject<'_>, Verdict)> =
            subjects.iter().zip(self.all.iter().map(|l| l.figures.verdict)).collect();
        let said = verdicts.iter().any(|(_, v)| v.measure.is_some() || v.state.is_settled());
        let broken = self.all.iter().find(|l| matches!(l.trouble, Trouble::Broken(_)));
        self.hint = said.then(|| match broken {
            Some(line) => FreezeHint::Broken(LayerName::from(line.figures.name.as_str())),
            None => FreezeHint::of(&verdicts),
        });
        let stable = order::became_stable(verdicts.iter().map(|(s, v)| (&s.name, *v)));
        self.stable = stable.into_iter().map(|(name, step)| (name.to_string(), step)).collect();
    }

    fn sort(&mut self, order: Order, filter: &str) {
        let mut words = Filter::new(filter);
        let all = &self.all;
        self.shown = (0..all.len()).filter(|i| words.matches(&all[*i].figures.name)).collect();
        let width = |i: &usize| crate::ui::text::columns(&all[*i].figures.name);
        self.name_width = self.shown.iter().map(width).max().unwrap_or(0).min(200) as u16;
        self.shown.sort_by(|a, b| {
            let by = order.field.compare(&all[*a], &all[*b]);
            let by = if order.reversed { by.reverse() } else { by };
            by.then_with(|| if order.reversed && order.field == Field::Name { b.cmp(a) } else { a.cmp(b) })
        });
    }

    /// Whether the log can fill a group of columns.
    pub fn has(&self, group: Group) -> bool {
        group.is_there(&self.all, |kind| self.kinds.contains(&kind))
    }
}

fn worst<'a>(alerts: &[&'a Alert], layer: &LayerName) -> Option<&'a Alert> {
    let of_layer = alerts.iter().copied().filter(|a| a.layer.as_ref() == Some(layer));
    of_layer.fold(None, |worst: Option<&Alert>, alert| match worst {
        Some(known) if known.severity >= alert.severity => worst,
        _ => Some(alert),
    })
}

/// A relative change with its sign: `+1.2%`, `-40%`, `×12`.
pub(super) fn change(theme: &Theme, c: f64) -> String {
    let p = c * 100.0;
    if !c.is_finite() {
        "?".to_owned()
    } else if p.abs() < 0.05 {
        "0%".to_owned()
    } else if p.abs() < 9.95 {
        format!("{p:+.1}%")
    } else if p.abs() < 999.5 {
        format!("{p:+.0}%")
    } else {
        format!("{}{}", theme.glyph("×", "x"), count((c + 1.0).abs() as u64))
    }
}
