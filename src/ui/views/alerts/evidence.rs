//! The evidence of an alert as a picture: the stretch of the curve around it, where it began, was said and ended, and
//! the level that the rule holds values against.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    detect::{Alert, DETECTORS, Needs, Scope, tags},
    model::{LayerKind, LayerStats, RunId, SeriesKey, Step},
    store::{Bucket, Run, Series},
    ui::{
        FrameContext, Selection, Theme,
        numbers::value,
        text::{columns, fit, put, put_right, set},
        theme::Role,
        widgets::{
            axis::{self, Bounds, LARGEST, Unit},
            chart::{self, Line, Stroke, Window},
        },
    },
};

/// Rows and columns below which a picture says less than words.
pub(super) const SMALLEST: (u16, u16) = (24, 5);

/// From this ratio of the largest to the smallest value on, a linear axis shows little but the peak.
const FLATTENING: f64 = 200.0;

/// What is drawn, and what it is called.
struct Curve {
    name: String,
    points: Vec<[f64; 2]>,
}

/// What of the steps is drawn.
#[derive(Clone, Copy)]
struct Stretch {
    from: Step,
    to: Step,
}

/// Finds the curves of an alert, and remembers what costs.
#[derive(Default)]
pub(super) struct Evidence {
    /// The training series that a validation series is compared with: of which run and series, as of which names.
    partner: Option<(RunId, SeriesKey, u64, Option<SeriesKey>)>,
}

impl Evidence {
    /// True when there is something to draw for the alert.
    pub fn exists(context: FrameContext<'_>, alert: &Alert) -> bool {
        let Some(run) = context.store.run(&alert.run) else { return false };
        match &alert.layer {
            Some(_) => layer_curve(run, alert, Stretch { from: Step::MIN, to: Step::MAX }).is_some(),
            None => series_of(run, alert).is_some(),
        }
    }

    /// Draws it into the whole of `area`; nothing where there is nothing, or no room.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        alert: &Alert,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let area = area.intersection(buffer.area);
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            return;
        }
        let Some(run) = context.store.run(&alert.run) else { return };
        let Some(stretch) = stretch(run, alert, selection.until(run.id())) else { return };
        let curves = self.curves(run, alert, stretch, area.width);
        if curves.iter().all(|c| c.points.iter().all(|p| !p[1].is_finite())) {
            let text = "no finite values around it; Enter opens the curve";
            put(buffer, area.x, area.y + area.height / 2, text, area.width, context.theme.muted());
            return;
        }
        let at_series = alert.series.is_some();
        let limit = limit_of(alert).filter(|_| at_series);
        let best = best_of(alert).filter(|_| at_series);
        let window = window(&curves, stretch, limit, best, selection.log_y);
        paint(context.theme, &Picture { alert, curves, limit, best, window }, area, buffer);
    }

    /// The alert's own curve first.
    fn curves(&mut self, run: &Run, alert: &Alert, stretch: Stretch, width: u16) -> Vec<Curve> {
        if alert.layer.is_some() {
            return layer_curve(run, alert, stretch).into_iter().collect();
        }
        let Some(series) = series_of(run, alert) else { return Vec::new() };
        let mut curves = vec![curve(series, stretch, width)];
        if let Some(partner) = self.partner(run, alert).and_then(|key| run.series_of(&key)) {
            curves.push(curve(partner, stretch, width));
        }
        curves
    }

    /// The training series that the rule sees beside the alert's own.
    fn partner(&mut self, run: &Run, alert: &Alert) -> Option<SeriesKey> {
        let key = alert.series.as_ref()?;
        let spec = DETECTORS.iter().find(|spec| spec.id == alert.rule)?;
        if !spec.scopes.iter().any(|scope| matches!(scope, Scope::Pair { .. })) {
            return None;
        }
        let names = run.names_version();
        let known = self
            .partner
            .as_ref()
            .filter(|(of, series, version, _)| of == run.id() && series == key && *version == names);
        if let Some((.., partner)) = known {
            return partner.clone();
        }
        let partner = tags::pairs(run).into_iter().find(|pair| pair.val == *key).map(|pair| pair.train);
        self.partner = Some((run.id().clone(), key.clone(), names, partner.clone()));
        partner
    }
}

/// The alert's series; for what is said of the run as a whole, the series that speaks for it.
fn series_of<'a>(run: &'a Run, alert: &Alert) -> Option<&'a Series> {
    if let Some(key) = &alert.series {
        return run.series_of(key);
    }
    let spec = DETECTORS.iter().find(|spec| spec.id == alert.rule)?;
    let of_run =
        |scope: &Scope| !matches!(scope, Scope::Matrix { .. } | Scope::Layer { .. } | Scope::Network { .. });
    if !spec.scopes.iter().any(of_run) {
        return None;
    }
    run.series_of(&tags::main_loss(run)?)
}

