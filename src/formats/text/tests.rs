//! Lines as people's programs print them, read from start to end.

use std::path::Path;

use super::TextLog;
use crate::{
    formats::{Decoded, Format as _, Opening},
    model::Record,
};

/// Series by label with their steps and values, and the records in readable form.
type Read = (Vec<(String, Vec<(i64, f64)>)>, Vec<String>);

fn read_as(name: &str, text: &str) -> Read {
    let mut decoder = TextLog.decoder(&Opening::at(Path::new(name)));
    let mut out = Decoded::new();
    let done = decoder.decode(text.as_bytes(), &mut out).unwrap().bytes;
    decoder.decode_rest(&text.as_bytes()[done..], &mut out);
    let mut read = Read::default();
    for part in out.take().parts {
        for column in part.columns {
            let run = if part.run.is_empty() { String::new() } else { format!("{}: ", part.run) };
            let points = column.points.iter().map(|p| (p.step, p.value)).collect();
            read.0.push((format!("{run}{}", column.key.label()), points));
        }
        read.1.extend(part.records.iter().map(|record| match record {
            Record::LoggedAlert(alert) => format!("{} {:?} {}", alert.rule, alert.step, alert.message),
            other => format!("{other:?}"),
        }));
    }
    read
}

fn series(text: &str) -> Vec<(String, Vec<(i64, f64)>)> {
    read_as("x.log", text).0
}

fn labels(text: &str) -> Vec<String> {
    series(text).into_iter().map(|(label, _)| label).collect()
}

