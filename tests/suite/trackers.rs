//! What `MLflow` and Trackio keep, in databases and in `MLflow`'s file store: names, values, states; and databases that
//! are made to harm.

use std::{fs, path::Path};

use epochscope::formats::{Fatal, Recognised, RunPart, by_name};
use rusqlite::{Connection, MAIN_DB};

use crate::builders::{
    feeding::{Feeder, Reading},
    samples::Sample,
};

fn sample(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(path)).unwrap()
}

/// Reads a file of that path as the format of that name.
fn read(format: &str, path: &str, bytes: &[u8]) -> Reading {
    let mut feeder = Feeder::named(by_name(format).unwrap(), Path::new(path), bytes);
    feeder.grow_to(bytes.len());
    feeder.finish()
}

fn points(reading: &Reading, run: &str, tag: &str) -> Vec<(i64, f64)> {
    let points = reading.columns.get(&(run.to_owned(), tag.to_owned()));
    points.into_iter().flatten().map(|(step, _, value)| (*step, f64::from_bits(*value))).collect()
}

fn says(reading: &Reading, run: &str, words: &str) -> bool {
    reading.records.get(run).is_some_and(|records| records.iter().any(|r| r.contains(words)))
}

/// The format that claims a file, or why none does.
fn verdict(sample: &Sample) -> String {
    match sample.recognised() {
        Recognised::As(format) => format.name().to_owned(),
        Recognised::NotYet => "later".to_owned(),
        Recognised::Unknown(reasons) => reasons.iter().map(|(_, reason)| *reason).collect(),
    }
}

/// The bytes of a database that was made by these statements.
fn database(statements: &str) -> Vec<u8> {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(statements).unwrap();
    connection.serialize(MAIN_DB).unwrap().to_vec()
}

const MLFLOW: &str = "
    CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, lifecycle_stage TEXT);
    CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
                       experiment_id INTEGER, lifecycle_stage TEXT);
    CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
    CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
    CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
    INSERT INTO experiments VALUES (1, 'digits', 'active'), (2, 'old', 'deleted');
    INSERT INTO runs VALUES ('aaaaaaaa1111', 'one', 'RUNNING', 1750000000500, NULL, 1, 'active');
";

