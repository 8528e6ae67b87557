//! What the cell under the cursor says, in words; and what is not on screen.

use super::{Drawn, board::Board};
use crate::ui::{
    FrameContext,
    numbers::percent,
    text::fit,
    widgets::matrix::{Matrix, Plan, count},
};

/// Columns that a name is given.
const NAME: usize = 20;

/// The note of the plan and the words of the cell. Of several classes together, the sum and the worst pair among them.
pub(super) fn text(
    matrix: &Matrix<'_>,
    board: &Board,
    plan: &Plan,
    cursor: (usize, usize),
    drawn: &Drawn<'_>,
    context: FrameContext<'_>,
) -> String {
    let theme = context.theme;
    let figures = drawn.figures;
    let Some(counts) = &figures.matrix else { return String::new() };
    let arrow = theme.glyph("→", "->");
    let name = |class: usize| fit(&figures.name(class), NAME, theme.ascii);
    let (row, column) = board.place(cursor);
    let several = |cell: usize| board.cells.get(cell).is_some_and(|classes| classes.len() > 1);
    let mut parts = vec![plan.note(matrix.len(), counts.classes(), theme)];
    let share = |cell: f64, of: f64| {
        if of > 0.0 { format!("{:.1}%", cell / of * 100.0) } else { "–".to_owned() }
    };
    let pair = (several(row) || several(column)).then(|| board.worst_pair(row, column)).flatten();
    if several(row) || several(column) {
        let sum = matrix.now.counts[[row, column]];
        let label = |cell: usize| match board.cells.get(cell).map(Vec::as_slice) {
            Some([first, rest @ ..]) if !board.is_by_group() && !rest.is_empty() => {
                format!("{} and {} more", name(*first), rest.len())
            }
            _ => fit(&matrix.name(cell), NAME, theme.ascii),
        };
        parts.push(format!(
            "true {} {arrow} predicted {}: {} = {} of the true",
            label(row),
            label(column),
            count(sum, 12),
            share(sum, matrix.now.rows[row]),
        ));
        if let Some((a, b, worst)) = pair {
            let at_worst = format!("{} = {}", count(counts.get(a, b), 12), percent(worst));
            parts.push(format!("worst pair {} {arrow} {}: {at_worst}", name(a), name(b)));
        }
    } else {
        let cell = counts.get(cursor.0, cursor.1);
        parts.push(format!(
            "true {} {arrow} predicted {}: {} = {} of the true, {} of the predicted",
            name(cursor.0),
            name(cursor.1),
            count(cell, 12),
            share(cell, figures.support(cursor.0)),
            share(cell, figures.predicted(cursor.1)),
        ));
    }
    if let Some(reference) = drawn.other() {
        let before = matrix.before.map_or(0.0, |b| b.counts[[row, column]]) * reference.scale;
        let change = matrix.now.counts[[row, column]] - before;
        parts.push(if figures.shares {
            format!("{change:+.3} against {before:.3} there")
        } else {
            format!("{change:+.0} against {} there", count(before, 12))
        });
    }
    let groups = &drawn.standing.arrangement;
    if drawn.standing.has_groups() && !several(row) {
        let group = groups.groups.get(cursor.0).and_then(|g| groups.group_names.get(*g));
        if let Some(group) = group {
            parts.push(format!("group {}", fit(group, NAME, theme.ascii)));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join(theme.glyph(" · ", " | "))
}
