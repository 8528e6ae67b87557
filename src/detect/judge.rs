//! Patience: turns the verdicts of a detector on one subject into the opening, worsening and ending of an alert.
//!
//! ```text
//! ok ──bad──▶ pending ──enough of the last n──▶ firing ──fine──▶ clearing ──2×──▶ ok (cooling down)
//!                └──not bad──▶ ok                  ▲──────bad──────┘
//! ```

use crate::model::Step;

use super::{alert::Severity, evidence::Evidence};

/// What a detector says of its subject at one observation.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// Too little is known, or it is neither bad nor cured (between the two thresholds).
    Unsure,
    /// Nothing is wrong, also by the milder threshold that ends an alert.
    Fine,
    /// The condition holds.
    Bad(Finding),
}

/// Why the verdict is bad.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// How bad, if it lasts.
    pub severity: Severity,
    /// Where it began, if the detector knows better than "at the first bad verdict".
    pub since: Option<Step>,
    /// The numbers that satisfy the rule's inequality.
    pub evidence: Evidence,
    /// Needs no patience.
    pub sure: bool,
}

impl Finding {
    /// A finding that begins where the judge first saw it.
    pub fn new(severity: Severity, evidence: Evidence) -> Self {
        Self { severity, since: None, evidence, sure: false }
    }
}

/// `needed` bad verdicts among the last `of`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// How many must be bad.
    pub needed: u32,
    /// Among how many; at most 32.
    pub of: u32,
}

impl Hold {
    /// So many in a row.
    pub const fn in_a_row(needed: u32) -> Self {
        Self { needed, of: needed }
    }
}

/// How long a condition must last before it is said, and be gone before it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For info, warn and critical.
    pub hold: [Hold; 3],
    /// Fine verdicts in a row that end an alert.
    pub clear: u32,
}

impl Patience {
    /// The first bad verdict counts.
    pub const NONE: Self = Self { hold: [Hold::in_a_row(1); 3], clear: 10 };
}

/// What becomes of the alert.
#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    /// A new alert.
    Opened {
        /// Where the condition first held.
        since: Step,
        /// What was found.
        finding: Finding,
    },
    /// The open alert got worse, or a closed one came back worse.
    Escalated(Finding),
    /// A closed alert came back within its cool-down.
    Reopened,
    /// The alert is over.
    Closed,
}

/// The state of one rule on one subject. A pure function of the verdicts in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct Judge {
    patience: Patience,
    /// Bit i of element s: the verdict i observations ago was at least as bad as severity s.
    history: [u32; 3],
    since: [Step; 3],
    fine: u32,
    seen: u64,
    open: Option<Severity>,
    /// Number of the observation at which it last closed, and how bad it was.
    closed: Option<(u64, Severity)>,
    last_opened: Option<Step>,
}

impl Judge {
    /// A judge who has seen nothing.
    pub fn new(patience: Patience) -> Self {
        Self {
            patience,
            history: [0; 3],
            since: [0; 3],
            fine: 0,
            seen: 0,
            open: None,
            closed: None,
            last_opened: None,
        }
    }

    /// The severity of the alert that is open.
    pub fn open(&self) -> Option<Severity> {
        self.open
    }

    /// True when nothing is open and no bad verdict is among those remembered.
    pub fn at_rest(&self) -> bool {
        self.open.is_none() && self.history == [0; 3]
    }

    /// Takes the verdict at `step`.
    pub fn hear(&mut self, step: Step, verdict: Verdict) -> Option<Turn> {
        self.seen += 1;
        let worst = match &verdict {
            Verdict::Bad(finding) => Some(finding.severity),
            Verdict::Unsure | Verdict::Fine => None,
        };
        for severity in Severity::ALL {
            let tier = severity as usize;
            let window = window_mask(self.patience.hold[tier].of);
            let bad = worst.is_some_and(|w| w >= severity);
            if self.history[tier] & window == 0 && bad {
                self.since[tier] = step;
            }
            self.history[tier] = (self.history[tier] << 1 | u32::from(bad)) & window;
        }
        match verdict {
            Verdict::Bad(finding) => {
                self.fine = 0;
                self.fire(step, finding)
            }
            Verdict::Unsure => {
                self.fine = 0;
                None
            }
            Verdict::Fine => self.clear(),
        }
    }

