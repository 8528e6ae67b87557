//! `epochscope.toml`: flags that are always given, and line patterns that are taught. docs/CONFIG.md describes it.
//!
//! A file's keys are turned into the flags of the same names and put before those of the command line, so that a key
//! means what its flag means, and a flag that is typed wins. Lists are added to.
//!
//! The file is looked for in the current folder and those above it, never in the folders that are watched: whoever can
//! write logs must not be able to steer the monitor of whoever reads them.

use std::{
    collections::BTreeMap,
    env, fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, Parser};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    cli::{Cli, Common},
    error::AppError,
    xdg,
};
use crate::{
    detect::RuleLimit,
    formats::{Pattern, PatternSource, Taught, TaughtError},
    model::Told,
};

mod judging;

/// What the file is called where a project keeps it.
pub const NAME: &str = "epochscope.toml";

/// Larger files are no configuration.
const LIMIT: u64 = 1 << 20;

/// Flags that a file may set, without the dashes; lists come apart from these.
const FLAGS: &[&str] = &[
    "since",
    "color",
    "ascii",
    "fps",
    "poll",
    "memory",
    "stale-after",
    "no-mouse",
    "no-sync",
    "log-file",
    "bell",
    "desktop",
    "on-alert",
    "on-alert-timeout",
    "webhook",
    "webhook-style",
    "webhook-timeout",
    "notify-limit",
    "quiet-hours",
];

/// Flags by which something leaves the machine or is run: only the user says so, not whoever can put a file beside a
/// project or among logs.
const OWN_ONLY: &[&str] = &["on-alert", "webhook"];

/// Keys that are no flags of one value.
const LISTS: &[&str] = &["include", "exclude", "format-hint", "pattern", "roles", "rules"];

/// What the files say, the user's own before the project's.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it was read.
    pub files: Vec<PathBuf>,
    /// Flags with their values, as on a command line.
    pub flags: Vec<String>,
    /// As `--include`.
    pub include: Vec<String>,
    /// As `--exclude`.
    pub exclude: Vec<String>,
    /// As `--format-hint`.
    pub format_hints: Vec<(String, String)>,
    /// As `--role`.
    pub roles: Vec<(String, Told)>,
    /// As `--rule`.
    pub rules: Vec<RuleLimit>,
    /// Line patterns as they were written.
    pub sources: Vec<PatternSource>,
    /// The same, usable.
    pub taught: Taught,
    /// The file that was named on the command line and says where alerts go, and the key.
    named: Option<(PathBuf, &'static str)>,
}

/// Whose a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    /// The user's own.
    User,
    /// Named on the command line.
    Named,
    /// Found where the user happens to be.
    Project,
}

impl Config {
    /// The files that `common` asks for: the one it names, or the user's own and the nearest project's; none with
    /// `--no-config`.
    pub fn load(common: &Common) -> Result<Self, AppError> {
        if common.no_config {
            return Ok(Self::default());
        }
        let mut config = Self::default();
        if let Some(path) = &common.config {
            config.read(path, Owner::Named)?;
            return Ok(config);
        }
        if let Some(path) = user_file() {
            config.read(&path, Owner::User)?;
        }
        if let Some(path) = project_file() {
            config.read(&path, Owner::Project)?;
        }
        Ok(config)
    }

    /// The flags' lists behind those of the files.
    pub fn add_lists(&self, common: &mut Common) {
        let joined = |ours: &[String], theirs: &[String]| [ours, theirs].concat();
        common.include = joined(&self.include, &common.include);
        common.exclude = joined(&self.exclude, &common.exclude);
        common.role = [&self.roles[..], &common.role].concat();
        common.rule = [&self.rules[..], &common.rule].concat();
        common.format_hint = [&self.format_hints[..], &common.format_hint].concat();
    }

    /// That no file in a watched folder says which command is run or where alerts are posted.
    pub fn check_watched(&self, watched: &[PathBuf]) -> Result<(), AppError> {
        match &self.named {
            Some((file, key)) if xdg::is_below(file, &xdg::canonical(watched)) => Err(AppError::new(
                format!("cannot use {}", file.display()),
                format!("`{key}` is set in a file in a watched folder, which others may be able to write"),
                "move the file elsewhere, or give the flag on the command line",
            )),
            _ => Ok(()),
        }
    }

