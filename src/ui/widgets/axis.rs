//! Bounds that stay where they are while data grows, and round numbers to label them with.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::chart::Window;
use crate::ui::{
    numbers,
    text::{columns, put, put_right},
};

/// Values beyond this are drawn at it, so that differences of any two stay finite.
pub const LARGEST: f64 = 1e300;

/// The bounds that an axis grows through, per decade. Each is at least a fifth above the one before: between two of
/// them a chart stands still.
const LADDER: [f64; 10] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];

/// The smallest length of the ladder that holds `span`; 1 for nothing.
pub fn roomy(span: f64) -> f64 {
    if span.is_nan() || span <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(span.log10().floor());
    LADDER.iter().map(|rung| rung * decade).find(|bound| *bound >= span).unwrap_or(decade * 10.0)
}

/// Horizontal bounds for data from `first` to `last`.
///
/// `grows`: leave room on the ladder, but not beyond `planned`. A range that begins near zero begins at zero.
pub fn x_bounds(first: f64, last: f64, grows: bool, planned: Option<f64>) -> (f64, f64) {
    let low = if first >= 0.0 && first <= 0.1 * last { 0.0 } else { first };
    let high = if grows {
        let bound = low + roomy(last - low);
        planned.filter(|p| *p >= last).map_or(bound, |p| bound.min(p))
    } else {
        last
    };
    if high > low { (low, high) } else { (low - 0.5, low + 0.5) }
}

/// A round number near `about`: 1, 2, 2.5 or 5 times a power of ten, not smaller.
pub fn round_step(about: f64) -> f64 {
    if !about.is_finite() || about <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(about.log10().floor());
    [1.0, 2.0, 2.5, 5.0].iter().map(|m| m * decade).find(|s| *s >= about * 0.999_999).unwrap_or(decade * 10.0)
}

/// Vertical bounds around `low…high`, rounded outwards. A range that begins near zero begins at zero.
fn rounded(low: f64, high: f64, log: bool) -> (f64, f64) {
    if log {
        let (low, high) = (low.log10(), high.log10());
        // Parts of decades keep narrow curves from filling a tenth of the chart.
        let grain = match high - low {
            4.0.. => 1.0,
            1.2.. => 0.5,
            _ => 0.25,
        };
        let (a, b) = ((low / grain).floor() * grain, (high / grain).ceil() * grain);
        let b = if b > a { b } else { a + grain };
        return (10_f64.powf(a), 10_f64.powf(b));
    }
    let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
    if high - low <= high.abs().max(low.abs()) * 1e-9 {
        let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        return (low - pad, high + pad);
    }
    let low = if low > 0.0 && low < 0.3 * high { 0.0 } else { low };
    let high = if high < 0.0 && high > 0.3 * low { 0.0 } else { high };
    let step = round_step((high - low) / 4.0);
    ((low / step).floor() * step, (high / step).ceil() * step)
}

/// Vertical bounds that move only when data leaves them or fills less than half of them.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bounds {
    now: Option<(f64, f64, bool)>,
}

impl Bounds {
    /// The bounds to draw data between `low` and `high` in.
    pub fn around(&mut self, low: f64, high: f64, log: bool) -> (f64, f64) {
        if let Some((a, b, was_log)) = self.now
            && was_log == log
            && low >= a
            && high <= b
        {
            let share = if log { (high / low).ln() / (b / a).ln() } else { (high - low) / (b - a) };
            let fresh = rounded(low, high, log);
            let fresh_share =
                if log { (fresh.1 / fresh.0).ln() / (b / a).ln() } else { (fresh.1 - fresh.0) / (b - a) };
            if share >= 0.5 || fresh_share > 0.6 {
                return (a, b);
            }
        }
        let (a, b) = rounded(low, high, log);
        self.now = Some((a, b, log));
        (a, b)
    }
}

/// Round numbers within `low…high`, about `wanted` of them, ascending.
pub fn ticks(low: f64, high: f64, wanted: usize, log: bool) -> Vec<f64> {
    if log {
        let (a, b) = (low.log10().ceil() as i32, high.log10().floor() as i32);
        let decades = (b - a + 1).max(0) as usize;
        if decades >= 2 {
            let every = decades.div_ceil(wanted.max(1)).max(1);
            return (a..=b).step_by(every).map(|e| 10_f64.powi(e)).collect();
        }
    }
    let step = round_step((high - low) / wanted.max(1) as f64);
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).clamp(-1.0, 100.0);
    (0..=count as i64).map(|i| (first + i as f64) * step).filter(|_| count >= 0.0).collect()
}

/// How the numbers of a horizontal axis read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Unit {
    /// A counter.
    Count,
    /// A share of a counter, such as epochs.
    Real,
    /// A duration in seconds.
    Seconds,
    /// Seconds since 1970, shown as time of day; the offset of the local zone is added.
    Time {
        /// Seconds that local time is ahead of UTC.
        utc_offset_s: f64,
    },
}

impl Unit {
    /// One position as text. `span` is the length of the axis.
    pub fn text(self, x: f64, span: f64) -> String {
        match self {
            // Far from zero neighbours would read the same.
            Self::Count if span < 0.7 * x.abs() && x.abs() < 1e6 => format!("{x:.0}"),
            Self::Count if x.abs() < 1e15 => {
                let text = numbers::count(x.abs().round() as u64);
                if x < 0.0 { format!("-{text}") } else { text }
            }
            Self::Count | Self::Real => numbers::value(x),
            Self::Seconds => numbers::duration(x),
            Self::Time { utc_offset_s } if span > 172_800.0 => numbers::date(x + utc_offset_s),
            Self::Time { utc_offset_s } => {
                let clock = numbers::clock(x + utc_offset_s);
                if span > 1_200.0 { clock.get(..5).unwrap_or(&clock).to_owned() } else { clock }
            }
        }
    }

