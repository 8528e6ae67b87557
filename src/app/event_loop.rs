//! The select: keys, then signals, then news, then deadlines. Draws only what is stale, at most so often.
//!
//! **Invariant:** while nothing changes, nothing is drawn and not a byte is written. Keys draw at once; news waits
//! until the frame interval since the last frame is over, so that a flood costs a fixed number of frames.

use std::{io, time::Duration};

use crossterm::event::{Event, KeyCode, KeyModifiers};
use data_encoding::BASE64;
use ratatui::{buffer::Buffer, layout::Rect};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    escape::{EscapeFold, HOLD},
    input::Input,
    painter::Painter,
    signals::Wish,
    terminal::Device,
};

/// Text on the clipboard beyond this is refused: terminals cut or ignore longer OSC 52 sequences (xterm's limit is
/// about 100 kB of base64).
const CLIPBOARD_BYTES: usize = 74_000;

/// What a scene asks of the loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// End.
    Quit,
    /// Go to the background.
    Suspend,
    /// Put the text on the clipboard.
    Clipboard(String),
    /// Take or free the mouse.
    Mouse(bool),
}

/// What is on the screen, and what keys do to it.
pub trait Scene {
    /// Takes a key, a mouse event or a paste.
    fn event(&mut self, event: Event) -> Vec<Ask>;
    /// Draws the whole frame.
    fn draw(&mut self, area: Rect, buffer: &mut Buffer);
    /// When the frame goes stale by itself because a relative time is visible; `None` when it does not.
    fn next_tick(&self) -> Option<Duration>;
    /// No more news will come: the reading side has ended. `Err` ends the loop.
    fn news_ended(&mut self) -> Result<(), String>;
    /// Shows a line that somebody beside the screen has to say.
    fn say(&mut self, text: &str) {
        let _ = text;
    }
}

/// What others have for the terminal while the screen is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Beside {
    /// A sequence that moves nothing on the screen: a bell, a notification.
    Sequence(Vec<u8>),
    /// A line for the user.
    Line(String),
    /// Something that the screen waits for is done.
    Redraw,
}

/// The channels that wake the loop.
#[derive(Debug)]
pub struct Wakers {
    /// From the input thread.
    pub keys: mpsc::Receiver<Input>,
    /// From the signal thread.
    pub wishes: mpsc::Receiver<Wish>,
    /// The session's generation; its value is not looked at.
    pub news: watch::Receiver<u64>,
    /// From whoever has something for the terminal beside the screen.
    pub beside: mpsc::Receiver<Beside>,
}

/// How the loop ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The user quit.
    Quit,
    /// Ctrl-C.
    Interrupted,
    /// A signal with this number.
    Signal(u8),
    /// The terminal is gone.
    Hangup,
    /// The reading side broke.
    Broken(String),
}

/// The loop's state between two wake-ups.
pub struct EventLoop<'a, S, D> {
    scene: &'a mut S,
    device: &'a mut D,
    painter: Painter,
    interval: Duration,
    escape: EscapeFold,
    escape_deadline: Option<Instant>,
    /// Something changed since the last frame.
    stale: bool,
    last_frame: Option<Instant>,
    tick: Option<Instant>,
    news_open: bool,
}

impl<'a, S: Scene, D: Device> EventLoop<'a, S, D> {
    /// A loop that draws news at most once per `interval`.
    pub fn new(scene: &'a mut S, device: &'a mut D, painter: Painter, interval: Duration) -> Self {
        Self {
            scene,
            device,
            painter,
            interval,
            escape: EscapeFold::default(),
            escape_deadline: None,
            stale: true,
            last_frame: None,
            tick: None,
            news_open: true,
        }
    }

    /// Runs until the user, a signal or an error ends it. Draws the first frame before it waits for anything.
    pub async fn run(mut self, mut wakers: Wakers) -> io::Result<End> {
        self.frame()?;
        loop {
            let deadline = self.deadline();
            let ended = tokio::select! {
                biased;
                input = wakers.keys.recv() => self.keys(input, &mut wakers.keys)?,
                Some(wish) = wakers.wishes.recv() => self.wish(wish, &mut wakers.wishes)?,
                Some(beside) = wakers.beside.recv() => self.beside(beside)?,
                news = wakers.news.changed(), if self.news_open => self.news(news.is_ok()),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => self.due()?,
            };
            if let Some(end) = ended {
                return Ok(end);
            }
        }
    }

    fn beside(&mut self, beside: Beside) -> io::Result<Option<End>> {
        match beside {
            Beside::Sequence(bytes) => self.device.write(&bytes)?,
            Beside::Line(text) => {
                self.scene.say(&text);
                self.stale = true;
            }
            Beside::Redraw => self.stale = true,
        }
        Ok(None)
    }

