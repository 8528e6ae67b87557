//! How often a channel may disturb, and when: the limit an hour and the quiet hours. What is held back is kept and
//! later told of in one message.

use std::time::Duration;

use super::{
    notice::{Message, Notice, Why},
    quiet_hours::QuietHours,
};
use crate::detect::Severity;

/// Alerts that are held back one by one; beyond them only their number is kept.
const HELD: usize = 1000;

/// The time, as pacing needs it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moment {
    /// Of the stop-watch.
    pub elapsed: Duration,
    /// Local minute of the day.
    pub minute: u16,
}

/// The pace of one channel.
///
/// A bucket of tokens: half of the hour's messages may go at once, the other half comes back over the hour. So no
/// hour has more than the limit, and what was held back waits for minutes, not for an hour.
#[derive(Debug)]
pub struct Pacing {
    /// Messages an hour; `None`: as many as there are.
    limit: Option<f64>,
    quiet: Option<QuietHours>,
    tokens: f64,
    filled: Duration,
    /// Too many for now.
    late: Held,
    /// Of the quiet hours.
    until_morning: Held,
}

#[derive(Debug, Default)]
struct Held {
    notices: Vec<Notice>,
    more: u64,
}

impl Held {
    /// False if only the number is kept.
    fn add(&mut self, notice: Notice) -> bool {
        let room = self.notices.len() < HELD;
        if room {
            self.notices.push(notice);
        } else {
            self.more += 1;
        }
        room
    }

    fn count(&self) -> u64 {
        self.notices.len() as u64 + self.more
    }
}

/// What is to be done with an alert.
#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    /// Tell of it now.
    Now(Box<Notice>),
    /// It is kept.
    Held,
    /// Only its number is kept: it will not come up again.
    Counted(Box<Notice>),
}

impl Pacing {
    /// At most `limit` messages an hour (0: no limit), none but critical ones in the quiet hours.
    pub fn new(limit: u32, quiet: Option<QuietHours>) -> Self {
        let limit = (limit > 0).then(|| f64::from(limit));
        Self {
            limit,
            quiet,
            tokens: limit.map_or(0.0, burst),
            filled: Duration::ZERO,
            late: Held::default(),
            until_morning: Held::default(),
        }
    }

    /// What to do with an alert at this moment.
    pub fn offer(&mut self, notice: Notice, at: Moment) -> Turn {
        let held = if self.is_quiet(at) && notice.severity < Severity::Critical {
            &mut self.until_morning
        } else if self.late.count() == 0 && self.take(at) {
            return Turn::Now(Box::new(notice));
        } else {
            &mut self.late
        };
        let copy = (held.notices.len() >= HELD).then(|| notice.clone());
        held.add(notice);
        copy.map_or(Turn::Held, |notice| Turn::Counted(Box::new(notice)))
    }

    /// Which of several that are told of in one message may be told of now; the others are held.
    pub fn admit(&mut self, notices: Vec<Notice>, at: Moment) -> Vec<Notice> {
        let quiet = self.is_quiet(at);
        let (now, later): (Vec<_>, Vec<_>) =
            notices.into_iter().partition(|n| !quiet || n.severity == Severity::Critical);
        for notice in later {
            self.until_morning.add(notice);
        }
        if now.is_empty() || self.take(at) {
            return now;
        }
        for notice in now {
            self.late.add(notice);
        }
        Vec::new()
    }

    /// What was held back and may be told of now, as one message.
    pub fn due(&mut self, at: Moment) -> Option<Message> {
        let morning = !self.is_quiet(at);
        let waiting = self.late.count() + if morning { self.until_morning.count() } else { 0 };
        if waiting == 0 || !self.take(at) {
            return None;
        }
        self.release(morning)
    }

    /// What was held back because there was too much, whatever the limit says: nobody will come to tell it later.
    pub fn last_words(&mut self, at: Moment) -> Option<Message> {
        let morning = !self.is_quiet(at);
        self.release(morning)
    }

    /// Alerts that are held back.
    pub fn held(&self) -> u64 {
        self.late.count() + self.until_morning.count()
    }

