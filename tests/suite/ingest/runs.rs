//! What a run is: one test for each rule of the table in `ingest::group`, whatever is found first.

use super::{
    picture::{Watch, Written, check, file, says},
    tails::event,
};
use epochscope::{engine::Session, model::FileHealth};
use std::{fs, path::Path};
use tempfile::tempdir;

/// An event file with points of one tag.
fn events(path: &'static str, tag: &str, points: &[(u8, f32)]) -> Written {
    file(path, points.iter().flat_map(|(step, value)| event(*step, tag, *value)).collect::<Vec<u8>>())
}

#[test]
fn folders_named_after_splits_are_splits_of_the_folder_above() {
    check(
        &[
            events("fit/train/events.out.tfevents.1.h.1.0.v2", "epoch_loss", &[(0, 4.0), (1, 2.0)]),
            events("fit/validation/events.out.tfevents.1.h.1.1.v2", "epoch_loss", &[(0, 5.0)]),
        ],
        &says(&[(
            "fit",
            "fit",
            &[("train/epoch_loss", &[(0, 4.0), (1, 2.0)]), ("validation/epoch_loss", &[(0, 5.0)])],
        )]),
    );
}

#[test]
fn an_estimator_s_eval_folder_belongs_to_its_model_s_folder() {
    check(
        &[
            events("model/events.out.tfevents.1.h", "loss", &[(0, 4.0)]),
            events("model/eval/events.out.tfevents.2.h", "loss", &[(0, 5.0)]),
        ],
        &says(&[("model", "model", &[("loss", &[(0, 4.0)]), ("eval/loss", &[(0, 5.0)])])]),
    );
}

#[test]
fn a_folder_called_train_that_holds_more_than_a_split_is_a_run() {
    let results = "epoch,train/box_loss,metrics/mAP50(B)\n1,2,0.5\n";
    check(
        &[
            events("detect/train/events.out.tfevents.1.h.1.0", "lr/pg0", &[(0, 0.5)]),
            file("detect/train/results.csv", results),
            file("detect/train2/results.csv", results),
        ],
        &says(&[
            (
                "detect/train",
                "detect/train",
                &[
                    ("lr/pg0", &[(0, 0.5)]),
                    ("metrics/mAP50(B)", &[(1, 0.5)]),
                    ("train/box_loss", &[(1, 2.0)]),
                ],
            ),
            (
                "detect/train2",
                "detect/train2",
                &[("metrics/mAP50(B)", &[(1, 0.5)]), ("train/box_loss", &[(1, 2.0)])],
            ),
        ]),
    );
}

#[test]
fn a_folder_called_train_that_holds_runs_is_a_tree_of_runs() {
    check(
        &[
            events("train/one/events.out.tfevents.1.h.1.0", "loss", &[(0, 1.0)]),
            events("train/two/events.out.tfevents.1.h.2.0", "loss", &[(0, 2.0)]),
        ],
        &says(&[
            ("train/one", "train/one", &[("loss", &[(0, 1.0)])]),
            ("train/two", "train/two", &[("loss", &[(0, 2.0)])]),
        ]),
    );
}

#[test]
fn files_named_after_splits_are_splits_of_one_run() {
    check(
        &[file("a/train.csv", "step,loss\n0,4\n"), file("a/val.csv", "step,loss\n0,5\n")],
        &says(&[("a", "a", &[("train/loss", &[(0, 4.0)]), ("val/loss", &[(0, 5.0)])])]),
    );
}

#[test]
fn two_loggers_side_by_side_write_each_series_once() {
    // The event file is the better source, whatever comes first; what only the table has is added.
    check(
        &[
            file("v0/metrics.csv", "step,train_loss,extra\n0,9,7\n1,9,8\n"),
            events("v0/events.out.tfevents.1.h.1.0", "train/loss", &[(0, 1.0)]),
        ],
        &says(&[("v0", "v0", &[("extra", &[(0, 7.0), (1, 8.0)]), ("train/loss", &[(0, 1.0)])])]),
    );
}

