//! What the fuzz targets share: a file is read as a whole and in pieces of any size, and nothing may differ,
//! break or grow beyond bounds.
//!
//! `cargo fuzz run csv --sanitizer none` on stable; seeds: `fuzz/seeds.sh`.

#[path = "../../tests/suite/builders/feeding.rs"]
pub mod feeding;

use std::path::Path;

use epochscope::formats::{Candidate, Format, HEAD_BYTES, Recognised, by_name, recognise};
use feeding::{read_in_pieces, read_whole};

/// Splits the input: its first bytes say how the rest arrives.
fn arrival(input: &[u8]) -> ([usize; 3], &[u8]) {
    let (sizes, bytes) = input.split_at_checked(3).unwrap_or((&[1, 7, 64], input));
    let size = |at: usize| 1 + sizes.get(at).map_or(0, |b| usize::from(*b));
    ([size(0), size(1), size(2)], bytes)
}

fn check(format: &dyn Format, sizes: &[usize], bytes: &[u8]) {
    let whole = read_whole(format, bytes).joined();
    let pieces = read_in_pieces(format, bytes, sizes).joined();
    assert_eq!(whole, pieces, "read in pieces of {sizes:?}");
    assert!(whole.points() + whole.skips.len() <= bytes.len(), "more out than in");
    for (offset, length, _) in &whole.skips {
        assert!(offset.saturating_add(*length) <= bytes.len() as u64, "a skip beyond the end");
    }
}

/// Reads the input as a file of the format of that name.
pub fn read_as(name: &str, input: &[u8]) {
    let (sizes, bytes) = arrival(input);
    if let Some(format) = by_name(name) {
        check(format, &sizes, bytes);
    }
}

/// Reads the input as whatever the registry takes it for, under each name that matters.
pub fn read_as_recognised(input: &[u8]) {
    let (sizes, bytes) = arrival(input);
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    for name in ["x.jsonl", "x.scope.jsonl", "x.json", "x.txt", "x.csv", "x.tsv", "events.out.tfevents.1.x"] {
        let whole = head.len() == bytes.len();
        if let Recognised::As(format) = recognise(&Candidate { path: Path::new(name), name, head, whole }) {
            check(format, &sizes, bytes);
        }
    }
}
