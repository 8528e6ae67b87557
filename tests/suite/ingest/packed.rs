//! Compressed logs: recognised by what is inside, read as a stream, followed when they change.

use std::{fs, io::Write as _, path::Path, time::Duration};

use super::{Follower, TEST_FORMATS, append, bench::Heard, follow_options, lines, once, write};
use epochscope::{formats::FORMATS, ingest::Machinery};
use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::tempdir;

fn machinery() -> Machinery {
    Machinery { formats: TEST_FORMATS, ..Machinery::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Lines that do not compress well.
fn noise(count: i64) -> (String, Vec<i64>) {
    let value = |step: i64| (step.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()) >> 3).unsigned_abs();
    let text: Vec<String> = (0..count).map(|step| format!("loss {step} 0.{}\n", value(step))).collect();
    (text.concat(), (0..count).collect())
}

fn read(folder: &Path) -> Heard {
    once(follow_options(folder), machinery())
}

fn why(heard: &Heard, path: &str) -> String {
    format!("{:?}", heard.file(path).unwrap().state)
}

#[test]
fn packed_logs_are_read_like_the_plain_ones() {
    let (text, steps) = noise(200_000);
    for (name, packed) in [("x.tl.gz", gzip(text.as_bytes())), ("x.tl.zst", zstd(text.as_bytes()))] {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join(name), &packed).unwrap();
        let heard = read(dir.path());
        assert_eq!(heard.steps(".", "loss"), steps, "{name}");
        let health = heard.file(name).unwrap();
        assert_eq!((health.state.name(), health.pending_bytes), ("ended", 0), "{name}");
        let size = packed.len() as u64;
        assert_eq!((health.bytes, health.read_bytes), (size, size), "{name}: sizes on the disk");
    }
}

