//! Dicts with a `_type`: histograms, tables, pictures and other media.

use std::{cmp::Ordering, sync::Arc};

use rustc_hash::FxHashMap;

use super::keys::Keys;
use crate::{
    formats::{
        Decoded,
        wire::{blocks::Place, buckets::Buckets, json_tree::Json},
    },
    model::{Artefact, ArtefactKind, HistogramRecord, Payload, Record, Step, WallTime, natural},
};

/// Bytes of a path or caption that are kept.
const TEXT_LIMIT: usize = 4096;
/// Buckets of a `packedBins` histogram, which says only how many there are.
const PACKED_LIMIT: f64 = 65_536.0;

/// When, and in which record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub step: Step,
    pub wall: WallTime,
    pub place: Place,
}

/// The name and value of each part of one dict.
type Fields<'a> = Vec<(String, Json<'a>)>;

/// The parts of the dicts of one row, gathered from items in any order.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    all: Vec<(u32, Fields<'a>)>,
    places: FxHashMap<u32, usize>,
}

impl<'a> Parts<'a> {
    /// Adds one part.
    pub fn add(&mut self, dict: u32, name: String, value: Json<'a>) {
        let at = *self.places.entry(dict).or_insert(self.all.len());
        match self.all.get_mut(at) {
            Some((_, fields)) => fields.push((name, value)),
            None => self.all.push((dict, vec![(name, value)])),
        }
    }

    /// The dicts, in natural order of their names and a layer's weight before its bias: the items of a row come in
    /// random order, and layers are shown in that of their first appearance.
    pub fn in_order(mut self, keys: &mut Keys) -> Vec<(u32, Fields<'a>)> {
        if self.all.len() > 1 {
            let mut name = |dict: u32| keys.dict(dict).map_or_else(|| Arc::from(""), |d| Arc::clone(&d.name));
            let mut named: Vec<_> =
                self.all.drain(..).map(|(dict, fields)| (name(dict), dict, fields)).collect();
            named.sort_by(|a, b| in_network(&a.0, &b.0));
            self.all = named.into_iter().map(|(_, dict, fields)| (dict, fields)).collect();
        }
        self.all
    }
}

fn in_network(a: &str, b: &str) -> Ordering {
    let split = |name: &str| name.rfind('.').unwrap_or(0);
    let ((a_layer, a_leaf), (b_layer, b_leaf)) = (a.split_at(split(a)), b.split_at(split(b)));
    let rank = |leaf: &str| match leaf {
        ".weight" => 0,
        ".bias" => 1,
        _ => 2,
    };
    natural(a_layer, b_layer)
        .then_with(|| rank(a_leaf).cmp(&rank(b_leaf)))
        .then_with(|| natural(a_leaf, b_leaf))
}

/// What the fields of a dict are.
struct Rich<'f, 'a>(&'f [(String, Json<'a>)]);

impl<'f, 'a> Rich<'f, 'a> {
    fn get(&self, name: &str) -> Option<&'f Json<'a>> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&'f str> {
        self.get(name).and_then(Json::text)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Json::number)
    }
}

