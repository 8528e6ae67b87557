//! Statistics and histograms of layers.

use std::sync::Arc;

use super::{
    envelope::Envelope,
    record::{Reason, required_step, unknown_keys},
};
use crate::{
    formats::{
        Decoded,
        wire::json_tree::{Json, Object},
    },
    model::{HistogramRecord, LayerKind, LayerName, LayerRecord, LayerStats, Record},
};

const STATISTICS: &[&str] = &[
    "mean",
    "std",
    "min",
    "max",
    "absmean",
    "norm",
    "numel",
    "zero",
    "nan",
    "inf",
    "update_norm",
    "dist_init",
    "dead",
    "saturated",
    "always_on",
    "duplicate",
    "density",
    "alpha",
    "stable_rank",
    "gdv",
    "frozen",
];

/// `layer`
pub fn layer(record: &Object<'_>, envelope: &Envelope, out: &mut Decoded) -> Result<(), Reason> {
    let step = required_step(envelope)?;
    let name = record.text("name").ok_or("a layer record without its `name`")?;
    let known: Vec<&str> = [&["name", "kind", "q", "qp", "disc"], STATISTICS].concat();
    unknown_keys("layer", record, &known, out);
    if !quantiles_fit(record) {
        out.oddity("layer.q does not fit layer.qp");
    }
    let (kind, stats) = (kind(record, out), statistics("layer", record, out));
    out.record(Record::Layer(LayerRecord {
        layer: LayerName::from(name),
        kind,
        step,
        wall: envelope.wall,
        split: Arc::from(envelope.context.as_str()),
        stats,
    }));
    Ok(())
}

/// `hist`
pub fn histogram(record: &Object<'_>, envelope: &Envelope, out: &mut Decoded) -> Result<(), Reason> {
    let step = required_step(envelope)?;
    let name = record.text("name").ok_or("a hist record without its `name`")?;
    let numbers = |key| record.get(key).and_then(Json::numbers);
    let (Some(edges), Some(counts)) = (numbers("edges"), numbers("counts")) else {
        return Err("a hist record without numbers `edges` and `counts`".into());
    };
    check_buckets(&edges, &counts)?;
    let known: Vec<&str> = [&["name", "kind", "edges", "counts", "scale"], STATISTICS].concat();
    unknown_keys("hist", record, &known, out);
    let (kind, exact) = (kind(record, out), statistics("hist", record, out));
    out.record(Record::Histogram(HistogramRecord {
        layer: LayerName::from(name),
        kind,
        step,
        wall: envelope.wall,
        stats: completed(&exact, &of_buckets(&edges, &counts)),
        edges: Arc::from(&*edges),
        counts: Arc::from(&*counts),
    }));
    Ok(())
}

/// Edges: finite, not decreasing, one more than counts. Counts: finite, not negative.
pub fn check_buckets(edges: &[f64], counts: &[f64]) -> Result<(), Reason> {
    if edges.len() != counts.len() + 1 {
        return Err("buckets need one more edge than counts".into());
    }
    if edges.iter().any(|e| !e.is_finite()) || edges.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err("bucket edges must be finite and must not decrease".into());
    }
    if counts.iter().any(|c| !c.is_finite() || *c < 0.0) {
        return Err("bucket counts must be finite and not negative".into());
    }
    Ok(())
}

/// What buckets tell of the whole, their elements taken to lie in the middle.
pub fn of_buckets(edges: &[f64], counts: &[f64]) -> LayerStats {
    let numel: f64 = counts.iter().sum();
    let middles = || edges.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
    let filled = |(_, count): &(usize, &f64)| **count > 0.0;
    let first = counts.iter().enumerate().find(filled).map(|(at, _)| at);
    let last = counts.iter().enumerate().rev().find(filled).map(|(at, _)| at + 1);
    let (Some(first), Some(last)) = (first, last) else {
        return LayerStats { numel: Some(numel), ..LayerStats::default() };
    };
    let sum: f64 = middles().zip(counts).map(|(x, n)| x * n).sum();
    let squares: f64 = middles().zip(counts).map(|(x, n)| x * x * n).sum();
    let mean = sum / numel;
    LayerStats {
        mean: Some(mean),
        std: Some((squares / numel - mean * mean).max(0.0).sqrt()),
        min: edges.get(first).copied(),
        max: edges.get(last).copied(),
        norm: Some(squares.sqrt()),
        numel: Some(numel),
        ..LayerStats::default()
    }
}

fn completed(exact: &LayerStats, estimate: &LayerStats) -> LayerStats {
    LayerStats {
        mean: exact.mean.or(estimate.mean),
        std: exact.std.or(estimate.std),
        min: exact.min.or(estimate.min),
        max: exact.max.or(estimate.max),
        norm: exact.norm.or(estimate.norm),
        numel: exact.numel.or(estimate.numel),
        ..*exact
    }
}

fn statistics(record_type: &str, record: &Object<'_>, out: &mut Decoded) -> LayerStats {
    for key in STATISTICS {
        let bool_wanted = *key == "frozen";
        let fits = record
            .get(key)
            .is_none_or(|v| if bool_wanted { v.bool().is_some() } else { v.number().is_some() });
        if !fits {
            out.oddity(&format!("{record_type}.{key} is of another type"));
        }
    }
    let number = |key| record.number(key);
    LayerStats {
        mean: number("mean"),
        std: number("std"),
        min: number("min"),
        max: number("max"),
        absmean: number("absmean"),
        norm: number("norm"),
        numel: number("numel"),
        zero: number("zero"),
        nan: number("nan"),
        inf: number("inf"),
        update_norm: number("update_norm"),
        dist_init: number("dist_init"),
        dead: number("dead"),
        saturated: number("saturated"),
        always_on: number("always_on"),
        duplicate: number("duplicate"),
        density: number("density"),
        alpha: number("alpha"),
        stable_rank: number("stable_rank"),
        gdv: number("gdv"),
        eta2: record.get("disc").and_then(Json::object).and_then(|disc| disc.number("eta2_mean")),
        frozen: record.get("frozen").and_then(Json::bool),
    }
}

/// Quantiles are as many as their probabilities, which lie in 0…1; both do not decrease.
fn quantiles_fit(record: &Object<'_>) -> bool {
    let numbers = |key| record.get(key).map(|v| v.numbers().map(std::borrow::Cow::into_owned));
    let ascending = |v: &[f64]| !v.windows(2).any(|pair| pair[0] > pair[1]);
    match (numbers("q"), numbers("qp")) {
        (None, None) => true,
        (Some(Some(q)), Some(Some(qp))) => {
            q.len() == qp.len()
                && ascending(&q)
                && ascending(&qp)
                && qp.iter().all(|p| (0.0..=1.0).contains(p))
        }
        _ => false,
    }
}

fn kind(record: &Object<'_>, out: &mut Decoded) -> LayerKind {
    match record.text("kind") {
        None => LayerKind::Other,
        Some("weight" | "weights" | "param" | "params") => LayerKind::Weights,
        Some("grad" | "grads" | "gradient" | "gradients") => LayerKind::Gradients,
        Some("act" | "acts" | "activation" | "activations") => LayerKind::Activations,
        Some("update" | "updates") => LayerKind::Updates,
        Some("moment" | "moments") => LayerKind::Moments,
        Some(_) => {
            out.oddity("unknown layer kind");
            LayerKind::Other
        }
    }
}
