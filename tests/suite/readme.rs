//! The README and docs/FORMATS.md say what the registries say: their tables are made from them, and compared here.
//!
//! `UPDATE_README=1 cargo test --test suite readme` writes them anew.

use std::{env, fmt::Write, fs, path::Path};

use clap::CommandFactory;
use epochscope::{
    app::cli::Cli,
    detect::DETECTORS,
    formats::{FORMATS, known_lines},
    ui::{VIEWS, keymap},
};

/// A cell of a table: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn formats() -> String {
    let mut text = String::from("| format | files | what writes them |\n| --- | --- | --- |\n");
    for format in FORMATS {
        let files: Vec<String> = format.patterns().iter().map(|p| format!("`{p}`")).collect();
        let _ = writeln!(text, "| `{}` | {} | {} |", format.name(), files.join(" "), cell(format.summary()));
    }
    text
}

fn views() -> String {
    let mut text = String::from("| view | what it shows |\n| --- | --- |\n");
    for (number, make) in VIEWS.iter().enumerate() {
        let view = make();
        let _ = writeln!(text, "| `{}` {} | {} |", number + 1, view.title(), cell(view.summary()));
    }
    text
}

fn detectors() -> String {
    let mut text = String::from("| rule | what it means | what usually helps |\n| --- | --- | --- |\n");
    for rule in DETECTORS {
        let _ = writeln!(text, "| `{}` | {} | {} |", rule.id, cell(rule.summary), cell(rule.advice));
    }
    text
}

fn lines() -> String {
    let mut text = String::from("| lines of | what is read |\n| --- | --- |\n");
    for (name, summary) in known_lines() {
        let _ = writeln!(text, "| {} | {} |", cell(name), cell(summary));
    }
    text
}

/// A document's text with what belongs between `<!-- name -->` and `<!-- /name -->` put there.
fn filled(document: &str, parts: &[(&str, String)]) -> String {
    let mut text = document.to_owned();
    for (name, content) in parts {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let from = text.find(&begin).unwrap_or_else(|| panic!("`{begin}` is missing")) + begin.len();
        let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("`{end}` is missing"));
        text.replace_range(from..to, content);
    }
    text
}

#[test]
fn the_tables_are_those_of_the_registries() {
    let readme = [
        ("formats", formats()),
        ("views", views()),
        ("detectors", detectors()),
        ("keys", keymap::markdown()),
    ];
    compare("README.md", &readme);
    compare("docs/FORMATS.md", &[("formats", formats()), ("lines", lines())]);
}

fn compare(name: &str, parts: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let document = fs::read_to_string(&path).unwrap();
    let wanted = filled(&document, parts);
    if env::var_os("UPDATE_README").is_some() && wanted != document {
        fs::write(path, wanted).unwrap();
        return;
    }
    for (line, (have, want)) in document.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(have, want, "{name}:{}; `UPDATE_README=1 cargo test --test suite readme`", line + 1);
    }
    assert_eq!(document.lines().count(), wanted.lines().count(), "a table of {name} lacks lines");
}

#[test]
fn every_command_and_file_that_the_readme_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let commands: Vec<String> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for line in readme.lines() {
        let Some(rest) = line.strip_prefix("epochscope ") else { continue };
        let word = rest.split_whitespace().next().unwrap_or_default();
        assert!(word.ends_with('/') || commands.iter().any(|c| c == word), "no such command: {line}");
    }
    for target in readme.split("](").skip(1).filter_map(|part| part.split(')').next()) {
        if !target.contains("://") {
            assert!(root.join(target).exists(), "README.md points to {target}, which does not exist");
        }
    }
}

#[test]
fn the_two_commands_are_in_the_readme() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains("cargo run --release -- demo") && readme.contains("\ncargo test"));
}
