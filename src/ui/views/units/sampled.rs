//! Which curves of a layer's units are drawn: chosen beside the drawing thread, once for each state of the records.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    analysis::units::{self, Curves, Sample, Spread},
    model::{ArtefactKind, RunId, Step},
    store::{Run, StoredArtefact, TrackKey},
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
    /// Records that were read: more of them, but no more kept, after a restart that writes the same steps again.
    read: u64,
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
    pub curves: Arc<Curves>,
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

/// On what η² depends: run, layer, time cursor, how many records were read that tell it.
type Eta2Of = (RunId, Arc<str>, Option<Step>, u64);

/// Chooses curves.
#[derive(Default)]
pub(super) struct Chooser {
    asked: Option<Asked>,
    /// What the work that is asked for owns; kept until it is done, as it may have to wait for room.
    owned: Option<Arc<Curves>>,
    found: Pending<Asked, Sampled>,
    /// η² of the layer's units by their number, as far as it is known.
    eta2: BTreeMap<u64, f64>,
    eta2_of: Option<Eta2Of>,
}

/// What there is to draw, η² of the units, and whether curves are being chosen.
pub(super) type Chosen<'a> = (Option<&'a Sampled>, &'a BTreeMap<u64, f64>, bool);

impl Chooser {
    /// The chosen curves. Fewer records of the same curves stand in while newer ones are worked on.
    pub fn ask(&mut self, context: FrameContext<'_>, what: &Subject<'_>) -> Chosen<'_> {
        let read = |kind, aspect: &Arc<str>| {
            let (name, aspect) = (what.layer.clone(), aspect.clone());
            what.run.track_count(&TrackKey { kind, name, aspect })
        };
        let asked = Asked {
            run: what.run.id().clone(),
            layer: what.layer.clone(),
            statistic: what.statistic.clone(),
            until: what.until,
            records: what.records.len(),
            newest: what.records.last().and_then(|r| r.artefact.step),
            read: read(ArtefactKind::Units, what.statistic),
            spread: what.spread,
        };
        // Copied only when it is worked out anew: `Pending` does not begin the same work twice.
        if self.asked.as_ref() != Some(&asked) {
            self.owned = Some(Arc::new(units::curves(what.records)));
        }
        let tells =
            read(ArtefactKind::Units, &Arc::from("eta2")) + read(ArtefactKind::Responses, &Arc::default());
        let eta2_of = (asked.run.clone(), asked.layer.clone(), asked.until, tells);
        if self.eta2_of.as_ref() != Some(&eta2_of) {
            let figures = units::figures(what.run, what.layer, what.until);
            self.eta2 = figures.units.iter().filter_map(|u| Some((u.unit, u.eta2?))).collect();
            self.eta2_of = Some(eta2_of);
        }
        self.asked = Some(asked.clone());
        let (of, spread, owned) = (asked.clone(), what.spread, self.owned.clone());
        let progress = self.found.ask(context, asked, move |cancel| {
            let curves = owned?;
            let sample = units::sample(&curves, DRAWN, spread, cancel)?;
            Some(Sampled { of, broken: curves.broken(), curves, sample })
        });
        if !progress.running {
            self.owned = None;
        }
        let now = self.asked.as_ref();
        let same = |s: &&Sampled| !s.sample.picks.is_empty() && now.is_some_and(|asked| asked.is_like(&s.of));
        (progress.value.filter(same), &self.eta2, progress.running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Payload, Record},
        ui::background::tests_support::{Later, array, artefact, only, store, with},
    };

    /// 30 units at four steps.
    fn units(sign: f64) -> Vec<Record> {
        let at = |step: i32| {
            let values = (0..30).map(|unit| sign * f64::from(unit * step)).collect();
            let stat = Payload::Text(Arc::from("mean_act"));
            artefact(ArtefactKind::Units, "fc1", step.into(), &[("stat", stat), ("v", array(&[30], values))])
        };
        (1..5).map(at).collect()
    }

    /// The last value of unit 29 and whether there is work.
    fn ask(chooser: &mut Chooser, context: FrameContext<'_>, run: &Run) -> (Option<f64>, bool) {
        let (layer, statistic) = (Arc::from("fc1"), Arc::from("mean_act"));
        let records = run.track(ArtefactKind::Units, "fc1", "mean_act");
        let (layer, statistic) = (&layer, &statistic);
        let spread = Spread::default();
        let what = Subject { run, layer, statistic, records, until: None, spread };
        let (sampled, _, running) = chooser.ask(context, &what);
        (sampled.and_then(|s| s.curves.last(29)), running)
    }

    #[test]
    fn curves_wait_for_room_and_follow_a_restart() {
        let later = Later::default();
        let (first, again) = (store(units(1.0)), store(units(1.0).into_iter().chain(units(-1.0)).collect()));
        with(&later, |context| {
            let mut chooser = Chooser::default();
            later.fill();
            assert_eq!(ask(&mut chooser, context, only(&first)), (None, true));
            later.work();
            assert_eq!(ask(&mut chooser, context, only(&first)), (None, true));
            later.work();
            assert_eq!(ask(&mut chooser, context, only(&first)), (Some(116.0), false));
            // The same steps written again.
            assert_eq!(ask(&mut chooser, context, only(&again)), (Some(116.0), true));
            later.work();
            assert_eq!(ask(&mut chooser, context, only(&again)), (Some(-116.0), false));
        });
    }
}
