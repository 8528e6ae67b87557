//! All runs, and how a batch enters them.

use std::{cmp::Ordering, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Change, Event, Limits, Run, StoredArtefact,
    budget::{Pressure, Relief},
    facts::{Facts, merge_info},
    file_part::Place,
    order,
};
use crate::model::{Batch, Column, FileId, Record, RunId};

/// Everything that was read, within [`Limits`].
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    pressure: Pressure,
    /// In order of arrival; `sorted` holds their natural order.
    runs: Vec<Run>,
    index: FxHashMap<RunId, u32>,
    sorted: Vec<u32>,
    series_bytes: usize,
    record_bytes: usize,
    generation: u64,
}

impl Store {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            pressure: Pressure::default(),
            runs: Vec::new(),
            index: FxHashMap::default(),
            sorted: Vec::new(),
            series_bytes: 0,
            record_bytes: 0,
            generation: 0,
        }
    }

    /// Takes in what a reader brought; says what changed by it, in order.
    pub fn apply(&mut self, batch: &Batch) -> Vec<Change> {
        let mut changes = Vec::with_capacity(batch.columns.len() + batch.records.len() + 1);
        let slot = self.run_slot(&batch.run, &mut changes);
        let pressure = self.pressure;
        let Some(run) = self.runs.get_mut(slot) else { return changes };
        let (series_before, records_before) = (run.series_bytes, run.record_bytes());
        run.apply(batch, pressure, &mut changes);
        self.series_bytes = (self.series_bytes + run.series_bytes).saturating_sub(series_before);
        self.record_bytes = (self.record_bytes + run.record_bytes()).saturating_sub(records_before);
        self.generation += 1;
        self.relieve();
        changes
    }

    /// Sets another limit; what is too much already is thinned at once.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.relieve();
    }

    /// All runs in natural order of their names: `run_2` before `run_10`.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.sorted.iter().filter_map(|at| self.runs.get(*at as usize))
    }

    /// One run.
    pub fn run(&self, id: &RunId) -> Option<&Run> {
        self.index.get(id).and_then(|at| self.runs.get(*at as usize))
    }

    /// How many runs.
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Memory that the store takes, estimated from the capacities of its lists.
    pub fn memory_bytes(&self) -> usize {
        let runs = self.runs.len() * (size_of::<Run>() + 256);
        self.series_bytes + self.record_bytes + runs
    }

    /// Rises with every batch.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn run_slot(&mut self, id: &RunId, changes: &mut Vec<Change>) -> usize {
        if let Some(at) = self.index.get(id) {
            return *at as usize;
        }
        let slot = self.runs.len();
        let runs = &self.runs;
        let before = |n: &u32| order::natural(runs[*n as usize].id().as_str(), id.as_str()) == Ordering::Less;
        let at = self.sorted.partition_point(before);
        self.sorted.insert(at, slot as u32);
        self.index.insert(id.clone(), slot as u32);
        self.runs.push(Run::new(id.clone()));
        changes.push(Change::RunAppeared { run: id.clone() });
        slot
    }

    /// Halves capacities until the limit is kept or nothing more can be gained.
    fn relieve(&mut self) {
        while self.memory_bytes() > self.limits.bytes {
            match self.pressure.rise(self.series_bytes, self.record_bytes) {
                Some(Relief::Series) => {
                    for run in &mut self.runs {
                        run.thin_series(self.pressure);
                    }
                    self.series_bytes = self.runs.iter().map(|r| r.series_bytes).sum();
                }
                Some(Relief::Records) => {
                    for run in &mut self.runs {
                        run.thin_records(self.pressure);
                    }
                    self.record_bytes = self.runs.iter().map(Run::record_bytes).sum();
                }
                None => return,
            }
        }
    }
}

