//! Hours in which only what is critical may disturb: `22:00-07:00`, local time.

use std::str::FromStr;

const DAY_MINUTES: u16 = 24 * 60;

/// A stretch of each day, from its first minute up to, not including, its last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuietHours {
    /// Minutes after midnight.
    from: u16,
    /// Minutes after midnight; before `from` where midnight lies in between.
    to: u16,
}

impl QuietHours {
    /// Whether a minute of the day, local time, is quiet.
    pub fn contains(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` are no hours; write them like 22:00-07:00");
        let minute = |part: &str| {
            let (hours, minutes) = part.trim().split_once(':').unwrap_or((part.trim(), "0"));
            let whole = |text: &str, most: u16| text.parse::<u16>().ok().filter(|n| *n <= most);
            Some(whole(hours, 24)? * 60 + whole(minutes, 59)?).filter(|m| *m <= DAY_MINUTES)
        };
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        if from == to {
            return Err(format!("`{text}` begin and end at once; write them like 22:00-07:00"));
        }
        Ok(Self { from, to })
    }
}

/// The minute of the day at `local_seconds` after 1970, local time.
pub fn minute_of_day(local_seconds: f64) -> u16 {
    (local_seconds.rem_euclid(f64::from(DAY_MINUTES) * 60.0) / 60.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_goes_over_midnight_and_a_nap_does_not() {
        let night: QuietHours = "22:00-07:00".parse().unwrap();
        let nap: QuietHours = "13-14:30".parse().unwrap();
        for (hours, at_night, at_noon) in
            [(21.99, false, false), (22.0, true, false), (0.0, true, false), (6.99, true, false)]
        {
            let minute = minute_of_day(86_400.0 * 20_000.0 + hours * 3600.0);
            assert_eq!((night.contains(minute), nap.contains(minute)), (at_night, at_noon), "{hours}");
        }
        assert!(!night.contains(7 * 60) && nap.contains(14 * 60 + 29) && !nap.contains(14 * 60 + 30));
        for bad in ["", "22:00", "22:00-22:00", "25:00-01:00", "22:60-07:00", "a-b"] {
            assert!(bad.parse::<QuietHours>().is_err(), "{bad}");
        }
    }
}