    fn read(&mut self, path: &Path, owner: Owner) -> Result<(), AppError> {
        let text = text_of(path).map_err(|error| {
            AppError::new(
                format!("cannot read {}", path.display()),
                error.to_string(),
                "check the path and its permissions, or go without it: --no-config",
            )
        })?;
        self.take(&text, owner).map_err(|wrong| {
            let line =
                wrong.at.map_or(0, |at| text.get(..at.start).unwrap_or(&text).matches('\n').count() + 1);
            let place = if line > 0 { format!(", line {line}") } else { String::new() };
            AppError::new(format!("cannot use {}{place}", path.display()), wrong.why, wrong.advice)
        })?;
        self.files.push(path.to_path_buf());
        if owner == Owner::Named {
            let key = OWN_ONLY.iter().find(|key| {
                let flag = format!("--{key}=");
                self.flags.iter().any(|f| f.starts_with(&flag))
            });
            self.named = key.map(|key| (path.to_path_buf(), *key));
        }
        Ok(())
    }

    fn take(&mut self, text: &str, owner: Owner) -> Result<(), Wrong> {
        let table = DeTable::parse(text).map_err(|error| Wrong {
            at: error.span(),
            why: error.message().to_owned(),
            advice: "see https://toml.io for the syntax; text is written in quotes".to_owned(),
        })?;
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            match name {
                "include" => self.include.extend(texts(name, value)?),
                "exclude" => self.exclude.extend(texts(name, value)?),
                "format-hint" => self.hints(value)?,
                "pattern" => self.patterns(value)?,
                "roles" => self.roles.extend(judging::roles(value)?),
                "rules" => self.rules.extend(judging::rules(value)?),
                _ if OWN_ONLY.contains(&name) && owner == Owner::Project => {
                    return Err(Wrong::at(
                        key,
                        format!(
                            "`{name}` may only stand in your own configuration: this file came with a folder"
                        ),
                        format!("write it into ~/.config/epochscope/config.toml, or give --{name} yourself"),
                    ));
                }
                _ if FLAGS.contains(&name) => self.flag(name, value)?,
                _ => return Err(unknown(key, LISTS.iter().chain(FLAGS))),
            }
        }
        Ok(())
    }

    /// `fps = 5` as `--fps 5`, tried at once so that what is wrong is said with its line.
    fn flag(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let command = Cli::command();
        let switch = command.get_arguments().find(|a| a.get_long() == Some(name));
        let takes_value = switch.is_some_and(|a| a.get_action().takes_values());
        let words = match value.get_ref() {
            DeValue::Boolean(false) if !takes_value => return Ok(()),
            DeValue::Boolean(true) if !takes_value => vec![format!("--{name}")],
            DeValue::String(text) if takes_value => vec![format!("--{name}={text}")],
            DeValue::Integer(number) if takes_value => vec![format!("--{name}={number}")],
            DeValue::Float(number) if takes_value => vec![format!("--{name}={number}")],
            DeValue::Datetime(moment) if takes_value => vec![format!("--{name}={moment}")],
            _ => {
                let advice = if takes_value {
                    format!("write it as `--{name}` takes it")
                } else {
                    format!("write `{name} = true`")
                };
                return Err(Wrong::at(value, format!("`{name}` cannot have a value of that kind"), advice));
            }
        };
        let tried =
            Cli::try_parse_from(std::iter::once("epochscope".to_owned()).chain(words.iter().cloned()));
        if let Err(error) = tried {
            let text = error.to_string();
            let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return Err(Wrong::at(
                value,
                why,
                format!("write it as `--{name}` takes it; see `epochscope --help`"),
            ));
        }
        self.flags.extend(words);
        Ok(())
    }

    /// `[format-hint]`: a glob, or several, for the name of a format.
    fn hints(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(Wrong::at(
                value,
                "`format-hint` is no table",
                "write `[format-hint]` and below it `csv = \"*.dat\"`",
            ));
        };
        for (format, globs) in table {
            let format = format.get_ref();
            let globs = texts(format, globs)?;
            self.format_hints.extend(globs.into_iter().map(|glob| (format.to_string(), glob)));
        }
        Ok(())
    }

    /// `[[pattern]]`.
    fn patterns(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let advice = "begin each pattern with `[[pattern]]`";
        let DeValue::Array(all) = value.get_ref() else {
            return Err(Wrong::at(value, "`pattern` is no list of tables", advice));
        };
        for one in all {
            let DeValue::Table(table) = one.get_ref() else {
                return Err(Wrong::at(one, "a pattern is no table", advice));
            };
            let source = pattern(one, table)?;
            if self.sources.iter().any(|s| s.name == source.name) {
                return Err(Wrong::at(
                    one,
                    format!("there are two patterns `{}`", source.name),
                    "give each its own name",
                ));
            }
            let pattern =
                Pattern::new(&source).map_err(|error| of_pattern(one, table, &source.name, error))?;
            self.taught.add(pattern);
            self.sources.push(source);
        }
        Ok(())
    }
}