impl Run {
    fn apply(&mut self, batch: &Batch, pressure: Pressure, changes: &mut Vec<Change>) {
        self.generation += 1;
        if batch.reset {
            self.forget(batch.origin.file);
            changes.push(Change::FileForgotten { run: self.id.clone(), file: batch.origin.file });
        }
        let known_files = self.files.len();
        let part = self.part(&Place::of(&batch.origin));
        let place = self.files[part].place.clone();
        let purges = self.purges();
        for (n, column) in batch.columns.iter().enumerate().filter(|(_, c)| !c.points.is_empty()) {
            self.add_column(n, column, part, &place, &purges, pressure, changes);
        }
        let mut merge = batch.reset || self.files.len() != known_files;
        for (n, record) in batch.records.iter().enumerate() {
            merge |= self.add_record(n, record, part, &place, pressure, changes);
        }
        if batch.reset {
            self.drop_empty_series();
            self.find_last_step();
        }
        if merge {
            self.facts = Facts::of(&self.files);
        } else {
            self.facts.refresh(&self.files);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one batch, taken apart once")]
    fn add_column(
        &mut self,
        n: usize,
        column: &Column,
        part: usize,
        place: &Arc<Place>,
        purges: &[(Arc<Place>, i64)],
        pressure: Pressure,
        changes: &mut Vec<Change>,
    ) {
        let (slot, new) = self.series_slot(&column.key);
        if new {
            changes.push(Change::SeriesAppeared { run: self.id.clone(), key: column.key.clone() });
        }
        let file = &mut self.files[part];
        file.has_points = true;
        file.end = None;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for p in column.points.iter().filter(|p| p.wall.is_finite()) {
            low = low.min(p.wall);
            high = high.max(p.wall);
        }
        file.saw(low);
        file.saw(high);
        let series = &mut self.series[slot];
        let before = if new { 0 } else { series.bytes() };
        let segments = series.segments().len();
        let stretches = series.append(place, &column.points);
        let recut = series.segments().len() != segments;
        if recut {
            series.recut(purges);
        }
        series.thin(pressure);
        // Names are shared with the index.
        let names = if new { 96 + column.key.tag.as_str().len() + column.key.context.len() } else { 0 };
        self.series_bytes = (self.series_bytes + series.bytes() + names).saturating_sub(before);
        for stretch in stretches {
            if stretch.restarts {
                let at = column.points[stretch.range.start].step;
                changes.push(Change::Restarted { run: self.id.clone(), key: column.key.clone(), at });
            }
            changes.push(Change::Points {
                run: self.id.clone(),
                key: column.key.clone(),
                column: n,
                range: stretch.range,
                superseded: stretch.behind,
            });
        }
        if recut {
            self.find_last_step();
        } else {
            self.last_step = self.last_step.max(self.series[slot].last_live().map(|p| p.step));
        }
    }

    /// True when the facts have to be merged anew.
    fn add_record(
        &mut self,
        n: usize,
        record: &Record,
        part: usize,
        place: &Arc<Place>,
        pressure: Pressure,
        changes: &mut Vec<Change>,
    ) -> bool {
        let run = self.id.clone();
        let file = &mut self.files[part];
        match record {
            Record::Layer(r) => {
                file.saw(r.wall.0);
                self.layers.add(place, r, pressure);
                let (layer, kind, step) = (r.layer.clone(), r.kind, r.step);
                changes.push(Change::Layer { run, layer, kind, step, record: n });
            }
            Record::Histogram(r) => {
                file.saw(r.wall.0);
                self.layers.add_histogram(place, r, pressure);
                let (layer, kind, step) = (r.layer.clone(), r.kind, r.step);
                changes.push(Change::Histogram { run, layer, kind, step, record: n });
            }
            Record::Confusion(r) => {
                file.saw(r.wall.0);
                file.epoch = r.epoch.or(file.epoch);
                if let Some(names) = &r.names {
                    file.classes.insert(r.task.clone(), names.clone());
                }
                self.confusions.add(place, r, pressure);
                changes.push(Change::Confusion { run, split: r.split.clone(), step: r.step, record: n });
                return r.epoch.is_some() || r.names.is_some();
            }
            Record::Classes { task, names } => {
                file.classes.insert(task.clone(), names.clone());
                changes.push(Change::Info { run });
                return true;
            }
            Record::Hyperparameters(values) => {
                file.hyperparameters.extend(values.iter().cloned());
                changes.push(Change::Info { run });
                return true;
            }
            Record::Info(info) => {
                merge_info(file.info.get_or_insert_default(), info);
                changes.push(Change::Info { run });
                return true;
            }
            Record::Purge { step } => {
                file.purge = Some(file.purge.map_or(*step, |p| p.min(*step)));
                let purges = self.purges();
                for series in &mut self.series {
                    series.recut(&purges);
                }
                self.find_last_step();
                changes.push(Change::Purged { run, at: *step });
            }
            Record::End(status) => {
                file.end = Some(*status);
                changes.push(Change::Ended { run, status: *status });
                return true;
            }
            Record::Text(_) | Record::Artefact(_) | Record::LoggedAlert(_) | Record::Event { .. } => {
                self.add_note(record, part, place, pressure);
                changes.push(Change::Noted { run, record: n });
            }
        }
        false
    }

    fn add_note(&mut self, record: &Record, part: usize, place: &Arc<Place>, pressure: Pressure) {
        let most = pressure.notes();
        let file = &mut self.files[part];
        match record {
            Record::Text(text) => {
                file.saw(text.wall.0);
                self.texts.add(place, text.clone(), most);
            }
            Record::Artefact(artefact) => {
                file.saw(artefact.wall.0);
                *self.artefact_counts.entry(artefact.kind).or_default() += 1;
                *self.artefact_files.entry(place.file).or_default().entry(artefact.kind).or_default() += 1;
                let stored = StoredArtefact { file: place.file, artefact: artefact.clone() };
                self.artefacts.add(place, stored, most);
            }
            Record::LoggedAlert(alert) => {
                file.saw(alert.wall.0);
                self.logged_alerts.add(place, alert.clone(), most);
            }
            Record::Event { step, wall, kind, value } => {
                file.saw(wall.0);
                let event = Event { step: *step, wall: *wall, kind: kind.clone(), value: value.clone() };
                self.events.add(place, event, most);
            }
            _ => {}
        }
    }

    /// Forgets what a file said. Series that become empty stay until the batch is in.
    fn forget(&mut self, file: FileId) {
        self.files.retain(|f| f.place.file != file);
        let purges = self.purges();
        for series in &mut self.series {
            series.forget(file);
            series.recut(&purges);
        }
        self.layers.forget(file);
        self.confusions.forget(file);
        self.texts.forget(file);
        self.artefacts.forget(file);
        self.events.forget(file);
        self.logged_alerts.forget(file);
        for (kind, n) in self.artefact_files.remove(&file).unwrap_or_default() {
            if let Some(all) = self.artefact_counts.get_mut(&kind) {
                *all -= n;
            }
        }
        self.artefact_counts.retain(|_, n| *n > 0);
        self.count_series_bytes();
    }

    fn thin_series(&mut self, pressure: Pressure) {
        for series in &mut self.series {
            series.thin(pressure);
        }
        self.count_series_bytes();
    }

    fn thin_records(&mut self, pressure: Pressure) {
        self.layers.thin(pressure);
        self.confusions.thin(pressure);
        self.texts.thin(pressure.notes());
        self.artefacts.thin(pressure.notes());
        self.events.thin(pressure.notes());
        self.logged_alerts.thin(pressure.notes());
    }

    fn count_series_bytes(&mut self) {
        let names = |s: &super::Series| 96 + s.key().tag.as_str().len() + s.key().context.len();
        self.series_bytes = self.series.iter().map(|s| s.bytes() + names(s)).sum();
    }
}