/// True for what W&B puts into the summary alone: the graph of a model that is watched.
pub(super) fn only_in_summary(fields: &[(String, Json<'_>)]) -> bool {
    Rich(fields).text("_type") == Some("graph-file")
}

/// The same for a dict in one piece, from its first bytes: W&B sorts the keys of the summary. False where they are in
/// another order.
pub(super) fn is_of_history(json: &[u8]) -> bool {
    let value = json.strip_prefix(br#"{"_type":"#).map(<[u8]>::trim_ascii_start);
    value.is_some_and(|value| !value.starts_with(br#""graph-file""#))
}

/// Takes one dict.
pub(super) fn take(
    fields: &[(String, Json<'_>)],
    dict: u32,
    keys: &mut Keys,
    moment: Moment,
    out: &mut Decoded,
) {
    let rich = Rich(fields);
    let Some(known) = keys.dict(dict) else { return };
    let kind = match rich.text("_type").unwrap_or_default() {
        "histogram" => {
            match histogram(&rich) {
                Some(buckets) => {
                    let subject = known.subject().clone();
                    let Moment { step, wall, .. } = moment;
                    let Buckets { edges, counts, stats } = buckets;
                    let (layer, kind) = (subject.layer, subject.kind);
                    out.record(Record::Histogram(HistogramRecord {
                        layer,
                        kind,
                        step,
                        wall,
                        edges,
                        counts,
                        stats,
                    }));
                }
                None => out.oddity("histogram whose numbers do not fit"),
            }
            return;
        }
        kind => artefact_kind(kind),
    };
    let Some(kind) = kind else {
        return out.oddity("value of an unknown type");
    };
    out.record(Record::Artefact(Artefact {
        kind,
        name: Arc::clone(&known.name),
        step: Some(moment.step),
        wall: moment.wall,
        offset: moment.place.offset,
        bytes: moment.place.bytes,
        fields: described(&rich),
    }));
}

fn artefact_kind(kind: &str) -> Option<ArtefactKind> {
    Some(match kind {
        "image-file" | "images" | "images/separated" | "video-file" | "videos" => ArtefactKind::Image,
        "audio-file" | "audio" => ArtefactKind::Audio,
        "graph-file" => ArtefactKind::Graph,
        "object3D-file" | "object3D" | "molecule-file" | "molecule" => ArtefactKind::Mesh,
        "table-file" | "table" | "joined-table" | "partitioned-table" | "html-file" | "html"
        | "plotly-file" | "plotly" | "bokeh-file" | "wandb.bokeh" | "vega-file" => ArtefactKind::Table,
        _ => return None,
    })
}

/// Counts and edges: written out, or `packedBins` with only the first edge and the width.
fn histogram(rich: &Rich<'_, '_>) -> Option<Buckets> {
    let counts = rich.get("values").and_then(Json::numbers)?;
    if let Some(edges) = rich.get("bins").and_then(Json::numbers) {
        return Buckets::new(&edges, &counts);
    }
    let packed = rich.get("packedBins").and_then(Json::object)?;
    let (min, size, count) = (packed.number("min")?, packed.number("size")?, packed.number("count")?);
    if !(0.0..=PACKED_LIMIT).contains(&count) || count as usize != counts.len() {
        return None;
    }
    let edges: Vec<f64> = (0..=counts.len()).map(|n| min + size * n as f64).collect();
    Buckets::new(&edges, &counts)
}

/// Paths, sizes and captions: what is cheap to keep. Media lie below `files/` of the run's folder.
fn described(rich: &Rich<'_, '_>) -> Vec<(Arc<str>, Payload)> {
    let mut fields: Vec<(Arc<str>, Payload)> = Vec::new();
    if let Some(path) = rich.text("path").and_then(below) {
        fields.push(("path".into(), Payload::File { path, shape: Vec::new() }));
    }
    if let Some(names) = rich.get("filenames").and_then(Json::elements) {
        let names = names.iter().take(64).map(|name| name.text().map(cut)).collect();
        fields.push(("filenames".into(), Payload::Texts(names)));
    }
    for name in ["ncols", "nrows", "width", "height", "count"] {
        if let Some(number) = rich.number(name) {
            fields.push((name.into(), Payload::Number(number)));
        }
    }
    if let Some(caption) = rich.text("caption") {
        fields.push(("caption".into(), Payload::Text(cut(caption))));
    }
    fields
}

fn cut(text: &str) -> Arc<str> {
    Arc::from(text.get(..text.floor_char_boundary(TEXT_LIMIT)).unwrap_or(text))
}

/// The path of a medium from the run's folder on, if it stays below it.
fn below(path: &str) -> Option<Arc<str>> {
    let inside = !path.starts_with(['/', '\\']) && path.split(['/', '\\']).all(|part| part != "..");
    (inside && path.len() <= TEXT_LIMIT).then(|| format!("files/{path}").into())
}
