//! Where the `e` key writes to: the current folder, unless it is watched. An export among the logs would be read as one.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Names tried for an export before giving up: `name`, `name-2`, ….
const NAMES: u32 = 1000;

/// Folders that exports may go to, the best first: the current one, the user's, the one for temporary files.
pub fn folders() -> Vec<PathBuf> {
    let home = env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    [Some(PathBuf::from(".")), home, Some(env::temp_dir())].into_iter().flatten().collect()
}

/// Writes `text` to a new file of about this name, in the first of `folders` that is not below a watched path and
/// that takes it.
pub fn write(folders: &[PathBuf], watched: &[PathBuf], name: &str, text: &str) -> io::Result<PathBuf> {
    let mut failed = io::Error::other("every folder that could take it is being watched");
    for folder in folders.iter().filter(|folder| !is_watched(folder, watched)) {
        match write_new(folder, name, text) {
            Ok(path) => return Ok(path),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Below a watched folder, or beside a watched file: that is a run's folder as well.
fn is_watched(folder: &Path, watched: &[PathBuf]) -> bool {
    let Ok(folder) = folder.canonicalize() else { return true };
    watched.iter().filter_map(|path| path.canonicalize().ok()).any(|path| {
        let top = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
        top.is_some_and(|top| folder.starts_with(top))
    })
}

/// Never over an old one.
fn write_new(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let harmless: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .collect();
    let harmless = harmless.trim_start_matches('.');
    let (stem, ending) = harmless.rsplit_once('.').unwrap_or((harmless, "txt"));
    for n in 1..=NAMES {
        let name = if n == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{n}.{ending}") };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a thousand of that name already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_never_overwrites_and_never_leaves_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_new(folder.path(), "../../curves run/1.csv", "a").unwrap();
        let second = write_new(folder.path(), "../../curves run/1.csv", "b").unwrap();
        assert_ne!(first, second);
        assert_eq!(first.parent(), Some(folder.path()));
        assert_eq!(std::fs::read_to_string(first).unwrap(), "a");
        assert_eq!(std::fs::read_to_string(second).unwrap(), "b");
    }

    #[test]
    fn an_export_never_lands_in_a_watched_tree() {
        let (logs, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let inside = logs.path().join("run");
        std::fs::create_dir(&inside).unwrap();
        let file = inside.join("metrics.jsonl");
        std::fs::write(&file, "").unwrap();
        let folders = [inside.clone(), other.path().to_path_buf()];
        for watched in [logs.path().to_path_buf(), file] {
            let path = write(&folders, &[watched], "curves.csv", "a").unwrap();
            assert_eq!(path.parent(), Some(other.path()));
        }
        assert!(write(&folders[..1], &[logs.path().to_path_buf()], "curves.csv", "a").is_err());
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
    }
}
