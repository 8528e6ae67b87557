//! MLflow's tracking store in SQLite (`mlflow.db`).
//!
//! Only `experiments`, `runs`, `metrics`, `params` and `tags` are looked at; they have kept their meaning through all
//! versions of the schema. Source: `mlflow/mlflow`, `mlflow/store/tracking/dbmodels/models.py` and
//! `sqlalchemy_store.py` (NaN is stored as 0 with `is_nan`, ±∞ as ±`sys.float_info.max`).

use std::sync::Arc;

use rusqlite::Row;
use rustc_hash::FxHashMap;

use super::gather::{Names, Run, setting};
use crate::{
    formats::{
        Decoded,
        mlflow::{facts, facts::Fact},
        wire::sqlite::{Database, Trouble, bytes, integer, real, text},
    },
    model::{Point, Record},
};

/// Nesting of runs beyond this is not told in a name.
const DEPTH_LIMIT: usize = 8;

#[derive(Default)]
struct Store {
    runs: Vec<Stored>,
    places: FxHashMap<Box<[u8]>, usize>,
    /// The run of the last row.
    last: usize,
}

struct Stored {
    id: String,
    experiment: Option<String>,
    parent: Option<String>,
    deleted: bool,
    run: Run,
}

impl Store {
    fn run(&mut self, id: &[u8]) -> Option<&mut Stored> {
        if self.runs.get(self.last).is_none_or(|r| r.id.as_bytes() != id) {
            self.last = *self.places.get(id)?;
        }
        self.runs.get_mut(self.last)
    }
}

/// Reads all of it; nothing is told before everything was read.
pub fn read(database: &Database, out: &mut Decoded) -> Result<(), Trouble> {
    let mut store = Store::default();
    let mut rows = runs(database, &mut store)?;
    rows += database.rows(&database.select("tags", &["run_uuid", "key", "value"])?, |row| {
        if let Some((run, key, value)) = setting_of(&mut store, row) {
            tag(run, key, value);
        }
    })?;
    rows += database.rows(&database.select("params", &["run_uuid", "key", "value"])?, |row| {
        if let Some((run, key, value)) = setting_of(&mut store, row) {
            run.run.settings.push((Arc::from(key), setting(value)));
        }
    })?;
    let (points, strange) = metrics(database, &mut store)?;
    out.count_records(rows + points);
    if strange > 0 {
        out.skip(0, 0, format!("{strange} metrics belong to no run or have no value"));
    }
    tell(store, out);
    Ok(())
}

fn runs(database: &Database, store: &mut Store) -> Result<u64, Trouble> {
    let mut experiments: FxHashMap<i64, (String, bool)> = FxHashMap::default();
    let columns = ["experiment_id", "name", "lifecycle_stage"];
    let mut rows = database.rows(&database.select("experiments", &columns)?, |row| {
        if let (Some(id), Some(name)) = (integer(row, 0), text(row, 1)) {
            experiments.insert(id, (name.to_owned(), text(row, 2) == Some("deleted")));
        }
    })?;
    let columns = ["run_uuid", "name", "status", "start_time", "experiment_id", "lifecycle_stage"];
    rows += database.rows(&database.select("runs", &columns)?, |row| {
        let Some(id) = text(row, 0) else { return };
        let experiment = integer(row, 4).and_then(|id| experiments.get(&id));
        let mut run = Run::default();
        run.info.id = Some(Arc::from(id));
        run.info.name = text(row, 1).filter(|name| !name.is_empty()).map(Arc::from);
        run.info.started = integer(row, 3).map(seconds);
        run.end = text(row, 2).and_then(facts::end_of_word);
        let deleted = text(row, 5) == Some("deleted") || experiment.is_some_and(|(_, deleted)| *deleted);
        store.places.entry(Box::from(id.as_bytes())).or_insert(store.runs.len());
        store.runs.push(Stored {
            id: id.to_owned(),
            experiment: experiment.map(|(name, _)| name.clone()),
            parent: None,
            deleted,
            run,
        });
    })?;
    Ok(rows)
}

fn setting_of<'a, 'b>(store: &'a mut Store, row: &'b Row<'_>) -> Option<(&'a mut Stored, &'b str, &'b str)> {
    let run = store.run(bytes(row, 0)?).filter(|r| !r.deleted)?;
    Some((run, text(row, 1)?, text(row, 2).unwrap_or_default()))
}

fn tag(stored: &mut Stored, key: &str, value: &str) {
    match facts::of_tag(key, value) {
        Fact::Name(name) => {
            stored.run.info.name.get_or_insert(name);
        }
        Fact::Parent(id) => stored.parent = Some(id.to_string()),
        Fact::Commit(commit) => stored.run.info.git = Some(commit),
        Fact::Note(note) => stored.run.records.push(Record::Text(note)),
        Fact::Label(label) => stored.run.info.labels.push(label),
        Fact::Other => {}
    }
}

/// Points, and how many rows were none.
fn metrics(database: &Database, store: &mut Store) -> Result<(u64, u64), Trouble> {
    let columns = ["run_uuid", "key", "value", "timestamp", "step", "is_nan"];
    let mut strange = 0;
    let rows = database.rows(&database.select("metrics", &columns)?, |row| {
        let Some(run) = bytes(row, 0).and_then(|id| store.run(id)) else {
            strange += 1;
            return;
        };
        let (Some(key), false) = (bytes(row, 1), run.deleted) else { return };
        let value = if integer(row, 5) == Some(1) { Some(f64::NAN) } else { real(row, 2).map(unbounded) };
        let Some(value) = value else {
            strange += 1;
            return;
        };
        let wall = integer(row, 3).map_or(f64::NAN, seconds);
        run.run.point(key, Point { step: integer(row, 4).unwrap_or(0), wall, value });
    })?;
    Ok((rows - strange, strange))
}

/// MLflow writes the largest double for infinity.
fn unbounded(value: f64) -> f64 {
    if value.abs() >= f64::MAX { f64::INFINITY.copysign(value) } else { value }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn tell(mut store: Store, out: &mut Decoded) {
    let paths: Vec<String> = (0..store.runs.len()).map(|at| path(&store, at)).collect();
    let mut names = Names::default();
    for (stored, path) in store.runs.iter_mut().zip(&paths) {
        if stored.deleted {
            out.oddity("runs that were deleted in MLflow");
            continue;
        }
        let mut run = std::mem::take(&mut stored.run);
        run.in_order_of_time();
        run.count_where_no_step();
        run.emit(&names.unique(path, &stored.id), out);
    }
}

/// Experiment, the runs that it is nested in, its own name.
fn path(store: &Store, at: usize) -> String {
    let mut parts = Vec::new();
    let mut next = Some(at);
    while let Some(stored) = next.and_then(|at| store.runs.get(at)).filter(|_| parts.len() <= DEPTH_LIMIT) {
        let short = super::gather::cut(&stored.id, 8);
        parts.push(stored.run.info.name.as_deref().unwrap_or(short));
        next = stored.parent.as_ref().and_then(|id| store.places.get(id.as_bytes())).copied();
    }
    parts.extend(store.runs.get(at).and_then(|r| r.experiment.as_deref()));
    parts.reverse();
    parts.join("/")
}
