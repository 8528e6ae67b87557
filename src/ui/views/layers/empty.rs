//! What is shown for a run without layer records: which logs have them, and how to write them.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{FrameContext, Selection, text::fit, text::put, widgets::prose};

/// Lines that can be typed as they are, so they are cut rather than wrapped.
const CODE: [(&str, &[&str]); 3] = [
    (
        "PyTorch, TensorBoard:",
        &[
            "for name, p in model.named_parameters():",
            "    writer.add_histogram(f\"weights/{name}\", p, step)",
            "    writer.add_histogram(f\"grads/{name}\", p.grad, step)",
        ],
    ),
    ("Keras:", &["TensorBoard(log_dir, histogram_freq=1)"]),
    (
        "Any program, *.scope.jsonl:",
        &[
            "{\"t\":\"layer\",\"step\":10,\"name\":\"fc1\",\"kind\":\"grad\",\"norm\":0.8,\"std\":0.001,\"zero\":0.02,\"nan\":0}",
        ],
    ),
];

/// Draws it.
pub(super) fn draw(context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let Some(run) = selection.run_in(context.store) else {
        let text = "No run has been read yet.".to_owned();
        prose::draw(theme, &[(text, theme.title())], area, buffer);
        return;
    };
    let mut paragraphs = vec![(format!("{} has no layer records.", run.title()), theme.title())];
    let others: Vec<&str> = context
        .store
        .runs()
        .filter(|r| !r.layers().is_empty())
        .map(crate::store::Run::title)
        .take(3)
        .collect();
    if !others.is_empty() {
        paragraphs.push((
            format!("Runs that have some: {} (n, p change the run).", others.join(", ")),
            theme.accent(),
        ));
    }
    paragraphs.push((
        "They come from histograms in TensorBoard event files and from layer and hist records of native logs:".to_owned(),
        Style::new(),
    ));
    let used = prose::draw(theme, &paragraphs, area, buffer);
    let mut y = area.y + used;
    for (who, lines) in CODE {
        if y + 1 + lines.len() as u16 >= area.bottom() {
            break;
        }
        y += 1;
        put(buffer, area.x, y, &fit(who, usize::from(area.width), theme.ascii), area.width, theme.muted());
        for line in lines {
            y += 1;
            let text = fit(line, usize::from(area.width.saturating_sub(2)), theme.ascii);
            put(buffer, area.x + 2, y, &text, area.width.saturating_sub(2), Style::new());
        }
        y += 1;
    }
}
