//! Where a loss is going: a power law through its last part, its band, and when it gets there.
//!
//! y = a + b · (s + c)^−p, fitted by least squares for a and b over a grid of p and c on points that are evenly spaced in
//! log s (learning curves follow power laws over most of a training; Hestness et al. 2017). The band comes from fits to
//! resampled residuals. A schedule that will still lower the learning rate makes any such fit wrong (much of the gain of
//! a cosine or of warm-up-stable-decay comes at its end), so then there is none.

use crate::{
    model::{Goal, SeriesKey, Step},
    store::{Run, Series},
};

use super::{
    running,
    tags::{self, Role, Split},
};

/// Points that a fit needs.
const NEEDED: usize = 20;
/// Points that a fit uses at most.
const USED: usize = 48;
/// The part of the run so far that is fitted.
const PART: f64 = 0.7;
/// Exponents that are tried.
const EXPONENTS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5];
/// Offsets that are tried, as shares of the step now.
const OFFSETS: &[f64] = &[0.0, 0.01, 0.05, 0.2];
/// Fits to resampled residuals for the band.
const DRAWS: usize = 64;
/// The band holds this share: 80 %.
const BAND: (f64, f64) = (0.1, 0.9);
/// A learning rate that changed within this share of the run is still being changed.
const RATE_SETTLED: f64 = 0.1;
/// How close to its end a loss counts as there.
const NEAR_END: f64 = 0.01;

/// Where a series is expected to be at the planned end.
#[derive(Clone, PartialEq, Debug)]
pub struct Forecast {
    /// The series.
    pub series: SeriesKey,
    /// The planned last step.
    pub at_step: Step,
    /// The value there.
    pub value: f64,
    /// 80 % band of it.
    pub low: f64,
    /// Upper end of the band.
    pub high: f64,
    /// The level that it approaches, without end.
    pub asymptote: f64,
    /// The step at which 1 % of what is left above the asymptote, or less, separates it from it; `None` beyond ten times
    /// the run so far.
    pub there_at: Option<Step>,
}

/// Why there is no forecast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// No loss whose goal is known.
    NoLoss,
    /// Fewer than 20 points.
    TooFew,
    /// The log does not tell the planned end.
    NoEnd,
    /// The planned end is reached.
    AtEnd,
    /// The learning rate has changed lately or will.
    RateChanges,
    /// It does not fall like a power law.
    NotFalling,
}

impl Refusal {
    /// One clause.
    pub fn why(self) -> &'static str {
        match self {
            Self::NoLoss => "no loss is known by its name",
            Self::TooFew => "fewer than 20 points",
            Self::NoEnd => "the log does not tell the planned end",
            Self::AtEnd => "the planned end is reached",
            Self::RateChanges => "the learning rate still changes, which moves the loss more than its trend",
            Self::NotFalling => "the loss does not fall like a power law",
        }
    }
}

/// The power law that fits best.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Law {
    a: f64,
    b: f64,
    c: f64,
    p: f64,
}

impl Law {
    fn at(&self, step: f64) -> f64 {
        self.a + self.b * (step + self.c).powf(-self.p)
    }

    /// The step at which it comes to `value`, if ever.
    fn reaches(&self, value: f64) -> Option<f64> {
        let share = (value - self.a) / self.b;
        (share > 0.0).then(|| share.powf(-1.0 / self.p) - self.c).filter(|s| s.is_finite())
    }
}

/// The forecast of a run's main loss.
///
/// # Errors
/// Why there is none.
pub fn of_run(run: &Run) -> Result<Forecast, Refusal> {
    let Fitted { series, law, points, now } = fitted(run)?;
    let total = run.steps_total().filter(|t| *t > 0).ok_or(Refusal::NoEnd)?;
    if now >= total as f64 {
        return Err(Refusal::AtEnd);
    }
    let value = law.at(total as f64);
    let (low, high) = band(series, &law, &points, total as f64);
    let rest = law.at(now) - law.a;
    let there = law.reaches(law.a + NEAR_END.max(f64::MIN_POSITIVE) * rest.max(law.a.abs()));
    Ok(Forecast {
        series: series.key().clone(),
        at_step: total,
        value,
        low: low.min(value),
        high: high.max(value),
        asymptote: law.a,
        there_at: there.filter(|s| *s <= 10.0 * now).map(|s| s.max(now) as Step),
    })
}

/// The step at which the run's main loss is expected to come to `target`: `None` if its trend never does.
///
/// # Errors
/// Why there is no trend.
pub fn reaches(run: &Run, target: f64) -> Result<Option<Step>, Refusal> {
    let Fitted { law, now, .. } = fitted(run)?;
    Ok(law.reaches(target).filter(|s| *s <= 1e3 * now).map(|s| s.max(now) as Step))
}

/// A law, and what it was fitted to.
struct Fitted<'a> {
    series: &'a Series,
    law: Law,
    points: Vec<(f64, f64)>,
    now: f64,
}

fn fitted(run: &Run) -> Result<Fitted<'_>, Refusal> {
    let series = main_series(run).ok_or(Refusal::NoLoss)?;
    let points = spaced(series);
    if points.len() < NEEDED {
        return Err(Refusal::TooFew);
    }
    let now = points[points.len() - 1].0;
    if rate_changes(run, now) {
        return Err(Refusal::RateChanges);
    }
    let law = fit(&points, now).ok_or(Refusal::NotFalling)?;
    Ok(Fitted { series, law, points, now })
}

