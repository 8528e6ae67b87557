//! The selected run in more detail: where it stands, what is wrong, its main loss, its settings, its files.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    facts::Facts,
    table::{progress_text, state_style},
};
use crate::{
    detect::{
        Alert, AlertState, Severity,
        questions::{self, Answers},
        state,
    },
    model::{FileState, RunId, SeriesKey},
    store::{Run, Series},
    ui::{
        FrameContext, Selection, numbers,
        text::{columns, fit, put},
        views::curves::{
            catalog::Catalog,
            legend::run_name,
            painter::{Look, Painter, Scene},
        },
        widgets::frame,
    },
};

/// Rows that a chart needs to be worth drawing.
const CHART_ROWS: u16 = 7;

/// Keeps what the chart needs between frames.
#[derive(Default)]
pub struct Detail {
    catalog: Catalog,
    painter: Painter,
    answered: Option<Answered>,
}

/// The answers for a run, and what they were derived from.
struct Answered {
    run: RunId,
    stamp: [u64; 4],
    answers: Answers,
}

impl Detail {
    /// Draws the pane.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        run: &Run,
        facts: &Facts,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let title = run_name(run, usize::from(area.width.saturating_sub(6)), theme.ascii);
        let inside = frame::draw(theme, &title, theme.muted(), area, buffer);
        if inside.is_empty() {
            return;
        }
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let side_by_side = inside.width >= 70 && inside.height < 20;
        let text_width = if side_by_side { inside.width / 2 - 1 } else { inside.width };
        // Answers speak of the whole log, not of what lies before the time cursor.
        let answers = selection.until(run.id()).is_none().then(|| self.answers(context, run, facts));
        let lines = lines(context, selection, run, (facts, answers), text_width);
        if side_by_side {
            let left = Rect { width: inside.width / 2, ..inside };
            let right = Rect { x: left.right(), width: inside.width - left.width, ..inside };
            put_lines(&lines, Rect { width: left.width - 1, ..left }, context, buffer);
            self.chart(context, selection, run, right, buffer);
        } else {
            let wanted = (lines.len() as u16).min(inside.height);
            let chart_rows = if inside.height >= wanted.min(4) + CHART_ROWS {
                inside.height.saturating_sub(wanted + 1).clamp(CHART_ROWS, (inside.width / 3).max(CHART_ROWS))
            } else {
                0
            };
            let text = Rect { height: inside.height - chart_rows, ..inside };
            put_lines(&lines, text, context, buffer);
            let below_text = text.y + wanted.min(text.height) + 1;
            let chart = Rect { y: below_text.min(text.bottom()), height: chart_rows, ..inside };
            self.chart(context, selection, run, chart, buffer);
        }
    }

    /// Has it begun to learn, has it converged, does it overfit? Derived anew only if its log or what is said of it has
    /// changed: it looks at whole series.
    fn answers(&mut self, context: FrameContext<'_>, run: &Run, facts: &Facts) -> &Answers {
        let generation =
            |key: Option<&SeriesKey>| key.and_then(|key| run.series_of(key)).map_or(0, Series::generation);
        let metric = facts.main_metric.as_ref().map(|(key, _)| key);
        let stamp = [
            run.names_version(),
            generation(facts.main_loss.as_ref()),
            generation(metric),
            context.alerts.generation(),
        ];
        let known = self.answered.take().filter(|known| known.run == *run.id() && known.stamp == stamp);
        let answered = known.unwrap_or_else(|| Answered {
            run: run.id().clone(),
            stamp,
            answers: questions::answers(run, context.alerts),
        });
        &self.answered.insert(answered).answers
    }

    fn chart(
        &mut self,
        context: FrameContext<'_>,
        selection: &Selection,
        run: &Run,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        if area.width < 20 || area.height < 4 {
            return;
        }
        let runs = [run];
        if let Some(chart) = self.catalog.charts(&runs, "").first() {
            let look = Look::default();
            self.painter.begin(selection, look.zoom, run_stamp(run));
            let scene = Scene { context, selection, runs: &runs };
            self.painter.paint(scene, chart, look, area, buffer);
            self.painter.end();
        }
    }
}

/// Tells runs apart for the painter's bounds.
fn run_stamp(run: &Run) -> usize {
    run.id().as_str().as_ptr() as usize
}

type StyledLine = (String, Style);

fn put_lines(lines: &[StyledLine], area: Rect, context: FrameContext<'_>, buffer: &mut Buffer) {
    for (i, (text, style)) in lines.iter().take(usize::from(area.height)).enumerate() {
        let text = fit(text, usize::from(area.width), context.theme.ascii);
        put(buffer, area.x, area.y + i as u16, &text, area.width, *style);
    }
}

