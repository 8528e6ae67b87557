//! When a layer's perplexity histogram has stopped changing: three adjacent pools of snapshots, compared with what
//! sampling alone would make of them.

use std::{collections::VecDeque, f64::consts::PI};

use super::{machine::Machine, perplexity::Snapshot, state::State};

/// Snapshots in a pool.
pub const POOL: usize = 4;
/// Snapshots before anything is said.
pub const NEEDED: usize = 3 * POOL;
/// Stable when all three pairs of pools differ by at most this many noise floors.
pub const ENTER: f64 = 1.5;
/// Not stable any more when any pair differs by more than this many: a static layer passes it in 0.08 % of the
/// snapshots, while it passes [`ENTER`] in 8 %.
pub const LEAVE: f64 = 2.0;

/// Total variation distance of two histograms over the same buckets: half the sum of the differences of shares, 0…1.
/// NaN if one is empty.
pub fn tvd(a: &[f64], b: &[f64]) -> f64 {
    let (of_a, of_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    0.5 * a.iter().zip(b).map(|(a, b)| (a / of_a - b / of_b).abs()).sum::<f64>()
}

/// The total variation distance to be expected between two samples of one distribution: Σ √(p(1−p)/(πn)) over the
/// buckets, p from both together, n the harmonic mean of the two sizes.
pub fn noise_floor(a: &[f64], b: &[f64]) -> f64 {
    let (of_a, of_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    let n = 2.0 / (1.0 / of_a + 1.0 / of_b);
    let spread = |(a, b): (&f64, &f64)| {
        let p = (a + b) / (of_a + of_b);
        (p * (1.0 - p) / (PI * n)).max(0.0).sqrt()
    };
    a.iter().zip(b).map(spread).sum()
}

/// The distance of two histograms in noise floors. Two histograms with all instances in one bucket have a floor of 0:
/// then 0 if they are the same.
pub fn in_floors(a: &[f64], b: &[f64]) -> f64 {
    let distance = tvd(a, b);
    if distance == 0.0 { 0.0 } else { distance / noise_floor(a, b) }
}

/// The three-pool rule over the snapshots of one layer, in their order.
///
/// Snapshots with other buckets than those before begin anew: distances between different buckets mean nothing.
#[derive(Clone, Debug)]
pub struct ThreePools {
    edges: Vec<f64>,
    window: VecDeque<Vec<f64>>,
    /// Sums of the three pools, the oldest first.
    pools: [Vec<f64>; 3],
    machine: Machine,
}

impl Default for ThreePools {
    fn default() -> Self {
        Self {
            edges: Vec::new(),
            window: VecDeque::new(),
            pools: [const { Vec::new() }; 3],
            machine: Machine::default(),
        }
    }
}

impl ThreePools {
    /// Takes the next snapshot. Returns the largest of the three distances in noise floors (while there are fewer than
    /// [`NEEDED`] snapshots, that to the snapshot before, if there is one) and the state.
    pub fn push(&mut self, snapshot: &Snapshot) -> (Option<f64>, State) {
        if self.edges != snapshot.edges {
            *self = Self { edges: snapshot.edges.clone(), ..Self::default() };
            self.pools = [const { Vec::new() }; 3].map(|_: Vec<f64>| vec![0.0; snapshot.counts.len()]);
        }
        let step = self.window.back().map(|before| in_floors(before, &snapshot.counts));
        self.slide(&snapshot.counts);
        if let Some(step) = step {
            self.machine.trend(step);
        }
        if self.window.len() < NEEDED {
            return (step, State::Warming);
        }
        let [first, second, third] = &self.pools;
        let largest = in_floors(first, second).max(in_floors(second, third)).max(in_floors(first, third));
        (Some(largest), self.machine.judge(largest <= ENTER, largest > LEAVE))
    }

    /// Moves every pool on by one snapshot.
    fn slide(&mut self, counts: &[f64]) {
        self.window.push_back(counts.to_vec());
        if self.window.len() < NEEDED {
            return;
        }
        if self.window.len() == NEEDED {
            for (pool, sum) in self.pools.iter_mut().enumerate() {
                for counts in self.window.iter().skip(pool * POOL).take(POOL) {
                    add(sum, counts, 1.0);
                }
            }
            return;
        }
        for (pool, sum) in self.pools.iter_mut().enumerate() {
            if let (Some(gone), Some(new)) =
                (self.window.get(pool * POOL), self.window.get((pool + 1) * POOL))
            {
                add(sum, gone, -1.0);
                add(sum, new, 1.0);
            }
        }
        self.window.pop_front();
    }
}

fn add(sum: &mut [f64], counts: &[f64], sign: f64) {
    for (sum, count) in sum.iter_mut().zip(counts) {
        // Counts are whole numbers, so that sums stay exact; for weights that are not, rounding must not go below zero.
        *sum = (*sum + sign * count).max(0.0);
    }
}
