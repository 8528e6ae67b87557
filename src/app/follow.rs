//! `follow`: no screen; a line for each alert that opens, gets worse or closes, until it is told to end.

use std::{
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU8, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, fstat},
};

use super::{
    cli::{CheckFormat, FollowArgs},
    error::AppError,
    journal::Journal,
    monitor::utc_offset_s,
    notifications::{
        Knock, PATIENCE, Pump,
        notice::{Event, Notice},
    },
    output::Output,
    reading::{self, Setting, WAITING_BATCHES},
    signals,
};
use crate::{
    detect::{
        Severity,
        state::{RunState, run_state},
    },
    engine::{self, Session},
    ingest,
    model::sanitise,
    ui::numbers,
};

/// How often it is asked whether all runs have ended, or whether our reader has gone.
const LOOK: Duration = Duration::from_secs(2);
/// The longest sleep: whether the threads behind are still there is asked this often.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Follows until a signal, the end of all runs, or the end of whoever reads our lines.
pub fn follow(arguments: FollowArgs, mut setting: Setting) -> Result<u8, AppError> {
    setting.notify = arguments.notify.over(std::mem::take(&mut setting.notify));
    let options = reading::options(&arguments.paths, &setting, true)?;
    setting.journal.note(&format!("following {:?}", options.roots));
    let (knock, door) = Knock::new();
    let stop = stop_signal(&knock)?;
    let engine = setting.engine(true);
    let session = Arc::new(RwLock::new(engine.session()));
    let outside = (terminal(), say(&setting.journal), false);
    let pump = Pump::new(Arc::clone(&session), &arguments.paths, &setting, outside)?;
    let (sender, receiver) = sync_channel(WAITING_BATCHES);
    let reading = ingest::start(options, Arc::clone(&setting.clock), sender)
        .map_err(|error| reading::start_error(&error))?;
    let engine = engine::spawn(
        receiver,
        Arc::clone(&session),
        engine,
        Arc::clone(&setting.clock),
        Box::new(move |_| {
            knock.knock();
        }),
    );
    let lines = Lines {
        format: arguments.format,
        colour: Output::of(&setting.common).colour,
        utc_offset_s: utc_offset_s(&setting),
    };
    let mut following = Following { setting, session, pump, lines, stop, engine };
    let ended = following.run(&door, arguments.until_done);
    // Who cannot read our lines any more may still want the messages.
    following.pump.finish(PATIENCE);
    // The readers are not waited for: one may hang on a network file system that is gone.
    std::mem::forget(reading);
    ended
}

/// SIGINT and SIGTERM as a number that is not 0.
fn stop_signal(knock: &Knock) -> Result<Arc<AtomicU8>, AppError> {
    let (stop, knock) = (Arc::new(AtomicU8::new(0)), knock.clone());
    let told = Arc::clone(&stop);
    let tell = move |number: u8| {
        told.store(number, Ordering::SeqCst);
        knock.knock();
    };
    signals::stops(Box::new(tell), PATIENCE * 2)
        .map_err(|e| AppError::new("cannot start", e.to_string(), "free some memory or file handles"))?;
    Ok(stop)
}

/// Rings and notifies on standard output if that is a terminal, else on standard error.
fn terminal() -> Arc<dyn Fn(Vec<u8>) -> bool + Send + Sync> {
    let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    Arc::new(move |bytes: Vec<u8>| {
        if out {
            let mut out = io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush()).is_ok()
        } else {
            err && io::stderr().write_all(&bytes).is_ok()
        }
    })
}

fn say(journal: &Journal) -> Arc<dyn Fn(&str) + Send + Sync> {
    let journal = journal.clone();
    Arc::new(move |text: &str| {
        journal.note(text);
        let _ = writeln!(io::stderr(), "epochscope: {}", sanitise(text));
    })
}

struct Following {
    setting: Setting,
    session: Arc<RwLock<Session>>,
    pump: Pump,
    lines: Lines,
    stop: Arc<AtomicU8>,
    engine: JoinHandle<()>,
}

