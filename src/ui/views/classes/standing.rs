//! In which order the classes stand and how their groups separated: worked out beside the drawing thread.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::figures::Source;
use crate::{
    analysis::{
        Cancel,
        classes::{
            Arrangement, Evidence, Evolution, GroupMeasures, LogitCorrelation, arrange, evolution,
            group_measures, logit_correlation,
        },
    },
    model::{Artefact, ArtefactKind, FileId, NumericArray, PackedMatrix, Payload, Step},
    store::{Evaluation, Run, StoredArtefact},
    ui::{FrameContext, background::Pending},
};

/// The method of a `sim` record whose matrix is that of the classes' logits.
const LOGGED: &str = "logit_correlation";

/// What is worked out.
#[derive(Debug)]
pub(super) struct Standing {
    /// Of which evaluations.
    source: Source,
    /// Order and groups.
    pub arrangement: Arrangement,
    /// Errors over all evaluations.
    pub evolution: Evolution,
    /// Scores of the groups now.
    pub groups: GroupMeasures,
    /// Tells it from others.
    pub version: u64,
}

impl Standing {
    /// There are groups, and they are clearer than chance.
    pub fn has_groups(&self) -> bool {
        self.arrangement.group_count() > 1 && !self.arrangement.is_weak()
    }
}

#[derive(Clone, PartialEq)]
struct Key {
    source: Source,
    /// Where the correlations come from: the newest step with them, its records, and where the last one lies.
    logged: Option<(Step, usize, FileId, u64)>,
}

/// The work and its last result.
#[derive(Default)]
pub(super) struct Standings {
    pending: Pending<Key, Arc<Standing>>,
    /// What the last work was begun with.
    begun: Option<(Key, Logits)>,
    /// Classes as logged, until there is something better.
    plain: Option<Arc<Standing>>,
    version: u64,
}

/// Where correlations come from.
#[derive(Clone)]
enum Logits {
    None,
    Batches(Arc<Vec<NumericArray>>),
    /// With the place of each class in it, where it names them.
    Matrix(Arc<NumericArray>, Option<Arc<Vec<usize>>>),
}

impl Standings {
    /// The order for these evaluations and whether a better one is being worked out. It is that of an earlier
    /// evaluation of the same run and split, or the order of the matrix, while there is no better one.
    pub fn ask(
        &mut self,
        context: FrameContext<'_>,
        run: &Run,
        source: &Source,
        records: &[Evaluation],
    ) -> (Arc<Standing>, bool) {
        let used = correlated(run, source, records);
        let place =
            |last: &&StoredArtefact| Some((last.artefact.step?, used.len(), last.file, last.artefact.offset));
        let key = Key { source: source.clone(), logged: used.last().and_then(place) };
        if self.begun.as_ref().is_none_or(|(of, _)| *of != key) {
            self.version += 1;
            self.begun = Some((key.clone(), logits(&used, source)));
        }
        let logits = self.begun.as_ref().map_or(Logits::None, |(_, logits)| logits.clone());
        let dated: Vec<(Step, Option<f64>, PackedMatrix)> =
            records.iter().map(|r| (r.step, r.epoch, r.matrix.clone())).collect();
        let (names, version) = (source.names.clone(), self.version);
        let of = source.clone();
        let progress = self.pending.ask(context, key, move |cancel| {
            work(of, names.as_deref().unwrap_or_default(), &logits, &dated, version, cancel).map(Arc::new)
        });
        let running = progress.running;
        let classes = records.last().map_or(0, |r| r.matrix.classes());
        let fits =
            |s: &&Arc<Standing>| s.arrangement.order.len() == classes && source.goes_on_from(&s.source);
        if let Some(known) = progress.value.filter(fits) {
            return (known.clone(), running);
        }
        let known = self.plain.take().filter(|p| fits(&p));
        let plain = known.unwrap_or_else(|| Arc::new(plain(source, records)));
        self.plain = Some(plain.clone());
        (plain, running)
    }
}

fn plain(source: &Source, records: &[Evaluation]) -> Standing {
    let classes = records.last().map_or(0, |r| r.matrix.classes());
    let arrangement = Arrangement::by_index(classes);
    let dated = records.iter().map(|r| (r.step, r.epoch, &r.matrix));
    let evolution = evolution(dated, &arrangement.groups, 1);
    let empty = || GroupMeasures { scores: Vec::new(), matrix: Array2::zeros((0, 0)), total: 0.0, hits: 0.0 };
    let groups = records.last().map_or_else(empty, |r| group_measures(&r.matrix, &arrangement.groups, 1));
    Standing { source: source.clone(), arrangement, evolution, groups, version: 0 }
}

fn work(
    source: Source,
    names: &[Arc<str>],
    logits: &Logits,
    dated: &[(Step, Option<f64>, PackedMatrix)],
    version: u64,
    cancel: &Cancel,
) -> Option<Standing> {
    let matrix = &dated.last()?.2;
    let classes = matrix.classes();
    let evidence = Evidence {
        classes,
        names: names.to_vec(),
        correlation: correlation(logits, classes),
        evaluations: dated.iter().map(|(.., matrix)| matrix.clone()).collect(),
    };
    let arrangement = arrange(&evidence, cancel)?;
    let count = arrangement.group_count();
    let dated = dated.iter().map(|(step, epoch, matrix)| (*step, *epoch, matrix));
    let evolution = evolution(dated, &arrangement.groups, count);
    let groups = group_measures(matrix, &arrangement.groups, count);
    Some(Standing { source, arrangement, evolution, groups, version })
}

