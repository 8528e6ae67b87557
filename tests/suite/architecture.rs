//! The layer rule: who may name whom, which outside names are reserved to whom, what each file begins with.
//!
//! The table below *is* the rule; ARCHITECTURE.md points here. Code under `#[cfg(test)]` is held to the layers but
//! may use the outside names that tests need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Layers from low to high: `(module, what it may name)`.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("formats", &["model"]),
    ("store", &["model"]),
    ("detect", &["model", "store"]),
    ("analysis", &["model", "store"]),
    ("ingest", &["model", "formats"]),
    ("engine", &["model", "store", "detect"]),
    ("ui", &["model", "store", "detect", "analysis"]),
    ("app", &["model", "formats", "store", "detect", "ingest", "engine", "ui"]),
];

/// Outside names: `(path prefix, who may use it, why)`.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("std::fs", &["ingest", "app"], "files are opened by ingest (and by app for its own output)"),
    ("std::net", &[], "nothing talks to a network"),
    ("std::process", &["app"], "only the application ends or starts processes"),
    ("std::env", &["app"], "only the application looks at its surroundings"),
    ("std::thread", &["ingest", "engine", "app"], "threads are started by ingest, engine and app"),
    ("std::time::SystemTime", &["app"], "ask the Clock that you were given"),
    ("std::time::Instant", &["app"], "ask the Clock that you were given"),
    ("std::time::UNIX_EPOCH", &["app", "ingest"], "ask the Clock that you were given"),
    ("notify", &["ingest"], "watching is ingest's"),
    ("tokio", &["app"], "everything async lives in app"),
    ("ratatui", &["ui", "app"], "drawing is ui's"),
    ("crossterm", &["app"], "the terminal is app's"),
    ("crossterm::event", &["ui", "app"], "key types are ui's, the terminal is app's"),
    ("ratatui::crossterm", &["app"], "the terminal is app's"),
    ("ratatui::crossterm::event", &["ui", "app"], "key types are ui's, the terminal is app's"),
    ("tui_input", &["ui"], "drawing is ui's"),
    ("nucleo_matcher", &["ui"], "drawing is ui's"),
    ("clap", &["app"], "the command line is app's"),
    ("clap_complete", &["app"], "the command line is app's"),
    ("clap_mangen", &["app"], "the command line is app's"),
    ("jiff", &["app", "formats"], "clock times are shown by app and read by formats"),
    ("serde_json", &["formats", "app"], "JSON is read by formats and written by app"),
    ("csv", &["formats"], "bytes are decoded by formats"),
    ("rusqlite", &["formats"], "bytes are decoded by formats"),
    ("serde_saphyr", &["formats"], "bytes are decoded by formats"),
    ("crc32c", &["formats"], "bytes are decoded by formats"),
    ("rustix", &["ingest", "app"], "the operating system is ingest's and app's"),
    ("ureq", &["app"], "alerts are posted by app; nothing else talks to a network"),
];

/// One `.rs` file below `src/`.
struct Source {
    /// Path below `src/`.
    path: String,
    /// Its first folder or file stem: `model`, …; `lib` and `main` for the roots.
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let below = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                let module = below.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path: below, module, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "the scan found only {} files", found.len());
    found
}

/// A path that a file names: where, and whether it is test code.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    path: String,
    line: usize,
    in_tests: bool,
}

/// Every path with `::` in the code of a file, `use` trees spelt out, `crate`, `self` and `super` resolved to `crate`.
///
/// A scanner, not a compiler: it blanks comments and strings, then reads identifiers joined by `::` and braces. That
/// is enough to see which module is named; what a macro makes is not seen.
fn named_paths(source: &str, file: &str) -> Vec<Named> {
    let code = blank_comments_and_strings(source);
    let tests_begin = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
    let mut found = Vec::new();
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts = is_word(bytes[at]) && (at == 0 || !is_word(bytes[at - 1]));
        if !starts {
            at += 1;
            continue;
        }
        let continued = code[..at].trim_end().ends_with("::");
        let mut tree = Vec::new();
        let end = read_tree(&code, at, "", &mut tree);
        if !continued {
            for (path, offset) in tree {
                if path.contains("::") || is_use_of_crate(&code, at) {
                    let line = code[..offset].matches('\n').count() + 1;
                    found.push(Named { path: resolve(&path, file), line, in_tests: offset > tests_begin });
                }
            }
        }
        at = end.max(at + 1);
    }
    found
}

/// `use notify;` or `extern crate notify;`: a lone word that still names a crate.
fn is_use_of_crate(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    before.ends_with("use") || before.ends_with("extern crate")
}

