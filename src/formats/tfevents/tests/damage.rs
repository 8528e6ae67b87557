//! Damaged files through the decoder: what is lost, what is not, and that it is the same however the bytes arrive.

use std::ops::Range;

use super::{decode, decode_in_pieces, header, opened, points, varied};
use crate::formats::{
    Consumed, Decoded, Decoder as _, Taken,
    tfevents::{EventDecoder, build::*},
};

/// How many more bytes a reader sees each time.
const PIECES: [usize; 5] = [1, 2, 3, 7, 64];

/// Numbers below what is asked for, the same ones in each run.
fn random() -> impl FnMut(usize) -> usize {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    }
}

/// Start and end of the stretches that were not used, those that touch made one.
fn lost(taken: &Taken) -> Vec<(u64, u64)> {
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for skip in &taken.skips {
        let end = skip.offset + skip.bytes;
        match stretches.last_mut() {
            Some(last) if last.1 == skip.offset => last.1 = end,
            _ => stretches.push((skip.offset, end)),
        }
    }
    stretches
}

/// Decodes `bytes` as a whole, after a comparison with what comes of them in pieces.
fn decode_however(bytes: &[u8], what: &str) -> Taken {
    let whole = decode(bytes);
    for step in PIECES {
        let pieces = decode_in_pieces(bytes, step);
        // By text, since NaN differs from itself.
        assert_eq!(format!("{:?}", pieces.parts), format!("{:?}", whole.parts), "{what}, pieces of {step}");
        assert_eq!(lost(&pieces), lost(&whole), "{what}, pieces of {step}");
        assert_eq!((pieces.records, &pieces.oddities), (whole.records, &whole.oddities), "{what}");
    }
    whole
}

/// Records of different lengths, each with its own step.
fn numbered(records: Range<i64>) -> Vec<Vec<u8>> {
    let tags = ["train/loss", "lr", "a/tag/that/is/rather/long"];
    records.map(|n| frame(&scalar(0.0, n, tags[n as usize % 3], 1.0))).collect()
}