#[test]
fn an_mlflow_database_holds_what_mlflow_itself_finds_in_it() {
    let reading = read("sqlite", "mlflow.db", &sample("sqlite/mlflow.db"));
    assert_eq!((reading.fatal.clone(), reading.skips.len()), (None, 0));
    let tags = |run: &str| {
        let of_run = reading.columns.iter().filter(|((r, _), _)| r == run);
        of_run.map(|((_, tag), points)| (tag.as_str(), points.len())).collect::<Vec<_>>()
    };
    for run in ["digits/parent/lr0.05", "digits/parent/lr0.5"] {
        let expected = [
            ("bad", 1),
            ("inf", 1),
            ("layer.0.weight_norm", 5),
            ("no_step", 2),
            ("train/loss", 105),
            ("val_acc", 5),
        ];
        assert_eq!(tags(run), expected, "{run}");
        assert!(points(&reading, run, "bad")[0].1.is_nan(), "NaN is stored as 0 with a mark");
        assert_eq!(
            points(&reading, run, "inf"),
            [(105, f64::INFINITY)],
            "and infinity as the largest double"
        );
        assert_eq!(
            points(&reading, run, "no_step"),
            [(0, 1.0), (1, 2.0)],
            "points without steps are counted"
        );
        assert!(
            says(&reading, run, r#"("hidden", Number(32.0))"#) && says(&reading, run, r#""team=digits""#)
        );
        assert!(says(&reading, run, "End(Finished)"));
    }
    let loss = points(&reading, "digits/parent/lr0.05", "train/loss");
    assert_eq!((loss[0], loss[104]), ((0, 2.317_534_685_134_887_7), (104, 2.239_037_990_570_068_4)));
    assert_eq!(tags("digits/parent"), [("best", 1)]);
    assert_eq!(points(&reading, "digits/crashed", "loss"), [(0, 1.0)]);
    assert!(says(&reading, "digits/crashed", "End(Failed)"));
    assert!(says(&reading, "digits/crashed", r#"name: Some("crashed")"#));
    assert_eq!(reading.records.len(), 4);
}

#[test]
fn runs_of_one_name_are_told_apart_and_deleted_ones_are_counted() {
    let reading = read(
        "sqlite",
        "x.db",
        &database(&format!(
            "{MLFLOW}
            INSERT INTO runs VALUES ('bbbbbbbb2222', 'one', 'KILLED', NULL, NULL, 1, 'active'),
                ('cccccccc3333', 'gone', 'FINISHED', 1, 2, 1, 'deleted'), ('dddd', 'x', 'FINISHED', 1, 2, 2, 'active'),
                ('eeeeeeee5555', NULL, 'FINISHED', 1, 2, NULL, 'active');
            INSERT INTO tags VALUES ('mlflow.parentRunId', 'bbbbbbbb2222', 'aaaaaaaa1111'),
                ('mlflow.parentRunId', 'aaaaaaaa1111', 'bbbbbbbb2222');
            INSERT INTO metrics SELECT 'loss', 1.5, 1, run_uuid, 0, 0 FROM runs;
            INSERT INTO metrics VALUES ('loss', 1, 1, 'nobody', 0, 0), ('loss', 'text', 1, 'aaaaaaaa1111', 0, 0);"
        )),
    );
    let names: Vec<&str> = reading.records.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&"eeeeeeee") && names.iter().all(|n| n.len() < 100), "{names:?}");
    assert_eq!(reading.oddities["runs that were deleted in MLflow"], 2);
    assert_eq!(reading.skips[0].2, "2 metrics belong to no run or have no value");
}

#[test]
fn points_come_in_the_order_of_the_clock_and_a_restart_stays_one() {
    let reading = read(
        "sqlite",
        "x.db",
        &database(&format!(
            "{MLFLOW} INSERT INTO metrics VALUES
                ('a', 2, 20, 'aaaaaaaa1111', 2, 0), ('a', 1, 10, 'aaaaaaaa1111', 1, 0), ('a', 4, 30, 'aaaaaaaa1111', 4, 0),
                ('a', 3, 30, 'aaaaaaaa1111', 3, 0), ('a', 9, 90, 'aaaaaaaa1111', 2, 0),
                ('b', 0, 10, 'aaaaaaaa1111', 7, 1), ('b', -1.7976931348623157e308, 10, 'aaaaaaaa1111', 8, 0);"
        )),
    );
    let of = |tag| points(&reading, "digits/one", tag);
    assert_eq!(of("a"), [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (2, 9.0)]);
    assert!(of("b")[0].1.is_nan() && of("b")[1] == (8, f64::NEG_INFINITY));
    assert!(says(&reading, "digits/one", "started: Some(1750000000.5)"));
}

#[test]
fn a_trackio_database_holds_its_rows_with_histograms_tables_and_the_machine() {
    let reading = read("sqlite", "/x/digits.db", &sample("sqlite/digits.db"));
    let of = |tag| points(&reading, "digits/run-a", tag);
    assert_eq!(of("grad/0").len(), 105);
    assert_eq!(
        (of("grad/0")[0], of("grad/0")[104]),
        ((0, 0.100_020_349_025_726_32), (104, 0.306_866_109_371_185_3))
    );
    let series = reading.columns.keys().filter(|(_, tag)| !tag.starts_with("system/")).count();
    assert_eq!(series, 5, "{:?}", reading.columns.keys());
    assert_eq!(of("system/cpu/utilization"), [(0, 100.0), (1, 100.0)], "no step: counted");
    let records = &reading.records["digits/run-a"];
    let count = |word: &str| records.iter().filter(|r| r.starts_with(word)).count();
    assert_eq!((count("Histogram"), count("Artefact"), count("Hyperparameters")), (5, 5, 1), "{records:?}");
    assert!(says(&reading, "digits/run-a", r#"("lr", Number(0.1))"#));
    assert!(!says(&reading, "digits/run-a", "_Username"));
}

#[test]
fn trackio_rows_before_run_identifiers_nested_values_and_alerts_are_read() {
    let reading = read(
        "sqlite",
        "/x/p.db",
        &database(
            r#"CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT);
            CREATE TABLE configs (id INTEGER PRIMARY KEY, run_name TEXT, config TEXT, created_at TEXT);
            CREATE TABLE alerts (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, title TEXT, text TEXT, level TEXT,
                step INTEGER);
            INSERT INTO metrics VALUES
                (1, '2025-06-15T15:06:40+00:00', 'a', 3, '{"val": {"acc": 0.5}, "loss": "NaN", "note": "x", "per": [1, 2]}'),
                (2, '2025-06-15T15:06:41+00:00', 'b', 4, CAST('{"loss": "-Infinity"}' AS BLOB)), (3, '', 'a', 5, '{"broken');
            INSERT INTO alerts VALUES (1, '2025-06-15T15:06:41+00:00', 'a', 'high loss', 'it rose', 'warn', 3);"#,
        ),
    );
    assert_eq!(points(&reading, "p/a", "val/acc"), [(3, 0.5)]);
    assert!(points(&reading, "p/a", "loss")[0].1.is_nan());
    assert_eq!(points(&reading, "p/a", "per[1]"), [(3, 2.0)]);
    assert_eq!(points(&reading, "p/b", "loss"), [(4, f64::NEG_INFINITY)]);
    assert_eq!(reading.columns[&("p/b".to_owned(), "loss".to_owned())][0].1, 1_750_000_001_f64.to_bits());
    assert!(says(&reading, "p/a", "high loss"));
    assert_eq!(reading.skips[0].2, "1 rows hold no JSON object");
}

#[test]
fn databases_are_claimed_by_their_tables_as_far_as_these_show() {
    let unknown = "a SQLite database without the tables of MLflow or Trackio";
    let small = |statements: &str| database(statements);
    let named = |name: &str, bytes: Vec<u8>| Sample::new(name, bytes);
    let application = "PRAGMA application_id = 7; CREATE TABLE metrics (id); CREATE TABLE configs (id);";
    for (sample, expected) in [
        (named("mlflow.db", sample("sqlite/mlflow.db")), "sqlite"),
        (named("digits.db", sample("sqlite/digits.db")), "sqlite"),
        (named("x.sqlite3", small(MLFLOW)), "sqlite"),
        (named("x.db", small("CREATE TABLE people (id, name)")), unknown),
        (named("x.db", small("CREATE TABLE metrics (id)")), "later"),
        (named("x.db", small(application)), "a SQLite database whose header names another program"),
        (named("x.db", b"SQLite for".to_vec()), "later"),
        (named("x.db", b"Berkeley".to_vec()), "not a SQLite database"),
        (named("notes.bin", small(MLFLOW)), ""),
    ] {
        assert_eq!(verdict(&sample), expected, "{}", sample.name);
    }
}

#[test]
fn a_schema_that_is_a_program_is_not_run() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT";
    for (what, statements) in [
        (
            "a view that never ends",
            format!(
                "{} CREATE VIEW metrics AS {endless} i AS key, i AS value FROM n;",
                MLFLOW.replace("CREATE TABLE metrics", "CREATE TABLE metrics_hidden")
            ),
        ),
        (
            "a virtual table",
            format!(
                "{} CREATE VIRTUAL TABLE metrics USING fts5(key, value);",
                MLFLOW.replace("CREATE TABLE metrics", "CREATE TABLE metrics_hidden")
            ),
        ),
    ] {
        let reading = read("sqlite", "x.db", &database(&statements));
        assert_eq!(reading.points(), 0, "{what}");
    }
    let computed = format!(
        "{}; INSERT INTO metrics (key, timestamp, run_uuid, step, is_nan) VALUES ('a', 1, 'aaaaaaaa1111', 0, 0);",
        MLFLOW.replace("value FLOAT,", "value AS (length(hex(zeroblob(400000000)))),")
    );
    let reading = read("sqlite", "x.db", &database(&computed));
    assert_eq!(reading.points(), 0, "computed columns are no values");
}

#[test]
fn pages_that_lead_back_to_themselves_end_with_a_reason() {
    // the root of `metrics` becomes an inner page all of whose children are the same leaf, level upon level
    let page = 512;
    let mut bytes = database(&format!(
        "PRAGMA page_size={page}; {MLFLOW}
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO metrics SELECT 'loss', i, i, 'aaaaaaaa1111', i, 0 FROM n;"
    ));
    let pages = bytes.len() / page;
    let kind = |bytes: &[u8], number: usize| bytes[number * page + if number == 0 { 100 } else { 0 }];
    let inner: Vec<usize> = (1..pages).filter(|n| kind(&bytes, *n) == 5).collect();
    let leaf = (1..pages).rfind(|n| kind(&bytes, *n) == 13).unwrap() as u32;
    for root in inner {
        let start = root * page;
        let cells = usize::from(u16::from_be_bytes([bytes[start + 3], bytes[start + 4]]));
        for cell in 0..cells {
            let pointer = start + 12 + 2 * cell;
            let at = start + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
            bytes[at..at + 4].copy_from_slice(&(leaf + 1).to_be_bytes());
        }
        bytes[start + 8..start + 12].copy_from_slice(&(root as u32 + 1).to_be_bytes());
    }
    let reading = read("sqlite", "x.db", &bytes);
    assert!(matches!(reading.fatal, Some(Fatal::WrongFormat { .. })), "{:?}", reading.fatal);
    assert_eq!(reading.points(), 0, "all or nothing");
}

#[test]
fn every_file_of_a_store_says_its_part_and_belongs_to_its_run() {
    const RUN: &str = "mlruns/171234889215414056/713bd78c14eb47cc801b1a18c95b2042";
    let format = by_name("mlflow").unwrap();
    let of = |path: &str| {
        let path = format!("{RUN}/{path}");
        read("mlflow", &path, &sample(&format!("mlflow/{path}")))
    };
    let loss = of("metrics/train/loss").series("train/loss");
    assert_eq!(loss.len(), 105);
    assert_eq!((loss[0], loss[104]), ((0, 2.317_534_685_134_887_7), (104, 2.239_037_990_570_068_4)));
    assert!(of("metrics/bad").series("bad")[0].1.is_nan());
    assert_eq!(of("metrics/inf").series("inf"), [(105, f64::INFINITY)]);
    assert_eq!(of("metrics/no_step").series("no_step"), [(0, 1.0), (1, 2.0)]);
    assert!(says(&of("params/lr"), "", r#"("lr", Number(0.05))"#));
    assert!(says(&of("tags/mlflow.runName"), "", r#"name: Some("lr0.05")"#));
    assert!(says(&of("tags/team"), "", "team=digits"));
    let meta = of("meta.yaml");
    assert!(says(&meta, "", r#"name: Some("lr0.05")"#) && says(&meta, "", "End(Finished)"));
    for (path, up, part) in [
        ("metrics/loss", 1, RunPart::Folder),
        ("metrics/train/loss", 2, RunPart::Folder),
        ("params/lr", 1, RunPart::Side),
        ("meta.yaml", 0, RunPart::Side),
    ] {
        let standing = format.standing(Path::new(&format!("{RUN}/{path}")));
        assert_eq!((standing.up, standing.part), (up, part), "{path}");
    }
}

#[test]
fn lines_of_a_metric_have_two_three_or_five_fields() {
    let text = "1750000000500 1.5\n1750000001500 nan 0\n1750000002500 -inf 7 data 1a2b\nhalf a li\n1750000003500 2 0\n\
                1750000004500 3 1 x\n";
    let path = "mlruns/0/713bd78c14eb47cc801b1a18c95b2042/metrics/a/b";
    let reading = read("mlflow", path, text.as_bytes());
    let series = reading.series("a/b");
    assert_eq!(series[0], (0, 1.5));
    assert!(series[1].0 == 1 && series[1].1.is_nan(), "counted as long as no step is given");
    assert_eq!(series[2..], [(7, f64::NEG_INFINITY), (0, 2.0)]);
    assert_eq!(reading.skips.len(), 2, "{:?}", reading.skips);
    let wall = reading.columns[&(String::new(), "a/b".to_owned())][0].1;
    assert_eq!(f64::from_bits(wall), 1_750_000_000.5);
}

#[test]
fn files_of_a_store_that_are_no_part_of_a_run_are_refused_with_a_reason() {
    const RUN: &str = "713bd78c14eb47cc801b1a18c95b2042";
    let experiment = sample("mlflow/mlruns/171234889215414056/meta.yaml");
    let metric = b"1750000000500 1.5 0\n".to_vec();
    for (path, bytes, expected) in [
        (format!("mlruns/0/{RUN}/metrics/loss"), metric.clone(), "mlflow"),
        (format!("mlruns/0/{RUN}/params/empty"), Vec::new(), "mlflow"),
        (format!("mlruns/0/{RUN}/metrics/loss"), Vec::new(), "later"),
        (format!("mlruns/0/{RUN}/metrics/loss"), b"175".to_vec(), "later"),
        (
            format!("mlruns/.trash/5/{RUN}/metrics/loss"),
            metric.clone(),
            "below `.trash`: the experiment was deleted in MLflow",
        ),
        ("mlruns/5/meta.yaml".to_owned(), experiment, "describes an MLflow experiment, no run"),
        (format!("mlruns/0/models/m-{RUN}/metrics/loss"), metric, ""),
    ] {
        assert_eq!(verdict(&Sample::new(&path, bytes)), expected, "{path}");
    }
}

#[test]
fn a_column_of_a_swanlab_run_is_explained_and_left_to_the_run_s_log() {
    let run = "swanlab/swanlog/run-20261123_180751-kvo321xj";
    for file in ["logs/1/1000.log", "logs/2/_summary.json", "logs/4/1000.log"] {
        let path = format!("{run}/{file}");
        let said = verdict(&Sample::new(&path, sample(&path)));
        assert!(said.contains("the run's `run-….swanlab` has the same points"), "{file}: {said}");
    }
    let lines = "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": 0.25}\n";
    assert_eq!(verdict(&Sample::new("exp/logs/1/1000.log", lines)), "jsonl", "not below a run of SwanLab");
}

#[test]
fn both_databases_of_an_aim_run_are_one_and_its_settings_the_last_that_were_made() {
    let aim = by_name("aim").unwrap();
    let read = |run: &str, file: &str| {
        let path = format!("aim/.aim/seqs/chunks/{run}/CURRENT");
        let bytes = sample(&path);
        let mut feeder = Feeder::named(aim, Path::new(&path), &bytes);
        for companion in aim.companions().iter().filter(|c| c.ends_with(&file[file.len() - 4..])) {
            let part = if companion.contains("meta") { "meta" } else { "seqs" };
            feeder = feeder.with(companion, &sample(&format!("aim/.aim/{part}/chunks/{run}/{file}")));
        }
        feeder.grow_to(bytes.len());
        feeder.finish()
    };
    // what the script printed when it trained
    let killed = read("f65a64f2da504167aacd7528", "000005.log");
    let ends = |reading: &Reading, label| {
        let points = points(reading, "", label);
        (points.len(), points.first().copied(), points.last().copied())
    };
    let loss = (20, Some((0, 2.302_585_092_994_045_6)), Some((19, 1.128_124_102_217_480_4)));
    assert_eq!(ends(&killed, "train/loss"), loss);
    let acc = (4, Some((4, 0.707_070_707_070_707_1)), Some((19, 0.835_016_835_016_835)));
    assert_eq!(ends(&killed, "val,fold=1/acc"), acc);
    assert_eq!(ends(&killed, "right"), (4, Some((4, 210.0)), Some((19, 248.0))));
    let settings = "[(\"hparams.batch\", Number(64.0)), (\"hparams.lr\", Number(0.5)), (\"hparams.nesterov\", Bool(false))]";
    assert!(says(&killed, "", settings) && !says(&killed, "", "Finished"), "{:?}", killed.records);

    let closed = read("bfe91a3aab084c9ca8e9b67a", "000009.sst");
    assert_eq!((ends(&closed, "train/loss").0, ends(&closed, "val/acc").0, closed.points()), (63, 3, 74));
    assert!(says(&closed, "", "hparams.hidden") && says(&closed, "", "End(Finished)"));
    assert_eq!(closed.records[""].iter().filter(|r| r.contains("kind: Tensor, name: \"w0\"")).count(), 3);
    assert_eq!((killed.skips.len(), closed.skips.len()), (0, 0));
}
