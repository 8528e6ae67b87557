//! The user's own folders for what is kept between two calls: state and caches, never beside the logs.

use std::{
    env,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// `$XDG_STATE_HOME/epochscope`, or the same below `~/.local/state`; `None` where there is no home.
pub fn state_folder() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// `$XDG_CACHE_HOME/epochscope`, or the same below `~/.cache`; `None` where there is no home.
pub fn cache_folder() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache")
}

fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))?;
    Some(base.join("epochscope"))
}

/// The watched paths as the system knows them; the current folder if there are none.
pub fn canonical(paths: &[PathBuf]) -> Vec<PathBuf> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    paths.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())).collect()
}

/// Whether `path`, which need not be there yet, lies in or below one of the canonical `roots`.
pub fn is_below(path: &Path, roots: &[PathBuf]) -> bool {
    let known = path.ancestors().find_map(|p| Some((p, p.canonicalize().ok()?)));
    let real = known.map_or_else(
        || path.to_path_buf(),
        |(there, real)| path.strip_prefix(there).map_or_else(|_| real.clone(), |rest| real.join(rest)),
    );
    roots.iter().any(|root| real.starts_with(root))
}

/// Writes a file so that a reader sees the old content or the new one, never a part: beside it, then in its place.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::write(&beside, content).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Waits until nobody else is at the file that `lock` stands for, but not for long: a process that was stopped keeps its
/// lock, and network file systems may know none. Then two processes might write over each other.
pub fn take_turn(lock: &File) {
    for _ in 0..50 {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK | Errno::INTR) => thread::park_timeout(Duration::from_millis(10)),
            _ => return,
        }
    }
}

/// The first `limit` bytes of a file as text, damaged or not; none where there is no file.
pub fn text_of(file: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    match File::open(file) {
        Ok(file) => file.take(limit).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_below_its_watched_parent() {
        let dir = tempfile::tempdir().unwrap();
        let roots = canonical(&[dir.path().to_path_buf()]);
        assert!(is_below(&dir.path().join("not/there"), &roots));
        assert!(!is_below(Path::new("/nowhere/else"), &roots));
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        fs::create_dir(dir.path().join("b")).unwrap();
        assert!(write_atomically(&dir.path().join("b"), b"x").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
