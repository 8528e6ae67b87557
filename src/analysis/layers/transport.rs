//! Distances between histograms whose buckets differ: quantiles, the inter-quartile range, Wasserstein-1.
//!
//! A histogram is read as its quantile function, linear inside of each bucket. That takes buckets of no width
//! (constant data, a spike at zero) and empty ones as they are, which a distribution function does not.

/// The basis points (1/10,000) at which TensorBoard reads distributions: the ends, ±1.5, ±1 and ±0.5 standard
/// deviations of a normal distribution, and the median (`distribution/compressor.py`).
pub const BASIS_POINTS: [f64; 9] = [0.0, 668.0, 1587.0, 3085.0, 5000.0, 6915.0, 8413.0, 9332.0, 10_000.0];

/// A bucket that is not empty: its share of all elements, and where it begins and ends.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Piece {
    share: f64,
    left: f64,
    right: f64,
}

/// A histogram as a function from shares (0…1) to values.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantiles {
    pieces: Vec<Piece>,
}

impl Quantiles {
    /// Of a histogram with one more edge than counts. `None` if nothing is in it, or if an edge or a count is not
    /// finite, a count is negative, or edges fall: such a record is refused, not repaired.
    pub fn of(edges: &[f64], counts: &[f64]) -> Option<Self> {
        if edges.len() != counts.len() + 1
            || edges.iter().any(|e| !e.is_finite())
            || edges.windows(2).any(|pair| pair[0] > pair[1])
            || counts.iter().any(|c| !c.is_finite() || *c < 0.0)
        {
            return None;
        }
        let total: f64 = counts.iter().sum();
        if total.is_nan() || total <= 0.0 || total.is_infinite() {
            return None;
        }
        let piece =
            |(count, edge): (&f64, &[f64])| Piece { share: count / total, left: edge[0], right: edge[1] };
        let pieces = counts.iter().zip(edges.windows(2)).map(piece).filter(|p| p.share > 0.0).collect();
        Some(Self { pieces })
    }

    /// The value below which a share `q` (clamped to 0…1) of the elements lies. At a gap between buckets, its lower
    /// end.
    pub fn at(&self, q: f64) -> f64 {
        let q = q.clamp(0.0, 1.0);
        let mut before = 0.0;
        for piece in &self.pieces {
            let after = before + piece.share;
            if q <= after + 1e-12 {
                let part = ((q - before) / piece.share).clamp(0.0, 1.0);
                return piece.left + (piece.right - piece.left) * part;
            }
            before = after;
        }
        self.pieces.last().map_or(f64::NAN, |p| p.right)
    }

    /// From the first to the third quartile.
    pub fn interquartile_range(&self) -> f64 {
        self.at(0.75) - self.at(0.25)
    }

    /// The values at [`BASIS_POINTS`], as TensorBoard compresses a distribution: where a basis point falls on the
    /// border of two buckets, it is the beginning of the second.
    pub fn compressed(&self) -> [f64; 9] {
        let mut values = [self.pieces.last().map_or(f64::NAN, |p| p.right); 9];
        let mut next = 0;
        let mut before = 0.0;
        for piece in &self.pieces {
            let after = before + piece.share * 10_000.0;
            while let Some(point) = BASIS_POINTS.get(next).filter(|point| **point < after - 1e-9) {
                let part = ((point - before) / (after - before)).max(0.0);
                values[next] = piece.left + (piece.right - piece.left) * part;
                next += 1;
            }
            before = after;
        }
        values
    }

    /// Wasserstein-1: the area between the two quantile functions, exact for the piecewise linear reading. Shifting a
    /// histogram by `d` gives `d`.
    pub fn wasserstein(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (Walk::new(&self.pieces), Walk::new(&other.pieces));
        let mut area = 0.0;
        while let (Some(here), Some(there)) = (a.piece(), b.piece()) {
            let width = here.left_over.min(there.left_over);
            area += between(
                here.value - there.value,
                here.slope * width - there.slope * width + (here.value - there.value),
                width,
            );
            a.advance(width);
            b.advance(width);
        }
        area
    }
}

/// ∫|linear| over `width` from `start` to `end`.
fn between(start: f64, end: f64, width: f64) -> f64 {
    if start * end >= 0.0 {
        return f64::midpoint(start.abs(), end.abs()) * width;
    }
    (start * start + end * end) / (2.0 * (start.abs() + end.abs())) * width
}

/// Where a walk along the shares is.
struct Walk<'a> {
    pieces: std::slice::Iter<'a, Piece>,
    here: Option<Here>,
}

