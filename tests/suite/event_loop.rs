//! When the event loop draws, and how many bytes that makes: paused time, keys from a channel, a counting terminal.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use epochscope::app::{
    event_loop::{Ask, Beside, End, EventLoop, Scene, Wakers},
    input::Input,
    painter::Painter,
    signals::Wish,
    terminal::Device,
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use tokio::{
    sync::{mpsc, watch},
    task::LocalSet,
    time::{advance, sleep},
};

const INTERVAL: Duration = Duration::from_millis(100);

/// What the loop did, seen from outside.
#[derive(Default)]
struct Seen {
    frames: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
    suspends: AtomicU64,
    retakes: AtomicU64,
    keys: Mutex<Vec<KeyCode>>,
    written: Mutex<Vec<u8>>,
    size: Mutex<(u16, u16)>,
    news: AtomicU64,
}

impl Seen {
    fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::SeqCst)
    }

    fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::SeqCst);
    }
}

/// Shows a number; keys change it.
struct Counter {
    seen: Arc<Seen>,
    typed: u64,
    tick: Option<Duration>,
    broken: bool,
}

impl Scene for Counter {
    fn event(&mut self, event: Event) -> Vec<Ask> {
        let Event::Key(key) = event else { return Vec::new() };
        self.seen.keys.lock().unwrap().push(key.code);
        self.typed += 1;
        match key.code {
            KeyCode::Char('q') => vec![Ask::Quit],
            KeyCode::Char('z') => vec![Ask::Suspend],
            KeyCode::Char('c') => vec![Ask::Clipboard("hi".into())],
            _ => Vec::new(),
        }
    }

    fn draw(&mut self, area: Rect, buffer: &mut Buffer) {
        Seen::add(&self.seen.frames, 1);
        let text = format!("{} {}", Seen::get(&self.seen.news), self.typed);
        buffer.set_stringn(0, 0, text, area.width.into(), Style::new());
    }

    fn next_tick(&self) -> Option<Duration> {
        self.tick
    }

    fn say(&mut self, text: &str) {
        self.typed += text.len() as u64;
    }

    fn news_ended(&mut self) -> Result<(), String> {
        if self.broken { Err("the engine broke".into()) } else { Ok(()) }
    }
}

struct CountingTerminal(Arc<Seen>);

impl Device for CountingTerminal {
    fn size(&self) -> io::Result<(u16, u16)> {
        Ok(*self.0.size.lock().unwrap())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        Seen::add(&self.0.writes, 1);
        Seen::add(&self.0.bytes, bytes.len() as u64);
        self.0.written.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Seen::add(&self.0.suspends, 1);
        Ok(())
    }

    fn retake(&mut self) -> io::Result<()> {
        Seen::add(&self.0.retakes, 1);
        Ok(())
    }

    fn set_mouse(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }
}

struct Hands {
    seen: Arc<Seen>,
    keys: mpsc::Sender<Input>,
    wishes: mpsc::Sender<Wish>,
    news: watch::Sender<u64>,
    beside: mpsc::Sender<Beside>,
}

impl Hands {
    async fn press(&self, code: KeyCode) {
        let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        self.keys.send(Input::Event(event)).await.unwrap();
        settle().await;
    }

    async fn tell_news(&self) {
        Seen::add(&self.seen.news, 1);
        self.news.send_modify(|n| *n += 1);
        settle().await;
    }

    fn frames(&self) -> u64 {
        Seen::get(&self.seen.frames)
    }

    fn bytes(&self) -> u64 {
        Seen::get(&self.seen.bytes)
    }
}

