//! A frame as a picture for README and docs.
//!
//! Every character has its own place (`x="12 21 30"`), because the monospace fonts of readers differ in width;
//! blocks, braille and lines are shapes. Styles become classes, so that 120×40 stays well below 150 kB.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use ratatui::{
    buffer::{Buffer, Cell},
    style::Modifier,
};

use super::{
    palette::{BACKGROUND, FOREGROUND, Rgb, hex, mix, rgb},
    row,
    shapes::{self, Arms, Shape},
};

/// Width of a cell: 0.6 of the font size, which most monospace fonts have.
const CELL_WIDTH: f64 = 9.0;
/// Height of a cell; divisible by 2 for half blocks.
const CELL_HEIGHT: f64 = 18.0;
/// Size of the font.
const FONT_SIZE: f64 = 15.0;
/// From the upper edge of a cell to the line on which letters stand.
const BASELINE: f64 = 13.5;
/// Paper around the frame.
const MARGIN: f64 = 12.0;

/// The frame as one SVG document; `title` is what a screen reader says.
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let mut drawing = Drawing::default();
    for y in buffer.area.top()..buffer.area.bottom() {
        drawing.row(buffer, y);
    }
    let width = f64::from(buffer.area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(buffer.area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    drawing.document(width, height, title)
}

/// How text looks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ink {
    colour: Rgb,
    bold: bool,
    italic: bool,
}

/// A filled rectangle; opacity in quarters.
#[derive(Clone, Copy, PartialEq)]
struct Fill {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// What was collected so far. Ordered maps, so that the output is always the same.
#[derive(Default)]
struct Drawing {
    behind: BTreeMap<Rgb, Vec<Fill>>,
    patches: BTreeMap<(Rgb, u8), Vec<Fill>>,
    dots: BTreeMap<Rgb, String>,
    lines: BTreeMap<Rgb, String>,
    classes: BTreeMap<Ink, usize>,
    text: String,
}

/// A stretch of characters of one look in one row.
struct Run {
    ink: Ink,
    text: String,
    places: String,
    next: f64,
}

impl Drawing {
    fn row(&mut self, buffer: &Buffer, y: u16) {
        let top = f64::from(y - buffer.area.top()) * CELL_HEIGHT + MARGIN;
        let mut spans = String::new();
        let mut run: Option<Run> = None;
        for (column, cell, width) in row(buffer, y) {
            let x = f64::from(column) * CELL_WIDTH + MARGIN;
            let wide = f64::from(width) * CELL_WIDTH;
            let (ink, paper) = colours(cell);
            if paper != BACKGROUND {
                extend(self.behind.entry(paper).or_default(), Fill { x, y: top, w: wide, h: CELL_HEIGHT });
            }
            if cell.modifier.contains(Modifier::UNDERLINED) {
                let fill = Fill { x, y: top + BASELINE + 2.0, w: wide, h: 1.0 };
                extend(self.patches.entry((ink.colour, 4)).or_default(), fill);
            }
            let symbol = cell.symbol();
            if let Some(shape) = shapes::of(symbol) {
                if let Shape::Dots(dots) = &shape {
                    self.dots(dots, ink.colour, column, y - buffer.area.top());
                } else {
                    self.shape(&shape, ink.colour, x, top);
                }
                self.flush(&mut run, &mut spans);
            } else if symbol == " " {
                // One blank inside a run keeps words together; more would only cost bytes.
                match &mut run {
                    Some(r) if (r.next - x).abs() < 0.1 && !r.text.ends_with(' ') => r.push(" ", x, wide),
                    _ => self.flush(&mut run, &mut spans),
                }
            } else {
                let one_unit = symbol.len() == 1 || symbol.encode_utf16().count() == 1;
                let fits = run.as_ref().is_some_and(|r| r.ink == ink && (r.next - x).abs() < 0.1);
                if !fits || !one_unit {
                    self.flush(&mut run, &mut spans);
                }
                let r = run.get_or_insert_with(|| Run::new(ink));
                r.push(symbol, x, wide);
                if !one_unit {
                    self.flush(&mut run, &mut spans);
                }
            }
        }
        self.flush(&mut run, &mut spans);
        if !spans.is_empty() {
            let _ = writeln!(self.text, "<text y=\"{}\">{spans}</text>", Short(top + BASELINE));
        }
    }

    fn flush(&mut self, run: &mut Option<Run>, spans: &mut String) {
        let Some(mut run) = run.take() else { return };
        if run.text.ends_with(' ') {
            run.text.pop();
            run.places.truncate(run.places.trim_end().rfind(' ').unwrap_or(0));
        }
        let next = self.classes.len();
        let class = *self.classes.entry(run.ink).or_insert(next);
        let _ = write!(spans, "<tspan class=\"c{class}\" x=\"{}\">", run.places.trim_end());
        escape(&run.text, spans);
        spans.push_str("</tspan>");
    }

    fn shape(&mut self, shape: &Shape, colour: Rgb, x: f64, top: f64) {
        match shape {
            Shape::Patches(patches) => {
                for p in patches {
                    let fill = Fill {
                        x: x + p.x * CELL_WIDTH,
                        y: top + p.y * CELL_HEIGHT,
                        w: p.w * CELL_WIDTH,
                        h: p.h * CELL_HEIGHT,
                    };
                    extend(self.patches.entry((colour, p.quarters)).or_default(), fill);
                }
            }
            Shape::Dots(_) => {}
            Shape::Lines(arms) => lines(*arms, x, top, self.lines.entry(colour).or_default()),
        }
    }

