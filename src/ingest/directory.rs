//! Finds log files below the watched paths, again and again, at a cost that grows with what changed.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::{
    Options, StartError,
    board::{Board, Rank},
    group,
    tail::{Look, Tail},
};
use crate::{
    formats::{self, Candidate, Format, HEAD_BYTES, Recognised},
    model::{FileHealth, FileId, Origin, RunId, ScanReport, WallTime},
};

/// Examples of ignored files that are kept.
const EXAMPLES: usize = 200;
/// Files that wait for their first bytes; beyond that they are found again by the next look at their folder.
const UNDECIDED: usize = 10_000;
/// Folders deeper than this below a root are not entered: a loop that links hide from us.
const DEPTH: usize = 64;
/// Folders that never hold logs and often hold a million files.
const BARREN: &[&str] =
    &[".git", "node_modules", "__pycache__", "site-packages", ".venv", ".mypy_cache", ".ipynb_checkpoints"];

struct Root {
    path: PathBuf,
    label: String,
    file: bool,
}

struct Folder {
    root: usize,
    depth: usize,
    mtime: (i64, i64),
}

struct Known {
    id: FileId,
    look: Look,
}

/// Remembers what was found.
pub(super) struct Scout {
    roots: Vec<Root>,
    include: Option<GlobSet>,
    exclude: GlobSet,
    hints: Vec<(&'static dyn Format, GlobSet)>,
    since: Option<f64>,
    folders: HashMap<PathBuf, Folder>,
    entered: HashSet<(u64, u64)>,
    known: HashMap<PathBuf, Known>,
    undecided: HashMap<PathBuf, (usize, Look)>,
    writers: HashMap<PathBuf, Vec<String>>,
    text_logs: HashMap<PathBuf, usize>,
    newest: HashMap<RunId, i64>,
    next_id: u32,
    pub report: ScanReport,
}

fn globs(patterns: &[String]) -> Result<GlobSet, StartError> {
    let mut set = GlobSetBuilder::new();
    for p in patterns {
        let bad =
            |e: globset::Error| StartError { path: p.into(), reason: format!("not a glob: {}", e.kind()) };
        set.add(Glob::new(p).map_err(bad)?);
        if !p.contains('/') {
            set.add(Glob::new(&format!("**/{p}")).map_err(bad)?);
        }
    }
    set.build().map_err(|e| StartError { path: patterns.join(" ").into(), reason: e.to_string() })
}

impl Scout {
    pub fn new(options: &Options) -> Result<Self, StartError> {
        let mut roots = Vec::new();
        let several = options.roots.len() > 1;
        for path in &options.roots {
            let meta =
                fs::metadata(path).map_err(|e| StartError { path: path.clone(), reason: plain(&e) })?;
            let label = if several {
                path.display().to_string().trim_end_matches('/').to_owned()
            } else {
                String::new()
            };
            roots.push(Root { path: path.clone(), label, file: meta.is_file() });
        }
        let mut hints = Vec::new();
        for (name, glob) in &options.format_hints {
            let format = formats::by_name(name)
                .ok_or_else(|| StartError { path: name.into(), reason: "no such format".to_owned() })?;
            hints.push((format, globs(std::slice::from_ref(glob))?));
        }
        Ok(Self {
            roots,
            include: if options.include.is_empty() { None } else { Some(globs(&options.include)?) },
            exclude: globs(&options.exclude)?,
            hints,
            since: options.modified_since.and_then(WallTime::known),
            folders: HashMap::new(),
            entered: HashSet::new(),
            known: HashMap::new(),
            undecided: HashMap::new(),
            writers: HashMap::new(),
            text_logs: HashMap::new(),
            newest: HashMap::new(),
            next_id: 0,
            report: ScanReport::default(),
        })
    }

    pub fn root_paths(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(|r| r.path.as_path())
    }

    /// The first full look.
    pub fn scan(&mut self, board: &Board) {
        for at in 0..self.roots.len() {
            let path = self.roots[at].path.clone();
            if self.roots[at].file {
                self.file(at, &path, board);
            } else {
                self.tree(at, &path, 0, board);
            }
        }
        self.report.complete = true;
    }

    fn tree(&mut self, root: usize, folder: &Path, depth: usize, board: &Board) {
        let mut waiting = vec![(folder.to_owned(), depth)];
        while let Some((folder, depth)) = waiting.pop() {
            if board.stopped() {
                return;
            }
            for sub in self.folder(root, &folder, depth, board) {
                waiting.push((sub, depth + 1));
            }
        }
    }

