//! What the user has chosen; shared by all views, so that a choice in one is a choice in all.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{RunId, Step, WallTime},
    store::{Run, Store},
};

/// What the horizontal axis of curves measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Axis {
    /// The trainer's counter.
    #[default]
    Step,
    /// Epochs, where the log lets them be known.
    Epoch,
    /// Time of day.
    Wall,
    /// Seconds since the run's first record.
    Relative,
}

impl Axis {
    /// The word in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Epoch => "epoch",
            Self::Wall => "wall time",
            Self::Relative => "relative time",
        }
    }

    /// The next one in the cycle of the `x` key.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Step => Self::Epoch,
            Self::Epoch => Self::Wall,
            Self::Wall => Self::Relative,
            Self::Relative => Self::Step,
        }
    }
}

/// Smoothing weights in the order of the `s` key, as people set TensorBoard's slider.
pub const SMOOTHING: [f64; 5] = [0.0, 0.3, 0.6, 0.9, 0.97];

/// A moment at which the screen was frozen.
#[derive(Clone, PartialEq, Debug)]
pub struct Frozen {
    /// When.
    pub now: WallTime,
    /// The last step of each run then; runs that came later are not shown.
    pub last_steps: BTreeMap<RunId, Step>,
}

/// The shared choice.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Selection {
    /// The run that all views speak of. By id, so that new runs do not move it.
    pub run: Option<RunId>,
    /// The run to speak of while none is selected: the first in the order of trouble. Moves only on the Runs view,
    /// so that no other view changes its subject by itself.
    pub suggested: Option<RunId>,
    /// Runs marked for comparison.
    pub marked: BTreeSet<RunId>,
    /// The fuzzy filter of the view on screen; the screen keeps one per view.
    pub filter: String,
    /// Weight of the debiased moving average, one of [`SMOOTHING`].
    pub smoothing: f64,
    /// Logarithmic value axis.
    pub log_y: bool,
    /// The horizontal axis.
    pub axis: Axis,
    /// The time cursor: nothing after this step is shown. `None` is live.
    pub cursor: Option<Step>,
    /// New data is held back while this is set.
    pub frozen: Option<Frozen>,
    /// Seconds that local time is ahead of UTC, for clock times on screen.
    pub utc_offset_s: f64,
    /// A run that has been silent for longer than this is of the past, not stalled. Seconds.
    pub stale_after_s: f64,
}

impl Selection {
    /// The last step of `run` that may be shown; `None` for no limit.
    pub fn until(&self, run: &RunId) -> Option<Step> {
        let frozen = self.frozen.as_ref().map(|f| f.last_steps.get(run).copied().unwrap_or(Step::MIN));
        match (self.cursor, frozen) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The selected run; while none is selected (or it is gone) the suggested one, else the first.
    pub fn run_in<'a>(&self, store: &'a Store) -> Option<&'a Run> {
        let known = |id: &Option<RunId>| id.as_ref().and_then(|id| store.run(id));
        known(&self.run).or_else(|| known(&self.suggested)).or_else(|| store.runs().next())
    }

    /// The selected run; while none was chosen, the first one that has something to show.
    pub fn run_with<'a>(&self, store: &'a Store, has: impl Fn(&Run) -> bool) -> Option<&'a Run> {
        let some = || store.runs().find(|run| has(run));
        if self.run.is_none() { some() } else { None }.or_else(|| self.run_in(store))
    }

    /// The selected run first, then the marked ones in natural order, without repetition.
    pub fn shown_runs<'a>(&self, store: &'a Store) -> Vec<&'a Run> {
        let selected = self.run_in(store);
        let mut runs: Vec<&Run> = selected.into_iter().collect();
        let chosen = selected.map(|r| r.id().clone());
        runs.extend(
            self.marked.iter().filter(|id| Some(*id) != chosen.as_ref()).filter_map(|id| store.run(id)),
        );
        runs
    }

    /// Holds back everything that comes from now on, or lets it through again.
    pub fn toggle_freeze(&mut self, store: &Store, now: WallTime) {
        self.frozen = if self.frozen.is_some() {
            None
        } else {
            let last_steps =
                store.runs().filter_map(|r| r.last_step().map(|step| (r.id().clone(), step))).collect();
            Some(Frozen { now, last_steps })
        };
    }
}
