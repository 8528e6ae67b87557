//! What a run tracked.
//!
//! ```text
//! seqs / v2 / chunks / <run> / <context> / <name> / val | step | epoch | time / <hash of the step>  numbers
//! seqs / chunks / <run> / <context> / <name> / val | epoch | time / <step>                          all else
//! ```
//! Before version 3.11 numbers were kept as all else is now. A step that is tracked again replaces what it
//! had.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    facts::Contexts,
    keys::{self, Value, owned},
};
use crate::{
    formats::{
        Decoded,
        wire::rocksdb::{Change, Entry},
        wire::series::NAME_LIMIT,
    },
    model::{Artefact, ArtefactKind, Point, Record, SeriesKey, Step, WallTime},
};

/// Steps of all series together, and series, that are kept.
const STEPS_LIMIT: usize = 2 << 20;
const SERIES_LIMIT: usize = 1 << 16;

/// Begins the names of readings of the machine.
const SYSTEM: &str = "__system__";

/// The last change of something.
type Last<T> = Option<(u64, T)>;

/// What one step of a series has.
#[derive(Debug, Default)]
struct Tracked {
    value: Last<What>,
    step: Last<Step>,
    wall: Last<f64>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Number(f64),
    Object(ArtefactKind),
}

#[derive(Debug)]
struct Series {
    name: Arc<str>,
    context: i64,
    /// Steps are in the key.
    stepped: bool,
    steps: FxHashMap<i64, Tracked>,
}

/// All series of a run.
#[derive(Debug, Default)]
pub struct Values {
    series: Vec<Series>,
    /// Places in it by the part of the key before the name of the column.
    by_key: FxHashMap<Box<[u8]>, usize>,
    steps: usize,
    lost: u64,
    unknown: u64,
}

/// A point, and whose it is.
type Placed = (usize, Point);

impl Values {
    /// Takes in a change. What is deleted is deleted to be written anew, or as a whole when old numbers are
    /// converted.
    pub fn take(&mut self, entry: Entry<'_>) {
        let Change::Put(value) = entry.change else { return };
        // what is none of it is passed over
        let _ = self.take_put(entry.key, entry.sequence, value);
    }

    fn take_put(&mut self, key: &[u8], sequence: u64, value: &[u8]) -> Option<()> {
        let mut path = key.strip_prefix(b"seqs\xfe")?;
        let stepped = !path.starts_with(b"v2\xfe");
        if !stepped {
            path = path.get(3..)?;
        }
        path = path.strip_prefix(b"chunks\xfe")?;
        keys::name(&mut path)?;
        let context = keys::number(&mut path)?;
        let name = keys::name(&mut path)?;
        let series = key.get(..key.len().checked_sub(path.len())?)?;
        let column = keys::name(&mut path)?;
        let at = keys::number(&mut path)?;
        // the type of a list's items is that of the first
        let item = !path.is_empty();
        if item && (column != b"val" || keys::number(&mut path)? != 0 || !path.is_empty()) {
            return None;
        }
        let value = Value::read(value)?;
        let what = match (column, value) {
            (b"val", Value::Object(class)) => What::Object(self.kind(class)?),
            (b"val", _) if item => return None,
            (b"val", _) => What::Number(value.number()?),
            (b"step" | b"time", _) => What::Number(f64::NAN),
            _ => return None,
        };
        let tracked = self.tracked(series, context, name, stepped, at)?;
        match (column, value) {
            (b"val", _) => set(&mut tracked.value, sequence, what),
            (b"step", Value::Int(step)) => set(&mut tracked.step, sequence, step),
            (b"time", _) => set(&mut tracked.wall, sequence, value.number()?),
            _ => {}
        }
        Some(())
    }

    fn kind(&mut self, class: &[u8]) -> Option<ArtefactKind> {
        Some(match class {
            b"aim.image" => ArtefactKind::Image,
            b"aim.audio" => ArtefactKind::Audio,
            b"aim.distribution" => ArtefactKind::Tensor,
            _ => {
                self.unknown += 1;
                return None;
            }
        })
    }

    fn tracked(
        &mut self,
        key: &[u8],
        context: i64,
        name: &[u8],
        stepped: bool,
        at: i64,
    ) -> Option<&mut Tracked> {
        let place = if let Some(place) = self.by_key.get(key) {
            *place
        } else {
            if self.series.len() >= SERIES_LIMIT || name.len() > NAME_LIMIT {
                self.lost += 1;
                return None;
            }
            self.by_key.insert(key.into(), self.series.len());
            self.series.push(Series { name: owned(name), context, stepped, steps: FxHashMap::default() });
            self.series.len() - 1
        };
        let steps = &mut self.series.get_mut(place)?.steps;
        if !steps.contains_key(&at) {
            if self.steps >= STEPS_LIMIT {
                self.lost += 1;
                return None;
            }
            self.steps += 1;
        }
        Some(steps.entry(at).or_default())
    }

