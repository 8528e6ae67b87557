//! Which charts there are: one per metric, its splits and runs together, the most telling first.

use std::{collections::HashMap, sync::Arc};

use crate::{
    detect::tags::{self, Role, Split},
    model::{RunId, SeriesKey},
    store::Run,
    ui::filter::Filter,
};

/// One curve of a chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Position of the run among those shown.
    pub run: usize,
    /// The run.
    pub run_id: RunId,
    /// The series.
    pub key: SeriesKey,
    /// What data it was measured on.
    pub split: Split,
}

/// One chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    /// The metric, as its series share it. Unique among the charts.
    pub stem: Arc<str>,
    /// What the metric is.
    pub role: Role,
    /// Run by run, training before validation.
    pub curves: Vec<Curve>,
}

/// A series as far as the catalogue cares.
struct Classified {
    key: SeriesKey,
    stem: Arc<str>,
    role: Role,
    split: Split,
}

/// What the series of one run are. Classified once; tags do not change their meaning.
struct RunTags {
    names_version: u64,
    series: Vec<Classified>,
    main_stem: Option<Arc<str>>,
}

/// The charts of the runs shown.
#[derive(Default)]
pub struct Catalog {
    runs: HashMap<RunId, RunTags>,
    stamp: Vec<(RunId, u64)>,
    filter: String,
    charts: Vec<Chart>,
}

impl Catalog {
    /// The charts of `runs` whose tags pass `filter`, most telling first.
    pub fn charts(&mut self, runs: &[&Run], filter: &str) -> &[Chart] {
        let stamp: Vec<(RunId, u64)> = runs.iter().map(|r| (r.id().clone(), r.names_version())).collect();
        if stamp != self.stamp || filter != self.filter {
            self.runs.retain(|id, _| stamp.iter().any(|(kept, _)| kept == id));
            for run in runs {
                if self.runs.get(run.id()).is_none_or(|known| known.names_version != run.names_version()) {
                    self.runs.insert(run.id().clone(), classify(run));
                }
            }
            self.stamp = stamp;
            filter.clone_into(&mut self.filter);
            self.charts = self.build();
        }
        &self.charts
    }

    fn build(&self) -> Vec<Chart> {
        let mut filter = Filter::new(&self.filter);
        let mut charts: Vec<Chart> = Vec::new();
        let mut by_stem: HashMap<Arc<str>, usize> = HashMap::new();
        for (index, (id, _)) in self.stamp.iter().enumerate() {
            let Some(tags) = self.runs.get(id) else { continue };
            for series in &tags.series {
                if !filter.matches(&series.key.label()) {
                    continue;
                }
                let at = *by_stem.entry(series.stem.clone()).or_insert_with(|| {
                    charts.push(Chart { stem: series.stem.clone(), role: series.role, curves: Vec::new() });
                    charts.len() - 1
                });
                charts[at].curves.push(Curve {
                    run: index,
                    run_id: id.clone(),
                    key: series.key.clone(),
                    split: series.split,
                });
            }
        }
        let main: Vec<&Arc<str>> = self.runs.values().filter_map(|t| t.main_stem.as_ref()).collect();
        for chart in &mut charts {
            chart.curves.sort_by_key(|c| (c.run, split_rank(c.split)));
        }
        // Stable: within a role the store's natural order of tags stays.
        charts.sort_by_key(|c| (!main.contains(&&c.stem), role_rank(c.role)));
        charts
    }
}

fn classify(run: &Run) -> RunTags {
    let series: Vec<Classified> = run
        .series()
        .map(|s| {
            let class = tags::class_of(s.key(), run);
            Classified { key: s.key().clone(), stem: class.stem, role: class.role, split: class.split }
        })
        .collect();
    let main = tags::main_loss(run);
    let main_stem = series.iter().find(|s| Some(&s.key) == main.as_ref()).map(|s| s.stem.clone());
    RunTags { names_version: run.names_version(), series, main_stem }
}

fn split_rank(split: Split) -> u8 {
    match split {
        Split::Unknown => 0,
        Split::Train => 1,
        Split::Val => 2,
        Split::Test => 3,
    }
}

/// What people look at first comes first.
fn role_rank(role: Role) -> u8 {
    match role {
        Role::Loss => 0,
        Role::UnstableLoss => 1,
        Role::AuxiliaryLoss => 2,
        Role::Metric => 3,
        Role::Entropy => 4,
        Role::LearningRate => 5,
        Role::GradientNorm => 6,
        Role::LossScale => 7,
        Role::Optimiser => 8,
        Role::Schedule => 9,
        Role::Unknown => 10,
        Role::Throughput => 11,
        Role::Time => 12,
        Role::Memory => 13,
        Role::Hardware => 14,
        Role::Clock => 15,
        Role::Ignored => 16,
    }
}
