//! What the short line says, as far as it can be known without reading again.

use serde::{Deserialize, Serialize};

use crate::{
    detect::{
        Severity,
        state::{RunState, run_state},
        tags,
    },
    engine::Session,
    model::WallTime,
    store::{Run, Series},
};

/// Grows when an older file cannot be read any more.
pub const VERSION: u32 = 1;

/// A change of the loss below this share of it is none.
const FLAT: f64 = 0.01;

/// A tree at a glance.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Glance {
    /// [`VERSION`], and that of the program.
    pub version: (u32, String),
    /// When it was read, seconds since 1970.
    pub read_at: f64,
    /// When it was last known to be as it was read.
    pub checked_at: f64,
    /// Seconds that reading took.
    pub cost_s: f64,
    /// What the files looked like; `None`: too many to look at.
    pub fingerprint: Option<u64>,
    /// What became of runs whose state is for ever: running, finished, stalled, failed, unknown.
    pub settled: [u64; 5],
    /// Of each run that may still stall or grow old by itself: a state and until when, in order of time.
    pub moving: Vec<Vec<(u8, f64)>>,
    /// The worst open alert of runs that are alive or were lately.
    pub worst: Option<Worst>,
    /// Further open alerts of those.
    pub more_alerts: u64,
    /// The run that was written last.
    pub newest: Option<Newest>,
}

/// One alert.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Worst {
    /// `info`, `warn`, `critical`.
    pub severity: String,
    /// The rule.
    pub rule: String,
    /// The run's name.
    pub run: String,
}

/// One run's loss.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Newest {
    /// The run's name.
    pub run: String,
    /// The writer's name of the loss.
    pub tag: Option<String>,
    /// Its last value; `None` where there is none, or where it is not finite.
    pub loss: Option<f64>,
    /// The last value is NaN or infinite.
    pub broken: bool,
    /// -1, 0, 1: falling, flat, rising; `None` with too few points.
    pub trend: Option<i8>,
}

const STATES: [RunState; 5] =
    [RunState::Running, RunState::Finished, RunState::Stalled, RunState::Failed, RunState::Unknown];

fn number(state: RunState) -> u8 {
    STATES.iter().position(|s| *s == state).unwrap_or_default() as u8
}