    fn ticks(self, low: f64, high: f64, wanted: usize) -> Vec<f64> {
        let span = high - low;
        if matches!(self, Self::Count | Self::Real) {
            let all = ticks(low, high, wanted, false);
            return if self == Self::Count {
                all.into_iter().filter(|t| t.fract() == 0.0).collect()
            } else {
                all
            };
        }
        let about = span / wanted.max(1) as f64;
        let round = [
            1., 2., 5., 10., 15., 30., 60., 120., 300., 600., 900., 1800., 3600., 7200., 14_400., 21_600.,
            43_200., 86_400.,
        ];
        let step = round
            .into_iter()
            .find(|s| *s >= about)
            .unwrap_or_else(|| round_step(about / 86_400.0) * 86_400.0);
        let offset = if let Self::Time { utc_offset_s } = self { utc_offset_s } else { 0.0 };
        let first = ((low + offset) / step).ceil() * step - offset;
        (0..100).map(|i| first + f64::from(i) * step).take_while(|t| *t <= high).collect()
    }
}

/// Columns that the labels of [`draw_y`] need, with one more to the right of them.
pub fn y_width(window: &Window, height: u16) -> u16 {
    y_ticks(window, height).iter().map(|t| columns(&tick_text(*t, window))).max().map_or(1, |w| w as u16 + 1)
}

fn y_ticks(window: &Window, height: u16) -> Vec<f64> {
    let wanted = usize::from(height / 3).clamp(1, 6);
    ticks(window.y.0, window.y.1, wanted, window.log_y)
}

fn tick_text(v: f64, window: &Window) -> String {
    let span = window.y.1 - window.y.0;
    // A tick that only rounding keeps from zero.
    let v = if !window.log_y && v.abs() < span * 1e-9 { 0.0 } else { v };
    if v != 0.0 && (v.abs() >= 1e5 || v.abs() < 1e-3) {
        return format!("{v:.0e}");
    }
    let text = numbers::value(v);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Writes the labels of the vertical axis so that they end one column before `area` ends.
pub fn draw_y(window: &Window, style: Style, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    for tick in y_ticks(window, area.height) {
        let up = window.up(tick);
        if (-0.001..=1.001).contains(&up) {
            let row = ((1.0 - up) * f64::from(area.height - 1)).round() as u16;
            put_right(
                buffer,
                area.x,
                area.right() - 1,
                area.y + row.min(area.height - 1),
                &tick_text(tick, window),
                style,
            );
        }
    }
}

/// Writes the labels of the horizontal axis into the row `area`, with what is measured at the end.
pub fn draw_x(window: &Window, unit: Unit, name: &str, style: Style, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let span = window.x.1 - window.x.0;
    let wanted = usize::from(area.width / 14).clamp(1, 8);
    let mut free_from = area.x;
    let name_from = if area.width >= 24 && !name.is_empty() {
        put_right(buffer, area.x, area.right(), area.y, &format!(" {name}"), style)
    } else {
        area.right()
    };
    for tick in unit.ticks(window.x.0, window.x.1, wanted) {
        let Some(column) = window.cell(tick, area.width) else { continue };
        let text = unit.text(tick, span);
        let width = columns(&text) as u16;
        let x = (area.x + column).saturating_sub(width / 2).max(area.x);
        if x < free_from || x + width >= name_from {
            continue;
        }
        free_from = put(buffer, x, area.y, &text, width, style) + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_axis_jumps_rarely() {
        let bounds: Vec<f64> = (1..=1000).map(|n| x_bounds(0.0, f64::from(n), true, None).1).collect();
        let mut jumps = bounds.clone();
        jumps.dedup();
        assert!(jumps.len() <= 31, "{}", jumps.len());
        assert!(bounds.iter().zip(1..).all(|(b, n)| *b >= f64::from(n)));
        assert_eq!(x_bounds(0.0, 900.0, true, Some(950.0)), (0.0, 950.0));
        assert_eq!(x_bounds(0.0, 900.0, false, None), (0.0, 900.0));
        assert_eq!(x_bounds(5.0, 5.0, false, None), (4.5, 5.5));
    }

    #[test]
    fn vertical_bounds_hold_still_until_data_leaves_them() {
        let mut bounds = Bounds::default();
        let first = bounds.around(0.1, 2.3, false);
        assert_eq!(first, (0.0, 3.0));
        assert_eq!(bounds.around(0.05, 2.9, false), first);
        assert_eq!(bounds.around(0.05, 3.1, false), (0.0, 4.0));
        assert_eq!(bounds.around(0.05, 0.9, false), (0.0, 1.0));
    }

    #[test]
    fn any_numbers_give_finite_ascending_bounds() {
        for (low, high) in
            [(0.0, 0.0), (-1e308, 1e308), (5.0, 5.0), (1e-300, 2e-300), (-3.0, -3.0), (1e15, 1e15 + 1.0)]
        {
            let (a, b) = Bounds::default().around(low, high, false);
            assert!(a < b && (b - a).is_finite(), "{low} {high}: {a} {b}");
        }
        for (low, high) in [(1e-300, 1e300), (1.0, 1.0), (0.5, 0.6)] {
            let (a, b) = Bounds::default().around(low, high, true);
            assert!(0.0 < a && a < b && a <= low && b >= high, "{low} {high}: {a} {b}");
        }
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 3.0, 4, false), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(ticks(0.01, 100.0, 6, true), [0.01, 0.1, 1.0, 10.0, 100.0]);
        assert!(ticks(1.0, 1.0, 4, false).len() <= 101);
    }
}
