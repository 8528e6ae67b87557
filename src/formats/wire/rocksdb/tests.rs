//! Small databases, written as `RocksDB` writes them.

use super::*;
use crate::formats::wire::crc32c::masked;

/// A change by its key.
pub type Written<'a> = (&'a [u8], Change<'a>);

fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn put_string(into: &mut Vec<u8>, text: &[u8]) {
    put_varint(into, text.len() as u64);
    into.extend(text);
}

/// A log with one record per batch of changes; the first change of all has the number `first`.
pub fn log(first: u64, batches: &[&[Written<'_>]]) -> Vec<u8> {
    let (mut bytes, mut sequence) = (Vec::new(), first);
    for changes in batches {
        let mut record = sequence.to_le_bytes().to_vec();
        record.extend((changes.len() as u32).to_le_bytes());
        for (key, change) in *changes {
            let (tag, value) = match change {
                Change::Put(value) => (1, Some(value)),
                Change::Delete => (0, None),
                Change::DeleteTo(end) => (15, Some(end)),
            };
            record.push(tag);
            put_string(&mut record, key);
            if let Some(value) = value {
                put_string(&mut record, value);
            }
        }
        sequence += changes.len() as u64;
        let mut rest = &record[..];
        let mut begun = false;
        loop {
            let room = (32 << 10) - bytes.len() % (32 << 10);
            if room < 7 {
                bytes.resize(bytes.len() + room, 0);
                continue;
            }
            let (data, behind) = rest.split_at(rest.len().min(room - 7));
            let kind = match (begun, behind.is_empty()) {
                (false, true) => 1,
                (false, false) => 2,
                (true, false) => 3,
                (true, true) => 4,
            };
            let checked = [&[kind], data].concat();
            bytes.extend(masked(&checked).to_le_bytes());
            bytes.extend((data.len() as u16).to_le_bytes());
            bytes.extend(checked);
            (begun, rest) = (true, behind);
            if rest.is_empty() {
                break;
            }
        }
    }
    bytes
}

fn block(entries: &[(Vec<u8>, Vec<u8>)], lengths: bool) -> Vec<u8> {
    let (mut block, mut before) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let shared = key.iter().zip(&before).take_while(|(a, b)| a == b).count();
        put_varint(&mut block, shared as u64);
        put_varint(&mut block, (key.len() - shared) as u64);
        if lengths {
            put_varint(&mut block, value.len() as u64);
        }
        block.extend(&key[shared..]);
        block.extend(value);
        before.clone_from(key);
    }
    block.extend(0_u32.to_le_bytes());
    block.extend(1_u32.to_le_bytes());
    block
}

fn store(file: &mut Vec<u8>, block: &[u8], packed: bool) -> (u64, u64) {
    let mut stored =
        if packed { snap::raw::Encoder::new().compress_vec(block).unwrap() } else { block.to_vec() };
    let place = (file.len() as u64, stored.len() as u64);
    stored.push(u8::from(packed));
    let checksum = masked(&stored);
    file.extend(stored);
    file.extend(checksum.to_le_bytes());
    place
}

fn place((offset, size): (u64, u64)) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, offset);
    put_varint(&mut bytes, size);
    bytes
}