/// The record of the correlation that the log brings, else those of instances of the newest step that has logits, up to
/// the step of the evaluation.
fn correlated<'a>(run: &'a Run, source: &Source, records: &[Evaluation]) -> Vec<&'a StoredArtefact> {
    let until = records.last().map_or(Step::MIN, |r| r.step);
    let classes = records.last().map_or(0, |r| r.matrix.classes());
    let known = |step: Option<Step>| step.is_some_and(|step| step <= until);
    let logged = run.tracks(ArtefactKind::Similarity).filter(|(key, _)| &*key.name == LOGGED);
    let mut matrices = logged.filter_map(|(_, all)| all.iter().rev().find(|r| known(r.artefact.step)));
    let whole = |r: &&StoredArtefact| r.artefact.array("m").is_some_and(|m| *m.shape() == [classes, classes]);
    if let Some(found) = matrices.find(whole) {
        return vec![found];
    }
    let with_logits = || {
        run.artefacts().iter().filter(|stored| {
            let a = &stored.artefact;
            let of_split = a.text("split").is_none_or(|split| split == &*source.split);
            let shape = a.array("logits").map(NumericArray::shape);
            a.kind == ArtefactKind::Predictions
                && known(a.step)
                && of_split
                && shape.is_some_and(|s| s.len() == 2 && s[1] == classes)
        })
    };
    let newest = with_logits().filter_map(|r| r.artefact.step).max();
    with_logits().filter(|r| newest.is_some() && r.artefact.step == newest).collect()
}

/// What the work needs of these records.
fn logits(records: &[&StoredArtefact], source: &Source) -> Logits {
    match records {
        [] => Logits::None,
        [record] if record.artefact.kind == ArtefactKind::Similarity => {
            let matrix = record.artefact.array("m").cloned().map(Arc::new);
            let places = places(&record.artefact, source).map(Arc::new);
            matrix.map_or(Logits::None, |matrix| Logits::Matrix(matrix, places))
        }
        _ => {
            let batches = records.iter().filter_map(|r| r.artefact.array("logits"));
            Logits::Batches(Arc::new(batches.cloned().collect()))
        }
    }
}

/// Where each class stands in a logged correlation, by the names in `layers`; `None` where names are missing or others.
fn places(artefact: &Artefact, source: &Source) -> Option<Vec<usize>> {
    let Some(Payload::Texts(texts)) = artefact.field("layers") else { return None };
    let at = |name: &Arc<str>| texts.iter().position(|text| text.as_ref() == Some(name));
    source.names.as_ref()?.iter().map(at).collect()
}

fn correlation(logits: &Logits, classes: usize) -> Option<LogitCorrelation> {
    let view = |array: &NumericArray| {
        let [rows, columns] = *array.shape() else { return None };
        Some(ArrayView2::from_shape((rows, columns), array.values()).ok()?.to_owned())
    };
    match logits {
        Logits::None => None,
        Logits::Matrix(array, places) => {
            let logged = view(array)?;
            let at = |class: usize| places.as_ref().and_then(|p| p.get(class)).copied().unwrap_or(class);
            let similarity = Array2::from_shape_fn((classes, classes), |(i, j)| {
                let value = logged[[at(i), at(j)]];
                if value < 0.0 { 0.0 } else { value }
            });
            Some(LogitCorrelation { similarity, instances: 0, broken: 0 })
        }
        Logits::Batches(arrays) => {
            let batches: Vec<Array2<f64>> = arrays.iter().filter_map(view).collect();
            logit_correlation(&batches.iter().map(|b| b.view()).collect::<Vec<_>>(), classes)
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::{super::figures::Figures, *};
    use crate::{
        model::{ConfusionMatrix, ConfusionRecord, Record, WallTime},
        ui::background::tests_support::{self, Later, artefact, only, store, with},
    };

    fn evaluation(step: Step) -> Record {
        Record::Confusion(ConfusionRecord {
            split: Arc::from("val"),
            step,
            epoch: None,
            wall: WallTime(step as f64),
            matrix: ConfusionMatrix::new(array![[8.0, 2.0, 0.0], [3.0, 7.0, 0.0], [0.0, 0.0, 9.0]]).unwrap(),
            names: None,
            task: Arc::default(),
        })
    }

    fn logits(step: Step) -> Record {
        let values = (0..18).map(|v| f64::from(v * v % 7)).collect();
        artefact(
            ArtefactKind::Predictions,
            "pred",
            step,
            &[("logits", tests_support::array(&[6, 3], values))],
        )
    }

    /// The step of what stands and whether there is work, looking at the first `n` evaluations.
    fn ask(standings: &mut Standings, context: FrameContext<'_>, run: &Run, n: usize) -> (Step, bool) {
        let split = Arc::from("val");
        let records = &run.confusions().of(&split)[..n];
        let mut figures = Figures::default();
        figures.refresh(run, &split, records);
        let (standing, running) = standings.ask(context, run, &figures.source.unwrap(), records);
        (standing.evolution.moments.last().unwrap().step, running)
    }

    #[test]
    fn nothing_after_the_cursor_stands_in_and_unused_predictions_cancel_nothing() {
        let later = Later::default();
        let log = || vec![logits(5), evaluation(10), logits(15), evaluation(20)];
        let (before, after) = (store(log()), store(log().into_iter().chain([logits(25)]).collect()));
        with(&later, |context| {
            let mut standings = Standings::default();
            assert_eq!(ask(&mut standings, context, only(&before), 2), (20, true));
            later.work();
            // The predictions after the evaluation belong to the next one.
            assert_eq!(ask(&mut standings, context, only(&after), 2), (20, false));
            assert_eq!(ask(&mut standings, context, only(&after), 1), (10, true));
            later.work();
            assert_eq!(ask(&mut standings, context, only(&after), 1), (10, false));
        });
    }
}
