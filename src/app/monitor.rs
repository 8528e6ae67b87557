//! The live monitor: readers and engine on their threads, the screen on this one.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc::SyncSender},
    thread::JoinHandle,
    time::Duration,
};

use crossterm::event::Event;
use ratatui::{buffer::Buffer, layout::Rect};
use tokio::sync::{mpsc, watch};

use super::{
    error::AppError,
    event_loop::{Ask, Beside, End, EventLoop, Scene, Wakers},
    exports, input, notifications,
    output::theme,
    painter::Painter,
    reading::{Setting, WAITING_BATCHES},
    said::Said,
    signals,
    terminal::{self, Tty},
    workers::Workers,
    xdg,
};
use crate::{
    detect::{Alert, AlertBook},
    engine::{self, Session},
    ingest::Ingest,
    model::{Clock, News, WallTime},
    ui::{Background, FrameContext, Request, Screen, ScreenOptions, Theme},
};

/// Bells, notifications and lines that may wait for the event loop.
const BESIDE: usize = 64;

/// How long the end of the screen waits for messages that are under way.
const FAREWELL: Duration = Duration::from_secs(1);

/// Shows the screen until it is ended; `start` starts whatever sends news, read from `paths`. Returns the exit code.
///
/// Without `paths` it is a play: what is said of alerts is forgotten at the end.
pub fn show(
    setting: &Setting,
    paths: Option<&[PathBuf]>,
    start: impl FnOnce(SyncSender<News>) -> Result<Ingest, AppError>,
) -> Result<u8, AppError> {
    let keys = input::spawn().map_err(|e| no_terminal(&e))?;
    let wishes = signals::spawn(setting.journal.clone(), signals::PATIENCE).map_err(|e| no_terminal(&e))?;
    let engine = setting.engine(true);
    let mut session = engine.session();
    let said = said(setting, paths, &mut session);
    let session = Arc::new(RwLock::new(session));
    let (news_sender, news) = watch::channel(0_u64);
    let (beside_sender, beside) = mpsc::channel(BESIDE);
    let (knock, door) = notifications::Knock::new();
    let pump = pump(setting, paths.unwrap_or_default(), &session, &beside_sender)?;
    let (sender, receiver) = std::sync::mpsc::sync_channel(WAITING_BATCHES);
    // Started before the terminal is taken: an error is then said on an ordinary screen.
    let reading = start(sender)?;
    let notes = match pump {
        Some(pump) => {
            let notes = notifications::Beside::start(pump, knock.clone(), door);
            Some(notes.map_err(|e| no_thread(&e))?)
        }
        None => None,
    };
    let engine = engine::spawn(
        receiver,
        Arc::clone(&session),
        engine,
        Arc::clone(&setting.clock),
        Box::new(move |generation| {
            let _ = news_sender.send(generation);
            knock.knock();
        }),
    );
    let done = beside_sender.clone();
    let workers = Workers::start(move || {
        let _ = done.try_send(Beside::Redraw);
    });
    let workers = workers.map_err(|e| no_thread(&e))?;
    let mut monitor = Monitor::new(setting, session, Some(engine), said, workers);
    let common = &setting.common;
    let mut tty = Tty::take(!common.no_mouse).map_err(|e| no_terminal(&e))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|e| no_thread(&e))?;
    let interval = Duration::from_secs_f64(1.0 / common.fps);
    let event_loop = EventLoop::new(&mut monitor, &mut tty, Painter::new(!common.no_sync), interval);
    let end = runtime.block_on(event_loop.run(Wakers { keys, wishes, news, beside }));
    drop(tty);
    if let Some(notes) = notes {
        notes.finish(FAREWELL);
    }
    setting.journal.note(&format!("ended: {end:?}"));
    // The readers are not waited for: one may hang on a network file system that is gone.
    std::mem::forget(reading);
    match end {
        Ok(End::Quit) => Ok(0),
        Ok(End::Interrupted) => Ok(130),
        Ok(End::Signal(number)) => Ok(128_u8.saturating_add(number)),
        Ok(End::Hangup) => Ok(129),
        Ok(End::Broken(reason)) => {
            Err(AppError::new("the reading side has stopped", reason, "this is a bug: please report it"))
        }
        Err(error) => Err(AppError::new(
            "cannot draw on the terminal",
            error.to_string(),
            "check whether the terminal is still there; `epochscope status` needs none",
        )),
    }
}