/// A table with a few entries in each block; the changes are numbered from `first` on.
pub fn table(first: u64, changes: &[Written<'_>], packed: bool) -> Vec<u8> {
    let mut data = Vec::new();
    let mut ranges = Vec::new();
    for (sequence, (key, change)) in (first..).zip(changes) {
        let internal = |kind: u64| [key, &(sequence << 8 | kind).to_le_bytes()[..]].concat();
        match change {
            Change::Put(value) => data.push((internal(1), value.to_vec())),
            Change::Delete => data.push((internal(0), Vec::new())),
            Change::DeleteTo(end) => ranges.push((internal(15), end.to_vec())),
        }
    }
    data.sort();
    let (mut file, mut index) = (Vec::new(), Vec::new());
    for entries in data.chunks(3) {
        let at = store(&mut file, &block(entries, true), packed);
        index.push((vec![b'a', index.len() as u8], place(at)));
    }
    // keys that share nothing say their place in full
    for (key, _) in &mut index {
        key.reverse();
    }
    let at = store(&mut file, &block(&ranges, true), false);
    let meta = store(&mut file, &block(&[(b"rocksdb.range_del".to_vec(), place(at))], true), false);
    let index = store(&mut file, &block(&index, false), packed);
    let mut footer = [&[1][..], &place(meta), &place(index)].concat();
    footer.resize(41, 0);
    footer.extend(5_u32.to_le_bytes());
    footer.extend(0x88e2_41b7_85f4_cff7_u64.to_le_bytes());
    file.extend(footer);
    file
}

type Found = Vec<(Vec<u8>, u64, String)>;

fn read(each: impl Fn(&mut dyn FnMut(Entry<'_>)) -> Damage) -> (Found, Damage) {
    let mut found = Vec::new();
    let damage =
        each(&mut |entry| found.push((entry.key.to_vec(), entry.sequence, format!("{:?}", entry.change))));
    (found, damage)
}

fn changes() -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..40).map(|i| (format!("key/{i:02}").into_bytes(), vec![i as u8; 1700])).collect()
}

#[test]
fn a_log_is_read_across_its_blocks_and_as_far_as_it_is_written() {
    let changes = changes();
    let puts: Vec<[Written<'_>; 1]> = changes.iter().map(|(k, v)| [(&k[..], Change::Put(v))]).collect();
    let batches: Vec<&[Written<'_>]> = puts.iter().map(|p| &p[..]).collect();
    let bytes = log(7, &batches);
    let (whole, damage) = read(|take| each_of_log(&bytes, take));
    assert_eq!((whole.len(), damage), (40, Damage::default()));
    assert_eq!((whole[39].1, &whole[39].0[..]), (46, &b"key/39"[..]));
    for cut in (0..bytes.len()).step_by(97) {
        let (found, damage) = read(|take| each_of_log(&bytes[..cut], take));
        assert_eq!(damage, Damage::default(), "cut at {cut}");
        assert_eq!(found, whole[..found.len()], "cut at {cut}");
        assert!(found.len() >= cut / 1750, "cut at {cut}: {}", found.len());
    }
}

#[test]
fn a_damaged_chunk_costs_no_more_than_its_block_and_the_record_that_reaches_into_the_next() {
    let changes = changes();
    let puts: Vec<[Written<'_>; 1]> = changes.iter().map(|(k, v)| [(&k[..], Change::Put(v))]).collect();
    let batches: Vec<&[Written<'_>]> = puts.iter().map(|p| &p[..]).collect();
    let bytes = log(1, &batches);
    for at in (0..bytes.len()).step_by(53) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        let (found, damage) = read(|take| each_of_log(&damaged, take));
        assert!(damage.places > 0 || found.len() < 40, "{at}");
        assert!(found.len() >= 19, "flipped at {at}: {}", found.len());
    }
}

#[test]
fn a_table_is_read_packed_or_not_and_damage_costs_its_block() {
    let changes = changes();
    let mut written: Vec<Written<'_>> = changes.iter().map(|(k, v)| (&k[..], Change::Put(v))).collect();
    written.push((b"key/10", Change::DeleteTo(b"key/12")));
    written.push((b"key/99", Change::Delete));
    for packed in [false, true] {
        let bytes = table(1, &written, packed);
        let (found, damage) = read(|take| each_of_table(&bytes, take));
        assert_eq!((found.len(), damage), (42, Damage::default()));
        assert_eq!(found[0].1, 41, "deletions of ranges come first");
        for at in (0..bytes.len()).step_by(if packed { 7 } else { 211 }) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x80;
            let (found, damage) = read(|take| each_of_table(&damaged, take));
            let whole = found.len() == 42;
            assert!(whole || damage.places > 0 || damage.unfinished > 0, "flipped at {at}");
            for cut in [at, at / 2] {
                read(|take| each_of_table(&bytes[..cut], take));
            }
        }
        let (found, damage) = read(|take| each_of_table(&bytes[..bytes.len() - 1], take));
        assert_eq!((found.len(), damage.unfinished, damage.places), (0, 1, 0));
    }
}

#[test]
fn a_block_that_unpacks_to_more_than_16_mib_is_left_out() {
    let large = vec![0; 17 << 20];
    let bytes = table(1, &[(b"a", Change::Put(&large)), (b"b", Change::Put(b"x"))], true);
    let (found, damage) = read(|take| each_of_table(&bytes, take));
    assert_eq!((found.len(), damage.places), (0, 1));
    assert_eq!(damage.first, Some("a block of the table is too large"));
}
