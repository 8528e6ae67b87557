//! Everything about one alert: what, since when, the numbers, the advice, what explains it and what it explains.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{evidence::Evidence, rows, why};
use crate::{
    detect::{Alert, DETECTORS, Fact, Needs},
    ui::{
        FrameContext, Selection,
        numbers::{count, value},
        theme::Role,
        widgets::{frame, prose},
    },
};

/// Columns from which on the picture stands beside the words.
const SIDE_BY_SIDE: u16 = 100;

/// Rows that the picture would like to have: beside the words, and below them.
const PICTURE_ROWS: (u16, u16) = (22, 10);

/// Rows of a picture below the words for which words give way.
const LEAST_PICTURE: usize = 7;

/// Rows of a card that has no room for what the list says as well.
const FEW_ROWS: u16 = 8;

/// What a paragraph is, as far as it may give way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Main,
    Numbers,
    History,
    Keys,
}

/// What is shown of an alert.
#[derive(Clone, Copy)]
pub(super) struct Card<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// Why the rule spoke, instead of what it says.
    pub why: bool,
}

impl Card<'_> {
    /// Rows that the card would like to have in `width` columns, with its border.
    pub fn height(self, context: FrameContext<'_>, selection: &Selection, width: u16) -> u16 {
        let inner = width.saturating_sub(2);
        let picture = !self.why && Evidence::exists(context, self.alert);
        let beside = picture && inner >= SIDE_BY_SIDE;
        let room = usize::from(if beside { words_beside(inner) } else { inner });
        let ascii = context.theme.ascii;
        let paragraphs = self.paragraphs(context, selection);
        let lines: usize =
            paragraphs.iter().map(|(text, _)| prose::wrap(text, room, ascii).len().max(1)).sum();
        let words = u16::try_from(lines).unwrap_or(u16::MAX);
        let rows = match (picture, beside) {
            (true, true) => words.max(PICTURE_ROWS.0),
            (true, false) => words.saturating_add(PICTURE_ROWS.1),
            _ => words,
        };
        rows.saturating_add(2)
    }

    /// Draws the card. With one to three rows there is no border, only the message.
    pub fn draw(
        self,
        context: FrameContext<'_>,
        selection: &Selection,
        evidence: &mut Evidence,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let (theme, alert) = (context.theme, self.alert);
        if area.height < 4 {
            prose::draw(theme, &[(alert.message.clone(), theme.severity(alert.severity))], area, buffer);
            return;
        }
        let place = alert.place();
        let mut title = format!("{} in {}", alert.rule, rows::run_title(context, &alert.run));
        if !place.is_empty() {
            title = format!("{title}{}{place}", theme.glyph(" · ", " | "));
        }
        let style = if alert.is_quiet() { theme.muted() } else { theme.severity(alert.severity) };
        let inner = frame::draw(theme, &title, style, area, buffer);
        let mut paragraphs = self.paragraphs(context, selection);
        if self.why || !Evidence::exists(context, alert) {
            if self.why && inner.height < FEW_ROWS {
                // The list says what; the question was why.
                paragraphs.remove(0);
            }
            prose::draw(theme, &paragraphs, inner, buffer);
        } else if inner.width >= SIDE_BY_SIDE {
            let words = Rect { width: words_beside(inner.width), ..inner };
            prose::draw(theme, &paragraphs, words, buffer);
            let picture = Rect { x: words.right() + 2, width: inner.width - words.width - 2, ..inner };
            evidence.draw(context, selection, alert, picture, buffer);
        } else {
            let kept = self.with_room_for_a_picture(context, selection, inner);
            let used = prose::draw(theme, &kept, inner, buffer);
            let picture = Rect { y: inner.y + used, height: inner.height - used, ..inner };
            evidence.draw(context, selection, alert, picture, buffer);
        }
    }

    /// The words, without what is said elsewhere too as far as a picture needs the rows: the keys, then the history, then
    /// the numbers.
    fn with_room_for_a_picture(
        self,
        context: FrameContext<'_>,
        selection: &Selection,
        inner: Rect,
    ) -> Vec<prose::Paragraph> {
        let rows = |all: &[(Part, prose::Paragraph)]| {
            let wrap = |text| prose::wrap(text, usize::from(inner.width), context.theme.ascii).len();
            all.iter().map(|(_, (text, _))| wrap(text)).sum::<usize>()
        };
        let mut parts = self.parts(context, selection);
        for least in [Part::Keys, Part::History, Part::Numbers] {
            if rows(&parts) + LEAST_PICTURE > usize::from(inner.height) {
                parts.retain(|(part, _)| *part != least);
            }
        }
        parts.into_iter().map(|(_, paragraph)| paragraph).collect()
    }

    fn paragraphs(self, context: FrameContext<'_>, selection: &Selection) -> Vec<prose::Paragraph> {
        if self.why {
            return why::paragraphs(context.theme, self.alert);
        }
        self.parts(context, selection).into_iter().map(|(_, paragraph)| paragraph).collect()
    }

    fn parts(self, context: FrameContext<'_>, selection: &Selection) -> Vec<(Part, prose::Paragraph)> {
        let (theme, alert) = (context.theme, self.alert);
        let dot = theme.glyph(" · ", " | ");
        let mut lines = vec![(Part::Main, (alert.message.clone(), theme.severity(alert.severity)))];
        if !alert.advice.is_empty() {
            let advice = format!("{} {}", theme.glyph("→", "->"), alert.advice);
            lines.push((Part::Main, (advice, Style::new())));
        }
        if !alert.evidence.facts().is_empty() {
            let numbers: Vec<String> =
                alert.evidence.facts().iter().map(|fact| number_in_words(theme.ascii, fact)).collect();
            lines.push((Part::Numbers, (numbers.join(dot), Style::new())));
        }
        if let Some(rule) = DETECTORS.iter().find(|d| d.id == alert.rule).filter(|_| alert.is_open()) {
            lines.push((Part::Main, (format!("over when {}", rule.clears), Style::new())));
        }
        let history = history(context, selection, alert).join(dot);
        lines.push((Part::History, (history, theme.muted())));
        if let Some(cause) = alert.caused_by.and_then(|id| context.alerts.get(id)) {
            let text = format!("explained by {} {}: {}", cause.rule, cause.place(), cause.message);
            lines.push((Part::Main, (text, theme.style(Role::Accent))));
        }
        if let Some(text) = explains(context, alert) {
            lines.push((Part::Main, (text, theme.style(Role::Accent))));
        }
        let mut keys = [
            format!("Enter {}", if alert.layer.is_some() { "opens the layer" } else { "opens the curve" }),
            "i why".to_owned(),
            "a seen".to_owned(),
            format!("z {}", if alert.snoozed_until.is_some() { "later still" } else { "later" }),
            format!("m {}", if alert.muted { "unmute" } else { "mute" }),
            "c copy".to_owned(),
        ];
        if alert.muted_everywhere {
            keys[4] = "R unmute".to_owned();
        }
        lines.push((Part::Keys, (keys.join(dot), theme.muted())));
        lines
    }
}

