//! The view *Classes*: which class is taken for which, evaluation by evaluation.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    model::Step,
    store::{Evaluation, Run, up_to},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Selection, View,
        keymap::Key,
        text::put,
        theme::Role,
        widgets::{
            matrix::{Normalise, Plan, Scale, Zoom},
            table::Window,
        },
    },
};

mod board;
mod body;
mod chart;
mod compare;
mod empty;
mod explanations;
mod figures;
mod header;
mod motion;
mod pairs;
mod readout;
mod scores;
mod standing;

use board::Board;
use compare::{Compare, Reference, References};
use figures::Figures;
use scores::Order;
use standing::{Standing, Standings};

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
        help: "counts; % of true, of predicted, of all",
    },
    Binding { keys: &[Key::Char('y')], action: Action::LogScale, help: "colours: root, log, linear" },
    Binding {
        keys: &[Key::Char('d')],
        action: Action::Diagonal,
        help: "diagonal coloured as the rest, or apart",
    },
    Binding {
        keys: &[Key::Char('C')],
        action: Action::Collapse,
        help: "groups as one cell each, or classes",
    },
    Binding {
        keys: &[Key::Char('v')],
        action: Action::Values,
        help: "difference: step before, this, marked run",
    },
    Binding {
        keys: &[Key::Char('+'), Key::Char('=')],
        action: Action::ZoomIn,
        help: "numbers instead of a map",
    },
    Binding { keys: &[Key::Char('-')], action: Action::ZoomOut, help: "a map of all classes" },
    Binding { keys: &[Key::Char('o')], action: Action::Sort, help: "scores: matrix, F1, recall, largest" },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "matrix, scores or changes alone; all" },
];

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Panes {
    /// The matrix, and the scores where there is room.
    #[default]
    Both,
    Matrix,
    Scores,
    /// Pairs and errors over time.
    Changes,
}

/// State of the view.
#[derive(Default)]
struct Classes {
    split: Option<Arc<str>>,
    /// The true and the predicted class.
    cursor: (usize, usize),
    /// The true class was chosen; it is the first of the scores until then.
    row_chosen: bool,
    /// The predicted class was chosen; it is the same as the true one until then.
    column_chosen: bool,
    normalise: Normalise,
    colours: Scale,
    /// The diagonal is on the scale of the colours.
    diagonal: bool,
    /// Groups are one cell each.
    collapsed: bool,
    compare: Compare,
    zoom: Zoom,
    order: Order,
    panes: Panes,
    figures: Figures,
    standings: Standings,
    /// The order of the last frame.
    standing: Option<Arc<Standing>>,
    references: References,
    board: Board,
    window: Window,
    /// Where the matrix was drawn last, and how; whether two rows of points share a row of the screen.
    matrix: Option<(Rect, Plan, bool)>,
    /// Where the rows of the scores were drawn last.
    rows: Rect,
}

/// What one frame is drawn from.
struct Drawn<'a> {
    figures: &'a Figures,
    standing: &'a Standing,
    /// A better order is being worked out.
    running: bool,
    reference: Option<&'a Result<Reference, String>>,
    normalise: Normalise,
    colours: Scale,
    diagonal: bool,
}

impl Drawn<'_> {
    /// What to compare with, if there is something.
    fn other(&self) -> Option<&Reference> {
        self.reference.and_then(|r| r.as_ref().ok())
    }
}

