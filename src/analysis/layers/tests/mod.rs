//! Layers that are known to drift or to stand still, and what is said of them.

mod pools;
mod runs;

/// Buckets of the reference simulation.
pub const BUCKETS: usize = 20;

/// A small generator of random numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `n` draws from shares.
    pub fn multinomial(&mut self, n: usize, shares: &[f64]) -> Vec<f64> {
        let mut counts = vec![0.0; shares.len()];
        for _ in 0..n {
            let mut rest = self.uniform();
            let at = shares.iter().position(|p| {
                rest -= p;
                rest < 0.0
            });
            counts[at.unwrap_or(shares.len() - 1)] += 1.0;
        }
        counts
    }
}

/// A bell around bucket `centre`, σ 2.5 buckets.
pub fn bell(centre: f64) -> Vec<f64> {
    let p: Vec<f64> =
        (0..BUCKETS).map(|b| (-0.5 * ((b as f64 - centre) / 2.5).powi(2)).exp() + 1e-4).collect();
    let sum: f64 = p.iter().sum();
    p.iter().map(|v| v / sum).collect()
}
