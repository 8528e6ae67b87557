//! Histograms and archives of Comet.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{formats::Taken, model::Record};

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn decode(bytes: &[u8]) -> (usize, Taken) {
    let mut out = Decoded::new();
    let taken = Comet.decoder(&Opening::at(Path::new("a/0123.zip"))).decode(bytes, &mut out).unwrap();
    (taken.bytes, out.take())
}

#[test]
fn a_metric_without_step_follows_the_one_before() {
    let message = |step: &str, value: &str| {
        format!(
            r#"{{"payload": {{"local_timestamp": 1500, "metric": {{"metricName": "loss", "metricValue": {value}, "step": {step}}}}}, "type": "metric_msg"}}"#
        )
    };
    let text = [message("7", "0.5"), message("null", "NaN"), "broken".to_owned()].join("\n");
    let bytes = archive(&[("messages.json", &text), ("experiment.json", r#"{"start_time": 2000}"#)]);
    let (used, taken) = decode(&bytes);
    assert_eq!(used, bytes.len());
    let part = &taken.parts[0];
    assert_eq!(&*part.run, "0123");
    let points = &part.columns[0].points;
    assert_eq!(points.iter().map(|p| (p.step, p.wall)).collect::<Vec<_>>(), [(7, 1.5), (8, 1.5)]);
    assert!(points[1].value.is_nan());
    assert_eq!(taken.oddities.values().sum::<u64>(), 1);
    let Record::Info(info) = &part.records[0] else { panic!("{:?}", part.records) };
    assert_eq!(info.started, Some(2.0));
}

#[test]
fn an_archive_without_its_end_is_being_written() {
    let bytes = archive(&[("messages.json", "{}")]);
    for cut in 0..bytes.len() {
        assert_eq!(decode(&bytes[..cut]).0, 0, "cut at {cut}");
    }
}

#[test]
fn bins_grow_by_a_factor_on_both_sides_of_the_offset() {
    // edges: -inf -4 -2 -1 0 1 2 4 inf
    let text = r#"{"index_values": [[3, 2], [4, 5], [5, 1], [7, 1]], "start": 1, "stop": 4, "step": 2, "offset": 0}"#;
    let found = histogram::histogram(text.as_bytes()).unwrap();
    assert_eq!(&*found.edges, [-1.0, 0.0, 1.0, 2.0, 4.0, 4.0]);
    assert_eq!(&*found.counts, [2.0, 5.0, 1.0, 0.0, 1.0]);
    let hostile = r#"{"index_values": [[0, 1], [99999999999, 1]], "start": 1, "stop": 4, "step": 2}"#;
    assert!(histogram::histogram(hostile.as_bytes()).is_none());
    let endless = r#"{"index_values": [[0, 1]], "start": 1e-300, "stop": 1e300, "step": 1.0000001}"#;
    assert!(histogram::histogram(endless.as_bytes()).is_none());
}
