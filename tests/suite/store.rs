//! The store: what it must never lose, and what it forgets on purpose.

use std::sync::Arc;

use epochscope::{
    model::{
        Artefact, ArtefactKind, Batch, Column, ConfusionMatrix, ConfusionRecord, EndStatus, FileId,
        HistogramRecord, HyperValue, LayerKind, LayerName, LayerRecord, LayerStats, Origin, Point, Record,
        RunId, RunInfo, SeriesKey, Sharing, Step, TextRecord, WallTime,
    },
    store::{Bucket, Change, Limits, Series, Store},
};
use ndarray::array;
use proptest::prelude::*;

const RUN: &str = "run";

fn point(step: Step, value: f64) -> Point {
    Point { step, wall: 1.7e9 + step as f64, value }
}

/// A batch of file `file`; files are ordered by their number.
fn batch(file: u32) -> Batch {
    let origin = Origin::new(FileId(file), format!("events.{file:04}"));
    Batch::new(RunId::from(RUN), origin)
}

fn with_points(file: u32, tag: &str, points: impl IntoIterator<Item = Point>) -> Batch {
    let points = points.into_iter().collect();
    let columns = vec![Column { key: SeriesKey::plain(tag), points }];
    Batch { columns, ..batch(file) }
}

fn with_records(file: u32, records: Vec<Record>) -> Batch {
    Batch { records, ..batch(file) }
}

fn rising(from: Step, to: Step) -> impl Iterator<Item = Point> {
    (from..to).map(|s| point(s, s as f64))
}

fn store() -> Store {
    Store::new(Limits::default())
}

fn series<'a>(store: &'a Store, tag: &str) -> &'a Series {
    let run = store.run(&RunId::from(RUN)).expect("a run");
    run.series_of(&SeriesKey::plain(tag)).expect("a series of that tag")
}

fn steps(buckets: &[Bucket]) -> Vec<Step> {
    buckets.iter().map(|b| b.last.step).collect()
}

fn count(series: &Series) -> u64 {
    series.segments().iter().map(|s| s.buckets().map(|b| b.count()).sum::<u64>() + s.repeated()).sum()
}

#[test]
fn recent_points_are_exact_in_value_and_step() {
    let mut store = store();
    let values = [0.1, -0.0, f64::NAN, f64::INFINITY, 1e300, 3.5, f64::NEG_INFINITY];
    let points: Vec<Point> = values.iter().zip(0..).map(|(v, s)| point(s * 7 - 3, *v)).collect();
    store.apply(&with_points(0, "loss", points.clone()));
    let buckets = series(&store, "loss").buckets(None);
    assert_eq!(buckets.len(), points.len());
    for (bucket, point) in buckets.iter().zip(&points) {
        assert_eq!(bucket.first.step, point.step);
        assert_eq!(bucket.first.value.to_bits(), point.value.to_bits());
        assert!((bucket.first.wall - point.wall).abs() <= 0.001);
    }
}

#[test]
fn uneven_and_extreme_steps_come_back_as_they_were() {
    for steps in [
        vec![Step::MIN, -1, 0, Step::MAX],
        vec![0, 1, 2, 3, 5, 1000, 5_000_000_000],
        vec![Step::MAX],
        vec![Step::MIN, Step::MAX],
        vec![5, 10, 15, 21],
        vec![-4, -2, 0, 2, 4],
    ] {
        for chunk in 1..=steps.len() {
            let mut store = store();
            for part in steps.chunks(chunk) {
                store.apply(&with_points(0, "t", part.iter().map(|s| point(*s, 1.0))));
            }
            let found: Vec<Step> = series(&store, "t").buckets(None).iter().map(|b| b.first.step).collect();
            assert_eq!(found, steps, "in chunks of {chunk}");
        }
    }
}

#[test]
fn times_may_be_unknown_go_back_or_be_absurd() {
    let walls = [f64::NAN, 1.7e9, 1.7e9 - 3600.0, f64::NAN, 4.0e18, f64::INFINITY, -1.0];
    for chunk in 1..=walls.len() {
        let mut store = store();
        let points: Vec<Point> =
            walls.iter().zip(0..).map(|(wall, step)| Point { step, wall: *wall, value: 0.0 }).collect();
        for part in points.chunks(chunk) {
            store.apply(&with_points(0, "t", part.iter().copied()));
        }
        let found: Vec<f64> = series(&store, "t").buckets(None).iter().map(|b| b.first.wall).collect();
        for (found, wall) in found.iter().zip(walls) {
            assert!((found - wall).abs() <= 0.001 || !wall.is_finite() && found.is_nan(), "{found} {wall}");
        }
        let run = store.run(&RunId::from(RUN)).unwrap();
        assert_eq!((run.first_wall().0, run.last_wall().0), (-1.0, 4.0e18));
    }
}