fn no_thread(error: &io::Error) -> AppError {
    AppError::new("cannot start", error.to_string(), "free some memory or file handles")
}

/// Where what is said of alerts is kept; the session learns what is known from earlier.
fn said(setting: &Setting, paths: Option<&[PathBuf]>, session: &mut Session) -> Said {
    let Some(paths) = paths else { return Said::forgotten() };
    let watched = xdg::canonical(paths);
    let (mut said, attitudes) = Said::open(xdg::state_folder(), &watched, setting.clock.now());
    if let Some(trouble) = said.trouble() {
        setting.journal.note(&format!("what is said of alerts will be forgotten: {trouble}"));
    }
    session.alerts.set_attitudes(attitudes);
    said
}

/// What tells of alerts beside the screen, if anybody wants to be told.
fn pump(
    setting: &Setting,
    paths: &[PathBuf],
    session: &Arc<RwLock<Session>>,
    beside: &mpsc::Sender<Beside>,
) -> Result<Option<notifications::Pump>, AppError> {
    if !setting.notify.any() {
        return Ok(None);
    }
    let (sequences, lines, journal) = (beside.clone(), beside.clone(), setting.journal.clone());
    let terminal = Arc::new(move |bytes: Vec<u8>| sequences.try_send(Beside::Sequence(bytes)).is_ok());
    let say = Arc::new(move |text: &str| {
        journal.note(text);
        // A loop that has no room has other things to show; the log has the line.
        let _ = lines.try_send(Beside::Line(text.to_owned()));
    });
    notifications::Pump::new(Arc::clone(session), paths, setting, (terminal, say, true)).map(Some)
}

fn no_terminal(error: &io::Error) -> AppError {
    AppError::new(
        "cannot use the terminal",
        error.to_string(),
        "run it in an interactive terminal, or use `epochscope status`",
    )
}

/// Seconds that local time is ahead of UTC at `now`; 0 with `--now`, so that frames do not depend on the machine.
pub fn utc_offset_s(setting: &Setting) -> f64 {
    if setting.common.now.is_some() {
        return 0.0;
    }
    let seconds = setting.clock.now().known().map_or(0, |now| now as i64);
    jiff::Timestamp::from_second(seconds)
        .map_or(0.0, |now| f64::from(jiff::tz::TimeZone::system().to_offset(now).seconds()))
}

/// The screen over the shared session.
pub struct Monitor {
    session: Arc<RwLock<Session>>,
    screen: Screen,
    theme: Theme,
    clock: Arc<dyn Clock>,
    mouse: bool,
    workers: Workers,
    engine: Option<JoinHandle<()>>,
    said: Said,
    /// The folders that exports may be written to, the best first; those that are watched are passed over.
    exports: Vec<PathBuf>,
}

impl Monitor {
    /// A monitor of `session`; `engine` is asked for its end when news cease, `said` keeps what is said of alerts.
    fn new(
        setting: &Setting,
        session: Arc<RwLock<Session>>,
        engine: Option<JoinHandle<()>>,
        said: Said,
        workers: Workers,
    ) -> Self {
        let theme = theme(&setting.common);
        let options =
            ScreenOptions { utc_offset_s: utc_offset_s(setting), stale_after_s: setting.common.stale_after };
        Self {
            session,
            screen: Screen::new(theme, options),
            theme,
            clock: Arc::clone(&setting.clock),
            mouse: !setting.common.no_mouse,
            workers,
            engine,
            said,
            exports: exports::folders(),
        }
    }

    /// **Invariant:** held for one frame or one key, never while waiting.
    fn read(session: &RwLock<Session>) -> RwLockReadGuard<'_, Session> {
        session.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(session: &RwLock<Session>) -> RwLockWriteGuard<'_, Session> {
        session.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the user thinks of an alert, says what is now so, and writes it down.
    fn tell_book(&mut self, id: u64, change: impl FnOnce(&mut AlertBook, WallTime)) {
        let now = self.clock.now();
        let (changes, text) = {
            let mut session = Self::write(&self.session);
            change(&mut session.alerts, now);
            let text = session.alerts.get(id).map(|alert| standing(alert, now));
            (session.alerts.attitudes_mut().take_changes(), text)
        };
        // Not under the lock: the user's folder may be slow.
        self.said.keep(&changes, now);
        if let Some(text) = self.said.trouble().or(text) {
            self.screen.say(text);
        }
    }