/// The user's flags behind those of the files: the command line that is meant.
pub fn with_flags<T: From<String>>(config: &Config, mut arguments: Vec<T>) -> Vec<T> {
    let at = arguments.len().min(1);
    arguments.splice(at..at, config.flags.iter().cloned().map(T::from));
    arguments
}

/// `$XDG_CONFIG_HOME/epochscope/config.toml`, or the same below `~/.config`.
fn user_file() -> Option<PathBuf> {
    let base = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|base| base.is_absolute())
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
    Some(base.join("epochscope").join("config.toml")).filter(|path| path.is_file())
}

/// The nearest file of that name in the current folder or above it.
fn project_file() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file())
}

fn text_of(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > LIMIT {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    fs::read_to_string(path)
}

/// What is wrong with a file, and where in its text.
#[derive(Debug)]
struct Wrong {
    at: Option<Range<usize>>,
    why: String,
    advice: String,
}

impl Wrong {
    fn at<T>(place: &Spanned<T>, why: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { at: Some(place.span()), why: why.into(), advice: advice.into() }
    }
}

fn unknown<'a>(key: &Spanned<impl AsRef<str>>, known: impl Iterator<Item = &'a &'a str>) -> Wrong {
    let known: Vec<&str> = known.copied().collect();
    Wrong::at(
        key,
        format!("`{}` is no setting", key.get_ref().as_ref()),
        format!("known are {}", known.join(", ")),
    )
}

fn text(name: &str, value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(Wrong::at(value, format!("`{name}` is no text"), format!("write {name} = \"…\""))),
    }
}

/// A text, or a list of them.
fn texts(name: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Wrong> {
    match value.get_ref() {
        DeValue::Array(all) => all.iter().map(|one| text(name, one)).collect(),
        DeValue::String(text) => Ok(vec![text.to_string()]),
        _ => {
            Err(Wrong::at(value, format!("`{name}` is no list of texts"), format!("write {name} = [\"…\"]")))
        }
    }
}

/// A table of `key = value`.
fn map<T>(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    each: impl Fn(&str, &Spanned<DeValue<'_>>) -> Result<T, Wrong>,
) -> Result<BTreeMap<String, T>, Wrong> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(Wrong::at(
            value,
            format!("`{name}` is no table"),
            format!("write {name} = {{ group = … }}"),
        ));
    };
    table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), each(key.get_ref(), value)?))).collect()
}

fn number(name: &str, value: &Spanned<DeValue<'_>>) -> Result<f64, Wrong> {
    let number = match value.get_ref() {
        DeValue::Float(number) => number.to_string().replace('_', "").parse().ok(),
        DeValue::Integer(number) => number.to_string().replace('_', "").parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Wrong::at(value, format!("`{name}` is no number"), "write a number such as 0.001"))
}

fn pattern(place: &Spanned<DeValue<'_>>, table: &DeTable<'_>) -> Result<PatternSource, Wrong> {
    const KEYS: &[&str] = &["name", "files", "regex", "rename", "scale", "unit"];
    let mut source = PatternSource::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            name @ "name" => source.name = text(name, value)?,
            name @ "files" => source.files = texts(name, value)?,
            name @ "regex" => source.regex = text(name, value)?,
            name @ "rename" => source.rename = map(name, value, text)?,
            name @ "scale" => source.scale = map(name, value, number)?,
            name @ "unit" => source.unit = map(name, value, text)?,
            _ => return Err(unknown(key, KEYS.iter())),
        }
    }
    for (missing, name) in [(source.name.is_empty(), "name"), (source.regex.is_empty(), "regex")] {
        if missing {
            return Err(Wrong::at(
                place,
                format!("the pattern has no `{name}`"),
                format!("add {name} = '…'"),
            ));
        }
    }
    Ok(source)
}

