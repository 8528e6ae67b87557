//! Files that are read as a whole: databases, archives, JSON and YAML documents.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use rusqlite::{Connection, params};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    lines,
    samples::{Numbers, fill},
};

/// The tables that matter, as `MLflow` makes them.
pub fn mlflow(target: usize) -> Vec<u8> {
    const ROW: usize = 230; // with its entry in the index of the key
    let mut database = Connection::open_in_memory().expect("a database");
    database
        .execute_batch(
            "CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256), \
             lifecycle_stage VARCHAR(32));
             CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), \
             start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER);
             CREATE TABLE metrics (\"key\" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, \
             run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL, \
             CONSTRAINT metric_pk PRIMARY KEY (\"key\", timestamp, step, run_uuid, value, is_nan));
             CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
             CREATE TABLE params (\"key\" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
             CREATE TABLE tags (\"key\" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
             INSERT INTO experiments VALUES (0, 'Default', 'active');",
        )
        .expect("tables");
    let mut numbers = Numbers::new();
    let work = database.transaction().expect("a transaction");
    for run in 0..20 {
        let id = format!("{run:032x}");
        let mut add = work
            .prepare("INSERT INTO runs VALUES (?, ?, 'FINISHED', 1795457048390, 0, 'active', 0)")
            .expect("SQL");
        add.execute(params![id, format!("run {run}")]).expect("a run");
        let mut add = work.prepare("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)").expect("SQL");
        for step in 0..(target / ROW / 200) as u64 {
            for metric in 0..10 {
                let time = 1_795_457_048_390 + (step * 100).cast_signed();
                let name = format!("train/metric_{metric}");
                add.execute(params![name, numbers.loss(step), time, id, step.cast_signed()])
                    .expect("a point");
            }
        }
    }
    work.commit().expect("a commit");
    database.serialize("main").expect("an image").to_vec()
}

pub fn trackio(target: usize) -> Vec<u8> {
    let mut database = Connection::open_in_memory().expect("a database");
    database
        .execute_batch(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, timestamp TEXT NOT NULL, \
             run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL);
             CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, run_name TEXT, config TEXT, \
             created_at TEXT);",
        )
        .expect("tables");
    let mut numbers = Numbers::new();
    let work = database.transaction().expect("a transaction");
    {
        let mut add = work.prepare("INSERT INTO metrics VALUES (NULL, ?, ?, ?, ?, ?)").expect("SQL");
        for step in 0..(target / 470) as u64 {
            let mut json = String::from("{");
            for metric in 0..10 {
                let comma = if metric == 0 { "" } else { "," };
                let _ = write!(json, "{comma}\"train/metric_{metric}\":{}", numbers.loss(step));
            }
            json.push('}');
            let time = format!("2026-11-24T00:{:02}:{:02}.567123+00:00", step / 60 % 60, step % 60);
            let values = params!["0123abcd", time, "night", step.cast_signed(), json.as_bytes()];
            add.execute(values).expect("a row");
        }
    }
    work.commit().expect("a commit");
    database.serialize("main").expect("an image").to_vec()
}

/// As `json.dumps(indent=2, sort_keys=True)` writes it.
pub fn trainer_state(target: usize) -> Vec<u8> {
    let head = "{\n  \"best_metric\": null,\n  \"best_model_checkpoint\": null,\n  \"epoch\": 3.0,\n  \
                \"global_step\": 1000,\n  \"is_world_process_zero\": true,\n  \"log_history\": [";
    let mut log = fill(target, head, |step, numbers, log| {
        let comma = if step == 0 { "" } else { "," };
        let _ = write!(
            log,
            "{comma}\n    {{\n      \"epoch\": {},\n      \"grad_norm\": {},\n      \"learning_rate\": {},\n      \
             \"loss\": {:.4},\n      \"step\": {}\n    }}",
            step as f64 / 1000.0,
            numbers.unit(),
            1e-3 / (1.0 + step as f64),
            numbers.loss(step),
            step * 10 + 10
        );
    });
    log.extend(
        b"\n  ],\n  \"logging_steps\": 10,\n  \"max_steps\": 100000000,\n  \"num_train_epochs\": 3\n}\n",
    );
    log
}

