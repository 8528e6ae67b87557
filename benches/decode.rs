//! Bytes of logs to columns, on one core: `cargo bench --bench decode`.

#[path = "parts/event.rs"]
mod event;

use std::fmt::Write as _;

use divan::{Bencher, counter::BytesCount};
use epochscope::formats::{self, Decoded, Opening};
use event::{event, field};

/// Bytes that a reader shows a decoder at a time.
const TURN: usize = 64 << 10;

fn main() {
    divan::main();
}

/// One run, 20 tags, as PyTorch writes them: one event for each value.
#[divan::bench]
fn tfevents_scalars(bencher: Bencher<'_, '_>) {
    let tags: Vec<String> = (0..20).map(|n| format!("metric_{n:02}/value")).collect();
    let mut log = Vec::new();
    for step in 0..20_000_u64 {
        for tag in &tags {
            let value = [field(1, tag.as_bytes()), vec![0x15], 0.5_f32.to_le_bytes().to_vec()].concat();
            log.extend(event(step, &value));
        }
    }
    decode(bencher, "tfevents", &log);
}

/// 64 buckets for each of 128 tensors.
#[divan::bench]
fn tfevents_histograms(bencher: Bencher<'_, '_>) {
    let doubles = |of: &dyn Fn(u32) -> f64| (0..64).flat_map(|i| of(i).to_le_bytes()).collect::<Vec<u8>>();
    let limits = doubles(&|i| f64::from(i) - 32.0);
    let counts = doubles(&|i| f64::from(i * (63 - i)));
    let mut histogram = Vec::new();
    for (number, value) in [(1_u8, -32.0), (2, 31.0), (3, 40_000.0), (4, 12.0), (5, 80_000.0_f64)] {
        histogram.push(number << 3 | 1);
        histogram.extend(value.to_le_bytes());
    }
    histogram.extend([field(6, &limits), field(7, &counts)].concat());
    let mut log = Vec::new();
    for step in 0..100 {
        for layer in 0..128 {
            let tag = format!("layers.{layer}/weights");
            log.extend(event(step, &[field(1, tag.as_bytes()), field(5, &histogram)].concat()));
        }
    }
    decode(bencher, "tfevents", &log);
}

/// Flat objects of ten numbers, as `json.dumps` writes them.
#[divan::bench]
fn json_lines(bencher: Bencher<'_, '_>) {
    let mut log = String::new();
    for step in 0..40_000 {
        let _ = write!(log, "{{\"step\": {step}, \"epoch\": 0.{step}, \"timestamp\": 1750000000.{step}");
        for metric in 0..8 {
            let _ = write!(log, ", \"train/metric_{metric}\": {}", f64::from(step + metric) / 3.0);
        }
        log.push_str("}\n");
    }
    decode(bencher, "jsonl", log.as_bytes());
}

/// Ten columns of numbers.
#[divan::bench]
fn csv_rows(bencher: Bencher<'_, '_>) {
    let mut log = String::from("step,a,b,c,d,e,f,g,h,i\n");
    for step in 0..60_000 {
        let cells: Vec<_> = (1..10).map(|column| (f64::from(step + column) / 3.0).to_string()).collect();
        let _ = writeln!(log, "{step},{}", cells.join(","));
    }
    decode(bencher, "csv", log.as_bytes());
}

/// Four metrics a record.
#[divan::bench]
fn native_scalars(bencher: Bencher<'_, '_>) {
    let mut log = String::from("{\"epochscope\":1,\"t\":\"run\"}\n");
    for step in 0..60_000 {
        let loss = 2.0 / f64::from(step + 1);
        let _ = writeln!(
            log,
            "{{\"t\":\"scalar\",\"step\":{step},\"wall\":1750000000.5,\"split\":\"train\",\
             \"v\":{{\"loss\":{loss},\"acc\":0.5,\"lr\":0.001,\"grad_norm\":{loss}}}}}"
        );
    }
    decode(bencher, "scope", log.as_bytes());
}

/// Decodes `log` as a reader does: a turn at a time, the sink emptied after each.
fn decode(bencher: Bencher<'_, '_>, format: &str, log: &[u8]) {
    let format = formats::by_name(format).expect("a registered format");
    bencher.counter(BytesCount::of_slice(log)).bench_local(|| {
        let (mut decoder, mut out) = (format.decoder(&Opening::at("log".as_ref())), Decoded::new());
        let (mut at, mut records) = (0, 0);
        while at < log.len() {
            let available = &log[at..log.len().min(at + TURN)];
            at += decoder.decode(available, &mut out).expect("an undamaged log").bytes;
            records += divan::black_box(out.take()).records;
        }
        records
    });
}
