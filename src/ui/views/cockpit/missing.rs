//! What is said in place of an instrument that is not logged, and of all of them.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    store::Run,
    ui::{
        FrameContext, Selection, Theme,
        text::{fit, put},
        widgets::prose,
    },
};

/// What is not logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    Alpha,
    Norms,
    Tests,
    Noise,
    Layers,
    Similarity,
    Instances,
}

impl Missing {
    fn text(self) -> &'static str {
        match self {
            Self::Alpha => {
                "α is not logged: scalar cockpit/alpha (epochscope.normalised_step works it out of loss and slope before and after a step)"
            }
            Self::Norms => {
                "norms are not logged: scalar grad_norm, or layer records (epochscope.watch writes them)"
            }
            Self::Tests => "gradient tests are not logged: scalars cockpit/norm_test, inner_test, ortho_test",
            Self::Noise => {
                "the noise scale is not logged: noise records (log_noise of the Python logger), or scalar gns"
            }
            Self::Layers => {
                "Nothing of this page is logged: layer records of kind weight with alpha, stable_rank, dist_init or update_norm, sim records with a value (epochscope.watch writes them; docs/NATIVE_LOG.md)."
            }
            Self::Similarity => {
                "No similarity matrix is logged: sim records with m and layers (epochscope.watch writes them when it has probe batches; docs/NATIVE_LOG.md)."
            }
            Self::Instances => {
                "No predictions are logged: pred records with the same ids at several epochs, with y and p or logits (log_predictions of the Python logger; docs/NATIVE_LOG.md)."
            }
        }
    }
}

/// Rows that it takes, at most three.
pub(super) fn height(what: Missing, width: u16) -> u16 {
    (prose::wrap(what.text(), usize::from(width), false).len() as u16).clamp(1, 3)
}

/// Draws it.
pub(super) fn draw(theme: &Theme, what: Missing, area: Rect, buffer: &mut Buffer) {
    prose::draw(theme, &[(what.text().to_owned(), theme.muted())], area, buffer);
}

/// Records of a native log; may be cut, never wrapped.
const RECORDS: [&str; 5] = [
    "{\"t\":\"scalar\",\"step\":10,\"v\":{\"cockpit/alpha\":0.1,\"grad_norm\":3.2}}",
    "{\"t\":\"noise\",\"step\":10,\"b_small\":10,\"b_big\":100,\"g2_small\":14.0,\"g2_big\":5.0}",
    "{\"t\":\"layer\",\"step\":10,\"name\":\"fc1\",\"kind\":\"weight\",\"norm\":21.5,\"alpha\":3.4}",
    "{\"t\":\"sim\",\"step\":10,\"method\":\"cka_unbiased\",\"layers\":[\"l1\",\"l2\"],\"m\":[[1,0.4],[0.4,1]]}",
    "{\"t\":\"pred\",\"step\":10,\"split\":\"train\",\"id\":[\"a1\"],\"y\":[0],\"p\":[[0.7,0.3]]}",
];

/// Draws what a run without any of it gets.
pub(super) fn draw_all(
    context: FrameContext<'_>,
    selection: &Selection,
    has_some: impl Fn(&Run) -> bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    let Some(run) = selection.run_in(context.store) else {
        prose::draw(theme, &[("No run has been read yet.".to_owned(), theme.title())], area, buffer);
        return;
    };
    let mut paragraphs = vec![(format!("{} logs nothing of its steps.", run.title()), theme.title())];
    let others: Vec<&str> = context.store.runs().filter(|r| has_some(r)).map(Run::title).take(3).collect();
    if !others.is_empty() {
        let text = format!("Runs that have some: {} (n, p change the run).", others.join(", "));
        paragraphs.push((text, theme.accent()));
    }
    let how = "This page shows where steps end (α), norms, tests of the gradient, its noise scale, spectra and \
               similarities of layers, and instances over the epochs. In PyTorch, epochscope.watch(model, optimizer) \
               of the Python logger writes much of it; in any program, a native log (*.scope.jsonl, \
               docs/NATIVE_LOG.md):";
    paragraphs.push((how.to_owned(), Style::new()));
    let used = prose::draw(theme, &paragraphs, area, buffer);
    for (y, record) in (area.y + used + 1..area.bottom()).zip(RECORDS) {
        let width = area.width.saturating_sub(2);
        put(buffer, area.x + 2, y, &fit(record, usize::from(width), theme.ascii), width, Style::new());
    }
}