#[test]
fn of_two_logs_of_one_format_the_first_is_shown() {
    let line = |loss: f64| format!("{{\"step\":5,\"loss\":{loss}}}\n");
    check(
        &[
            file("w/1/vis_data/scalars.json", line(2.0)),
            file("w/1/vis_data/20261123_181859.json", line(1.0)),
            events("w/1/vis_data/events.out.tfevents.1.h.1.0", "loss", &[]),
        ],
        &says(&[("w/1", "w/1", &[("loss", &[(5, 1.0)])])]),
    );
}

#[test]
fn resumed_writers_of_event_files_continue_each_other() {
    check(
        &[
            events("r/events.out.tfevents.1.h.1.0", "loss", &[(0, 3.0), (1, 2.0)]),
            events("r/events.out.tfevents.2.h.2.0", "loss", &[(2, 1.0)]),
        ],
        &says(&[("r", "r", &[("loss", &[(0, 3.0), (1, 2.0), (2, 1.0)])])]),
    );
}

#[test]
fn the_newest_checkpoint_speaks_for_a_trainer_and_its_event_files_belong_to_it() {
    check(
        &[
            events("out/runs/Nov23/events.out.tfevents.1.h.9.0", "train/loss", &[(1, 3.0), (2, 2.0)]),
            events("out/runs/Nov24/events.out.tfevents.2.h.10.0", "train/loss", &[(3, 1.0)]),
            file("out/checkpoint-9/trainer_state.json", "{\nloss 1 30\ngrad 1 1\n}\n"),
            file("out/checkpoint-44/trainer_state.json", "{\nloss 1 30\ngrad 1 2\ngrad 2 2\n}\n"),
        ],
        &says(&[(
            "out",
            "out",
            &[("grad", &[(1, 2.0), (2, 2.0)]), ("train/loss", &[(1, 3.0), (2, 2.0), (3, 1.0)])],
        )]),
    );
}

#[test]
fn runs_below_a_folder_called_runs_stay_runs_without_a_trainer() {
    check(
        &[
            events("runs/a/events.out.tfevents.1.h.1.0", "loss", &[(0, 1.0)]),
            events("runs/b/events.out.tfevents.1.h.2.0", "loss", &[(0, 2.0)]),
        ],
        &says(&[
            ("runs/a", "runs/a", &[("loss", &[(0, 1.0)])]),
            ("runs/b", "runs/b", &[("loss", &[(0, 2.0)])]),
        ]),
    );
}

#[test]
fn a_job_s_only_logger_folder_is_the_job() {
    check(
        &[
            events("multi/0/tb/events.out.tfevents.1.h.1.0", "loss", &[(0, 1.0)]),
            file("multi/0/.hydra/overrides.cfg", "lr=0.1"),
            file("multi/1/csv/version_0/metrics.csv", "step,loss\n0,2\n"),
            events("multi/1/tensorboard/version_0/events.out.tfevents.1.h.1.0", "acc", &[(0, 0.5)]),
            file("multi/1/.hydra/overrides.cfg", "lr=0.2"),
        ],
        &says(&[
            ("multi/0", "lr=0.1", &[("loss", &[(0, 1.0)])]),
            ("multi/1", "lr=0.2", &[("acc", &[(0, 0.5)]), ("loss", &[(0, 2.0)])]),
        ]),
    );
}

#[test]
fn a_logger_folder_with_several_runs_is_a_tree_of_runs_even_beside_a_configuration() {
    check(
        &[
            file("project/config.cfg", "a name that is nobody's"),
            file("project/lightning_logs/version_0/metrics.csv", "step,loss\n0,1\n"),
            file("project/lightning_logs/version_1/metrics.csv", "step,loss\n0,2\n"),
        ],
        &says(&[
            (
                "project/lightning_logs/version_0",
                "project/lightning_logs/version_0",
                &[("loss", &[(0, 1.0)])],
            ),
            (
                "project/lightning_logs/version_1",
                "project/lightning_logs/version_1",
                &[("loss", &[(0, 2.0)])],
            ),
        ]),
    );
}

#[test]
fn a_configuration_alone_is_no_run_and_one_beside_a_log_is_part_of_it() {
    check(&[file("a/config.cfg", "nobody")], &says(&[]));
    check(
        &[file("b/config.cfg", "quiet-sun"), file("b/metrics.csv", "step,loss\n0,1\n")],
        &says(&[("b", "quiet-sun", &[("loss", &[(0, 1.0)])])]),
    );
}