/// Lets the loop run until it waits again, without moving time.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Runs `script` against a loop at 80×24, then quits; returns how the loop ended.
fn drive<F: Future<Output = ()> + 'static>(
    tick: Option<Duration>,
    broken: bool,
    script: impl FnOnce(Hands) -> F + 'static,
) -> End {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async move {
        let seen = Arc::new(Seen { size: Mutex::new((80, 24)), ..Seen::default() });
        let (key_sender, keys) = mpsc::channel(64);
        let (wish_sender, wishes) = mpsc::channel(8);
        let (news_sender, news) = watch::channel(0);
        let (beside_sender, beside) = mpsc::channel(8);
        let hands = Hands {
            seen: Arc::clone(&seen),
            keys: key_sender.clone(),
            wishes: wish_sender,
            news: news_sender,
            beside: beside_sender,
        };
        let script = tokio::task::spawn_local(async move {
            settle().await;
            script(hands).await;
            let quit = Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
            let _ = key_sender.send(Input::Event(quit)).await;
        });
        let mut scene = Counter { seen: Arc::clone(&seen), typed: 0, tick, broken };
        let mut terminal = CountingTerminal(seen);
        let event_loop = EventLoop::new(&mut scene, &mut terminal, Painter::new(true), INTERVAL);
        let end = event_loop.run(Wakers { keys, wishes, news, beside }).await.unwrap();
        script.await.unwrap();
        end
    })
}

#[test]
fn an_idle_minute_writes_nothing_and_draws_nothing() {
    let end = drive(None, false, |hands| async move {
        assert_eq!(hands.frames(), 1, "the first frame is drawn before anything else");
        let before = hands.bytes();
        assert!(before > 0);
        sleep(Duration::from_mins(1)).await;
        settle().await;
        assert_eq!((hands.frames(), hands.bytes()), (1, before));
    });
    assert_eq!(end, End::Quit);
}

#[test]
fn a_flood_of_news_costs_ten_frames_a_second() {
    drive(None, false, |hands| async move {
        let before = hands.frames();
        for _ in 0..10_000 {
            hands.tell_news().await;
            advance(Duration::from_micros(100)).await;
        }
        settle().await;
        let drawn = hands.frames() - before;
        assert!((9..=11).contains(&drawn), "{drawn} frames in one second");
        // The last news is not lost: it is drawn when the interval is over.
        sleep(INTERVAL).await;
        settle().await;
        let screen = String::from_utf8_lossy(&hands.seen.written.lock().unwrap()).into_owned();
        assert!(screen.contains("10000") || Seen::get(&hands.seen.news) == 10_000);
        let after = hands.frames();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(hands.frames(), after);
    });
}

#[test]
fn news_that_changes_nothing_on_screen_writes_nothing() {
    drive(None, false, |hands| async move {
        let before = (hands.frames(), hands.bytes());
        hands.news.send_modify(|n| *n += 1);
        sleep(INTERVAL * 2).await;
        settle().await;
        assert_eq!((hands.frames(), hands.bytes()), (before.0 + 1, before.1));
    });
}

#[test]
fn a_key_draws_at_once_and_in_one_write() {
    drive(None, false, |hands| async move {
        hands.tell_news().await;
        let (frames, writes) = (hands.frames(), Seen::get(&hands.seen.writes));
        hands.press(KeyCode::Char('j')).await;
        assert_eq!(hands.frames(), frames + 1, "no time has passed");
        assert_eq!(Seen::get(&hands.seen.writes), writes + 1);
        let written = hands.seen.written.lock().unwrap().clone();
        let last = written.windows(8).rposition(|w| w == b"\x1b[?2026h").unwrap();
        assert!(written[last..].ends_with(b"\x1b[?2026l"));
    });
}

#[test]
fn keys_that_wait_together_make_one_frame() {
    drive(None, false, |hands| async move {
        let before = hands.frames();
        for _ in 0..30 {
            let event = Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE));
            hands.keys.try_send(Input::Event(event)).unwrap();
        }
        settle().await;
        assert_eq!(hands.frames(), before + 1);
        assert_eq!(hands.seen.keys.lock().unwrap().len(), 30);
    });
}

#[test]
fn a_resize_draws_everything_again() {
    drive(None, false, |hands| async move {
        let before = hands.seen.written.lock().unwrap().len();
        *hands.seen.size.lock().unwrap() = (40, 12);
        hands.wishes.send(Wish::Resized).await.unwrap();
        settle().await;
        let written = hands.seen.written.lock().unwrap()[before..].to_vec();
        assert!(written.windows(4).any(|w| w == b"\x1b[2J"), "{written:?}");
    });
}

