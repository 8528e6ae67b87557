//! What every format must hold, checked over the registry: a new one is tested by being registered.

use std::collections::BTreeSet;

use epochscope::formats::{Candidate, Claim, FORMATS, Format, Opening, by_name};

use crate::builders::{
    feeding::{Feeder, read_in_pieces, read_in_pieces_at, read_whole, read_whole_at},
    samples::{Sample, by_format, json_lines, native_log, table},
};

/// Bytes of a sample that are tried at every position.
const EVERY_POSITION: usize = 2048;
/// Places that are tried in a whole document, which cannot be shortened.
const PLACES: usize = 400;
/// Samples of one format that are cut and damaged everywhere.
const SAMPLES_OF_EACH: usize = 8;
/// Bytes of a sample that are fed byte by byte.
const BYTE_BY_BYTE: usize = 16 << 10;

/// The part of a sample that is cut and damaged, and the places where: all of its beginning, or some all over a
/// document.
fn places<'a>(format: &dyn Format, sample: &'a Sample) -> (&'a [u8], impl Iterator<Item = usize> + use<>) {
    let document = format.decoder(&Opening::at(sample.name.as_ref())).whole_document();
    let bytes = if document { &sample.bytes } else { sample.beginning(EVERY_POSITION) };
    let stride = if bytes.len() > EVERY_POSITION { bytes.len() / PLACES } else { 1 };
    (bytes, (0..bytes.len()).step_by(stride))
}