/// As `json.dump(indent=2, sort_keys=True)` writes it: a number a line.
pub fn sacred(target: usize) -> Vec<u8> {
    let mut numbers = Numbers::new();
    let mut log = String::from("{");
    let points = (target / 4 / 75) as u64;
    for (at, tag) in ["accuracy", "grad_norm", "loss", "lr"].iter().enumerate() {
        let list = |name: &str, of: &mut dyn FnMut(u64) -> String| {
            let items: Vec<String> = (0..points).map(|n| format!("\n      {}", of(n))).collect();
            format!("\n    \"{name}\": [{}\n    ]", items.join(","))
        };
        let steps = list("steps", &mut |n| (n * 10).to_string());
        let times =
            list("timestamps", &mut |n| format!("\"2026-11-23T18:{:02}:{:02}.123456\"", n / 60 % 60, n % 60));
        let values = list("values", &mut |n| numbers.loss(n).to_string());
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(log, "{comma}\n  \"{tag}\": {{{steps},{times},{values}\n  }}");
    }
    log.push_str("\n}");
    log.into_bytes()
}

pub fn clearml_archive(target: usize) -> Vec<u8> {
    // packed to a fraction; members of more than 64 MiB are not read
    let log = lines::clearml(target * 3);
    archive(&[
        ("task.json", b"{\"id\": \"a\", \"name\": \"night\", \"execution\": {}, \"hyperparams\": {}}"),
        ("metrics.jsonl", &log),
    ])
}

pub fn comet(target: usize) -> Vec<u8> {
    let messages = fill(target * 3, [], |step, numbers, log| {
        for name in ["loss", "accuracy", "lr", "grad_norm"] {
            let _ = writeln!(
                log,
                "{{\"payload\": {{\"context\": null, \"local_timestamp\": {}, \"message_id\": {step}, \"metric\": \
                 {{\"metricName\": \"{name}\", \"metricValue\": {}, \"step\": {step}, \"epoch\": null}}}}, \
                 \"type\": \"metric_msg\"}}",
                1_795_457_048_390 + step,
                numbers.loss(step)
            );
        }
    });
    archive(&[
        ("experiment.json", b"{\"offline_id\": \"a\", \"start_time\": 1795457048390}"),
        ("messages.json", &messages),
    ])
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a member");
        zip.write_all(content).expect("its content");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Documents of settings and summaries are small; these are as large as their readers take.
fn small(target: usize, limit: usize) -> usize {
    target.min(limit)
}

pub fn projector(target: usize) -> Vec<u8> {
    fill(small(target, 256 << 10), [], |step, _, log| {
        let _ = write!(
            log,
            "embeddings {{\n  tensor_name: \"digits:{step:05}\"\n  metadata_path: \"{step:05}/digits/metadata.tsv\"\n  \
             tensor_path: \"{step:05}/digits/tensors.tsv\"\n}}\n"
        );
    })
}

pub fn wandb_summary(target: usize) -> Vec<u8> {
    object(small(target, 64 << 10), "", "train/metric_")
}

pub fn dvclive(target: usize) -> Vec<u8> {
    object(small(target, 1 << 20), "\n    \"step\": 1000,", "train_metric_")
}

pub fn hf_results(target: usize) -> Vec<u8> {
    object(small(target, 64 << 10), "\n    \"epoch\": 3.0,", "eval_metric_")
}

fn object(target: usize, first: &str, names: &str) -> Vec<u8> {
    let mut log = fill(target, format!("{{{first}"), |step, numbers, log| {
        let comma = if step == 0 { "" } else { "," };
        let _ = write!(log, "{comma}\n    \"{names}{step}\": {}", numbers.loss(step));
    });
    log.extend(b"\n}\n");
    log
}

pub fn settings(target: usize) -> Vec<u8> {
    fill(small(target, 64 << 10), [], |step, numbers, log| {
        let _ = writeln!(log, "setting_{step}: {:.6}", numbers.unit());
    })
}

pub fn confusion(_: usize) -> Vec<u8> {
    let mut numbers = Numbers::new();
    let names: Vec<String> = (0..600).map(|n| format!("class {n}")).collect();
    let mut table = format!("actual\\predicted,{}\n", names.join(","));
    for name in &names {
        let counts: Vec<String> = (0..600).map(|_| (numbers.whole() % 1000).to_string()).collect();
        let _ = writeln!(table, "{name},{}", counts.join(","));
    }
    table.into_bytes()
}
