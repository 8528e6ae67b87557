//! Which files lie beside a document and are read with it.
//!
//! A companion is an ending of the document's own name (`-wal`), or, with a star, the ending of names in a
//! folder as seen from the document's: `*.sst`, `../../../meta/chunks/{}/*.sst`, where `{}` stands for the
//! name of its folder.

use std::path::{Path, PathBuf};

use super::source::with_ending;

/// Files of one companion that are read.
const FILES_LIMIT: usize = 4096;

/// The files that a companion of the document at `path` means, by name. The one whose name is known need not
/// exist.
pub fn lying(path: &Path, companion: &str) -> Vec<PathBuf> {
    let Some((folder, ending)) = companion.split_once('*') else { return vec![with_ending(path, companion)] };
    let Some(own) = path.parent() else { return Vec::new() };
    let name = own.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let entries = std::fs::read_dir(own.join(folder.replace("{}", name))).into_iter().flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|file| ends(file, ending)).take(FILES_LIMIT).collect();
    files.sort_unstable();
    files
}

/// The document that the file at `path` would be read with; `patterns`: names of such documents. One that
/// lies in another folder is not found.
pub fn document(path: &Path, companion: &str, patterns: &[&str]) -> Option<PathBuf> {
    match companion.split_once('*') {
        None => Some(path.with_file_name(path.file_name()?.to_str()?.strip_suffix(companion)?)),
        Some(("", ending)) if ends(path, ending) => {
            Some(path.with_file_name(patterns.iter().find(|name| !name.contains('*'))?))
        }
        Some(_) => None,
    }
}

fn ends(path: &Path, ending: &str) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::Stamp;

    #[test]
    fn files_in_other_folders_are_named_from_the_document_s_own() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "s/chunks/a1/2.sst",
            "s/chunks/a1/1.sst",
            "s/chunks/a1/1.log",
            "m/chunks/a1/7.sst",
            "m/chunks/b/8.sst",
        ] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let document = folder.path().join("s/chunks/a1/CURRENT");
        let names = |companion| -> Vec<String> {
            let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
            lying(&document, companion).iter().map(name).collect()
        };
        assert_eq!(names("*.sst"), ["1.sst", "2.sst"]);
        assert_eq!(names("../../../m/chunks/{}/*.sst"), ["7.sst"]);
        assert_eq!(names("-wal"), ["CURRENT-wal"]);
        assert!(names("../nowhere/*.sst").is_empty());
    }

    #[test]
    fn a_copy_is_of_one_time_as_long_as_no_part_of_the_database_came_or_went() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for name in ["CURRENT", "CURRENT-wal", "1.log"] {
            write(name, "x");
        }
        let look = |companion| Stamp::look(&folder.path().join("CURRENT"), &[companion]).unwrap();
        let (before, strict) = (look("*.log"), look("-wal"));
        write("1.log", "xyz");
        let grown = look("*.log");
        assert!(grown != before && before.fits(&grown), "the log only grew");
        write("CURRENT-wal", "xyz");
        assert!(!strict.fits(&look("-wal")), "a file that goes with another one changed");
        write("2.log", "");
        assert!(!grown.fits(&look("*.log")), "a log came");
        let two = look("*.log");
        std::fs::remove_file(folder.path().join("1.log")).unwrap();
        assert!(!two.fits(&look("*.log")), "a log went");
        let one = look("*.log");
        write("CURRENT", "another");
        assert!(!one.fits(&look("*.log")), "the document itself changed");
    }

    #[test]
    fn a_document_is_found_from_a_file_beside_it() {
        let of = |path: &str, companion| super::document(Path::new(path), companion, &["CURRENT"]);
        assert_eq!(of("x/12.sst", "*.sst"), Some(PathBuf::from("x/CURRENT")));
        assert_eq!(of("x/a.db-wal", "-wal"), Some(PathBuf::from("x/a.db")));
        assert_eq!(of("x/12.log", "*.sst"), None);
        assert_eq!(of("m/12.sst", "../m/*.sst"), None);
    }
}
