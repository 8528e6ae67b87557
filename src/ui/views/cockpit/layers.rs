//! The page of the layers: `WeightWatcher`'s α, distance from the start, and how much each still resembles its past.

use std::cmp::Ordering;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use rustc_hash::FxHashMap;

use crate::{
    analysis::cockpit::Spectrum,
    model::{ArtefactKind, LayerKind, LayerStats, RunId, Step, same_layer},
    store::{LayerTrack, Run, StoredArtefact, TrackKey, up_to},
    ui::{
        FrameContext, Theme,
        numbers::{step, value},
        text::{fit, put, put_right},
        theme::Role,
        widgets::{
            sparkline,
            table::{Cell, Column, Keep, Layout, Window, position},
        },
    },
};

/// What is known of a layer up to the time cursor.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct LayerReading {
    pub name: String,
    pub alpha: Option<f64>,
    pub stable_rank: Option<f64>,
    pub distance: Option<f64>,
    /// ‖Δw‖/‖w‖ of the last update.
    pub update: Option<f64>,
    /// The latest similarity to an earlier state, and its step.
    pub similar: Option<(f64, Option<Step>)>,
    /// That similarity over time.
    pub course: Vec<[f64; 2]>,
}

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    /// As in the network.
    #[default]
    Network,
    /// Largest α first.
    Spectrum,
    /// Least like its past first.
    Changing,
}

impl Order {
    pub fn next(self) -> Self {
        match self {
            Self::Network => Self::Spectrum,
            Self::Spectrum => Self::Changing,
            Self::Changing => Self::Network,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "in the order of the network",
            Self::Spectrum => "largest α first",
            Self::Changing => "least like their past first",
        }
    }
}

/// Everything of the page.
#[derive(Default)]
pub(super) struct LayerReadings {
    pub rows: Vec<LayerReading>,
    /// The method of the similarities.
    pub method: String,
    pub span: (f64, f64),
    source: Option<(RunId, u64, Option<Step>)>,
}

impl LayerReadings {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Gathers anew where the run or the time cursor have changed.
    pub fn refresh(&mut self, run: &Run, until: Option<Step>) {
        let source = Some((run.id().clone(), run.generation(), until));
        if self.source == source {
            return;
        }
        let steps = moments(run);
        let first = steps.first().map_or(0.0, |s| *s as f64);
        *self = Self {
            span: (first, steps.last().map_or(first, |s| *s as f64).max(first + 1.0)),
            source,
            ..Self::default()
        };
        for row in run.layers().rows() {
            let Some(track) = row.track(LayerKind::Weights) else { continue };
            let records = up_to(track.records(), until);
            let last = |of: fn(&LayerStats) -> Option<f64>| {
                records.iter().rev().take(LOOK_BACK).find_map(|r| of(&r.stats))
            };
            let reading = LayerReading {
                name: row.layer.as_str().to_owned(),
                alpha: last(|s| s.alpha),
                stable_rank: last(|s| s.stable_rank),
                distance: last(|s| s.dist_init),
                update: last(|s| Some(s.update_norm? / s.norm.filter(|n| *n > 0.0)?)),
                ..LayerReading::default()
            };
            let numbers = [reading.alpha, reading.stable_rank, reading.distance, reading.update];
            if numbers.iter().any(Option::is_some) {
                self.rows.push(reading);
            }
        }
        let mut index: FxHashMap<String, usize> =
            self.rows.iter().enumerate().rev().map(|(at, row)| (stem(&row.name), at)).collect();
        for (key, records) in run.tracks(ArtefactKind::Similarity) {
            if !key.aspect.starts_with("to step") || !self.takes(key) {
                continue;
            }
            let course = course(records, until);
            let Some((to, last)) = course.last() else { continue };
            let at = *index.entry(stem(&key.name)).or_insert_with(|| {
                self.rows.push(LayerReading { name: key.name.to_string(), ..LayerReading::default() });
                self.rows.len() - 1
            });
            let Some(reading) = self.rows.get_mut(at) else { continue };
            // The aspect of a comparison with the start sorts behind that with the step before, which says more. The
            // first step before is the start, too.
            if key.is_to_start() && reading.similar.is_some() {
                let first = reading.course.first().map_or(f64::INFINITY, |p| p[0]);
                let earlier = course_points(records, until).into_iter().filter(|p| p[0] < first);
                reading.course.splice(0..0, earlier.collect::<Vec<_>>());
                continue;
            }
            reading.similar = Some((*last, *to));
            reading.course = course_points(records, until);
        }
    }

