//! Names: of watched paths, of folders below them, of files without their endings.

use std::path::{Component, Path, PathBuf};

/// A file's name without the part that only says how it is written.
pub fn stem(name: &str) -> &str {
    const ENDINGS: [&str; 7] =
        [".scope.jsonl", ".log.json", ".monitor.csv", ".jsonl", ".json", ".csv", ".tsv"];
    ENDINGS.iter().find_map(|e| name.strip_suffix(e)).filter(|s| !s.is_empty()).unwrap_or(name)
}

/// Names under which the runs of several watched paths are listed: the shortest ends of the paths that differ.
pub fn labels(roots: &[PathBuf]) -> Vec<String> {
    if roots.len() < 2 {
        return roots.iter().map(|_| String::new()).collect();
    }
    let parts: Vec<Vec<String>> = roots
        .iter()
        .map(|root| {
            root.components()
                .filter_map(|c| match c {
                    Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
                    _ => None,
                })
                .collect()
        })
        .collect();
    let end = |at: usize, n: usize| parts.get(at).map_or(&[][..], |p| &p[p.len().saturating_sub(n)..]);
    (0..roots.len())
        .map(|at| {
            let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
            let alone =
                |n: &usize| (0..roots.len()).all(|other| other == at || end(other, *n) != end(at, *n));
            let n = (1..=longest).find(alone).unwrap_or(longest);
            let label = end(at, n).join("/");
            if label.is_empty() { "/".to_owned() } else { label }
        })
        .collect()
}

/// `relative` below a watched path called `label`, with `/` between parts; `.` for the path itself.
pub fn folder_name(label: &str, relative: &Path) -> String {
    let mut name = label.to_owned();
    for part in relative.components() {
        if let Component::Normal(part) = part {
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(&part.to_string_lossy());
        }
    }
    if name.is_empty() { ".".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_watched_paths_get_the_shortest_names_that_differ() {
        let labels_of = |roots: &[&str]| labels(&roots.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(labels_of(&["/x/runs"]), [""]);
        assert_eq!(labels_of(&["/x/runs", "/x/logs"]), ["runs", "logs"]);
        assert_eq!(labels_of(&["/x/runs", "/y/runs", "/z"]), ["x/runs", "y/runs", "z"]);
        assert_eq!(folder_name("", Path::new("")), ".");
        assert_eq!(folder_name("", Path::new("a/b")), "a/b");
        assert_eq!(folder_name("runs", Path::new("")), "runs");
        assert_eq!(folder_name("runs", Path::new("a")), "runs/a");
    }
}