/// The pane as text, most important first.
fn lines(
    context: FrameContext<'_>,
    selection: &Selection,
    run: &Run,
    (facts, answers): (&Facts, Option<&Answers>),
    width: u16,
) -> Vec<StyledLine> {
    let theme = context.theme;
    let dot = theme.glyph(" · ", " | ");
    let until = selection.until(run.id());
    let state = state::run_state(run, context.health, context.now, selection.stale_after_s);
    let progress = state::progress(run, context.now);
    let mut head = vec![state.name().to_owned(), format!("step {}", progress_text(&progress, until))];
    if let Some(eta) = progress.eta_s.filter(|_| until.is_none()) {
        head.push(format!("eta {}", numbers::duration(eta)));
    }
    if let Some(interval) = progress.interval_s.filter(|s| *s > 0.0) {
        head.push(format!("a record every {}", short_seconds(interval)));
    }
    let mut lines: Vec<StyledLine> =
        wrapped(&head.join(dot), width).into_iter().map(|l| (l, state_style(theme, state))).collect();
    if let Some(best) = facts.best(run, until) {
        let text = format!(
            "best {} {} at step {}",
            best.key.label(),
            numbers::value(best.value),
            numbers::step(best.step)
        );
        lines.extend(wrapped(&text, width).into_iter().take(2).map(|l| (l, Style::new())));
    }
    let mut open: Vec<&Alert> = context
        .alerts
        .alerts()
        .filter(|a| {
            &a.run == run.id() && a.state == AlertState::Open && !a.is_quiet() && a.caused_by.is_none()
        })
        .collect();
    open.sort_by_key(|a| (std::cmp::Reverse(a.severity), a.since_step));
    // Where an alarm speaks, the room is its.
    if let Some(answers) = answers.filter(|_| open.iter().all(|a| a.severity < Severity::Warn)) {
        let text = answers.in_short().join(dot);
        lines.extend(wrapped(&text, width).into_iter().take(2).map(|l| (l, Style::new())));
    }
    for alert in open.into_iter().take(4) {
        let text =
            format!("{} {}: {}", theme.mark(alert.severity), alert.rule.replace('_', " "), alert.message);
        lines.extend(wrapped(&text, width).into_iter().take(3).map(|l| (l, theme.severity(alert.severity))));
        if !alert.advice.is_empty() {
            lines.extend(wrapped(&alert.advice, width).into_iter().take(3).map(|l| (l, theme.muted())));
        }
    }
    if let Some(answers) = answers {
        let each = [&answers.learning, &answers.converged, &answers.overfits];
        for answer in each {
            let text = format!("{}: {}", answer.short, answer.because);
            lines.extend(wrapped(&text, width).into_iter().take(2).map(|l| (l, theme.muted())));
        }
    }
    let settings: Vec<String> =
        run.hyperparameters().iter().take(40).map(|(name, value)| format!("{name} {value}")).collect();
    if !settings.is_empty() {
        lines.extend(wrapped(&settings.join(dot), width).into_iter().take(4).map(|l| (l, Style::new())));
    }
    lines.extend(wrapped(&files_line(context, run), width).into_iter().map(|l| (l, theme.muted())));
    lines
}

fn short_seconds(s: f64) -> String {
    if s < 10.0 { format!("{}s", numbers::value((s * 100.0).round() / 100.0)) } else { numbers::duration(s) }
}

fn files_line(context: FrameContext<'_>, run: &Run) -> String {
    let (mut files, mut bytes, mut skips, mut dead) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut formats: Vec<&str> = Vec::new();
    for file in context.health.files_of(run.id()) {
        files += 1;
        bytes = bytes.saturating_add(file.bytes);
        skips += file.skip_count;
        dead += u64::from(matches!(file.state, FileState::Dead(_)));
        if !formats.contains(&file.format) {
            formats.push(file.format);
        }
    }
    let series = run.series_count();
    let mut text = format!(
        "{series} series from {files} file{} ({} {})",
        if files == 1 { "" } else { "s" },
        numbers::bytes(bytes),
        formats.join(", ")
    );
    if skips > 0 {
        let _ = write!(text, ", {skips} damaged places");
    }
    if dead > 0 {
        let _ = write!(text, ", {dead} cannot be read");
    }
    text
}

/// Breaks text at spaces into lines of at most `width` columns.
fn wrapped(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(8));
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + columns(word) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