/// Columns of the words where the picture stands beside them.
fn words_beside(inner: u16) -> u16 {
    (inner * 2 / 5).max(44)
}

/// How many it explains, and the first of them.
fn explains(context: FrameContext<'_>, alert: &Alert) -> Option<String> {
    let explained = || context.alerts.of_run(&alert.run).filter(|a| a.caused_by == Some(alert.id));
    let count = explained().count();
    if count == 0 {
        return None;
    }
    let mut names: Vec<String> = explained().take(4).map(|a| format!("{} {}", a.rule, a.place())).collect();
    if count > names.len() {
        names.push(format!("{} more", count - names.len()));
    }
    let over = explained().filter(|a| !a.is_open()).count();
    let over = if over > 0 { format!(" ({over} over)") } else { String::new() };
    Some(format!("explains {count}{over}: {}", names.join(", ").replace(" ,", ",").trim_end()))
}

/// Since when, where it opened, where it closed, whether somebody saw it.
fn history(context: FrameContext<'_>, selection: &Selection, alert: &Alert) -> Vec<String> {
    let mut parts = vec![format!("{} {}", alert.severity.name(), rows::state(alert))];
    match (alert.since_step, alert.step) {
        (Some(since), Some(step)) if since != step => {
            parts.push(format!("since step {since}, said at step {step}"));
        }
        (Some(step), _) | (None, Some(step)) => parts.push(format!("at step {step}")),
        (None, None) => {}
    }
    let moment = rows::moment(context, selection, alert);
    if !moment.is_empty() {
        parts.push(moment);
    }
    if let Some(step) = alert.closed_step {
        parts.push(format!("over at step {step}"));
    }
    if alert.acknowledged {
        parts.push("acknowledged".to_owned());
    }
    if alert.muted {
        parts.push(format!("muted in {}", if alert.muted_everywhere { "all runs" } else { "this run" }));
    }
    if let Some(until) = alert.snoozed_until {
        parts.push(format!("put off until {}", rows::at(context, selection, until)));
    }
    parts
}

/// A number, and beside it what it had to be.
pub(super) fn number_in_words(ascii: bool, fact: &Fact) -> String {
    let text = format!("{} {}", fact.name.replace('_', " "), evidence(fact.name, fact.value));
    let (sign, limit) = match fact.needs {
        Some(Needs::AtLeast(limit)) => (if ascii { ">=" } else { "≥" }, limit),
        Some(Needs::AtMost(limit)) => (if ascii { "<=" } else { "≤" }, limit),
        None => return text,
    };
    format!("{text} ({sign} {})", evidence(fact.name, limit))
}

/// Steps and counts are whole numbers.
fn evidence(name: &str, v: f64) -> String {
    let whole = v.fract() == 0.0 && v.abs() < 1e15;
    if whole && (name.ends_with("step") || name.ends_with("steps") || v.abs() < 1e5) {
        format!("{v:.0}")
    } else if whole {
        count(v.abs() as u64)
    } else {
        value(v)
    }
}

/// The alert for the clipboard, without control characters.
pub(super) fn as_text(alert: &Alert) -> String {
    let place = alert.place();
    let text = format!(
        "[{}] {} {} {} step {}: {} -> {}",
        alert.severity.name(),
        alert.rule,
        alert.run,
        place,
        alert.step.map_or_else(|| "?".to_owned(), |s| s.to_string()),
        alert.message,
        alert.advice
    );
    crate::model::sanitise(&text).into_owned()
}