    /// Similarities of one method are comparable; the first that is met is it.
    fn takes(&mut self, key: &TrackKey) -> bool {
        let words = key.aspect.trim_start_matches("to step").split_whitespace();
        let method = words.filter(|word| *word != TrackKey::START).collect::<Vec<_>>().join(" ");
        if self.method.is_empty() {
            method.clone_into(&mut self.method);
        }
        self.method == method
    }

    /// Rows in an order.
    pub fn sorted(&self, order: Order) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.rows.len()).collect();
        let last = f64::NEG_INFINITY;
        rows.sort_by(|a, b| {
            let (a, b) = (&self.rows[*a], &self.rows[*b]);
            match order {
                Order::Network => Ordering::Equal,
                Order::Spectrum => b.alpha.unwrap_or(last).total_cmp(&a.alpha.unwrap_or(last)),
                Order::Changing => {
                    let of = |r: &LayerReading| r.similar.map_or(f64::INFINITY, |s| s.0);
                    of(a).total_cmp(&of(b))
                }
            }
        });
        rows
    }
}

/// Weights may be named otherwise than outputs: `fc1.weight` is of `fc1`.
fn stem(name: &str) -> String {
    let same = same_layer(name);
    let end = [".weight", ".kernel"].iter().find_map(|end| same.strip_suffix(end));
    end.unwrap_or(&same).to_owned()
}

/// Records back from the newest in which a number is looked for that is not in all of them.
const LOOK_BACK: usize = 64;

/// Whether a run logs something of the page.
pub(super) fn any(run: &Run) -> bool {
    let numbers =
        |s: &LayerStats| [s.alpha, s.stable_rank, s.dist_init, s.update_norm].iter().any(Option::is_some);
    let of_page =
        |track: &LayerTrack| track.records().iter().rev().take(LOOK_BACK).any(|r| numbers(&r.stats));
    run.layers().rows().filter_map(|row| row.track(LayerKind::Weights)).any(of_page)
        || run.tracks(ArtefactKind::Similarity).any(|(key, _)| key.aspect.starts_with("to step"))
}

