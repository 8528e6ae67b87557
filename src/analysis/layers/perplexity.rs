//! How many filters an instance excites, and the histogram of that over many instances (`DeepEyes`, Pezzotti et al.
//! 2018).

use crate::model::{Artefact, Step};

/// The perplexity 2^H of the responses of a layer's filters to one instance: H is the entropy in bits of the
/// responses divided by their sum. From 1 (one filter) to as many as there are filters (all alike).
///
/// Responses are taken by their size, as after a rectifier. `None`, "no response", where all are zero; NaN where one is
/// NaN or infinite.
pub fn perplexity(responses: &[f64]) -> Option<f64> {
    let sum: f64 = responses.iter().map(|r| r.abs()).sum();
    if sum == 0.0 {
        return None;
    }
    if !sum.is_finite() {
        return Some(f64::NAN);
    }
    let term = |r: &f64| {
        let p = r.abs() / sum;
        if p > 0.0 { -p * p.log2() } else { 0.0 }
    };
    Some(responses.iter().map(term).sum::<f64>().exp2())
}

/// Buckets into which perplexities of `resp` records are sorted: as many as the reference simulation of the three-pool
/// rule has.
pub const BUCKETS: usize = 20;
/// Records with more buckets are refused: the pools keep the newest twelve of each layer.
const MOST_BUCKETS: usize = 4096;

/// Edges 1…`filters`, evenly spaced in the logarithm: fixed for a layer, so that its snapshots can be compared.
pub fn edges(filters: usize) -> Vec<f64> {
    let top = (filters.max(2) as f64).ln();
    (0..=BUCKETS).map(|i| (top * i as f64 / BUCKETS as f64).exp()).collect()
}

/// The perplexities of the instances of one window, in buckets.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// The trainer's counter.
    pub step: Step,
    /// Bucket bounds, one more than counts.
    pub edges: Vec<f64>,
    /// Instances in each bucket since the snapshot before.
    pub counts: Vec<f64>,
    /// Filters of the layer.
    pub filters: Option<f64>,
    /// Instances that excited nothing; they are in no bucket.
    pub no_response: f64,
}

/// What a record that cannot be used is refused for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Neither buckets nor a matrix of responses, too many buckets, or not as many edges as counts and one.
    Shape,
    /// A count is NaN, infinite or negative, an edge is not finite, or edges do not rise.
    Numbers,
    /// No instance is in any bucket.
    Empty,
}

impl Snapshot {
    /// From a `perplexity` record (`edges`, `counts`, `filters`, `no_response`) or from the matrix `m` of a `resp`
    /// record, a row an instance.
    pub fn of(artefact: &Artefact) -> Result<Self, Refused> {
        let step = artefact.step.unwrap_or_default();
        match (artefact.array("edges"), artefact.array("counts"), artefact.array("m")) {
            (Some(edges), Some(counts), _) if counts.values().len() <= MOST_BUCKETS => Self::checked(Self {
                step,
                edges: edges.values().to_vec(),
                counts: counts.values().to_vec(),
                filters: artefact.number("filters").filter(|f| f.is_finite() && *f >= 1.0),
                no_response: artefact.number("no_response").filter(|n| n.is_finite()).unwrap_or(0.0).max(0.0),
            }),
            (_, _, Some(responses)) => match responses.shape() {
                [_, filters] if *filters > 0 => Self::of_responses(step, responses.values(), *filters),
                _ => Err(Refused::Shape),
            },
            _ => Err(Refused::Shape),
        }
    }

    /// From responses, row-major, `filters` to a row. An instance with a response that is not finite makes the record
    /// useless: which bucket it belongs to is unknown.
    pub fn of_responses(step: Step, responses: &[f64], filters: usize) -> Result<Self, Refused> {
        let edges = edges(filters);
        let mut counts = vec![0.0; BUCKETS];
        let mut no_response = 0.0;
        for row in responses.chunks_exact(filters.max(1)) {
            match perplexity(row) {
                None => no_response += 1.0,
                Some(p) if p.is_finite() => {
                    let at = edges.partition_point(|e| *e <= p + 1e-9).clamp(1, BUCKETS);
                    counts[at - 1] += 1.0;
                }
                Some(_) => return Err(Refused::Numbers),
            }
        }
        Self::checked(Self { step, edges, counts, filters: Some(filters as f64), no_response })
    }

