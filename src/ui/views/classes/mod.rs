//! The view *Classes*: which class is taken for which, evaluation by evaluation.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    model::{ConfusionRecord, Step},
    store::Run,
    ui::{
        Action, Binding, FrameContext, Outcome, Selection, View,
        keymap::Key,
        text::{fit, put},
        theme::Role,
        widgets::{
            matrix::{self, Matrix, Normalise, Plan, Points, Zoom},
            prose,
            table::Window,
        },
    },
};

mod empty;
mod figures;
mod header;
mod pairs;
mod scores;

use figures::Figures;
use scores::Order;

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Classes::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('h'), Key::Left], action: Action::Left, help: "predicted class to the left" },
    Binding {
        keys: &[Key::Char('l'), Key::Right],
        action: Action::Right,
        help: "predicted class to the right",
    },
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "next split" },
    Binding {
        keys: &[Key::Char('N')],
        action: Action::Normalise,
        help: "counts, % of the true, % of the predicted",
    },
    Binding {
        keys: &[Key::Char('+'), Key::Char('=')],
        action: Action::ZoomIn,
        help: "numbers instead of a map",
    },
    Binding { keys: &[Key::Char('-')], action: Action::ZoomOut, help: "a map of all classes" },
    Binding {
        keys: &[Key::Char('o')],
        action: Action::Sort,
        help: "classes as logged, worst or largest first",
    },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "matrix alone, scores alone, both" },
];

/// Columns between the matrix and what stands beside it.
const GAP: u16 = 3;

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Panes {
    /// The matrix, and the scores where there is room.
    #[default]
    Both,
    Matrix,
    Scores,
}

/// State of the view.
#[derive(Default)]
struct Classes {
    split: Option<Arc<str>>,
    /// The true and the predicted class.
    cursor: (usize, usize),
    /// The predicted class was chosen; it is the same as the true one until then.
    column_chosen: bool,
    normalise: Normalise,
    zoom: Zoom,
    order: Order,
    panes: Panes,
    figures: Figures,
    points: Points,
    window: Window,
    /// Where the matrix was drawn last, and how.
    matrix: Option<(Rect, Plan)>,
    /// Where the rows of the scores were drawn last.
    rows: Rect,
}

impl View for Classes {
    fn name(&self) -> &'static str {
        "classes"
    }

    fn title(&self) -> &'static str {
        "Classes"
    }

    fn summary(&self) -> &'static str {
        "confusion matrix over evaluations, precision, recall and F1 by class, what is mixed up most"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        let Some(split) = self.split_of(run) else { return Outcome::Ignored };
        let records = shown(run, &split, selection.until(run.id()));
        let n = records.last().map_or(0, |r| r.matrix.classes());
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down => self.step(1, n),
            Action::Up => self.step(-1, n),
            Action::PageDown => self.step(page, n),
            Action::PageUp => self.step(-page, n),
            Action::First => self.step(isize::MIN, n),
            Action::Last => self.step(isize::MAX, n),
            Action::Right => self.pan(1, n),
            Action::Left => self.pan(-1, n),
            Action::Kind => return self.next_split(run, &split),
            Action::Normalise => self.normalise = self.normalise.next(),
            Action::ZoomIn => self.zoom = Zoom::Counts,
            Action::ZoomOut => self.zoom = Zoom::Map,
            Action::Sort => {
                self.order = self.order.next();
                return Outcome::Say(format!("classes {}", self.order.name()));
            }
            Action::Open => {
                self.panes = match self.panes {
                    Panes::Both => Panes::Matrix,
                    Panes::Matrix => Panes::Scores,
                    Panes::Scores => Panes::Both,
                };
            }
            Action::Back if self.panes != Panes::Both => self.panes = Panes::Both,
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn moments(&self, context: FrameContext<'_>, selection: &Selection) -> Vec<Step> {
        let of = |run: &Run| {
            let split = self.split_of(run)?;
            Some(run.confusions().of(&split).iter().map(|r| r.step).collect())
        };
        run_of(context, selection).and_then(of).unwrap_or_default()
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        (self.matrix, self.rows) = (None, Rect::ZERO);
        if area.height < 2 || area.width < 8 {
            return;
        }
        let run = run_of(context, selection);
        let Some((run, split)) = run.and_then(|run| self.split_of(run).map(|split| (run, split))) else {
            empty::draw(context, selection, area, buffer);
            return;
        };
        let until = selection.until(run.id());
        let records = shown(run, &split, until);
        let Some(record) = records.last() else {
            let first = run.confusions().of(&split).first().map_or(0, |r| r.step);
            let text =
                format!("no evaluation of {split} up to this step; the first is at {first}, 0 back to live");
            put(buffer, area.x, area.y, &text, area.width, context.theme.muted());
            return;
        };
        self.figures.refresh(run, &split, records);
        let n = record.matrix.classes();
        self.cursor = (self.cursor.0.min(n - 1), self.cursor.1.min(n - 1));
        if !self.column_chosen {
            self.cursor.1 = self.cursor.0;
        }
        let lines = header::draw(context, &self.figures, selection, run, records, area, buffer);
        let body = Rect { y: area.y + lines, height: area.height.saturating_sub(lines), ..area };
        self.body(context, records, body, buffer);
    }

    fn click(&mut self, column: u16, row: u16, context: FrameContext<'_>, _: &mut Selection) -> Outcome {
        if let Some((area, plan)) = &self.matrix
            && area.contains((column, row).into())
        {
            if let Some(pair) = plan.at(context.theme, *area, column, row) {
                (self.cursor, self.column_chosen) = (pair, true);
            }
            return Outcome::Done;
        }
        if row >= self.rows.y && row < self.rows.bottom() && column >= self.rows.x {
            let at = self.window.top + usize::from(row - self.rows.y);
            if let Some(class) = self.order.sorted(&self.figures).get(at) {
                (self.cursor.0, self.column_chosen) = (*class, false);
            }
            return Outcome::Done;
        }
        Outcome::Ignored
    }
}