#[test]
fn several_logs_are_several_runs_and_the_configuration_beside_them_is_nobody_s() {
    check(
        &[
            file("a/one.csv", "step,loss\n0,1\n"),
            file("a/config.cfg", "nobody"),
            file("a/two.csv", "step,loss\n0,2\n"),
        ],
        &says(&[("a/one", "a/one", &[("loss", &[(0, 1.0)])]), ("a/two", "a/two", &[("loss", &[(0, 2.0)])])]),
    );
}

#[test]
fn a_log_beside_files_that_speak_for_the_folder_is_part_of_its_run() {
    check(
        &[
            file("a/mine.csv", "step,note\n0,1\n"),
            events("a/events.out.tfevents.1.h.1.0", "loss", &[(0, 1.0)]),
        ],
        &says(&[("a", "a", &[("loss", &[(0, 1.0)]), ("note", &[(0, 1.0)])])]),
    );
    check(
        &[
            file("a/0.csv", "step,r\n0,1\n"),
            file("a/1.csv", "step,r\n0,2\n"),
            file("a/progress.csv", "step,loss\n0,1\n"),
        ],
        &says(&[("a", "a", &[("0/r", &[(0, 1.0)]), ("1/r", &[(0, 2.0)]), ("loss", &[(0, 1.0)])])]),
    );
}

#[test]
fn a_file_of_several_runs_names_them() {
    check(
        &[file("p/all.multi", "one loss 0 1\ntwo loss 0 2\n")],
        &says(&[("p/one", "p/one", &[("loss", &[(0, 1.0)])]), ("p/two", "p/two", &[("loss", &[(0, 2.0)])])]),
    );
}

#[test]
fn equal_names_are_told_apart() {
    check(
        &[
            file("w/1/metrics.csv", "step,loss\n0,1\n"),
            file("w/1/name.cfg", "base"),
            file("w/2/metrics.csv", "step,loss\n0,2\n"),
            file("w/2/name.cfg", "base"),
        ],
        &says(&[
            ("w/1", "base (1)", &[("loss", &[(0, 1.0)])]),
            ("w/2", "base (2)", &[("loss", &[(0, 2.0)])]),
        ]),
    );
}

#[test]
fn many_writers_side_by_side_are_as_many_well_named_runs() {
    let table = |loss: f64| format!("step,loss\n0,{loss}\n");
    let loss = |value: f64| [(0_i64, value)];
    let files = [
        events("keras/fit/train/events.out.tfevents.1.h.1.0.v2", "epoch_loss", &[(0, 4.0)]),
        events("keras/fit/validation/events.out.tfevents.1.h.1.1.v2", "epoch_loss", &[(0, 5.0)]),
        events("hf/out/runs/s/events.out.tfevents.1.h.1.0", "train/loss", &[(0, 1.0)]),
        file("hf/out/checkpoint-4/trainer_state.json", "{\nloss 0 1\n}\n"),
        file("hf/out/trainer_state.json", "{\nloss 0 1\neval_loss 0 2\n}\n"),
        file("ray/trial_0/result.json", "{\"training_iteration\":0,\"loss\":1.5}\n"),
        file("ray/trial_0/progress.csv", "training_iteration,loss\n0,1.5\n"),
        events("ray/trial_0/events.out.tfevents.1.h", "ray/tune/loss", &[(0, 1.5)]),
        file("hydra/0/.hydra/overrides.cfg", "lr=1"),
        events("hydra/0/tb/events.out.tfevents.1.h.1.0", "loss", &[(0, 3.0)]),
        file("hydra/1/.hydra/overrides.cfg", "lr=2"),
        events("hydra/1/tb/events.out.tfevents.1.h.1.1", "loss", &[(0, 6.0)]),
        file("lightning_logs/version_0/metrics.csv", table(7.0)),
        file("lightning_logs/version_1/metrics.csv", table(8.0)),
        file("store.multi", "sweet-fox loss 0 9\n"),
        file("catboost_info/learn_error.tsv", "iter\tAccuracy\n0\t0.5\n"),
        events("catboost_info/learn/events.out.tfevents", "Accuracy", &[(0, 0.5)]),
        file("yolo/train/results.csv", "epoch,train/box_loss\n0,2\n"),
    ];
    check(
        &files,
        &says(&[
            (
                "keras/fit",
                "keras/fit",
                &[("train/epoch_loss", &loss(4.0)), ("validation/epoch_loss", &loss(5.0))],
            ),
            ("hf/out", "hf/out", &[("train/loss", &loss(1.0)), ("eval_loss", &loss(2.0))]),
            ("ray/trial_0", "ray/trial_0", &[("ray/tune/loss", &loss(1.5))]),
            ("hydra/0", "lr=1", &[("loss", &loss(3.0))]),
            ("hydra/1", "lr=2", &[("loss", &loss(6.0))]),
            ("lightning_logs/version_0", "lightning_logs/version_0", &[("loss", &loss(7.0))]),
            ("lightning_logs/version_1", "lightning_logs/version_1", &[("loss", &loss(8.0))]),
            ("sweet-fox", "sweet-fox", &[("loss", &loss(9.0))]),
            ("catboost_info", "catboost_info", &[("learn/Accuracy", &loss(0.5))]),
            ("yolo/train", "yolo/train", &[("train/box_loss", &loss(2.0))]),
        ]),
    );
}

