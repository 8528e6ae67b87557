//! Records that are checked, counted and kept addressable: what their fields are, as a table.

use std::{borrow::Cow, sync::Arc};

use super::{
    envelope::Envelope,
    layers::check_buckets,
    payload::{Checked, payload},
    record::{Reason, required_step, unknown_keys},
};
use crate::{
    formats::{
        Decoded,
        wire::{
            json_tree::{Json, Object},
            paths::path_below,
        },
    },
    model::{Artefact, ArtefactKind, Payload, Record},
};

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Takes {
    /// A number, a text or an array of either.
    Any,
    /// An object of such; each becomes a field `name/key`.
    Each,
    /// A path, or a list of paths and nulls.
    Path,
    /// Objects that are counted.
    Count,
}
use Takes::{Any, Count, Each, Path};

/// One record type.
#[derive(Debug)]
pub struct Spec {
    record_type: &'static str,
    kind: ArtefactKind,
    /// Fields that must be there.
    needs: &'static [(&'static str, Takes)],
    /// Fields that may be there.
    knows: &'static [(&'static str, Takes)],
    /// Fields whose first axes are equally long, where they are there.
    equal: &'static [&'static str],
}

const fn any(
    record_type: &'static str,
    kind: ArtefactKind,
    needs: &'static [(&'static str, Takes)],
    knows: &'static [(&'static str, Takes)],
    equal: &'static [&'static str],
) -> Spec {
    Spec { record_type, kind, needs, knows, equal }
}

static SPECS: &[Spec] = &[
    any(
        "perplexity",
        ArtefactKind::Perplexity,
        &[("layer", Any), ("edges", Any), ("counts", Any)],
        &[("filters", Any), ("n", Any), ("no_response", Any)],
        &[],
    ),
    any(
        "resp",
        ArtefactKind::Responses,
        &[("layer", Any), ("m", Any)],
        &[("filters", Any), ("labels", Any)],
        &["labels", "m"],
    ),
    any(
        "units",
        ArtefactKind::Units,
        &[("layer", Any), ("v", Any)],
        &[("stat", Any), ("ids", Any), ("freq", Any)],
        &["ids", "v", "freq"],
    ),
    any(
        "credit",
        ArtefactKind::Credit,
        &[("unit", Any), ("c", Any)],
        &[("target", Each), ("layer", Any), ("method", Any), ("total", Any)],
        &["unit", "c"],
    ),
    any(
        "sim",
        ArtefactKind::Similarity,
        &[("method", Any)],
        &[("layer", Any), ("layers", Any), ("to", Each), ("value", Any), ("m", Any)],
        &["layers", "m"],
    ),
    any(
        "pr",
        ArtefactKind::PrCurve,
        &[("thresholds", Any), ("tp", Any), ("fp", Any), ("tn", Any), ("fn", Any)],
        &[("class", Any)],
        &["thresholds", "tp", "fp", "tn", "fn"],
    ),
    any(
        "pred",
        ArtefactKind::Predictions,
        &[("id", Any)],
        &[
            ("y", Any),
            ("yhat", Any),
            ("p", Any),
            ("logits", Any),
            ("loss", Any),
            ("attrs", Each),
            ("text", Any),
            ("image", Path),
        ],
        &["id", "y", "yhat", "p", "logits", "loss", "text", "image"],
    ),
    any("acts", ArtefactKind::Activations, &[("layer", Any), ("m", Any)], &[("id", Any)], &["id", "m"]),
    any(
        "embed",
        ArtefactKind::Embedding,
        &[("m", Any)],
        &[("name", Any), ("id", Any), ("label", Any), ("meta", Each)],
        &["id", "m", "label"],
    ),
    any(
        "seq",
        ArtefactKind::Sequence,
        &[("states", Any)],
        &[
            ("name", Any),
            ("seq_id", Any),
            ("tokens", Any),
            ("transform", Any),
            ("annot", Each),
            ("pred", Any),
        ],
        &["tokens", "states", "pred"],
    ),
    any(
        "attn",
        ArtefactKind::Attention,
        &[("layer", Any), ("w", Any)],
        &[("id", Any), ("tokens", Any), ("key_tokens", Any), ("causal", Any)],
        &[],
    ),
    any(
        "map",
        ArtefactKind::Map,
        &[("kind", Any), ("v", Any)],
        &[
            ("method", Any),
            ("layer", Any),
            ("id", Any),
            ("target", Any),
            ("h", Any),
            ("w", Any),
            ("baseline", Any),
            ("output", Any),
            ("image", Path),
            ("range", Any),
            ("window", Each),
            ("tokens", Any),
        ],
        &["tokens", "v"],
    ),
    any(
        "image",
        ArtefactKind::Image,
        &[("file", Path)],
        &[("kind", Any), ("layer", Any), ("unit", Any), ("method", Any), ("name", Any), ("id", Any)],
        &[],
    ),
    any(
        "topk",
        ArtefactKind::TopInstances,
        &[("layer", Any), ("unit", Any), ("id", Any), ("value", Any)],
        &[("loc", Any)],
        &["id", "value", "loc"],
    ),
    any("tensor", ArtefactKind::Tensor, &[("name", Any), ("v", Any)], &[], &[]),
    any("graph", ArtefactKind::Graph, &[("nodes", Count)], &[("edges", Count), ("name", Any)], &[]),
    any(
        "experts",
        ArtefactKind::Experts,
        &[("layer", Any), ("load", Any)],
        &[("top_k", Any), ("drop", Any), ("z_loss", Any), ("aux", Any), ("entropy", Any)],
        &[],
    ),
    any(
        "noise",
        ArtefactKind::Noise,
        &[("b_small", Any), ("b_big", Any), ("g2_small", Any), ("g2_big", Any)],
        &[],
        &[],
    ),
];

