//! `doctor --try-pattern`: a line pattern tried on text logs before it is taught for good.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::AppError,
    reading::{Setting, read_once},
};
use crate::{
    formats::{self, Pattern, PatternSource, Trial, TrialLine},
    model::sanitise,
    ui::numbers,
};

/// Bytes of a file that are tried.
const TRIED: u64 = 64 << 20;

/// Tries `pattern`, a regular expression or the name of one in the configuration, on the text logs at `paths`.
pub fn try_pattern(
    pattern: &str,
    paths: &[PathBuf],
    setting: &Setting,
    out: &mut dyn Write,
) -> Result<(), AppError> {
    let known = setting.config.taught.patterns().iter().find(|known| known.name() == pattern);
    let usable = match known {
        Some(known) => Arc::clone(known),
        None => Arc::new(new(pattern)?),
    };
    let files = text_logs(paths, setting)?;
    writeln!(out, "pattern {}", sanitise(usable.regex()))?;
    if files.is_empty() {
        writeln!(out, "  no text log is there to try it on; name a file")?;
    }
    let mut matched = Vec::new();
    for file in &files {
        if known.is_some() && !usable.is_for(file) {
            continue;
        }
        let trial = formats::try_pattern(&usable, &start_of(file)?);
        tell(file, &trial, out)?;
        if trial.matched > 0 {
            matched.push(file.as_path());
        }
    }
    if known.is_none() && !matched.is_empty() {
        to_keep(usable.regex(), &matched, out)?;
    }
    Ok(())
}

/// A pattern that is nothing but a regular expression.
fn new(regex: &str) -> Result<Pattern, AppError> {
    let source =
        PatternSource { name: "mine".to_owned(), regex: regex.to_owned(), ..PatternSource::default() };
    Pattern::new(&source).map_err(|error| {
        AppError::new(format!("cannot use the pattern {regex}"), error.to_string(), error.advice)
    })
}

/// Files that were named, and text logs below folders that were.
fn text_logs(paths: &[PathBuf], setting: &Setting) -> Result<Vec<PathBuf>, AppError> {
    let mut found = Vec::new();
    let here = [PathBuf::from(".")];
    for path in if paths.is_empty() { &here[..] } else { paths } {
        if path.is_file() {
            found.push(path.clone());
            continue;
        }
        let session = read_once(std::slice::from_ref(path), setting, false)?;
        let logs = session.health.files.values().filter(|file| file.format == "text");
        found.extend(logs.map(|file| path.join(&*file.path)).filter(|path| path.is_file()));
    }
    Ok(found)
}

fn start_of(path: &Path) -> Result<Vec<u8>, AppError> {
    let mut content = Vec::new();
    fs::File::open(path).and_then(|file| file.take(TRIED).read_to_end(&mut content)).map_err(|error| {
        AppError::new(
            format!("cannot read {}", path.display()),
            error.to_string(),
            "check the path and its permissions",
        )
    })?;
    Ok(content)
}

fn tell(path: &Path, trial: &Trial, out: &mut dyn Write) -> io::Result<()> {
    let name = path.to_string_lossy();
    writeln!(out, "\n{}: reads {} of {} lines", sanitise(&name), trial.matched, trial.lines)?;
    for line in trial.first.iter().chain(&trial.last) {
        writeln!(out, "  line {}: {}", line.number, read(line))?;
    }
    if trial.matched > 0 {
        match trial.steps {
            Some((first, last)) if trial.backwards > 0 => {
                writeln!(
                    out,
                    "  steps {first} to {last}, {} times back: restarts, or no step",
                    trial.backwards
                )?;
            }
            Some((first, last)) => writeln!(out, "  steps {first} to {last}, never back")?,
            None => writeln!(out, "  no group `step`: the lines that it reads are numbered")?,
        }
    }
    for (tag, count, number, text) in &trial.unread {
        let (tag, text) = (sanitise(tag), sanitise(text));
        writeln!(out, "  no number in {tag} {count} times, first in line {number}: {text}")?;
    }
    if trial.left > 0 {
        writeln!(out, "  leaves {} lines with numbers to the other readers:", trial.left)?;
        for (number, text) in &trial.left_first {
            writeln!(out, "    line {number}: {}", sanitise(text))?;
        }
    }
    Ok(())
}

fn read(line: &TrialLine) -> String {
    let mut parts: Vec<String> = line.place.iter().cloned().collect();
    if !line.split.is_empty() {
        parts.push(format!("split {}", sanitise(&line.split)));
    }
    parts.extend(
        line.values.iter().map(|(tag, value)| format!("{} = {}", sanitise(tag), numbers::value(*value))),
    );
    if parts.is_empty() { "no number".to_owned() } else { parts.join(", ") }
}

/// What to write down so that the pattern is used from now on.
fn to_keep(regex: &str, files: &[&Path], out: &mut dyn Write) -> io::Result<()> {
    let mut names: Vec<String> = files
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| quoted(&name.to_string_lossy()))
        .collect();
    names.sort();
    names.dedup();
    writeln!(out, "\nto keep it, write this into epochscope.toml:\n")?;
    writeln!(out, "[[pattern]]\nname = \"mine\"\nfiles = [{}]", names.join(", "))?;
    writeln!(out, "regex = {}", quoted(regex))
}

/// As TOML has it: literal where that is possible, since regular expressions are full of backslashes.
fn quoted(text: &str) -> String {
    if text.contains(['\'', '\n']) || text.chars().any(char::is_control) {
        toml::Value::String(text.to_owned()).to_string()
    } else {
        format!("'{text}'")
    }
}
