//! Which runs are listed, and in what order.

use std::fmt::Write;

use super::{facts::Memory, trouble::Trouble};
use crate::{
    detect::Severity,
    model::{Goal, RunId},
    ui::{FrameContext, Selection, filter::Filter},
};

/// Orders of the `o` key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Worst open alert first, then by name. The default: a run in trouble must not be below the fold.
    #[default]
    Trouble,
    /// By name, numbers as numbers.
    Name,
    /// Latest record first.
    Newest,
    /// Best value of the main metric first.
    Best,
}

impl Order {
    /// The word in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Trouble => "trouble",
            Self::Newest => "newest",
            Self::Best => "best",
        }
    }

    /// The next in the cycle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Trouble => Self::Name,
            Self::Name => Self::Newest,
            Self::Newest => Self::Best,
            Self::Best => Self::Trouble,
        }
    }
}

/// What the list was made of.
#[derive(Clone, PartialEq, Debug, Default)]
struct Stamp {
    store: u64,
    alerts: u64,
    runs: usize,
    filter: String,
    order: Order,
    frozen: bool,
}

/// The list, made again only when something it depends on moved.
#[derive(Default)]
pub struct Listing {
    stamp: Option<Stamp>,
    ids: Vec<RunId>,
}

impl Listing {
    /// Ids in the order of the rows.
    pub fn ids(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        order: Order,
        memory: &mut Memory,
    ) -> &[RunId] {
        // These depend only on which runs there are, and on the alerts.
        let by_name = matches!(order, Order::Name | Order::Trouble);
        let stamp = Stamp {
            store: if by_name { 0 } else { context.store.generation() },
            alerts: if order == Order::Trouble { context.alerts.generation() } else { 0 },
            runs: context.store.run_count(),
            filter: selection.filter.clone(),
            order,
            frozen: selection.frozen.is_some(),
        };
        if self.stamp.as_ref() != Some(&stamp) {
            self.ids = list(context, selection, order, memory);
            self.stamp = Some(stamp);
        }
        &self.ids
    }
}

fn list(context: FrameContext<'_>, selection: &Selection, order: Order, memory: &mut Memory) -> Vec<RunId> {
    let mut filter = Filter::new(&selection.filter);
    let frozen = selection.frozen.as_ref();
    let mut runs: Vec<_> = context
        .store
        .runs()
        .filter(|r| frozen.is_none_or(|f| f.last_steps.contains_key(r.id())))
        .filter(|r| {
            let name = r.info().name.as_deref().unwrap_or_default();
            filter.matches(&format!("{} {name}", r.id()))
        })
        .collect();
    match order {
        Order::Name => {}
        Order::Trouble => {
            let trouble = Trouble::of(context.alerts);
            runs.sort_by_key(|r| std::cmp::Reverse(trouble.of_run(r.id()).map(|a| a.severity)));
        }
        Order::Newest => {
            runs.sort_by(|a, b| last_wall(b.last_wall().0).total_cmp(&last_wall(a.last_wall().0)));
        }
        Order::Best => {
            // Smaller is better in this key; runs without a value come last.
            let key = |r: &crate::store::Run, memory: &mut Memory| {
                memory.of(r).best(r, None).map_or(f64::INFINITY, |b| match b.goal {
                    Goal::Min => b.value,
                    Goal::Max => -b.value,
                })
            };
            let mut keyed: Vec<_> = runs.into_iter().map(|r| (key(r, memory), r)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            runs = keyed.into_iter().map(|(_, r)| r).collect();
        }
    }
    runs.into_iter().map(|r| r.id().clone()).collect()
}

fn last_wall(seconds: f64) -> f64 {
    if seconds.is_nan() { f64::NEG_INFINITY } else { seconds }
}

/// The headline: how many runs need attention, and which; in fewer words where `short`.
pub fn headline(trouble: &Trouble<'_>, runs: usize, short: bool) -> (Option<Severity>, String) {
    let alerts = trouble.needing_attention();
    let plural = if runs == 1 { "run" } else { "runs" };
    let Some(worst) = alerts.first() else {
        return (None, format!("{runs} {plural}, none needs attention"));
    };
    let need = if alerts.len() == 1 { "needs" } else { "need" };
    let mut text = if short {
        format!("{} of {runs} in trouble: ", alerts.len())
    } else {
        format!("{} of {runs} {plural} {need} attention: ", alerts.len())
    };
    for (i, alert) in alerts.iter().enumerate().take(12) {
        if i > 0 {
            text.push_str(", ");
        }
        let _ = write!(text, "{} ({})", alert.run, alert.rule.replace('_', " "));
    }
    (Some(worst.severity), text)
}