fn curve(series: &Series, stretch: Stretch, width: u16) -> Curve {
    let buckets = series.buckets_between(stretch.from, stretch.to, usize::from(width) * 2);
    Curve { name: series.key().label(), points: buckets.iter().flat_map(corners).collect() }
}

/// First, smallest, largest and last of a bucket in the order of their steps; a gap where nothing is finite.
fn corners(bucket: &Bucket) -> impl Iterator<Item = [f64; 2]> + use<> {
    let point = |step: Step, v: f64| [step as f64, v.clamp(-LARGEST, LARGEST)];
    let mut corners = [
        point(bucket.first.step, bucket.first.value),
        point(bucket.min_step, bucket.min),
        point(bucket.max_step, bucket.max),
        point(bucket.last.step, bucket.last.value),
    ];
    corners.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let count = if bucket.first.step == bucket.last.step { 1 } else { 4 };
    corners.into_iter().take(count)
}

/// A statistic of layers: its name and how it is read.
type Statistic = (LayerKind, &'static str, fn(&LayerStats) -> Option<f64>);

/// What each rule on layers looks at, the best first.
fn statistics(rule: &str) -> Vec<Statistic> {
    let norm = |kind| (kind, "norm", (|s: &LayerStats| s.norm.or(s.std)) as fn(&LayerStats) -> Option<f64>);
    let broken: fn(&LayerStats) -> Option<f64> = |s| match (s.nan, s.inf) {
        (None, None) => None,
        (nan, inf) => Some(nan.unwrap_or(0.0) + inf.unwrap_or(0.0)),
    };
    match rule {
        "nan" => vec![
            (LayerKind::Gradients, "NaN or infinite", broken),
            (LayerKind::Weights, "NaN or infinite", broken),
            (LayerKind::Activations, "NaN or infinite", broken),
        ],
        "dead_units" => vec![
            (LayerKind::Activations, "dead share", |s| s.dead),
            (LayerKind::Activations, "share of zeros", |s| s.zero),
            (LayerKind::Gradients, "share of zeros", |s| s.zero),
        ],
        "saturated_units" => vec![(LayerKind::Activations, "saturated share", |s| s.saturated)],
        "frozen_layer" => vec![
            (LayerKind::Weights, "norm of the update", |s| s.update_norm),
            norm(LayerKind::Updates),
            (LayerKind::Weights, "distance from the start", |s| s.dist_init),
            norm(LayerKind::Gradients),
            norm(LayerKind::Weights),
        ],
        "unstable_layer" | "poor_initialisation" => {
            vec![norm(LayerKind::Weights), norm(LayerKind::Activations), norm(LayerKind::Gradients)]
        }
        _ => [LayerKind::Gradients, LayerKind::Weights, LayerKind::Activations, LayerKind::Updates]
            .map(norm)
            .to_vec(),
    }
}

/// The statistic of the alert's layer over time; of broken layers the first that moves.
fn layer_curve(run: &Run, alert: &Alert, stretch: Stretch) -> Option<Curve> {
    let row = run.layers().row(alert.layer.as_ref()?)?;
    let mut statistics = statistics(alert.rule);
    // The tensor that the alert speaks of first.
    statistics.sort_by_key(|(kind, ..)| alert.kind != Some(*kind));
    let mut found = statistics.into_iter().filter_map(|(kind, name, read)| {
        let records = row.track(kind)?.records();
        let points: Vec<[f64; 2]> = records
            .iter()
            .filter(|r| (stretch.from..=stretch.to).contains(&r.step))
            .filter_map(|r| Some([r.step as f64, read(&r.stats)?.clamp(-LARGEST, LARGEST)]))
            .collect();
        (points.len() >= 2).then(|| Curve { name: format!("{name} of {kind}"), points })
    });
    let first = found.next()?;
    let flat = |curve: &Curve| curve.points.windows(2).all(|pair| pair[0][1] == pair[1][1]);
    if alert.rule == "nan" && flat(&first) {
        return found.find(|curve| !flat(curve)).or(Some(first));
    }
    Some(first)
}

/// From some way before its condition held to now, or to some way after its end.
fn stretch(run: &Run, alert: &Alert, until: Option<Step>) -> Option<Stretch> {
    let (first, last) = extent(run, alert)?;
    let last = until.map_or(last, |until| last.min(until));
    let since = alert.since_step.or(alert.step).unwrap_or(last).clamp(first, last.max(first));
    let opened = alert.step.unwrap_or(since).clamp(since, last.max(since));
    let end = match alert.closed_step {
        Some(closed) => closed.saturating_add(closed.saturating_sub(since) / 3).min(last),
        None => last,
    };
    let end = end.max(opened);
    let best = best_of(alert).map_or(since, |best| best.0 as Step).clamp(first, since);
    // A third of the picture is what came before, but not less than a twentieth of the run.
    let before = (end.saturating_sub(best) / 2).max(last.saturating_sub(first) / 20).max(1);
    let from = best.saturating_sub(before).max(first);
    (from < end).then_some(Stretch { from, to: end })
}

fn extent(run: &Run, alert: &Alert) -> Option<(Step, Step)> {
    if let Some(layer) = &alert.layer {
        let records = || run.layers().row(layer).into_iter().flat_map(|row| row.kinds.values());
        let first = records().filter_map(|t| t.records().first()).map(|r| r.step).min()?;
        let last = records().filter_map(|t| t.records().last()).map(|r| r.step).max()?;
        return Some((first, last));
    }
    let summary = series_of(run, alert)?.summary();
    Some((summary.first?.step, summary.last?.step))
}

/// The level that the alert's values are held against, in units of its series: what `now` had to reach.
fn limit_of(alert: &Alert) -> Option<f64> {
    let fact = alert.evidence.facts().iter().find(|fact| fact.name == "now")?;
    fact.needs.map(Needs::limit).filter(|limit| limit.is_finite())
}

/// The best value before, with its step.
fn best_of(alert: &Alert) -> Option<(f64, f64)> {
    let (step, best) = (alert.evidence.get("best_step")?, alert.evidence.get("best")?);
    (step.is_finite() && best.is_finite()).then_some((step, best))
}

fn window(
    curves: &[Curve],
    stretch: Stretch,
    limit: Option<f64>,
    best: Option<(f64, f64)>,
    log_y: bool,
) -> Window {
    let values = || {
        let drawn = curves.iter().flat_map(|c| &c.points).map(|p| p[1]);
        drawn.chain(limit).chain(best.map(|b| b.1)).filter(|v| v.is_finite())
    };
    let range = |least: f64| {
        let of = |start: f64, pick: fn(f64, f64) -> f64| values().filter(|v| *v >= least).fold(start, pick);
        (of(f64::INFINITY, f64::min), of(f64::NEG_INFINITY, f64::max))
    };
    let (low, high) = range(f64::NEG_INFINITY);
    let log_y = high > 0.0 && (log_y || (low > 0.0 && high / low > FLATTENING));
    let (low, high) = if log_y { range(f64::MIN_POSITIVE) } else { (low, high) };
    let y = Bounds::default().around(low, high, log_y);
    Window { x: (stretch.from as f64, stretch.to as f64), y, log_y }
}

/// All that is drawn.
struct Picture<'a> {
    alert: &'a Alert,
    curves: Vec<Curve>,
    limit: Option<f64>,
    best: Option<(f64, f64)>,
    window: Window,
}