impl Classes {
    /// The chosen split if the run has it, else `val`-like ones before others.
    fn split_of(&self, run: &Run) -> Option<Arc<str>> {
        let splits: Vec<Arc<str>> = run.confusions().splits().cloned().collect();
        if let Some(chosen) = &self.split
            && splits.contains(chosen)
        {
            return Some(chosen.clone());
        }
        splits.iter().find(|s| s.starts_with("val")).or_else(|| splits.first()).cloned()
    }

    fn next_split(&mut self, run: &Run, now: &Arc<str>) -> Outcome {
        let splits: Vec<Arc<str>> = run.confusions().splits().cloned().collect();
        let at = splits.iter().position(|s| s == now).unwrap_or(0);
        if splits.len() < 2 {
            return Outcome::Say(format!("this run has only {}", crate::model::sanitise(now)));
        }
        self.split = splits.get((at + 1) % splits.len()).cloned();
        Outcome::Done
    }

    /// To the next class in the order of the scores.
    fn step(&mut self, by: isize, n: usize) {
        let order = self.order.sorted(&self.figures);
        let at = order.iter().position(|c| *c == self.cursor.0).unwrap_or(self.cursor.0);
        let next = at.saturating_add_signed(by).min(n.saturating_sub(1));
        self.cursor.0 = order.get(next).copied().unwrap_or(next);
    }

    fn pan(&mut self, by: isize, n: usize) {
        if !self.column_chosen {
            self.cursor.1 = self.cursor.0;
        }
        self.column_chosen = true;
        self.cursor.1 = self.cursor.1.saturating_add_signed(by).min(n.saturating_sub(1));
    }

