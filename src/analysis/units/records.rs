//! Which records of a run speak of the units of which layer.

use std::{collections::BTreeMap, sync::Arc};

use super::{Curves, UnitRecord};
use crate::{
    analysis::inspect,
    model::{Artefact, ArtefactKind, LayerName, NumericArray, Step, natural, same_layer},
    store::{Run, StoredArtefact, up_to},
};

/// Whether a record that names `subject` speaks of the layer of a row: the same name, or the module that a parameter
/// such as `conv1.weight` belongs to, however they are spelled.
pub fn speaks_of(row: &str, subject: &str) -> bool {
    let (row, subject) = (same_layer(row), same_layer(subject));
    row == subject || row.rsplit_once('.').is_some_and(|(module, _)| module == subject)
}

/// Names that records of units or of credit give to layers: in the order of the network where its layers are known,
/// the others behind in natural order.
pub fn layers(run: &Run) -> Vec<Arc<str>> {
    let tracks = run.tracks(ArtefactKind::Units).chain(run.tracks(ArtefactKind::Credit));
    let mut names: Vec<Arc<str>> = tracks.map(|(key, _)| key.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, row) in run.layers().rows().enumerate() {
        let name = same_layer(row.layer.as_str());
        if let Some((module, _)) = name.rsplit_once('.') {
            places.entry(module.to_owned()).or_insert(at);
        }
        places.entry(name.into_owned()).or_insert(at);
    }
    let place = |name: &str| places.get(&*same_layer(name)).copied().unwrap_or(usize::MAX);
    names.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| natural(a, b)));
    names
}

/// The layer among [`layers`] that an alert or a row speaks of.
pub fn find<'a>(layers: &'a [Arc<str>], row: &LayerName) -> Option<&'a Arc<str>> {
    layers.iter().find(|name| speaks_of(row.as_str(), name))
}

/// What was logged per unit of a layer, by statistic: `mean_act`, `max_act`, …, with the split where it is not
/// training.
pub fn statistics<'a>(run: &'a Run, layer: &str) -> Vec<(&'a Arc<str>, &'a [StoredArtefact])> {
    let tracks = run.tracks(ArtefactKind::Units);
    tracks.filter(|(key, _)| &*key.name == layer).map(|(key, records)| (&key.aspect, records)).collect()
}

/// Credit that was assigned to the units of a layer, by method and target.
pub fn credits<'a>(run: &'a Run, layer: &str) -> Vec<(&'a Arc<str>, &'a [StoredArtefact])> {
    let tracks = run.tracks(ArtefactKind::Credit);
    tracks.filter(|(key, _)| &*key.name == layer).map(|(key, records)| (&key.aspect, records)).collect()
}

/// Numbers and ids of a record of units; `None` where they were not kept in memory.
fn unit_record(artefact: &Artefact) -> Option<UnitRecord<'_>> {
    Some(UnitRecord {
        step: artefact.step?,
        ids: artefact.array("ids").map(NumericArray::values),
        values: artefact.array("v")?.values(),
    })
}

/// Curves of records of one subject.
pub fn curves(records: &[StoredArtefact]) -> Curves {
    let records: Vec<UnitRecord<'_>> = records.iter().filter_map(|r| unit_record(&r.artefact)).collect();
    Curves::from_records(&records)
}

/// Numbers of one unit, as far as they were logged or follow from responses.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UnitFigure {
    /// The writer's number of the unit.
    pub unit: u64,
    /// Share of its variance that lies between classes, 0…1.
    pub eta2: Option<f64>,
    /// Share of responses in which it is active, 0…1.
    pub density: Option<f64>,
    /// Its largest response.
    pub most: Option<f64>,
    /// Its mean response.
    pub mean: Option<f64>,
}

/// Numbers of the units of one layer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UnitFigures {
    /// In ascending order of their numbers.
    pub units: Vec<UnitFigure>,
    /// Step of the newest record that is in here.
    pub step: Option<Step>,
}

/// Statistics that become figures.
const FIGURES: [&str; 5] = ["eta2", "density", "freq", "max_act", "mean_act"];

