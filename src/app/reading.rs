//! From paths and flags to readers: what every command that looks at logs begins with.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use super::{
    cli::Common, config::Config, error::AppError, journal::Journal, notifications::flags::NotifyFlags,
    progress::Progress,
};
use crate::{
    detect::RuleLimits,
    engine::{self, Engine, Session},
    ingest,
    model::{Clock, Meanings},
    store::Limits,
};

/// Batches that may wait for the engine. Readers that are ahead wait: the file is the queue.
pub const WAITING_BATCHES: usize = 64;

/// Readers beyond this only fight for the disk.
const MOST_WORKERS: usize = 4;

/// What a command needs besides its own flags.
#[derive(Clone)]
pub struct Setting {
    /// The flags of every command, those of the configuration files among them.
    pub common: Common,
    /// What the configuration files say besides.
    pub config: Config,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Our own log.
    pub journal: Journal,
    /// How alerts leave the program.
    pub notify: NotifyFlags,
}

impl Setting {
    /// An engine with the memory and the patience, the meanings and the limits of rules that the flags say.
    pub fn engine(&self, detect: bool) -> Engine {
        let mut engine = Engine::new(Limits { bytes: self.common.memory }, detect);
        engine.set_stale_after(self.common.stale_after);
        let mut meanings = Meanings::default();
        for (pattern, told) in &self.common.role {
            meanings.add(pattern.as_str(), told.clone());
        }
        engine.set_meanings(meanings);
        engine.set_rules(RuleLimits::new(self.common.rule.clone()));
        engine
    }
}

/// The reader's options for `paths`; the current folder if there are none. A path that does not exist is an error
/// now, not an empty screen later.
pub fn options(paths: &[PathBuf], setting: &Setting, follow: bool) -> Result<ingest::Options, AppError> {
    for path in paths {
        exists(path)?;
    }
    let common = &setting.common;
    let roots = if paths.is_empty() { vec![PathBuf::from(".")] } else { paths.to_vec() };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = if follow { cores.saturating_sub(1) } else { cores };
    Ok(ingest::Options {
        roots,
        include: common.include.clone(),
        exclude: common.exclude.clone(),
        format_hints: common.format_hint.clone(),
        taught: setting.config.taught.clone(),
        modified_since: common.since.map(|since| since.moment(setting.clock.now())),
        poll: common.poll.map(Duration::from_secs_f64),
        follow,
        workers: workers.clamp(1, MOST_WORKERS),
    })
}

/// That there is something is not enough: a folder may be there and yet closed to us.
fn can_be_read(path: &Path) -> std::io::Result<()> {
    let kind = path.metadata()?;
    if kind.is_dir() {
        std::fs::read_dir(path)?;
    } else if kind.is_file() {
        std::fs::File::open(path)?;
    }
    Ok(())
}

fn exists(path: &Path) -> Result<(), AppError> {
    let Err(error) = can_be_read(path) else { return Ok(()) };
    let what = format!("cannot read {}", path.display());
    Err(match error.kind() {
        std::io::ErrorKind::NotFound => {
            let advice = match nearest_command(&path.to_string_lossy()) {
                Some(command) => format!("check the path, or did you mean `epochscope {command}`?"),
                None => "check the path; without one, the current folder is watched".to_owned(),
            };
            AppError::new(what, "there is no file or folder of that name", advice)
        }
        std::io::ErrorKind::PermissionDenied => AppError::new(
            what,
            "permission denied",
            "ask its owner to let you read it, or run as a user who may",
        ),
        _ => AppError::new(what, error.to_string(), "check the path"),
    })
}

/// A command that `word` may have been meant to be: one letter off, or swapped.
fn nearest_command(word: &str) -> Option<&'static str> {
    const COMMANDS: [&str; 9] =
        ["demo", "status", "check", "follow", "line", "frame", "doctor", "completions", "man"];
    COMMANDS.into_iter().find(|command| {
        let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), command.chars().collect());
        let (mut sorted_a, mut sorted_b) = (a.clone(), b.clone());
        sorted_a.sort_unstable();
        sorted_b.sort_unstable();
        let same_ends = a.first() == b.first();
        let off_by_one = a.len().abs_diff(b.len()) == 1 && {
            let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
            (0..long.len()).any(|i| {
                let mut cut = (*long).clone();
                cut.remove(i);
                cut == **short
            })
        };
        let one_differs = a.len() == b.len() && a.iter().zip(&b).filter(|(x, y)| x != y).count() == 1;
        same_ends && (sorted_a == sorted_b || off_by_one || one_differs)
    })
}

/// An error of starting the readers, as the user meets it.
pub fn start_error(error: &ingest::StartError) -> AppError {
    AppError::new(
        format!("cannot watch {}", error.path.display()),
        error.reason.clone(),
        "check the path, its permissions and the patterns that were given",
    )
}

/// Reads everything once, to the end. `detect` runs the judges as well.
pub fn read_once(paths: &[PathBuf], setting: &Setting, detect: bool) -> Result<Session, AppError> {
    let options = options(paths, setting, false)?;
    setting.journal.note(&format!("reading {:?}", options.roots));
    let (sender, receiver) = sync_channel(WAITING_BATCHES);
    let _ingest = ingest::start(options, Arc::clone(&setting.clock), sender).map_err(|e| start_error(&e))?;
    let mut progress = Progress::new(&*setting.clock, setting.common.verbose);
    let mut tell = |session: &Session| progress.at(&session.health);
    let session = engine::read_all(&receiver, setting.engine(detect), &*setting.clock, &mut tell);
    drop(progress);
    setting.journal.note(&format!(
        "read {} runs from {} files",
        session.store.run_count(),
        session.health.files.len()
    ));
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_command_is_recognised_and_a_folder_is_not() {
        assert_eq!(nearest_command("staus"), Some("status"));
        assert_eq!(nearest_command("sattus"), Some("status"));
        assert_eq!(nearest_command("dmeo"), Some("demo"));
        assert_eq!(nearest_command("runs"), None);
        assert_eq!(nearest_command("./status"), None);
    }

    #[test]
    fn a_path_that_is_not_there_is_said_before_anything_starts() {
        let error = exists(Path::new("/no/such/folder")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("there is no file or folder of that name"));
    }
}