/// The record type of that name, if it is one of these.
pub fn spec(record_type: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.record_type == record_type)
}

type Field = (Arc<str>, Checked);

/// Checks a record and adds it to the sink.
pub fn artefact(
    spec: &Spec,
    record: &Object<'_>,
    envelope: &Envelope,
    out: &mut Decoded,
) -> Result<(), Reason> {
    if spec.kind != ArtefactKind::Graph {
        required_step(envelope)?;
    }
    let mut fields = Vec::new();
    for (name, takes) in spec.needs {
        let json = record.get(name).ok_or_else(|| format!("{} without `{name}`", spec.record_type))?;
        read(name, *takes, json, &mut fields)?;
    }
    for (name, takes) in spec.knows {
        if let Some(json) = record.get(name) {
            read(name, *takes, json, &mut fields)?;
        }
    }
    check(spec, &fields)?;
    if !envelope.context.is_empty() {
        let context = Payload::Text(Arc::from(envelope.context.as_str()));
        fields.push(("split".into(), Checked { shape: None, payload: Some(context) }));
    }
    let known: Vec<&str> = spec.needs.iter().chain(spec.knows).map(|(name, _)| *name).collect();
    unknown_keys(spec.record_type, record, &known, out);
    out.record(Record::Artefact(Artefact {
        kind: spec.kind,
        name: name(spec, record),
        step: envelope.step,
        wall: envelope.wall,
        offset: envelope.offset,
        bytes: envelope.bytes,
        fields: fields.into_iter().filter_map(|(name, field)| Some((name, field.payload?))).collect(),
    }));
    Ok(())
}

fn name(spec: &Spec, record: &Object<'_>) -> Arc<str> {
    let named = ["name", "layer", "class", "method", "kind"].iter().find_map(|key| record.text(key));
    Arc::from(named.unwrap_or(spec.record_type))
}

fn read(name: &str, takes: Takes, json: &Json<'_>, fields: &mut Vec<Field>) -> Result<(), Reason> {
    let explained = |e| Cow::Owned(format!("{name}: {e}"));
    match (takes, json) {
        (Each, Json::Object(object)) => {
            for (key, value) in object.entries().filter(|(_, value)| **value != Json::Null) {
                fields.push((format!("{name}/{key}").into(), payload(value).map_err(explained)?));
            }
        }
        (Count, _) => {
            let elements = json.elements().filter(|all| all.iter().all(|one| one.object().is_some()));
            let count = elements.ok_or_else(|| format!("{name}: a list of objects is needed"))?.len();
            let payload = Some(Payload::Number(count as f64));
            fields.push((name.into(), Checked { shape: None, payload }));
        }
        (Path, Json::Text(path)) => {
            let payload = Payload::File { path: path_below(path).map_err(explained)?, shape: Vec::new() };
            fields.push((name.into(), Checked { shape: None, payload: Some(payload) }));
        }
        (Path, Json::Array(paths)) => {
            for path in paths.iter().filter_map(Json::text) {
                path_below(path).map_err(explained)?;
            }
            if paths.iter().any(|path| *path != Json::Null) {
                fields.push((name.into(), payload(json).map_err(explained)?));
            }
        }
        _ => fields.push((name.into(), payload(json).map_err(explained)?)),
    }
    Ok(())
}

fn check(spec: &Spec, fields: &[Field]) -> Result<(), Reason> {
    let of = |name: &str| fields.iter().find(|(known, _)| &**known == name).map(|(_, field)| field);
    let mut lengths = spec.equal.iter().filter_map(|name| of(name)?.length().map(|length| (name, length)));
    if let Some((first, length)) = lengths.next()
        && let Some((other, _)) = lengths.find(|(_, l)| *l != length)
    {
        return Err(format!("`{first}` and `{other}` differ in length").into());
    }
    let length = |name: &str| of(name).and_then(Checked::length);
    for (name, field) in fields {
        if name.starts_with("attrs/") && field.length() != length("id") {
            return Err(format!("`{name}` and `id` differ in length").into());
        }
        if name.starts_with("meta/") && field.length().is_some() && field.length() != length("m") {
            return Err(format!("`{name}` and `m` differ in length").into());
        }
    }
    match spec.kind {
        ArtefactKind::Similarity if of("value").is_none() && of("m").is_none() => {
            Err("sim without `value` or `m`".into())
        }
        ArtefactKind::Similarity => square(of("m")),
        ArtefactKind::Attention if of("w").and_then(|w| w.shape.as_ref()).is_none_or(|s| s.len() < 2) => {
            Err("`w` needs at least two axes".into())
        }
        ArtefactKind::Perplexity => match (numbers(of("edges")), numbers(of("counts"))) {
            (Some(edges), Some(counts)) => check_buckets(edges, counts),
            _ => Err("perplexity needs numbers `edges` and `counts`".into()),
        },
        _ => Ok(()),
    }
}

fn square(field: Option<&Checked>) -> Result<(), Reason> {
    match field.and_then(|f| f.shape.as_deref()) {
        None => Ok(()),
        Some([rows, columns]) if rows == columns => Ok(()),
        Some(_) => Err("`m` is not square".into()),
    }
}

fn numbers(field: Option<&Checked>) -> Option<&[f64]> {
    match field.and_then(|f| f.payload.as_ref()) {
        Some(Payload::Array(array)) if array.shape().len() == 1 => Some(array.values()),
        _ => None,
    }
}