/// Reads `a::b::{c, d::e}` at `at`; pushes `(path, offset)`; returns where it ends.
fn read_tree(code: &str, mut at: usize, prefix: &str, into: &mut Vec<(String, usize)>) -> usize {
    let bytes = code.as_bytes();
    let start = at;
    while at < bytes.len() && is_word(bytes[at]) {
        at += 1;
    }
    let word = &code[start..at];
    let path = if prefix.is_empty() { word.to_owned() } else { format!("{prefix}::{word}") };
    let after = skip_space(code, at);
    if !code[after..].starts_with("::") {
        into.push((path, start));
        return at;
    }
    let next = skip_space(code, after + 2);
    match bytes.get(next) {
        Some(b'{') => {
            let mut inside = next + 1;
            loop {
                inside = skip_space(code, inside);
                match bytes.get(inside) {
                    None => return inside,
                    Some(b'}') => return inside + 1,
                    Some(c) if is_word(*c) => inside = read_tree(code, inside, &path, into),
                    Some(_) => inside += 1,
                }
            }
        }
        Some(c) if is_word(*c) => read_tree(code, next, &path, into),
        _ => {
            into.push((path, start));
            next
        }
    }
}

fn skip_space(code: &str, mut at: usize) -> usize {
    while code.as_bytes().get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

/// `super::super::x` in `src/a/b.rs` is `crate::…`; `self::` likewise.
fn resolve(path: &str, file: &str) -> String {
    let mut module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
        module.pop();
    }
    let mut parts: Vec<&str> = path.split("::").collect();
    if parts[0] == "self" || parts[0] == "super" {
        let mut rest = &parts[..];
        if rest[0] == "self" {
            rest = &rest[1..];
        }
        while rest.first() == Some(&"super") {
            module.pop();
            rest = &rest[1..];
        }
        let mut whole = vec!["crate"];
        whole.extend(&module);
        whole.extend(rest);
        return whole.join("::");
    }
    if parts[0] == "epochscope" {
        parts[0] = "crate";
    }
    parts.join("::")
}

