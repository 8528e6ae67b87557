//! The gradient's norm across the depth of the network: a bar a layer, logarithmic, first layer at the left.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{
    Theme,
    numbers::value,
    text::{fit, put, put_right, set},
    theme::Role,
    widgets::ridgeline::level,
};

/// Decades below the largest norm that bars reach; deeper ones stand on the ground.
const DECADES: f64 = 8.0;

/// Draws a caption and bars. `selected` is the place of the layer that is marked.
pub(super) fn draw(
    theme: &Theme,
    norms: &[(usize, Option<f64>)],
    selected: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let known: Vec<f64> =
        norms.iter().filter_map(|(_, n)| *n).filter(|n| n.is_finite() && *n > 0.0).collect();
    let logged = norms.iter().filter(|(_, n)| n.is_some()).count();
    if area.height < 3 || area.width < 20 || known.is_empty() || logged < 2 {
        return;
    }
    let high = known.iter().copied().fold(f64::MIN, f64::max).log10();
    let low = known.iter().copied().fold(f64::MAX, f64::min).log10().max(high - DECADES);
    let low = low - ((high - low) * 0.08).max(0.05);
    caption(theme, norms, area, buffer);
    let (axis, right) = (9_u16, area.right());
    let left = area.x + axis;
    let width = right.saturating_sub(left);
    let bars = Rect { x: left, y: area.y + 1, width, height: area.height - 1 };
    put_right(buffer, area.x, left - 1, bars.y, &value(10_f64.powf(high)), theme.muted());
    put_right(buffer, area.x, left - 1, bars.bottom() - 1, &value(10_f64.powf(low)), theme.muted());
    let groups = Groups::new(norms.len(), width);
    for bar in 0..groups.bars {
        let members = &norms[groups.members(bar, norms.len())];
        let here = members.iter().any(|(i, _)| Some(*i) == selected);
        let style = if here { theme.accent() } else { theme.series(0) };
        let broken = members.iter().any(|(_, n)| n.is_some_and(|n| !n.is_finite()));
        let nothing = members.iter().any(|(_, n)| *n == Some(0.0));
        let largest = members
            .iter()
            .filter_map(|(_, n)| *n)
            .filter(|n| n.is_finite() && *n > 0.0)
            .fold(f64::NEG_INFINITY, f64::max);
        for x in groups.columns(bar, left) {
            if broken || nothing {
                let c = if broken { theme.glyph("×", "N") } else { "0" };
                put(buffer, x, bars.bottom() - 1, c, 1, theme.style(Role::Bad));
                continue;
            }
            if largest > 0.0 {
                let tall = ((largest.log10() - low) / (high - low)).clamp(0.0, 1.0) * f64::from(bars.height);
                for row in 0..bars.height {
                    let share = (tall - f64::from(row)).clamp(0.0, 1.0);
                    if row == 0 || share >= 1.0 / 16.0 {
                        let c = level(share.max(0.01), theme.ascii);
                        set(buffer, x, bars.bottom() - 1 - row, c, style);
                    }
                }
            }
        }
        if here {
            let x = groups.columns(bar, left).start;
            put(buffer, x, bars.y, theme.glyph("▾", "v"), 1, theme.accent());
        }
    }
}

fn caption(theme: &Theme, norms: &[(usize, Option<f64>)], area: Rect, buffer: &mut Buffer) {
    let mut known = norms.iter().filter_map(|(_, n)| *n).filter(|n| n.is_finite());
    let (first, last) = (known.next().unwrap_or(0.0), known.next_back().unwrap_or(0.0));
    let arrow = theme.glyph("→", "->");
    let mut text =
        format!("gradient norm across depth (log): first {} {arrow} last {}", value(first), value(last));
    if first > 0.0 && last > 0.0 {
        text = format!("{text}, ratio {}", value(first / last));
    }
    let text = fit(&text, usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.muted());
}

/// Which layers share a bar, and how wide bars are.
struct Groups {
    bars: usize,
    per: usize,
    wide: u16,
}

impl Groups {
    fn new(layers: usize, width: u16) -> Self {
        let per = layers.div_ceil(usize::from(width.max(1))).max(1);
        let bars = layers.div_ceil(per);
        let wide = (width / u16::try_from(bars.max(1)).unwrap_or(u16::MAX)).clamp(1, 8);
        Self { bars, per, wide }
    }

    fn members(&self, bar: usize, layers: usize) -> std::ops::Range<usize> {
        bar * self.per..((bar + 1) * self.per).min(layers)
    }

    /// A blank stands between bars that are wide enough to spare one.
    fn columns(&self, bar: usize, left: u16) -> std::ops::Range<u16> {
        let begin = left + bar as u16 * self.wide;
        let gap = u16::from(self.wide > 1);
        begin..begin + self.wide - gap
    }
}