#[track_caller]
fn expect(text: &str, wanted: &[(&str, &[(i64, f64)])]) {
    let found = series(text);
    let found: Vec<(&str, &[(i64, f64)])> = found.iter().map(|(l, p)| (l.as_str(), p.as_slice())).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_shape_is_believed_after_three_lines_and_nothing_before_is_lost() {
    assert_eq!(series("epoch 0 loss 2.5\nepoch 1 loss 2.0\n"), []);
    expect(
        "start\nepoch 0 loss 2.5 acc 0.1\nnoise\nepoch 1 loss 2.0 acc 0.2\nepoch 2 loss 1.5 acc 0.3\n",
        &[("loss", &[(0, 2.5), (1, 2.0), (2, 1.5)]), ("acc", &[(0, 0.1), (1, 0.2), (2, 0.3)])],
    );
}

#[test]
fn the_best_known_hand_made_lines_are_read() {
    // pytorch/examples mnist
    expect(
        "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.300039\n\
         Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.213470\n\
         Train Epoch: 1 [1280/60000 (2%)]\tLoss: 2.170460\n\
         \n\
         Test set: Average loss: 0.0520, Accuracy: 9830/10000 (98%)\n\
         Train Epoch: 2 [0/60000 (0%)]\tLoss: 0.100000\n\
         Test set: Average loss: 0.0420, Accuracy: 9850/10000 (99%)\n\
         Train Epoch: 3 [0/60000 (0%)]\tLoss: 0.050000\n\
         Test set: Average loss: 0.0320, Accuracy: 9860/10000 (99%)\n",
        &[
            (
                "train/Loss",
                &[(0, 2.300_039), (640, 2.213_47), (1280, 2.170_46), (60000, 0.1), (120_000, 0.05)],
            ),
            ("test/Average loss", &[(1280, 0.052), (60000, 0.042), (120_000, 0.032)]),
            ("test/Accuracy", &[(1280, 98.0), (60000, 99.0), (120_000, 99.0)]),
        ],
    );
    // pytorch/examples imagenet
    expect(
        "Epoch: [0][   1/5005]\tTime  3.2 ( 3.2)\tLoss 6.9 (6.9)\tAcc@1   0.00 (  0.00)\n\
         Epoch: [0][  11/5005]\tTime  0.5 ( 0.8)\tLoss 6.8 (6.9)\tAcc@1   0.39 (  0.20)\n\
         Epoch: [0][  21/5005]\tTime  0.5 ( 0.7)\tLoss 6.7 (6.8)\tAcc@1   0.78 (  0.30)\n",
        &[
            ("Time", &[(1, 3.2), (11, 0.5), (21, 0.5)]),
            ("Loss", &[(1, 6.9), (11, 6.8), (21, 6.7)]),
            ("Acc@1", &[(1, 0.0), (11, 0.39), (21, 0.78)]),
        ],
    );
    // yunjey/pytorch-tutorial: the step begins anew in every epoch
    expect(
        "Epoch [1/5], Step [100/600], Loss: 0.2948\n\
         Epoch [1/5], Step [200/600], Loss: 0.2838\n\
         Epoch [1/5], Step [300/600], Loss: 0.1234\n\
         Epoch [2/5], Step [100/600], Loss: 0.0500\n",
        &[("Loss", &[(100, 0.2948), (200, 0.2838), (300, 0.1234), (700, 0.05)])],
    );
}

#[test]
fn names_of_two_words_and_splits_are_told_apart() {
    let text = "Epoch 1 | Train Loss: 0.9 | Val Loss: 1.1 | learning rate: 1e-3\n\
                Epoch 2 | Train Loss: 0.8 | Val Loss: 1.0 | learning rate: 1e-3\n\
                Epoch 3 | Train Loss: 0.7 | Val Loss: 0.9 | learning rate: 1e-4\n";
    assert_eq!(labels(text), ["Train Loss", "Val Loss", "learning rate"]);
    let text = "epoch 1 train: loss=0.9 acc=0.1 val: loss=1.1 acc=0.2\n\
                epoch 2 train: loss=0.8 acc=0.2 val: loss=1.0 acc=0.2\n\
                epoch 3 train: loss=0.7 acc=0.3 val: loss=0.9 acc=0.2\n";
    assert_eq!(labels(text), ["train/loss", "train/acc", "val/loss", "val/acc"]);
    let text = "iter 0: train loss 4.2, val loss 4.3\niter 1: train loss 4.1, val loss 4.2\niter 2: train loss 4, val loss 4\n";
    assert_eq!(labels(text), ["train loss", "val loss"]);
}

#[test]
fn dicts_without_a_step_are_counted() {
    expect(
        "{'loss': '2.604', 'epoch': '0.25'}\n{'loss': '2.4', 'epoch': '0.5'}\n{'loss': '2.3', 'epoch': '0.75'}\n",
        &[("loss", &[(0, 2.604), (1, 2.4), (2, 2.3)]), ("epoch", &[(0, 0.25), (1, 0.5), (2, 0.75)])],
    );
}

#[test]
fn a_progress_frame_is_read_once_it_is_not_drawn_over_any_more() {
    let mut text = String::new();
    for epoch in 0..3 {
        for n in 0..5 {
            text.push_str(&format!(
                "\rEpoch {epoch}: {n}0%|██  | {n}/4 [00:01<00:01, 8.9it/s, v_num=0, loss={epoch}.{n}]"
            ));
        }
    }
    expect(&text, &[("loss", &[(4, 0.4), (8, 1.4), (12, 2.4)])]);
}

#[test]
fn prose_code_settings_and_tables_are_not_drawn() {
    for text in [
        "def train(step=1):\n    lr = 0.1\n    for epoch in range(10):\n        loss = 0.5 * step\n    loss = 0.25\n    loss = 0.1\n",
        "lr: 0.1\nbatch: 32\nepochs: 10\nseed: 1\nlr: 0.1\nlr: 0.1\nlr: 0.1\n",
        "Collecting torch==2.0.1\nCollecting numpy==1.26.0\nDownloading a-1.0-py3-none-any.whl (3.0 MB)\n",
        "In step 1 we saw a loss of 3 and then went on to other things that matter much more than it.\n\
         In step 2 we saw a loss of 3 and then went on to other things that matter much more than it.\n\
         In step 3 we saw a loss of 3 and then went on to other things that matter much more than it.\n",
        "|   0  NVIDIA H100 80GB HBM3          On  | 00000000:61:00.0 Off |                    0 |\n\
         | N/A   35C    P0             123W / 700W |    7084MiB / 81559MiB |      0%      Default |\n",
        "  adam_beta1 ...................... 0.9\n  adam_beta2 ...................... 0.999\n",
        "INFO 10 epochs, 3 workers\nversion 1.2.3\nsee http://x.y:8080/ and [1/3] [2/3] [3/3]\n",
    ] {
        assert_eq!(series(text), [], "{text}");
    }
}

#[test]
fn a_line_that_every_process_prints_counts_once() {
    let text: String = (0..3)
        .flat_map(|step| (0..4).map(move |rank| format!("[rank{rank}]: step {step} loss {}.5\n", 3 - step)))
        .collect();
    expect(&text, &[("loss", &[(0, 3.5), (1, 2.5), (2, 1.5)])]);
}

#[test]
fn a_bare_number_before_a_colon_is_a_step_where_it_grows() {
    expect(
        "1: loss 5.5\n2: loss 4.5\n3: loss 3.5\n4: loss 2.5\n5: loss 1.5\n",
        &[("loss", &[(1, 5.5), (2, 4.5), (3, 3.5), (4, 2.5), (5, 1.5)])],
    );
}

#[test]
fn jobs_of_one_launcher_are_runs_of_their_own() {
    let mut text = String::new();
    for job in 0..2 {
        text.push_str(&format!("[2026-11-23 18:30:12,211][HYDRA] \t#{job} : lr=0.{job} seed=1\n"));
        for epoch in 0..3 {
            text.push_str(&format!(
                "[2026-11-23 18:30:12,211][__main__][INFO] - epoch {epoch} loss {job}.{epoch}\n"
            ));
        }
    }
    let found = labels(&format!("[2026-11-23 18:30:12,211][HYDRA] Launching 2 jobs locally\n{text}"));
    assert_eq!(found, ["lr=0.0 seed=1: loss", "lr=0.1 seed=1: loss"]);
}

#[test]
fn a_traceback_ends_the_run_and_lines_after_it_take_that_back() {
    let steps = "step 1 loss 3.0\nstep 2 loss 2.0\nstep 3 loss 1.0\n";
    let failure = "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    f()\nRuntimeError: boom\n";
    let (_, records) = read_as("x.log", &format!("{steps}{failure}"));
    assert_eq!(records, ["traceback Some(3) RuntimeError: boom", "End(Failed)"]);
    let (_, records) = read_as("x.log", &format!("{steps}{failure}step 4 loss 0.5\n"));
    assert!(records.len() == 3 && records[2].contains("resumed"), "{records:?}");
    assert_eq!(read_as("x.log", failure).1.len(), 0, "a quiet log makes no run");
    assert_eq!(read_as("slurm-12.out", failure).1.len(), 2, "a job that failed before its first step does");
}

#[test]
fn what_the_batch_system_says_is_an_alert() {
    let text = "step 1 loss 3.0\nstep 2 loss 2.0\nstep 3 loss 1.0\n\
                slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***\n\
                [rank1]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n\
                node1:1:2 [0] NCCL INFO Channel 00\n";
    let (_, records) = read_as("x.log", text);
    assert!(records[0].starts_with("slurm-time-limit Some(3)"), "{records:?}");
    assert_eq!(records[1], "End(Failed)");
    assert!(records[2].starts_with("out-of-memory"), "{records:?}");
    assert_eq!(records.len(), 3, "chatter of NCCL is none: {records:?}");
}