/// Title, curves, marks and the axis, from above.
fn paint(theme: &Theme, picture: &Picture<'_>, area: Rect, buffer: &mut Buffer) {
    let window = &picture.window;
    title(theme, picture, Rect { height: 1, ..area }, buffer);
    let height = area.height - 3;
    let gutter = axis::y_width(window, height).min(area.width / 3);
    let plot = Rect { x: area.x + gutter, y: area.y + 1, width: area.width - gutter, height };
    axis::draw_y(window, theme.muted(), Rect { x: area.x, width: gutter, ..plot }, buffer);
    let axis_row = Rect { y: area.bottom() - 1, height: 1, ..plot };
    let name = if window.log_y { "log, step" } else { "step" };
    axis::draw_x(window, Unit::Count, name, theme.muted(), axis_row, buffer);
    let lines: Vec<Line<'_>> = picture
        .curves
        .iter()
        .enumerate()
        .rev()
        .map(|(i, curve)| Line {
            points: &curve.points,
            style: if i == 0 { theme.series(0) } else { theme.series_dim(1) },
            stroke: if i == 0 { Stroke::Solid } else { Stroke::Dotted },
            letter: None,
        })
        .collect();
    chart::draw(theme, &lines, window, plot, buffer);
    let marks = marks(theme, picture);
    for mark in &marks {
        upright(theme, window, mark, plot, buffer);
    }
    if let Some(limit) = picture.limit {
        level(theme, window, limit, plot, buffer);
    }
    if let Some((step, best)) = picture.best {
        let up = window.up(best);
        if let Some(column) = window.cell(step, plot.width).filter(|_| (0.0..=1.0).contains(&up)) {
            let row = ((1.0 - up) * f64::from(plot.height - 1)).round() as u16;
            let glyph = if theme.ascii { 'o' } else { '○' };
            set(buffer, plot.x + column, plot.y + row, glyph, theme.style(Role::Good));
        }
    }
    words(theme, window, &marks, Rect { y: plot.bottom(), height: 1, ..plot }, buffer);
}

