//! Kernels of a convolution as pictures, part of the page *filters*.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{What, filters::listed};
use crate::{
    analysis::units,
    model::{Artefact, ArtefactKind},
    store::up_to,
    ui::{
        Theme,
        numbers::value,
        text::{fit, put, put_right},
        theme::Role,
        widgets::heatmap::{self, Heat},
    },
};

/// Kernels, each `height` × `width`, averaged over input channels.
pub(super) struct Kernels {
    step: Option<i64>,
    height: usize,
    width: usize,
    pictures: Vec<Vec<f64>>,
    /// Every weight is zero.
    zero: Vec<bool>,
}

/// The newest kernels of the layer up to the cursor: map records of kind `filter`, `[filter,] [channel,] row, column`.
pub(super) fn newest(what: &What<'_>) -> Option<Kernels> {
    let tracks = what.run.tracks(ArtefactKind::Map);
    let mine = tracks.filter(|(key, _)| {
        key.aspect.starts_with("filter") && units::speaks_of(what.row.layer.as_str(), &key.name)
    });
    let records: Vec<&Artefact> =
        mine.filter_map(|(_, records)| up_to(records, what.until).last()).map(|r| &r.artefact).collect();
    let newest = records.iter().max_by_key(|r| r.step)?;
    let array = newest.array("v")?;
    let (count, channels, height, width) = match *array.shape() {
        [height, width] => (1, 1, height, width),
        [count, height, width] => (count, 1, height, width),
        [count, channels, height, width] => (count, channels, height, width),
        _ => return None,
    };
    let size = height * width;
    if size == 0 || channels == 0 {
        return None;
    }
    let mut kernels = Kernels { step: newest.step, height, width, pictures: Vec::new(), zero: Vec::new() };
    for kernel in array.values().chunks_exact(size * channels).take(count) {
        let pixel = |at: usize| kernel.iter().skip(at).step_by(size).sum::<f64>() / channels as f64;
        kernels.pictures.push((0..size).map(pixel).collect());
        kernels.zero.push(kernel.iter().all(|w| *w == 0.0));
    }
    Some(kernels)
}

impl Kernels {
    /// How many.
    pub fn count(&self) -> usize {
        self.pictures.len()
    }

    /// As many kernels as fit, the one at the cursor among them; the scale is the same for all and symmetrical.
    pub fn draw(&self, theme: &Theme, cursor: usize, area: Rect, buffer: &mut Buffer) {
        if area.height < 3 {
            return;
        }
        let total = self.pictures.len();
        let zero: Vec<usize> = (0..total).filter(|i| self.zero[*i]).collect();
        let step = self.step.map_or_else(String::new, |step| format!(", step {step}"));
        let mut text = format!("{total} kernels {}x{}{step}: ", self.height, self.width);
        text += &format!("{} all zero{}", zero.len(), listed(&zero));
        let style = if zero.is_empty() { theme.title() } else { theme.style(Role::Warn) };
        put(buffer, area.x, area.y, &fit(&text, usize::from(area.width), theme.ascii), area.width, style);
        if total == 0 {
            return;
        }
        let at = cursor.min(total - 1);
        let finite = |k: &[f64]| k.iter().copied().filter(|v| v.is_finite()).collect::<Vec<f64>>();
        let here = finite(&self.pictures[at]);
        let (low, high) =
            here.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let text = if low > high {
            format!("kernel {at} (h l): no finite weight")
        } else {
            let scale = if theme.ascii { "0 lowest, 5 zero, 9 highest" } else { "dark or faint is lowest" };
            format!("kernel {at} (h l): {} to {}; {scale}", value(low), value(high))
        };
        put(
            buffer,
            area.x,
            area.y + 1,
            &fit(&text, usize::from(area.width), theme.ascii),
            area.width,
            theme.accent(),
        );
        self.grid(theme, at, Rect { y: area.y + 2, height: area.height - 2, ..area }, buffer);
    }

    /// The pictures, each weight as large as all of them allow.
    fn grid(&self, theme: &Theme, at: usize, grid: Rect, buffer: &mut Buffer) {
        let total = self.pictures.len();
        // Each weight is a square of so many values, as large as all kernels can be.
        let halves = heatmap::has_half_blocks(theme);
        let sized = |scale: usize| {
            let (wide, values) = (self.width * scale, self.height * scale);
            let tall = if halves { values.div_ceil(2) } else { values };
            let across = (usize::from(grid.width) + 1) / (wide + 1);
            let down = (usize::from(grid.height) + 1) / (tall + 1);
            (scale, wide, tall, across, across * down)
        };
        let scales = [6, 5, 4, 3, 2].into_iter().map(sized).find(|(.., fits)| *fits >= total);
        let (scale, wide, tall, across, fits) = scales.unwrap_or_else(|| sized(1));
        if fits == 0 {
            let text = "the kernels are larger than this window";
            put(buffer, grid.x, grid.y, text, grid.width, theme.muted());
            return;
        }
        let first = at / fits * fits;
        let all = self.pictures.iter().flatten().map(|v| v.abs()).filter(|v| v.is_finite());
        let largest = all.fold(0.0, f64::max);
        for (i, picture) in self.pictures.iter().enumerate().skip(first).take(fits) {
            let place = i - first;
            let x = grid.x + (place % across * (wide + 1)) as u16;
            let y = grid.y + (place / across * (tall + 1)) as u16;
            let room = Rect { x, y, width: wide as u16, height: tall as u16 };
            let heat = |row: usize, column: usize| {
                let v = picture.get(row / scale * self.width + column / scale).copied().unwrap_or(f64::NAN);
                if v.is_finite() && largest > 0.0 {
                    Heat::Share((0.5 + v / (2.0 * largest)).clamp(0.0, 1.0))
                } else {
                    Heat::Empty
                }
            };
            heatmap::draw(theme, (wide, self.height * scale), heat, room, buffer);
            let mark = match (i == at, self.zero[i]) {
                (true, _) => Some((theme.glyph("◂", "<"), theme.style(Role::Mark))),
                (_, true) => Some(("0", theme.style(Role::Warn))),
                _ => None,
            };
            if let Some((mark, style)) = mark
                && room.right() < grid.right()
            {
                put(buffer, room.right(), y, mark, 1, style);
            }
        }
        if fits < total {
            let text = format!(" {} to {} of {total}", first, (first + fits).min(total) - 1);
            put_right(buffer, grid.x, grid.right(), grid.y.saturating_sub(2), &text, Style::new());
        }
    }
}
