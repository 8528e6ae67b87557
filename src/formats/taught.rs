//! Patterns of lines that the user teaches.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use globset::{Glob, GlobMatcher};
use regex::Regex;

use super::{
    text::{
        scan::quantity,
        stamp,
        units::{converted, is_known},
    },
    wire::{axes::wall_of_number, numbers::integer},
};
use crate::model::Step;

/// The user's own patterns for lines of text logs, in the order in which they are tried. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Taught {
    patterns: Option<Arc<[Arc<Pattern>]>>,
}

/// A pattern as the user wrote it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PatternSource {
    /// What it is called.
    pub name: String,
    /// Globs of the files that it is for: of the name, or of the path where one has a `/`. Empty: all text logs.
    pub files: Vec<String>,
    /// With named groups: `step`, `steps_total`, `epoch`, `epochs_total`, `wall` and `split` say where the numbers
    /// stand, every other one is a tag.
    pub regex: String,
    /// Tags of groups that are to be called otherwise; a group's name cannot hold a `/`.
    pub rename: BTreeMap<String, String>,
    /// Numbers of groups are multiplied by these.
    pub scale: BTreeMap<String, f64>,
    /// Units to which numbers of groups are brought: with `s`, `862ms` is 0.862.
    pub unit: BTreeMap<String, String>,
}

/// Why a pattern cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaughtError {
    /// Which field of it is wrong.
    pub field: &'static str,
    /// Why, one clause.
    pub reason: String,
    /// What can be done about it.
    pub advice: String,
}

/// A pattern that can be tried on lines.
#[derive(Debug)]
pub struct Pattern {
    name: Arc<str>,
    files: Vec<GlobMatcher>,
    regex: Regex,
    groups: Vec<(usize, Role)>,
}

/// What a named group is for.
#[derive(Debug)]
enum Role {
    Step,
    StepsTotal,
    Epoch,
    EpochsTotal,
    Wall,
    Split,
    Value { tag: Arc<str>, scale: f64, unit: Option<Arc<str>> },
}

/// What a pattern read from a line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaughtLine<'t> {
    /// The trainer's counter.
    pub step: Option<Step>,
    /// Planned steps.
    pub steps_total: Option<Step>,
    /// The epoch, which may be a fraction.
    pub epoch: Option<f64>,
    /// Planned epochs.
    pub epochs_total: Option<f64>,
    /// Seconds since 1970.
    pub wall: Option<f64>,
    /// What the numbers are of; empty for most.
    pub split: &'t str,
    /// Tags with their numbers.
    pub values: Vec<(Arc<str>, f64)>,
    /// Groups whose text is no number, with that text.
    pub unread: Vec<(Arc<str>, &'t str)>,
}

impl Taught {
    /// No patterns.
    pub const NONE: &Self = &Self { patterns: None };

    /// Patterns that are tried in this order.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let patterns: Vec<_> = patterns.into_iter().map(Arc::new).collect();
        Self { patterns: (!patterns.is_empty()).then(|| patterns.into()) }
    }

    /// One more, tried after the others.
    pub fn add(&mut self, pattern: Pattern) {
        let more = [Arc::new(pattern)];
        self.patterns = Some(self.patterns().iter().chain(&more).cloned().collect());
    }

    /// All of them.
    pub fn patterns(&self) -> &[Arc<Pattern>] {
        self.patterns.as_deref().unwrap_or_default()
    }

    /// Those for the file at `path`.
    pub fn of(&self, path: &Path) -> Vec<Arc<Pattern>> {
        self.patterns().iter().filter(|p| p.is_for(path)).cloned().collect()
    }
}