/// Steps of all points.
fn steps(taken: &Taken) -> Vec<i64> {
    let columns = taken.parts.iter().flat_map(|p| &p.columns);
    let mut steps: Vec<_> = columns.flat_map(|c| c.points.iter().map(|p| p.step)).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn a_flipped_payload_byte_costs_one_record_and_is_listed_where_it_is() {
    let good: Vec<_> = (0..10).map(|step| frame(&scalar(0.0, step, "loss", 1.0))).collect();
    let mut bytes = good.concat();
    let at = good[..3].concat().len();
    bytes[at + 20] ^= 1;
    let taken = decode(&bytes);
    assert_eq!(taken.records, 9);
    assert_eq!(points(&taken).len(), 9);
    let [skip] = &taken.skips[..] else { panic!("{:?}", taken.skips) };
    assert_eq!((skip.offset, skip.bytes), (at as u64, good[3].len() as u64));
    assert_eq!(&*skip.reason, "checksum of the payload does not match");
}

#[test]
fn a_damaged_length_costs_one_record_at_any_piece_size() {
    let good: Vec<_> = (0..10).map(|step| frame(&scalar(0.0, step, "loss", 1.0))).collect();
    let mut bytes = good.concat();
    let at = good[..3].concat().len();
    bytes[at + 2] ^= 0x40;
    for step in [1, 5, 100, bytes.len()] {
        let taken = decode_in_pieces(&bytes, step);
        assert_eq!(points(&taken).len(), 9, "{step}");
        let bytes: u64 = taken.skips.iter().map(|s| s.bytes).sum();
        assert_eq!((taken.skips[0].offset, bytes), (at as u64, good[3].len() as u64), "{step}");
    }
    assert_eq!(decode(&bytes).skips.len(), 1);
}

#[test]
fn every_single_damaged_byte_costs_at_most_one_record() {
    let good: Vec<_> = (0..4).map(|step| frame(&scalar(0.0, step, "loss", 1.0))).collect();
    let bytes = good.concat();
    for at in 0..good[..3].concat().len() {
        let mut bad = bytes.clone();
        bad[at] = bad[at].wrapping_add(0x55);
        let taken = decode(&bad);
        assert_eq!((points(&taken).len(), taken.skips.len()), (3, 1), "{at}");
    }
}

#[test]
fn a_record_that_starts_in_the_last_bytes_of_a_damaged_one_is_found_however_it_arrives() {
    let records = numbered(0..4);
    let at = records[0].len() + 14;
    for missing in 1..records[1].len() - 14 {
        let mut bytes = records.concat();
        bytes.drain(at..at + missing);
        let taken = decode_however(&bytes, &format!("{missing} bytes are missing"));
        assert_eq!(steps(&taken), [0, 2, 3], "{missing}");
        let start = records[0].len() as u64;
        assert_eq!(lost(&taken), [(start, start + (records[1].len() - missing) as u64)]);
    }
}

#[test]
fn a_lookalike_of_a_record_among_rubbish_costs_nothing_else() {
    let records = numbered(0..3);
    let mut lookalike = frame(&[7; 40]);
    lookalike[20] ^= 1;
    // Cut short, it claims what is behind it.
    for end in [14, 30, lookalike.len()] {
        let rubbish = [b"rubbish, some of it ".to_vec(), lookalike[..end].to_vec()].concat();
        let bytes = [records[0].clone(), rubbish.clone(), records[1..].concat()].concat();
        let taken = decode_however(&bytes, &format!("{end} bytes of a lookalike"));
        assert_eq!(steps(&taken), [0, 1, 2], "{end}");
        let start = records[0].len() as u64;
        assert_eq!(lost(&taken), [(start, start + rubbish.len() as u64)], "{end}");
    }
}

#[test]
fn a_lost_or_added_stretch_costs_only_the_records_that_it_touches() {
    let records = numbered(0..12);
    let good = records.concat();
    let mut random = random();
    for _ in 0..400 {
        let (at, length) = (random(good.len()), 1 + random(120));
        let end = (at + length).min(good.len());
        let mut bytes = good.clone();
        let touched = if random(3) > 0 {
            bytes.drain(at..end);
            at..end
        } else {
            bytes.splice(at..at, (0..length).map(|_| random(256) as u8));
            at..at + 1
        };
        let taken = decode_however(&bytes, &format!("{touched:?} of {} bytes", good.len()));
        let mut start = 0;
        let untouched = records.iter().zip(0_i64..).filter_map(|(record, n)| {
            let range = start..start + record.len();
            start = range.end;
            (range.end <= touched.start || range.start >= touched.end).then_some(n)
        });
        let seen = steps(&taken);
        for n in untouched {
            assert!(seen.contains(&n), "{n} is missing after damage to {touched:?}: {seen:?}");
        }
    }
}

#[test]
fn what_is_read_of_a_damaged_file_does_not_depend_on_how_it_arrives() {
    let good = varied();
    let good = &good[..good.len() / 3];
    let mut random = random();
    for round in 0..250 {
        let mut bytes = good.to_vec();
        let mut what = format!("round {round}:");
        for _ in 0..=random(4) {
            let (at, length) = (random(bytes.len()), 1 + random(100));
            let end = (at + length).min(bytes.len());
            let kind = random(6);
            what = format!("{what} {kind} at {at}..{end}");
            match kind {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = 0,
                2 => drop(bytes.drain(at..end)),
                3 => drop(bytes.splice(at..at, (0..length).map(|_| random(256) as u8))),
                4 => bytes[at..end].fill(0),
                // A stretch comes twice, records with right checksums inside of others.
                _ => drop(bytes.splice(at..at, good[..length].to_vec())),
            }
        }
        if random(4) == 0 {
            bytes.resize(bytes.len() + random(40), 0);
        }
        decode_however(&bytes, &what);
    }
}

#[test]
fn a_damaged_last_record_waits_for_a_header_or_the_end_and_for_nothing_else() {
    let mut bad = numbered(1..2).concat();
    bad[20] ^= 1;
    let next = numbered(2..3).concat();
    for (more, counts) in [(0, 0), (11, 0), (12, 0), (next.len(), 1)] {
        let (mut decoder, mut out) = (opened(), Decoded::new());
        let bytes = [&bad[..], &next[..more]].concat();
        let consumed = decoder.decode(&bytes, &mut out).unwrap();
        if more < 11 {
            assert_eq!(consumed, Consumed::default(), "{more}");
            assert_eq!(decoder.decode_rest(&bytes, &mut out), bad.len());
        }
        let taken = out.take();
        assert_eq!((taken.skips.len(), taken.records), (1, counts), "{more}");
        assert_eq!((taken.skips[0].offset, taken.skips[0].bytes), (0, bad.len() as u64));
    }
}

#[test]
fn records_behind_one_that_claims_more_than_the_file_holds_are_read_at_the_end() {
    let mut records = numbered(0..4);
    let long = frame(&scalar(0.0, 100, &"x".repeat(500), 1.0));
    records[1] = long[..40].to_vec();
    let taken = decode_however(&records.concat(), "torn");
    assert_eq!(steps(&taken), [0, 2, 3]);
    assert_eq!(&*taken.skips[0].reason, "record is cut short; another begins within its length");
    let unfinished = decode_however(&records[..2].concat(), "unfinished");
    assert_eq!((steps(&unfinished), unfinished.skips.len()), (vec![0], 0));
}

#[test]
fn random_damage_never_panics_and_never_stops_reading() {
    let good = varied();
    let mut random = random();
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=random(5) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] ^= 1 << random(8),
                1 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, (0..random(40)).map(|_| 0xa5))),
            }
        }
        bytes.extend(frame(&scalar(0.0, 1000, "last", 1.0)));
        let taken = decode(&bytes);
        assert!(points(&taken).contains(&"last 1000 1".to_owned()));
        assert!(taken.records > 40);
    }
}

#[test]
fn a_row_of_headers_that_all_claim_much_ends_the_file_before_it_costs_the_square_of_its_size() {
    let mut bytes: Vec<u8> = (0..2000).flat_map(|_| header(1 << 20)).collect();
    bytes.resize(bytes.len() + (2 << 20), 0x5a);
    let mut decoder = EventDecoder::default();
    let mut out = Decoded::new();
    let taken = decoder.decode(&bytes, &mut out).unwrap();
    assert!(taken.bytes < 1000 * 12, "{}", taken.bytes);
    let error = decoder.decode(&bytes[taken.bytes..], &mut out).unwrap_err();
    assert_eq!(decoder.decode(&bytes, &mut out).unwrap_err(), error);
    assert!(error.to_string().contains("one within the other"), "{error}");
}

#[test]
fn what_is_listed_ends_where_the_file_does() {
    // A record that will never be whole; in it a whole one, and the start of one that claims to be larger than is read.
    let records = numbered(0..5);
    let good = records[..3].concat();
    let rest = [&records[3], &header(4096)[..], &[7; 20], &records[4], &header(1 << 32), &[1; 30]].concat();
    let mut bytes = [good.clone(), rest].concat();
    bytes[good.len() + 15] ^= 1;
    let whole = decode_however(&bytes, "a large record in the last one");
    assert_eq!(steps(&whole), [0, 1, 2, 4]);
    assert_eq!(lost(&whole).last().map(|(_, end)| *end), Some(bytes.len() as u64), "{:?}", whole.skips);
}