/// Validation loss before training loss.
fn main_series(run: &Run) -> Option<&Series> {
    let (key, goal) = tags::main_metric(run)?;
    let is_loss = |key: &SeriesKey| tags::class_of(key, run).role == Role::Loss;
    if goal == Goal::Min && is_loss(&key) {
        return run.series_of(&key);
    }
    tags::main_loss(run).filter(is_loss).and_then(|key| run.series_of(&key))
}

/// Points of the last part of a series, evenly spaced in the logarithm of the step, each the median of what lies there.
fn spaced(series: &Series) -> Vec<(f64, f64)> {
    let buckets = series.buckets(None);
    let Some(last) = buckets.last().map(|b| b.last.step as f64).filter(|s| *s > 0.0) else {
        return Vec::new();
    };
    let points: Vec<(f64, f64)> = buckets
        .iter()
        .filter_map(|b| Some((b.last.step as f64, b.mean()?)))
        .filter(|(s, v)| *s >= (1.0 - PART) * last && v.is_finite())
        .collect();
    let Some(first) = points.first().map(|p| p.0.max(1.0)) else { return Vec::new() };
    if points.len() <= USED {
        return points;
    }
    let place = |step: f64| ((step.max(1.0) / first).ln() / (last / first).ln() * USED as f64) as usize;
    let mut groups: Vec<Vec<(f64, f64)>> = vec![Vec::new(); USED];
    for (step, value) in points {
        groups[place(step).min(USED - 1)].push((step, value));
    }
    groups
        .into_iter()
        .filter(|g| !g.is_empty())
        .filter_map(|g| {
            let values: Vec<f64> = g.iter().map(|p| p.1).collect();
            let step = g.iter().map(|p| p.0).sum::<f64>() / g.len() as f64;
            Some((step, running::median_of(&values)?))
        })
        .collect()
}

/// True while a learning rate that the log tells has moved by a fifth within the last tenth of the run.
fn rate_changes(run: &Run, now: f64) -> bool {
    run.series()
        .filter(|s| {
            let class = tags::class_of(s.key(), run);
            class.role == Role::LearningRate && class.split != Split::Val
        })
        .any(|series| {
            let rate = |step: f64| series.value_at(step as Step).and_then(|b| b.mean());
            match (rate(now), rate((1.0 - RATE_SETTLED) * now)) {
                (Some(a), Some(b)) if a > 0.0 && b > 0.0 => (a / b).max(b / a) > 1.02,
                _ => false,
            }
        })
}

fn fit(points: &[(f64, f64)], now: f64) -> Option<Law> {
    let mut best: Option<(f64, Law)> = None;
    for p in EXPONENTS {
        for share in OFFSETS {
            let c = share * now;
            let Some((a, b)) = line(points.iter().map(|(s, v)| ((s + c).powf(-p), *v))) else { continue };
            let law = Law { a, b, c, p: *p };
            let error: f64 = points.iter().map(|(s, v)| (law.at(*s) - v).powi(2)).sum();
            if b > 0.0 && best.is_none_or(|(least, _)| error < least) {
                best = Some((error, law));
            }
        }
    }
    best.map(|(_, law)| law)
}

/// Least squares: intercept and slope.
fn line(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<(f64, f64)> {
    let n = points.clone().count() as f64;
    let (sx, sy) = points.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mx, my) = (sx / n, sy / n);
    let (xx, xy) = points.fold((0.0, 0.0), |(a, b), (x, y)| (a + (x - mx).powi(2), b + (x - mx) * (y - my)));
    let slope = xy / xx;
    slope.is_finite().then_some((my - slope * mx, slope))
}

/// 80 % of the values at `step` of laws fitted to the curve with its residuals dealt anew.
fn band(series: &Series, law: &Law, points: &[(f64, f64)], step: f64) -> (f64, f64) {
    let residuals: Vec<f64> = points.iter().map(|(s, v)| v - law.at(*s)).collect();
    let now = points.last().map_or(1.0, |p| p.0);
    // The same draws for the same curve: a picture must not change while the log stands still.
    let mut state = series.summary().points.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        residuals[(state % residuals.len() as u64) as usize]
    };
    let ends: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let dealt: Vec<(f64, f64)> = points.iter().map(|(s, _)| (*s, law.at(*s) + draw())).collect();
            fit(&dealt, now).map(|law| law.at(step))
        })
        .collect();
    (
        running::quantile(&ends, BAND.0).unwrap_or(f64::NEG_INFINITY),
        running::quantile(&ends, BAND.1).unwrap_or(f64::INFINITY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_again() {
        let truth = Law { a: 1.7, b: 9.0, c: 0.0, p: 0.5 };
        let points: Vec<(f64, f64)> =
            (1..=40).map(|i| f64::from(i) * 50.0).map(|s| (s, truth.at(s))).collect();
        let law = fit(&points, 2000.0).unwrap();
        assert!((law.at(10_000.0) - truth.at(10_000.0)).abs() < 1e-6, "{law:?}");
        let at = law.reaches(truth.at(5000.0)).unwrap();
        assert!((at - 5000.0).abs() < 1.0, "{at}");
        assert_eq!(law.reaches(1.0), None);
    }

    #[test]
    fn a_rising_curve_has_no_law() {
        let points: Vec<(f64, f64)> = (1..=40).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(fit(&points, 40.0), None);
    }
}
