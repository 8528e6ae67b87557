//! Events, plots and tasks as ClearML writes them.

use super::*;
use crate::model::{HyperValue, Record};

fn decode(name: &str, text: &str) -> crate::formats::Part {
    let mut out = Decoded::new();
    let mut decoder = ClearMl.decoder(&Opening::at(Path::new(name)));
    let used = decoder.decode(text.as_bytes(), &mut out).unwrap().bytes;
    decoder.decode_rest(&text.as_bytes()[used..], &mut out);
    out.take().parts.into_iter().next().unwrap_or_default()
}

fn heat_map(x: &str, y: &str) -> String {
    format!(
        r#"[{{"timestamp": 1795457411283, "type": "plot", "task": "t", "iter": 21, "metric": "cm", "variant": "val",
        "plot_str": "{{\"data\": [{{\"type\": \"heatmap\", \"x\": [\"a\", \"b\"], \"y\": [\"a\", \"b\"],
        \"z\": [[5, 1], [2, 4]]}}], \"layout\": {{\"xaxis\": {{\"title\": {x}}}, \"yaxis\": {{\"title\": {y}}}}}}}"}}]"#
    )
    .replace('\n', " ")
}

#[test]
fn a_scalar_is_called_by_metric_and_variant_and_its_time_is_in_milliseconds() {
    let part = decode(
        "metrics.jsonl",
        r#"[{"timestamp": 1795457411027, "type": "training_stats_scalar", "task": "t", "iter": 3, "metric": "loss",
        "variant": "train", "value": NaN}]"#
            .replace('\n', " ")
            .as_str(),
    );
    let column = &part.columns[0];
    assert_eq!(column.key.label(), "loss/train");
    assert_eq!((column.points[0].step, column.points[0].wall), (3, 1_795_457_411.027));
    assert!(column.points[0].value.is_nan());
}

#[test]
fn a_heat_map_is_a_confusion_matrix_only_if_its_axes_say_which_is_true() {
    let first = |x: &str, y: &str| decode("metrics.jsonl", &heat_map(x, y)).records.remove(0);
    let Record::Confusion(found) = first(r#"\"Predicted\""#, r#"{\"text\": \"True label\"}"#) else {
        panic!()
    };
    assert_eq!((found.matrix.counts()[[0, 1]], found.step, &*found.split), (1.0, 21, "val"));
    let Record::Confusion(found) = first(r#"\"actual\""#, "null") else { panic!() };
    assert_eq!(found.matrix.counts()[[0, 1]], 2.0, "rows were predicted");
    let Record::Artefact(found) = first("null", "null") else { panic!() };
    assert!(format!("{:?}", found.fields).contains("do not say"));
}

#[test]
fn a_task_tells_its_name_and_its_settings() {
    let part = decode(
        "task.json",
        r#"{"execution": {}, "hyperparams": {"General": {"lr": {"value": "0.1"}}, "Args": {"fast": {"value": "True"}}},
        "id": "offline-1", "name": "run-a", "status": "completed"}"#,
    );
    let Record::Info(info) = &part.records[0] else { panic!("{:?}", part.records) };
    assert_eq!((info.name.as_deref(), info.id.as_deref()), (Some("run-a"), Some("offline-1")));
    let wanted = vec![("lr".into(), HyperValue::Number(0.1)), ("Args/fast".into(), HyperValue::Bool(true))];
    assert_eq!(part.records[1], Record::Hyperparameters(wanted));
    assert!(matches!(part.records[2], Record::End(_)));
}