    fn body(
        &mut self,
        context: FrameContext<'_>,
        records: &[ConfusionRecord],
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let Some(record) = records.last() else { return };
        let n = record.matrix.classes();
        if self.panes == Panes::Scores {
            self.side(context, area, buffer);
            return;
        }
        let readout = u16::from(area.height >= 5);
        let above = Rect { height: area.height.saturating_sub(readout), ..area };
        let matrix = Matrix {
            counts: record.matrix.counts(),
            row_sums: &self.figures.row_sums,
            column_sums: &self.figures.column_sums,
            largest: self.figures.largest,
            names: &self.figures.names,
            normalise: self.normalise,
        };
        let both = self.panes == Panes::Both;
        let least = match above.width {
            _ if !both => 0,
            70.. => scores::LEAST + GAP,
            36.. => pairs::LEAST + GAP,
            _ => 0,
        };
        let place = Rect { width: above.width - least, ..above };
        let plan = Plan::new(&matrix, self.zoom, self.cursor, theme, place);
        let used = matrix::width(&plan).min(place.width);
        let needs = matrix::height(theme, &plan, n).min(place.height);
        let side = if least > 0 { above.width.saturating_sub(used + GAP).min(scores::MOST) } else { 0 };
        let low = above.height.saturating_sub(needs);
        let (place, below) = if side == 0 && both && low >= 4 {
            let rest = Rect { y: above.y + needs, height: low, ..above };
            (Rect { height: needs, ..place }, Some(rest))
        } else {
            (Rect { width: used, ..place }, None)
        };
        self.points.refresh(&matrix, &plan, self.figures.version);
        matrix::draw(&matrix, (&plan, &self.points), self.cursor, theme, place, buffer);
        let text = readout_text(&matrix, &plan, self.cursor, n, context);
        let beside = side > 0 && used >= 40 && low >= 2;
        if beside {
            // Below the matrix, in as many lines as it takes.
            let spot = Rect { y: place.y + needs, height: low, ..place };
            let used = prose::draw(theme, &[(text, theme.accent())], spot, buffer);
            let rest = Rect { y: spot.y + used, height: low.saturating_sub(used).min(1), ..spot };
            header::cell_over_time(context, records, self.cursor, rest, buffer);
        } else if readout > 0 {
            let text = fit(&text, usize::from(area.width), theme.ascii);
            put(buffer, area.x, area.bottom() - 1, &text, area.width, theme.accent());
        }
        self.matrix = Some((place, plan));
        if side > 0 {
            let right = Rect { x: place.right() + GAP, width: side, ..above };
            self.side(context, right, buffer);
        } else if let Some(below) = below {
            self.side(context, below, buffer);
        }
    }

    /// Scores by class, and below them what is mixed up most.
    fn side(&mut self, context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
        let pair_rows = u16::try_from(self.figures.pairs.len()).unwrap_or(u16::MAX).saturating_add(1);
        if area.width < scores::LEAST {
            pairs::draw(context, &self.figures, self.cursor, area, buffer);
            return;
        }
        let wanted = u16::try_from(self.figures.scores.len()).unwrap_or(u16::MAX).saturating_add(2);
        let pairs = if area.height < 8 {
            0
        } else {
            area.height.saturating_sub(wanted).max(area.height / 3).min(pair_rows)
        };
        let upper = Rect { height: (area.height - pairs).min(wanted), ..area };
        self.rows =
            scores::draw(context, &self.figures, self.order, self.cursor.0, &mut self.window, upper, buffer);
        if pairs > 0 {
            let lower = Rect { y: upper.bottom(), height: pairs, ..area };
            pairs::draw(context, &self.figures, self.cursor, lower, buffer);
        }
    }
}

/// What the cell under the cursor says, in words; and what is not on screen.
fn readout_text(
    matrix: &Matrix<'_>,
    plan: &Plan,
    (row, column): (usize, usize),
    n: usize,
    context: FrameContext<'_>,
) -> String {
    let theme = context.theme;
    let cell = matrix.counts[[row, column]];
    let share = |of: f64| if of > 0.0 { format!("{:.1}%", cell / of * 100.0) } else { "–".to_owned() };
    let arrow = theme.glyph("→", "->");
    let mut text = format!(
        "true {} {arrow} predicted {}: {} = {} of the true, {} of the predicted",
        fit(&matrix.name(row), 20, theme.ascii),
        fit(&matrix.name(column), 20, theme.ascii),
        matrix::count(cell, 12),
        share(matrix.row_sums[row]),
        share(matrix.column_sums[column]),
    );
    let note = plan.note(n, theme);
    if !note.is_empty() {
        text = format!("{note}{}{text}", theme.glyph(" · ", " | "));
    }
    text
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    let some = || context.store.runs().find(|r| !r.confusions().is_empty());
    if selection.run.is_none() { some() } else { None }.or_else(|| selection.run_in(context.store))
}

/// The evaluations of a split up to and with `until`.
fn shown<'a>(run: &'a Run, split: &str, until: Option<Step>) -> &'a [ConfusionRecord] {
    let all = run.confusions().of(split);
    match until {
        Some(step) => &all[..all.partition_point(|r| r.step <= step)],
        None => all,
    }
}

/// Cells that are not there are said with this.
fn dash(context: FrameContext<'_>) -> crate::ui::widgets::table::Cell {
    crate::ui::widgets::table::Cell::new(
        context.theme.glyph("–", "-"),
        Style::new().patch(context.theme.style(Role::Muted)),
    )
}
