//! The flow of the gradient across the depth of the network: mean and largest element of each layer, logarithmic, first
//! layer at the left.

use ratatui::{buffer::Buffer, layout::Rect};

use super::list::Line;
use crate::ui::{
    Theme,
    numbers::value,
    text::{fit, put, put_right, set},
    theme::Role,
    widgets::ridgeline::level,
};

/// Decades below the largest value that bars reach; deeper ones stand on the ground.
const DECADES: f64 = 10.0;
/// A mean |g| below this is a gradient that vanishes (AWS `SageMaker` Debugger's `VanishingGradient`).
pub(super) const VANISHES: f64 = 1e-7;

/// What is drawn of a layer.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Bar {
    mean: Option<f64>,
    max: Option<f64>,
}

/// What is drawn: elements where they are known of any layer, else norms.
struct Flow {
    bars: Vec<(usize, Bar)>,
    elements: bool,
}

impl Flow {
    fn of(lines: &[Line]) -> Self {
        let elements = lines.iter().any(|l| l.figures.mean_gradient().is_some());
        let bar = |line: &Line| {
            let f = &line.figures;
            let (mean, max) =
                if elements { (f.mean_gradient(), f.largest_gradient()) } else { (f.gradient_norm, None) };
            (mean.is_some() || max.is_some()).then_some((f.index, Bar { mean, max }))
        };
        Self { bars: lines.iter().filter_map(bar).collect(), elements }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.bars
            .iter()
            .flat_map(|(_, bar)| [bar.mean, bar.max])
            .flatten()
            .filter(|v| v.is_finite() && *v > 0.0)
    }
}

/// Whether there is anything to draw.
pub(super) fn is_there(lines: &[Line]) -> bool {
    lines.iter().filter(|l| l.figures.gradient_norm.is_some() || l.figures.mean_gradient().is_some()).count()
        > 1
}

/// Draws a caption and bars. `selected` is the place of the layer that is marked.
pub(super) fn draw(theme: &Theme, lines: &[Line], selected: Option<usize>, area: Rect, buffer: &mut Buffer) {
    let flow = Flow::of(lines);
    let high = flow.values().fold(f64::MIN, f64::max).log10();
    if area.height < 3 || area.width < 20 || flow.bars.len() < 2 || !high.is_finite() {
        return;
    }
    let low = flow.values().fold(f64::MAX, f64::min).log10().max(high - DECADES);
    let low = low - ((high - low) * 0.08).max(0.05);
    caption(theme, &flow, area, buffer);
    let left = area.x + 9;
    let bars =
        Rect { x: left, y: area.y + 1, width: area.right().saturating_sub(left), height: area.height - 1 };
    axis(theme, (low, high), flow.elements, area.x, bars, buffer);
    let groups = Groups::new(flow.bars.len(), bars.width);
    for bar in 0..groups.bars {
        let members = &flow.bars[groups.members(bar, flow.bars.len())];
        let here = members.iter().any(|(i, _)| Some(*i) == selected);
        let columns = groups.columns(bar, left);
        column(theme, members, here, (low, high), (columns.clone(), bars), buffer);
        if here {
            put(buffer, columns.start, bars.y, theme.glyph("▾", "v"), 1, theme.accent());
        }
    }
}

/// One bar: solid up to the mean, a tick at the largest element.
fn column(
    theme: &Theme,
    members: &[(usize, Bar)],
    here: bool,
    (low, high): (f64, f64),
    (columns, bars): (std::ops::Range<u16>, Rect),
    buffer: &mut Buffer,
) {
    let style = if here { theme.accent() } else { theme.series(0) };
    let all = || members.iter().flat_map(|(_, bar)| [bar.mean, bar.max]).flatten();
    let broken = all().any(|v| !v.is_finite());
    let nothing = members.iter().any(|(_, bar)| bar.mean == Some(0.0));
    if broken || nothing {
        let c = if broken { theme.glyph("×", "N") } else { "0" };
        for x in columns {
            put(buffer, x, bars.bottom() - 1, c, 1, theme.style(Role::Bad));
        }
        return;
    }
    let largest =
        |of: fn(&Bar) -> Option<f64>| members.iter().filter_map(|(_, bar)| of(bar)).fold(0.0, f64::max);
    let tall = |v: f64| ((v.log10() - low) / (high - low)).clamp(0.0, 1.0) * f64::from(bars.height);
    let (mean, max) = (largest(|bar| bar.mean), largest(|bar| bar.max));
    for x in columns {
        for row in 0..bars.height {
            let share = (tall(mean) - f64::from(row)).clamp(0.0, 1.0);
            if mean > 0.0 && (row == 0 || share >= 1.0 / 16.0) {
                set(buffer, x, bars.bottom() - 1 - row, level(share.max(0.01), theme.ascii), style);
            }
        }
        if max > mean {
            let row = (tall(max).ceil().max(1.0) as u16 - 1).min(bars.height - 1);
            let c = if theme.ascii { '^' } else { '▔' };
            set(buffer, x, bars.bottom() - 1 - row, c, if here { theme.accent() } else { theme.muted() });
        }
    }
}

/// The ends of the axis and, where it lies between, the line below which gradients vanish.
fn axis(theme: &Theme, (low, high): (f64, f64), elements: bool, x: u16, bars: Rect, buffer: &mut Buffer) {
    let right = bars.x - 1;
    put_right(buffer, x, right, bars.y, &value(10_f64.powf(high)), theme.muted());
    if bars.height > 1 {
        put_right(buffer, x, right, bars.bottom() - 1, &value(10_f64.powf(low)), theme.muted());
    }
    let vanishes = VANISHES.log10();
    if elements && vanishes > low && vanishes < high && bars.height > 3 {
        let up = ((vanishes - low) / (high - low) * f64::from(bars.height)) as u16;
        let y = bars.bottom().saturating_sub(1 + up);
        if y > bars.y && y < bars.bottom() - 1 {
            put_right(buffer, x, right, y, "1e-7", theme.style(Role::Warn));
            for column in bars.x..bars.right() {
                set(buffer, column, y, if theme.ascii { '.' } else { '┈' }, theme.style(Role::Warn));
            }
        }
    }
}

fn caption(theme: &Theme, flow: &Flow, area: Rect, buffer: &mut Buffer) {
    let mut known = flow.bars.iter().filter_map(|(_, bar)| bar.mean).filter(|n| n.is_finite());
    let (first, last) = (known.next().unwrap_or(0.0), known.next_back().unwrap_or(0.0));
    let arrow = theme.glyph("→", "->");
    let what = if flow.elements {
        format!("gradient flow (log): mean |g|, {} max", theme.glyph("▔", "^"))
    } else {
        "gradient norm across depth (log)".to_owned()
    };
    let mut text = format!("{what}; first {} {arrow} last {}", value(first), value(last));
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
