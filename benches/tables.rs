//! Our readers of tables, JSON lines and trainer states against the plain loops that one would write with `csv` and
//! `serde_json`: `cargo bench --bench tables -- FILE…`. `tools/measure_tables.py` makes the files and adds pandas and
//! polars, `tools/measure_documents.py` those for trainer states.
//!
//! Prints a line of JSON for each file and reader: seconds of processor time and of wall time (best of several), values
//! read, and their sum, which shows that all have read the same.

use std::{collections::HashMap, fs, hint::black_box, time::Instant};

use epochscope::formats::{Candidate, Decoded, HEAD_BYTES, Opening, Recognised, recognise};
use rustix::time::{ClockId, clock_gettime};

/// Bytes that a reader shows a decoder at a time.
const TURN: usize = 256 << 10;
/// The best of so many is taken.
const ROUNDS: usize = 5;

type Count = (u64, f64);

fn main() {
    for path in std::env::args().skip(1).filter(|a| !a.starts_with("--")) {
        let bytes = fs::read(&path).expect("a file that can be read");
        measure(&path, "epochscope", &bytes, &ours);
        if path.ends_with("trainer_state.json") {
            measure(&path, "serde_json::Value, then its rows", &bytes, &state_loop);
        } else if std::path::Path::new(&path).extension().is_some_and(|e| e == "csv") {
            measure(&path, "csv crate + fast-float2", &bytes, &csv_loop);
        } else {
            measure(&path, "serde_json::Value loop", &bytes, &json_loop);
            // lines that hold more than numbers are none to it
            if !path.ends_with(".scope.jsonl") {
                measure(&path, "serde_json to map of numbers", &bytes, &typed_json_loop);
            }
        }
    }
}

fn measure(path: &str, reader: &str, bytes: &[u8], read: &dyn Fn(&str, &[u8]) -> Count) {
    let (mut seconds, mut wall) = (f64::INFINITY, f64::INFINITY);
    let mut count = (0, 0.0);
    for _ in 0..ROUNDS {
        #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
        let (start, used) = (Instant::now(), processor_time());
        count = black_box(read(path, bytes));
        seconds = seconds.min(processor_time() - used);
        wall = wall.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{{\"file\":\"{path}\",\"reader\":\"{reader}\",\"bytes\":{},\"seconds\":{seconds:.4},\"wall\":{wall:.4},\
         \"values\":{},\"sum\":{}}}",
        bytes.len(),
        count.0,
        count.1
    );
}

/// Of this thread, so that what else the machine does is not counted.
fn processor_time() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// As a tail does it: a turn at a time, the columns handed on after each.
fn ours(path: &str, bytes: &[u8]) -> Count {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let name = path.rsplit('/').next().unwrap_or(path);
    let candidate = Candidate { path: path.as_ref(), name, head, whole: false };
    let Recognised::As(format) = recognise(&candidate) else { panic!("{path} is of no known format") };
    let (mut decoder, mut out) = (format.decoder(&Opening::at(path.as_ref())), Decoded::new());
    let turn = if decoder.whole_document() { bytes.len() } else { TURN };
    let (mut at, mut count) = (0, (0, 0.0));
    while at < bytes.len() {
        let shown = &bytes[at..bytes.len().min(at + turn)];
        let used = decoder.decode(shown, &mut out).expect("an undamaged log").bytes;
        if used == 0 {
            break;
        }
        at += used;
        for part in out.take().parts {
            for column in part.columns {
                count.0 += column.points.len() as u64;
                count.1 += column.points.iter().map(|p| p.value).sum::<f64>();
            }
        }
    }
    count
}

fn csv_loop(_: &str, bytes: &[u8]) -> Count {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.byte_headers().expect("a header").clone();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); header.len()];
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("a row") {
        for (column, cell) in columns.iter_mut().zip(&record) {
            if let Ok(value) = fast_float2::parse::<f64, _>(cell) {
                column.push(value);
            }
        }
    }
    // the step is no value
    total(columns.iter().skip(1))
}

fn json_loop(_: &str, bytes: &[u8]) -> Count {
    let mut columns: HashMap<String, Vec<f64>> = HashMap::new();
    for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).expect("JSON");
        collect(&mut columns, "", &object);
    }
    total(columns.iter().filter(|(name, _)| is_value(name)).map(|(_, values)| values))
}

fn collect(
    columns: &mut HashMap<String, Vec<f64>>,
    prefix: &str,
    object: &serde_json::Map<String, serde_json::Value>,
) {
    for (key, value) in object {
        match value {
            serde_json::Value::Number(number) => {
                let value = number.as_f64().unwrap_or(f64::NAN);
                match columns.get_mut(key) {
                    Some(column) if prefix.is_empty() => column.push(value),
                    _ => columns.entry(format!("{prefix}{key}")).or_default().push(value),
                }
            }
            serde_json::Value::Object(inner) => collect(columns, &format!("{prefix}{key}/"), inner),
            _ => {}
        }
    }
}

/// The history of a Hugging Face trainer.
fn state_loop(_: &str, bytes: &[u8]) -> Count {
    let state: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    let mut columns: HashMap<String, Vec<f64>> = HashMap::new();
    for row in state["log_history"].as_array().expect("a history") {
        collect(&mut columns, "", row.as_object().expect("a row"));
    }
    total(columns.iter().filter(|(name, _)| is_value(name)).map(|(_, values)| values))
}

fn typed_json_loop(_: &str, bytes: &[u8]) -> Count {
    let mut columns: HashMap<String, Vec<f64>> = HashMap::new();
    for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let Ok(object) = serde_json::from_slice::<HashMap<&str, f64>>(line) else { continue };
        for (key, value) in object {
            match columns.get_mut(key) {
                Some(column) => column.push(value),
                None => columns.entry(key.to_owned()).or_default().push(value),
            }
        }
    }
    total(columns.iter().filter(|(name, _)| is_value(name)).map(|(_, values)| values))
}

fn is_value(name: &str) -> bool {
    !matches!(name, "step" | "wall" | "timestamp")
}

fn total<'a>(columns: impl Iterator<Item = &'a Vec<f64>>) -> Count {
    columns.fold((0, 0.0), |(n, sum), column| (n + column.len() as u64, sum + column.iter().sum::<f64>()))
}
