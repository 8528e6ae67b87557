//! Which paths are worth looking at: the user's globs, and folders that never hold logs.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::formats::{self, Format};

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
    exclude: Globs,
    hints: Vec<(Globs, &'static dyn Format)>,
}

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
        Ok(Self { include, exclude: Globs::new(exclude)?, hints })
    }

    /// Why the folder `relative` is not entered; `None` if it is.
    pub fn refuses_folder(&self, relative: &Path) -> Option<&'static str> {
        let name = relative.file_name()?.to_str().unwrap_or("");
        if let Some((_, why)) = NEVER_LOGS.iter().find(|(folder, _)| *folder == name) {
            return Some(why);
        }
        self.exclude.matches(relative).then_some("excluded")
    }

    /// Why the file `relative` is not looked at; `None` if it is.
    pub fn refuses_file(&self, relative: &Path) -> Option<&'static str> {
        if self.exclude.matches(relative) {
            return Some("excluded");
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

    #[test]
    fn globs_without_a_slash_speak_of_names_and_others_of_paths() {
        let chosen = selection(&["*.csv"], &["old", "a/*/x.csv"]);
        assert_eq!(chosen.refuses_file(Path::new("deep/down/m.csv")), None);
        assert_eq!(chosen.refuses_file(Path::new("m.jsonl")), Some("not included"));
        assert_eq!(chosen.refuses_file(Path::new("a/b/x.csv")), Some("excluded"));
        assert_eq!(chosen.refuses_file(Path::new("a/b/c/x.csv")), None, "a star stays within one part");
        assert_eq!(chosen.refuses_folder(Path::new("runs/old")), Some("excluded"));
        assert_eq!(chosen.refuses_folder(Path::new("runs/older")), None);
        assert_eq!(chosen.refuses_folder(Path::new("x/.git")), Some("version control"));
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