    /// When the loop must wake by itself.
    fn deadline(&self) -> Option<Instant> {
        let frame =
            self.stale.then(|| self.last_frame.map_or_else(Instant::now, |last| last + self.interval));
        [frame, self.tick, self.escape_deadline].into_iter().flatten().min()
    }

    fn due(&mut self) -> io::Result<Option<End>> {
        let now = Instant::now();
        if self.escape_deadline.is_some_and(|at| at <= now) {
            self.escape_deadline = None;
            let ripe = self.escape.expire();
            let end = self.act(ripe)?;
            if end.is_some() {
                return Ok(end);
            }
        }
        let frame_due = self.stale && self.last_frame.is_none_or(|last| last + self.interval <= now);
        if frame_due || self.tick.is_some_and(|at| at <= now) {
            self.frame()?;
        }
        Ok(None)
    }

    fn news(&mut self, open: bool) -> Option<End> {
        self.stale = true;
        if open {
            return None;
        }
        self.news_open = false;
        self.scene.news_ended().err().map(End::Broken)
    }

    /// Acts on all keys that wait, then draws once.
    fn keys(&mut self, first: Option<Input>, more: &mut mpsc::Receiver<Input>) -> io::Result<Option<End>> {
        let mut next = first;
        let mut acted = false;
        loop {
            match next {
                None | Some(Input::Closed) => return Ok(Some(End::Hangup)),
                // The signal tells of it earlier; the size is asked for at each frame anyway.
                Some(Input::Event(Event::Resize(..))) => acted = true,
                Some(Input::Event(event)) => {
                    let ripe = self.escape.feed(event);
                    acted |= !ripe.is_empty();
                    let end = self.act_quietly(ripe)?;
                    if end.is_some() {
                        return Ok(end);
                    }
                }
            }
            match more.try_recv() {
                Ok(input) => next = Some(input),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => return Ok(Some(End::Hangup)),
            }
        }
        self.escape_deadline = self.escape.holds().then(|| Instant::now() + HOLD);
        if acted {
            self.frame()?;
        }
        Ok(None)
    }

    fn act(&mut self, events: Vec<Event>) -> io::Result<Option<End>> {
        let any = !events.is_empty();
        let end = self.act_quietly(events)?;
        if any && end.is_none() {
            self.frame()?;
        }
        Ok(end)
    }

    fn act_quietly(&mut self, events: Vec<Event>) -> io::Result<Option<End>> {
        for event in events {
            if let Event::Key(key) = &event
                && key.code == KeyCode::Char('c')
                && key.modifiers == KeyModifiers::CONTROL
            {
                return Ok(Some(End::Interrupted));
            }
            for ask in self.scene.event(event) {
                match ask {
                    Ask::Quit => return Ok(Some(End::Quit)),
                    Ask::Suspend => self.suspend()?,
                    Ask::Clipboard(text) => self.clipboard(&text)?,
                    Ask::Mouse(on) => self.device.set_mouse(on)?,
                }
            }
        }
        Ok(None)
    }

    fn clipboard(&mut self, text: &str) -> io::Result<()> {
        if text.len() <= CLIPBOARD_BYTES {
            let sequence = format!("\x1b]52;c;{}\x07", BASE64.encode(text.as_bytes()));
            self.device.write(sequence.as_bytes())?;
        }
        Ok(())
    }

    fn wish(&mut self, wish: Wish, more: &mut mpsc::Receiver<Wish>) -> io::Result<Option<End>> {
        let mut next = Some(wish);
        while let Some(wish) = next {
            match wish {
                Wish::Stop(number) => return Ok(Some(End::Signal(number))),
                Wish::Suspend => self.suspend()?,
                Wish::Continued => {
                    self.device.retake()?;
                    self.painter.forget();
                }
                Wish::Resized => {}
            }
            next = more.try_recv().ok();
        }
        self.frame()?;
        Ok(None)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.device.suspend()?;
        self.painter.forget();
        Ok(())
    }

    /// Draws a frame now and writes what changed, in one piece.
    fn frame(&mut self) -> io::Result<()> {
        let (width, height) = self.device.size()?;
        let scene = &mut *self.scene;
        let bytes = self.painter.paint(width, height, |area, buffer| scene.draw(area, buffer));
        if !bytes.is_empty() {
            self.device.write(bytes)?;
        }
        let now = Instant::now();
        self.stale = false;
        self.last_frame = Some(now);
        self.tick = self.scene.next_tick().map(|after| now + after.max(self.interval));
        Ok(())
    }
}