#[test]
fn a_restart_in_a_later_file_supersedes_what_the_earlier_file_had_from_there_on() {
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 70)));
    let changes = store.apply(&with_points(1, "loss", rising(42, 105)));
    assert!(changes.iter().any(|c| matches!(c, Change::Restarted { at: 42, .. })));
    let loss = series(&store, "loss");
    // As TensorBoard's data server counts the sample torch-tensorboard/restarted: 133 read, 105 shown.
    assert_eq!(loss.summary().points, 133);
    assert_eq!(steps(&loss.buckets(None)), (0..105).collect::<Vec<_>>());
    assert_eq!(loss.segments()[0].superseded_from(), Some(42));
    let old = loss.superseded_buckets(None);
    assert_eq!(old.len(), 1);
    assert_eq!(steps(&old[0]), (42..70).collect::<Vec<_>>());
    assert_eq!(store.run(&RunId::from(RUN)).unwrap().last_step(), Some(104));
}

#[test]
fn a_file_that_only_continues_supersedes_nothing() {
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 10)));
    let changes = store.apply(&with_points(1, "loss", rising(10, 20)));
    assert!(!changes.iter().any(|c| matches!(c, Change::Restarted { .. })));
    let loss = series(&store, "loss");
    assert_eq!(loss.segments()[0].superseded_from(), None);
    assert!(loss.superseded_buckets(None).is_empty());
}

#[test]
fn a_step_back_within_a_file_begins_a_segment_and_the_last_step_goes_back() {
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 100).chain(rising(50, 60))));
    let loss = series(&store, "loss");
    assert_eq!(loss.segments().len(), 2);
    assert_eq!(steps(&loss.buckets(None)), (0..60).collect::<Vec<_>>());
    assert_eq!(store.run(&RunId::from(RUN)).unwrap().last_step(), Some(59));
    assert_eq!(loss.last_finite().map(|p| p.step), Some(59));
    assert_eq!(loss.value_at(57).map(|b| b.last.value), Some(57.0));
}

#[test]
fn a_step_written_twice_keeps_the_later_value_and_counts_both() {
    let mut store = store();
    store.apply(&with_points(0, "acc", [point(1, 0.5), point(2, f64::NAN)]));
    store.apply(&with_points(0, "acc", [point(2, 0.7), point(2, 0.9), point(3, 1.0)]));
    let acc = series(&store, "acc");
    assert_eq!(acc.segments().len(), 1);
    let values: Vec<f64> = acc.buckets(None).iter().map(|b| b.last.value).collect();
    assert_eq!(values, [0.5, 0.9, 1.0]);
    assert_eq!((acc.summary().points, acc.summary().non_finite), (5, 1));
    assert_eq!(count(acc), 5);
}

#[test]
fn a_purge_voids_earlier_files_for_every_series_even_those_not_written_again() {
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 10)));
    store.apply(&with_points(0, "acc", rising(0, 10)));
    let mut resumed = with_points(1, "loss", rising(5, 7));
    resumed.records.push(Record::Purge { step: 5 });
    let changes = store.apply(&resumed);
    assert!(changes.iter().any(|c| matches!(c, Change::Purged { at: 5, .. })));
    assert_eq!(steps(&series(&store, "acc").buckets(None)), (0..5).collect::<Vec<_>>());
    assert_eq!(steps(&series(&store, "loss").buckets(None)), (0..7).collect::<Vec<_>>());
    assert_eq!(series(&store, "acc").summary().points, 10);
    assert_eq!(store.run(&RunId::from(RUN)).unwrap().last_step(), Some(6));
}

#[test]
fn a_purge_arriving_before_the_file_it_voids_still_holds() {
    let mut store = store();
    store.apply(&with_records(1, vec![Record::Purge { step: 5 }]));
    store.apply(&with_points(0, "acc", rising(0, 10)));
    assert_eq!(steps(&series(&store, "acc").buckets(None)), (0..5).collect::<Vec<_>>());
}

