//! `line`: one short line for a status bar or a prompt, fast on any tree.
//!
//! What was read is kept in the user's cache folder, and the answer comes from there. If it is older than `--max-age`
//! a process of its own, which nobody waits for, looks whether the logs have changed and reads them again if so; it
//! takes at most a twentieth of one processor. States are of now, whatever the age: when a run will count as stalled
//! or old is known in advance.

mod cache;
mod glance;

use std::{
    env,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde::Serialize;

use super::{
    cli::{ColorChoice, LineArgs, LineFormat},
    error::AppError,
    output::{Output, theme},
    reading::{self, Setting},
    xdg,
};
use crate::{model::sanitise, ui::numbers};
use cache::{Cache, fingerprint};
use glance::Glance;

/// Set for the process that only brings the cache up to date.
const REFRESH: &str = "EPOCHSCOPE_LINE_REFRESH";
/// How long the first call waits for the logs to be read.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// Reading again may take this share of the time.
const SHARE: f64 = 0.05;
/// An answer that is older says so.
const AGE_SHOWN_S: f64 = 60.0;
/// Columns of a run's name.
const NAME: usize = 24;

/// Prints the line.
pub fn line(arguments: &LineArgs, setting: &Setting, out: &mut dyn Write) -> Result<(), AppError> {
    // Paths that are not there are said at once.
    let mut options = reading::options(&arguments.paths, setting, false)?;
    // "Two days ago" is another moment at each call, and the same word.
    options.modified_since = None;
    let roots = xdg::canonical(&arguments.paths);
    // A time of day that was given is for tests: nothing that depends on it is kept.
    let cached = setting.common.now.is_none() && arguments.max_age > 0.0;
    let common = &setting.common;
    let told = (&common.role, &common.rule);
    let key = format!("{roots:?} {options:?} {:?} {} {told:?}", common.since, common.stale_after);
    let cache = if cached { Cache::of(&key, &roots) } else { None };
    let Some(cache) = cache else {
        let glance = read(&arguments.paths, setting, &roots)?;
        return Ok(write(&glance, arguments, setting, out)?);
    };
    if env::var_os(REFRESH).is_some() {
        return refresh(&cache, arguments, setting, &roots);
    }
    let now = setting.clock.now().0;
    let mut known = cache.load();
    let wait = known.as_ref().map_or(0.0, |glance| arguments.max_age.max(glance.cost_s / SHARE));
    // A clock that was set back makes everything look new for ever.
    let age = known.as_ref().map_or(f64::INFINITY, |glance| now - glance.checked_at);
    if !(0.0..=wait).contains(&age) && cache.lock().is_some() && spawn_refresh().is_err() {
        refresh(&cache, arguments, setting, &roots)?;
    }
    let end = setting.clock.elapsed() + FIRST_PATIENCE;
    while known.is_none() && setting.clock.elapsed() < end {
        std::thread::park_timeout(Duration::from_millis(10));
        known = cache.load();
    }
    match known.or_else(|| cache.load()) {
        Some(glance) => Ok(write(&glance, arguments, setting, out)?),
        None if arguments.format == LineFormat::Json => {
            Ok(writeln!(out, "{{\"version\":1,\"reading\":true}}")?)
        }
        None => Ok(writeln!(out, "reading the logs")?),
    }
}

/// Reads everything now.
fn read(paths: &[PathBuf], setting: &Setting, roots: &[PathBuf]) -> Result<Glance, AppError> {
    let began = setting.clock.elapsed();
    // Taken before: what changes meanwhile is read again.
    let print = fingerprint(roots);
    let session = reading::read_once(paths, setting, true)?;
    let mut glance = Glance::of(&session, setting.clock.now(), setting.common.stale_after);
    glance.fingerprint = print;
    glance.cost_s = setting.clock.elapsed().saturating_sub(began).as_secs_f64();
    Ok(glance)
}

/// Brings the cache up to date, unless somebody is at it.
fn refresh(
    cache: &Cache,
    arguments: &LineArgs,
    setting: &Setting,
    roots: &[PathBuf],
) -> Result<(), AppError> {
    let Some(_lock) = cache.lock() else { return Ok(()) };
    let now = setting.clock.now().0;
    let unchanged = cache.load().filter(|known| {
        known.fingerprint.is_some()
            && known.fingerprint == fingerprint(roots)
            && known.read_at <= now
            && !known.has_stalled_since(now)
    });
    let glance = match unchanged {
        Some(known) => Glance { checked_at: now, ..known },
        None => read(&arguments.paths, setting, roots)?,
    };
    cache.save(&glance).map_err(|error| {
        AppError::new(
            "cannot keep what was read",
            error.to_string(),
            "look at the cache folder, or free some space",
        )
    })
}

/// The same command again, in a process of its own that nobody waits for.
fn spawn_refresh() -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command
        .args(env::args_os().skip(1))
        .env(REFRESH, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.process_group(0).spawn().map(drop)
}

#[derive(Serialize)]
struct LineJson<'a> {
    version: u32,
    running: u64,
    finished: u64,
    stalled: u64,
    failed: u64,
    unknown: u64,
    worst: Option<&'a glance::Worst>,
    more_alerts: u64,
    newest: Option<&'a glance::Newest>,
    age_s: f64,
}

