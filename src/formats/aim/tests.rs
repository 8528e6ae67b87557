//! States of a run as its writer leaves them, and what is told of them.

use std::path::Path;

use super::*;
use crate::{
    formats::wire::rocksdb::{
        Change,
        tests::{log, table},
    },
    model::HyperValue,
};

const RUN: &str = "bfe91a3aab084c9ca8e9b67a";

/// A part of a path.
#[derive(Clone, Copy)]
enum Key<'a> {
    N(&'a str),
    I(i64),
}
use Key::{I, N};

fn path(keys: &[Key<'_>]) -> Vec<u8> {
    let mut path = Vec::new();
    for key in keys {
        match key {
            N(name) => path.extend(name.as_bytes()),
            I(number) => {
                path.push(0xfe);
                path.extend(number.to_be_bytes());
            }
        }
        path.push(0xfe);
    }
    path
}

fn int(value: i64) -> Vec<u8> {
    [&[2][..], &value.to_le_bytes()].concat()
}

fn float(value: f64) -> Vec<u8> {
    [&[3][..], &value.to_le_bytes()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&[4], value.as_bytes()].concat()
}

type Puts = Vec<(Vec<u8>, Vec<u8>)>;

fn tracked(context: i64, name: &str, step: i64, value: f64, wall: f64) -> Puts {
    let column = |column, value| {
        let hash = step.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
        let keys = [N("seqs"), N("v2"), N("chunks"), N(RUN), I(context), N(name), N(column), I(hash)];
        (path(&keys), value)
    };
    vec![
        column("val", float(value)),
        column("epoch", vec![0]),
        column("time", float(wall)),
        column("step", int(step)),
    ]
}

fn fact(keys: &[Key<'_>], value: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    (path(&[&[N("meta"), N("chunks"), N(RUN)], keys].concat()), value)
}

fn as_log(first: u64, puts: &Puts) -> Vec<u8> {
    let changes: Vec<_> = puts.iter().map(|(k, v)| (&k[..], Change::Put(v))).collect();
    log(first, &changes.chunks(1).collect::<Vec<_>>())
}

fn as_table(first: u64, puts: &Puts) -> Vec<u8> {
    let changes: Vec<_> = puts.iter().map(|(k, v)| (&k[..], Change::Put(v))).collect();
    table(first, &changes, true)
}

struct Read {
    series: Vec<(String, Vec<(i64, f64)>)>,
    records: Vec<Record>,
    skips: usize,
}

fn read(files: &[(&'static str, &[u8])]) -> Read {
    let at = format!(".aim/seqs/chunks/{RUN}/CURRENT");
    let mut decoder = Aim.decoder(&Opening::at(Path::new(&at)));
    for (companion, content) in files {
        decoder.beside(companion, content);
    }
    let mut out = Decoded::new();
    assert_eq!(decoder.decode(b"MANIFEST-000004\n", &mut out).unwrap().bytes, 16);
    let taken = out.take();
    let part = taken.parts.into_iter().next().unwrap();
    let points = |c: &crate::model::Column| c.points.iter().map(|p| (p.step, p.value)).collect();
    let series = part.columns.iter().map(|c| (c.key.label(), points(c))).collect();
    Read { series, records: part.records, skips: taken.skips.len() }
}

fn settings(read: &Read) -> Vec<(String, HyperValue)> {
    let all = read.records.iter().filter_map(|r| match r {
        Record::Hyperparameters(all) => Some(all),
        _ => None,
    });
    all.flatten().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

#[test]
fn points_are_neither_doubled_nor_lost_while_they_move_from_logs_into_tables() {
    let steps = |steps: std::ops::Range<i64>| -> Puts {
        steps.flat_map(|s| tracked(5, "loss", s, 1.0 / (s + 1) as f64, s as f64)).collect()
    };
    let (first, second, third) = (steps(0..20), steps(20..40), steps(40..50));
    let context = as_log(1, &vec![fact(&[N("contexts"), I(5), N("subset")], text("train"))]);
    let expect: Vec<(i64, f64)> = (0..50).map(|s| (s, 1.0 / (s + 1) as f64)).collect();
    let (log1, log2, log3) = (as_log(1, &first), as_log(81, &second), as_log(161, &third));
    let (table1, table2) = (as_table(1, &first), as_table(81, &second));
    let both = as_table(0, &[first, second].concat());
    let states: [&[(&'static str, &[u8])]; 5] = [
        &[(LOGS, &log1), (LOGS, &log2), (LOGS, &log3)],
        &[(TABLES, &table1), (LOGS, &log2), (LOGS, &log3)],
        &[(TABLES, &table1), (TABLES, &table2), (LOGS, &log2), (LOGS, &log3)],
        &[(TABLES, &table1), (TABLES, &both), (TABLES, &table2), (LOGS, &log3)],
        &[(TABLES, &both), (TABLES, b""), (LOGS, &log3)],
    ];
    for (number, state) in states.iter().enumerate() {
        let read = read(&[state, &[(META_LOGS, &context[..])][..]].concat());
        assert_eq!(read.series, [("train/loss".to_owned(), expect.clone())], "state {number}");
        assert_eq!(read.skips, 0, "state {number}");
    }
}

#[test]
fn a_step_that_is_tracked_again_has_its_last_value_and_one_that_is_not_whole_waits() {
    let mut old = tracked(1, "acc", 3, 0.25, 1.0);
    old.extend(tracked(1, "acc", 2, 0.125, 0.5));
    let new = tracked(1, "acc", 3, 0.5, 2.0);
    let torn = tracked(1, "acc", 4, 9.0, 3.0)[..3].to_vec();
    for files in [
        [(LOGS, as_log(50, &new)), (TABLES, as_table(1, &old)), (LOGS, as_log(90, &torn))],
        [(TABLES, as_table(1, &old)), (LOGS, as_log(90, &torn)), (LOGS, as_log(50, &new))],
    ] {
        let files: Vec<_> = files.iter().map(|(of, bytes)| (*of, &bytes[..])).collect();
        let name = "context=0000000000000001/acc".to_owned();
        assert_eq!(read(&files).series, [(name, vec![(2, 0.125), (3, 0.5)])]);
    }
}

#[test]
fn settings_that_were_replaced_are_gone_and_secrets_are_not_read() {
    let (mut from, lr) = fact(&[N("attrs"), N("hparams"), N("lr")], float(0.1));
    let (_, opt) = fact(&[N("attrs"), N("hparams"), N("opt")], text("sgd"));
    let opt_key = fact(&[N("attrs"), N("hparams"), N("opt")], vec![]).0;
    let secret = fact(&[N("attrs"), N("__system_params"), N("env_variables"), N("TOKEN")], text("x"));
    let listed = fact(&[N("attrs"), N("hparams"), N("layers"), I(1)], int(7));
    let all = path(&[N("meta"), N("chunks"), N(RUN), N("attrs"), N("hparams")]);
    let end = [&all[..], b"\xff"].concat();
    let earlier = log(1, &[&[(&from[..], Change::Put(&lr)), (&opt_key, Change::Put(&opt))]]);
    let later = log(
        10,
        &[
            &[
                (&all, Change::DeleteTo(&end)),
                (&opt_key, Change::Put(&opt)),
                (&listed.0, Change::Put(&listed.1)),
            ],
            &[(&secret.0, Change::Put(&secret.1))],
        ],
    );
    let expect = [
        ("hparams.layers.1".to_owned(), HyperValue::Number(7.0)),
        ("hparams.opt".to_owned(), HyperValue::Text("sgd".into())),
    ];
    for files in
        [[(META_LOGS, &earlier[..]), (META_LOGS, &later)], [(META_LOGS, &later[..]), (META_LOGS, &earlier)]]
    {
        assert_eq!(settings(&read(&files)), expect);
    }
    from.truncate(3);
    assert_eq!(read(&[(META_LOGS, &log(1, &[&[(&from, Change::Put(&lr))]]))]).records.len(), 1);
}

#[test]
fn contexts_have_names_and_readings_of_the_machine_the_step_that_was_reached() {
    let facts = vec![
        fact(&[N("contexts"), I(-2), N("subset")], text("val")),
        fact(&[N("contexts"), I(-2), N("fold")], int(1)),
        fact(&[N("contexts"), I(-7)], vec![7]),
        fact(&[N("end_time")], float(100.0)),
    ];
    let mut values = tracked(-7, "__system__cpu", 0, 50.0, 0.5);
    values.extend(tracked(-7, "__system__cpu", 1, 60.0, 25.0));
    values.extend((0..30).flat_map(|s| tracked(-2, "acc", s * 10, s as f64, s as f64)));
    let read = read(&[(TABLES, &as_table(1, &values)), (META_TABLES, &as_table(1, &facts))]);
    assert_eq!(read.series[0], ("system/cpu".to_owned(), vec![(0, 50.0), (250, 60.0)]));
    assert_eq!((read.series[1].0.as_str(), read.series[1].1.len()), ("val,fold=1/acc", 30));
    assert!(matches!(read.records.last(), Some(Record::End(EndStatus::Finished))));
}

#[test]
fn a_run_whose_end_time_is_none_is_not_over() {
    let facts = vec![fact(&[N("end_time")], vec![0])];
    assert_eq!(read(&[(META_LOGS, &as_log(1, &facts))]).records.len(), 1);
}

#[test]
fn objects_are_told_of_but_not_read() {
    let at = |column, rest: &[Key<'_>]| {
        path(&[&[N("seqs"), N("chunks"), N(RUN), I(1), N("picture"), N(column), I(4)], rest].concat())
    };
    let image = [&[15], &b"aim.image"[..]].concat();
    let puts = vec![
        (at("val", &[]), vec![6]),
        (at("val", &[I(0)]), image.clone()),
        (at("val", &[I(1)]), image),
        (at("time", &[]), float(2.0)),
    ];
    let read = read(&[(LOGS, &as_log(1, &puts))]);
    let [Record::Info(_), Record::Artefact(artefact)] = &read.records[..] else {
        panic!("{:?}", read.records)
    };
    assert_eq!((artefact.step, artefact.wall.0), (Some(4), 2.0));
    assert!(read.series.is_empty());
}

#[test]
fn damage_beside_it_is_counted_and_all_else_is_read() {
    let values: Puts = (0..100).flat_map(|s| tracked(1, "loss", s, s as f64, s as f64)).collect();
    for (of, bytes) in [(TABLES, as_table(1, &values)), (LOGS, as_log(1, &values))] {
        for at in (0..bytes.len()).step_by(7) {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let read = read(&[(of, &damaged)]);
                assert!(read.series.iter().all(|(_, points)| points.len() <= 100) && read.skips <= 1);
            }
            read(&[(of, &bytes[..at])]);
        }
    }
}

#[test]
fn only_the_values_of_a_run_are_claimed() {
    let claim = |path: &str, head: &[u8]| {
        let path = Path::new(path);
        let name = path.file_name().unwrap().to_str().unwrap();
        Aim.recognises(&Candidate { path, name, head, whole: true })
    };
    assert_eq!(claim(".aim/seqs/chunks/a/CURRENT", b"MANIFEST-000004\n"), Claim::Yes);
    assert_eq!(claim(".aim/seqs/chunks/a/CURRENT", b""), Claim::NotYet);
    assert!(matches!(claim(".aim/seqs/chunks/a/CURRENT", b"x"), Claim::No(why) if !why.is_empty()));
    assert!(
        matches!(claim(".aim/meta/chunks/a/CURRENT", b"MANIFEST-000004\n"), Claim::No(why) if !why.is_empty())
    );
    assert_eq!(claim(".aim/meta/index/CURRENT", b"MANIFEST-000004\n"), Claim::No(""));
    assert_eq!(claim("db/CURRENT", b"MANIFEST-000004\n"), Claim::No(""));
}
