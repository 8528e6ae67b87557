//! One rule on one subject: its judge, and the alerts that came of it.

use crate::model::{LayerKind, LayerName, RunId, SeriesKey, Step, WallTime};

use super::{
    DetectorSpec, Speaks, Surroundings,
    alert_book::{AlertBook, Draft},
    judge::{Finding, Judge, Patience, Turn, Verdict},
};

/// Where judges write to.
pub(super) struct Desk<'a> {
    /// The book.
    pub book: &'a mut AlertBook,
    /// The run that is being judged.
    pub run: &'a RunId,
    /// The time, for records that do not say theirs.
    pub now: WallTime,
}

/// What an alert speaks of.
pub(super) enum Place<'a> {
    /// A series.
    Series(&'a SeriesKey),
    /// A tensor of a layer.
    Layer(&'a LayerName, LayerKind),
    /// The data that a confusion matrix was computed on.
    Split(&'a str),
    /// The run as a whole.
    Run,
}

impl Place<'_> {
    fn label(&self) -> String {
        match self {
            Self::Series(key) => key.label(),
            Self::Layer(layer, LayerKind::Other) => layer.as_str().to_owned(),
            Self::Layer(layer, kind) => format!("{layer} ({kind})"),
            Self::Split(split) => (*split).to_owned(),
            Self::Run => String::new(),
        }
    }
}

/// The file of one rule on one subject.
#[derive(Debug)]
pub(super) struct Case {
    /// The rule.
    pub spec: &'static DetectorSpec,
    judge: Judge,
    patience: Patience,
    /// The alert that is open or was last open.
    current: Option<u64>,
    raised: Vec<u64>,
    /// Alerts of a past that is being told anew; taken back unless they are raised again.
    doubted: Vec<u64>,
}

impl Case {
    pub fn new(spec: &'static DetectorSpec, patience: Patience) -> Self {
        Self {
            spec,
            judge: Judge::new(patience),
            patience,
            current: None,
            raised: Vec::new(),
            doubted: Vec::new(),
        }
    }

    /// True when nothing is open or in the making.
    pub fn at_rest(&self) -> bool {
        self.judge.at_rest()
    }

    /// The past will be told anew.
    pub fn doubt(&mut self) {
        self.judge = Judge::new(self.patience);
        self.current = None;
        self.doubted.append(&mut self.raised);
    }

    /// The past has been told: what was not raised again is taken back.
    pub fn settle(&mut self, desk: &mut Desk<'_>) {
        for id in self.doubted.drain(..) {
            desk.book.withdraw(id);
        }
    }

    /// Takes a verdict and writes down what follows from it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one sentence: when, what, where, by whom, in what context"
    )]
    pub fn hear(
        &mut self,
        step: Step,
        wall: WallTime,
        verdict: Verdict,
        place: &Place<'_>,
        speaker: &(impl Speaks + ?Sized),
        around: &Surroundings,
        desk: &mut Desk<'_>,
    ) {
        let Some(turn) = self.judge.hear(step, verdict) else { return };
        match turn {
            Turn::Opened { since, mut finding } => {
                finding.since = Some(since);
                let (message, advice) = speaker.words(&place.label(), step, &finding, around);
                self.raise(step, since, wall, (message, advice), finding, place, desk);
            }
            Turn::Escalated(finding) => {
                if let Some(id) = self.current {
                    let words = speaker.words(&place.label(), step, &finding, around);
                    desk.book.escalate(id, finding.severity, words, finding.evidence);
                }
            }
            Turn::Reopened => {
                if let Some(id) = self.current {
                    desk.book.reopen(id);
                }
            }
            Turn::Closed => self.close(Some(step), desk),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one sentence")]
    fn raise(
        &mut self,
        step: Step,
        since: Step,
        wall: WallTime,
        words: (String, String),
        finding: Finding,
        place: &Place<'_>,
        desk: &mut Desk<'_>,
    ) {
        let same =
            self.doubted.iter().position(|id| desk.book.get(*id).is_some_and(|a| a.step == Some(step)));
        if let Some(at) = same {
            let id = self.doubted.remove(at);
            self.raised.push(id);
            self.current = Some(id);
            desk.book.confirm(id, finding.severity, since, words, finding.evidence);
            return;
        }
        let (series, layer, kind) = match place {
            Place::Series(key) => (Some((*key).clone()), None, None),
            Place::Layer(layer, kind) => (None, Some((*layer).clone()), Some(*kind)),
            Place::Split(_) | Place::Run => (None, None, None),
        };
        self.current = desk.book.raise(Draft {
            run: desk.run.clone(),
            rule: self.spec.id,
            severity: finding.severity,
            series,
            layer,
            kind,
            step: Some(step),
            since_step: Some(since),
            time: if wall.known().is_some() { wall } else { desk.now },
            message: words.0,
            advice: words.1,
            evidence: finding.evidence,
        });
        self.raised.extend(self.current);
    }

    fn close(&mut self, step: Option<Step>, desk: &mut Desk<'_>) {
        if let Some(id) = self.current {
            desk.book.close(id, step);
        }
    }

    /// Everything at and after `step` is void.
    pub fn rewind(&mut self, step: Step, desk: &mut Desk<'_>) {
        if self.judge.rewind(step).is_some() {
            self.close(Some(step), desk);
        }
    }
}