    fn request(&mut self, request: Request) -> Option<Ask> {
        match request {
            Request::Quit => return Some(Ask::Quit),
            Request::Suspend => return Some(Ask::Suspend),
            Request::Acknowledge(id) => self.tell_book(id, |book, _| book.acknowledge(id)),
            Request::Mute(id) => self.tell_book(id, |book, _| book.mute(id)),
            Request::MuteEverywhere(id) => self.tell_book(id, |book, _| book.mute_everywhere(id)),
            Request::Snooze(id) => self.tell_book(id, |book, now| {
                book.snooze(id, now);
            }),
            Request::Copy(text) => {
                self.screen.say("copied");
                return Some(Ask::Clipboard(text));
            }
            Request::ToggleMouse => {
                self.mouse = !self.mouse;
                self.screen.say(if self.mouse { "the mouse is ours" } else { "the mouse is the terminal's" });
                return Some(Ask::Mouse(self.mouse));
            }
            Request::Export { name, text } => {
                let watched: Vec<PathBuf> = Self::read(&self.session)
                    .health
                    .scan
                    .watched
                    .iter()
                    .map(|(path, _)| PathBuf::from(&**path))
                    .collect();
                let said = match exports::write(&self.exports, &watched, &name, &text) {
                    Ok(path) => format!("written to {}", path.display()),
                    Err(error) => format!("cannot write {name}: {error}"),
                };
                self.screen.say(said);
            }
        }
        None
    }
}

/// How an alert stands with the user, in one line.
fn standing(alert: &Alert, now: WallTime) -> String {
    let rule = alert.rule;
    if alert.muted_everywhere {
        return format!("{rule} is muted in all runs; R unmutes it");
    }
    if alert.muted {
        return format!("{rule} is muted in this run; m unmutes it");
    }
    match alert.snoozed_until {
        Some(until) => {
            let left = crate::ui::numbers::duration(until.since(now).max(0.0));
            format!("put off for {left}, or until it gets worse; z for longer")
        }
        None if alert.acknowledged => format!("{rule}: seen"),
        None => format!("{rule} is heard again"),
    }
}

fn context<'a>(
    session: &'a Session,
    now: WallTime,
    theme: &'a Theme,
    background: &'a dyn Background,
) -> FrameContext<'a> {
    let Session { store, alerts, health, .. } = session;
    FrameContext { store, alerts, health, now, theme, background }
}

impl Scene for Monitor {
    fn event(&mut self, event: Event) -> Vec<Ask> {
        let now = self.clock.now();
        let requests = {
            let session = Self::read(&self.session);
            let context = context(&session, now, &self.theme, &self.workers);
            match event {
                Event::Key(key) => self.screen.key(key, context),
                Event::Mouse(mouse) => self.screen.mouse(mouse, context),
                Event::Paste(text) => {
                    self.screen.paste(&text);
                    Vec::new()
                }
                Event::FocusGained | Event::FocusLost | Event::Resize(..) => Vec::new(),
            }
        };
        requests.into_iter().filter_map(|request| self.request(request)).collect()
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer) {
        let session = Self::read(&self.session);
        let context = context(&session, self.clock.now(), &self.theme, &self.workers);
        self.screen.draw(context, area, buffer);
    }

    fn next_tick(&self) -> Option<Duration> {
        let session = Self::read(&self.session);
        self.screen.next_tick(context(&session, self.clock.now(), &self.theme, &self.workers))
    }

    fn say(&mut self, text: &str) {
        self.screen.say(crate::model::sanitise(text));
    }

    fn news_ended(&mut self) -> Result<(), String> {
        match self.engine.take().map(JoinHandle::join) {
            Some(Err(_)) => {
                Err(terminal::take_last_panic().unwrap_or_else(|| "the engine thread panicked".into()))
            }
            _ => Ok(()),
        }
    }
}
