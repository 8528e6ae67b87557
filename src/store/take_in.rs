//! How a batch enters its run.

use std::{ops::Range, sync::Arc};

use super::{
    Change, Event, Run, StoredArtefact,
    budget::Pressure,
    facts::{Facts, merge_info},
    file_part::Place,
    series::name_bytes,
};
use crate::model::{Batch, Column, FileId, LayerRecord, Origin, Record, Step};

/// What goes along while a batch is taken apart.
struct Taking<'a> {
    /// The file's place, and where its part is in [`Run::files`].
    place: Arc<Place>,
    part: usize,
    pressure: Pressure,
    changes: &'a mut Vec<Change>,
    /// The live branch of some series was cut back: the run's last step may lie before.
    cut_back: bool,
    /// Facts of a file changed and have to be merged anew.
    merge: bool,
}

impl Run {
    pub(crate) fn apply(&mut self, batch: &Batch, pressure: Pressure, changes: &mut Vec<Change>) {
        self.generation += 1;
        if batch.reset {
            self.forget(batch.origin.file);
            changes.push(Change::FileForgotten { run: self.id.clone(), file: batch.origin.file });
            if batch.is_empty() {
                self.after_forgetting(changes);
                self.facts = Facts::of(&self.files);
                return;
            }
        }
        let known_files = self.files.len();
        let part = self.part(&Place::of(&batch.origin));
        let place = self.files[part].place.clone();
        let mut taking = Taking {
            place,
            part,
            pressure,
            changes,
            cut_back: batch.reset,
            merge: batch.reset || self.files.len() != known_files,
        };
        let purges = self.purges();
        for (n, column) in batch.columns.iter().enumerate().filter(|(_, c)| !c.points.is_empty()) {
            self.add_column(n, column, &purges, &mut taking);
        }
        for (n, record) in batch.records.iter().enumerate() {
            self.add_record(n, record, &mut taking);
        }
        let Taking { cut_back, merge, .. } = taking;
        if batch.reset {
            self.after_forgetting(changes);
        } else if cut_back {
            self.find_last_step();
        }
        if merge {
            self.facts = Facts::of(&self.files);
        } else {
            self.facts.refresh(&self.files);
        }
    }

    /// Series that a file had alone go with it; others are shown from the next best file.
    fn after_forgetting(&mut self, changes: &mut Vec<Change>) {
        for key in self.drop_empty_series() {
            changes.push(Change::Switched { run: self.id.clone(), key });
        }
        self.find_last_step();
    }

    fn add_column(
        &mut self,
        n: usize,
        column: &Column,
        purges: &[(Arc<Place>, Step)],
        taking: &mut Taking<'_>,
    ) {
        let mut switched = Vec::new();
        let (slot, new) = self.series_slot(&column.key, &taking.place, &mut switched);
        taking.cut_back |= !switched.is_empty();
        for key in switched {
            taking.changes.push(Change::Switched { run: self.id.clone(), key });
        }
        let shown = self.series[slot].shown;
        if new && shown {
            taking.changes.push(Change::SeriesAppeared { run: self.id.clone(), key: column.key.clone() });
        }
        let file = &mut self.files[taking.part];
        file.has_points = true;
        // Whatever an earlier batch said of the end: the file goes on.
        file.end = None;
        file.saw_all(&column.points);
        let series = &mut self.series[slot];
        let before = if new { 0 } else { series.bytes() };
        let stretches = series.append(&taking.place, &column.points);
        if stretches.iter().any(|s| s.began) && (series.segments().len() > 1 || !purges.is_empty()) {
            series.recut(purges);
        }
        series.thin(taking.pressure);
        let names = if new { name_bytes(series.key()) } else { 0 };
        self.series_bytes = (self.series_bytes + series.bytes() + names).saturating_sub(before);
        if !shown {
            taking.changes.push(Change::Shadowed { run: self.id.clone(), new, column: n });
            return;
        }
        if stretches.iter().any(|s| s.behind) {
            self.last_step = self.last_step.max(series.last_live().map(|p| p.step));
        } else {
            self.last_step = self.last_step.max(column.points.last().map(|p| p.step));
        }
        for stretch in stretches {
            if stretch.restarts {
                taking.cut_back = true;
                let at = column.points[stretch.range.start].step;
                taking.changes.push(Change::Restarted { run: self.id.clone(), key: column.key.clone(), at });
            }
            let Range { start, end } = stretch.range;
            taking.changes.push(Change::Points {
                run: self.id.clone(),
                key: column.key.clone(),
                column: n,
                range: start..end,
                superseded: stretch.behind,
            });
        }
    }

