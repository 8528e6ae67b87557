//! Groups of files: sub-folders that a writer makes, order within a run, load of many runs.

use std::{fs, path::Path};

use super::{TEST_FORMATS, follow_options, lines, once, write};
use epochscope::{
    formats::FORMATS,
    ingest::{Machinery, Options},
};
use tempfile::tempdir;

/// A TFRecord of an event with one scalar.
pub fn event(step: u8, tag: &str, value: f32) -> Vec<u8> {
    let value_field = |tag: &str| {
        let mut v = vec![0x0a, u8::try_from(tag.len()).unwrap()];
        v.extend_from_slice(tag.as_bytes());
        v.push(0x15);
        v.extend_from_slice(&value.to_le_bytes());
        v
    };
    let value = value_field(tag);
    let mut summary = vec![0x0a, u8::try_from(value.len()).unwrap()];
    summary.extend(value);
    let mut payload = vec![0x09];
    payload.extend_from_slice(&1e9_f64.to_le_bytes());
    payload.extend_from_slice(&[0x10, step, 0x2a, u8::try_from(summary.len()).unwrap()]);
    payload.extend(summary);
    frame(&payload)
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let masked =
        |bytes: &[u8]| crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), payload, &masked(payload)].concat()
}

fn events(path: &Path, records: &[Vec<u8>]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, records.concat()).unwrap();
}

fn read(root: &Path) -> super::bench::Heard {
    once(follow_options(root), Machinery { formats: FORMATS, ..Machinery::default() })
}

#[test]
fn sub_folders_of_add_scalars_belong_to_the_run_above() {
    let dir = tempdir().unwrap();
    let run = dir.path().join("exp");
    let many: Vec<_> = (0..5).map(|s| event(s, "lr", 0.1)).collect();
    events(&run.join("events.out.tfevents.1700000000.host.77.0"), &many);
    for (n, k) in ["train", "val"].into_iter().enumerate() {
        let path = run.join(format!("loss_both_{k}/events.out.tfevents.1700000001.host.77.{}", n + 1));
        events(&path, &[event(0, "loss/both", 1.0), event(1, "loss/both", 0.5)]);
    }
    // The same shape by another process is a run of its own.
    events(
        &run.join("loss_both_late/events.out.tfevents.1700000002.host.99.0"),
        &[event(0, "loss/both", 1.0)],
    );
    let heard = read(dir.path());
    assert_eq!(heard.runs(), ["exp", "exp/loss_both_late"]);
    assert_eq!(heard.steps("exp", "train/loss/both"), [0, 1]);
    assert_eq!(heard.steps("exp", "val/loss/both"), [0, 1]);
    assert_eq!(heard.steps("exp", "lr"), [0, 1, 2, 3, 4]);
}

#[test]
fn a_tree_of_runs_by_one_process_stays_a_tree() {
    let dir = tempdir().unwrap();
    events(&dir.path().join("events.out.tfevents.1700000000.host.77.0"), &[event(0, "x", 1.0)]);
    for n in 1..4 {
        let path = dir.path().join(format!("trial_{n}/events.out.tfevents.1700000001.host.77.{n}"));
        events(&path, &[event(0, "loss", 1.0), event(0, "acc", 1.0)]);
    }
    assert_eq!(read(dir.path()).runs(), [".", "trial_1", "trial_2", "trial_3"]);
}

#[test]
fn tables_beside_event_files_are_of_the_same_run() {
    let dir = tempdir().unwrap();
    events(&dir.path().join("v0/events.out.tfevents.1700000000.host.77.0"), &[event(0, "loss", 1.0)]);
    write(&dir.path().join("v0/progress.csv"), "step,loss\n0,1\n1,2\n");
    let heard = read(dir.path());
    assert_eq!(heard.runs(), ["v0"]);
    // Both speak of the same series; which of them is shown is settled behind the readers.
    assert_eq!(heard.steps("v0", "loss"), [0, 0, 1]);
}

#[test]
fn files_of_a_run_are_read_one_after_another_in_their_order() {
    let dir = tempdir().unwrap();
    for file in 0..8 {
        let records: Vec<_> = (0..100).map(|s| event(s, "loss", 1.0)).collect();
        events(&dir.path().join(format!("run/events.out.tfevents.170000000{file}.host.1.0")), &records);
    }
    let options = Options { workers: 4, ..follow_options(dir.path()) };
    let heard = once(options, Machinery { formats: FORMATS, ..Machinery::default() });
    let orders: Vec<&str> = heard.batches.iter().map(|b| &*b.origin.order).collect();
    assert_eq!(orders.len(), 8);
    assert!(orders.is_sorted(), "{orders:?}");
}

#[test]
fn many_runs_bring_little_more_than_their_points() {
    let dir = tempdir().unwrap();
    for n in 0..500 {
        write(&dir.path().join(format!("r{n}/x.tl")), &lines(0..3));
    }
    let heard = once(follow_options(dir.path()), Machinery { formats: TEST_FORMATS, ..Machinery::default() });
    assert_eq!(heard.runs().len(), 500);
    assert_eq!(heard.batches.len(), 500);
    assert!(heard.file_news <= 1000, "found and read: {}", heard.file_news);
}

#[test]
fn a_sub_folder_is_assigned_when_its_first_record_says_what_it_is() {
    let dir = tempdir().unwrap();
    let header = || {
        let mut payload = vec![0x09];
        payload.extend_from_slice(&1e9_f64.to_le_bytes());
        payload.extend_from_slice(b"\x1a\x0dbrain.Event:2");
        frame(&payload)
    };
    let many: Vec<_> = (0..5).map(|s| event(s, "lr", 0.1)).collect();
    events(&dir.path().join("exp/events.out.tfevents.1700000000.host.77.0"), &many);
    let child = dir.path().join("exp/loss_val/events.out.tfevents.1700000001.host.77.1");
    events(&child, &[header()]);
    let machinery = Machinery { formats: FORMATS, ..Machinery::default() };
    let mut follower = super::Follower::with(follow_options(dir.path()), machinery);
    follower.until_caught_up();
    assert_eq!(follower.heard.runs(), ["exp"]);
    events(&child, &[header(), event(0, "loss", 1.0)]);
    follower.until_steps("exp", "val/loss", &[0]);
    assert_eq!(follower.heard.runs(), ["exp"]);
}
