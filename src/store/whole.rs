//! All runs, and how a batch enters them.

use std::{cmp::Ordering, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Change, Limits, Run,
    budget::{Pressure, Relief},
    order,
    titles::Titles,
};
use crate::model::{Batch, LayerRecord, Meanings, Origin, RunId};

/// Everything that was read, within [`Limits`].
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    /// Handed to every run that appears.
    meanings: Arc<Meanings>,
    pressure: Pressure,
    /// In order of arrival; `sorted` holds their natural order.
    runs: Vec<Run>,
    index: FxHashMap<RunId, u32>,
    sorted: Vec<u32>,
    titles: Titles,
    series_bytes: usize,
    record_bytes: usize,
    generation: u64,
}

impl Store {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            meanings: Arc::default(),
            pressure: Pressure::default(),
            runs: Vec::new(),
            index: FxHashMap::default(),
            sorted: Vec::new(),
            titles: Titles::default(),
            series_bytes: 0,
            record_bytes: 0,
            generation: 0,
        }
    }

    /// Takes in what a reader brought; says what changed by it, in order.
    pub fn apply(&mut self, batch: &Batch) -> Vec<Change> {
        let mut changes = Vec::with_capacity(batch.columns.len() + batch.records.len() + 1);
        if batch.reset && batch.is_empty() && !self.index.contains_key(&batch.run) {
            return changes;
        }
        let slot = self.run_slot(&batch.run, &mut changes);
        let pressure = self.pressure;
        let Some(run) = self.runs.get_mut(slot) else { return changes };
        let (series_before, records_before) = (run.series_bytes, run.record_bytes());
        let name = run.info().name.clone();
        run.apply(batch, pressure, &mut changes);
        let named = run.info().name.clone();
        self.series_bytes = (self.series_bytes + run.series_bytes).saturating_sub(series_before);
        self.record_bytes = (self.record_bytes + run.record_bytes()).saturating_sub(records_before);
        self.generation += 1;
        if name != named {
            self.rename(&batch.run, name.as_ref(), named.as_ref());
        }
        self.relieve();
        changes
    }

    fn rename(&mut self, id: &RunId, before: Option<&Arc<str>>, now: Option<&Arc<str>>) {
        for (id, title) in self.titles.rename(id, before, now) {
            let slot = self.index.get(&id).copied();
            if let Some(run) = slot.and_then(|slot| self.runs.get_mut(slot as usize)) {
                run.title = title;
            }
        }
    }

    /// Forgets a run.
    pub fn remove(&mut self, id: &RunId) {
        let Some(slot) = self.index.remove(id) else { return };
        let run = self.runs.remove(slot as usize);
        self.series_bytes = self.series_bytes.saturating_sub(run.series_bytes);
        self.record_bytes = self.record_bytes.saturating_sub(run.record_bytes());
        self.sorted.retain(|at| *at != slot);
        for at in self.sorted.iter_mut().chain(self.index.values_mut()).filter(|at| **at > slot) {
            *at -= 1;
        }
        self.rename(id, run.info().name.as_ref(), None);
        self.generation += 1;
    }

    /// Takes in statistics of layers that were found among the scalars of a batch already applied. They are no changes:
    /// the scalars were.
    pub fn apply_layers(&mut self, id: &RunId, origin: &Origin, records: &[LayerRecord]) {
        let pressure = self.pressure;
        let Some(run) = self.index.get(id).and_then(|at| self.runs.get_mut(*at as usize)) else { return };
        let before = run.record_bytes();
        run.add_layers(origin, records, pressure);
        self.record_bytes = (self.record_bytes + run.record_bytes()).saturating_sub(before);
        self.relieve();
    }

    /// Says what series mean, of all runs that appear from now on: to be called before the first.
    pub fn set_meanings(&mut self, meanings: Arc<Meanings>) {
        self.meanings = meanings;
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
        self.runs.push(Run::new(id.clone(), Arc::clone(&self.meanings)));
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
