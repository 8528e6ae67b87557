//! Which paths are worth looking at: the user's globs, files that say what to pass over, and folders that never hold
//! logs.
//!
//! What is excluded is written as in a `.gitignore` and means the same, `!` included. A `.gitignore` itself is not
//! asked: what training writes is just what people keep out of version control.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::formats::{self, Format};

/// A file of this name in a watched folder says what to pass over there and below.
pub const IGNORE_FILE: &str = ".epochscopeignore";

/// Larger ones are not read.
const IGNORE_FILE_LIMIT: u64 = 1 << 20;

/// Folders that are large, common and never hold training logs.
const NEVER_LOGS: &[(&str, &str)] = &[
    (".git", "version control"),
    (".hg", "version control"),
    (".svn", "version control"),
    (".jj", "version control"),
    ("node_modules", "packages"),
    ("site-packages", "packages"),
    (".venv", "packages"),
    (".tox", "packages"),
    (".nox", "packages"),
    (".conda", "packages"),
    ("__pycache__", "compiled Python"),
    (".mypy_cache", "tool cache"),
    (".ruff_cache", "tool cache"),
    (".pytest_cache", "tool cache"),
    (".ipynb_checkpoints", "notebook backups"),
];

/// The user's choice of paths.
pub struct Selection {
    include: Option<Globs>,
    exclude: Gitignore,
    hints: Vec<(Globs, &'static dyn Format)>,
}

/// The ignore files that speak of a folder's entries, the nearest first.
pub type Ignores = Vec<Arc<Gitignore>>;

impl Selection {
    /// Compiles the globs; the error names the glob or format and what is wrong with it.
    pub fn new(
        include: &[String],
        exclude: &[String],
        format_hints: &[(String, String)],
        formats: &[&'static dyn Format],
    ) -> Result<Self, (String, String)> {
        let mut hints = Vec::new();
        for (name, glob) in format_hints {
            let format = formats
                .iter()
                .copied()
                .find(|f| f.name() == name)
                .or_else(|| formats::by_name(name))
                .ok_or_else(|| (name.clone(), format!("no such format; known: {}", names(formats))))?;
            hints.push((Globs::new(std::slice::from_ref(glob))?, format));
        }
        let include = if include.is_empty() { None } else { Some(Globs::new(include)?) };
        let mut excluded = GitignoreBuilder::new("");
        for glob in exclude {
            let glob = glob.strip_prefix("./").unwrap_or(glob);
            excluded.add_line(None, glob).map_err(|error| (glob.to_owned(), reason(&error)))?;
        }
        let exclude = excluded.build().map_err(|error| (exclude.join(" "), reason(&error)))?;
        Ok(Self { include, exclude, hints })
    }

    /// Why the folder at `path`, `relative` to what is watched, is not entered; `None` if it is.
    pub fn refuses_folder(&self, relative: &Path, path: &Path, ignores: &Ignores) -> Option<&'static str> {
        match self.excluded(relative, path, true, ignores) {
            Match::Ignore(why) => return Some(why),
            Match::Whitelist(_) => return None,
            Match::None => {}
        }
        let name = relative.file_name()?.to_str().unwrap_or("");
        NEVER_LOGS.iter().find(|(folder, _)| *folder == name).map(|(_, why)| *why)
    }

    /// The user's word goes before that of ignore files.
    fn excluded(&self, relative: &Path, path: &Path, is_dir: bool, ignores: &Ignores) -> Match<&'static str> {
        let said = self.exclude.matched(relative, is_dir).map(|_| "excluded");
        let noted = || {
            let all = ignores
                .iter()
                .map(|file| file.matched(path, is_dir).map(|_| "excluded by .epochscopeignore"));
            all.into_iter().find(|m| !m.is_none()).unwrap_or(Match::None)
        };
        if said.is_none() { noted() } else { said }
    }

    /// Why the file `relative` is not looked at; `None` if it is.
    pub fn refuses_file(&self, relative: &Path, path: &Path, ignores: &Ignores) -> Option<&'static str> {
        if let Match::Ignore(why) = self.excluded(relative, path, false, ignores) {
            return Some(why);
        }
        match &self.include {
            Some(include) if !include.matches(relative) => Some("not included"),
            _ => None,
        }
    }

    /// The format that the user says `relative` has.
    pub fn hinted(&self, relative: &Path) -> Option<&'static dyn Format> {
        self.hints.iter().find(|(globs, _)| globs.matches(relative)).map(|(_, format)| *format)
    }
}

/// What the ignore file in `folder` says, if there is one; and what cannot be used of it.
pub fn ignore_file(folder: &Path) -> (Option<Arc<Gitignore>>, Option<String>) {
    let path: PathBuf = folder.join(IGNORE_FILE);
    let text = match fs::metadata(&path) {
        Ok(metadata) if metadata.len() > IGNORE_FILE_LIMIT => Err(io::Error::other("larger than 1 MiB")),
        Ok(_) => fs::read_to_string(&path),
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (None, None),
        Err(error) => return (None, Some(error.to_string())),
    };
    let mut builder = GitignoreBuilder::new(folder);
    let mut wrong = None;
    for (number, line) in text.lines().enumerate() {
        if let Err(error) = builder.add_line(None, line) {
            wrong.get_or_insert_with(|| format!("line {}: {}", number + 1, reason(&error)));
        }
    }
    (builder.build().ok().map(Arc::new), wrong)
}

fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}

fn names(formats: &[&'static dyn Format]) -> String {
    formats.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")
}

/// Globs as in a `.gitignore`: without `/` they speak of the last part of a path, with it of the whole.
struct Globs {
    names: GlobSet,
    paths: GlobSet,
}

impl Globs {
    fn new(globs: &[String]) -> Result<Self, (String, String)> {
        let mut names = GlobSetBuilder::new();
        let mut paths = GlobSetBuilder::new();
        for text in globs {
            let bare = text.trim_start_matches("./").trim_end_matches('/');
            let glob = GlobBuilder::new(bare.trim_start_matches('/'))
                .literal_separator(true)
                .build()
                .map_err(|e| (text.clone(), e.kind().to_string()))?;
            if bare.contains('/') {
                paths.add(glob)
            } else {
                names.add(glob)
            };
        }
        let built = |set: GlobSetBuilder| set.build().map_err(|e| (globs.join(" "), e.kind().to_string()));
        Ok(Self { names: built(names)?, paths: built(paths)? })
    }

    fn matches(&self, relative: &Path) -> bool {
        (!self.paths.is_empty() && self.paths.is_match(relative))
            || (!self.names.is_empty() && relative.file_name().is_some_and(|name| self.names.is_match(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let owned = |globs: &[&str]| globs.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(include), &owned(exclude), &[], &[]).unwrap()
    }

    fn file(chosen: &Selection, path: &str) -> Option<&'static str> {
        chosen.refuses_file(Path::new(path), Path::new(path), &Vec::new())
    }

    fn folder(chosen: &Selection, path: &str) -> Option<&'static str> {
        chosen.refuses_folder(Path::new(path), Path::new(path), &Vec::new())
    }

    #[test]
    fn globs_without_a_slash_speak_of_names_and_others_of_paths() {
        let chosen = selection(&["*.csv"], &["old", "a/*/x.csv"]);
        assert_eq!(file(&chosen, "deep/down/m.csv"), None);
        assert_eq!(file(&chosen, "m.jsonl"), Some("not included"));
        assert_eq!(file(&chosen, "a/b/x.csv"), Some("excluded"));
        assert_eq!(file(&chosen, "a/b/c/x.csv"), None, "a star stays within one part");
        assert_eq!(folder(&chosen, "runs/old"), Some("excluded"));
        assert_eq!(folder(&chosen, "runs/older"), None);
        assert_eq!(folder(&chosen, "x/.git"), Some("version control"));
    }

    #[test]
    fn what_is_excluded_is_written_as_in_a_gitignore() {
        let chosen = selection(&[], &["./out/", "*.log", "!keep.log", "/top", "**/cache/*.csv", "!.venv"]);
        assert_eq!(
            (folder(&chosen, "a/out"), file(&chosen, "a/out")),
            (Some("excluded"), None),
            "folders only"
        );
        assert_eq!((file(&chosen, "x/a.log"), file(&chosen, "x/keep.log")), (Some("excluded"), None));
        assert_eq!((folder(&chosen, "top"), folder(&chosen, "x/top")), (Some("excluded"), None));
        assert_eq!(file(&chosen, "a/b/cache/m.csv"), Some("excluded"));
        assert_eq!(folder(&chosen, "x/.venv"), None, "the user's word goes before ours");
    }

    #[test]
    fn of_ignore_files_the_nearest_decides_and_broken_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("below");
        fs::create_dir(&below).unwrap();
        fs::write(dir.path().join(IGNORE_FILE), "# notes\n*.csv\ndata/\n").unwrap();
        fs::write(below.join(IGNORE_FILE), "!m.csv\na{\n").unwrap();
        assert_eq!(ignore_file(&below.join("none")).0.map(|_| ()), None);
        let (near, wrong) = ignore_file(&below);
        assert!(wrong.as_ref().is_some_and(|w| w.starts_with("line 2: ")), "{wrong:?}");
        let (far, fine) = ignore_file(dir.path());
        assert_eq!(fine, None);
        let ignores = vec![near.unwrap(), far.unwrap()];
        let chosen = selection(&[], &[]);
        let file = |name: &str| chosen.refuses_file(Path::new(name), &dir.path().join(name), &ignores);
        assert_eq!(file("below/m.csv"), None);
        assert_eq!(file("below/x.csv"), Some("excluded by .epochscopeignore"));
        let data = chosen.refuses_folder(Path::new("below/data"), &below.join("data"), &ignores);
        assert_eq!(data, Some("excluded by .epochscopeignore"));
    }

    #[test]
    fn a_broken_glob_and_an_unknown_format_are_named() {
        let (what, _) = Selection::new(&["a[".to_owned()], &[], &[], &[]).err().unwrap();
        assert_eq!(what, "a[");
        let hint = [("nope".to_owned(), "*.x".to_owned())];
        let (what, why) = Selection::new(&[], &[], &hint, &[]).err().unwrap();
        assert_eq!(what, "nope");
        assert!(why.starts_with("no such format"), "{why}");
    }
}