    fn fire(&mut self, step: Step, mut finding: Finding) -> Option<Turn> {
        let held = Severity::ALL.into_iter().rev().find(|s| self.holds(*s));
        let reached = if finding.sure { Some(finding.severity) } else { held }?;
        finding.severity = reached;
        let since = finding.since.unwrap_or(self.since[reached as usize]);
        match self.open {
            Some(open) if reached > open => {
                self.open = Some(reached);
                Some(Turn::Escalated(finding))
            }
            Some(_) => None,
            None => {
                self.open = Some(reached);
                match self.closed {
                    Some((at, was)) if self.seen - at <= cool_down(self.seen) => {
                        self.open = Some(reached.max(was));
                        Some(if reached > was { Turn::Escalated(finding) } else { Turn::Reopened })
                    }
                    _ => {
                        self.last_opened = Some(step);
                        Some(Turn::Opened { since, finding })
                    }
                }
            }
        }
    }

    fn holds(&self, severity: Severity) -> bool {
        let hold = self.patience.hold[severity as usize];
        self.history[severity as usize].count_ones() >= hold.needed
    }

    fn clear(&mut self) -> Option<Turn> {
        self.fine += 1;
        let open = self.open?;
        if self.fine < self.patience.clear {
            return None;
        }
        self.open = None;
        self.closed = Some((self.seen, open));
        self.history = [0; 3];
        Some(Turn::Closed)
    }

    /// Everything at and after `step` is void. An alert that opened there is over; an older one stands.
    pub fn rewind(&mut self, step: Step) -> Option<Turn> {
        self.history = [0; 3];
        self.fine = 0;
        let abandoned = self.last_opened.is_some_and(|opened| opened >= step);
        if !abandoned {
            return None;
        }
        self.closed = None;
        self.last_opened = None;
        self.open.take().map(|_| Turn::Closed)
    }
}

const fn window_mask(of: u32) -> u32 {
    if of >= 32 { u32::MAX } else { (1 << of) - 1 }
}

/// Observations after the end of an alert during which the same alert comes back instead of a new one:
/// 10, or 5 % of all so far.
fn cool_down(seen: u64) -> u64 {
    (seen / 20).max(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(severity: Severity) -> Verdict {
        Verdict::Bad(Finding::new(severity, Evidence::new()))
    }

    fn three() -> Judge {
        Judge::new(Patience {
            hold: [Hold { needed: 2, of: 3 }, Hold::in_a_row(3), Hold::in_a_row(3)],
            clear: 6,
        })
    }

    #[test]
    fn an_alert_waits_for_patience_and_says_where_it_began() {
        let mut judge = three();
        assert_eq!(judge.hear(1, Verdict::Fine), None);
        assert_eq!(judge.hear(2, bad(Severity::Info)), None);
        assert_eq!(judge.hear(3, Verdict::Unsure), None);
        assert!(matches!(judge.hear(4, bad(Severity::Info)), Some(Turn::Opened { since: 2, .. })));
        assert_eq!(judge.hear(5, bad(Severity::Warn)), None);
        assert_eq!(judge.hear(6, bad(Severity::Warn)), None);
        assert!(
            matches!(judge.hear(7, bad(Severity::Critical)), Some(Turn::Escalated(f)) if f.severity == Severity::Warn)
        );
    }

    #[test]
    fn one_bad_verdict_more_or_less_does_not_flap() {
        let mut judge = three();
        let turns: Vec<_> = (0..100)
            .filter_map(|i| judge.hear(i, if i % 3 == 0 { Verdict::Fine } else { bad(Severity::Warn) }))
            .collect();
        assert_eq!(turns.len(), 1, "{turns:?}");
    }

    #[test]
    fn an_alert_ends_after_enough_fine_verdicts_and_comes_back_as_itself() {
        let mut judge = three();
        for step in 0..3 {
            judge.hear(step, bad(Severity::Warn));
        }
        let ends: Vec<_> = (3..12).filter(|s| judge.hear(*s, Verdict::Fine) == Some(Turn::Closed)).collect();
        assert_eq!(ends, [8]);
        judge.hear(12, bad(Severity::Warn));
        assert_eq!(judge.hear(13, bad(Severity::Warn)), Some(Turn::Reopened));
    }

    #[test]
    fn going_back_ends_what_began_on_the_abandoned_branch_only() {
        let mut judge = Judge::new(Patience::NONE);
        assert!(judge.hear(100, bad(Severity::Warn)).is_some());
        assert_eq!(judge.rewind(150), None);
        assert_eq!(judge.rewind(50), Some(Turn::Closed));
        assert!(judge.at_rest());
        assert!(matches!(judge.hear(100, bad(Severity::Warn)), Some(Turn::Opened { .. })));
    }
}