impl Glance {
    /// What `session` shows, which was read at `now`.
    pub fn of(session: &Session, now: WallTime, stale_after_s: f64) -> Self {
        let mut glance = Self {
            version: (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
            read_at: now.0,
            checked_at: now.0,
            cost_s: 0.0,
            fingerprint: None,
            settled: [0; 5],
            moving: Vec::new(),
            worst: None,
            more_alerts: 0,
            newest: None,
        };
        let mut worst: Option<(Severity, &Run, &'static str)> = None;
        let mut alerts = 0_u64;
        let mut newest: Option<(f64, &Run)> = None;
        for run in session.store.runs() {
            let state = run_state(run, &session.health, now, stale_after_s);
            glance.add_state(run, session, state, now, stale_after_s);
            let written = last_written(run, session);
            if written > newest.map_or(f64::NEG_INFINITY, |(at, _)| at) {
                newest = Some((written, run));
            }
            let alive = matches!(state, RunState::Running | RunState::Stalled);
            if !alive && now.0 - written > stale_after_s {
                continue;
            }
            for alert in session.alerts.of_run(run.id()) {
                if alert.is_open() && !alert.is_quiet() && alert.caused_by.is_none() {
                    alerts += 1;
                    if worst.is_none_or(|(severity, ..)| alert.severity > severity) {
                        worst = Some((alert.severity, run, alert.rule));
                    }
                }
            }
        }
        glance.more_alerts = alerts.saturating_sub(1);
        glance.worst = worst.map(|(severity, run, rule)| Worst {
            severity: severity.name().to_owned(),
            rule: rule.to_owned(),
            run: run.title().to_owned(),
        });
        glance.newest = newest.map(|(_, run)| newest_run(run));
        glance
    }

    fn add_state(
        &mut self,
        run: &Run,
        session: &Session,
        state: RunState,
        now: WallTime,
        stale_after_s: f64,
    ) {
        if !matches!(state, RunState::Running | RunState::Stalled) {
            if let Some(count) = self.settled.get_mut(usize::from(number(state))) {
                *count += 1;
            }
            return;
        }
        let at = |seconds: f64| run_state(run, &session.health, WallTime(now.0 + seconds), stale_after_s);
        self.moving.push(timeline(now.0, stale_after_s, at));
    }

    /// How many runs are in each state at `now`: running, finished, stalled, failed, unknown.
    pub fn states(&self, now: f64) -> [u64; 5] {
        let mut counts = self.settled;
        for run in &self.moving {
            if let Some(count) = counts.get_mut(usize::from(state_at(run, now))) {
                *count += 1;
            }
        }
        counts
    }

    /// Some run has come to stand still since it was read: only reading again tells what is said of that.
    pub fn has_stalled_since(&self, now: f64) -> bool {
        let stalled = number(RunState::Stalled);
        self.moving.iter().any(|run| state_at(run, now) == stalled && state_at(run, self.read_at) != stalled)
    }
}

fn state_at(timeline: &[(u8, f64)], now: f64) -> u8 {
    let last = timeline.last().map_or(4, |(state, _)| *state);
    timeline.iter().find(|(_, until)| now < *until).map_or(last, |(state, _)| *state)
}

/// The states that a run goes through if nothing is written any more, each with its end.
fn timeline(now: f64, stale_after_s: f64, at: impl Fn(f64) -> RunState) -> Vec<(u8, f64)> {
    let mut all = Vec::new();
    let (mut from, mut state) = (0.0, at(0.0));
    let mut step = 30.0;
    while from <= 2.0 * stale_after_s {
        let to = from + step;
        let next = at(to);
        if next == state {
            from = to;
            step *= 1.3;
        } else {
            let (mut low, mut high) = (from, to);
            while high - low > 1.0 {
                let middle = f64::midpoint(low, high);
                if at(middle) == state { low = middle } else { high = middle }
            }
            all.push((number(state), now + high));
            state = at(high);
            from = high;
        }
    }
    all.push((number(state), f64::MAX));
    all
}

fn last_written(run: &Run, session: &Session) -> f64 {
    let files = session.health.files_of(run.id()).filter(|f| !f.side);
    let modified = files.filter_map(|f| f.modified.known()).fold(f64::NEG_INFINITY, f64::max);
    // A copied file is as new as it likes, and some logs get their times from whoever reads them.
    match run.last_wall().known() {
        Some(logged) if modified.is_finite() => logged.min(modified),
        Some(logged) => logged,
        None => modified,
    }
}

fn newest_run(run: &Run) -> Newest {
    let loss = tags::main_loss(run).and_then(|key| run.series_of(&key));
    let last = loss.and_then(|series| series.summary().last).map(|point| point.value);
    Newest {
        run: run.title().to_owned(),
        tag: loss.map(|series| series.key().label()),
        loss: last.filter(|value| value.is_finite()),
        broken: last.is_some_and(|value| !value.is_finite()),
        trend: loss.and_then(trend),
    }
}

/// The mean of the last quarter of the points, compared with that of the quarter before.
fn trend(series: &Series) -> Option<i8> {
    let buckets = series.buckets(None);
    let quarter = buckets.len() / 4;
    if quarter == 0 {
        return None;
    }
    let mean = |from: usize, to: usize| {
        let part = buckets.get(from..to)?;
        let points: u64 = part.iter().map(|b| b.finite).sum();
        (points > 0).then(|| part.iter().map(|b| b.sum).sum::<f64>() / points as f64)
    };
    let end = buckets.len();
    let (before, now) = (mean(end - 2 * quarter, end - quarter)?, mean(end - quarter, end)?);
    let change = now - before;
    if !change.is_finite() {
        return None;
    }
    let limit = FLAT * before.abs().max(now.abs());
    Some(if change > limit {
        1
    } else if change < -limit {
        -1
    } else {
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_says_when_a_run_stalls_and_when_it_is_old() {
        let state = |s: f64| match s {
            s if s < 1800.0 => RunState::Running,
            s if s < 86_000.0 => RunState::Stalled,
            _ => RunState::Unknown,
        };
        let line = timeline(1000.0, 86_400.0, state);
        assert_eq!(line.len(), 3, "{line:?}");
        assert!((line[0].1 - 2800.0).abs() <= 1.0 && (line[1].1 - 87_000.0).abs() <= 1.0, "{line:?}");
        let states = [1000.0, 2700.0, 2900.0, 90_000.0, 1e12].map(|now| state_at(&line, now));
        assert_eq!(states, [0, 0, 2, 4, 4]);
    }
}
