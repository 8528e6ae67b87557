//! Every format of the registry on a large log of its own: `cargo bench --bench formats [-- OPTION… NAME…]`.
//!
//! Logs are made on the spot, the same ones each time. Time is the processor time of the decoding thread, the best of
//! several rounds. `NAME`: only samples whose name contains it; `--mib N`: about so large; `--write FOLDER`: leave the
//! samples there, for other readers; `--json`: a line of JSON for each sample instead of the table.

mod binary;
mod documents;
#[path = "../parts/event.rs"]
mod event;
mod lines;
mod samples;
mod texts;

use std::{collections::BTreeSet, fs, hint::black_box, path::Path};

use epochscope::formats::{Candidate, Decoded, FORMATS, Format, HEAD_BYTES, Opening, Recognised, recognise};
use rustix::time::{ClockId, clock_gettime};
use samples::{SAMPLES, Sample};

/// Bytes that a reader shows a decoder at a time.
const TURN: usize = 1 << 20;
/// Processor time that the rounds of one sample take together at least.
const SECONDS: f64 = 0.6;
const ROUNDS: usize = 4;

/// What was read.
#[derive(Clone, Copy, Default)]
struct Read {
    points: u64,
    records: u64,
    sum: f64,
}

fn main() {
    let mut mib = 16.0;
    let (mut folder, mut json, mut names) = (None, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--mib" => mib = arguments.next().and_then(|n| n.parse().ok()).expect("a number of MiB"),
            "--write" => folder = arguments.next(),
            "--json" => json = true,
            "--bench" => {}
            name => names.push(name.to_owned()),
        }
    }
    if !json {
        println!(
            "| format | log | MiB | MiB/s | M points/s | records/s |\n| --- | --- | --- | --- | --- | --- |"
        );
    }
    let mut seen = BTreeSet::new();
    for sample in SAMPLES {
        seen.insert(sample.format);
        if !names.is_empty() && !names.iter().any(|n| sample.title().contains(n.as_str())) {
            continue;
        }
        let bytes = (sample.make)((mib * f64::from(1 << 20)) as usize);
        if let Some(folder) = &folder {
            let path = Path::new(folder).join(sample.path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder that can be made");
            fs::write(path, &bytes).expect("a file that can be written");
        }
        report(sample, &bytes, json);
    }
    for format in FORMATS.iter().filter(|f| !seen.contains(f.name())) {
        println!("no sample of {}", format.name());
    }
}

fn report(sample: &Sample, bytes: &[u8], json: bool) {
    let path = Path::new(sample.path);
    let candidate = Candidate {
        path,
        name: path.file_name().and_then(|n| n.to_str()).unwrap_or_default(),
        head: &bytes[..bytes.len().min(HEAD_BYTES)],
        whole: bytes.len() <= HEAD_BYTES,
    };
    let Recognised::As(format) = recognise(&candidate) else { panic!("{} is of no format", sample.title()) };
    assert_eq!(format.name(), sample.format, "{}", sample.title());
    let (mut best, mut spent, mut rounds, mut read) = (f64::INFINITY, 0.0, 0, Read::default());
    while spent < SECONDS || rounds < ROUNDS {
        let start = processor_time();
        read = black_box(decode(format, path, bytes));
        let seconds = processor_time() - start;
        best = best.min(seconds);
        spent += seconds;
        rounds += 1;
    }
    let mib = bytes.len() as f64 / f64::from(1 << 20);
    let Read { points, records, sum } = read;
    if json {
        println!(
            "{{\"file\":\"{}\",\"reader\":\"epochscope\",\"format\":\"{}\",\"bytes\":{},\"seconds\":{best:.5},\
             \"values\":{points},\"records\":{records},\"sum\":{sum}}}",
            sample.path,
            sample.format,
            bytes.len()
        );
    } else {
        println!(
            "| {} | {} | {mib:.1} | {:.0} | {:.1} | {:.2e} |",
            sample.format,
            sample.what,
            mib / best,
            points as f64 / best / 1e6,
            records as f64 / best
        );
    }
}

/// Of this thread: what else the machine does is not counted.
fn processor_time() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// As a tail does it: a turn at a time, or a whole document at once, the columns handed on after each.
fn decode(format: &dyn Format, path: &Path, bytes: &[u8]) -> Read {
    let (mut decoder, mut out) = (format.decoder(&Opening::at(path)), Decoded::new());
    let turn = if decoder.whole_document() { bytes.len() } else { TURN };
    let (mut at, mut room, mut read) = (0, turn, Read::default());
    while at < bytes.len() {
        let shown = &bytes[at..bytes.len().min(at + room)];
        let used = decoder.decode(shown, &mut out).expect("an undamaged log").bytes;
        if used == 0 && at + shown.len() == bytes.len() {
            decoder.decode_rest(shown, &mut out);
            take(&mut out, &mut read);
            break;
        }
        room = if used == 0 { room * 2 } else { turn };
        at += used;
        take(&mut out, &mut read);
    }
    read
}

fn take(out: &mut Decoded, read: &mut Read) {
    let taken = out.take();
    assert!(taken.skips.is_empty(), "an undamaged log: {:?}", taken.skips.first());
    read.records += taken.records;
    for column in taken.parts.into_iter().flat_map(|part| part.columns) {
        read.points += column.points.len() as u64;
        read.sum += column.points.iter().map(|p| p.value).filter(|v| v.is_finite()).sum::<f64>();
    }
}