impl Following {
    fn run(&mut self, door: &Receiver<()>, until_done: bool) -> Result<u8, AppError> {
        let piped = is_pipe();
        loop {
            let stop = self.stop.load(Ordering::SeqCst);
            let notices = self.pump.turn(stop != 0);
            self.print(&notices)?;
            match stop {
                0 => {}
                2 => return Ok(130),
                // Whoever manages services ends them so: an orderly end.
                _ => return Ok(0),
            }
            if piped && reader_has_gone() {
                return Ok(0);
            }
            if self.engine.is_finished() {
                return Err(AppError::new(
                    "the reading side has stopped",
                    "a thread panicked",
                    "this is a bug: please report it",
                ));
            }
            let rest = self.pump.rest();
            if until_done && rest.is_none() && self.all_ended() {
                let notices = self.pump.turn(true);
                self.print(&notices)?;
                return Ok(0);
            }
            // A flood of news is looked at ten times a second.
            std::thread::park_timeout(Duration::from_millis(100));
            let most = if until_done || piped { LOOK } else { LONGEST_REST };
            let _ = door.recv_timeout(rest.unwrap_or(most).min(most));
        }
    }

    fn print(&self, notices: &[Notice]) -> io::Result<()> {
        if notices.is_empty() {
            return Ok(());
        }
        let now = self.setting.clock.now().known();
        let mut out = io::stdout().lock();
        for notice in notices {
            self.lines.write(notice, now, &mut out)?;
        }
        out.flush()
    }

    /// There are runs, all of them have been read, and none goes on or should.
    fn all_ended(&self) -> bool {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        let (now, stale_after) = (self.setting.clock.now(), self.setting.common.stale_after);
        let goes_on = |state| matches!(state, RunState::Running | RunState::Stalled);
        self.pump.caught_up()
            && session.health.caught_up()
            && session.store.run_count() > 0
            && !session.store.runs().any(|run| goes_on(run_state(run, &session.health, now, stale_after)))
    }
}

/// How lines are written.
struct Lines {
    format: CheckFormat,
    colour: bool,
    utc_offset_s: f64,
}

impl Lines {
    /// `11-23 20:00:00 open critical nan in train/loss of run at step 30: message`.
    fn write(&self, notice: &Notice, now: Option<f64>, out: &mut dyn Write) -> io::Result<()> {
        if self.format == CheckFormat::Json {
            serde_json::to_writer(&mut *out, &notice.json()).map_err(io::Error::from)?;
            return writeln!(out);
        }
        let local = now.unwrap_or_default() + self.utc_offset_s;
        let (date, clock) = (numbers::date(local), numbers::clock(local));
        let (severity, place) = (notice.alert.severity, notice.alert.place());
        let paint = match notice.severity {
            _ if !self.colour => "",
            _ if notice.event == Event::Close => "\x1b[32m",
            Severity::Critical => "\x1b[1;31m",
            Severity::Warn => "\x1b[33m",
            Severity::Info => "\x1b[2m",
        };
        let end = if paint.is_empty() { "" } else { "\x1b[m" };
        let event = notice.event.name();
        write!(out, "{date} {clock} {paint}{event} {severity} {}{end}", notice.alert.rule)?;
        if !place.is_empty() {
            write!(out, " in {}", sanitise(place))?;
        }
        write!(out, " of {}", sanitise(&notice.title))?;
        if let Some(step) = notice.alert.step {
            write!(out, " at step {step}")?;
        }
        if let Some(cause) = notice.alert.caused_by {
            write!(out, " because of {cause}")?;
        }
        writeln!(out, ": {}", sanitise(&notice.alert.message))
    }
}

fn is_pipe() -> bool {
    fstat(io::stdout().as_fd()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

/// Whoever read our lines has closed the pipe; found out without writing one.
fn reader_has_gone() -> bool {
    let out = io::stdout();
    let mut polled = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok_and(|n| n > 0)
        && polled.iter().any(|p| p.revents().intersects(PollFlags::ERR))
}
