//! The page of similarities: a matrix of layers in leaf order, and the value at the cursor.

use std::sync::Arc;

use ndarray::Array2;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    analysis::cluster::{Distances, average_linkage, order},
    model::{ArtefactKind, Payload, RunId, Step},
    store::{Run, StoredArtefact, TrackKey},
    ui::{
        FrameContext, Theme,
        background::Pending,
        numbers::{step, value},
        text::{columns, fit, fit_end, put, put_right},
        widgets::{
            heatmap::{self, Heat},
            table::{Window, position},
        },
    },
};

/// Columns of a cell with a number in it.
const NUMBER: u16 = 4;
/// Columns that names of layers get at most.
const NAMES: u16 = 24;

/// What an order depends on.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    run: RunId,
    subject: TrackKey,
    step: Step,
    /// A matrix that was logged again at the same step.
    records: u64,
    layers: usize,
}

/// One matrix.
struct Matrix {
    names: Vec<String>,
    values: Array2<f64>,
    step: Step,
    method: String,
}

/// The page's state.
#[derive(Default)]
pub(super) struct Similarities {
    /// Which of the matrices that a run logs.
    chosen: usize,
    /// The order is that of the log.
    as_logged: bool,
    /// Places in the order shown.
    row: usize,
    column: usize,
    /// The column was chosen; it follows the row until then.
    column_chosen: bool,
    leaf_order: Pending<Key, Vec<usize>>,
    rows: Window,
    columns: Window,
    layers: usize,
}

/// The subjects that have a matrix.
fn subjects(run: &Run) -> Vec<(&TrackKey, &[StoredArtefact])> {
    let tracks = run.tracks(ArtefactKind::Similarity);
    tracks.filter(|(key, _)| key.aspect.starts_with("matrix")).collect()
}

/// Whether a run logs one.
pub(super) fn any(run: &Run) -> bool {
    !subjects(run).is_empty()
}

