//! The page *filters*: units of the layer as cells, how strongly each responds; kernels of convolutions as pictures.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Known, What, kernels::Kernels, without};
use crate::{
    analysis::units,
    model::{ArtefactKind, Step},
    store::up_to,
    ui::{
        Theme,
        numbers::{count, percent, value},
        text::{fit, put, set},
        theme::Role,
        widgets::heatmap::{self, Heat},
    },
};

/// Numbers of filters that are listed by name.
const LISTED: usize = 12;

/// One unit: its number, its largest response, and in which share of instances it was active.
struct Unit {
    id: u64,
    most: f64,
    frequency: Option<f64>,
}

/// Cells above, kernels below; `cursor` is the unit whose numbers are written.
pub(super) fn draw(
    theme: &Theme,
    what: &What<'_>,
    known: &Known,
    cursor: usize,
    body: Rect,
    buffer: &mut Buffer,
) {
    let units: Vec<Unit> = units(known).collect();
    let found = known.most_step.filter(|_| !units.is_empty());
    let kernels = &known.kernels;
    if found.is_none() && kernels.is_none() {
        let missing = "record of its units (stat max_act) or map of kind filter";
        without(theme, missing, what.until, body, buffer);
        return;
    }
    let both = found.is_some() && kernels.is_some();
    let upper = if both { Rect { height: body.height / 2, ..body } } else { body };
    if let Some(step) = found {
        cells(theme, (step, &units), cursor, upper, buffer);
    }
    let below =
        if both { Rect { y: upper.bottom(), height: body.height - upper.height, ..body } } else { body };
    if let Some(kernels) = kernels {
        kernels.draw(theme, cursor, below, buffer);
    }
}

/// How many units or kernels the cursor can walk.
pub(super) fn walked(known: &Known) -> usize {
    units(known).count().max(known.kernels.as_ref().map_or(0, Kernels::count))
}

/// The units whose largest response is known.
fn units(known: &Known) -> impl Iterator<Item = Unit> {
    let all = known.figures.units.units.iter();
    all.filter_map(|u| Some(Unit { id: u.unit, most: u.most?, frequency: u.density }))
}

/// The step of the newest largest responses: of records of them, or of responses from which they are worked out.
/// Other numbers of the units may be newer.
pub(super) fn most_step(what: &What<'_>) -> Option<Step> {
    let newest = |kind, aspect| {
        let tracks = what.run.tracks(kind).filter(|(key, _)| {
            &*key.aspect == aspect && units::speaks_of(what.row.layer.as_str(), &key.name)
        });
        tracks.filter_map(|(_, records)| up_to(records, what.until).last()?.artefact.step).max()
    };
    newest(ArtefactKind::Units, "max_act").or_else(|| newest(ArtefactKind::Responses, ""))
}

fn cells(theme: &Theme, (step, units): (Step, &[Unit]), cursor: usize, area: Rect, buffer: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let silent: Vec<u64> = units.iter().filter(|u| u.most == 0.0).map(|u| u.id).collect();
    let broken = units.iter().filter(|u| !u.most.is_finite()).count();
    let mut text = format!(
        "largest response of {} units, step {step}: {} silent",
        count(units.len() as u64),
        silent.len()
    );
    text += &listed(&silent);
    if broken > 0 {
        text += &format!("; {broken} NaN or Inf");
    }
    let style = if silent.is_empty() && broken == 0 { theme.title() } else { theme.style(Role::Warn) };
    put(buffer, area.x, area.y, &fit(&text, usize::from(area.width), theme.ascii), area.width, style);
    let at = cursor.min(units.len() - 1);
    let here = &units[at];
    let mut text = format!("unit {} (h l): largest response {}", here.id, value(here.most));
    if let Some(frequency) = here.frequency {
        text += &format!(", active in {} of instances", percent(frequency));
    }
    put(
        buffer,
        area.x,
        area.y + 1,
        &fit(&text, usize::from(area.width), theme.ascii),
        area.width,
        theme.accent(),
    );
    let grid = Rect { y: area.y + 2, height: area.height - 2, ..area };
    let largest = units.iter().map(|u| u.most).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let heat = |unit: &Unit| {
        if unit.most > 0.0 && largest > 0.0 {
            Heat::Share((unit.most / largest).clamp(0.0, 1.0))
        } else {
            Heat::Empty
        }
    };
    // As large as they can all be: width with its gap, height with its gap.
    let sizes: [(u16, u16); 5] = [(9, 4), (7, 3), (6, 2), (4, 2), (3, 1)];
    let per_row = |wide: u16| usize::from(grid.width / wide).max(1);
    let fits = |(wide, tall): &(u16, u16)| {
        (units.len().div_ceil(per_row(*wide))).saturating_mul(usize::from(*tall)) <= usize::from(grid.height)
    };
    if let Some((wide, tall)) = sizes.into_iter().find(fits) {
        let per_row = per_row(wide);
        for (i, unit) in units.iter().enumerate() {
            let (x, y) = (grid.x + wide * (i % per_row) as u16, grid.y + tall * (i / per_row) as u16);
            let (mut glyph, mut style) = heatmap::glyph(theme, heat(unit));
            if !unit.most.is_finite() {
                (glyph, style) = (if theme.ascii { 'N' } else { '×' }, theme.style(Role::Bad));
            }
            let lines = if tall > 1 { tall - 1 } else { 1 };
            for (dx, dy) in (0..wide - 1).flat_map(|dx| (0..lines).map(move |dy| (dx, dy))) {
                set(buffer, x + dx, y + dy, glyph, style);
            }
            if i == at {
                set(buffer, x + wide - 1, y, if theme.ascii { '<' } else { '◂' }, theme.style(Role::Mark));
            }
        }
        return;
    }
    // One value a cell or half cell; where even these are too few, the largest of neighbours.
    let (columns, rows) = (usize::from(grid.width), usize::from(heatmap::value_rows(theme, grid.height)));
    let per_cell = units.len().div_ceil((columns * rows).max(1)).max(1);
    let groups: Vec<Heat> = units
        .chunks(per_cell)
        .map(|group| {
            let most = group.iter().max_by(|a, b| a.most.total_cmp(&b.most));
            most.map_or(Heat::Empty, heat)
        })
        .collect();
    let rows = groups.len().div_ceil(columns);
    let at_cell =
        |row: usize, column: usize| groups.get(row * columns + column).copied().unwrap_or(Heat::Empty);
    heatmap::draw(theme, (columns, rows), at_cell, grid, buffer);
    let cell = at / per_cell;
    let (x, row) = (cell % columns, cell / columns);
    let y = if heatmap::has_half_blocks(theme) { row / 2 } else { row };
    set(buffer, grid.x + x as u16, grid.y + y as u16, 'o', theme.style(Role::Mark));
}

/// `: 4, 9, 20`, cut where there are many.
pub(super) fn listed(numbers: &[impl ToString]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let first: Vec<String> = numbers.iter().take(LISTED).map(ToString::to_string).collect();
    let more = if numbers.len() > LISTED { ", …" } else { "" };
    format!(": {}{more}", first.join(", "))
}
