//! `clu.metric_writers` through absl's log.

use super::{
    Grammar, Line, State,
    pairs::{bracket, counter, equals_pairs},
};

/// `[84] learning_rate=0.003, train_loss=0.63`. Histograms are printed there as well, with edges too coarse to use.
pub(super) struct Clu;

impl Grammar for Clu {
    fn name(&self) -> &'static str {
        "clu"
    }

    fn summary(&self) -> &'static str {
        "clu, Flax `[84] learning_rate=0.003, train_loss=0.63`"
    }

    fn may(&self, line: &str) -> bool {
        line.starts_with('[') && line.contains('=')
    }

    fn read<'a>(&self, line: &'a str, _state: &mut State, out: &mut Line<'a>) -> bool {
        let Some((step, rest)) = bracket(line) else { return false };
        out.step = counter(step);
        let Some(fields) = rest.strip_prefix(' ').filter(|_| out.step.is_some()) else { return false };
        let name = fields.split_once('=').map_or("", |(name, _)| name);
        if name.is_empty() || name.contains(' ') {
            return false;
        }
        for pair in equals_pairs(fields) {
            out.add(pair.name, pair.value);
        }
        !out.values.is_empty()
    }
}
