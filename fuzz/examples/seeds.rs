//! Fills `corpus/FORMAT` and `corpus/recognise` from `sample_logs/`: small files whole, of large ones the beginning.
//! `cargo run --release --example seeds [FOLDER…]` in `fuzz/`; other folders of logs instead of that.

use std::{
    fs,
    path::{Path, PathBuf},
};

use epochscope::formats::{Candidate, FORMATS, HEAD_BYTES, Opening, Recognised, by_name, recognise};
use epochscope_fuzz::paths_of;

/// Bytes of a log that are enough to begin with.
const BEGINNING: usize = 3000;
/// Larger documents make each execution slow.
const DOCUMENT: usize = 48 << 10;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for format in FORMATS {
        fs::create_dir_all(here.join("corpus").join(format.name())).expect("a folder for the seeds");
    }
    fs::create_dir_all(here.join("corpus/recognise")).expect("a folder for the seeds");
    let mut roots: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if roots.is_empty() {
        roots.push(here.join("../sample_logs"));
    }
    for root in roots {
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let (Ok(bytes), Ok(below)) = (fs::read(&path), path.strip_prefix(&root)) {
                    seed(here, below, &bytes);
                }
            }
        }
    }
}

fn seed(here: &Path, below: &Path, bytes: &[u8]) {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let name = below.file_name().unwrap_or_default().to_string_lossy();
    let candidate = Candidate { path: below, name: &name, head, whole: head.len() == bytes.len() };
    if below.components().any(|part| part.as_os_str() == ".aim") {
        return seed_beside(here, below, bytes);
    }
    let Recognised::As(format) = recognise(&candidate) else { return };
    let document = format.decoder(&Opening::at(below)).whole_document();
    if document && bytes.len() > DOCUMENT {
        return;
    }
    let kept = if document { bytes } else { &bytes[..bytes.len().min(BEGINNING)] };
    // the path that is most like the sample's: the same last part, or the same ending
    let ending = |path: &str| Path::new(path).extension().map(ToOwned::to_owned);
    let paths = paths_of(format);
    let is_like = |p: &String| Path::new(p).file_name() == below.file_name();
    let place = paths.iter().position(is_like).or_else(|| {
        let ours = ending(&name);
        paths.iter().position(|p| ending(p) == ours)
    });
    let mut input = vec![6, 63, 255, u8::try_from(place.unwrap_or(0)).unwrap_or(0)];
    input.extend_from_slice(kept);
    let file = below.to_string_lossy().replace('/', "_");
    for folder in [format.name(), "recognise"] {
        fs::write(here.join("corpus").join(folder).join(&file), &input).expect("a seed");
    }
}

/// A part of Aim's databases: which companion it is, and its content.
fn seed_beside(here: &Path, below: &Path, bytes: &[u8]) {
    let Some(format) = by_name("aim") else { return };
    let ending = below.extension().unwrap_or_default().to_string_lossy();
    let meta = below.components().any(|part| part.as_os_str() == "meta");
    let is_it = |companion: &&str| companion.ends_with(&*ending) && companion.contains("meta") == meta;
    let Some(place) = format.companions().iter().position(is_it) else { return };
    if ending.is_empty() || bytes.len() > 2 * DOCUMENT {
        return;
    }
    let input = [&[0, 0, 0, u8::try_from(place).unwrap_or(0)], bytes].concat();
    let file = below.to_string_lossy().replace('/', "_");
    fs::write(here.join("corpus/aim").join(file), input).expect("a seed");
}