    /// Looks into one folder; returns its sub-folders that were not entered before.
    fn folder(&mut self, root: usize, folder: &Path, depth: usize, board: &Board) -> Vec<PathBuf> {
        let entries = fs::metadata(folder).and_then(|m| Ok((m, fs::read_dir(folder)?)));
        let (meta, entries) = match entries {
            Ok(pair) => pair,
            Err(e) => {
                self.unreadable(folder, &e);
                return Vec::new();
            }
        };
        let first_time = !self.folders.contains_key(folder);
        if first_time && !self.entered.insert((meta.dev(), meta.ino())) {
            return Vec::new();
        }
        if first_time {
            self.report.folders += 1;
        }
        self.folders
            .insert(folder.to_owned(), Folder { root, depth, mtime: (meta.mtime(), meta.mtime_nsec()) });
        let (mut files, mut subs) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            let path = entry.path();
            let is_dir = match entry.file_type() {
                Ok(t) if t.is_symlink() => fs::metadata(&path).is_ok_and(|m| m.is_dir()),
                Ok(t) => t.is_dir(),
                Err(_) => false,
            };
            if is_dir {
                if self.enters(root, &path, depth) && !self.folders.contains_key(&path) {
                    subs.push(path);
                }
            } else if !self.known.contains_key(&path) {
                files.push(path);
            }
        }
        files.sort();
        let logs =
            files.iter().filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(is_text_log)).count();
        *self.text_logs.entry(folder.to_owned()).or_default() += logs;
        for file in files {
            self.file(root, &file, board);
        }
        subs.sort_by(|a, b| b.cmp(a));
        subs
    }

    fn enters(&mut self, root: usize, path: &Path, depth: usize) -> bool {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let reason = if BARREN.contains(&name) {
            "a folder that holds no logs"
        } else if self.exclude.is_match(self.relative(root, path)) {
            "excluded"
        } else if depth >= DEPTH {
            "too deep"
        } else {
            return true;
        };
        self.ignore(path, reason);
        false
    }

    fn relative<'a>(&self, root: usize, path: &'a Path) -> &'a Path {
        let root = &self.roots[root];
        let base = if root.file { root.path.parent().unwrap_or(Path::new("")) } else { &root.path };
        path.strip_prefix(base).unwrap_or(path)
    }

    fn ignore(&mut self, path: &Path, reason: &str) {
        self.report.ignored += 1;
        if self.report.ignored_examples.len() < EXAMPLES {
            let pair = (path.display().to_string().into(), reason.into());
            if !self.report.ignored_examples.contains(&pair) {
                self.report.ignored_examples.push(pair);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        if self.report.unreadable.len() < EXAMPLES && error.kind() != io::ErrorKind::NotFound {
            let path: Arc<str> = path.display().to_string().into();
            if !self.report.unreadable.iter().any(|(p, _)| *p == path) {
                self.report.unreadable.push((path, plain(error).into()));
            }
        }
    }

    /// Decides about a file that is not known yet.
    fn file(&mut self, root: usize, path: &Path, board: &Board) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        self.report.files_seen += 1;
        let relative = self.relative(root, path).to_owned();
        if self.include.as_ref().is_some_and(|i| !i.is_match(&relative)) || self.exclude.is_match(&relative) {
            return self.ignore(path, "excluded");
        }
        let hint = self.hints.iter().find(|(_, g)| g.is_match(&relative)).map(|(f, _)| *f);
        let candidate = |head, whole| Candidate { path: &relative, name: &name, head, whole };
        if hint.is_none()
            && let Recognised::Unknown(reasons) = formats::recognise(&candidate(&[], false))
            && reasons.is_empty()
        {
            return self.ignore(path, "no format writes files of this name");
        }
        let (look, head) = match head(path) {
            Ok(Some(pair)) => pair,
            Ok(None) => return self.ignore(path, "not a regular file"),
            Err(e) => return self.unreadable(path, &e),
        };
        if self.since.is_some_and(|s| look.modified().0 < s) {
            return self.ignore(path, "not modified since the given time");
        }
        let format = match hint {
            Some(format) => format,
            None => match formats::recognise(&candidate(&head, head.len() < HEAD_BYTES)) {
                Recognised::As(format) => format,
                Recognised::NotYet => {
                    if self.undecided.len() < UNDECIDED {
                        self.undecided.insert(path.to_owned(), (root, look));
                    }
                    return self.ignore(path, "nothing written yet that tells what it is");
                }
                Recognised::Unknown(reasons) => {
                    let text: Vec<String> = reasons.iter().map(|(f, r)| format!("{f}: {r}")).collect();
                    let text = text.join("; ");
                    return self.ignore(path, if text.is_empty() { "no format claims it" } else { &text });
                }
            },
        };
        self.adopt(root, path, &relative, &name, format, look, board);
    }

    #[allow(clippy::too_many_arguments, reason = "one caller; a struct would only rename the parameters")]
    fn adopt(
        &mut self,
        root: usize,
        path: &Path,
        relative: &Path,
        name: &str,
        format: &'static dyn Format,
        look: Look,
        board: &Board,
    ) {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut run_folder = relative.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
        let mut context = String::new();
        let mut order = name.to_owned();
        if let Some(writer) = group::writer(name) {
            let above = folder.parent().and_then(|p| self.writers.get(p));
            if above.is_some_and(|w| w.iter().any(|w| w == writer)) {
                let (parent, sub) = run_folder.rsplit_once('/').unwrap_or(("", &run_folder));
                context = sub.to_owned();
                order = format!("{sub}/{name}");
                run_folder = parent.to_owned();
            } else {
                self.writers.entry(folder.clone()).or_default().push(writer.to_owned());
            }
        }
        let mut run = group::join(&self.roots[root].label, &run_folder);
        if is_text_log(name) && group::telling(name) && self.text_logs.get(&folder).is_some_and(|n| *n > 1) {
            run = group::join(&run, group::stem(name));
        }
        let run = RunId::new(run);
        let id = FileId(self.next_id);
        self.next_id += 1;
        let shown = group::join(&self.roots[root].label, &relative.to_string_lossy());
        let mut health = FileHealth::found(id, shown.into(), run.clone(), format.name());
        health.bytes = look.size;
        health.modified = look.modified();
        let age = {
            let newest = self.newest.entry(run.clone()).or_insert(look.mtime.0);
            *newest = (*newest).max(look.mtime.0);
            -*newest
        };
        let origin = Origin { file: id, order: order.clone().into() };
        let tail = Tail::new(path.to_owned(), format, (run.clone(), context.into()), origin, health);
        board.add(id, tail, Rank { round: 0, age, run, order: order.into() });
        self.known.insert(path.to_owned(), Known { id, look });
    }

    /// Looks at every known file and folder; pokes what changed. True if anything did.
    pub fn look(&mut self, board: &Board) -> bool {
        let mut changed = false;
        for (path, known) in &mut self.known {
            let look = fs::metadata(path).map(|m| Look::of(&m)).unwrap_or_default();
            if look != known.look {
                known.look = look;
                changed = true;
                board.poke(known.id);
            }
        }
        let stale: Vec<_> = self
            .folders
            .iter()
            .filter_map(|(path, f)| match fs::metadata(path) {
                Ok(m) => ((m.mtime(), m.mtime_nsec()) != f.mtime).then(|| (path.clone(), f.root, f.depth)),
                Err(_) => Some((path.clone(), f.root, f.depth)),
            })
            .collect();
        for (path, root, depth) in stale {
            changed = true;
            self.again(root, &path, depth, board);
        }
        changed | self.ask_again(board)
    }

    fn again(&mut self, root: usize, path: &Path, depth: usize, board: &Board) {
        if !path.exists() {
            self.folders.remove(path);
            self.entered.clear();
            self.entered
                .extend(self.folders.keys().filter_map(|p| fs::metadata(p).ok()).map(|m| (m.dev(), m.ino())));
            return;
        }
        for sub in self.folder(root, path, depth, board) {
            self.tree(root, &sub, depth + 1, board);
        }
    }

    /// Files whose first bytes did not tell: asked again when they grew.
    fn ask_again(&mut self, board: &Board) -> bool {
        let grown: Vec<_> = self
            .undecided
            .iter()
            .filter(|(p, (_, look))| fs::metadata(p).map(|m| Look::of(&m)).unwrap_or_default() != *look)
            .map(|(p, (root, _))| (p.clone(), *root))
            .collect();
        let any = !grown.is_empty();
        for (path, root) in grown {
            self.undecided.remove(&path);
            if path.exists() {
                self.report.files_seen -= 1;
                self.report.ignored -= 1;
                let shown: Arc<str> = path.display().to_string().into();
                self.report.ignored_examples.retain(|(p, _)| *p != shown);
                self.file(root, &path, board);
            }
        }
        any
    }

    /// A hint that something happened at `path`.
    pub fn hint(&mut self, path: &Path, board: &Board) {
        if let Some(known) = self.known.get_mut(path) {
            known.look = fs::metadata(path).map(|m| Look::of(&m)).unwrap_or_default();
            board.poke(known.id);
            return;
        }
        if self.undecided.contains_key(path) {
            self.ask_again(board);
            return;
        }
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        let nearest =
            folder.into_iter().flat_map(Path::ancestors).find_map(|p| self.folders.get_key_value(p));
        if let Some((path, f)) = nearest {
            let (path, root, depth) = (path.clone(), f.root, f.depth);
            self.again(root, &path, depth, board);
        }
    }
}

fn is_text_log(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".jsonl", ".ndjson", ".csv", ".tsv"].iter().any(|e| name.ends_with(e))
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Identity and first bytes of a regular file.
fn head(path: &Path) -> io::Result<Option<(Look, Vec<u8>)>> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Ok(None);
    }
    let file = fs::File::open(path)?;
    let mut head = vec![0; HEAD_BYTES.min(usize::try_from(meta.len()).unwrap_or(HEAD_BYTES))];
    let mut n = 0;
    while n < head.len() {
        match file.read_at(&mut head[n..], n as u64)? {
            0 => break,
            more => n += more,
        }
    }
    head.truncate(n);
    Ok(Some((Look::of(&meta), head)))
}
