//! Whole files and damaged ones, in pieces of any size.

use super::*;

const MAGIC: [u8; HEADER] = *b":TST\x01\x02\x03";

/// Writes as the library does: chunks that never cross a block, padding where no header fits.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Self { bytes: MAGIC.to_vec() }
    }

    fn record(mut self, data: &[u8]) -> Self {
        let mut rest = data;
        let mut first = true;
        loop {
            let left = BLOCK - self.bytes.len() % BLOCK;
            if left < HEADER {
                self.bytes.resize(self.bytes.len() + left, 0);
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(left - HEADER));
            let last = later.is_empty();
            self.chunk(
                match (first, last) {
                    (true, true) => 1,
                    (true, false) => 2,
                    (false, false) => 3,
                    (false, true) => 4,
                },
                now,
            );
            (rest, first) = (later, false);
            if last {
                return self;
            }
        }
    }

    fn chunk(&mut self, kind: u8, data: &[u8]) {
        let crc = crc32fast::hash(&[&[kind], data].concat());
        self.bytes.extend(crc.to_le_bytes());
        self.bytes.extend((data.len() as u16).to_le_bytes());
        self.bytes.push(kind);
        self.bytes.extend(data);
    }
}

/// Records (first byte and length), stretches that were lost, bytes used.
#[derive(Clone, PartialEq, Debug, Default)]
struct Read {
    records: Vec<(u8, usize, u64)>,
    lost: Vec<(u64, u64, String)>,
    used: usize,
}

fn read(bytes: &[u8], piece: usize) -> Read {
    let (mut blocks, mut out, mut read) = (Blocks::new(MAGIC), Decoded::new(), Read::default());
    let mut end = 0;
    let mut turn = |shown: &[u8], at_end: bool, read: &mut Read| {
        let records = &mut read.records;
        let taken = blocks.each(shown, at_end, "none", &mut out, |record, place, _| {
            records.push((record.first().copied().unwrap_or(0), record.len(), place.offset));
            if record.first() == Some(&b'!') { Err(Malformed) } else { Ok(()) }
        });
        for skip in out.take().skips {
            read.lost.push((skip.offset, skip.bytes, skip.reason.to_string()));
        }
        read.used += taken.unwrap();
    };
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        turn(&bytes[read.used..end], false, &mut read);
    }
    turn(&bytes[read.used..], true, &mut read);
    read
}

/// The same however the bytes arrive.
fn read_however(bytes: &[u8], what: &str) -> Read {
    let whole = read(bytes, bytes.len().max(1));
    for piece in [1, 7, 100, 4096] {
        if bytes.len() / piece < 50_000 {
            assert_eq!(read(bytes, piece), whole, "{what}, pieces of {piece}");
        }
    }
    whole
}

fn numbered(records: usize, length: usize) -> Writer {
    (0..records).fold(Writer::new(), |writer, n| writer.record(&vec![n as u8 + 1; length + n]))
}

#[test]
fn records_longer_than_a_block_come_in_one_piece() {
    let lengths = [0, 1, BLOCK - 14 - 8, BLOCK, 3 * BLOCK + 11, 5];
    let file = lengths.iter().fold(Writer::new(), |writer, n| writer.record(&vec![9; *n])).bytes;
    let read = read_however(&file, "lengths");
    assert_eq!(read.records.iter().map(|r| r.1).collect::<Vec<_>>(), lengths);
    assert_eq!((read.lost.len(), read.used), (0, file.len()));
}

#[test]
fn a_chunk_may_end_anywhere_before_the_end_of_its_block() {
    for left in 0..20 {
        let fill = BLOCK - HEADER - HEADER - left;
        let file = Writer::new().record(&vec![1; fill]).record(b"2").record(b"3").bytes;
        let read = read_however(&file, &format!("{left} bytes left"));
        assert_eq!(
            read.records.iter().map(|r| (r.0, r.1)).collect::<Vec<_>>(),
            [(1, fill), (b'2', 1), (b'3', 1)]
        );
    }
}

#[test]
fn a_torn_record_waits_and_costs_nothing() {
    let file = numbered(3, 40_000).bytes;
    let whole = read(&file, file.len());
    for cut in (0..file.len()).step_by(997) {
        let read = read(&file[..cut], 50_000);
        assert!(read.lost.is_empty(), "{cut}: {:?}", read.lost);
        assert_eq!(read.records, whole.records[..read.records.len()]);
        assert!(read.used <= cut);
    }
}