/// Steps at which there is one.
pub(super) fn moments(run: &Run) -> Vec<Step> {
    let all = subjects(run);
    let mut steps: Vec<Step> =
        all.iter().flat_map(|(_, records)| records.iter().filter_map(|r| r.artefact.step)).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// The matrix of a record; numbers that are not there are NaN.
fn matrix(record: &StoredArtefact) -> Option<Matrix> {
    let artefact = &record.artefact;
    let array = artefact.array("m")?;
    let n = *array.shape().first()?;
    let values = Array2::from_shape_vec((n, n), array.values().to_vec()).ok().filter(|_| n > 0)?;
    let name = |i: usize| match artefact.field("layers") {
        Some(Payload::Texts(names)) => names.get(i).cloned().flatten(),
        _ => None,
    };
    let names = (0..n).map(|i| name(i).map_or_else(|| i.to_string(), |name: Arc<str>| name.to_string()));
    Some(Matrix {
        names: names.collect(),
        values,
        step: artefact.step?,
        method: artefact.text("method").unwrap_or_default().to_owned(),
    })
}

impl Similarities {
    /// The next matrix that the run logs; what to say of it.
    pub fn next(&mut self, run: &Run) -> String {
        let all = subjects(run);
        if all.len() < 2 {
            return "this run logs one similarity matrix".to_owned();
        }
        self.chosen = (self.chosen + 1) % all.len();
        all.get(self.chosen).map_or_else(String::new, |(key, _)| format!("{} {}", key.name, key.aspect))
    }

    pub fn toggle_order(&mut self) -> &'static str {
        self.as_logged = !self.as_logged;
        if self.as_logged { "layers as they were logged" } else { "layers in leaf order" }
    }

    pub fn down(&mut self, by: isize) {
        self.row = self.row.saturating_add_signed(by).min(self.layers.saturating_sub(1));
    }

    pub fn right(&mut self, by: isize) {
        if !self.column_chosen {
            self.column = self.row;
        }
        self.column_chosen = true;
        self.column = self.column.saturating_add_signed(by).min(self.layers.saturating_sub(1));
    }

    /// Draws the newest matrix up to `until`.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        run: &Run,
        until: Option<Step>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let all = subjects(run);
        let Some((key, records)) = all.get(self.chosen).or_else(|| all.first()) else { return };
        let before = |r: &&StoredArtefact| until.is_none_or(|until| r.artefact.step <= Some(until));
        let Some(matrix) = records.iter().rev().find(before).and_then(matrix) else {
            let first = records.first().and_then(|r| r.artefact.step).unwrap_or(0);
            let text =
                format!("no similarity matrix up to this step; the first is at {first}, 0 back to live");
            put(
                buffer,
                area.x,
                area.y,
                &fit(&text, area.width.into(), theme.ascii),
                area.width,
                theme.muted(),
            );
            return;
        };
        let n = matrix.names.len();
        self.layers = n;
        self.row = self.row.min(n - 1);
        self.column = if self.column_chosen { self.column.min(n - 1) } else { self.row };
        let wanted = Key {
            run: run.id().clone(),
            subject: (*key).clone(),
            step: matrix.step,
            records: run.track_count(key),
            layers: n,
        };
        let values = matrix.values.clone();
        let progress = self.leaf_order.ask(context, wanted, move |cancel| {
            let distances = Distances::of_similarity(&values);
            order(&average_linkage(&distances, cancel)?, &distances, cancel)
        });
        let leaf_order = progress.value.filter(|order| progress.fresh && order.len() == n).cloned();
        let running = progress.running;
        let (places, said) = match leaf_order {
            _ if self.as_logged => ((0..n).collect(), "as logged"),
            Some(order) => (order, "leaf order, average linkage"),
            None if running => ((0..n).collect(), "as logged; leaf order is being worked out"),
            None => ((0..n).collect(), "as logged"),
        };
        let dot = theme.glyph(" · ", " | ");
        let parts = [
            format!("{} of {n} layers", matrix.method),
            said.to_owned(),
            format!("step {}", step(matrix.step)),
        ];
        let title = fit(&parts.join(dot), area.width.into(), theme.ascii);
        put(buffer, area.x, area.y, &title, area.width, theme.title());
        if area.height < 3 {
            return;
        }
        let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
        self.cells(theme, &matrix, &places, body, buffer);
        let text = fit(&self.readout(theme, &matrix, &places), area.width.into(), theme.ascii);
        put(buffer, area.x, area.bottom() - 1, &text, area.width, theme.accent());
    }

    /// The value under the cursor in words.
    fn readout(&self, theme: &Theme, matrix: &Matrix, places: &[usize]) -> String {
        let at = |place: usize| places.get(place).copied().unwrap_or(place);
        let (row, column) = (at(self.row), at(self.column));
        let name = |i: usize| fit(matrix.names.get(i).map_or("", String::as_str), 30, theme.ascii);
        let v = matrix.values.get([row, column]).copied().unwrap_or(f64::NAN);
        let arrow = theme.glyph("↔", "-");
        let mut text = format!("{} {arrow} {}: {}", name(row), name(column), value(v));
        let back = matrix.values.get([column, row]).copied().unwrap_or(f64::NAN);
        if back.is_nan() != v.is_nan() || (back - v).abs() > 1e-6 {
            text = format!("{text}, back {}", value(back));
        }
        text
    }

    /// Numbers where they fit, else a cell for a value, else half a cell.
    fn cells(&mut self, theme: &Theme, matrix: &Matrix, places: &[usize], area: Rect, buffer: &mut Buffer) {
        let n = places.len();
        let longest = matrix.names.iter().map(|name| columns(name)).max().unwrap_or(0);
        let names = (longest as u16).min(NAMES).min(area.width / 3);
        let grid = Rect { x: area.x + names + 7, width: area.width.saturating_sub(names + 7), ..area };
        let rows = usize::from(area.height);
        let fits = |wide: u16| n * usize::from(wide) <= usize::from(grid.width);
        let of = |row: usize, column: usize| {
            matrix.values.get([places[row], places[column]]).copied().unwrap_or(f64::NAN)
        };
        if n > rows && n <= usize::from(heatmap::value_rows(theme, area.height)) && fits(1) {
            let heat = |row: usize, column: usize| heat(of(row, column));
            heatmap::draw(theme, (n, n), heat, grid, buffer);
            for y in (0..area.height).take(n.div_ceil(2)) {
                let upper = places.get(usize::from(y) * 2).and_then(|i| matrix.names.get(*i));
                let name = fit_end(upper.map_or("", String::as_str), names.into(), theme.ascii);
                put(buffer, area.x + 2, area.y + y, &name, names, theme.muted());
            }
            let shown = (self.row / 2) as u16;
            put(buffer, area.x, area.y + shown, theme.glyph("▸", ">"), 2, theme.accent());
            let at = places.get(self.row).and_then(|i| matrix.names.get(*i)).map_or("", String::as_str);
            let name = fit_end(at, usize::from(names) + 4, theme.ascii);
            put(buffer, area.x + 2, area.y + shown, &name, names + 4, theme.accent());
            return;
        }
        let wide = [NUMBER + 1, NUMBER, 2, 1].into_iter().find(|wide| fits(*wide)).unwrap_or(1);
        // The head numbers the columns as the rows are numbered.
        let head = u16::from(wide >= NUMBER && n < rows);
        let down = self.rows.follow(self.row, n, rows - usize::from(head));
        let across = self.columns.follow(self.column, n, usize::from(grid.width / wide));
        if head > 0 {
            for (at, column) in across.clone().enumerate() {
                let x = grid.x + at as u16 * wide;
                let style = if column == self.column { theme.accent() } else { theme.muted() };
                put_right(buffer, x, x + wide, area.y, &(column + 1).to_string(), style);
            }
        }
        for (y, row) in (area.y + head..).zip(down.clone()) {
            let here = row == self.row;
            let style = if here { theme.accent() } else { Style::new() };
            put(buffer, area.x, y, if here { theme.glyph("▸", ">") } else { " " }, 2, style);
            let name = places.get(row).and_then(|i| matrix.names.get(*i)).map_or("", String::as_str);
            let name = fit_end(name, names.into(), theme.ascii);
            let numbered = format!("{:>3} ", row + 1);
            put(buffer, area.x + 2, y, &numbered, 4, theme.muted());
            put(buffer, area.x + 6, y, &name, names, style);
            for (at, column) in across.clone().enumerate() {
                let x = grid.x + at as u16 * wide;
                let selected = here && column == self.column;
                cell(theme, of(row, column), wide, selected, (x, y), buffer);
            }
        }
        if down.len() < n || across.len() < n {
            let note = format!("rows {}", position(&down, n, theme.ascii));
            put_right(buffer, area.x, area.right(), area.bottom() - 1, &note, theme.muted());
        }
    }
}

