//! What is shown for a run without confusion matrices: which logs have them, and how to write them.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{
    FrameContext, Selection,
    text::{fit, put},
    widgets::prose,
};

/// One record of a native log; may be cut, never wrapped.
const RECORD: [&str; 2] = [
    "{\"t\":\"classes\",\"task\":\"main\",\"names\":[\"cat\",\"dog\"]}",
    "{\"t\":\"confusion\",\"step\":390,\"split\":\"val\",\"rows\":\"true\",\"m\":[[50,3],[4,44]]}",
];

/// Draws it.
pub(super) fn draw(context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let Some(run) = selection.run_in(context.store) else {
        prose::draw(theme, &[("No run has been read yet.".to_owned(), theme.title())], area, buffer);
        return;
    };
    let mut paragraphs = vec![(format!("{} has no confusion matrices.", run.title()), theme.title())];
    let others: Vec<&str> = context
        .store
        .runs()
        .filter(|r| !r.confusions().is_empty())
        .map(crate::store::Run::title)
        .take(3)
        .collect();
    if !others.is_empty() {
        paragraphs.push((
            format!("Runs that have some: {} (n, p change the run).", others.join(", ")),
            theme.accent(),
        ));
    }
    let how = "They are confusion records of native logs (*.scope.jsonl), one for each evaluation and split; \
               docs/NATIVE_LOG.md has the details:";
    paragraphs.push((how.to_owned(), Style::new()));
    let used = prose::draw(theme, &paragraphs, area, buffer);
    for (y, line) in (area.y + used + 1..area.bottom()).zip(RECORD) {
        let width = area.width.saturating_sub(2);
        put(buffer, area.x + 2, y, &fit(line, usize::from(width), theme.ascii), width, Style::new());
    }
}