#[test]
fn every_damaged_byte_costs_one_record_at_most() {
    let file = numbered(6, 20).bytes;
    let whole = read(&file, file.len()).records;
    for at in HEADER..file.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bad = file.clone();
            bad[at] ^= flip;
            let read = read_however(&bad, &format!("{at} flipped"));
            assert!(read.records.len() + 1 >= whole.len(), "{at}: {:?}", read.records);
            assert!(read.records.iter().all(|r| whole.contains(r)), "{at}");
            assert!(read.used < file.len() || read.lost.len() == 1, "{at}: {:?}", read.lost);
        }
    }
}

#[test]
fn a_damaged_block_is_left_for_the_next_one() {
    let file = numbered(9, 10_000).bytes;
    let whole = read(&file, file.len()).records;
    let mut bad = file.clone();
    for byte in &mut bad[BLOCK..2 * BLOCK] {
        *byte = 0x5a;
    }
    let read = read_however(&bad, "a block overwritten");
    assert!(read.records.len() >= 4 && read.records.iter().all(|r| whole.contains(r)), "{:?}", read.records);
    assert!(read.records.contains(&whole[8]));
    let lost: u64 = read.lost.iter().map(|l| l.1).sum();
    assert!((BLOCK as u64..2 * BLOCK as u64 + 10_100).contains(&lost), "{lost}");
}

#[test]
fn zeros_at_the_end_are_pages_to_come_and_zeros_before_data_are_a_hole() {
    let mut file = numbered(3, 10).bytes;
    let good = file.len();
    file.resize(3 * BLOCK, 0);
    let read_zeros = read_however(&file, "zeros at the end");
    assert_eq!((read_zeros.records.len(), read_zeros.lost.len(), read_zeros.used), (3, 0, good));
    let mut writer = Writer { bytes: file };
    writer = writer.record(b"after");
    let read = read_however(&writer.bytes, "a hole");
    assert_eq!(read.records.last().map(|r| r.0), Some(b'a'));
    let lost: u64 = read.lost.iter().map(|l| l.1).sum();
    assert_eq!(lost, (3 * BLOCK - good) as u64);
    assert!(read.lost.iter().all(|l| l.2 == reason::HOLE), "{:?}", read.lost);
}

#[test]
fn pieces_without_their_start_or_end_are_listed() {
    let mut writer = Writer::new();
    writer.chunk(4, b"no start");
    writer.chunk(2, b"no end");
    writer.chunk(1, b"whole");
    writer.chunk(2, b"a");
    writer.chunk(3, b"b");
    writer.chunk(4, b"c");
    writer.chunk(9, b"what");
    let read = read_however(&writer.bytes, "pieces");
    assert_eq!(read.records.iter().map(|r| (r.0, r.1)).collect::<Vec<_>>(), [(b'w', 5), (b'a', 3)]);
    let why: Vec<&str> = read.lost.iter().map(|l| l.2.as_str()).collect();
    assert_eq!(why, [reason::NO_START, reason::NO_END, reason::UNKNOWN]);
}

#[test]
fn what_is_called_malformed_is_listed_and_the_next_record_is_read() {
    let file = Writer::new().record(b"!bad").record(b"good").bytes;
    let read = read_however(&file, "malformed");
    assert_eq!(read.lost, [(7, 11, "none".to_owned())]);
    assert_eq!(read.records.len(), 2);
}

#[test]
fn another_magic_number_is_another_format() {
    let mut blocks = Blocks::new(MAGIC);
    let mut out = Decoded::new();
    assert_eq!(blocks.each(&MAGIC[..6], false, "", &mut out, |_, _, _| Ok(())), Ok(0));
    assert!(blocks.each(b":W&B\xe1\xbe\0", false, "", &mut out, |_, _, _| Ok(())).is_err());
}

#[test]
fn headers_that_all_claim_a_whole_block_are_given_up_in_time() {
    let mut file = MAGIC.to_vec();
    file.resize(24 * BLOCK, 1);
    // Each place of each block looks like a chunk of 257 bytes whose checksum is wrong.
    let read = read(&file, file.len());
    assert!(read.records.is_empty() && read.used == file.len());
}
