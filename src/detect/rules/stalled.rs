//! `stalled`: a run that went silent for much longer than its own pace, and not so long ago that it is old.

use std::fmt::Write as _;

use crate::{
    model::{Health, Step, WallTime},
    store::Run,
};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Patience, RunDetector, Scope, Severity, Speaks, Surroundings, Threshold,
    Verdict,
    judge::Hold,
    state::{self, RunState},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "stalled",
    summary: "no new record for much longer than the run's own pace",
    advice: "Look at GPU utilisation, the data loader, the disk and collective operations of the process.",
    clears: "the next record",
    traps: "clocks that differ, files that are copied from elsewhere, writers that buffer for long",
    thresholds: &[
        Threshold::new(10.0, "times the usual interval, 3 times the longest gap and 120 s: info"),
        Threshold::new(30.0, "times the usual interval, 3 times the longest gap and 30 min: critical"),
    ],
    scopes: &[Scope::Run { build: || Box::new(Stalled) }],
};

#[derive(Debug)]
struct Stalled;

impl Speaks for Stalled {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, _: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let mut text = format!(
            "no new record for {} since step {}",
            words::duration(get("silence_s").unwrap_or(0.0)),
            words::step(step)
        );
        if let Some(interval) = get("interval_s") {
            let _ = write!(text, "; records came every {} before", pace(interval));
        }
        if get("sign_of_a_break").is_some() {
            text.push_str("; it may simply have ended, its log does not say");
            return (text, "See whether the process still runs; nothing in the log tells.".to_owned());
        }
        let advice =
            "Look at GPU utilisation, the data loader, a full disk and collective operations that hang.";
        (text, advice.to_owned())
    }
}

fn pace(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{seconds:.3} s")
    } else if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        words::duration(seconds)
    }
}

impl RunDetector for Stalled {
    fn look(&mut self, run: &Run, health: &Health, now: WallTime, stale_after_s: f64) -> Verdict {
        // The cheap question first: on a large tree nearly every run is old, and this is asked at each heartbeat.
        let Some(silence) = state::silence(run, health, now) else { return Verdict::Fine };
        if silence.seconds <= state::FLUSH_S || silence.seconds > stale_after_s {
            return Verdict::Fine;
        }
        let ended = matches!(
            state::run_state(run, health, now, stale_after_s),
            RunState::Finished | RunState::Failed | RunState::Unknown
        );
        if ended || run.last_step().is_none() {
            return Verdict::Fine;
        }
        let Some(limits) = state::limits(run, &silence) else { return Verdict::Fine };
        if silence.seconds <= limits.late {
            return Verdict::Fine;
        }
        // A log without an end mark that was never seen alive and shows no sign of a break is more often a run
        // that simply ended: worth a line, not an alarm.
        let broken = silence.live || state::breaks_off(run, health);
        let critical = broken && silence.seconds > limits.stalled;
        let severity = if critical { Severity::Critical } else { Severity::Info };
        let limit = if critical { limits.stalled } else { limits.late };
        let mut evidence = Evidence::new()
            .at_least("silence_s", silence.seconds, limit)
            .with("limit_s", limit)
            .maybe("interval_s", limits.interval);
        if !broken {
            evidence = evidence.with("sign_of_a_break", 0.0);
        }
        Verdict::Bad(Finding::new(severity, evidence))
    }
}