/// Steps at which the page has records.
pub(super) fn moments(run: &Run) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let tracks = run.layers().rows().filter_map(|row| row.track(LayerKind::Weights));
    if let Some(track) = tracks.max_by_key(|track| track.records().len()) {
        steps.extend(track.records().iter().map(|r| r.step));
    }
    for (key, records) in run.tracks(ArtefactKind::Similarity) {
        if key.aspect.starts_with("to step") {
            steps.extend(records.iter().filter_map(|r| r.artefact.step));
        }
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Values up to the cursor, each with the state that it compares with.
fn course(records: &[StoredArtefact], until: Option<Step>) -> Vec<(Option<Step>, f64)> {
    let known = records.iter().map(|r| &r.artefact).filter(|a| a.step.is_some());
    let before = known.filter(|a| until.is_none_or(|until| a.step <= Some(until)));
    before.filter_map(|a| Some((a.number("to/step").map(|s| s as Step), a.number("value")?))).collect()
}

fn course_points(records: &[StoredArtefact], until: Option<Step>) -> Vec<[f64; 2]> {
    let known = records.iter().map(|r| &r.artefact).filter_map(|a| Some((a.step?, a.number("value")?)));
    known.filter(|(at, _)| until.is_none_or(|until| *at <= until)).map(|(at, v)| [at as f64, v]).collect()
}

const NAME: usize = 0;
const ALPHA: usize = 1;
const LABEL: usize = 2;
const SIMILAR: usize = 3;
const TO: usize = 4;
const UPDATE: usize = 5;
const DISTANCE: usize = 6;
const RANK: usize = 7;
const TREND: usize = 8;

const COLUMNS: [Column; 9] = [
    Column::text("layer", 10, 40, 0, Keep::Parts),
    Column::number("α", 6, 1),
    Column::text("spectrum", 13, 13, 2, Keep::Start),
    Column::number("similar", 7, 3),
    Column::number("to step", 7, 5),
    Column::number("upd/w", 8, 4),
    Column::number("distance", 8, 6),
    Column::number("rank", 7, 7),
    Column::text("similarity over time", 8, 40, 8, Keep::Start),
];

/// Draws the page and returns where its rows are.
pub(super) fn draw(
    context: FrameContext<'_>,
    readings: &LayerReadings,
    order: Order,
    selected: usize,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let theme = context.theme;
    if area.height < 2 {
        return Rect::ZERO;
    }
    let summary = fit(&summary(theme, readings), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &summary, area.width, theme.accent());
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let layout = Layout::new(&COLUMNS, body.width);
    let sorted = match order {
        Order::Network => (NAME, false),
        Order::Spectrum => (ALPHA, true),
        Order::Changing => (SIMILAR, false),
    };
    layout.head(&COLUMNS, Some(sorted), theme, Rect { height: 1, ..body }, buffer);
    let mut rows = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    if readings.rows.len() > usize::from(rows.height) && rows.height > 2 {
        rows.height -= 1;
    }
    let all = readings.sorted(order);
    let visible = window.follow(selected, all.len(), usize::from(rows.height));
    for (y, i) in (rows.y..).zip(visible.clone()) {
        let Some(reading) = all.get(i).and_then(|at| readings.rows.get(*at)) else { continue };
        let place = Rect { y, height: 1, ..body };
        layout.row(&COLUMNS, |column| cell(theme, reading, column), i == selected, theme, place, buffer);
        if let Some(place) = layout.place(TREND, place) {
            sparkline::draw(theme, &reading.course, readings.span, theme.series(0), place, buffer);
        }
    }
    let note = position(&visible, all.len(), theme.ascii);
    put_right(buffer, area.x, area.right(), rows.bottom(), &note, theme.muted());
    rows
}

fn summary(theme: &Theme, readings: &LayerReadings) -> String {
    let alphas: Vec<f64> = readings.rows.iter().filter_map(|r| r.alpha).filter(|a| a.is_finite()).collect();
    let mut parts = Vec::new();
    if !alphas.is_empty() {
        let mean = alphas.iter().sum::<f64>() / alphas.len() as f64;
        let of = |what| alphas.iter().filter(|a| Spectrum::of(**a) == Some(what)).count();
        parts.push(format!("mean α {} of {}", value(mean), alphas.len()));
        parts.push(format!("{} over-trained (<2)", of(Spectrum::OverTrained)));
        parts.push(format!("{} under-trained (>6)", of(Spectrum::UnderTrained)));
    }
    if !readings.method.is_empty() {
        parts.push(format!("similarity by {}", readings.method));
    }
    if parts.is_empty() {
        parts.push(format!("{} layers, neither spectra nor similarities are logged", readings.rows.len()));
    }
    parts.join(theme.glyph(" · ", " | "))
}

fn cell(theme: &Theme, reading: &LayerReading, column: usize) -> Cell {
    let dash = || Cell::new(theme.glyph("–", "-"), theme.muted());
    let number = |v: Option<f64>| v.map_or_else(dash, |v| Cell::plain(value(v)));
    let spectrum = reading.alpha.and_then(Spectrum::of);
    match column {
        NAME => Cell::plain(reading.name.clone()),
        ALPHA => number(reading.alpha),
        LABEL => match spectrum {
            None => dash(),
            Some(Spectrum::Trained) => Cell::new(Spectrum::Trained.name(), theme.muted()),
            Some(other) => Cell::new(other.name(), theme.style(Role::Warn)),
        },
        SIMILAR => number(reading.similar.map(|s| s.0)),
        TO => match reading.similar {
            Some((_, Some(to))) => Cell::new(step(to), theme.muted()),
            _ => dash(),
        },
        UPDATE => number(reading.update),
        DISTANCE => number(reading.distance),
        RANK => number(reading.stable_rank),
        _ => Cell::new("", Style::new()),
    }
}