    fn add_record(&mut self, n: usize, record: &Record, taking: &mut Taking<'_>) {
        let run = self.id.clone();
        let file = &mut self.files[taking.part];
        let (place, pressure) = (&taking.place, taking.pressure);
        taking.changes.push(match record {
            Record::Layer(r) => {
                file.saw(r.wall.0);
                self.layers.add(place, r, pressure);
                if r.is_of_other_data() {
                    return taking.changes.push(Change::Noted { run, record: n });
                }
                Change::Layer { run, layer: r.layer.clone(), kind: r.kind, step: r.step, record: n }
            }
            Record::Histogram(r) => {
                file.saw(r.wall.0);
                self.layers.add_histogram(place, r, pressure);
                Change::Histogram { run, layer: r.layer.clone(), kind: r.kind, step: r.step, record: n }
            }
            Record::Confusion(r) => {
                file.saw(r.wall.0);
                file.epoch = r.epoch.or(file.epoch);
                if let Some(names) = &r.names {
                    file.classes.insert(r.task.clone(), names.clone());
                }
                taking.merge |= r.epoch.is_some() || r.names.is_some();
                self.confusions.add(place, r, pressure);
                Change::Confusion { run, split: r.split.clone(), step: r.step, record: n }
            }
            Record::Purge { step } => {
                file.purge = Some(file.purge.map_or(*step, |p| p.min(*step)));
                taking.cut_back = true;
                let purges = self.purges();
                for series in &mut self.series {
                    series.recut(&purges);
                }
                Change::Purged { run, at: *step }
            }
            Record::Classes { .. } | Record::Hyperparameters(_) | Record::Info(_) | Record::End(_) => {
                taking.merge = true;
                self.add_fact(record, taking.part)
            }
            Record::Text(_) | Record::Artefact(_) | Record::LoggedAlert(_) | Record::Event { .. } => {
                self.add_note(record, taking.part, place, pressure);
                Change::Noted { run, record: n }
            }
        });
    }

    /// Adds statistics of layers that the file holds as scalars.
    pub(crate) fn add_layers(&mut self, origin: &Origin, records: &[LayerRecord], pressure: Pressure) {
        let part = self.part(&Place::of(origin));
        let place = self.files[part].place.clone();
        self.layers.add_scalars(&place, records, pressure);
    }

    fn add_fact(&mut self, record: &Record, part: usize) -> Change {
        let run = self.id.clone();
        let file = &mut self.files[part];
        match record {
            Record::Classes { task, names } => {
                file.classes.insert(task.clone(), names.clone());
            }
            Record::Hyperparameters(values) => file.hyperparameters.extend(values.iter().cloned()),
            Record::Info(info) => merge_info(file.info.get_or_insert_default(), info),
            Record::End(status) => {
                file.end = Some(*status);
                return Change::Ended { run, status: *status };
            }
            _ => {}
        }
        Change::Info { run }
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
                if !self.tracks.add(place, &stored, pressure) {
                    self.artefacts.add(place, stored, most);
                }
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
        self.tracks.forget(file);
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

    pub(crate) fn thin_series(&mut self, pressure: Pressure) {
        for series in &mut self.series {
            series.thin(pressure);
        }
        self.count_series_bytes();
    }

    pub(crate) fn thin_records(&mut self, pressure: Pressure) {
        self.layers.thin(pressure);
        self.confusions.thin(pressure);
        self.texts.thin(pressure.notes());
        self.artefacts.thin(pressure.notes());
        self.tracks.thin(pressure);
        self.events.thin(pressure.notes());
        self.logged_alerts.thin(pressure.notes());
    }

    fn count_series_bytes(&mut self) {
        self.series_bytes = self.series.iter().map(|s| s.bytes() + name_bytes(s.key())).sum();
    }
}
