//! What a rule says of a run, for people and for programs.

use crate::model::{LayerKind, LayerName, RunId, SeriesKey, Step, WallTime};

use super::evidence::Evidence;

/// How bad it is. Ordered: info < warn < critical.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth a look; never rings a bell.
    Info,
    /// Doing something likely pays.
    Warn,
    /// Compute is being wasted now.
    Critical,
}

impl Severity {
    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Critical => "critical",
        }
    }

    /// All, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warn, Self::Critical];
}

/// Whether the condition still holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AlertState {
    /// It does, as far as the log was read.
    Open,
    /// It was cured, or its data were archived or superseded.
    Closed,
}

impl AlertState {
    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// One alert. Message and evidence are those of the moment at which it opened or last escalated.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// Unique in this process, from 1.
    pub id: u64,
    /// The run.
    pub run: RunId,
    /// The rule's fixed name.
    pub rule: &'static str,
    /// The worst that it has been.
    pub severity: Severity,
    /// Open or closed.
    pub state: AlertState,
    /// The series, where one can be named.
    pub series: Option<SeriesKey>,
    /// The layer, where one can be named.
    pub layer: Option<LayerName>,
    /// Which of the layer's tensors, where it is one.
    pub kind: Option<LayerKind>,
    /// The place of that layer in the network, from 0, as far as it was known when the alert was raised: of layers
    /// that break in the same step the first one is the cause.
    pub depth: Option<usize>,
    /// Where it opened.
    pub step: Option<Step>,
    /// Where its condition first held.
    pub since_step: Option<Step>,
    /// When it opened: the log's own time where it says one.
    pub time: WallTime,
    /// Where it closed.
    pub closed_step: Option<Step>,
    /// What, where, since when, with numbers.
    pub message: String,
    /// One imperative sentence.
    pub advice: String,
    /// The numbers behind it.
    pub evidence: Evidence,
    /// What was said when it opened, once something else is said.
    pub opening: Option<Box<Opening>>,
    /// The alert that explains this one; such alerts are shown under their cause and do not notify.
    pub caused_by: Option<u64>,
    /// The user has seen it.
    pub acknowledged: bool,
    /// The user does not want to hear of its rule, in this run or in all.
    pub muted: bool,
    /// In all runs.
    pub muted_everywhere: bool,
    /// The user does not want to hear of it before then.
    pub snoozed_until: Option<WallTime>,
}

/// What an alert said when it opened.
#[derive(Clone, PartialEq, Debug)]
pub struct Opening {
    /// How bad it was.
    pub severity: Severity,
    /// The message.
    pub message: String,
    /// The advice.
    pub advice: String,
    /// The numbers.
    pub evidence: Evidence,
}

impl Alert {
    /// The alert as it was while the log ended at `until`; `None` if it had not been raised, or is not of a step.
    ///
    /// How far it had got worse by then is not kept: it says what it said when it opened.
    pub fn as_of(&self, until: Step) -> Option<Self> {
        let mut past = self.clone();
        past.step.filter(|step| *step <= until)?;
        if let Some(opening) = past.opening.take() {
            (past.severity, past.evidence) = (opening.severity, opening.evidence);
            (past.message, past.advice) = (opening.message, opening.advice);
        }
        if past.closed_step.is_some_and(|step| step > until) {
            past.state = AlertState::Open;
            past.closed_step = None;
        }
        Some(past)
    }

    /// Keeps what was said at the opening, before something else is said.
    pub(super) fn remember_opening(&mut self) {
        if self.opening.is_none() {
            self.opening = Some(Box::new(Opening {
                severity: self.severity,
                message: self.message.clone(),
                advice: self.advice.clone(),
                evidence: self.evidence.clone(),
            }));
        }
    }

    /// True while the user does not want to hear of it: it is listed, but neither counted nor told.
    pub fn is_quiet(&self) -> bool {
        self.muted || self.snoozed_until.is_some()
    }

    /// True while its condition holds.
    pub fn is_open(&self) -> bool {
        self.state == AlertState::Open
    }

    /// The series or layer as text; empty for the run as a whole.
    pub fn place(&self) -> String {
        match (&self.series, &self.layer) {
            (Some(series), _) => series.label(),
            (None, Some(layer)) => layer.as_str().to_owned(),
            (None, None) => String::new(),
        }
    }
}