impl Pattern {
    /// Makes a pattern usable, or says why it cannot be.
    pub fn new(source: &PatternSource) -> Result<Self, TaughtError> {
        let regex = Regex::new(&source.regex).map_err(|error| TaughtError {
            field: "regex",
            reason: regex_reason(&error),
            advice: "see https://docs.rs/regex for the syntax; look-around and back-references are not in it"
                .into(),
        })?;
        let files = source.files.iter().map(|glob| compiled(glob)).collect::<Result<_, _>>()?;
        let mut groups = Vec::new();
        let mut names = Vec::new();
        for (at, name) in regex.capture_names().enumerate() {
            let Some(name) = name else { continue };
            names.push(name);
            groups.push((at, Role::of(name, source)?));
        }
        if !groups.iter().any(|(_, role)| matches!(role, Role::Value { .. })) {
            return Err(TaughtError {
                field: "regex",
                reason: "no named group gives a value".to_owned(),
                advice: "name what is to be drawn: `loss=(?P<loss>\\S+)`".to_owned(),
            });
        }
        let tables =
            [("rename", keys(&source.rename)), ("scale", keys(&source.scale)), ("unit", keys(&source.unit))];
        for (field, known) in tables {
            if let Some(stray) = known.into_iter().find(|k| !names.contains(&k.as_str())) {
                return Err(TaughtError {
                    field,
                    reason: format!("the regex has no group called `{stray}`"),
                    advice: format!("its groups are {}", names.join(", ")),
                });
            }
        }
        Ok(Self { name: source.name.as_str().into(), files, regex, groups })
    }

    /// What the user calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is for the file at `path`.
    pub fn is_for(&self, path: &Path) -> bool {
        let name = path.file_name().map(Path::new);
        let fits = |glob: &GlobMatcher| {
            let whole = glob.glob().glob().contains('/');
            if whole { glob.is_match(path) } else { name.is_some_and(|n| glob.is_match(n)) }
        };
        self.files.is_empty() || self.files.iter().any(fits)
    }

    /// Reads a line: `None` where the regex does not match. The numbers may have thousands commas and units.
    pub fn read<'t>(&self, line: &'t str) -> Option<TaughtLine<'t>> {
        let found = self.regex.captures(line)?;
        let mut read = TaughtLine::default();
        for (at, role) in &self.groups {
            let Some(text) = found.get(*at).map(|m| m.as_str()) else { continue };
            read.group(role, text);
        }
        Some(read)
    }

    /// The regex as the user wrote it.
    pub fn regex(&self) -> &str {
        self.regex.as_str()
    }
}

impl<'t> TaughtLine<'t> {
    fn group(&mut self, role: &Role, text: &'t str) {
        let number = plain_quantity(text);
        let plain = number.map(|(value, _)| value);
        match role {
            Role::Step => self.step = plain.and_then(integer),
            Role::StepsTotal => self.steps_total = plain.and_then(integer),
            Role::Epoch => self.epoch = plain,
            Role::EpochsTotal => self.epochs_total = plain,
            Role::Wall => {
                self.wall = plain
                    .and_then(wall_of_number)
                    .or_else(|| stamp::stamp(text.trim()).and_then(|(_, wall)| wall));
            }
            Role::Split => self.split = text.trim(),
            Role::Value { tag, scale, unit } => match number {
                Some((value, printed)) => {
                    let value = unit.as_deref().map_or(value, |unit| converted(value, printed, unit));
                    self.values.push((Arc::clone(tag), value * scale));
                }
                None => self.unread.push((Arc::clone(tag), text)),
            },
        }
    }
}

/// The number of a whole group with its unit; a comma or the like behind it, which `\S+` takes along, is passed over.
fn plain_quantity(text: &str) -> Option<(f64, &'static str)> {
    let text = text
        .trim()
        .trim_end_matches([',', ';', ')', ']', '}', '|', '\'', '"'])
        .trim_start_matches(['\'', '"']);
    let quantity = quantity(text).filter(|q| q.rest.trim().is_empty())?;
    Some((quantity.value, quantity.unit))
}

