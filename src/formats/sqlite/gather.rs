//! Runs of one database while its rows are read, and how they are told when all of it was understood.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    formats::Decoded,
    model::{EndStatus, HyperValue, Point, Record, RunInfo, SeriesKey},
};

/// Bytes of a name that are kept.
const NAME_LIMIT: usize = 256;
/// Letters of an identifier that tell runs of one name apart.
const SUFFIX: usize = 8;

/// One run.
#[derive(Debug, Default)]
pub struct Run {
    /// Facts.
    pub info: RunInfo,
    /// Hyper-parameters.
    pub settings: Vec<(Arc<str>, HyperValue)>,
    /// How it ended.
    pub end: Option<EndStatus>,
    /// Everything else, in order.
    pub records: Vec<Record>,
    series: Vec<(Arc<str>, Vec<Point>)>,
    places: FxHashMap<Box<[u8]>, usize>,
    last: usize,
}

impl Run {
    /// Adds a point to the series of that tag.
    pub fn point(&mut self, tag: &[u8], point: Point) {
        // writers take turns between the same tags: the one after the last is often the next
        for guess in [self.last, self.last + 1, 0] {
            if let Some((name, points)) = self.series.get_mut(guess)
                && name.as_bytes() == tag
            {
                points.push(point);
                self.last = guess;
                return;
            }
        }
        let at = *self.places.entry(Box::from(tag)).or_insert_with(|| {
            self.series.push((Arc::from(String::from_utf8_lossy(tag)), Vec::new()));
            self.series.len() - 1
        });
        if let Some((_, points)) = self.series.get_mut(at) {
            points.push(point);
        }
        self.last = at;
    }

    /// How many points the series of that tag has.
    pub fn points_of(&self, tag: &[u8]) -> usize {
        self.places.get(tag).and_then(|at| self.series.get(*at)).map_or(0, |(_, points)| points.len())
    }

    /// Brings each series into the order of the clock, and of steps within one moment: writers send from several
    /// threads, and what is inserted first need not be older. A restart is later by the clock and stays one.
    pub fn in_order_of_time(&mut self) {
        for (_, points) in &mut self.series {
            let later = |a: &Point, b: &Point| a.wall.total_cmp(&b.wall).then(a.step.cmp(&b.step));
            if !points.is_sorted_by(|a, b| later(a, b).is_le()) {
                points.sort_by(later);
            }
        }
    }

    /// Counts the points of series whose writer never gave a step: all are at 0.
    pub fn count_where_no_step(&mut self) {
        for (_, points) in &mut self.series {
            if points.len() > 1 && points.iter().all(|p| p.step == 0) {
                for (at, point) in points.iter_mut().enumerate() {
                    point.step = crate::model::Step::try_from(at).unwrap_or(crate::model::Step::MAX);
                }
            }
        }
    }

    /// Tells all of it as the file's run of that name.
    pub fn emit(self, name: &str, out: &mut Decoded) {
        out.in_run(name);
        out.record(Record::Info(Box::new(self.info)));
        if !self.settings.is_empty() {
            out.record(Record::Hyperparameters(self.settings));
        }
        for record in self.records {
            out.record(record);
        }
        for (tag, points) in self.series {
            let column = out.column(&SeriesKey::plain(&*tag));
            for point in points {
                out.push(column, point);
            }
        }
        if let Some(status) = self.end {
            out.record(Record::End(status));
        }
    }
}

/// Names that were given within one file; each is given once.
#[derive(Debug, Default)]
pub struct Names(rustc_hash::FxHashSet<String>);

impl Names {
    /// The name, with the beginning of the run's identifier where an earlier run has it already.
    pub fn unique(&mut self, name: &str, id: &str) -> String {
        let name = cut(name, NAME_LIMIT);
        let mut unique = name.to_owned();
        let mut tries = 0_usize;
        while !self.0.insert(unique.clone()) {
            unique = match tries {
                0 => format!("{name}-{}", cut(id, SUFFIX)),
                _ => format!("{name}-{}-{tries}", cut(id, SUFFIX)),
            };
            tries += 1;
        }
        unique
    }
}

/// The first `limit` bytes of a text, never ending within a character.
pub fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// A setting that is stored as text.
pub fn setting(text: &str) -> HyperValue {
    match text {
        "True" | "true" => HyperValue::Bool(true),
        "False" | "false" => HyperValue::Bool(false),
        _ => crate::formats::wire::numbers::number(text.trim().as_bytes())
            .map_or_else(|| HyperValue::Text(Arc::from(text)), HyperValue::Number),
    }
}
