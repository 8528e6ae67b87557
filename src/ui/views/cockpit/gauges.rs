//! Which scalars are instruments of a step, by their names, and their course.

use crate::{
    detect::tags::{self, Words},
    model::{Split, Step},
    store::{Bucket, Run, Series},
};

/// An instrument that may be logged as a scalar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gauge {
    Alpha,
    NormTest,
    InnerTest,
    OrthoTest,
    GradientNorm,
    WeightNorm,
    Distance,
    UpdateSize,
    NoiseScale,
}

/// Last words of names, Cockpit's own first.
const NAMES: [(Gauge, &[&str]); 9] = [
    (Gauge::Alpha, &["alpha"]),
    (Gauge::NormTest, &["norm_test", "normtest"]),
    (Gauge::InnerTest, &["inner_test", "innertest", "inner_product_test"]),
    (Gauge::OrthoTest, &["ortho_test", "orthotest", "orthogonality_test"]),
    (
        Gauge::GradientNorm,
        &["grad_norm", "gradnorm", "gradient_norm", "gradients_norm", "global_norm", "total_norm", "gnorm"],
    ),
    (Gauge::WeightNorm, &["weight_norm", "weights_norm", "param_norm", "params_norm", "parameter_norm"]),
    (Gauge::Distance, &["distance", "dist_init", "distance_from_init", "distance_from_initialisation"]),
    (Gauge::UpdateSize, &["update_size", "updatesize", "update_norm"]),
    (Gauge::NoiseScale, &["gns", "noise_scale", "noise_scale_simple", "b_simple", "bsimple", "b_noise"]),
];

/// Words that may stand before such a name.
const BEFORE: &[&str] = &[
    "cockpit",
    "train",
    "training",
    "trainer",
    "optim",
    "optimizer",
    "optimiser",
    "debug",
    "stats",
    "metrics",
    "scalars",
    "health",
    "grad",
    "gradient",
    "gradients",
    "global",
    "total",
    "l2",
    "norms",
    "step",
];

/// Ends of all names: asked of every series in every frame, so without taking the name apart.
const ENDS: [&str; 11] = [
    "alpha",
    "test",
    "norm",
    "distance",
    "init",
    "initialisation",
    "size",
    "gns",
    "scale",
    "noise",
    "simple",
];

fn may_be(tag: &str) -> bool {
    let tail = |end: &str| tag.len().checked_sub(end.len()).and_then(|at| tag.get(at..));
    ENDS.iter().any(|end| tail(end).is_some_and(|tail| tail.eq_ignore_ascii_case(end)))
}

/// What a tag names. A name with anything else in it, such as a layer's, is not meant.
pub(super) fn named(tag: &str) -> Option<Gauge> {
    if !may_be(tag) {
        return None;
    }
    let words = Words::of(tag);
    let whole = words.whole();
    let joined = words.joined();
    for (gauge, names) in NAMES {
        for name in names {
            let Some(before) = joined.strip_suffix(name) else { continue };
            if !before.is_empty() && !before.ends_with('_') {
                continue;
            }
            let count = before.split('_').filter(|word| !word.is_empty()).count();
            if whole.iter().take(count).all(|word| BEFORE.contains(&word.as_str())) {
                return Some(gauge);
            }
        }
    }
    None
}

/// The series that is an instrument: of a folder `cockpit` before others, then the shortest name.
pub(super) fn series(run: &Run, gauge: Gauge) -> Option<&Series> {
    // The split of `norm_test` is read as "test".
    let a_test = matches!(gauge, Gauge::NormTest | Gauge::InnerTest | Gauge::OrthoTest);
    let of_training = |s: &&Series| match tags::class_of(s.key(), run).split {
        Split::Train | Split::Unknown => true,
        Split::Test => a_test,
        Split::Val => false,
    };
    run.series().filter(|s| named(s.key().tag.as_str()) == Some(gauge)).filter(of_training).min_by_key(|s| {
        let tag = s.key().tag.as_str();
        (!Words::of(tag).any_exact(&["cockpit"]), tag.len())
    })
}

/// The points of a series up to a step, its extremes and its NaN kept: `[step, value]`.
pub(super) fn course(series: &Series, until: Option<Step>) -> Vec<[f64; 2]> {
    let mut points = Vec::new();
    for bucket in series.buckets(until) {
        push(&mut points, &bucket);
    }
    points
}

fn push(points: &mut Vec<[f64; 2]>, b: &Bucket) {
    let mut four = [
        (b.first.step, b.first.value),
        (b.min_step, b.min),
        (b.max_step, b.max),
        (b.last.step, b.last.value),
    ];
    four.sort_by_key(|(step, _)| *step);
    let count = if b.first.step == b.last.step { 1 } else { 4 };
    for (step, value) in four.into_iter().take(count).filter(|(_, v)| v.is_finite()) {
        points.push([step as f64, value]);
    }
    if b.non_finite > 0 {
        let step = b.nan_first.unwrap_or(b.last.step) as f64;
        let at = points.partition_point(|p| p[0] <= step);
        points.insert(at, [step, f64::NAN]);
    }
}

/// The newest values up to a step, at most `most`; where the store has thinned them, means of neighbours.
pub(super) fn newest(series: &Series, until: Option<Step>, most: usize) -> Vec<f64> {
    let coarse = series.buckets(until);
    let from =
        coarse.len().checked_sub(most).and_then(|at| coarse.get(at)).map_or(Step::MIN, |b| b.first.step);
    let fine = series.buckets_between(from, until.unwrap_or(Step::MAX), most.saturating_mul(64));
    let value = |b: &Bucket| b.mean().unwrap_or(f64::NAN);
    fine.iter().skip(fine.len().saturating_sub(most)).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_known_end() {
        for name in NAMES.iter().flat_map(|(_, names)| *names) {
            assert!(may_be(name), "{name}");
        }
    }

    #[test]
    fn names_of_instruments_are_known_and_those_of_layers_are_not() {
        for (tag, gauge) in [
            ("cockpit/alpha", Some(Gauge::Alpha)),
            ("Cockpit/NormTest", Some(Gauge::NormTest)),
            ("alpha", Some(Gauge::Alpha)),
            ("losses/alpha", None),
            ("cockpit/inner_product_test", Some(Gauge::InnerTest)),
            ("cockpit/orthotest", Some(Gauge::OrthoTest)),
            ("train/grad_norm", Some(Gauge::GradientNorm)),
            ("train/grad_norm/fc1", None),
            ("fc1/grad_norm", None),
            ("grad_noise_scale", Some(Gauge::NoiseScale)),
            ("train/B_simple", Some(Gauge::NoiseScale)),
            ("gns", Some(Gauge::NoiseScale)),
            ("cockpit/distance", Some(Gauge::Distance)),
            ("update_size", Some(Gauge::UpdateSize)),
            ("loss", None),
            ("", None),
        ] {
            assert_eq!(named(tag), gauge, "{tag}");
        }
    }
}