#[test]
fn members_and_frames_one_after_another_are_one_log() {
    let dir = tempdir().unwrap();
    let parts = [lines(0..3), lines(3..5), lines(5..9)].map(String::into_bytes);
    fs::write(dir.path().join("a.tl.gz"), parts.each_ref().map(|p| gzip(p)).concat()).unwrap();
    let mut frames = parts.each_ref().map(|p| zstd(p)).to_vec();
    // a frame to be passed over: magic number, length, content
    frames.insert(1, [&0x184D_2A50_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat());
    fs::write(dir.path().join("b.tl.zst"), frames.concat()).unwrap();
    let heard = read(dir.path());
    for run in ["a.tl", "b.tl"] {
        assert_eq!(heard.steps(run, "loss"), (0..9).collect::<Vec<_>>(), "{run}: {:?}", heard.files);
    }
}

#[test]
fn the_last_line_counts_without_its_end_only_where_the_stream_is_whole() {
    let dir = tempdir().unwrap();
    let text = [lines(0..5), "loss 5 0.25".into()].concat();
    fs::write(dir.path().join("a.tl.gz"), gzip(text.as_bytes())).unwrap();
    assert_eq!(read(dir.path()).steps(".", "loss"), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_stream_that_is_cut_short_or_damaged_keeps_what_was_read_and_says_so() {
    let (text, steps) = noise(100_000);
    for (name, packed) in [("x.tl.gz", gzip(text.as_bytes())), ("x.tl.zst", zstd(text.as_bytes()))] {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join(name), &packed[..packed.len() / 2]).unwrap();
        let heard = read(dir.path());
        let found = heard.steps(".", "loss");
        assert!(found.len() > 10_000 && steps.starts_with(&found), "{name}: {} steps", found.len());
        assert!(why(&heard, name).contains("cut short"), "{}", why(&heard, name));
        let mut damaged = packed.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 20].fill(0xff);
        fs::write(dir.path().join(name), &damaged).unwrap();
        let heard = read(dir.path());
        assert!(heard.steps(".", "loss").len() > 10_000, "{name}");
        assert!(why(&heard, name).contains("damaged"), "{}", why(&heard, name));
    }
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_stream_is_survived() {
    for packed in [gzip(lines(0..20).as_bytes()), zstd(lines(0..20).as_bytes())] {
        let dir = tempdir().unwrap();
        let ending = if packed[0] == 0x1f { "gz" } else { "zst" };
        for at in 0..packed.len() {
            fs::create_dir(dir.path().join(format!("{at}"))).unwrap();
            fs::write(dir.path().join(format!("{at}/cut.tl.{ending}")), &packed[..at]).unwrap();
            let mut flipped = packed.clone();
            flipped[at] ^= 0x41;
            fs::write(dir.path().join(format!("{at}/flip.tl.{ending}")), &flipped).unwrap();
        }
        let heard = read(dir.path());
        assert!(!heard.points.is_empty() && heard.scan.complete);
        assert!(!format!("{:?}", heard.files).contains("broke down"), "{:?}", heard.files);
    }
}

#[test]
fn what_only_expands_is_not_read_for_ever() {
    let dir = tempdir().unwrap();
    let zeros = vec![0; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(lines(0..3).as_bytes()).unwrap();
    for _ in 0..400 {
        encoder.write_all(&zeros).unwrap();
    }
    fs::write(dir.path().join("a.tl.gz"), encoder.finish().unwrap()).unwrap();
    let heard = read(dir.path());
    assert_eq!(heard.steps(".", "loss"), [0, 1, 2]);
    let why = why(&heard, "a.tl.gz");
    assert!(why.contains("expands") || why.contains("larger than any"), "{why}");
}

#[test]
fn a_packed_file_that_changes_is_read_anew() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl.gz");
    fs::write(&file, gzip(lines(0..3).as_bytes())).unwrap();
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[0, 1, 2]);
    append(&file, "");
    let mut longer = fs::read(&file).unwrap();
    longer.extend(gzip(lines(3..5).as_bytes()));
    fs::write(&file, longer).unwrap();
    follower.until_steps(".", "loss", &[0, 1, 2, 3, 4]);
    assert_eq!(follower.heard.resets, 1);
}

#[test]
fn a_log_that_is_packed_while_it_is_watched_is_not_read_twice() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..3));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[0, 1, 2]);
    fs::write(dir.path().join("a.tl.gz"), gzip(lines(0..3).as_bytes())).unwrap();
    follower.listen(Duration::from_millis(100));
    fs::remove_file(&file).unwrap();
    follower.until("gone", |h| h.state("a.tl") == "gone");
    append(&dir.path().join("a.tl.gz"), "");
    follower.listen(Duration::from_millis(200));
    assert_eq!((follower.heard.files.len(), follower.heard.steps(".", "loss").len()), (1, 3));
}

#[test]
fn documents_and_files_named_so_for_nothing() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.doc.gz"), gzip(b"{\nloss 1 0.5\n}\n")).unwrap();
    fs::write(dir.path().join("b.tl.gz"), lines(0..3)).unwrap();
    fs::write(dir.path().join("c.tl.gz"), b"").unwrap();
    fs::write(dir.path().join("d.tar.gz"), gzip(lines(0..3).as_bytes())).unwrap();
    let heard = read(dir.path());
    assert_eq!(heard.runs(), ["."]);
    assert_eq!(heard.steps(".", "loss"), [1]);
    let listed = format!("{:?}", heard.scan.passed_over);
    assert!(listed.contains("nothing can be unpacked") && listed.contains("d.tar.gz"), "{listed}");
}

#[test]
fn a_packed_event_file_is_read() {
    let dir = tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs/torch-tensorboard/healthy");
    let source = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).next().unwrap();
    let name = source.file_name().unwrap().to_str().unwrap();
    write(&dir.path().join("plain/.keep"), "");
    write(&dir.path().join("packed/.keep"), "");
    fs::copy(&source, dir.path().join("plain").join(name)).unwrap();
    fs::write(dir.path().join(format!("packed/{name}.gz")), gzip(&fs::read(&source).unwrap())).unwrap();
    let heard = once(follow_options(dir.path()), Machinery { formats: FORMATS, ..Machinery::default() });
    let of = |run: &str| -> Vec<_> {
        let mine = heard.points.iter().filter(|((r, _, _), _)| r == run);
        mine.map(|((_, label, _), points)| (label.clone(), points.clone())).collect()
    };
    assert!(!of("plain").is_empty());
    assert_eq!(of("plain"), of("packed"));
}
