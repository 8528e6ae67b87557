//! Whether a run is running, finished, stalled or simply old, how far it is and when it will end.
//!
//! Times: what this machine saw arriving counts most, then the file's modification time, then the log's own
//! time. A writer's clock may be wrong, a copied file is new without being alive.

use crate::{
    model::{EndStatus, FileHealth, FileState, Health, Step, WallTime},
    store::{Run, Series},
};

use super::running;

/// What a run is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RunState {
    /// Records come at the run's own pace.
    Running,
    /// The log says so, or the planned end is reached.
    Finished,
    /// Silent for much longer than its own pace, not long ago.
    Stalled,
    /// The log says that it broke off.
    Failed,
    /// An older log without an end mark.
    Unknown,
}

impl RunState {
    /// The word in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stalled => "stalled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// How far a run is. `None`: the log does not say.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Progress {
    /// The largest step.
    pub step: Option<Step>,
    /// Planned steps.
    pub steps_total: Option<Step>,
    /// The epoch.
    pub epoch: Option<f64>,
    /// Planned epochs.
    pub epochs_total: Option<f64>,
    /// Seconds to the planned end at the recent pace.
    pub eta_s: Option<f64>,
    /// Seconds between records, the median of the recent ones.
    pub interval_s: Option<f64>,
}

/// The age beyond which a silent run is old instead of stalled, where the user does not say: a day.
pub const STALE_AFTER_S: f64 = 24.0 * 3600.0;

/// A silence up to this is no silence: event files are flushed every 120 s.
pub(crate) const FLUSH_S: f64 = 120.0;
/// Amazon's threshold for a stalled run.
const STALLED_S: f64 = 1800.0;
/// How much later than its modification a record may be seen and still count as having arrived live.
const LIVE_DELAY_S: f64 = 30.0;
/// A run that was not seen alive and has been silent this many times as long as it ever ran is over.
const OVER: f64 = 30.0;
/// Points that speak of the recent pace.
const RECENT: usize = 64;

/// The state of a run at `now`.
pub fn run_state(run: &Run, health: &Health, now: WallTime, stale_after_s: f64) -> RunState {
    match run.end() {
        Some(EndStatus::Finished) => return RunState::Finished,
        Some(EndStatus::Failed) => return RunState::Failed,
        None => {}
    }
    if planned_end_reached(run) {
        return RunState::Finished;
    }
    let Some(silence) = silence(run, health, now) else { return RunState::Unknown };
    if silence.seconds > stale_after_s {
        return RunState::Unknown;
    }
    if silence.seconds <= FLUSH_S {
        return RunState::Running;
    }
    if !silence.live && silence.seconds > OVER * run.last_wall().since(run.first_wall()) {
        return RunState::Unknown;
    }
    match limits(run, &silence) {
        Some(limits) if silence.seconds > limits.stalled => RunState::Stalled,
        Some(_) => RunState::Running,
        // Nothing is known of its pace: say that it runs for as long as any run may be silent, then nothing.
        None if silence.seconds <= STALLED_S => RunState::Running,
        None => RunState::Unknown,
    }
}

/// Step, epoch and the time that is left.
pub fn progress(run: &Run, now: WallTime) -> Progress {
    let info = run.info();
    let step = run.last_step();
    let epoch = run.epoch();
    let epochs_total = run.epochs_total();
    let steps_total = run.steps_total().or_else(|| {
        let steps = info.steps_per_epoch? * epochs_total?;
        (steps.is_finite() && (1.0..9e18).contains(&steps)).then_some(steps as Step)
    });
    let pace = densest(run).and_then(pace);
    let by_steps = || {
        let left = steps_total?.saturating_sub(step?).max(0);
        pace.map(|p| left as f64 * p.seconds_per_step)
    };
    let by_epochs = || {
        let (epoch, total) = (epoch?, epochs_total?);
        let elapsed = run.last_wall().since(run.first_wall());
        (epoch > 0.0 && elapsed > 0.0).then(|| (total - epoch).max(0.0) * elapsed / epoch)
    };
    let since_last = now.since(run.last_wall()).max(0.0);
    let eta_s = by_steps().or_else(by_epochs).filter(|s| s.is_finite());
    // Seconds that have passed since the last record have been worked, up to one interval.
    let worked = pace.map_or(0.0, |p| since_last.min(p.interval_s));
    Progress {
        step,
        steps_total,
        epoch,
        epochs_total,
        eta_s: eta_s.map(|eta| (eta - if worked.is_finite() { worked } else { 0.0 }).max(0.0)),
        interval_s: pace.map(|p| p.interval_s),
    }
}

fn planned_end_reached(run: &Run) -> bool {
    let progress = progress(run, WallTime::UNKNOWN);
    let stride = || densest(run).and_then(pace).map_or(1, |p| p.steps_per_record.ceil() as Step);
    if let (Some(step), Some(total)) = (progress.step, progress.steps_total)
        && total > 0
        && step.saturating_add(stride()) >= total
    {
        return true;
    }
    if let (Some(epoch), Some(total)) = (progress.epoch, progress.epochs_total)
        && epoch >= total
    {
        return true;
    }
    // Hugging Face's trainer writes it when it ends.
    run.series().any(|s| s.key().tag.as_str().ends_with("train_runtime"))
}