    /// Dots in units of a quarter of a cell's width, which is an eighth of its height: whole numbers are short. A
    /// stroke of no length with round ends is a circle.
    fn dots(&mut self, dots: &[(u8, u8)], colour: Rgb, column: u16, row: u16) {
        let path = self.dots.entry(colour).or_default();
        for (dx, dy) in dots {
            let x = u32::from(column) * 4 + 1 + 2 * u32::from(*dx);
            let y = u32::from(row) * 8 + 1 + 2 * u32::from(*dy);
            let _ = write!(path, "M{x} {y}h0");
        }
    }

    fn document(&self, width: f64, height: f64, title: &str) -> String {
        let mut out = String::with_capacity(self.text.len() + 16_384);
        let (w, h) = (Short(width), Short(height));
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             role=\"img\">"
        );
        out.push_str("<title>");
        escape(title, &mut out);
        out.push_str(
            "</title>\n<style>text{font-family:'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',",
        );
        let _ = write!(out, "monospace;font-size:{}px;white-space:pre}}", Short(FONT_SIZE));
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_by_key(|(_, number)| **number);
        for (ink, number) in classes {
            let _ = write!(out, ".c{number}{{fill:{}", hex(ink.colour));
            out.push_str(if ink.bold { ";font-weight:bold" } else { "" });
            out.push_str(if ink.italic { ";font-style:italic}" } else { "}" });
        }
        out.push_str("</style>\n");
        let _ = writeln!(out, "<rect width=\"{w}\" height=\"{h}\" rx=\"8\" fill=\"{}\"/>", hex(BACKGROUND));
        out.push_str("<g shape-rendering=\"crispEdges\">\n");
        for (colour, fills) in &self.behind {
            let _ = writeln!(out, "<path fill=\"{}\" d=\"{}\"/>", hex(*colour), path(fills));
        }
        for ((colour, quarters), fills) in &self.patches {
            let opacity = match quarters {
                1 => " opacity=\".25\"",
                2 => " opacity=\".5\"",
                3 => " opacity=\".75\"",
                _ => "",
            };
            let _ = writeln!(out, "<path fill=\"{}\"{opacity} d=\"{}\"/>", hex(*colour), path(fills));
        }
        out.push_str("</g>\n<g fill=\"none\" stroke-linecap=\"round\">\n");
        for (colour, path) in &self.lines {
            let _ = writeln!(out, "<path stroke=\"{}\" d=\"{path}\"/>", hex(*colour));
        }
        let (margin, unit) = (Short(MARGIN), Short(CELL_WIDTH / 4.0));
        let _ = writeln!(
            out,
            "<g transform=\"translate({margin} {margin}) scale({unit})\" stroke-width=\"1.35\">"
        );
        for (colour, path) in &self.dots {
            let _ = writeln!(out, "<path stroke=\"{}\" d=\"{path}\"/>", hex(*colour));
        }
        out.push_str("</g></g>\n<g xml:space=\"preserve\">\n");
        out.push_str(&self.text);
        out.push_str("</g>\n</svg>\n");
        out
    }
}

impl Run {
    fn new(ink: Ink) -> Self {
        Self { ink, text: String::new(), places: String::new(), next: 0.0 }
    }

    fn push(&mut self, symbol: &str, x: f64, wide: f64) {
        self.text.push_str(symbol);
        let _ = write!(self.places, "{} ", Short(x));
        self.next = x + wide;
    }
}

/// Text colour and paper of a cell, with reverse and dim worked in.
fn colours(cell: &Cell) -> (Ink, Rgb) {
    let has = |m| cell.modifier.contains(m);
    let (mut front, mut back) = (rgb(cell.fg, FOREGROUND), rgb(cell.bg, BACKGROUND));
    if has(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    if has(Modifier::DIM) {
        front = mix(front, back, 0.45);
    }
    (Ink { colour: front, bold: has(Modifier::BOLD), italic: has(Modifier::ITALIC) }, back)
}

/// Adds a rectangle, grown into the last one where both make one.
fn extend(fills: &mut Vec<Fill>, new: Fill) {
    let near = |a: f64, b: f64| (a - b).abs() < 0.01;
    match fills.last_mut() {
        Some(last) if near(last.y, new.y) && near(last.h, new.h) && near(last.x + last.w, new.x) => {
            last.w += new.w;
        }
        _ => fills.push(new),
    }
}

fn path(fills: &[Fill]) -> String {
    let mut d = String::new();
    for f in fills {
        let _ = write!(d, "M{} {}h{}v{}h{}z", Short(f.x), Short(f.y), Short(f.w), Short(f.h), Short(-f.w));
    }
    d
}

fn lines(arms: Arms, x: f64, top: f64, path: &mut String) {
    let (half_w, half_h) = (CELL_WIDTH / 2.0, CELL_HEIGHT / 2.0);
    let (cx, cy) = (x + half_w, top + half_h);
    if arms.round {
        let end_x = if arms.left { x } else { x + CELL_WIDTH };
        let (end_y, bend) = if arms.up { (top, cy - half_w) } else { (top + CELL_HEIGHT, cy + half_w) };
        let _ = write!(
            path,
            "M{} {}V{}Q{} {} {} {}",
            Short(cx),
            Short(end_y),
            Short(bend),
            Short(cx),
            Short(cy),
            Short(end_x),
            Short(cy)
        );
        return;
    }
    if arms.left || arms.right {
        let from = if arms.left { x } else { cx };
        let to = if arms.right { x + CELL_WIDTH } else { cx };
        let _ = write!(path, "M{} {}H{}", Short(from), Short(cy), Short(to));
    }
    if arms.up || arms.down {
        let from = if arms.up { top } else { cy };
        let to = if arms.down { top + CELL_HEIGHT } else { cy };
        let _ = write!(path, "M{} {}V{}", Short(cx), Short(from), Short(to));
    }
}

/// A coordinate with at most two decimals and no useless zeros.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Text inside of XML; what XML forbids becomes `�`.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
