//! The list of curves: which unit, for how many it stands, how far it is from the others.

use std::collections::BTreeMap;

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use super::{sampled::Sampled, style};
use crate::ui::{
    Theme,
    numbers::{count, value},
    text::put_right,
    theme::Role,
    widgets::table::{Cell, Column, Keep, Layout, Window, position},
};

const UNIT: usize = 0;
const STANDS_FOR: usize = 1;
const LAST: usize = 2;
const DISTANCE: usize = 3;
const ETA2: usize = 4;

const COLUMNS: [Column; 6] = [
    Column::number("unit", 6, 0),
    Column::number("represents", 10, 0),
    Column::number("last", 8, 1),
    Column::number("distance", 8, 2),
    Column::number("eta2", 5, 4),
    Column::text("", 7, 7, 3, Keep::Start),
];

/// Draws it and returns where its rows are.
pub(super) fn draw(
    theme: &Theme,
    sampled: &Sampled,
    eta2: &BTreeMap<u64, f64>,
    marked: usize,
    window: &mut Window,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    if area.height < 2 || area.width < 10 {
        return Rect::ZERO;
    }
    let picks = &sampled.sample.picks;
    let layout = Layout::new(&COLUMNS, area.width.min(56));
    layout.head(&COLUMNS, None, theme, Rect { height: 1, ..area }, buffer);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let visible = window.follow(marked, picks.len(), usize::from(rows.height));
    for (y, i) in (rows.y..).zip(visible.clone()) {
        let pick = &picks[i];
        let unit = sampled.curves.units().get(pick.at).copied().unwrap_or_default();
        let look = style(theme, i, pick.outlier, false);
        let dash = || Cell::new(theme.glyph("–", "-"), theme.muted());
        let cell = |column: usize| match column {
            UNIT => Cell::new(unit.to_string(), look.add_modifier(Modifier::BOLD)),
            STANDS_FOR => Cell::plain(count(pick.represents as u64)),
            LAST => match sampled.curves.last(pick.at) {
                Some(v) if v.is_finite() => Cell::plain(value(v)),
                Some(v) => Cell::new(value(v), theme.style(Role::Bad)),
                None => dash(),
            },
            DISTANCE if i == 0 => dash(),
            DISTANCE => Cell::plain(value(pick.gap)),
            ETA2 => eta2.get(&unit).map_or_else(dash, |v| Cell::plain(format!("{v:.2}"))),
            _ if pick.outlier => Cell::new("outlier", look),
            _ if i == 0 => Cell::new("typical", look),
            _ => Cell::default(),
        };
        let place = Rect { y, height: 1, width: area.width.min(56), ..area };
        layout.row(&COLUMNS, cell, i == marked, theme, place, buffer);
    }
    let note = position(&visible, picks.len(), theme.ascii);
    if area.width >= 70 {
        put_right(buffer, area.x, area.right(), area.y, &note, theme.accent());
    }
    rows
}