/// The log shows that it broke off: a planned end that was not reached, or half a record at the end of a file. A plan
/// in epochs says nothing of a run that does not say its epoch: that it was not reached cannot be known.
pub(crate) fn breaks_off(run: &Run, health: &Health) -> bool {
    let progress = progress(run, WallTime::UNKNOWN);
    let in_epochs = progress.epochs_total.is_some() && progress.epoch.is_some();
    let planned = progress.steps_total.is_some() || in_epochs;
    planned || health.files_of(run.id()).any(|f| !f.side && f.pending_bytes > 0)
}

/// How long nothing has come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Silence {
    /// Seconds.
    pub seconds: f64,
    /// This process saw the last record arrive just after it was written.
    pub live: bool,
}

/// True when the newest records of a file came within half a minute of its modification.
pub(crate) fn arrived_live(file: &FileHealth) -> bool {
    file.modified.known().is_none_or(|m| (file.last_news.0 - m).abs() <= LIVE_DELAY_S)
}

pub(crate) fn silence(run: &Run, health: &Health, now: WallTime) -> Option<Silence> {
    let files: Vec<_> = health
        .files_of(run.id())
        .filter(|f| !f.side && !matches!(f.state, FileState::Gone | FileState::Dead(_)))
        .collect();
    let arrived = files
        .iter()
        .filter(|f| f.live || arrived_live(f))
        .filter_map(|f| f.last_news.known())
        .fold(f64::NAN, f64::max);
    if arrived.is_finite() && files.iter().any(|f| f.modified.known().is_some()) {
        return Some(Silence { seconds: (now.0 - arrived).max(0.0), live: true });
    }
    let logged = run.last_wall().known().filter(|wall| *wall <= now.0);
    // A file from the future of `now` says nothing of the silence: a skewed clock, or a replay.
    let modified =
        files.iter().filter_map(|f| f.modified.known()).filter(|m| *m <= now.0).fold(f64::NAN, f64::max);
    let seconds = match (logged, modified.is_finite()) {
        // A copy is as new as it likes; the log's own time says how old the run is.
        (Some(logged), true) if now.0 - logged > STALE_AFTER_S => now.0 - logged,
        (Some(logged), true) => now.0 - logged.max(modified),
        (Some(logged), false) => now.0 - logged,
        (None, true) => now.0 - modified,
        (None, false) if arrived.is_finite() => now.0 - arrived,
        (None, false) => return None,
    };
    seconds.is_finite().then_some(Silence { seconds: seconds.max(0.0), live: false })
}

/// When a silence is worth a word, and when the run counts as stalled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Limits {
    /// Seconds for info.
    pub late: f64,
    /// Seconds for critical.
    pub stalled: f64,
    /// The run's usual seconds between records, if they are known.
    pub interval: Option<f64>,
}

/// `None` when nothing is known of the run's pace and it was not seen alive.
pub(crate) fn limits(run: &Run, silence: &Silence) -> Option<Limits> {
    match densest(run).and_then(pace) {
        Some(pace) => {
            let phase = 3.0 * pace.longest_s;
            let late = (10.0 * pace.interval_s).max(phase).max(FLUSH_S);
            let stalled = (30.0 * pace.interval_s).max(phase).max(STALLED_S);
            Some(Limits { late: late.min(stalled), stalled, interval: Some(pace.interval_s) })
        }
        None if silence.live => Some(Limits { late: STALLED_S, stalled: STALLED_S, interval: None }),
        None => None,
    }
}

/// The pace at which records come.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pace {
    /// Median seconds between records.
    interval_s: f64,
    /// The longest gap that is remembered: evaluations, checkpoints.
    longest_s: f64,
    seconds_per_step: f64,
    steps_per_record: f64,
}

fn densest(run: &Run) -> Option<&Series> {
    run.series().max_by_key(|s| s.summary().points)
}

fn pace(series: &Series) -> Option<Pace> {
    if series.summary().points < 3 {
        return None;
    }
    let buckets = series.buckets(None);
    let recent = &buckets[buckets.len().saturating_sub(RECENT + 1)..];
    let (mut gaps, mut rates, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for pair in recent.windows(2) {
        let seconds = pair[1].last.wall - pair[0].last.wall;
        let steps = pair[1].last.step as f64 - pair[0].last.step as f64;
        let records = (pair[1].finite + pair[1].non_finite).max(1) as f64;
        if seconds > 0.0 && steps > 0.0 {
            gaps.push(seconds / records);
            rates.push(seconds / steps);
            strides.push(steps / records);
        }
    }
    let longest_s = buckets
        .windows(2)
        .map(|pair| pair[1].first.wall - pair[0].last.wall)
        .filter(|gap| gap.is_finite())
        .fold(0.0, f64::max);
    Some(Pace {
        interval_s: running::median(&mut gaps)?,
        longest_s,
        seconds_per_step: running::median(&mut rates)?,
        steps_per_record: running::median(&mut strides)?,
    })
}
