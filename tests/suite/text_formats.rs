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
    let document = "one JSON document, not one object per lineno configuration of a Hugging Face model";
    for (name, text, expected) in [
        ("metrics.jsonl", "{\"step\": 1, \"loss\": 2}\n", "jsonl"),
        ("metrics.jsonl", "{\"step\": 1, \"los", "later"),
        ("metrics.jsonl", "", "later"),
        ("metrics.jsonl", "{\"epochscope\": 1, \"t\": \"run\"}\n", "scope"),
        ("scalars.json", "{\"loss\": 2, \"step\": 1}\n", "jsonl"),
        ("config.json", "{\n  \"step\": 1,\n  \"lr\": 2\n}\n", document),
        ("notes.json", "{\"lr\": 0.1, \"layers\": 3}", "no step in the first lines"),
        ("list.json", "[{\"step\": 1, \"loss\": 2}]\n", "a JSON array, not one object per line"),
        ("train.jsonl", "{\"text\": \"a dog\", \"label\": 1}\n", "no metrics in the first lines"),
        (
            "notes.txt",
            "step 1 loss 2\n",
            "no line of its first 4096 bytes reads like training, and its name is not that of a log",
        ),
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
fn a_monitor_counts_episodes_and_knows_when_each_ended() {
    let reading =
        csv("#{\"t_start\": 1750000000.5, \"env_id\": \"CartPole-v1\"}\nr,l,t\n25.0,25,1.5\n55.0,55,2.5\n");
    assert_eq!(reading.series("r"), [(0, 25.0), (1, 55.0)], "an episode a row");
    assert_eq!(reading.series("l"), [(0, 25.0), (1, 55.0)]);
    assert_eq!(reading.series("t"), [(0, 1.5), (1, 2.5)]);
    let first = reading.columns[&(String::new(), "r".to_owned())][0];
    assert_eq!(first.1, 1_750_000_002.0_f64.to_bits());
    assert!(reading.records[""].iter().any(|r| r.contains("CartPole-v1")));
}

#[test]
fn the_step_of_a_table_is_its_best_named_column() {
    assert_eq!(csv("epoch,global_step,loss\n1,10,2\n").series("loss"), [(10, 2.0)]);
    assert_eq!(csv("epoch;loss\n1;2\n2;3\n").series("loss"), [(1, 2.0), (2, 3.0)]);
    assert_eq!(csv("loss\tlr\n5\t1\n6\t1\n").series("loss"), [(0, 5.0), (1, 6.0)], "else rows are counted");
    assert_eq!(csv("Wall time,Step,Value\n1750000000.5,7,0.5\n").series("sample"), [(7, 0.5)]);
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

fn csv_at(path: &str, text: &str) -> Reading {
    let mut feeder = Feeder::named(by_name("csv").unwrap(), path.as_ref(), text.as_bytes());
    feeder.grow_to(text.len());
    feeder.finish()
}

#[test]
fn a_metric_with_a_file_of_its_own_is_named_by_the_path() {
    let deepspeed = "step,train_loss\n8,2.5\nstep,train_loss\n8,2.25\n";
    let reading = csv_at("job/Train_Samples_train_loss.csv", deepspeed);
    assert_eq!(reading.series("Train/Samples/train_loss"), [(8, 2.5), (8, 2.25)], "a restart in the middle");
    let old = csv_at("x/dvclive/train/loss.tsv", "timestamp\tstep\tloss\n1750000000500\t3\t0.5\n");
    assert_eq!(old.series("train/loss"), [(3, 0.5)]);
    assert_eq!(old.points(), 1, "milliseconds are the time");
    let exported = csv_at("run-a-tag-loss.csv", "Wall time,Step,Value\n1750000000.5,7,0.5\n");
    let of_run = &exported.columns[&("a".to_owned(), "loss".to_owned())];
    assert_eq!(of_run.len(), 1);
}

#[test]
fn the_epoch_is_a_curve_unless_it_is_the_step() {
    assert_eq!(csv("epoch,loss\n1,2\n").series("epoch"), []);
    assert_eq!(csv("epoch,step,loss\n1,10,2\n").series("epoch"), [(10, 1.0)]);
    assert_eq!(
        csv("epoch,loss\n0.25,2\n0.5,1\n").series("epoch"),
        [(0, 0.25), (1, 0.5)],
        "a fraction is no step"
    );
    assert_eq!(json("{\"epoch\": 3, \"loss\": 1}\n").series("epoch"), []);
    assert_eq!(json("{\"epoch\": 3, \"step\": 9, \"loss\": 1}\n").series("epoch"), [(9, 3.0)]);
}

#[test]
fn cells_of_every_writer_are_read() {
    let keras = csv("epoch,lr,loss\n0,\"[0.1, 0.2]\",2\n1,\"[0.1, 0.1]\",NA\n");
    assert_eq!(keras.series("lr[1]"), [(0, 0.2), (1, 0.1)]);
    let ray = csv("training_iteration,info,loss\n1,\"{'a': 1, 'b': [1,\n2]}\",2\n2,\"{'a': 2}\",3\n");
    assert_eq!(ray.series("loss"), [(1, 2.0), (2, 3.0)]);
    assert_eq!(ray.columns.len(), 1);
    let fastai = csv("epoch,train_loss,time\n0,2,01:05\n1,1,1:00:00\n");
    assert_eq!(fastai.series("time"), [(0, 65.0), (1, 3600.0)]);
    let padded = csv("       epoch,    train/box_loss,\n           0,             0.125,\n");
    assert_eq!(padded.series("train/box_loss"), [(0, 0.125)], "YOLOv5");
    let pandas = csv(",train_loss\n10,2.5\n20,2.25\n");
    assert_eq!(pandas.series("train_loss"), [(10, 2.5), (20, 2.25)], "the index of a data frame is its step");
    let twice = csv("step,loss,loss\n1,2,3\n");
    assert_eq!((twice.series("loss"), twice.series("loss.1")), (vec![(1, 2.0)], vec![(1, 3.0)]));
}

#[test]
fn decimal_commas_are_read_where_the_separator_is_another() {
    let reading = csv("epoch;loss;acc\n1;0,5;0,25\n2;-1,5e-3;1\n3;0.5;1\n");
    assert_eq!(reading.series("loss"), [(1, 0.5), (2, -0.0015)]);
    assert_eq!(reading.series("acc"), [(1, 0.25), (2, 1.0), (3, 1.0)]);
    assert_eq!(reading.oddities.values().sum::<u64>(), 1, "{:?}", reading.oddities);
    let points = csv("epoch\tloss\n1\t0.5\n2\t1,234\n");
    assert_eq!(points.series("loss"), [(1, 0.5)], "this is no decimal comma");
    assert_eq!(points.oddities.values().sum::<u64>(), 1);
}

#[test]
fn tables_in_long_form_have_a_series_for_each_name() {
    let table = csv("step,name,value\n1,loss,2.5\n1,acc,nan\n2,loss,\n3,loss,2\n");
    assert_eq!(table.series("loss"), [(1, 2.5), (3, 2.0)]);
    assert!(table.series("acc")[0].1.is_nan());
    let runs = csv("run,tag,step,value\na,loss,1,2\nb,loss,1,3\n");
    assert_eq!(runs.columns.keys().map(|(run, _)| run.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let lines = json(concat!(
        "{\"type\": \"metric\", \"name\": \"loss\", \"value\": 0.5, \"step\": 3}\n",
        "{\"type\": \"metric\", \"name\": \"acc\", \"value\": NaN, \"step\": 3}\n",
        "{\"type\": \"metric\", \"name\": \"loss\", \"value\": 0.25, \"step\": 4}\n",
    ));
    assert_eq!(lines.series("loss"), [(3, 0.5), (4, 0.25)]);
    assert_eq!(lines.columns.len(), 2, "{:?}", lines.columns.keys());
}

#[test]
fn lines_that_end_in_an_object_are_read_behind_their_prefix() {
    let log = concat!(
        "2024-05-01 10:00:00 | INFO | fairseq_cli.train | Namespace(lr=0.1)\n",
        "2024-05-01 10:00:05 | INFO | train_inner | {\"epoch\": 1, \"update\": 0.5, \"loss\": \"15.25\", \"num_updates\": \"10\"}\n",
        "2024-05-01 10:00:09 | INFO | valid | {\"epoch\": 1, \"valid_loss\": \"14.5\", \"valid_num_updates\": \"20\"}\n",
        "2024-05-01 10:00:10 | INFO | train | {\"epoch\": 1, \"train_loss\": \"15\", \"train_num_updates\": \"20\"}\n",
    );
    assert_eq!(verdict("train.log", log), "jsonl");
    let reading = json(log);
    assert_eq!(reading.series("loss"), [(10, 15.25)]);
    assert_eq!(reading.skips, []);
    let wall = f64::from_bits(reading.columns[&(String::new(), "loss".to_owned())][0].1);
    assert_eq!(wall, 1_714_557_605.0, "the line's own time");
    assert_eq!(reading.series("train_loss").len(), 1);
}

#[test]
fn objects_of_weights_and_biases_that_are_no_numbers_are_no_series() {
    let reading = json(
        "{\"_step\": 0, \"loss\": 2, \"img\": {\"_type\": \"image-file\", \"size\": 9}, \"h\": {\"min\": 3, \"_type\": \"histogram\"}}\n",
    );
    assert_eq!(reading.columns.len(), 1, "{:?}", reading.columns.keys());
}

#[test]
fn tables_with_names_that_say_nothing_need_a_step_and_numbers() {
    for (name, text, expected) in [
        ("loss.txt", "step,loss\n1,2.5\n", "csv"),
        ("loss.txt", "step\tloss\n1\t2.5\n", "csv"),
        ("loss.dat", "# epoch;loss\n1;2,5\n", "csv"),
        ("loss.txt", "step,loss\n", "later"),
        (
            "notes.txt",
            "first epoch, then loss\nwas low\n",
            "no line of its first 4096 bytes reads like training, and its name is not that of a log",
        ),
        ("train.log", "epoch: 1, loss: 2\nepoch: 2, loss: 1\n", "text"),
        ("evals.csv", ",train-mlogloss,valid-merror\n0,1.2,0.5\n", "csv"),
        ("history.csv", "metric,value\nloss,0.5\n", "csv"),
        (
            "pairs.csv",
            "key,value\ncolour,7\n",
            "no column named like a step or a metric: a data set, not a log",
        ),
    ] {
        assert_eq!(verdict(name, text), expected, "{name} {text:?}");
    }
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend("step,loss\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes));
    let reason = match Sample::new("a.csv", utf16).recognised() {
        Recognised::Unknown(reasons) => reasons[0].1,
        _ => "",
    };
    assert_eq!(reason, "UTF-16: only tables in UTF-8 are read");
}