impl View for Classes {
    fn name(&self) -> &'static str {
        "classes"
    }

    fn title(&self) -> &'static str {
        "Classes"
    }

    fn summary(&self) -> &'static str {
        "confusion matrix over evaluations in the order of similar classes, groups, scores, what is mixed up most"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::ALL
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let Some(run) = run_of(context, selection) else { return Outcome::Ignored };
        let Some(split) = self.split_of(run) else { return Outcome::Ignored };
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.step(page),
            Action::PageUp => self.step(-page),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Right => self.pan(1),
            Action::Left => self.pan(-1),
            Action::Kind => return self.next_split(run, &split),
            Action::Normalise => {
                self.normalise = self.normalise.next();
                return Outcome::Say(self.normalise.name().to_owned());
            }
            Action::LogScale => {
                self.colours = self.colours.next();
                return Outcome::Say(format!("{} colours", self.colours.name()));
            }
            Action::Diagonal => self.diagonal = !self.diagonal,
            Action::Collapse => return self.collapse(),
            Action::Values => {
                let until = selection.until(run.id());
                let step = shown(run, &split, until).last().map_or(0, |r| r.step);
                let marked = compare::marked(context, selection, run).is_some();
                self.compare = self.compare.next(step, marked);
                return Outcome::Say(self.compare.says());
            }
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
                    Panes::Scores => Panes::Changes,
                    Panes::Changes => Panes::Both,
                };
            }
            Action::Back if self.panes != Panes::Both => self.panes = Panes::Both,
            Action::Back if self.compare != Compare::Off => self.compare = Compare::Off,
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
        let mut figures = std::mem::take(&mut self.figures);
        figures.refresh(run, &split, records);
        if let Some(source) = &figures.source {
            let (standing, running) = self.standings.ask(context, run, source, records);
            let last = record.matrix.classes() - 1;
            self.cursor = (self.cursor.0.min(last), self.cursor.1.min(last));
            if !self.row_chosen {
                let rows = self.order.sorted(&figures, &standing, false);
                self.cursor.0 = rows.first().copied().unwrap_or(0);
            }
            if !self.column_chosen {
                self.cursor.1 = self.cursor.0;
            }
            let reference = self.references.find(self.compare, (context, selection), run, records, &figures);
            let drawn = Drawn {
                figures: &figures,
                standing: &standing,
                running,
                reference: reference.as_ref(),
                normalise: self.normalise,
                colours: self.colours,
                diagonal: self.diagonal,
            };
            let lines = header::draw(context, &drawn, selection, run, records, area, buffer);
            let body = Rect { y: area.y + lines, height: area.height.saturating_sub(lines), ..area };
            self.body(context, &drawn, records, body, buffer);
            self.standing = Some(standing.clone());
        }
        self.figures = figures;
    }

    fn click(&mut self, column: u16, row: u16, _: FrameContext<'_>, _: &mut Selection) -> Outcome {
        if let Some((area, plan, halves)) = &self.matrix
            && area.contains((column, row).into())
        {
            let cells = plan.at(*halves, *area, column, row);
            if let Some(pair) = cells.and_then(|cells| self.board.classes_at(cells)) {
                (self.cursor, self.row_chosen, self.column_chosen) = (pair, true, true);
            }
            return Outcome::Done;
        }
        if row >= self.rows.y && row < self.rows.bottom() && column >= self.rows.x {
            let at = self.window.top + usize::from(row - self.rows.y);
            if let Some(class) = self.listed().get(at) {
                (self.cursor.0, self.row_chosen, self.column_chosen) = (*class, true, false);
            }
            return Outcome::Done;
        }
        Outcome::Ignored
    }
}

/// The selected run; while none was chosen, the first one that has something to show.
fn run_of<'a>(context: FrameContext<'a>, selection: &Selection) -> Option<&'a Run> {
    selection.run_with(context.store, |run| !run.confusions().is_empty())
}

/// The evaluations of a split up to and with `until`.
fn shown<'a>(run: &'a Run, split: &str, until: Option<Step>) -> &'a [Evaluation] {
    up_to(run.confusions().of(split), until)
}

/// Cells that are not there are said with this.
fn dash(context: FrameContext<'_>) -> crate::ui::widgets::table::Cell {
    crate::ui::widgets::table::Cell::new(
        context.theme.glyph("–", "-"),
        Style::new().patch(context.theme.style(Role::Muted)),
    )
}
