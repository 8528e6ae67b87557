//! From bytes allowed to what each series and each timeline may keep.

/// How much memory the store may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For everything together. What cannot be thinned (names, exact summaries) may exceed a very small limit.
    pub bytes: usize,
}

impl Limits {
    /// Enough for summaries, verdicts and a coarse curve: for commands that read once and print.
    pub const fn coarse() -> Self {
        Self { bytes: 8 << 20 }
    }
}

impl Default for Limits {
    /// 512 MiB: every point of 60 million, at 8 bytes each, is still exact.
    fn default() -> Self {
        Self { bytes: 512 << 20 }
    }
}

/// Halvings after which nothing more can be gained: every capacity has reached its floor.
const MOST_HALVINGS: u8 = 16;

/// How often everything was halved so far. Curves and the rarer records are halved apart, so that histograms
/// do not cost the curves their resolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pressure {
    series: u8,
    records: u8,
}

/// What to thin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relief {
    Series,
    Records,
}

impl Pressure {
    /// Halves what takes more; `None` when all floors are reached.
    pub(crate) fn rise(&mut self, series_bytes: usize, record_bytes: usize) -> Option<Relief> {
        let by_size = [(series_bytes, Relief::Series), (record_bytes, Relief::Records)];
        let records_first = record_bytes > series_bytes;
        for (_, relief) in if records_first { [by_size[1], by_size[0]] } else { by_size } {
            let level = match relief {
                Relief::Series => &mut self.series,
                Relief::Records => &mut self.records,
            };
            if *level < MOST_HALVINGS {
                *level += 1;
                return Some(relief);
            }
        }
        None
    }

    /// Points of a series that stay exact. 65,536 are more than any screen can tell apart.
    pub(crate) fn exact_points(self) -> usize {
        ((1_usize << 16) >> self.series).max(16)
    }

    /// Buckets of a series' history. 2,048 are four to a dot-column of the widest chart.
    pub(crate) fn buckets(self) -> usize {
        ((1_usize << 11) >> self.series).max(8)
    }

    /// Records of one layer's statistics; as many as a wide sparkline has columns, several times over.
    pub(crate) fn layer_points(self) -> usize {
        (512_usize >> self.records).max(4)
    }

    /// Histograms of one layer; as many as a heat map over time has columns.
    pub(crate) fn histograms(self) -> usize {
        (128_usize >> self.records).max(2)
    }

    /// Confusion matrices of one split.
    pub(crate) fn matrices(self) -> usize {
        (256_usize >> self.records).max(2)
    }

    /// Texts, artefacts, events and logged alerts of one run, each.
    pub(crate) fn notes(self) -> usize {
        (4096_usize >> self.records).max(16)
    }
}
