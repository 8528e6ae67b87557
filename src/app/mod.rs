//! Joins the parts: the command line, the event loop, the terminal, reports.
//!
//! Everything async, every signal, every environment variable and the real clock are in here; nobody below knows of
//! them. [`run`] is the whole program.

pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod escape;
pub mod event_loop;
mod exports;
pub mod follow;
pub mod frame;
pub mod input;
pub mod journal;
mod line;
pub mod manual;
pub mod monitor;
pub mod notifications;
pub mod output;
pub mod painter;
mod progress;
pub mod reading;
pub mod report;
mod said;
pub mod signals;
pub mod terminal;
pub mod terminal_query;
pub mod trial;
pub mod units;
pub mod workers;
mod xdg;

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, error::ErrorKind as ClapError};

use crate::{detect::Severity, model::Clock};
use cli::{CheckArgs, CheckFormat, Cli, Command, FailOn, StatusArgs, StatusFormat};
use clock::RealClock;
use config::Config;
use error::AppError;
use journal::Journal;
use output::Output;
use reading::Setting;

/// Runs the program and returns its exit code. `arguments` begins with the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let ended = match Cli::try_parse_from(&arguments) {
        Ok(cli) => configured(cli, arguments).and_then(|(cli, config)| command(cli, config)),
        Err(error) => answer_or_error(&error),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if error.exit_code() != 0 {
                let _ = writeln!(io::stderr(), "{error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// `--help` and `--version` come out of clap as errors; real ones are put into our three lines.
fn answer_or_error(error: &clap::Error) -> Result<u8, AppError> {
    if matches!(
        error.kind(),
        ClapError::DisplayHelp
            | ClapError::DisplayVersion
            | ClapError::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        error.print()?;
        return Ok(0);
    }
    let text = error.render().to_string();
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let why = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let details: Vec<&str> = lines.clone().take_while(|line| !line.starts_with("Usage:")).collect();
    let (tips, more): (Vec<&str>, Vec<&str>) = details.iter().partition(|line| line.starts_with("tip: "));
    let advice = tips.first().map_or_else(
        || "see `epochscope --help`".to_owned(),
        |tip| tip.trim_start_matches("tip: ").to_owned(),
    );
    let why = if more.is_empty() { why } else { format!("{why} {}", more.join(" ")) };
    Err(AppError::new("cannot understand the command line", why, advice))
}

/// The command line with what the configuration files add to it.
fn configured(mut cli: Cli, arguments: Vec<OsString>) -> Result<(Cli, Config), AppError> {
    if cli.notify.typed() && !matches!(cli.command, None | Some(Command::Follow(_))) {
        return Err(AppError::new(
            "cannot tell of alerts in this command",
            "notifications belong to the monitor and to `follow`",
            "leave their flags away, or use `epochscope follow`",
        ));
    }
    let config = Config::load(&cli.common)?;
    if !config.flags.is_empty() {
        // Both halves were understood apart; what does not fit together is said as of one line.
        cli = match Cli::try_parse_from(config::with_flags(&config, arguments)) {
            Ok(cli) => cli,
            Err(error) => answer_or_error(&error).map(|_| cli)?,
        };
    }
    let watched = match &cli.command {
        None => Some(&cli.paths),
        Some(Command::Follow(arguments)) => Some(&arguments.paths),
        _ => None,
    };
    if let Some(watched) = watched {
        config.check_watched(watched)?;
    }
    config.add_lists(&mut cli.common);
    Ok((cli, config))
}

fn command(cli: Cli, config: Config) -> Result<u8, AppError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new(cli.common.now));
    let shows_a_screen =
        matches!(cli.command, None | Some(Command::Demo(_))) && terminal::can_show_a_screen();
    let journal =
        Journal::new(Arc::clone(&clock), cli.common.log_file.as_deref(), cli.common.verbose, shows_a_screen)
            .map_err(|error| {
                AppError::new(
                    "cannot write the log file",
                    error.to_string(),
                    "give --log-file a path that can be written",
                )
            })?;
    journal.note(&format!("epochscope {}: {:?}", env!("CARGO_PKG_VERSION"), cli.command));
    for file in &config.files {
        journal.note(&format!("configuration from {}", file.display()));
    }
    terminal::install_panic_hook(journal.clone());
    let setting = Setting { common: cli.common, config, clock, journal, notify: cli.notify };
    let mut out = BufWriter::new(io::stdout().lock());
    let code = match cli.command {
        None if shows_a_screen => {
            drop(out);
            return watch(&cli.paths, &setting);
        }
        None => status(&StatusArgs { paths: cli.paths, ..StatusArgs::default() }, &setting, &mut out)?,
        Some(Command::Demo(arguments)) => {
            drop(out);
            return demo::demo(&arguments, &setting);
        }
        Some(Command::Follow(arguments)) => {
            drop(out);
            return follow::follow(arguments, setting);
        }
        Some(Command::Status(arguments)) => status(&arguments, &setting, &mut out)?,
        Some(Command::Check(arguments)) => check(&arguments, &setting, &mut out)?,
        Some(Command::Line(arguments)) => {
            line::line(&arguments, &setting, &mut out)?;
            0
        }
        Some(Command::Frame(arguments)) => {
            drop(out);
            frame::frame(&arguments, &setting)?;
            return Ok(0);
        }
        Some(Command::Doctor(arguments)) => {
            // Not locked: the terminal is asked questions in between.
            drop(out);
            let mut text = Vec::new();
            doctor::doctor(&arguments, &setting, &mut text)?;
            io::stdout().write_all(&text)?;
            return Ok(0);
        }
        Some(Command::Completions { shell }) => {
            manual::completions(shell, &mut out)?;
            0
        }
        Some(Command::Man) => {
            manual::man(&mut out)?;
            0
        }
    };
    out.flush()?;
    Ok(code)
}

