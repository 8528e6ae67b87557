//! What one file said of its run, kept apart so that it can be forgotten or come late.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{EndStatus, FileId, HyperValue, Origin, Point, RunInfo, Source, Step};

/// Where a file stands among its run's files: by [`Origin::order`], then by arrival.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub(crate) order: Arc<str>,
    pub(crate) file: FileId,
    pub(crate) source: Source,
}

impl Place {
    pub(crate) fn of(origin: &Origin) -> Self {
        Self { order: origin.order.clone(), file: origin.file, source: origin.source }
    }
}

/// The facts of one file.
#[derive(Debug)]
pub(crate) struct FilePart {
    pub(crate) place: Arc<Place>,
    /// Least and greatest known time of any point or record.
    pub(crate) walls: Option<(f64, f64)>,
    pub(crate) has_points: bool,
    /// The smallest step that the file declared void in files before it.
    pub(crate) purge: Option<Step>,
    pub(crate) end: Option<EndStatus>,
    pub(crate) epoch: Option<f64>,
    pub(crate) info: Option<Box<RunInfo>>,
    pub(crate) hyperparameters: BTreeMap<Arc<str>, HyperValue>,
    pub(crate) classes: BTreeMap<Arc<str>, Arc<[Arc<str>]>>,
}

impl FilePart {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        Self {
            place,
            walls: None,
            has_points: false,
            purge: None,
            end: None,
            epoch: None,
            info: None,
            hyperparameters: BTreeMap::new(),
            classes: BTreeMap::new(),
        }
    }

    /// Counts in the times of points.
    pub(crate) fn saw_all(&mut self, points: &[Point]) {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for wall in points.iter().map(|p| p.wall).filter(|w| w.is_finite()) {
            low = low.min(wall);
            high = high.max(wall);
        }
        self.saw(low);
        self.saw(high);
    }

    /// Counts a time in; unknown ones say nothing.
    pub(crate) fn saw(&mut self, wall: f64) {
        if wall.is_finite() {
            let (low, high) = self.walls.unwrap_or((wall, wall));
            self.walls = Some((low.min(wall), high.max(wall)));
        }
    }
}