fn each_sample(mut check: impl FnMut(&'static dyn Format, &Sample)) {
    for (format, samples) in by_format() {
        for sample in &samples {
            check(format, sample);
        }
    }
}

/// Some samples of each format, of all sizes: the fiftieth event file breaks like the others.
fn some_of_each(mut check: impl FnMut(&'static dyn Format, &Sample)) {
    for (format, samples) in by_format() {
        let some = samples.len().min(SAMPLES_OF_EACH);
        for at in 0..some {
            check(format, &samples[at * (samples.len() - 1) / (some - 1).max(1)]);
        }
    }
}

#[test]
fn every_format_says_what_it_is() {
    let names: BTreeSet<_> = FORMATS.iter().map(|f| f.name()).collect();
    assert_eq!(names.len(), FORMATS.len(), "names are unique");
    for format in FORMATS {
        assert!(by_name(format.name()).is_some());
        assert!(!format.summary().is_empty() && !format.patterns().is_empty(), "{}", format.name());
        assert!(format.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }
}

#[test]
fn every_format_has_a_sample_that_it_reads() {
    for (format, samples) in by_format() {
        assert!(!samples.is_empty(), "put a sample of {} into sample_logs/", format.name());
        for sample in samples {
            let reading = read_whole_at(format, &sample.name, &sample.bytes);
            assert!(reading.frames > 0, "{} {}", format.name(), sample.name);
            assert_eq!(reading.fatal, None, "{} {}", format.name(), sample.name);
        }
    }
}

#[test]
fn a_file_of_strange_bytes_is_claimed_by_nobody() {
    let strange: Vec<u8> = (0..512_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    for format in FORMATS {
        for name in format.patterns().iter().map(|p| p.replace('*', "x")) {
            let candidate = |head, whole| Candidate { path: name.as_ref(), name: &name, head, whole };
            format.recognises(&candidate(&[], true));
            assert_ne!(format.recognises(&candidate(&strange, true)), Claim::Yes, "{name}");
            // and while it is read by force, nothing breaks
            read_whole(*format, &strange);
        }
    }
}

#[test]
fn the_same_is_read_however_the_bytes_arrive() {
    each_sample(|format, sample| {
        for size in [1, 2, 3, 7, 64, 4096] {
            let bytes = if size < 64 { sample.beginning(BYTE_BY_BYTE) } else { &sample.bytes };
            let whole = read_whole_at(format, &sample.name, bytes);
            assert_eq!(
                read_in_pieces_at(format, &sample.name, bytes, &[size]),
                whole,
                "{} in pieces of {size}",
                sample.name
            );
        }
    });
}

#[test]
fn a_file_cut_anywhere_is_read_as_before_once_it_is_complete() {
    some_of_each(|format, sample| {
        let (bytes, cuts) = places(format, sample);
        let whole = read_whole_at(format, &sample.name, bytes);
        for cut in cuts {
            // where it stands is as good as where it is cut
            let torn = read_whole_at(format, &sample.name, &bytes[..cut]);
            assert!(torn.frames <= whole.frames && torn.consumed <= cut as u64, "{} at {cut}", sample.name);
            let mut feeder = Feeder::named(format, sample.name.as_ref(), bytes);
            feeder.grow_to(cut);
            feeder.grow_to(bytes.len());
            assert_eq!(feeder.finish(), whole, "{} cut at {cut}", sample.name);
        }
    });
}

#[test]
fn a_flipped_byte_costs_no_more_than_its_surroundings_and_never_a_panic() {
    some_of_each(|format, sample| {
        let (bytes, places) = places(format, sample);
        for at in places {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= flip;
                let reading = read_whole_at(format, &sample.name, &damaged);
                let output = reading.points() + reading.skips.len();
                assert!(output <= damaged.len(), "{} flipped at {at}: {output} things", sample.name);
                for (offset, length, reason) in &reading.skips {
                    assert!(offset + length <= damaged.len() as u64, "{} at {at}: {reason}", sample.name);
                }
            }
        }
    });
}

#[test]
fn a_large_file_survives_damage_anywhere() {
    for (format, samples) in by_format() {
        let Some(sample) = samples.last().filter(|s| s.bytes.len() > EVERY_POSITION) else { continue };
        let bytes = sample.beginning(256 << 10);
        for part in 0..24 {
            let at = bytes.len() * part / 24;
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x55;
            let whole = read_whole_at(format, &sample.name, &damaged).joined();
            let pieces = read_in_pieces_at(format, &sample.name, &damaged, &[4099, 1 << 16]).joined();
            assert_eq!(whole, pieces, "{} flipped at {at}", sample.name);
        }
    }
}

#[test]
fn damage_is_told_of_in_the_same_words_however_the_bytes_arrive() {
    each_sample(|format, sample| {
        let bytes = sample.beginning(EVERY_POSITION);
        for at in (0..bytes.len()).step_by(61) {
            // the end comes soon after, while the next record is still looked for
            let mut damaged = bytes[..bytes.len().min(at + 45)].to_vec();
            damaged[at] ^= 0x55;
            let whole = read_whole_at(format, &sample.name, &damaged).joined();
            for sizes in [[7, 64, 256], [1, 1, 1], [13, 2, 29]] {
                let pieces = read_in_pieces_at(format, &sample.name, &damaged, &sizes).joined();
                assert_eq!(whole, pieces, "{} flipped at {at}, in pieces of {sizes:?}", sample.name);
            }
        }
    });
}

#[test]
fn hostile_lengths_are_compared_before_memory_is_taken() {
    let lengths: [u64; 4] = [1 << 32, 1 << 46, u64::MAX, u64::MAX / 2 + 1];
    some_of_each(|format, sample| {
        let bytes = sample.beginning(EVERY_POSITION);
        for length in lengths {
            for at in (0..bytes.len().saturating_sub(8)).step_by(if bytes.len() > 512 { 13 } else { 1 }) {
                let mut damaged = bytes.to_vec();
                damaged[at..at + 8].copy_from_slice(&length.to_le_bytes());
                read_whole_at(format, &sample.name, &damaged);
            }
        }
    });
    // framed records with a correct checksum over a hostile length
    for length in lengths {
        let length = length.to_le_bytes();
        let masked = crc32c::crc32c(&length).rotate_right(15).wrapping_add(0xa282_ead8);
        let mut frame = length.to_vec();
        frame.extend(masked.to_le_bytes());
        frame.extend([0; 64]);
        for format in FORMATS {
            read_whole(*format, &frame);
        }
    }
}

#[test]
fn skips_name_the_bytes_that_were_not_used() {
    for (sample, line_feed_first) in [(native_log(), 3), (json_lines(), 1)] {
        let format = sample.format().unwrap();
        let clean = read_whole(format, &sample.bytes);
        let at =
            sample.bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(line_feed_first).unwrap().0 + 1;
        let broken = b"{\"t\":\"scalar\",\"step\":3,\"v\":{\"loss\"\n";
        let damaged = [&sample.bytes[..at], broken, &sample.bytes[at..]].concat();
        let reading = read_whole(format, &damaged);
        assert_eq!(reading.frames, clean.frames, "{}: nothing else is lost", sample.name);
        let new: Vec<_> = reading.skips.iter().filter(|s| s.0 == at as u64).collect();
        assert_eq!(new.len(), 1, "{}: {:?}", sample.name, reading.skips);
        assert_eq!(new[0].1, broken.len() as u64);
    }
    let sample = table();
    let reading = read_whole(sample.format().unwrap(), &sample.bytes);
    let row = b"3,1\r\n";
    let at = sample.bytes.windows(row.len()).position(|w| w == row).unwrap();
    assert_eq!(reading.skips, [(at as u64, 5, "2 cells where the header has 5".to_owned())]);
}

#[test]
fn control_characters_in_names_come_through_unchanged() {
    let tag = "a\u{1b}[2Jb\u{7}\u{202e}";
    for sample in [
        Sample::new("x.jsonl", format!("{{\"step\":1,\"{tag}\":0.5,\"loss\":1}}\n")),
        Sample::new("x.scope.jsonl", format!("{{\"t\":\"scalar\",\"step\":1,\"v\":{{\"{tag}\":0.5}}}}\n")),
        Sample::new("x.csv", format!("step,{tag},loss\n1,0.5,1\n")),
    ] {
        let reading = read_whole(sample.format().unwrap(), &sample.bytes);
        assert_eq!(reading.series(tag), [(1, 0.5)], "{}", sample.name);
    }
}

#[test]
fn a_line_that_never_ends_takes_no_memory_and_is_listed_once() {
    let limit = 64 << 20;
    for (sample, start) in [(native_log(), "{\"t\":\""), (json_lines(), "{\"step\": 9, \"x\": \"")] {
        let format = sample.format().unwrap();
        let mut bytes = start.as_bytes().to_vec();
        bytes.resize(limit + 100, b'x');
        bytes.extend(b"\"}\n");
        let end = bytes.len();
        bytes.extend(&native_log().bytes);
        let reading = read_in_pieces(format, &bytes, &[8 << 20]);
        assert_eq!(reading.skips[0], (0, end as u64, "line longer than 64 MiB".to_owned()));
        assert!(reading.frames > 0, "the lines behind it are read");
        let mut feeder = Feeder::new(format, &bytes);
        feeder.grow_to(limit + 50);
        assert_eq!(feeder.reading.consumed, limit as u64 + 50, "nothing of it needs to be kept");
    }
}

#[test]
fn only_rewritten_headers_have_a_fingerprint() {
    each_sample(|format, sample| {
        let mut feeder = Feeder::named(format, sample.name.as_ref(), &sample.bytes);
        feeder.grow_to(sample.bytes.len());
        let fingerprint = feeder.fingerprint_bytes();
        assert!(fingerprint <= (64 << 10) && fingerprint <= sample.bytes.len(), "{}", sample.name);
        if format.name() == "csv" {
            assert_eq!(sample.bytes[fingerprint - 1], b'\n', "{}: a whole header", sample.name);
        }
    });
}

#[test]
fn a_document_says_nothing_until_it_is_whole_and_then_all_with_what_lies_beside_it() {
    let format = crate::ingest::TEST_FORMATS[1];
    let bytes = b"{\nloss 1 0.5\nloss 2 0.25\n}\n";
    for cut in 0..bytes.len() {
        let mut feeder = Feeder::new(format, bytes).with("-wal", b"loss 3 0.125\n");
        feeder.grow_to(cut);
        assert_eq!(feeder.finish().points(), 0, "cut at {cut}");
    }
    let mut feeder = Feeder::new(format, bytes).with("-wal", b"loss 3 0.125\n");
    feeder.grow_to(5);
    feeder.grow_to(bytes.len());
    assert_eq!(feeder.finish().series("loss"), [(3, 0.125), (1, 0.5), (2, 0.25)]);
}
