//! Commands and flags, with their documentation; help, completions and the manual page are made from this.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    notifications::flags::NotifyFlags,
    units::{self, Since},
};
use crate::{
    detect::RuleLimit,
    model::{Told, WallTime},
};

/// Watches deep-learning training logs in a terminal and tells what is wrong.
///
/// Without a command: the live monitor. PATH is a log file, a run folder or a tree of them; the current folder if
/// none is given. If standard output is no terminal, the monitor behaves as `status`.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "epochscope",
    version,
    disable_help_subcommand = true,
    // the flags of a configuration file stand before those that are typed
    args_override_self = true,
    after_help = "A path that is named like a command: `epochscope -- demo` or `epochscope ./demo`.\n\
                  Exit codes: 0 fine; 1 `check` found an alert; 2 the request cannot be met; 130 interrupted."
)]
pub struct Cli {
    /// What to do; the monitor if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Log files, run folders or trees of them.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How alerts leave the monitor.
    #[command(flatten)]
    pub notify: NotifyFlags,
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Replay a few real logs that are carried inside the program, as if they were being written now.
    Demo(DemoArgs),
    /// Read everything once, print a line a run, end.
    Status(StatusArgs),
    /// Read everything once, print the alerts, end; exit code 1 if there are any.
    Check(CheckArgs),
    /// Follow the logs without a screen: a line whenever an alert opens, gets worse or closes.
    Follow(FollowArgs),
    /// Print one short line for a status bar or a prompt, from what was read lately.
    Line(LineArgs),
    /// Draw one frame of a view without a terminal.
    Frame(FrameArgs),
    /// Tell what was found and why, what was skipped and where, and what the terminal can do.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff).
    Man,
}

/// Flags of `doctor`.
#[derive(Args, Clone, Debug, Default)]
pub struct DoctorArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Try a line pattern on the text logs: a regular expression with named groups, or the name of a pattern of the
    /// configuration. Says what it reads, what it leaves, and what to write into epochscope.toml.
    #[arg(long, value_name = "REGEX")]
    pub try_pattern: Option<String>,
}

/// Flags of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// How many times faster than the usual pace the logs are revealed.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
}

/// Flags of `status`.
#[derive(Args, Clone, Debug, Default)]
pub struct StatusArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A table for people, JSON for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// How `status` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Table,
    /// For programs; see the interface in the documentation.
    Json,
}

/// Flags of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Text for people, JSON for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// The least severity of an alert that makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
}

/// How `check` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CheckFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// From which severity on `check` fails.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FailOn {
    /// Any alert.
    Info,
    /// What needs a look.
    #[default]
    Warn,
    /// What needs action.
    Critical,
    /// None.
    Never,
}

/// Flags of `follow`.
#[derive(Args, Clone, Debug, Default)]
pub struct FollowArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A line of text for people, a JSON object a line for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// End when there is a run and every run has ended.
    #[arg(long)]
    pub until_done: bool,
    /// How alerts leave the program.
    #[command(flatten)]
    pub notify: NotifyFlags,
}

/// Flags of `line`.
#[derive(Args, Clone, Debug)]
pub struct LineArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Text, text with the colours of tmux, or JSON.
    #[arg(long, value_enum, default_value_t)]
    pub format: LineFormat,
    /// If what is known is older, the logs are looked at again, in the background; 0: now, and waited for.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::seconds)]
    pub max_age: f64,
}

/// How `line` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LineFormat {
    /// Plain; coloured on a terminal.
    #[default]
    Text,
    /// For `#(…)` in tmux's status line.
    Tmux,
    /// For programs.
    Json,
}

/// Flags of `frame`.
#[derive(Args, Clone, Debug)]
pub struct FrameArgs {
    /// Log files, run folders or trees of them [default: the current folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The view to draw.
    #[arg(long, value_name = "NAME", default_value = "runs")]
    pub view: String,
    /// Columns x rows.
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = units::size)]
    pub size: (u16, u16),
    /// Plain text, text with colours for a terminal, or a picture.
    #[arg(long, value_enum, default_value_t)]
    pub format: FrameFormat,
    /// The run that is selected.
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Put the time cursor at this step.
    #[arg(long, value_name = "STEP", allow_negative_numbers = true)]
    pub at: Option<i64>,
    /// Press these keys first: characters, or names as in the help (Enter, Tab, Down, …), blanks between them.
    #[arg(long, value_name = "KEYS", default_value = "", hide_default_value = true)]
    pub keys: String,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What `frame` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FrameFormat {
    /// Characters only.
    #[default]
    Text,
    /// Characters and colours as a terminal takes them.
    Ansi,
    /// A vector picture.
    Svg,
    /// A pixel picture (not in this build).
    Png,
}

/// Flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Common flags")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Common {
    /// Read only files that match; may be given several times.
    #[arg(long, global = true, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Do not read files or folders that match, written as in a .gitignore; may be given several times.
    #[arg(long, global = true, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Read files that match GLOB as format NAME, whatever they look like.
    #[arg(long, global = true, value_name = "NAME=GLOB", value_parser = units::format_hint)]
    pub format_hint: Vec<(String, String)>,
    /// What series mean whose names are not understood, or wrongly: a role (loss, metric, time, …, ignore), min
    /// or max, train, val or test, in any order. TAG may have * and ?; may be given several times.
    #[arg(long, global = true, value_name = "TAG=WORDS", value_parser = units::role)]
    pub role: Vec<(String, Told)>,
    /// Switch a rule off, or let it be at most info, warn or critical; `@RUNS` behind it: only in runs that match. May be
    /// given several times.
    #[arg(long, global = true, value_name = "RULE=LEVEL", value_parser = units::rule)]
    pub rule: Vec<RuleLimit>,
    /// Only files changed since then: a duration back from now (2d) or a moment.
    #[arg(long, global = true, value_name = "TIME", value_parser = units::since)]
    pub since: Option<Since>,
    /// Read this configuration file instead of the user's and the nearest epochscope.toml.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, global = true)]
    pub no_config: bool,
    /// Colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Write ASCII characters only.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// At most so many frames a second.
    #[arg(long, global = true, value_name = "N", default_value_t = 10.0, value_parser = frames_per_second)]
    pub fps: f64,
    /// Look for changes every so many seconds instead of asking the kernel to tell.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = poll_seconds)]
    pub poll: Option<f64>,
    /// Memory for what was read; older points are kept in less detail beyond it.
    #[arg(long, global = true, value_name = "SIZE", default_value = "512MiB", value_parser = units::bytes)]
    pub memory: usize,
    /// Take this as the time of day (for tests and reproducible frames).
    #[arg(long, global = true, value_name = "TIME", value_parser = units::moment)]
    pub now: Option<WallTime>,
    /// A run that has been silent for longer is of the past, not stalled.
    #[arg(long, global = true, value_name = "DURATION", default_value = "24h", value_parser = units::seconds)]
    pub stale_after: f64,
    /// Leave the mouse to the terminal.
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Do not ask the terminal to show each frame at once (synchronized update).
    #[arg(long, global = true)]
    pub no_sync: bool,
    /// Tell on standard error what the program does.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Append a log of the program's own events to this file.
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// When and how much colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorChoice {
    /// As the terminal and `NO_COLOR` say.
    #[default]
    Auto,
    /// Also where the output is no terminal.
    Always,
    /// None.
    Never,
    /// The terminal's own sixteen.
    #[value(name = "16")]
    Sixteen,
    /// 256.
    #[value(name = "256")]
    TwoHundred,
    /// All.
    #[value(alias = "truecolor")]
    Rgb,
}

fn positive(text: &str, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n > 0.0 && n <= most => Ok(n),
        _ => Err(format!("`{text}` is no number above 0 and up to {most}")),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    positive(text, 10_000.0)
}

fn frames_per_second(text: &str) -> Result<f64, String> {
    positive(text, 120.0)
}

fn poll_seconds(text: &str) -> Result<f64, String> {
    positive(text, 86_400.0)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"epochscope").chain(arguments)).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_path_named_like_a_command_can_be_reached() {
        assert!(matches!(parse(&["demo"]).command, Some(Command::Demo(_))));
        let path = parse(&["--", "demo"]);
        assert!(path.command.is_none());
        assert_eq!(path.paths, [PathBuf::from("demo")]);
        assert_eq!(parse(&["./demo"]).paths, [PathBuf::from("./demo")]);
        assert_eq!(parse(&["runs", "demo"]).paths, [PathBuf::from("runs"), PathBuf::from("demo")]);
    }

    #[test]
    fn common_flags_go_before_and_after_the_command() {
        for line in [&["--ascii", "status", "x"][..], &["status", "x", "--ascii"]] {
            let cli = parse(line);
            assert!(cli.common.ascii);
            let Some(Command::Status(status)) = cli.command else { panic!("no status") };
            assert_eq!(status.paths, [PathBuf::from("x")]);
        }
        assert_eq!(parse(&["--color", "16"]).common.color, ColorChoice::Sixteen);
        assert!(Cli::try_parse_from(["epochscope", "--fps", "0"]).is_err());
        assert!(Cli::try_parse_from(["epochscope", "--memory", "lots"]).is_err());
    }
}
