//! JSON lines and tables as trainers write them.

use epochscope::formats::{Recognised, by_name};

use crate::builders::{
    feeding::{Feeder, Reading, read_whole},
    samples::{Sample, json_lines, table},
};

fn json(text: &str) -> Reading {
    read_whole(by_name("jsonl").expect("registered"), text.as_bytes())
}

fn csv(text: &str) -> Reading {
    read_whole(by_name("csv").expect("registered"), text.as_bytes())
}

fn verdict(name: &str, text: &str) -> String {
    match Sample::new(name, text).recognised() {
        Recognised::As(format) => format.name().to_owned(),
        Recognised::NotYet => "later".to_owned(),
        Recognised::Unknown(reasons) => reasons.iter().map(|(_, reason)| *reason).collect(),
    }
}

#[test]
fn json_lines_are_flattened_and_nan_is_kept() {
    let reading = read_whole(by_name("jsonl").unwrap(), &json_lines().bytes);
    let loss = reading.series("train/loss");
    assert_eq!(loss.iter().map(|p| p.0).collect::<Vec<_>>(), [1, 2, 3, 2, 3]);
    assert!(loss[1].1.is_nan());
    assert_eq!(loss[2..3], [(3, 2.125)], "the last of equal keys");
    assert_eq!(reading.series("train/lr"), [(1, 0.1), (2, 0.1)], "texts that are numbers");
    assert_eq!(reading.series("per_class[0]"), [(1, 0.5), (2, f64::NEG_INFINITY)]);
    assert_eq!(reading.series("per_class[1]"), [(1, 0.25), (2, f64::INFINITY)]);
    assert_eq!(
        reading.columns.len(),
        4,
        "no bools, no texts, no configuration: {:?}",
        reading.columns.keys()
    );
    assert_eq!(reading.skips.len(), 1);
    assert!(reading.records[""][0].contains("Hyperparameters"), "{:?}", reading.records);
}

#[test]
fn json_lines_find_their_step_and_time() {
    let reading = json(concat!(
        "{\"iteration\": 19, \"loss\": 1, \"timestamp\": 1750000000}\n",
        "{\"iteration\": 39, \"loss\": 2, \"timestamp\": \"2025-06-15T15:06:50Z\"}\n",
        "{\"AP\": 0.5, \"time\": 0.25}\n",
    ));
    assert_eq!(reading.series("loss"), [(19, 1.0), (39, 2.0)]);
    assert_eq!(reading.series("AP"), [(39, 0.5)], "a line without the step belongs to the last one");
    assert_eq!(reading.series("time"), [(39, 0.25)], "a duration is a value");
    let walls: Vec<_> =
        reading.columns[&(String::new(), "loss".to_owned())].iter().map(|p| f64::from_bits(p.1)).collect();
    assert_eq!(walls, [1_750_000_000.0, 1_750_000_010.0]);
}

#[test]
fn json_files_that_are_no_lines_of_metrics_are_refused_with_a_reason() {
    let document = "one JSON document, not one object per line";
    for (name, text, expected) in [
        ("metrics.jsonl", "{\"step\": 1, \"loss\": 2}\n", "jsonl"),
        ("metrics.jsonl", "{\"step\": 1, \"los", "later"),
        ("metrics.jsonl", "", "later"),
        ("metrics.jsonl", "{\"epochscope\": 1, \"t\": \"run\"}\n", "scope"),
        ("scalars.json", "{\"loss\": 2, \"step\": 1}\n", "jsonl"),
        ("config.json", "{\n  \"step\": 1,\n  \"lr\": 2\n}\n", document),
        ("params.json", "{\"lr\": 0.1, \"layers\": 3}", "no step in the first lines"),
        ("list.json", "[{\"step\": 1, \"loss\": 2}]\n", "a JSON array, not one object per line"),
        ("train.jsonl", "{\"text\": \"a dog\", \"label\": 1}\n", "no metrics in the first lines"),
        ("notes.txt", "step 1 loss 2\n", ""),
        ("log.txt", "{\"epoch\": 0, \"train_loss\": 2.5}\n", "jsonl"),
    ] {
        assert_eq!(verdict(name, text), expected, "{name} {text:?}");
    }
}