    /// Tells all of it, series by series in the order of their names, each in the order of steps.
    pub fn tell(&self, contexts: &Contexts, out: &mut Decoded) {
        let mut points: Vec<Placed> = Vec::new();
        let mut artefacts: Vec<(Step, usize, f64, ArtefactKind)> = Vec::new();
        for (place, series) in self.series.iter().enumerate() {
            for (at, tracked) in &series.steps {
                // A step of which only a part is there is just being written.
                let step = if series.stepped { Some(*at) } else { tracked.step.map(|(_, step)| step) };
                let (Some(step), Some((_, what))) = (step, tracked.value) else { continue };
                let wall = tracked.wall.map_or(f64::NAN, |(_, wall)| wall);
                match what {
                    What::Number(value) => points.push((place, Point { step, wall, value })),
                    What::Object(kind) => artefacts.push((step, place, wall, kind)),
                }
            }
        }
        let order = self.order(contexts);
        let rank = |place: usize| order.get(place).copied().unwrap_or(usize::MAX);
        self.place_readings(&mut points);
        points.sort_unstable_by(|(a, p), (b, q)| {
            (rank(*a), p.step).cmp(&(rank(*b), q.step)).then(p.wall.total_cmp(&q.wall))
        });
        artefacts.sort_unstable_by_key(|(step, place, ..)| (rank(*place), *step));
        out.count_records((points.len() + artefacts.len()) as u64);
        let mut column = None;
        for (place, point) in points {
            let known = column.filter(|(of, _)| *of == place).map(|(_, column)| column);
            let into = known.unwrap_or_else(|| out.column(&self.key(place, contexts)));
            column = Some((place, into));
            out.push(into, point);
        }
        for (step, place, wall, kind) in artefacts {
            out.record(Record::Artefact(Artefact {
                kind,
                name: self.key(place, contexts).label().into(),
                step: Some(step),
                wall: WallTime(wall),
                offset: 0,
                bytes: 0,
                fields: Vec::new(),
            }));
        }
        if self.lost > 0 {
            out.skip(0, 0, format!("{} values of more series or steps than are read", self.lost));
        }
        if self.unknown > 0 {
            out.oddity("objects of Aim that are neither numbers, pictures, sounds nor distributions");
        }
    }

    /// For each series its place in the order of their names.
    fn order(&self, contexts: &Contexts) -> Vec<usize> {
        let mut places: Vec<(String, i64, usize)> = self
            .series
            .iter()
            .enumerate()
            .map(|(place, series)| (self.key(place, contexts).label(), series.context, place))
            .collect();
        places.sort_unstable();
        let mut order = vec![usize::MAX; places.len()];
        for (rank, (.., place)) in places.into_iter().enumerate() {
            if let Some(slot) = order.get_mut(place) {
                *slot = rank;
            }
        }
        order
    }

    /// Readings of the machine count their own samples; they are put at the step that the user had reached.
    fn place_readings(&self, points: &mut [Placed]) {
        let is_reading = |place: usize| self.series.get(place).is_some_and(|s| s.name.starts_with(SYSTEM));
        let mut reached: Vec<(f64, Step)> = points
            .iter()
            .filter(|(of, p)| !is_reading(*of) && !p.wall.is_nan())
            .map(|(_, p)| (p.wall, p.step))
            .collect();
        reached.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut most = Step::MIN;
        for (_, step) in &mut reached {
            most = most.max(*step);
            *step = most;
        }
        let Some(&(_, first)) = reached.first() else { return };
        for (_, point) in points.iter_mut().filter(|(of, _)| is_reading(*of)) {
            let before = reached.partition_point(|(wall, _)| *wall <= point.wall);
            let at = before.checked_sub(1).and_then(|at| reached.get(at));
            point.step = at.map_or(first, |(_, step)| *step);
        }
    }

    fn key(&self, place: usize, contexts: &Contexts) -> SeriesKey {
        let Some(series) = self.series.get(place) else { return SeriesKey::plain("") };
        let context = match contexts.get(&series.context) {
            Some(context) => Arc::clone(context),
            // what it is called was not written yet
            None => format!("context={:016x}", series.context).into(),
        };
        match series.name.strip_prefix(SYSTEM) {
            Some(reading) => SeriesKey::new(format!("system/{reading}").as_str(), context),
            None => SeriesKey::new(&*series.name, context),
        }
    }
}

/// The last change holds.
fn set<T>(last: &mut Last<T>, sequence: u64, value: T) {
    if last.as_ref().is_none_or(|(known, _)| *known <= sequence) {
        *last = Some((sequence, value));
    }
}