/// The newest numbers of each unit of the layer of a row, up to and with `until`: records of units with the statistics
/// `eta2`, `density` (or the frequency `freq` beside any), `max_act` and `mean_act`; what is missing is worked out from
/// labelled responses, where there are some. Records of other splits than training are passed over.
pub fn figures(run: &Run, row: &str, until: Option<Step>) -> UnitFigures {
    let mut found: BTreeMap<u64, UnitFigure> = BTreeMap::new();
    let mut all = UnitFigures::default();
    for (key, records) in run.tracks(ArtefactKind::Units).filter(|(key, _)| speaks_of(row, &key.name)) {
        let Some(last) = up_to(records, until).last().map(|r| &r.artefact) else { continue };
        let Some(record) = unit_record(last) else { continue };
        let frequency = last.array("freq").map(NumericArray::values);
        let says = frequency.is_some() || FIGURES.contains(&&*key.aspect);
        if !says || last.text("split").is_some_and(|split| split != "train") {
            continue;
        }
        all.step = all.step.max(Some(record.step));
        for (at, value) in record.values.iter().enumerate() {
            let unit = super::curves::id_of(record.ids, at);
            let figure = found.entry(unit).or_insert_with(|| UnitFigure { unit, ..UnitFigure::default() });
            match &*key.aspect {
                "eta2" => figure.eta2 = Some(*value),
                "density" | "freq" => figure.density = Some(*value),
                "max_act" => figure.most = Some(*value),
                "mean_act" => figure.mean = Some(*value),
                _ => {}
            }
            if let Some(frequency) = frequency.and_then(|f| f.get(at)) {
                figure.density = figure.density.or(Some(*frequency));
            }
        }
    }
    if let Some(record) = responses(run, row, until) {
        from_responses(record, &mut found, &mut all);
    }
    all.units = found.into_values().collect();
    all
}

/// How well the layer of a row separates classes, by its newest labelled responses up to and with `until`. Compares
/// all pairs of instances: milliseconds.
pub fn separation(run: &Run, row: &str, until: Option<Step>) -> Option<inspect::Separation> {
    let record = responses(run, row, until)?;
    let responses = record.array("m")?;
    let &[_, width] = responses.shape() else { return None };
    inspect::gdv(responses.values(), width, &labels(record))
}

/// The newest responses of the layer of a row on training data.
fn responses<'a>(run: &'a Run, row: &str, until: Option<Step>) -> Option<&'a Artefact> {
    run.tracks(ArtefactKind::Responses)
        .filter(|(key, _)| speaks_of(row, &key.name) && key.aspect.is_empty())
        .find_map(|(_, records)| up_to(records, until).last())
        .map(|record| &record.artefact)
}

fn labels(record: &Artefact) -> Vec<i64> {
    let labels = record.array("labels").map_or(&[][..], NumericArray::values);
    labels.iter().map(|v| *v as i64).collect()
}

/// Adds what labelled responses tell.
fn from_responses(record: &Artefact, found: &mut BTreeMap<u64, UnitFigure>, all: &mut UnitFigures) {
    let Some(responses) = record.array("m") else { return };
    let &[_, width] = responses.shape() else { return };
    if width == 0 {
        return;
    }
    all.step = all.step.max(record.step);
    let labels = labels(record);
    for unit in 0..width {
        let column: Vec<f64> = responses.values().iter().skip(unit).step_by(width).copied().collect();
        let figure = found
            .entry(unit as u64)
            .or_insert_with(|| UnitFigure { unit: unit as u64, ..UnitFigure::default() });
        let eta2 = || inspect::eta_squared(column.iter().copied().zip(labels.iter().copied()));
        figure.eta2 = figure.eta2.or_else(eta2);
        figure.density = figure.density.or_else(|| inspect::density(&column));
        let finite = || column.iter().copied().filter(|v| v.is_finite());
        figure.most = figure.most.or_else(|| finite().reduce(f64::max));
        let count = finite().count() as f64;
        figure.mean = figure.mean.or_else(|| (count > 0.0).then(|| finite().map(|v| v / count).sum()));
    }
}