impl Role {
    fn of(name: &str, source: &PatternSource) -> Result<Self, TaughtError> {
        let unit = source.unit.get(name);
        if let Some(unknown) = unit.filter(|u| !is_known(u)) {
            return Err(TaughtError {
                field: "unit",
                reason: format!("`{unknown}` is no unit that can be converted"),
                advice: "known are ns, us, ms, s, min, h, KB to TB, KiB to TiB, K, M, G, %".to_owned(),
            });
        }
        Ok(match name {
            "step" => Self::Step,
            "steps_total" => Self::StepsTotal,
            "epoch" => Self::Epoch,
            "epochs_total" => Self::EpochsTotal,
            "wall" => Self::Wall,
            "split" => Self::Split,
            _ => Self::Value {
                tag: source.rename.get(name).map_or(name, String::as_str).into(),
                scale: source.scale.get(name).copied().unwrap_or(1.0),
                unit: unit.map(|u| u.as_str().into()),
            },
        })
    }
}

fn keys<T>(table: &BTreeMap<String, T>) -> Vec<&String> {
    table.keys().collect()
}

fn compiled(glob: &str) -> Result<GlobMatcher, TaughtError> {
    Glob::new(glob).map(|g| g.compile_matcher()).map_err(|error| TaughtError {
        field: "files",
        reason: format!("`{glob}`: {}", error.kind()),
        advice: "use patterns such as \"*.log\" or \"**/logs/*.txt\"".to_owned(),
    })
}

/// The last line of a regex error says what is wrong; those before point at it.
fn regex_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

impl fmt::Display for TaughtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for TaughtError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(regex: &str) -> PatternSource {
        PatternSource { name: "mine".to_owned(), regex: regex.to_owned(), ..PatternSource::default() }
    }

    #[test]
    fn groups_say_what_they_are() {
        let mut taught = source(
            r"^(?P<wall>\S+ \S+) (?P<split>\w+) step (?P<step>\S+)/(?P<steps_total>\d+) loss=(?P<loss>\S+) t=(?P<time>\S+)",
        );
        taught.rename.insert("loss".to_owned(), "loss/total".to_owned());
        taught.unit.insert("time".to_owned(), "s".to_owned());
        let pattern = Pattern::new(&taught).unwrap();
        let line = pattern.read("2025-06-15 15:06:40 val step 1,200/5000 loss=nan, t=862ms rest").unwrap();
        assert_eq!((line.step, line.steps_total, line.split), (Some(1200), Some(5000), "val"));
        assert_eq!(line.wall, Some(1_750_000_000.0));
        assert_eq!(&*line.values[0].0, "loss/total");
        assert!(line.values[0].1.is_nan() && (line.values[1].1 - 0.862).abs() < 1e-12);
        assert_eq!(pattern.read("something else"), None);
        let odd = pattern.read("a b val step 1/2 loss=none t=1").unwrap();
        assert_eq!(odd.unread, [(Arc::from("loss/total"), "none")]);
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said_with_its_field() {
        let error = |source: &PatternSource| Pattern::new(source).unwrap_err();
        assert_eq!(error(&source("(?P<loss>")).field, "regex");
        assert_eq!(error(&source("step (?P<step>\\d+)")).reason, "no named group gives a value");
        let mut stray = source("(?P<loss>\\S+)");
        stray.scale.insert("los".to_owned(), 2.0);
        assert_eq!(error(&stray).reason, "the regex has no group called `los`");
        let mut unit = source("(?P<loss>\\S+)");
        unit.unit.insert("loss".to_owned(), "furlong".to_owned());
        assert_eq!(error(&unit).field, "unit");
        let glob = PatternSource { files: vec!["[".to_owned()], ..source("(?P<loss>\\S+)") };
        assert_eq!(error(&glob).field, "files");
    }

    #[test]
    fn a_pattern_is_for_the_files_that_its_globs_name() {
        let globs = ["*.log", "**/logs/*.txt"].map(str::to_owned).to_vec();
        let pattern = Pattern::new(&PatternSource { files: globs, ..source("(?P<loss>\\S+)") }).unwrap();
        for (path, fits) in [("/a/b.log", true), ("/a/logs/x.txt", true), ("/a/x.txt", false)] {
            assert_eq!(pattern.is_for(Path::new(path)), fits, "{path}");
        }
    }
}