    fn release(&mut self, morning: bool) -> Option<Message> {
        let mut held = std::mem::take(&mut self.late);
        if morning {
            let night = std::mem::take(&mut self.until_morning);
            held.notices.extend(night.notices);
            held.more += night.more;
        }
        Message::many(Why::Held, held.notices, held.more)
    }

    fn is_quiet(&self, at: Moment) -> bool {
        self.quiet.is_some_and(|quiet| quiet.contains(at.minute))
    }

    fn take(&mut self, at: Moment) -> bool {
        let Some(limit) = self.limit else { return true };
        let hours = at.elapsed.saturating_sub(self.filled).as_secs_f64() / 3600.0;
        self.filled = self.filled.max(at.elapsed);
        self.tokens = (self.tokens + hours * limit / 2.0).min(burst(limit));
        // A token that lacks a billionth because of rounding is one.
        let may = self.tokens >= 1.0 - 1e-9;
        if may {
            self.tokens -= 1.0;
        }
        may
    }
}

/// Messages that may go at once.
fn burst(limit: f64) -> f64 {
    (limit / 2.0).floor().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::{super::notice::tests::notice, *};

    fn at(minutes: u64, minute: u16) -> Moment {
        Moment { elapsed: Duration::from_mins(minutes), minute }
    }

    fn warn() -> Notice {
        notice("a", "divergence", Severity::Warn)
    }

    #[test]
    fn a_thousand_at_once_are_ten_messages_and_a_sum_and_none_is_lost() {
        let mut pacing = Pacing::new(20, None);
        let mut now = 0;
        let mut counted = 0;
        for _ in 0..3000 {
            match pacing.offer(warn(), at(0, 0)) {
                Turn::Now(_) => now += 1,
                Turn::Held => {}
                Turn::Counted(_) => counted += 1,
            }
        }
        assert_eq!((now, pacing.held(), counted), (10, 2990, 1990));
        assert_eq!(pacing.due(at(5, 0)), None);
        let sum = pacing.due(at(6, 0)).unwrap();
        assert_eq!((sum.count(), pacing.held()), (2990, 0));
        assert!(sum.headline().starts_with("2990 more alerts: 1000 divergence in 1 run and 1990 others"));
    }

    #[test]
    fn no_hour_has_more_messages_than_the_limit() {
        for limit in [1, 2, 3, 20] {
            let mut pacing = Pacing::new(limit, None);
            let mut sent: Vec<u64> = Vec::new();
            for minute in 0..600 {
                let first = matches!(pacing.offer(warn(), at(minute, 0)), Turn::Now(_));
                if first || pacing.due(at(minute, 0)).is_some() {
                    sent.push(minute);
                }
            }
            for from in 0..540 {
                let inside = sent.iter().filter(|m| (from..from + 60).contains(*m)).count();
                assert!(inside <= limit as usize, "{inside} in the hour from {from} with {limit}");
            }
            assert!(sent.len() >= (limit as usize * 10) / 2, "{} with {limit}", sent.len());
        }
        let mut free = Pacing::new(0, None);
        assert!((0..1000).all(|_| matches!(free.offer(warn(), at(0, 0)), Turn::Now(_))));
    }

    #[test]
    fn at_night_a_warning_waits_and_what_is_critical_does_not() {
        let mut pacing = Pacing::new(20, "22:00-07:00".parse().ok());
        assert_eq!(pacing.offer(warn(), at(0, 23 * 60)), Turn::Held);
        assert_eq!(pacing.offer(warn(), at(1, 23 * 60 + 1)), Turn::Held);
        let critical = notice("a", "nan", Severity::Critical);
        assert!(matches!(pacing.offer(critical.clone(), at(2, 23 * 60 + 2)), Turn::Now(_)));
        assert_eq!(pacing.due(at(60, 0)), None);
        assert_eq!(pacing.admit(vec![warn(), critical], at(61, 1)).len(), 1);
        assert_eq!(pacing.due(at(8 * 60, 7 * 60)).unwrap().count(), 3);
        assert_eq!(pacing.held(), 0);
    }
}