#[test]
fn a_reset_forgets_what_that_file_said_and_nothing_else() {
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 10)));
    store.apply(&with_points(1, "loss", rising(5, 15)));
    store.apply(&with_points(1, "other", rising(0, 3)));
    store.apply(&with_records(
        1,
        vec![
            histogram("fc", 1),
            confusion("val", 1),
            Record::Text(TextRecord {
                tag: "note".into(),
                step: 0,
                wall: WallTime::UNKNOWN,
                text: Arc::from("hello"),
            }),
            Record::Artefact(Artefact {
                kind: ArtefactKind::Image,
                name: Arc::from("x"),
                step: None,
                wall: WallTime::UNKNOWN,
                offset: 0,
                bytes: 1,
                fields: vec![],
            }),
            Record::Hyperparameters(vec![(Arc::from("lr"), HyperValue::Number(0.1))]),
            Record::End(EndStatus::Failed),
        ],
    ));
    let run = store.run(&RunId::from(RUN)).unwrap();
    assert_eq!((run.layers().len(), run.texts().len(), run.text_count()), (1, 1, 1));
    assert_eq!(run.end(), Some(EndStatus::Failed));

    let changes = store.apply(&Batch { reset: true, ..with_points(1, "new", rising(0, 2)) });
    assert!(changes.iter().any(|c| matches!(c, Change::FileForgotten { file: FileId(1), .. })));
    let run = store.run(&RunId::from(RUN)).unwrap();
    let names: Vec<String> = run.series().map(|s| s.key().label()).collect();
    assert_eq!(names, ["loss", "new"]);
    assert_eq!(steps(&series(&store, "loss").buckets(None)), (0..10).collect::<Vec<_>>());
    assert!(run.layers().is_empty() && run.confusions().is_empty() && run.texts().is_empty());
    assert!(run.artefact_counts().is_empty() && run.artefacts().is_empty());
    assert!(run.hyperparameters().is_empty());
    assert_eq!((run.end(), run.last_step()), (None, Some(9)));
}

#[test]
fn series_and_runs_are_listed_in_natural_order() {
    let mut store = store();
    for run in ["run_10", "run_2", "run_1"] {
        let mut b = with_points(0, "layer10/loss", rising(0, 1));
        b.columns.push(Column { key: SeriesKey::plain("layer9/loss"), points: vec![point(0, 0.0)] });
        b.columns.push(Column { key: SeriesKey::new("layer9/loss", "val"), points: vec![point(0, 0.0)] });
        b.run = RunId::from(run);
        store.apply(&b);
    }
    let runs: Vec<&str> = store.runs().map(|r| r.id().as_str()).collect();
    assert_eq!(runs, ["run_1", "run_2", "run_10"]);
    let labels: Vec<String> = store.runs().next().unwrap().series().map(|s| s.key().label()).collect();
    assert_eq!(labels, ["layer9/loss", "val/layer9/loss", "layer10/loss"]);
}

#[test]
fn one_spike_among_a_million_survives_thinning_and_so_does_one_nan() {
    // Check T-1 of the visual-analytics specification.
    let million = |odd: f64| {
        let mut store = Store::new(Limits { bytes: 100_000 });
        let points = (0..1_000_000).map(|s| point(s, if s == 654_321 { odd } else { 1.0 }));
        let points: Vec<Point> = points.collect();
        for chunk in points.chunks(4096) {
            store.apply(&with_points(0, "loss", chunk.iter().copied()));
        }
        assert!(store.memory_bytes() <= 100_000);
        store
    };
    let store = million(50.0);
    let buckets = series(&store, "loss").buckets(None);
    assert!(buckets.len() >= 80, "{} buckets", buckets.len());
    let spike: Vec<_> = buckets.iter().filter(|b| b.max > 1.0).map(|b| (b.max, b.max_step)).collect();
    assert_eq!(spike, [(50.0, 654_321)]);
    let nan = million(f64::NAN);
    let found: Vec<_> = series(&nan, "loss").buckets(None).iter().filter_map(|b| b.nan_first).collect();
    assert_eq!(found, [654_321]);
}