fn health<'a>(session: &'a Session, path: &str) -> Option<&'a FileHealth> {
    session.health.files.values().find(|f| &*f.path == path)
}

fn make(root: &Path, file: &Written) {
    let path = root.join(file.path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, &file.bytes).unwrap();
}

#[test]
fn a_file_says_which_of_its_series_are_shown_from_another_one_until_that_goes() {
    let dir = tempdir().unwrap();
    let better = dir.path().join("v0/events.out.tfevents.1.h.1.0");
    make(dir.path(), &file("v0/metrics.csv", "step,loss\n0,9\n1,8\n"));
    make(dir.path(), &events("v0/events.out.tfevents.1.h.1.0", "loss", &[(0, 1.0)]));
    let mut live = Watch::of(dir.path(), true);
    let note = "series shown from v0/events.out.tfevents.1.h.1.0";
    let noted = |s: &Session| health(s, "v0/metrics.csv").is_some_and(|f| f.oddities.get(note) == Some(&1));
    assert!(live.until(noted), "{:#?}", live.session.health.files);
    // The better source is written anew without the series: the other one's points are there at once.
    fs::write(&better, event(0, "other", 1.0)).unwrap();
    let expected = says(&[("v0", "v0", &[("loss", &[(0, 9.0), (1, 8.0)]), ("other", &[(0, 1.0)])])]);
    assert!(live.until(|s| !noted(s)), "{:#?}", live.session.health.files);
    assert_eq!(live.picture(), expected);
}

#[test]
fn a_run_is_not_alive_because_its_configuration_was_touched() {
    let dir = tempdir().unwrap();
    make(dir.path(), &file("a/metrics.csv", "step,loss\n0,1\n"));
    make(dir.path(), &file("a/config.cfg", "x"));
    let mut once = Watch::of(dir.path(), false);
    once.until(|_| false);
    let sides: Vec<(&str, bool)> = once.session.health.files.values().map(|f| (&*f.path, f.side)).collect();
    assert!(
        sides.contains(&("a/config.cfg", true)) && sides.contains(&("a/metrics.csv", false)),
        "{sides:?}"
    );
}

#[test]
fn overfitting_is_found_over_folders_of_splits() {
    let curve = |bend: f32| -> Vec<(u8, f32)> {
        (0..120_u8)
            .map(|n| {
                let t = f32::from(n);
                (n, 2.0 * (-t / 20.0).exp() + 0.2 + bend * (t - 40.0).max(0.0) / 80.0)
            })
            .collect()
    };
    let dir = tempdir().unwrap();
    make(dir.path(), &events("fit/train/events.out.tfevents.1.h.1.0.v2", "epoch_loss", &curve(0.0)));
    make(dir.path(), &events("fit/validation/events.out.tfevents.1.h.1.1.v2", "epoch_loss", &curve(1.5)));
    let mut once = Watch::of(dir.path(), false);
    once.until(|_| false);
    once.finish();
    let rules: Vec<&str> = once.session.alerts.alerts().map(|a| a.rule).collect();
    assert!(rules.contains(&"overfitting"), "{rules:?}");
}