fn of_pattern(place: &Spanned<DeValue<'_>>, table: &DeTable<'_>, name: &str, error: TaughtError) -> Wrong {
    let field = table.iter().find(|(key, _)| key.get_ref().as_ref() == error.field);
    let at = field.map_or_else(|| place.span(), |(key, _)| key.span());
    Wrong { at: Some(at), why: format!("pattern `{name}`, {error}"), advice: error.advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        config.take(text, Owner::User).map(|()| config).map_err(|wrong| {
            format!("{}@{}", wrong.why, wrong.at.map_or(0, |at| text[..at.start].matches('\n').count() + 1))
        })
    }

    #[test]
    fn keys_are_the_flags_of_the_same_names() {
        let config = taken(
            "fps = 4\nmemory = '1GiB'\nascii = true\nno-mouse = false\nsince = '2d'\nexclude = ['old', '*.bak']\n\
             include = '*.csv'\n[format-hint]\ncsv = '*.dat'\ntext = ['a', 'b']\n",
        )
        .unwrap();
        assert_eq!(config.flags, ["--ascii", "--fps=4", "--memory=1GiB", "--since=2d"], "sorted by key");
        assert_eq!((config.exclude.len(), config.include.len()), (2, 1));
        let hint = |format: &str, glob: &str| (format.to_owned(), glob.to_owned());
        assert_eq!(config.format_hints, [hint("csv", "*.dat"), hint("text", "a"), hint("text", "b")]);
        let line = with_flags(&config, vec!["epochscope".to_owned(), "--fps=9".to_owned(), "x".to_owned()]);
        let cli = Cli::try_parse_from(line).unwrap();
        assert!((cli.common.fps - 9.0).abs() < 1e-9, "what is typed wins");
        assert!(cli.common.ascii && !cli.common.no_mouse && cli.common.memory == 1 << 30);
        assert_eq!(cli.paths, [PathBuf::from("x")]);
    }

    #[test]
    fn every_flag_that_a_file_may_set_exists() {
        let command = Cli::command();
        for name in FLAGS {
            assert!(command.get_arguments().any(|a| a.get_long() == Some(name)), "{name}");
        }
    }

    #[test]
    fn only_the_user_says_what_is_run_and_where_alerts_go() {
        for key in OWN_ONLY {
            let text = format!("bell = true\n{key} = 'https://example.org'\n");
            let mut config = Config::default();
            let wrong = config.take(&text, Owner::Project).unwrap_err();
            assert!(wrong.why.contains("your own configuration"), "{}", wrong.why);
            assert!(Config::default().take(&text, Owner::User).is_ok());
            assert!(Config::default().take(&text, Owner::Named).is_ok());
        }
    }

    #[test]
    fn patterns_are_read_with_all_that_belongs_to_them() {
        let config = taken(
            "[[pattern]]\nname = 'mine'\nfiles = ['*.log']\nregex = 'at (?P<step>\\d+): (?P<loss>\\S+) (?P<t>\\S+)'\n\
             rename = { loss = 'loss/total' }\nscale = { loss = 1e-3 }\nunit = { t = 's' }\n",
        )
        .unwrap();
        let source = &config.sources[0];
        assert_eq!((source.name.as_str(), source.files.len()), ("mine", 1));
        assert_eq!(source.rename["loss"], "loss/total");
        assert!((source.scale["loss"] - 1e-3).abs() < 1e-12);
        assert_eq!(source.unit["t"], "s");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let head = "[[pattern]]\nname = 'a'\n";
        for (text, wrong) in [
            (
                "fps = 0\n".to_owned(),
                "invalid value '0' for '--fps <N>': `0` is no number above 0 and up to 120@1",
            ),
            ("\nfsp = 5\n".to_owned(), "`fsp` is no setting@2"),
            ("fps = [1]\n".to_owned(), "`fps` cannot have a value of that kind@1"),
            ("ascii = 'yes'\n".to_owned(), "`ascii` cannot have a value of that kind@1"),
            ("exclude = [1]\n".to_owned(), "`exclude` is no text@1"),
            ("include = \n".to_owned(), "string values must be quoted, expected literal string@1"),
            ("[[pattern]]\nregex = '(?P<a>x)'\n".to_owned(), "the pattern has no `name`@1"),
            (format!("{head}regx = 'x'\n"), "`regx` is no setting@3"),
            (format!("{head}regex = '(?P<loss>'\n"), "pattern `a`, regex: unclosed group@3"),
            (
                format!("{head}regex = '(?P<b>x)'\nunit = {{ b = 'furlong' }}\n"),
                "pattern `a`, unit: `furlong` is no unit that can be converted@4",
            ),
            (format!("{head}regex = '(?P<b>x)'\n{head}regex = '(?P<b>x)'\n"), "there are two patterns `a`@4"),
            ("pattern = 3\n".to_owned(), "`pattern` is no list of tables@1"),
        ] {
            assert_eq!(taken(&text).map(|_| ()), Err(wrong.to_owned()), "{text}");
        }
    }
}
