//! The real clock. The only place that asks the operating system for the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Clock, WallTime};

/// The operating system's clock, or a fixed time of day (`--now`) with a running stop-watch.
#[derive(Debug)]
pub struct RealClock {
    started: Instant,
    fixed: Option<WallTime>,
}

impl RealClock {
    /// A clock whose [`Clock::now`] always says `fixed` if that is given.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else is handed")]
    pub fn new(fixed: Option<WallTime>) -> Self {
        Self { started: Instant::now(), fixed }
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else is handed")]
    fn now(&self) -> WallTime {
        self.fixed.unwrap_or_else(|| {
            // A system clock before 1970 is set wrongly; times are then relative to 1970 all the same.
            let now = SystemTime::now();
            WallTime(match now.duration_since(UNIX_EPOCH) {
                Ok(after) => after.as_secs_f64(),
                Err(before) => -before.duration().as_secs_f64(),
            })
        })
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_time_of_day_leaves_the_stop_watch_running() {
        let clock = RealClock::new(Some(WallTime(5.0)));
        let before = clock.elapsed();
        assert_eq!(clock.now(), WallTime(5.0));
        assert!(clock.elapsed() >= before);
        assert!(RealClock::new(None).now().0 > 1.7e9);
    }
}