fn write(glance: &Glance, arguments: &LineArgs, setting: &Setting, out: &mut dyn Write) -> io::Result<()> {
    let now = setting.clock.now().0;
    let [running, finished, stalled, failed, unknown] = glance.states(now);
    let age_s = (now - glance.checked_at).max(0.0);
    if arguments.format == LineFormat::Json {
        let object = LineJson {
            version: 1,
            running,
            finished,
            stalled,
            failed,
            unknown,
            worst: glance.worst.as_ref(),
            more_alerts: glance.more_alerts,
            newest: glance.newest.as_ref(),
            age_s,
        };
        serde_json::to_writer(&mut *out, &object).map_err(io::Error::from)?;
        return writeln!(out);
    }
    let theme = theme(&setting.common);
    let colours = match arguments.format {
        // A status bar is drawn by tmux, which has colours although our own output is no terminal.
        LineFormat::Tmux if setting.common.color != ColorChoice::Never && !no_colour_wanted() => {
            Colours::Tmux
        }
        LineFormat::Text if Output::of(&setting.common).colour => Colours::Ansi,
        _ => Colours::None,
    };
    let style = Style { colours, tmux: arguments.format == LineFormat::Tmux, ascii: theme.ascii };
    writeln!(out, "{}", text(glance, [running, finished, stalled, failed, unknown], age_s, style))
}

fn no_colour_wanted() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Colours {
    None,
    Ansi,
    Tmux,
}

#[derive(Clone, Copy, Debug)]
struct Style {
    colours: Colours,
    tmux: bool,
    ascii: bool,
}

impl Style {
    fn paint(self, text: &str, ansi: &str, tmux: &str) -> String {
        match self.colours {
            Colours::None => text.to_owned(),
            Colours::Ansi => format!("\x1b[{ansi}m{text}\x1b[m"),
            Colours::Tmux => format!("#[fg={tmux}]{text}#[default]"),
        }
    }

    /// A text of a log: harmless, short, and without meaning to tmux.
    fn name(self, name: &str) -> String {
        let name = sanitise(name);
        let length = name.chars().count();
        let mut text: String = if length > NAME {
            let end: String = name.chars().skip(length - NAME + 1).collect();
            if self.ascii { format!("~{end}") } else { format!("…{end}") }
        } else {
            name.into_owned()
        };
        if self.ascii {
            text = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        }
        if self.tmux { text.replace('#', "##") } else { text }
    }
}