#[test]
fn when_series_become_many_each_gets_coarser_and_none_disappears() {
    let mut store = Store::new(Limits { bytes: 3_000_000 });
    for n in 0..1000 {
        store.apply(&with_points(0, &format!("s{n}"), rising(0, 2000)));
    }
    assert!(store.memory_bytes() <= 3_000_000, "{}", store.memory_bytes());
    let run = store.run(&RunId::from(RUN)).unwrap();
    assert_eq!(run.series_count(), 1000);
    for series in run.series() {
        let summary = series.summary();
        assert_eq!(
            (summary.points, summary.min.unwrap().value, summary.max.unwrap().value),
            (2000, 0.0, 1999.0)
        );
        let buckets = series.buckets(None);
        assert_eq!((buckets[0].first.step, buckets[buckets.len() - 1].last.step), (0, 1999));
        assert_eq!(count(series), 2000);
        assert!(buckets.len() >= 8, "{} buckets", buckets.len());
    }
}

#[test]
fn steps_that_begin_anew_for_ever_stay_bounded_and_add_up() {
    let mut store = store();
    for _ in 0..1000 {
        store.apply(&with_points(0, "loss", rising(0, 20)));
    }
    let loss = series(&store, "loss");
    assert!(loss.segments().len() <= 129);
    assert_eq!((loss.summary().points, count(loss)), (20_000, 20_000));
    assert_eq!(steps(&loss.buckets(None)), (0..20).collect::<Vec<_>>());
    assert!(store.memory_bytes() < 200_000, "{}", store.memory_bytes());
}

#[test]
fn resuming_again_and_again_keeps_the_whole_live_branch() {
    let mut store = store();
    for n in 0..500 {
        store.apply(&with_points(0, "loss", rising(n * 10, n * 10 + 15)));
    }
    let loss = series(&store, "loss");
    assert!(loss.segments().len() <= 129);
    assert_eq!(count(loss), 7500);
    let live = loss.buckets(None);
    assert_eq!((live[0].first.step, live[live.len() - 1].last.step), (0, 5004));
    assert!(live.windows(2).all(|w| w[0].last.step < w[1].first.step));
}

fn histogram(layer: &str, step: Step) -> Record {
    Record::Histogram(HistogramRecord {
        layer: LayerName::from(layer),
        kind: LayerKind::Weights,
        step,
        wall: WallTime(step as f64),
        edges: Arc::from([0.0, 1.0]),
        counts: Arc::from([step as f64]),
        stats: LayerStats { mean: Some(step as f64), ..LayerStats::default() },
    })
}

fn confusion(split: &str, step: Step) -> Record {
    Record::Confusion(ConfusionRecord {
        split: Arc::from(split),
        step,
        epoch: Some(step as f64),
        wall: WallTime(step as f64),
        matrix: ConfusionMatrix::new(array![[1.0, 2.0], [3.0, 4.0]]).expect("a square of counts"),
        names: Some(Arc::from([Arc::from("cat"), Arc::from("dog")])),
        task: Arc::from(""),
    })
}

#[test]
fn histograms_and_matrices_are_thinned_evenly_and_keep_first_and_last() {
    let mut store = store();
    for step in 0..1000 {
        store.apply(&with_records(
            0,
            vec![histogram("fc2", step), histogram("fc1", step), confusion("val", step)],
        ));
    }
    let run = store.run(&RunId::from(RUN)).unwrap();
    let order: Vec<&str> = run.layers().rows().map(|r| r.layer.as_str()).collect();
    assert_eq!(order, ["fc2", "fc1"], "in order of first appearance");
    let track = run.layers().rows().next().unwrap().track(LayerKind::Weights).unwrap();
    assert_eq!((track.count(), track.histogram_count()), (1000, 1000));
    let steps: Vec<Step> = track.histograms().iter().map(|h| h.step).collect();
    assert_eq!((steps[0], steps[steps.len() - 1]), (0, 999));
    assert!(steps.len() > 60 && steps.len() <= 128, "{}", steps.len());
    let gaps: Vec<Step> = steps[..steps.len() - 1].windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.iter().all(|g| *g == gaps[0]), "{gaps:?}");
    let matrices = run.confusions().of("val");
    assert_eq!((matrices[0].step, matrices[matrices.len() - 1].step), (0, 999));
    assert_eq!(run.confusions().count("val"), 1000);
    assert_eq!(run.epoch(), Some(999.0));
    assert_eq!(run.class_names("").unwrap().len(), 2);
}

