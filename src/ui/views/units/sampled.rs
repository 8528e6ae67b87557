//! Which curves of a layer's units are drawn: chosen beside the drawing thread, once for each state of the records.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    analysis::units::{self, Curves, Sample, Spread},
    model::{RunId, Step},
    store::{Run, StoredArtefact},
    ui::{FrameContext, background::Pending},
};

/// Curves that are drawn.
pub(super) const DRAWN: usize = 20;

/// On what the chosen curves depend.
#[derive(Clone, PartialEq, Debug)]
struct Asked {
    run: RunId,
    layer: Arc<str>,
    statistic: Arc<str>,
    until: Option<Step>,
    records: usize,
    newest: Option<Step>,
    spread: Spread,
}

impl Asked {
    /// The same but for how many records there were.
    fn is_like(&self, other: &Self) -> bool {
        let subject = |a: &Self| (a.run.clone(), a.layer.clone(), a.statistic.clone(), a.until, a.spread);
        subject(self) == subject(other)
    }
}

/// Curves and which of them stand for all.
#[derive(Debug)]
pub(super) struct Sampled {
    of: Asked,
    pub curves: Curves,
    pub sample: Sample,
    /// Units with NaN or infinities.
    pub broken: usize,
}

/// What is asked for: a statistic of a layer at a moment.
pub(super) struct Subject<'a> {
    pub run: &'a Run,
    pub layer: &'a Arc<str>,
    pub statistic: &'a Arc<str>,
    /// Up to the time cursor.
    pub records: &'a [StoredArtefact],
    pub until: Option<Step>,
    pub spread: Spread,
}

/// Chooses curves.
#[derive(Default)]
pub(super) struct Chooser {
    asked: Option<Asked>,
    found: Pending<Asked, Sampled>,
    /// η² of the layer's units by their number, as far as it is known.
    eta2: BTreeMap<u64, f64>,
}

/// What there is to draw, η² of the units, and whether curves are being chosen.
pub(super) type Chosen<'a> = (Option<&'a Sampled>, &'a BTreeMap<u64, f64>, bool);

impl Chooser {
    /// The chosen curves. Fewer records of the same curves stand in while newer ones are worked on.
    pub fn ask(&mut self, context: FrameContext<'_>, what: &Subject<'_>) -> Chosen<'_> {
        let asked = Asked {
            run: what.run.id().clone(),
            layer: what.layer.clone(),
            statistic: what.statistic.clone(),
            until: what.until,
            records: what.records.len(),
            newest: what.records.last().and_then(|r| r.artefact.step),
            spread: what.spread,
        };
        // Copied only when it is worked out anew: `Pending` does not begin the same work twice.
        let owned = (self.asked.as_ref() != Some(&asked)).then(|| units::curves(what.records));
        if owned.is_some() {
            let figures = units::figures(what.run, what.layer, what.until);
            self.eta2 = figures.units.iter().filter_map(|u| Some((u.unit, u.eta2?))).collect();
        }
        self.asked = Some(asked.clone());
        let (of, spread) = (asked.clone(), what.spread);
        let progress = self.found.ask(context, asked, move |cancel| {
            let curves = owned?;
            let sample = units::sample(&curves, DRAWN, spread, cancel)?;
            Some(Sampled { of, broken: curves.broken(), curves, sample })
        });
        let now = self.asked.as_ref();
        let same = |s: &&Sampled| !s.sample.picks.is_empty() && now.is_some_and(|asked| asked.is_like(&s.of));
        (progress.value.filter(same), &self.eta2, progress.running)
    }
}