#[test]
fn suspend_and_continue_take_the_screen_back_whole() {
    drive(None, false, |hands| async move {
        for (how, counter) in [(None, &hands.seen.suspends), (Some(Wish::Suspend), &hands.seen.suspends)] {
            let (before, count) = (hands.seen.written.lock().unwrap().len(), Seen::get(counter));
            match how {
                None => hands.press(KeyCode::Char('z')).await,
                Some(wish) => {
                    hands.wishes.send(wish).await.unwrap();
                    settle().await;
                }
            }
            assert_eq!(Seen::get(counter), count + 1);
            let written = hands.seen.written.lock().unwrap()[before..].to_vec();
            assert!(written.windows(4).any(|w| w == b"\x1b[2J"), "{written:?}");
        }
        hands.wishes.send(Wish::Continued).await.unwrap();
        settle().await;
        assert_eq!(Seen::get(&hands.seen.retakes), 1);
    });
}

#[test]
fn an_arrow_torn_apart_by_the_link_is_no_escape() {
    drive(None, false, |hands| async move {
        hands.press(KeyCode::Esc).await;
        sleep(Duration::from_millis(60)).await;
        hands.press(KeyCode::Char('[')).await;
        sleep(Duration::from_millis(60)).await;
        hands.press(KeyCode::Char('D')).await;
        assert_eq!(*hands.seen.keys.lock().unwrap(), [KeyCode::Left]);
        hands.press(KeyCode::Esc).await;
        sleep(Duration::from_millis(300)).await;
        settle().await;
        assert_eq!(*hands.seen.keys.lock().unwrap(), [KeyCode::Left, KeyCode::Esc]);
    });
}

#[test]
fn an_age_on_screen_ticks_and_a_silent_screen_does_not() {
    drive(Some(Duration::from_secs(1)), false, |hands| async move {
        let before = hands.frames();
        sleep(Duration::from_millis(10_050)).await;
        settle().await;
        assert_eq!(hands.frames() - before, 10);
    });
}

#[test]
fn copying_is_one_osc_52() {
    drive(None, false, |hands| async move {
        hands.press(KeyCode::Char('c')).await;
        let written = hands.seen.written.lock().unwrap().clone();
        let wanted = b"\x1b]52;c;aGk=\x07";
        assert!(written.windows(wanted.len()).any(|w| w == wanted));
    });
}

#[test]
fn what_is_said_beside_the_screen_is_one_write_and_a_line_waits_for_its_frame() {
    drive(None, false, |hands| async move {
        let (frames, writes) = (hands.frames(), Seen::get(&hands.seen.writes));
        hands.beside.send(Beside::Sequence(b"\x07".to_vec())).await.unwrap();
        settle().await;
        assert_eq!((hands.frames(), Seen::get(&hands.seen.writes)), (frames, writes + 1));
        assert!(hands.seen.written.lock().unwrap().ends_with(b"\x07"));
        for _ in 0..5 {
            hands.beside.send(Beside::Line("webhook: no answer".into())).await.unwrap();
        }
        sleep(INTERVAL).await;
        settle().await;
        assert_eq!(hands.frames(), frames + 1);
    });
}

#[test]
fn the_loop_ends_as_it_was_told() {
    let ctrl_c = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let end = drive(None, false, |hands| async move {
        hands.keys.send(Input::Event(ctrl_c)).await.unwrap();
    });
    assert_eq!(end, End::Interrupted);
    let end = drive(None, false, |hands| async move {
        hands.wishes.send(Wish::Stop(15)).await.unwrap();
        settle().await;
    });
    assert_eq!(end, End::Signal(15));
    let end = drive(None, false, |hands| async move {
        hands.keys.send(Input::Closed).await.unwrap();
    });
    assert_eq!(end, End::Hangup);
}

#[test]
fn when_reading_ends_the_screen_stays_unless_reading_broke() {
    let end = drive(None, false, |hands| async move {
        let Hands { seen, news, keys: _keys, wishes: _wishes, beside: _beside } = hands;
        drop(news);
        sleep(Duration::from_mins(1)).await;
        assert!(Seen::get(&seen.frames) <= 3, "the end of news must not spin");
    });
    assert_eq!(end, End::Quit);
    let end = drive(None, true, |hands| async move {
        drop(hands.news);
        settle().await;
    });
    assert_eq!(end, End::Broken("the engine broke".into()));
}