#[test]
fn layer_records_of_a_resumed_run_supersede_in_whatever_order_the_files_are_read() {
    let first = |s: Step| with_records(0, vec![histogram("fc", s)]);
    let second = |s: Step| with_records(1, vec![histogram("fc", s)]);
    let mut expected: Vec<Step> = (0..50).collect();
    expected.extend((50..80).step_by(2));
    for late in [false, true] {
        let mut store = store();
        let (a, b): (Vec<_>, Vec<_>) =
            ((0..100).map(first).collect(), (50..80).step_by(2).map(second).collect());
        let all = if late { [b, a].concat() } else { [a, b].concat() };
        for batch in all {
            store.apply(&batch);
        }
        let row = store.run(&RunId::from(RUN)).unwrap().layers().rows().next().unwrap();
        let records = row.track(LayerKind::Weights).unwrap().records();
        let steps: Vec<Step> = records.iter().map(|r| r.step).collect();
        assert_eq!(steps, expected, "later file first: {late}");
    }
}

#[test]
fn many_histograms_give_way_before_the_curves_lose_their_points() {
    let mut store = Store::new(Limits { bytes: 400_000 });
    store.apply(&with_points(0, "loss", rising(0, 5000)));
    for step in 0..2000 {
        store.apply(&with_records(0, vec![histogram("a", step), histogram("b", step)]));
        assert!(store.memory_bytes() <= 400_000);
    }
    assert_eq!(series(&store, "loss").segments()[0].buckets().count(), 5000);
}

#[test]
fn an_end_mark_is_void_once_the_run_goes_on() {
    let end = || with_records(0, vec![Record::End(EndStatus::Failed)]);
    let ended = |store: &Store| store.run(&RunId::from(RUN)).unwrap().end();
    let mut store = store();
    store.apply(&with_points(0, "loss", rising(0, 10)));
    store.apply(&end());
    assert_eq!(ended(&store), Some(EndStatus::Failed));
    store.apply(&with_points(0, "loss", rising(10, 12)));
    assert_eq!(ended(&store), None, "the same file goes on");
    store.apply(&end());
    store.apply(&with_points(1, "loss", rising(5, 20)));
    assert_eq!(ended(&store), None, "a later file goes on");
    store.apply(&with_records(1, vec![Record::End(EndStatus::Finished)]));
    assert_eq!(ended(&store), Some(EndStatus::Finished));
}

#[test]
fn a_document_about_the_run_says_how_it_ended_wherever_it_stands() {
    // MLflow: `meta.yaml` stands before `metrics/loss`, holds no points and is written anew when the run goes on.
    let mut document = with_records(0, vec![Record::End(EndStatus::Failed)]);
    document.origin.source.sharing = Sharing::First;
    let mut metric = with_points(1, "loss", rising(0, 10));
    metric.origin.source.sharing = Sharing::First;
    let mut store = store();
    let mut ended_after = |batch: &Batch| {
        store.apply(batch);
        store.run(&RunId::from(RUN)).unwrap().end()
    };
    assert_eq!(ended_after(&document), Some(EndStatus::Failed));
    assert_eq!(ended_after(&metric), Some(EndStatus::Failed));
    assert_eq!(ended_after(&Batch { reset: true, records: Vec::new(), ..document.clone() }), None);
}

#[test]
fn planned_steps_and_epochs_are_found_under_their_usual_names() {
    let facts = |records: Vec<Record>| {
        let mut store = store();
        store.apply(&with_records(0, records));
        let run = store.run(&RunId::from(RUN)).unwrap();
        (run.steps_total(), run.epochs_total())
    };
    let hyper = |name: &str, n: f64| Record::Hyperparameters(vec![(Arc::from(name), HyperValue::Number(n))]);
    assert_eq!(facts(vec![hyper("trainer.max_steps", 500.0)]), (Some(500), None));
    assert_eq!(facts(vec![hyper("max_steps", -1.0), hyper("num_train_epochs", 3.0)]), (None, Some(3.0)));
    let info = RunInfo { steps_total: Some(7), ..RunInfo::default() };
    assert_eq!(facts(vec![hyper("max_steps", 9.0), Record::Info(Box::new(info))]), (Some(7), None));
    let mut store = store();
    store.apply(&with_points(0, "total_steps", [point(3, 1200.0)]));
    store.apply(&with_points(0, "train/epoch", [point(3, 2.5)]));
    let run = store.run(&RunId::from(RUN)).unwrap();
    assert_eq!((run.steps_total(), run.epoch()), (Some(1200), Some(2.5)));
}