/// Similarities below 0 are as unlike as those of 0; the cursor says them exactly.
fn heat(v: f64) -> Heat {
    if v.is_nan() { Heat::Empty } else { Heat::Share(v) }
}

fn cell(theme: &Theme, v: f64, wide: u16, selected: bool, (x, y): (u16, u16), buffer: &mut Buffer) {
    if wide >= NUMBER {
        let text = short(v);
        let style = if v.is_nan() { theme.muted() } else { theme.heat(v) };
        let style = if selected { style.patch(theme.selected()) } else { style };
        let text = format!("{text:>width$}", width = usize::from(wide));
        put(buffer, x, y, &text, wide, style);
        return;
    }
    let (c, style) = heatmap::glyph(theme, heat(v));
    let style = if selected { style.patch(theme.selected()) } else { style };
    let c = if selected && c == ' ' { if theme.ascii { '+' } else { '▪' } } else { c };
    for at in 0..wide {
        crate::ui::text::set(buffer, x + at, y, c, style);
    }
}

/// Two digits behind the point in at most four columns: `.87`, `-.02`, `1.0`.
fn short(v: f64) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    let text = format!("{v:.2}");
    match text.as_str() {
        "1.00" => "1.0".to_owned(),
        "-0.00" | "0.00" => "0".to_owned(),
        other => {
            let brief = other.replacen("0.", ".", 1);
            if brief.len() > 4 { if v > 0.0 { ">1".to_owned() } else { "<-1".to_owned() } } else { brief }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_at_most_four_columns() {
        for (v, text) in [
            (0.874, ".87"),
            (-0.021, "-.02"),
            (1.0, "1.0"),
            (0.999, "1.0"),
            (0.0, "0"),
            (-0.001, "0"),
            (f64::NAN, "NaN"),
            (-12.0, "<-1"),
            (10.0, "10.00"),
            (1e9, ">1"),
        ] {
            let said = short(v);
            assert!(said.len() <= 4, "{said}");
            if v != 10.0 {
                assert_eq!(said, text);
            }
        }
    }
}
