//! The sentence on the first layer that left its own history; the Layers view says it too.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    analysis::inspect::{self, Cause, Departure, History},
    detect::Severity,
    model::{RunId, Step},
    store::Run,
    ui::{
        FrameContext,
        background::Pending,
        numbers::{count, value},
        theme::Role,
        widgets::prose,
    },
};

/// Rules whose alerts a layer may have caused.
const TROUBLES: &[&str] = &[
    "nan",
    "divergence",
    "loss_spike",
    "gradient_surge",
    "exploding_gradient",
    "unstable_layer",
    "dead_units",
    "saturated_units",
];

/// On what the answer depends: run, time cursor, since when there is trouble, how many layer records were read.
type Asked = (RunId, Option<Step>, Option<Step>, u64);

/// Finds the cause, once for each state of the records.
#[derive(Debug, Default)]
pub(in crate::ui::views) struct RootCause {
    asked: Option<Asked>,
    /// What the work that is asked for owns; kept until it is done, as it may have to wait for room.
    owned: Option<Arc<Vec<History>>>,
    /// With the run and the time cursor that it speaks of.
    found: Pending<Asked, (RunId, Option<Step>, Option<Cause>)>,
}

impl RootCause {
    /// The first layer that had left its history at `until` and not come back, and whether a newer answer is being
    /// worked out.
    pub fn find(
        &mut self,
        context: FrameContext<'_>,
        run: &Run,
        until: Option<Step>,
    ) -> (Option<&Cause>, bool) {
        let tracks = run.layers().rows().flat_map(|row| row.kinds.values());
        let trouble = trouble(context, run);
        let asked = (run.id().clone(), until, trouble, tracks.map(crate::store::LayerTrack::count).sum());
        // Copied only when it is worked out anew: `Pending` does not begin the same work twice.
        if self.asked.as_ref() != Some(&asked) {
            let end = trouble.map(|step| *inspect::around(step).end());
            let histories = inspect::histories(run.layers(), until.into_iter().chain(end).min());
            self.owned = Some(Arc::new(histories));
        }
        let owned = self.owned.clone();
        self.asked = Some(asked.clone());
        let subject = run.id().clone();
        let progress = self.found.ask(context, asked, move |cancel| {
            let cause = inspect::first_to_leave(&owned?, trouble, cancel);
            (!cancel.is_cancelled()).then_some((subject, until, cause))
        });
        if !progress.running {
            self.owned = None;
        }
        // What was true of another run or another moment is no answer, not even for the time being.
        let value = progress.value.filter(|(of, at, _)| of == run.id() && *at == until);
        (value.and_then(|(_, _, cause)| cause.as_ref()), progress.running)
    }

    /// Draws the sentence, where there is one, from the top of `area`; returns the rows used.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        run: &Run,
        until: Option<Step>,
        area: Rect,
        buffer: &mut Buffer,
    ) -> u16 {
        let theme = context.theme;
        let Some(cause) = self.find(context, run, until).0.filter(|_| area.height >= 1) else { return 0 };
        let (role, mark) = if cause.failed {
            (Role::Bad, theme.glyph("✗", "X"))
        } else {
            (Role::Warn, theme.glyph("▲", "!"))
        };
        let text = format!("{mark} {} (i)", sentence(cause));
        prose::draw(theme, &[(text, theme.style(role))], area, buffer)
    }
}

/// Where the first trouble began that a layer may have caused and that still lasts.
fn trouble(context: FrameContext<'_>, run: &Run) -> Option<Step> {
    let alerts = context.alerts.of_run(run.id());
    let of_layers =
        alerts.filter(|a| a.is_open() && a.severity >= Severity::Warn && TROUBLES.contains(&a.rule));
    of_layers.filter_map(|a| a.since_step.or(a.step)).min()
}

/// `first to leave its history: layer7 activations max, step 400, z = 41`.
pub(in crate::ui::views) fn sentence(cause: &Cause) -> String {
    let others = match cause.others {
        0 => String::new(),
        1 => "; 1 more layer after it".to_owned(),
        n => format!("; {n} more layers after it"),
    };
    match cause.departure {
        Departure::NonFinite(elements) => {
            let how_many =
                if elements > 1.0 { format!("{} ", count(elements as u64)) } else { String::new() };
            format!(
                "first to leave its history: {} {}, step {}: {how_many}NaN/Inf{others}",
                cause.layer.as_str(),
                cause.kind,
                cause.step
            )
        }
        Departure::Left { statistic, value: now, usual, z } => format!(
            "first to leave its history: {} {} {statistic}, step {}, z = {}: {} (usually {}){others}",
            cause.layer.as_str(),
            cause.kind,
            cause.step,
            if z < 999.5 { format!("{z:.0}") } else { ">999".to_owned() },
            value(now),
            value(usual)
        ),
    }
}
