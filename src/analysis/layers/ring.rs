//! The newest few values, without an allocation: there is one for each layer and measure.

/// At most `N` values, the oldest first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ring<const N: usize> {
    values: [f64; N],
    len: usize,
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self { values: [0.0; N], len: 0 }
    }
}

impl<const N: usize> Ring<N> {
    /// Adds a value; the oldest goes if there are too many.
    pub fn push(&mut self, value: f64) {
        if self.len == N {
            self.values.copy_within(1.., 0);
            self.len = N.saturating_sub(1);
        }
        if let Some(place) = self.values.get_mut(self.len) {
            *place = value;
            self.len += 1;
        }
    }

    /// The values, the oldest first.
    pub fn as_slice(&self) -> &[f64] {
        self.values.get(..self.len).unwrap_or_default()
    }

    /// Whether there are `N`.
    pub fn is_full(&self) -> bool {
        self.len == N
    }
}