/// The name of the curve, of its companion, and the level.
fn title(theme: &Theme, picture: &Picture<'_>, row: Rect, buffer: &mut Buffer) {
    let mut right = row.right();
    if let Some(limit) = picture.limit {
        let text = format!(" {} {} needed", theme.glyph("╌╌", "--"), value(limit));
        if columns(&text) + 12 <= usize::from(row.width) {
            right = put_right(buffer, row.x, right, row.y, &text, theme.severity(picture.alert.severity));
        }
    }
    let mut x = row.x;
    for (i, curve) in picture.curves.iter().enumerate() {
        let room = right.saturating_sub(x);
        let text = if i == 0 { curve.name.clone() } else { format!("  beside {}", curve.name) };
        let style = if i == 0 { theme.title() } else { theme.series_dim(1) };
        x = put(buffer, x, row.y, &fit(&text, usize::from(room), theme.ascii), room, style);
    }
}

/// A moment.
struct Mark {
    at: f64,
    word: &'static str,
    style: Style,
    /// Runs through the picture.
    upright: bool,
}

/// In the order of their steps; what falls on one step is one mark.
fn marks(theme: &Theme, picture: &Picture<'_>) -> Vec<Mark> {
    let alert = picture.alert;
    let bad = theme.severity(alert.severity);
    let mut marks = Vec::new();
    let mut add = |at: Option<Step>, word, style, upright| {
        marks.extend(at.map(|at| Mark { at: at as f64, word, style, upright }));
    };
    add(picture.best.map(|best| best.0 as Step), "best", theme.style(Role::Good), false);
    let twice = alert.since_step == alert.step;
    add(alert.since_step.filter(|_| !twice), "since", theme.style(Role::Text), true);
    add(alert.step, if twice { "since" } else { "said" }, bad, true);
    add(alert.closed_step, "over", theme.style(Role::Good), true);
    marks.sort_by(|a, b| a.at.total_cmp(&b.at));
    marks
}

fn upright(theme: &Theme, window: &Window, mark: &Mark, plot: Rect, buffer: &mut Buffer) {
    let Some(column) = window.cell(mark.at, plot.width).filter(|_| mark.upright) else { return };
    for y in plot.top()..plot.bottom() {
        if let Some(cell) = buffer.cell_mut((plot.x + column, y))
            && cell.symbol() == " "
        {
            cell.set_char(if theme.ascii { '|' } else { '┊' }).set_style(mark.style);
        }
    }
}

/// The level, where the curve leaves room for it.
fn level(theme: &Theme, window: &Window, limit: f64, plot: Rect, buffer: &mut Buffer) {
    let up = window.up(limit);
    if !(0.0..=1.0).contains(&up) {
        return;
    }
    let row = plot.y + ((1.0 - up) * f64::from(plot.height - 1)).round() as u16;
    for x in plot.left()..plot.right() {
        if let Some(cell) = buffer.cell_mut((x, row))
            && [" ", "┊", "|"].contains(&cell.symbol())
        {
            cell.set_char(if theme.ascii { '-' } else { '╌' }).set_style(theme.style(Role::Mark));
        }
    }
}

/// An arrow below each mark, with its word where the next one leaves room.
fn words(theme: &Theme, window: &Window, marks: &[Mark], row: Rect, buffer: &mut Buffer) {
    let columns: Vec<Option<u16>> = marks.iter().map(|m| window.cell(m.at, row.width)).collect();
    let mut free = row.x;
    for (i, mark) in marks.iter().enumerate() {
        let Some(column) = columns[i] else { continue };
        let x = row.x + column;
        let next = columns[i + 1..].iter().flatten().next().map_or(row.right(), |c| row.x + c);
        let text = format!("{}{}", theme.glyph("↑", "^"), mark.word);
        let width = mark.word.len() as u16 + 1;
        if x >= free && x + width < next.max(x + 1) + u16::from(next == row.right()) {
            free = put(buffer, x, row.y, &text, width, mark.style) + 1;
        } else if x + 1 >= free + width {
            // Before the arrow, where there is room only there.
            let text = format!("{}{}", mark.word, theme.glyph("↑", "^"));
            free = put(buffer, x + 1 - width, row.y, &text, width, mark.style) + 1;
        } else if x >= free {
            free = put(buffer, x, row.y, theme.glyph("↑", "^"), 1, mark.style);
        }
    }
}
