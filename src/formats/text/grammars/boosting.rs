//! Evaluation lines of gradient boosting: `XGBoost`, `LightGBM`, `CatBoost`.

use super::{
    Grammar, Line, State,
    pairs::{bracket, counter, whole},
};

/// `XGBoost` and `LightGBM`: the round in brackets, then a tab before each metric.
pub(super) struct Boosting;

impl Grammar for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn summary(&self) -> &'static str {
        "XGBoost `[0]\ttrain-mlogloss:1.22`, LightGBM `[1]\ttrain's l2: 0.5`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with('[') && line.contains("]\t")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((round, metrics)) = bracket(line) else { return false };
        let Some(round) = counter(round).filter(|_| metrics.starts_with('\t')) else { return false };
        out.step = Some(round);
        let mut columns = 0;
        for column in metrics.split('\t').skip(1) {
            columns += 1;
            let Some((name, value)) = column.rsplit_once(':') else { return false };
            metric(name, value.trim(), out);
        }
        // LightGBM names the data set and then its metric
        let named = if metrics.contains("'s ") { "lightgbm" } else { "xgboost" };
        out.framework = Some(named.into());
        columns > 0 && !out.values.is_empty()
    }
}

/// One column; cross-validation prints the deviation behind the mean: `0.5+0.01`, `0.5 + 0.01`.
fn metric<'a>(name: &'a str, value: &'a str, out: &mut Line<'a>) {
    if let Some(pair) = whole(name, value) {
        out.add(pair.name, pair.value);
    } else if let Some((mean, deviation)) = value.split_once('+')
        && let (Some(mean), Some(deviation)) = (whole(name, mean), whole(name, deviation))
    {
        out.add(mean.name, mean.value);
        out.add(format!("{}-std", mean.name), deviation.value);
    }
}

/// `CatBoost`: the iteration with a colon, then a tab before each number.
pub(super) struct CatBoost;

impl Grammar for CatBoost {
    fn name(&self) -> &'static str {
        "catboost"
    }

    fn summary(&self) -> &'static str {
        "CatBoost `0:\tlearn: 1.89\ttest: 1.91\tbest: 1.91 (0)\ttotal: 77ms\tremaining: 4.6s`"
    }

    fn may(&self, line: &str) -> bool {
        line.as_bytes().first().is_some_and(u8::is_ascii_digit) && line.contains(":\t")
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((iteration, metrics)) = line.split_once(":\t") else { return false };
        let Some(iteration) = counter(iteration) else { return false };
        out.step = Some(iteration);
        for column in metrics.split('\t') {
            let Some((name, value)) = column.split_once(':') else { return false };
            let (value, best_at) = value.trim().split_once(" (").unwrap_or((value, ""));
            // an estimate of what is to come is no measurement
            if name != "remaining"
                && (best_at.is_empty() || best_at.ends_with(')'))
                && let Some(pair) = whole(name, value)
            {
                out.add_unit(pair.name, pair.value, pair.unit);
            }
        }
        !out.values.is_empty()
    }
}