#[test]
fn a_curve_up_to_a_step_never_shows_the_future() {
    let mut store = Store::new(Limits { bytes: 20_000 });
    store.apply(&with_points(0, "loss", rising(0, 100_000)));
    let loss = series(&store, "loss");
    for until in [0, 1, 777, 50_000, 99_998, 99_999, 200_000] {
        let buckets = loss.buckets(Some(until));
        for b in &buckets {
            assert!(
                b.last.step <= until && b.max_step <= until && b.min_step <= until && b.max <= until as f64
            );
        }
        assert!(loss.value_at(until).unwrap().last.step <= until);
    }
    assert!(loss.buckets(Some(-1)).is_empty());
    assert_eq!(loss.value_at(-1), None);
}

#[test]
fn a_part_of_a_curve_comes_in_about_as_many_buckets_as_asked_with_its_extremes() {
    let mut store = store();
    store.apply(&with_points(0, "loss", (0..50_000).map(|s| point(s, if s == 31_000 { 9.0 } else { 0.0 }))));
    let part = series(&store, "loss").buckets_between(30_000, 39_999, 100);
    assert!((40..=110).contains(&part.len()), "{}", part.len());
    assert_eq!(part.iter().map(Bucket::count).sum::<u64>(), 10_000);
    assert_eq!(part.iter().filter(|b| b.max > 8.0).count(), 1);
    assert!(series(&store, "loss").buckets(None).len() <= 4200);
}

prop_compose! {
    fn value()(kind in 0..10, v in -100.0..100.0_f64) -> f64 {
        match kind { 0 => f64::NAN, 1 => f64::INFINITY, 2 => f64::from(v as f32), _ => v }
    }
}

prop_compose! {
    /// Points of one file: mostly rising, sometimes repeated, sometimes going back.
    fn file_points()(moves in prop::collection::vec((-3..12_i64, value()), 1..200)) -> Vec<Point> {
        let mut step = 0;
        moves.into_iter().map(|(by, value)| {
            step += if by == -3 { -40 } else { by.max(0) };
            point(step, value)
        }).collect()
    }
}

/// A store that was fed each file's points in pieces; `next` picks the file of the next piece.
fn fed(files: &[Vec<Point>], pieces: &[(usize, usize)], bytes: usize) -> Store {
    let mut store = Store::new(Limits { bytes });
    let mut rest: Vec<(u32, &[Point])> = files.iter().zip(0..).map(|(f, n)| (n, f.as_slice())).collect();
    let mut pieces = pieces.iter().cycle();
    while !rest.is_empty() {
        let (which, length) = pieces.next().copied().unwrap_or((0, 1));
        let at = which % rest.len();
        let (file, points) = rest[at];
        let (piece, after) = points.split_at(length.clamp(1, points.len()));
        store.apply(&with_points(file, "t", piece.iter().copied()));
        if after.is_empty() {
            rest.remove(at);
        } else {
            rest[at].1 = after;
        }
    }
    store
}