fn watch(paths: &[PathBuf], setting: &Setting) -> Result<u8, AppError> {
    let options = reading::options(paths, setting, true)?;
    setting.journal.note(&format!("watching {:?}", options.roots));
    monitor::show(setting, Some(paths), |out| {
        crate::ingest::start(options, Arc::clone(&setting.clock), out).map_err(|e| reading::start_error(&e))
    })
}

fn status(arguments: &StatusArgs, setting: &Setting, out: &mut dyn Write) -> Result<u8, AppError> {
    // The JSON has no alerts in it, so that judging would only cost time.
    let detect = arguments.format == StatusFormat::Table;
    let session = reading::read_once(&arguments.paths, setting, detect)?;
    let (now, stale_after) = (setting.clock.now(), setting.common.stale_after);
    match arguments.format {
        StatusFormat::Json => {
            let times = (now, stale_after);
            report::status_json(&session.store, &session.alerts, &session.health, times, out)?;
        }
        StatusFormat::Table => report::status_table(
            &session.store,
            &session.alerts,
            &session.health,
            (now, stale_after),
            &Output::of(&setting.common),
            out,
        )?,
    }
    Ok(0)
}

fn check(arguments: &CheckArgs, setting: &Setting, out: &mut dyn Write) -> Result<u8, AppError> {
    let session = reading::read_once(&arguments.paths, setting, true)?;
    match arguments.format {
        CheckFormat::Json => report::check_json(&session.store, &session.alerts, out)?,
        CheckFormat::Text => {
            report::check_text(&session.store, &session.alerts, &Output::of(&setting.common), out)?;
        }
    }
    let limit = match arguments.fail_on {
        FailOn::Info => Severity::Info,
        FailOn::Warn => Severity::Warn,
        FailOn::Critical => Severity::Critical,
        FailOn::Never => return Ok(0),
    };
    Ok(u8::from(report::worst(&session.alerts).is_some_and(|worst| worst >= limit)))
}