    fn checked(self) -> Result<Self, Refused> {
        if self.counts.is_empty() || self.edges.len() != self.counts.len() + 1 {
            return Err(Refused::Shape);
        }
        let finite = self.edges.iter().all(|e| e.is_finite());
        let rising = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        let counts = self.counts.iter().all(|c| c.is_finite() && *c >= 0.0);
        if !finite || !rising || !counts || !self.total().is_finite() {
            return Err(Refused::Numbers);
        }
        if self.total() > 0.0 { Ok(self) } else { Err(Refused::Empty) }
    }

    /// Instances that excited something.
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The mean perplexity, instances taken to lie at the geometric middle of their bucket, for buckets are wider the
    /// higher they lie.
    pub fn mean(&self) -> f64 {
        let middle = |pair: &[f64]| {
            if pair[0] > 0.0 { (pair[0] * pair[1]).sqrt() } else { f64::midpoint(pair[0], pair[1]) }
        };
        let sum: f64 = self.edges.windows(2).zip(&self.counts).map(|(pair, n)| middle(pair) * n).sum();
        sum / self.total()
    }

    /// 1 − (mean perplexity − 1) / (F − 1) with F filters: 0 when every instance excites all filters alike, 1 when each
    /// excites a single one. `None` where the number of filters is unknown or 1.
    pub fn specialisation(&self) -> Option<f64> {
        let others = self.filters? - 1.0;
        (others > 0.0).then(|| (1.0 - (self.mean() - 1.0) / others).clamp(0.0, 1.0))
    }

    /// Share of instances that excited nothing.
    pub fn unanswered(&self) -> f64 {
        self.no_response / (self.total() + self.no_response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_9_perplexity_counts_the_filters_that_an_instance_excites() {
        let near = |responses: &[f64], wanted: f64| {
            let got = perplexity(responses).unwrap();
            assert!((got - wanted).abs() < 1e-6, "{responses:?}: {got}");
        };
        near(&[0.7; 8], 8.0);
        near(&[0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.0);
        near(&[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2.0);
        near(&[4.0, 2.0, 1.0, 1.0], 3.363_586);
        assert_eq!(perplexity(&[0.0; 8]), None, "no response, not a perplexity");
        assert_eq!(perplexity(&[]), None);
        assert!(perplexity(&[1.0, f64::NAN]).unwrap().is_nan());
        assert!(perplexity(&[1.0, f64::INFINITY]).unwrap().is_nan());
    }

    #[test]
    fn t_9_instances_without_a_response_are_counted_apart() {
        let mut rows = vec![0.0; 8];
        rows.extend([1.0; 8]);
        rows.extend([0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let snapshot = Snapshot::of_responses(7, &rows, 8).unwrap();
        assert_eq!((snapshot.total(), snapshot.no_response), (2.0, 1.0));
        assert_eq!((snapshot.counts[0], snapshot.counts[BUCKETS - 1]), (1.0, 1.0));
        assert!((snapshot.unanswered() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(Snapshot::of_responses(7, &[0.0; 8], 8), Err(Refused::Empty));
        assert_eq!(Snapshot::of_responses(7, &[f64::NAN; 8], 8), Err(Refused::Numbers));
    }

    #[test]
    fn specialisation_goes_from_all_filters_to_one() {
        let all = Snapshot::of_responses(0, &[1.0; 64], 8).unwrap();
        assert!(all.specialisation().unwrap() < 0.1, "{:?}", all.specialisation());
        let mut one = vec![0.0; 64];
        (0..8).for_each(|i| one[i * 8 + i] = 1.0);
        let one = Snapshot::of_responses(0, &one, 8).unwrap();
        assert!(one.specialisation().unwrap() > 0.98);
        let single = Snapshot::of_responses(0, &[1.0, 2.0], 1).unwrap();
        assert_eq!(single.specialisation(), None);
    }
}
