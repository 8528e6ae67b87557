//! Plots, which ClearML keeps as Plotly's JSON.
//!
//! A confusion matrix is a `heatmap`: rows of `z` go with `y`, columns with `x`. `Logger.report_confusion_matrix` asks
//! for the titles of the axes and fills in none: without titles that say so, nobody knows which axis is the truth, and
//! the plot is kept as a table. What `report_histogram` draws are bars of whatever numbers it is given, which need not
//! be counts: a table as well.

use std::sync::Arc;

use crate::{
    formats::{
        by_line::Place,
        matrices::{Matrix, from_rows, rows_are_true},
        wire::json_tree::{Json, Object},
    },
    model::{Artefact, ArtefactKind, ConfusionRecord, Payload, Record, Step, Tag, WallTime},
};

/// The record of a plot. `otherwise` is the reason that is given for a plot that is no matrix.
pub(super) fn plot(
    text: &str,
    tag: &Tag,
    variant: &str,
    step: Step,
    wall: WallTime,
    place: Place,
    otherwise: &'static str,
) -> Record {
    let reason = match matrix(text) {
        Some(Ok(Matrix { counts, names })) => {
            return Record::Confusion(ConfusionRecord {
                split: Arc::from(variant),
                step,
                epoch: None,
                wall,
                matrix: counts,
                names: names.map(Into::into),
                task: Arc::from(""),
            });
        }
        Some(Err(reason)) => reason,
        None => otherwise,
    };
    Record::Artefact(Artefact {
        kind: ArtefactKind::Table,
        name: tag.as_str().into(),
        step: Some(step),
        wall,
        offset: place.offset,
        bytes: place.bytes,
        fields: vec![(Arc::from("reason"), Payload::Text(Arc::from(reason)))],
    })
}

/// The matrix of a heat map; `None` for other plots.
fn matrix(text: &str) -> Option<Result<Matrix, &'static str>> {
    let json = Json::parse(text.as_bytes()).ok()?;
    let figure = json.object()?;
    let traces = figure.get("data")?.elements()?;
    let trace = traces.first()?.object()?;
    if trace.text("type") != Some("heatmap") {
        return None;
    }
    Some(of_trace(trace, figure.get("layout").and_then(Json::object)))
}

fn of_trace(trace: &Object<'_>, layout: Option<&Object<'_>>) -> Result<Matrix, &'static str> {
    let title = |axis| layout.and_then(|layout| title(layout, axis)).unwrap_or_default();
    let rows_true = rows_are_true(&title("yaxis"), &title("xaxis"))?
        .ok_or("a heat map whose axes do not say which of them is the true class")?;
    let rows = trace.get("z").and_then(Json::elements).ok_or("a heat map without numbers")?;
    let rows = rows.iter().map(|row| row.numbers().map(|row| row.to_vec())).collect::<Option<Vec<_>>>();
    let names = ["y", "x"].iter().find_map(|axis| {
        let names = trace.get(axis)?.elements()?;
        names.iter().map(|name| Some(Arc::from(&*name.name()?))).collect::<Option<Vec<Arc<str>>>>()
    });
    from_rows(&rows.ok_or("a heat map without numbers")?, names, rows_true)
}

/// Plotly has a title as text, or as an object with the text in it.
fn title(layout: &Object<'_>, axis: &str) -> Option<String> {
    match layout.get(axis)?.object()?.get("title")? {
        Json::Text(text) => Some(text.clone().into_owned()),
        Json::Object(title) => title.text("text").map(str::to_owned),
        _ => None,
    }
}
