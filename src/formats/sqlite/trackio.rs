//! Trackio's database of one project: metrics as JSON, one row per `log` call.
//!
//! Source: `gradio-app/trackio`, `trackio/sqlite_storage.py`. The JSON is stored as a blob in a text column; databases
//! before 0.24 know runs by name only.

use std::sync::Arc;

use rusqlite::Row;
use rustc_hash::FxHashMap;

use super::{
    gather::{Names, Run},
    values::flatten,
};
use crate::{
    formats::{
        Decoded,
        wire::{
            axes::wall_of_text,
            json_tree::{Json, Object, settings},
            sqlite::{Database, Trouble, bytes, integer, text},
        },
    },
    model::{HyperValue, LoggedAlert, Point, Record, WallTime},
};

#[derive(Default)]
struct Project {
    runs: Vec<(String, String, Run)>,
    places: FxHashMap<String, usize>,
    rows: u64,
    broken: u64,
    oddities: Vec<String>,
}

impl Project {
    /// The run of a row whose first columns are `run_id` and `run_name`; made if new.
    fn run(&mut self, row: &Row<'_>) -> Option<&mut Run> {
        let name = text(row, 1)?;
        let id = text(row, 0).unwrap_or(name);
        let at = if let Some(at) = self.places.get(id) {
            *at
        } else {
            let mut run = Run::default();
            run.info.name = Some(Arc::from(name));
            run.info.id = text(row, 0).map(Arc::from);
            self.runs.push((name.to_owned(), id.to_owned(), run));
            self.places.insert(id.to_owned(), self.runs.len() - 1);
            self.runs.len() - 1
        };
        self.runs.get_mut(at).map(|(.., run)| run)
    }

    /// Shows the JSON object in column `at` of a row to `take`, with its run.
    fn object(
        &mut self,
        row: &Row<'_>,
        at: usize,
        take: impl FnOnce(&mut Run, &Object<'_>, &mut Vec<String>),
    ) {
        let json = bytes(row, at).and_then(|json| Json::parse(json).ok());
        let mut oddities = std::mem::take(&mut self.oddities);
        match (json.as_ref().and_then(Json::object), self.run(row)) {
            (Some(object), Some(run)) => {
                take(run, object, &mut oddities);
                self.rows += 1;
            }
            _ => self.broken += 1,
        }
        self.oddities = oddities;
    }
}

/// Reads all of it; nothing is told before everything was read. `project`: what the file is called.
pub fn read(database: &Database, tables: &[String], project: &str, out: &mut Decoded) -> Result<(), Trouble> {
    let has = |table: &str| tables.iter().any(|t| t == table);
    let mut found = Project::default();
    if has("configs") {
        let query = database.select("configs", &["run_id", "run_name", "config"])?;
        database.rows(&query, |row| found.object(row, 2, |run, object, _| config(run, object)))?;
    }
    let query = database.select("metrics", &["run_id", "run_name", "metrics", "timestamp", "step"])?;
    database.rows(&query, |row| {
        let (step, wall) = (integer(row, 4).unwrap_or(0), when(row, 3));
        found.object(row, 2, |run, object, oddities| flatten(run, object, "", step, wall, oddities));
    })?;
    if has("system_metrics") {
        let query = database.select("system_metrics", &["run_id", "run_name", "metrics", "timestamp"])?;
        database.rows(&query, |row| {
            let wall = when(row, 3);
            found.object(row, 2, |run, object, _| system(run, object, wall));
        })?;
    }
    if has("alerts") {
        let columns = ["run_id", "run_name", "title", "text", "level", "timestamp", "step"];
        database.rows(&database.select("alerts", &columns)?, |row| alert(&mut found, row))?;
    }
    tell(found, project, out);
    Ok(())
}

fn when(row: &Row<'_>, at: usize) -> WallTime {
    WallTime(text(row, at).and_then(wall_of_text).unwrap_or(f64::NAN))
}

/// Names that begin with `_` are Trackio's own.
fn config(run: &mut Run, object: &Object<'_>) {
    run.info.started = object.text("_Created").and_then(wall_of_text);
    run.info.labels.extend(object.text("_Group").map(|group| Arc::from(format!("group={group}"))));
    let all = settings(object);
    let own = |(name, _): &(Arc<str>, HyperValue)| !name.starts_with('_');
    run.settings.extend(all.into_iter().filter(own));
}

/// Measurements of the machine have no step: they are counted.
fn system(run: &mut Run, object: &Object<'_>, wall: WallTime) {
    for (name, value) in object.entries() {
        if let Some(value) = value.number() {
            let tag = format!("system/{name}");
            let step = crate::model::Step::try_from(run.points_of(tag.as_bytes()))
                .unwrap_or(crate::model::Step::MAX);
            run.point(tag.as_bytes(), Point { step, wall: wall.0, value });
        }
    }
}

fn alert(found: &mut Project, row: &Row<'_>) {
    let word = |at| Arc::<str>::from(text(row, at).unwrap_or_default());
    let (step, wall) = (integer(row, 6), when(row, 5));
    if let Some(run) = found.run(row) {
        run.records.push(Record::LoggedAlert(LoggedAlert {
            step,
            wall,
            rule: word(2),
            severity: word(4),
            place: Arc::from(""),
            message: word(3),
        }));
        found.rows += 1;
    }
}

fn tell(found: Project, project: &str, out: &mut Decoded) {
    out.count_records(found.rows);
    if found.broken > 0 {
        out.skip(0, 0, format!("{} rows hold no JSON object", found.broken));
    }
    found.oddities.iter().for_each(|name| out.oddity(name));
    let mut names = Names::default();
    for (name, id, run) in found.runs {
        let path = if project.is_empty() { name } else { format!("{project}/{name}") };
        run.emit(&names.unique(&path, &id), out);
    }
}
