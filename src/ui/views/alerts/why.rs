//! Why a rule spoke, and why it may be wrong: its thresholds, the alert's numbers beside them, and what fools it.

use ratatui::style::Style;

use super::card::number_in_words;
use crate::{
    detect::{Alert, DETECTORS, Fact, Needs, Threshold},
    ui::{Theme, numbers::value, theme::Role, widgets::prose},
};

/// The words, most important first.
pub(super) fn paragraphs(theme: &Theme, alert: &Alert) -> Vec<prose::Paragraph> {
    let Some(rule) = DETECTORS.iter().find(|d| d.id == alert.rule) else { return Vec::new() };
    let mut lines = vec![
        (alert.message.clone(), theme.severity(alert.severity)),
        (format!("It watches for: {}.", rule.summary), Style::new()),
        (format!("It may be a false alarm: {}.", rule.traps), theme.style(Role::Mark)),
        (format!("It is over when {}.", rule.clears), Style::new()),
    ];
    let mut left: Vec<&Fact> = alert.evidence.facts().iter().filter(|f| f.needs.is_some()).collect();
    if !rule.thresholds.is_empty() {
        lines.push(("Thresholds, and what was found:".to_owned(), theme.title()));
    }
    for threshold in rule.thresholds {
        let found = left.iter().position(|fact| same(fact, threshold)).map(|at| left.remove(at));
        let mut text = format!("  {} {}", number(threshold.value), threshold.of);
        if let Some(fact) = found {
            let arrow = theme.glyph("←", "<-");
            text = format!("{text} {arrow} {} {}", fact.name.replace('_', " "), number(fact.value));
        }
        let style = if found.is_some() { Style::new() } else { theme.muted() };
        lines.push((text, style));
    }
    // Levels that were worked out from the curve itself are no constants of the rule.
    let rest: Vec<String> = left.into_iter().map(|fact| number_in_words(theme.ascii, fact)).collect();
    if !rest.is_empty() {
        lines.push((
            format!("  from the curve itself: {}", rest.join(theme.glyph(" · ", " | "))),
            Style::new(),
        ));
    }
    let switch = format!("Too loud? --rule {}=info, or =off. i shows the picture again", rule.id);
    lines.push((switch, theme.muted()));
    lines
}

/// True when the fact was held against this threshold.
fn same(fact: &Fact, threshold: &Threshold) -> bool {
    let limit = fact.needs.map_or(f64::NAN, Needs::limit);
    (limit - threshold.value).abs() <= threshold.value.abs() * 1e-9
}

fn number(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e5 { format!("{v:.0}") } else { value(v) }
}