#[derive(Clone, Copy)]
struct Here {
    /// Share of this piece that is still ahead.
    left_over: f64,
    value: f64,
    /// Rise of the value per share.
    slope: f64,
}

impl<'a> Walk<'a> {
    fn new(pieces: &'a [Piece]) -> Self {
        let mut walk = Self { pieces: pieces.iter(), here: None };
        walk.next_piece();
        walk
    }

    fn next_piece(&mut self) {
        self.here = self.pieces.next().map(|p| Here {
            left_over: p.share,
            value: p.left,
            slope: (p.right - p.left) / p.share,
        });
    }

    fn piece(&self) -> Option<Here> {
        self.here
    }

    fn advance(&mut self, width: f64) {
        let Some(here) = &mut self.here else { return };
        here.left_over -= width;
        here.value += here.slope * width;
        // what rounding leaves of a piece is no piece
        if here.left_over <= 1e-12 {
            self.next_piece();
        }
    }
}

/// The change of a distribution in units of its spread: Wasserstein-1 divided by the larger of the two inter-quartile
/// ranges, so that a bias that begins at zero does not divide by zero. Two equal constants have not changed; a
/// change between distributions that both have no spread is infinite.
pub fn relative_change(before: &Quantiles, now: &Quantiles) -> f64 {
    let distance = before.wasserstein(now);
    if distance == 0.0 {
        return 0.0;
    }
    distance / before.interquartile_range().max(now.interquartile_range())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edges: &[f64], counts: &[f64]) -> Quantiles {
        Quantiles::of(edges, counts).unwrap()
    }

    #[test]
    fn t_3_a_distribution_is_compressed_to_nine_numbers_as_tensorboard_does() {
        let expected = [0.0, 0.1336, 0.3174, 0.617, 1.0, 1.383, 1.6826, 1.8664, 2.0];
        for (got, wanted) in of(&[0.0, 1.0, 2.0], &[10.0, 10.0]).compressed().into_iter().zip(expected) {
            assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
        }
    }

    #[test]
    fn a_shift_by_a_quarter_is_a_quarter_and_nothing_is_nothing() {
        let edges = [0.0, 0.5, 1.0, 2.0];
        let shifted = edges.map(|e| e + 0.25);
        let counts = [3.0, 0.0, 5.0];
        let distance = of(&edges, &counts).wasserstein(&of(&shifted, &counts));
        assert!((distance - 0.25).abs() < 1e-12, "{distance}");
        assert_eq!(of(&edges, &counts).wasserstein(&of(&edges, &counts)), 0.0);
        // Uniform over 0…2 has an inter-quartile range of 1.
        let uniform = of(&[0.0, 2.0], &[7.0]);
        assert!((relative_change(&uniform, &of(&[0.25, 2.25], &[7.0])) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn buckets_may_differ_and_the_same_distribution_stays_the_same() {
        let coarse = of(&[0.0, 1.0], &[8.0]);
        let fine = of(&[0.0, 0.25, 0.5, 0.75, 1.0], &[1.0, 1.0, 1.0, 1.0]);
        assert!(coarse.wasserstein(&fine) < 1e-12);
        // Quantile functions that cross: u against 1/4 + u/2 is 2 · ½ · ½ · ¼.
        let narrow = of(&[0.25, 0.75], &[1.0]);
        assert!((coarse.wasserstein(&narrow) - 0.125).abs() < 1e-12);
    }

    #[test]
    fn constants_are_points_and_zeros_have_not_changed() {
        let (zero, one) = (of(&[0.0, 0.0], &[5.0]), of(&[1.0, 1.0], &[5.0]));
        assert!((zero.wasserstein(&one) - 1.0).abs() < 1e-12);
        assert_eq!(relative_change(&zero, &zero), 0.0);
        assert_eq!(relative_change(&zero, &one), f64::INFINITY);
        assert!(relative_change(&zero, &of(&[0.0, 1.0], &[1.0])).is_finite());
    }

    #[test]
    fn broken_histograms_are_refused() {
        for (edges, counts) in [
            (vec![0.0, 1.0], vec![f64::NAN]),
            (vec![0.0, 1.0], vec![-1.0]),
            (vec![0.0, 1.0], vec![0.0]),
            (vec![0.0, f64::INFINITY], vec![1.0]),
            (vec![1.0, 0.0], vec![1.0]),
            (vec![0.0], vec![1.0]),
            (vec![], vec![]),
            (vec![0.0, 1.0, 2.0], vec![f64::MAX, f64::MAX]),
        ] {
            assert_eq!(Quantiles::of(&edges, &counts), None, "{edges:?} {counts:?}");
        }
    }
}