#[test]
fn tables_are_read_with_their_quirks() {
    let sample = table();
    let reading = read_whole(by_name("csv").unwrap(), &sample.bytes);
    let loss = reading.series("train, loss");
    assert_eq!(
        loss.iter().map(|p| p.0).collect::<Vec<_>>(),
        [0, 1, 2, 4, 0],
        "the second header is a restart"
    );
    assert!(loss[2].1.is_nan() && loss[3].1.is_infinite());
    assert_eq!(reading.series("val_loss"), [(2, 2.0), (0, 1.75)], "empty, NA and None are missing");
    assert_eq!(reading.series("epoch").len(), 5);
    assert_eq!(reading.columns.len(), 3, "texts are no series: {:?}", reading.columns.keys());
    assert_eq!(reading.skips.len(), 1, "the row with too few cells");
}

#[test]
fn a_monitor_of_episodes_counts_its_steps() {
    let reading =
        csv("#{\"t_start\": 1750000000.5, \"env_id\": \"CartPole-v1\"}\nr,l,t\n25.0,25,1.5\n55.0,55,2.5\n");
    assert_eq!(reading.series("r"), [(25, 25.0), (80, 55.0)]);
    let first = reading.columns[&(String::new(), "r".to_owned())][0];
    assert_eq!(first.1, 1_750_000_002.0_f64.to_bits());
    assert!(reading.records[""].iter().any(|r| r.contains("CartPole-v1")));
}

#[test]
fn the_step_of_a_table_is_its_best_named_column() {
    assert_eq!(csv("epoch,global_step,loss\n1,10,2\n").series("loss"), [(10, 2.0)]);
    assert_eq!(csv("epoch;loss\n1;2\n2;3\n").series("loss"), [(1, 2.0), (2, 3.0)]);
    assert_eq!(csv("loss\tlr\n5\t1\n6\t1\n").series("loss"), [(0, 5.0), (1, 6.0)], "else rows are counted");
    assert_eq!(csv("Wall time,Step,Value\n1750000000.5,7,0.5\n").series("Value"), [(7, 0.5)]);
    assert_eq!(csv("iter|loss\n3|1e-3").series("loss"), [(3, 0.001)], "a last row without line end");
}

#[test]
fn a_header_that_is_rewritten_changes_the_fingerprint() {
    let bytes = b"step,loss\n1,2\n";
    let mut feeder = Feeder::new(by_name("csv").unwrap(), bytes);
    assert_eq!(feeder.fingerprint_bytes(), 0);
    feeder.grow_to(4);
    assert_eq!(feeder.fingerprint_bytes(), 0, "the header is not whole yet");
    feeder.grow_to(bytes.len());
    assert_eq!(feeder.fingerprint_bytes(), 10);
}

#[test]
fn another_header_in_the_middle_begins_another_table() {
    let reading = csv("step,loss\n1,2\n2,3\nstep,acc,loss\n1,0.5,4\n");
    assert_eq!(reading.series("loss"), [(1, 2.0), (2, 3.0), (1, 4.0)]);
    assert_eq!(reading.series("acc"), [(1, 0.5)]);
    assert_eq!(reading.skips, []);
}

#[test]
fn tables_that_are_no_logs_are_refused_with_a_reason() {
    for (name, text, expected) in [
        ("metrics.csv", "step,loss\n", "csv"),
        ("metrics.csv", "step,lo", "later"),
        ("a.csv", "train_loss,val_loss\n2,3\n", "csv"),
        ("0.monitor.csv", "#{\"t_start\": 1.5, \"env_id\": \"x\"}\nr,l,t\n", "csv"),
        (
            "titanic.csv",
            "id,age,fare\n1,22,7.25\n",
            "no column named like a step or a metric: a data set, not a log",
        ),
        (
            "results.csv",
            "model,accuracy\nresnet,0.9\n",
            "no step column, and the first row holds text: a table, not a log",
        ),
        ("tensors.tsv", "0.5\t1.5\n2\t3\n", "the first line is no header: it holds numbers"),
        ("metadata.tsv", "5\n3\n", "the first line has only one column"),
    ] {
        assert_eq!(verdict(name, text), expected, "{name} {text:?}");
    }
}
