//! What is shown for a run without records of units: which ones there are, and how to write them.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::has_units;
use crate::ui::{
    FrameContext, Selection,
    text::{fit, put},
    widgets::prose,
};

/// Lines of a native log; may be cut, never wrapped.
const RECORDS: [(&str, &str); 3] = [
    (
        "Curves of units, and their eta2:",
        "{\"t\":\"units\",\"step\":10,\"layer\":\"fc1\",\"stat\":\"mean_act\",\"v\":[0.5,1.5,0.25]}",
    ),
    (
        "Credit for an output:",
        "{\"t\":\"credit\",\"step\":400,\"layer\":\"fc1\",\"target\":{\"layer\":\"out\",\"unit\":3,\"value\":4.1},\"method\":\"grad*act\",\"unit\":[0,2],\"c\":[3.1,1.0],\"total\":4.1}",
    ),
    (
        "Where a failure begins:",
        "{\"t\":\"layer\",\"step\":10,\"name\":\"fc1\",\"kind\":\"act\",\"std\":0.5,\"max\":2.1,\"nan\":0}",
    ),
];

/// Draws it.
pub(super) fn draw(context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let Some(run) = selection.run_in(context.store) else {
        prose::draw(theme, &[("No run has been read yet.".to_owned(), theme.title())], area, buffer);
        return;
    };
    let mut paragraphs = vec![(format!("{} has no records of single units.", run.title()), theme.title())];
    let others: Vec<&str> =
        context.store.runs().filter(|r| has_units(r)).map(crate::store::Run::title).take(3).collect();
    if !others.is_empty() {
        let text = format!("Runs that have some: {} (n, p change the run).", others.join(", "));
        paragraphs.push((text, theme.accent()));
    }
    let how = "They are units and credit records of native logs (*.scope.jsonl); docs/NATIVE_LOG.md has the details:";
    paragraphs.push((how.to_owned(), Style::new()));
    let used = prose::draw(theme, &paragraphs, area, buffer);
    let mut y = area.y + used;
    for (what, record) in RECORDS {
        if y + 2 >= area.bottom() {
            return;
        }
        put(
            buffer,
            area.x,
            y + 1,
            &fit(what, usize::from(area.width), theme.ascii),
            area.width,
            theme.muted(),
        );
        let width = area.width.saturating_sub(2);
        put(buffer, area.x + 2, y + 2, &fit(record, usize::from(width), theme.ascii), width, Style::new());
        y += 3;
    }
}