/// Same length, same lines; comments, strings and character literals are blanks.
fn blank_comments_and_strings(source: &str) -> String {
    let mut out: Vec<u8> = source.as_bytes().to_vec();
    let bytes = source.as_bytes();
    let blank = |out: &mut Vec<u8>, from: usize, to: usize| {
        for b in &mut out[from..to.min(source.len())] {
            if *b != b'\n' {
                *b = b' ';
            }
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let end = if bytes[at..].starts_with(b"//") {
            source[at..].find('\n').map_or(bytes.len(), |n| at + n)
        } else if bytes[at..].starts_with(b"/*") {
            source[at..].find("*/").map_or(bytes.len(), |n| at + n + 2)
        } else if let Some(end) = raw_string_end(source, at) {
            end
        } else if bytes[at] == b'"' {
            quoted_end(bytes, at, b'"')
        } else if bytes[at] == b'\'' && is_char_literal(source, at) {
            quoted_end(bytes, at, b'\'')
        } else {
            at += 1;
            continue;
        };
        blank(&mut out, at, end);
        at = end;
    }
    String::from_utf8(out).unwrap()
}

fn raw_string_end(source: &str, at: usize) -> Option<usize> {
    let before_is_word = at > 0 && is_word(source.as_bytes()[at - 1]) && source.as_bytes()[at - 1] != b'b';
    let rest = source.get(at..)?;
    if before_is_word || !rest.starts_with('r') {
        return None;
    }
    let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = at + 2 + hashes;
    Some(source[body..].find(&close).map_or(source.len(), |n| body + n + close.len()))
}

fn quoted_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != quote {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end + 1
}

/// A quote that begins `'x'` or `'\n'`, not a lifetime.
fn is_char_literal(source: &str, at: usize) -> bool {
    let mut rest = source[at + 1..].chars();
    match rest.next() {
        Some('\\') => true,
        Some(_) => rest.next() == Some('\''),
        None => false,
    }
}

/// Top-level module that a resolved path names, if it is one of ours.
fn layer_of(path: &str) -> Option<&str> {
    path.strip_prefix("crate::")?.split("::").next().filter(|m| LAYERS.iter().any(|(layer, _)| layer == m))
}

fn within(path: &str, prefix: &str) -> bool {
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

/// Breaches of the layer table and the reserved names in one file, as `file:line: rule`.
fn breaches(file: &str, module: &str, text: &str) -> Vec<String> {
    let Some((_, may)) = LAYERS.iter().find(|(layer, _)| *layer == module) else { return Vec::new() };
    let mut all = BTreeSet::new();
    for named in named_paths(text, file) {
        let at = format!("src/{file}:{}", named.line);
        if let Some(other) = layer_of(&named.path)
            && other != module
            && !may.contains(&other)
        {
            all.insert(format!("{at}: `{module}` must not name `{other}` (it may name {may:?})"));
        }
        let path = named.path.strip_prefix("::").unwrap_or(&named.path);
        // The most exact entry decides: `crossterm::event` before `crossterm`.
        let rule = RESERVED.iter().filter(|(p, ..)| within(path, p)).max_by_key(|(p, ..)| p.len());
        if let Some((prefix, who, why)) = rule
            && !who.contains(&module)
            && !named.in_tests
        {
            all.insert(format!("{at}: `{prefix}` is reserved to {who:?}: {why}"));
        }
    }
    all.into_iter().collect()
}

#[test]
fn no_layer_names_one_that_it_may_not() {
    let all: Vec<String> = sources().iter().flat_map(|s| breaches(&s.path, &s.module, &s.text)).collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn every_folder_of_src_has_its_row_in_the_table() {
    let found: BTreeSet<String> = sources().into_iter().map(|s| s.module).collect();
    let mut table: BTreeSet<String> = LAYERS.iter().map(|(m, _)| (*m).to_owned()).collect();
    table.extend(["lib".to_owned(), "main".to_owned()]);
    assert_eq!(found, table);
}

#[test]
fn top_level_modules_have_no_cycle() {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for named in named_paths(&source.text, &source.path) {
            if let Some(other) = layer_of(&named.path)
                && other != source.module
                && source.module != "lib"
                && source.module != "main"
            {
                names.entry(source.module.clone()).or_default().insert(other.to_owned());
            }
        }
    }
    assert!(names.len() >= 5, "the scan saw edges from only {names:?}");
    // Take away modules that name nothing that is left; a cycle is what cannot be taken away.
    let mut left: BTreeSet<String> = LAYERS.iter().map(|(m, _)| (*m).to_owned()).collect();
    loop {
        let free: Vec<String> =
            left.iter().filter(|m| names.get(*m).is_none_or(|n| n.is_disjoint(&left))).cloned().collect();
        if free.is_empty() {
            break;
        }
        for module in free {
            left.remove(&module);
        }
    }
    assert!(left.is_empty(), "these modules name each other in a circle: {left:?}");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for source in sources() {
        let first = source.text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").unwrap_or_default();
        assert!(says.len() >= 12, "src/{}: the first line must say what the file is for", source.path);
    }
}

#[test]
fn files_and_folders_have_names_that_say_something() {
    for source in sources() {
        for part in source.path.trim_end_matches(".rs").split('/') {
            let empty = ["utils", "util", "common", "helpers", "helper", "manager", "handler", "misc"];
            assert!(!empty.contains(&part), "src/{}: `{part}` says nothing", source.path);
        }
    }
}

#[test]
fn the_scan_sees_what_it_must() {
    let text = r#"
use std::{fs::File, sync::Arc};
use crate::{engine::{Session, spawn}, model::Step};
use super::super::ingest as x; // crate::app in a comment
fn f<'a>(a: &'a str) -> notify::Event { let s = "tokio::spawn"; let c = '"'; std::env::var("A"); 'x' }
#[cfg(test)]
mod tests { use std::thread; use crate::app::run; }
"#;
    let found = breaches("ui/views/curves.rs", "ui", text);
    let wanted = [
        ("curves.rs:2: `std::fs`", true),
        ("curves.rs:3: `ui` must not name `engine`", true),
        ("curves.rs:5: `notify`", true),
        ("curves.rs:5: `std::env`", true),
        ("curves.rs:7: `ui` must not name `app`", true),
        ("tokio", false),
        ("std::thread", false),
        ("curves.rs:4: `ui` must not name `app`", false),
    ];
    for (part, there) in wanted {
        assert_eq!(found.iter().any(|f| f.contains(part)), there, "{part}: {found:#?}");
    }
    let deep = breaches("ui/views/curves.rs", "ui", "use super::super::super::ingest::x;\n");
    assert!(deep[0].contains("must not name `ingest`"), "{deep:?}");
    let fine =
        breaches("ui/views/curves.rs", "ui", "use super::super::widgets; use crossterm::event::KeyCode;");
    assert!(fine.is_empty(), "{fine:?}");
    let key = breaches("ui/screen.rs", "ui", "fn f() { crossterm::terminal::size(); }");
    assert!(key[0].contains("`crossterm`"), "{key:?}");
}
