//! The step of a line that says its epoch, told from a progress bar that lags behind.
//!
//! tqdm redraws at most every 0.1 s: a bar that stands before a line shows a step that was, and never one to come. How
//! many steps an epoch has is the most that was seen of their ratio; where the epoch is printed finely enough, it then
//! tells the step itself.

use super::State;
use crate::{formats::wire::numbers::integer, model::Step};

/// A step told from an epoch is believed when it is off by less than this.
const TOLERANCE: f64 = 0.4;

/// The step at `epoch`, which is printed with an error of up to `rounding`, where the bar shows `done`.
pub(super) fn step_of(done: Step, epoch: f64, rounding: f64, state: &mut State) -> Step {
    learn(done, epoch, rounding, state);
    let (Some(per_epoch), error) = (state.epochs_total, f64::from_bits(state.count)) else { return done };
    let step = (epoch * per_epoch).round();
    let off = per_epoch * rounding + epoch * error;
    match integer(step) {
        Some(step) if off < TOLERANCE && step >= done => step,
        _ => done,
    }
}

/// Keeps the steps of an epoch, with their error as bits: the largest for certain, of those the best known.
fn learn(done: Step, epoch: f64, rounding: f64, state: &mut State) {
    let per_epoch = done as f64 / epoch;
    let error = per_epoch * rounding / epoch;
    if !(per_epoch.is_finite() && error.is_finite() && done > 0 && epoch > 0.0) {
        return;
    }
    let better = state.epochs_total.is_none_or(|known| {
        let known_error = f64::from_bits(state.count);
        let above = per_epoch - error > known + known_error;
        let the_same = per_epoch + error >= known - known_error;
        above || (the_same && error < known_error)
    });
    if better {
        state.epochs_total = Some(per_epoch);
        state.count = error.to_bits();
    }
}

/// Another training begins.
pub(super) fn forget(state: &mut State) {
    state.epochs_total = None;
    state.count = 0;
}

/// By how much an epoch may be off as it is printed: transformers 5 quotes four digits that count, 4 rounds to two
/// decimals, or not at all.
pub(super) fn rounding(text: &str, quoted: bool, epoch: f64) -> f64 {
    if quoted {
        return 0.5 * 10_f64.powf(epoch.abs().max(1e-9).log10().floor() - 3.0);
    }
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals <= 2 { 0.005 } else { 1e-4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &[(Step, f64)], rounding: f64) -> Vec<Step> {
        let mut state = State::default();
        lines.iter().map(|(done, epoch)| step_of(*done, *epoch, rounding, &mut state)).collect()
    }

    #[test]
    fn a_bar_that_lags_behind_is_put_right_by_the_epoch() {
        let lines = [(5, 0.125), (9, 0.25), (15, 0.375), (19, 0.5), (198, 5.0)];
        assert_eq!(steps(&lines, 0.000_05), [5, 10, 15, 20, 200]);
        let lines = [(4, 0.125), (10, 0.25), (14, 0.375)];
        assert_eq!(steps(&lines, 0.000_05), [4, 10, 15], "also where the first one lags");
    }

    #[test]
    fn an_epoch_that_is_printed_too_coarsely_changes_nothing() {
        assert_eq!(steps(&[(100, 0.01), (190, 0.02), (300, 0.03)], 0.005), [100, 190, 300]);
        assert_eq!(steps(&[(0, 0.0), (10, f64::NAN), (20, -1.0), (30, f64::INFINITY)], 0.1), [0, 10, 20, 30]);
    }

    #[test]
    fn epochs_are_as_fine_as_they_are_printed() {
        for (text, quoted, epoch, fine) in
            [("1", true, 1.0, 0.0005), ("0.2273", true, 0.2273, 0.000_05), ("1.0", false, 1.0, 0.005)]
        {
            assert!((rounding(text, quoted, epoch) - fine).abs() < 1e-9, "{text}");
        }
    }
}
