//! Files that Sacred writes.

use super::*;
use crate::{
    formats::Part,
    model::{EndStatus, Record},
};

fn decode(path: &str, text: &str) -> Part {
    let mut out = Decoded::new();
    let taken = Sacred.decoder(&Opening::at(Path::new(path))).decode(text.as_bytes(), &mut out).unwrap();
    assert_eq!(taken.bytes, text.len());
    out.take().parts.into_iter().next().unwrap_or_default()
}

fn claim(path: &str, head: &str) -> Claim {
    let path = Path::new(path);
    Sacred.recognises(&Candidate { path, name: name(path), head: head.as_bytes(), whole: true })
}

#[test]
fn numbers_of_numpy_are_numbers_and_times_are_read() {
    let part = decode(
        "runs/1/metrics.json",
        r#"{"a.loss": {"steps": [0, 1, 2], "timestamps": ["2026-11-23T18:10:36.5", "2026-11-23T18:10:37", "x"],
            "values": [NaN, {"dtype": "float32", "py/object": "numpy.float32", "value": 0.5}, 0.25]}}"#,
    );
    let points = &part.columns[0].points;
    assert_eq!(points.iter().map(|p| p.step).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(points[0].value.is_nan() && points[1].value == 0.5 && points[2].value == 0.25);
    assert!((points[0].wall.fract() - 0.5).abs() < 1e-6 && points[2].wall.is_nan());
}

#[test]
fn how_a_run_ended_is_told_by_its_status() {
    let end = |status: &str| {
        let text = format!(r#"{{"experiment": {{"name": "digits"}}, "status": "{status}"}}"#);
        decode("runs/7/run.json", &text).records.into_iter().find_map(|r| match r {
            Record::End(end) => Some(end),
            _ => None,
        })
    };
    assert_eq!(end("COMPLETED"), Some(EndStatus::Finished));
    assert_eq!(end("INTERRUPTED"), Some(EndStatus::Failed));
    assert_eq!(end("FAILED"), Some(EndStatus::Failed));
    assert_eq!(end("RUNNING"), None);
}

#[test]
fn a_run_is_called_by_its_experiment_and_its_number() {
    let part = decode(
        "runs/7/run.json",
        r#"{"experiment": {"name": "digits"}, "fail_trace": ["Traceback\n", "ValueError: bad\n"]}"#,
    );
    let Record::Info(info) = &part.records[0] else { panic!("{:?}", part.records) };
    assert_eq!(info.name.as_deref(), Some("digits/7"));
    let Record::LoggedAlert(alert) = &part.records[1] else { panic!("{:?}", part.records) };
    assert_eq!(&*alert.message, "ValueError: bad");
}

#[test]
fn other_files_of_these_names_are_left_to_others() {
    assert_eq!(claim("runs/1/metrics.json", r#"{"loss": {"steps": [1"#), Claim::Yes);
    assert!(matches!(claim("a/metrics.json", r#"{"loss": 0.5, "iteration": 19}"#), Claim::No(_)));
    assert!(matches!(claim("a/metrics.json", r#"{"train": {"loss": 2.0}, "step": 4}"#), Claim::No(_)));
    assert_eq!(claim("runs/12/config.json", r#"{"lr": 0.1, "seed": 3}"#), Claim::Yes);
    assert_eq!(claim("model/config.json", r#"{"lr": 0.1, "seed": 3}"#), Claim::No(""));
    assert!(matches!(claim("1/run.json", r#"{"name": "x"}"#), Claim::No(_)));
}