fn text(glance: &Glance, states: [u64; 5], age_s: f64, style: Style) -> String {
    let bar = if style.ascii { " | " } else { " │ " };
    let [running, finished, stalled, failed, unknown] = states;
    let known = running + finished + stalled + failed;
    let words = [
        (running, "running", "32", "green"),
        (stalled, "stalled", "33", "yellow"),
        (failed, "failed", "1;31", "red"),
        (finished, "finished", "", ""),
        (if known == 0 { unknown } else { 0 }, "old", "2", "brightblack"),
    ];
    let counts: Vec<String> = words
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, ansi, tmux)| {
            let text = format!("{count} {word}");
            if ansi.is_empty() { text } else { style.paint(&text, ansi, tmux) }
        })
        .collect();
    let mut parts = vec![if counts.is_empty() { "no runs".to_owned() } else { counts.join(" ") }];
    if let Some(worst) = &glance.worst {
        let (ansi, tmux) = match worst.severity.as_str() {
            "critical" => ("1;31", "red"),
            "warn" => ("33", "yellow"),
            _ => ("2", "brightblack"),
        };
        let mut text = style.paint(&format!("{} {}", worst.severity, worst.rule), ansi, tmux);
        text.extend([" ", &style.name(&worst.run)]);
        if glance.more_alerts > 0 {
            text.push_str(&format!(" +{}", glance.more_alerts));
        }
        parts.push(text);
    }
    if let Some(newest) = &glance.newest {
        let loss = match (newest.loss, newest.broken) {
            (Some(loss), _) => Some(numbers::value(loss)),
            (None, broken) => broken.then(|| "NaN".to_owned()),
        };
        if let (Some(tag), Some(loss)) = (&newest.tag, loss) {
            let arrow = match (newest.trend, style.ascii) {
                (Some(1), false) => " ↑",
                (Some(-1), false) => " ↓",
                (Some(_), false) => " →",
                (Some(1), true) => " up",
                (Some(-1), true) => " down",
                (Some(_), true) => " flat",
                (None, _) => "",
            };
            parts.push(format!("{} {} {loss}{arrow}", style.name(&newest.run), style.name(tag)));
        }
    }
    if age_s > AGE_SHOWN_S {
        parts.push(format!("{} ago", numbers::duration(age_s)));
    }
    let line = parts.join(bar);
    if style.ascii { line.chars().map(|c| if c.is_ascii() { c } else { '-' }).collect() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance() -> Glance {
        Glance {
            version: (glance::VERSION, String::new()),
            read_at: 0.0,
            checked_at: 0.0,
            cost_s: 0.0,
            fingerprint: None,
            settled: [0; 5],
            moving: Vec::new(),
            worst: Some(glance::Worst {
                severity: "critical".into(),
                rule: "nan".into(),
                run: "#[fg=red]#(rm -rf ~)\x1b[2J".into(),
            }),
            more_alerts: 2,
            newest: Some(glance::Newest {
                run: "exp/ä-very-long-name-of-a-run-3".into(),
                tag: Some("train/loss".into()),
                loss: Some(0.4123),
                broken: false,
                trend: Some(-1),
            }),
        }
    }

    #[test]
    fn a_line_says_all_in_words_and_nothing_of_a_log_is_obeyed() {
        let plain = Style { colours: Colours::None, tmux: false, ascii: true };
        let line = text(&glance(), [3, 12, 1, 0, 7], 5.0, plain);
        let wanted = "3 running 1 stalled 12 finished | critical nan #[fg=red]#(rm -rf ~)?[2J +2 | \
                      ~ry-long-name-of-a-run-3 train/loss 0.4123 down";
        assert_eq!(line, wanted);
        let tmux = Style { colours: Colours::Tmux, tmux: true, ascii: false };
        let line = text(&glance(), [0, 0, 0, 0, 7], 500.0, tmux);
        assert!(
            line.starts_with(
                "#[fg=brightblack]7 old#[default] │ #[fg=red]critical nan#[default] ##[fg=red]##("
            )
        );
        assert!(line.ends_with("train/loss 0.4123 ↓ │ 8m20s ago"), "{line}");
        assert_eq!(text(&Glance { worst: None, newest: None, ..glance() }, [0; 5], 0.0, plain), "no runs");
    }
}