/// NaN equals NaN here.
fn text(thing: &impl std::fmt::Debug) -> String {
    format!("{thing:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_pieces_of_several_files_gives_the_same_curve(
        files in prop::collection::vec(file_points(), 1..4),
        pieces in prop::collection::vec((0..4_usize, 1..60_usize), 1..20),
    ) {
        let whole = fed(&files, &[(0, usize::MAX)], usize::MAX);
        let cut = fed(&files, &pieces, usize::MAX);
        let (a, b) = (series(&whole, "t"), series(&cut, "t"));
        prop_assert_eq!(text(&a.summary()), text(&b.summary()));
        prop_assert_eq!(text(&a.buckets(None)), text(&b.buckets(None)));
        prop_assert_eq!(text(&a.superseded_buckets(None)), text(&b.superseded_buckets(None)));
        let run = |s: &Store| text(&s.run(&RunId::from(RUN)).map(|r| (r.last_step(), r.first_wall(), r.last_wall())));
        prop_assert_eq!(run(&whole), run(&cut));
    }

    #[test]
    fn thinning_loses_no_count_and_no_extreme(
        points in file_points(),
        pieces in prop::collection::vec((0..1_usize, 1..60_usize), 1..20),
        bytes in 500..4000_usize,
    ) {
        let store = fed(std::slice::from_ref(&points), &pieces, bytes);
        let t = series(&store, "t");
        prop_assert_eq!(t.summary().points, points.len() as u64);
        prop_assert_eq!(count(t), points.len() as u64);
        let finite = || points.iter().map(|p| p.value).filter(|v| v.is_finite());
        prop_assert_eq!(t.summary().min.map(|p| p.value), finite().reduce(f64::min));
        prop_assert_eq!(t.summary().max.map(|p| p.value), finite().reduce(f64::max));
        prop_assert_eq!(t.summary().non_finite, points.iter().filter(|p| !p.value.is_finite()).count() as u64);
        prop_assert_eq!(text(&t.summary().first), text(&points.first()));
        prop_assert_eq!(text(&t.summary().last), text(&points.last()));
        for segment in t.segments() {
            let kept: Vec<Bucket> = segment.buckets().collect();
            let max = kept.iter().map(|b| b.max).fold(f64::NAN, f64::max);
            let min = kept.iter().map(|b| b.min).fold(f64::NAN, f64::min);
            if segment.repeated() == 0 {
                prop_assert_eq!(text(&max), text(&segment.summary().max.map_or(f64::NAN, |p| p.value)));
                prop_assert_eq!(text(&min), text(&segment.summary().min.map_or(f64::NAN, |p| p.value)));
            }
            prop_assert!(kept.windows(2).all(|w| w[0].last.step < w[1].first.step));
        }
    }

    #[test]
    fn a_spike_at_any_place_survives_any_budget(at in 0..3000_i64, bytes in 500..50_000_usize, chunk in 1..700_usize) {
        let mut store = Store::new(Limits { bytes });
        let points: Vec<Point> = (0..3000).map(|s| point(s, if s == at { 7.0 } else { 1.0 })).collect();
        for part in points.chunks(chunk) {
            store.apply(&with_points(0, "t", part.iter().copied()));
        }
        let spikes: Vec<Step> = series(&store, "t").buckets(None).iter().filter(|b| b.max > 6.0).map(|b| b.max_step).collect();
        prop_assert_eq!(spikes, vec![at]);
    }

    #[test]
    fn the_live_branch_is_what_the_later_of_two_writers_left(files in prop::collection::vec(file_points(), 1..4)) {
        // As TensorBoard's data server: a step deletes all kept records at and after it.
        let mut kept: Vec<Point> = Vec::new();
        for p in files.iter().flatten() {
            kept.retain(|k| k.step < p.step);
            kept.push(*p);
        }
        let store = fed(&files, &[(0, usize::MAX)], usize::MAX);
        let live: Vec<(Step, u64)> = series(&store, "t").buckets(None).iter().map(|b| (b.last.step, b.last.value.to_bits())).collect();
        let expected: Vec<(Step, u64)> = kept.iter().map(|p| (p.step, p.value.to_bits())).collect();
        prop_assert_eq!(live, expected);
    }
}

/// What is seen in training and what a probe shows are two records of one step.
#[test]
fn records_of_one_layer_and_step_complete_each_other() {
    let record = |stats| {
        Record::Layer(LayerRecord {
            layer: LayerName::from("relu1"),
            kind: LayerKind::Activations,
            step: 400,
            wall: WallTime::UNKNOWN,
            split: Arc::from("train"),
            stats,
        })
    };
    let mut store = Store::new(Limits::default());
    let mut batch = Batch::new(RunId::from("a"), Origin::new(FileId(1), "a"));
    batch.records.push(record(LayerStats { nan: Some(12.0), mean: Some(1.0), ..LayerStats::default() }));
    batch.records.push(record(LayerStats { gdv: Some(-0.2), mean: Some(2.0), ..LayerStats::default() }));
    store.apply(&batch);
    let row = store.run(&batch.run).unwrap().layers().rows().next().unwrap();
    let points = row.track(LayerKind::Activations).unwrap().records();
    assert_eq!(points.len(), 1);
    let stats = points[0].stats;
    assert_eq!((stats.nan, stats.gdv, stats.mean), (Some(12.0), Some(-0.2), Some(2.0)));
}
