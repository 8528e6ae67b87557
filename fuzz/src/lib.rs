//! What the fuzz targets share: a file is read as a whole and in pieces of any size, and nothing may differ,
//! break or grow beyond bounds. One target serves every format of the registry, so that a new one needs none of
//! its own. `fuzz/run.sh` makes the seeds and runs them all.

#[path = "../../tests/suite/builders/feeding.rs"]
pub mod feeding;

use std::{path::Path, sync::OnceLock};

use epochscope::formats::{Candidate, FORMATS, Format, HEAD_BYTES, Recognised, by_name, recognise};
use feeding::{Feeder, Reading, read_in_pieces_at, read_whole_at};

/// Bytes of an input that say how the rest arrives and what the file is called.
pub const PREFIX: usize = 4;

/// Paths that matter to formats and are in none of their patterns.
const MORE_PATHS: &[(&str, &str)] = &[
    ("polyaxon", "run/events/metric/x.plx"),
    ("polyaxon", "run/events/confusion/x.plx"),
    ("dvclive", "dvclive/plots/sklearn/cm.json"),
    ("settings", ".hydra/overrides.yaml"),
    ("settings", ".hydra/config.yaml"),
];

/// Paths under which files of a format are read: its patterns, with something for each star.
pub fn paths_of(format: &dyn Format) -> Vec<String> {
    let patterns = format.patterns().iter().map(|p| p.replace("**", "x").replace('*', "x"));
    let more =
        MORE_PATHS.iter().filter(|(name, _)| *name == format.name()).map(|(_, path)| (*path).to_owned());
    patterns.chain(more).collect()
}

/// Splits the input into the sizes of the pieces that the rest arrives in, a number that chooses a path, and the rest.
fn arrival(input: &[u8]) -> ([usize; 3], usize, &[u8]) {
    let (prefix, bytes) = input.split_at_checked(PREFIX).unwrap_or((&[0, 6, 63, 0], input));
    let number = |at: usize| prefix.get(at).map_or(0, |b| usize::from(*b));
    ([1 + number(0), 1 + number(1), 1 + number(2)], number(3), bytes)
}

/// Two series may have one label (`train/acc`, and `acc` of `train`): in what order points of the one come among those
/// of the other is not compared.
fn in_order(mut reading: Reading) -> Reading {
    reading.columns.values_mut().for_each(|points| points.sort_unstable());
    reading
}

fn check(format: &dyn Format, path: &str, sizes: &[usize], bytes: &[u8]) {
    let whole = read_whole_at(format, path, bytes);
    // a frame whose length is protected by a checksum may say that it goes on behind the end
    let end = whole.consumed.max(bytes.len() as u64);
    let whole = in_order(whole.joined());
    let pieces = in_order(read_in_pieces_at(format, path, bytes, sizes).joined());
    assert_eq!(whole, pieces, "{path} read in pieces of {sizes:?}");
    assert!(whole.points() + whole.skips.len() <= bytes.len() + 64, "more out than in");
    for (offset, length, _) in &whole.skips {
        assert!(offset.saturating_add(*length) <= end, "a skip beyond the end");
    }
}

/// Documents whose content lies in the files beside them: a format, and what the document itself holds.
const ALL_BESIDE: &[(&str, &[u8])] = &[("aim", b"MANIFEST-000004\n")];

/// Reads the input as one of the files beside such a document.
fn check_beside(format: &dyn Format, document: &[u8], companion: usize, bytes: &[u8]) {
    let companions = format.companions();
    let path = Path::new(".aim/seqs/chunks/run/CURRENT");
    let mut feeder =
        Feeder::named(format, path, document).with(companions[companion % companions.len()], bytes);
    feeder.grow_to(document.len());
    assert!(feeder.finish().points() <= bytes.len() * 64 + 64, "more out than in");
}

/// Reads the input as a file of the format that the environment variable `FORMAT` names.
pub fn read_as_chosen(input: &[u8]) {
    static CHOSEN: OnceLock<(&'static dyn Format, Vec<String>)> = OnceLock::new();
    let (format, paths) = CHOSEN.get_or_init(|| {
        let name = std::env::var("FORMAT").expect("FORMAT names a format of the registry");
        let format = by_name(&name).unwrap_or_else(|| panic!("no format is called {name}"));
        (format, paths_of(format))
    });
    let (sizes, path, bytes) = arrival(input);
    if let Some((_, document)) = ALL_BESIDE.iter().find(|(name, _)| *name == format.name()) {
        return check_beside(*format, document, path, bytes);
    }
    check(*format, &paths[path % paths.len()], &sizes, bytes);
}

/// Reads the input as whatever the registry takes it for, under each name that matters.
pub fn read_as_recognised(input: &[u8]) {
    static PATHS: OnceLock<Vec<String>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        let mut paths: Vec<String> = FORMATS.iter().flat_map(|f| paths_of(*f)).collect();
        paths.sort();
        paths.dedup();
        paths
    });
    let (sizes, path, bytes) = arrival(input);
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let whole = head.len() == bytes.len();
    for path in paths.iter().cycle().skip(path % paths.len()).take(8) {
        let name = Path::new(path).file_name().unwrap_or_default().to_str().unwrap_or_default();
        let candidate = Candidate { path: Path::new(path), name, head, whole };
        if let Recognised::As(format) = recognise(&candidate) {
            check(format, path, &sizes, bytes);
        }
    }
}
