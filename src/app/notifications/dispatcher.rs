//! Hands notices to the channels: once each, at each channel's pace, and counts what is lost.

use std::{path::PathBuf, time::Duration};

use super::{
    channel::{CHANNELS, Channel, Say, Surroundings},
    flags::NotifyFlags,
    ledger::{Key, Ledger, key},
    notice::{Message, Notice, Why},
    pacing::{Moment, Pacing, Turn},
};
use crate::{app::error::AppError, model::WallTime};

/// Messages an hour where the user does not say.
const LIMIT: u32 = 20;

/// The channels that were asked for.
pub struct Dispatcher {
    ledger: Ledger,
    watched: Vec<PathBuf>,
    lanes: Vec<Lane>,
    say: Say,
}

struct Lane {
    channel: Box<dyn Channel>,
    /// What the ledger calls it.
    label: String,
    pacing: Pacing,
    dropped: u64,
}

impl Lane {
    fn key(&self, watched: &[PathBuf], notice: &Notice) -> Key {
        key(watched, notice, &self.label)
    }

    /// Hands a message over; says it where there is no room.
    fn send(&mut self, message: &Message, say: &Say) {
        if self.channel.send(message) {
            return;
        }
        let before = self.dropped;
        self.dropped += message.count();
        // Said at the first, at ten, at a hundred: it may go on for days.
        if before == 0 || before.ilog10() < self.dropped.ilog10() {
            let (name, dropped) = (self.channel.name(), self.dropped);
            say(&format!(
                "{name}: there is no way out or no room; alerts that were dropped so far: {dropped}"
            ));
        }
    }
}

impl Dispatcher {
    /// The channels that `flags` ask for, which write what they told into `ledger`.
    pub fn new(
        flags: &NotifyFlags,
        around: &Surroundings,
        watched: Vec<PathBuf>,
        ledger: Ledger,
    ) -> Result<Self, AppError> {
        let mut channels = Vec::new();
        for make in CHANNELS {
            channels.extend(make(flags, around)?);
        }
        let pacing = || Pacing::new(flags.notify_limit.unwrap_or(LIMIT), flags.quiet_hours);
        Ok(Self::of(channels, pacing, watched, ledger, around.say.clone()))
    }

    /// The same with channels of one's own.
    pub fn of(
        channels: Vec<Box<dyn Channel>>,
        pacing: impl Fn() -> Pacing,
        watched: Vec<PathBuf>,
        ledger: Ledger,
        say: Say,
    ) -> Self {
        let lane = |channel: Box<dyn Channel>| {
            let label = format!("{} {}", channel.name(), channel.address());
            Lane { channel, label, pacing: pacing(), dropped: 0 }
        };
        Self { ledger, watched, lanes: channels.into_iter().map(lane).collect(), say }
    }

    /// Tells of those `notices` that disturb and that nobody has told of; and of what was held back and is due.
    pub fn tell(&mut self, notices: &[Notice], now: WallTime, at: Moment) {
        if self.lanes.is_empty() {
            return;
        }
        let disturbing: Vec<&Notice> = notices.iter().filter(|n| n.disturbs).collect();
        if !disturbing.is_empty() {
            self.ledger.refresh(now);
        }
        let Self { ledger, watched, lanes, say } = self;
        for lane in lanes {
            if let Some(message) = lane.pacing.due(at) {
                hand_over(lane, ledger, watched, message, now, say);
            }
            let fresh = disturbing.iter().filter(|n| !ledger.has(lane.key(watched, n)));
            let (standing, live): (Vec<Notice>, Vec<Notice>) =
                fresh.map(|n| (*n).clone()).partition(|n| n.standing);
            let standing = lane.pacing.admit(standing, at);
            if let Some(message) = Message::many(Why::Standing, standing, 0) {
                hand_over(lane, ledger, watched, message, now, say);
            }
            let mut counted = Vec::new();
            for notice in live {
                match lane.pacing.offer(notice, at) {
                    Turn::Now(notice) => {
                        hand_over(lane, ledger, watched, Message::One(notice), now, say);
                    }
                    Turn::Held => {}
                    Turn::Counted(notice) => counted.push(lane.key(watched, &notice)),
                }
            }
            ledger.claim(&counted, now);
        }
        if let Some(trouble) = ledger.trouble() {
            say(&format!("what was told will be told again at the next start: {trouble}"));
        }
    }

    /// Something is held back, so that somebody must look at the clock.
    pub fn holds(&self) -> bool {
        self.lanes.iter().any(|lane| lane.pacing.held() > 0)
    }

    /// Tells what was held back because there was too much, waits for what is under way, and says what is lost.
    pub fn finish(&mut self, now: WallTime, at: Moment, patience: Duration) {
        let Self { ledger, watched, lanes, say } = self;
        for lane in lanes.iter_mut() {
            if let Some(message) = lane.pacing.last_words(at) {
                hand_over(lane, ledger, watched, message, now, say);
            }
        }
        for lane in lanes {
            let name = lane.channel.name();
            if lane.dropped > 0 {
                let dropped = lane.dropped;
                say(&format!(
                    "{name}: {dropped} alerts were dropped, because there was no way out or no room"
                ));
            }
            let lost = lane.channel.finish(patience);
            if lost > 0 {
                say(&format!("{name}: {lost} messages were under way at the end and may be lost"));
            }
            if lane.pacing.held() > 0 {
                let held = lane.pacing.held();
                say(&format!("{name}: {held} warnings of the quiet hours were not sent"));
            }
        }
    }
}

/// Notes that the alerts of `message` are told, and hands over those that no other process has told meanwhile.
fn hand_over(
    lane: &mut Lane,
    ledger: &mut Ledger,
    watched: &[PathBuf],
    message: Message,
    now: WallTime,
    say: &Say,
) {
    let keys = |notices: &[Notice]| notices.iter().map(|n| lane.key(watched, n)).collect::<Vec<_>>();
    let message = match message {
        Message::One(notice) => {
            let new = ledger.claim(&keys(std::slice::from_ref(&notice)), now);
            (!new.is_empty()).then_some(Message::One(notice))
        }
        Message::Many { why, notices, more } => {
            let new = ledger.claim(&keys(&notices), now);
            let notices: Vec<Notice> =
                notices.into_iter().filter(|n| new.contains(&lane.key(watched, n))).collect();
            (!notices.is_empty() || more > 0).then_some(Message::Many { why, notices, more })
        }
    };
    if let Some(message) = message {
        lane.send(&message, say);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{super::notice::tests::notice, *};
    use crate::detect::Severity;

    type Told = Arc<Mutex<Vec<String>>>;

    struct Wall {
        told: Told,
        room: usize,
    }

    impl Channel for Wall {
        fn name(&self) -> &'static str {
            "wall"
        }

        fn send(&mut self, message: &Message) -> bool {
            let mut told = self.told.lock().unwrap();
            let taken = told.len() < self.room;
            if taken {
                told.push(message.headline());
            }
            taken
        }
    }

    const NOW: WallTime = WallTime(1.75e9);

    fn at(minutes: u64, hour: u16) -> Moment {
        Moment { elapsed: Duration::from_mins(minutes), minute: hour * 60 }
    }

    fn dispatcher(folder: &std::path::Path, room: usize) -> (Dispatcher, Told, Told) {
        let (told, said) = (Told::default(), Told::default());
        let heard = Arc::clone(&said);
        let say: Say = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
        let ledger = Ledger::open(Some(folder.to_path_buf()), &[], NOW);
        let wall: Box<dyn Channel> = Box::new(Wall { told: Arc::clone(&told), room });
        let pacing = || Pacing::new(20, "22:00-07:00".parse().ok());
        let made = Dispatcher::of(vec![wall], pacing, vec![PathBuf::from("/logs")], ledger, say);
        (made, told, said)
    }

    fn taken(told: &Told) -> Vec<String> {
        std::mem::take(&mut told.lock().unwrap())
    }

    #[test]
    fn an_alert_is_told_once_also_after_a_restart_and_again_when_it_gets_worse() {
        let dir = tempfile::tempdir().unwrap();
        let warn = notice("a", "divergence", Severity::Warn);
        let (mut first, told, _) = dispatcher(dir.path(), 100);
        first.tell(&[warn.clone(), warn.clone()], NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 1);
        let (mut second, told, said) = dispatcher(dir.path(), 100);
        let standing = Notice { standing: true, ..warn.clone() };
        second.tell(&[standing, warn], NOW, at(0, 12));
        assert_eq!(taken(&told), [""; 0]);
        second.tell(&[notice("a", "divergence", Severity::Critical)], NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 1);
        first.tell(&[notice("a", "divergence", Severity::Critical)], NOW, at(0, 12));
        assert_eq!((taken(&told).len(), taken(&said).len()), (0, 0), "another process has told it");
    }

    #[test]
    fn what_was_open_at_the_start_is_one_message() {
        let dir = tempfile::tempdir().unwrap();
        let (mut dispatcher, told, _) = dispatcher(dir.path(), 100);
        let standing = |run: &str| Notice { standing: true, ..notice(run, "nan", Severity::Critical) };
        dispatcher.tell(&[standing("a"), standing("b")], NOW, at(0, 12));
        assert_eq!(taken(&told), ["2 alerts are open: 2 nan in 2 runs"]);
    }

    #[test]
    fn what_must_not_disturb_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let (mut dispatcher, told, _) = dispatcher(dir.path(), 100);
        let quiet = Notice { disturbs: false, ..notice("a", "nan", Severity::Critical) };
        dispatcher.tell(&[quiet], NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 0);
    }

    #[test]
    fn a_thousand_at_once_are_summed_up_and_a_restart_in_between_loses_none() {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<Notice> =
            (0..1000).map(|n| notice(&format!("run {n}"), "nan", Severity::Critical)).collect();
        let (mut first, told, _) = dispatcher(dir.path(), 100);
        first.tell(&all, NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 10);
        drop(first);
        let (mut second, told, _) = dispatcher(dir.path(), 100);
        let standing: Vec<Notice> = all.iter().map(|n| Notice { standing: true, ..n.clone() }).collect();
        second.tell(&standing, NOW, at(0, 12));
        assert_eq!(taken(&told), ["990 alerts are open: 990 nan in 990 runs"]);
        let (mut third, told, _) = dispatcher(dir.path(), 100);
        third.tell(&all[..500], NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 0);
    }

    #[test]
    fn warnings_of_the_night_come_in_the_morning_and_the_end_says_what_it_loses() {
        let dir = tempfile::tempdir().unwrap();
        let (mut dispatcher, told, said) = dispatcher(dir.path(), 100);
        dispatcher.tell(&[notice("a", "divergence", Severity::Warn)], NOW, at(0, 23));
        dispatcher.tell(&[notice("b", "divergence", Severity::Warn)], NOW, at(1, 23));
        dispatcher.tell(&[], NOW, at(60, 0));
        assert!(taken(&told).is_empty() && dispatcher.holds());
        dispatcher.tell(&[], NOW, at(500, 7));
        assert_eq!(taken(&told), ["2 more alerts: 2 divergence in 2 runs"]);
        dispatcher.tell(&[notice("c", "divergence", Severity::Warn)], NOW, at(900, 23));
        dispatcher.finish(NOW, at(901, 23), Duration::ZERO);
        assert_eq!(taken(&said), ["wall: 1 warnings of the quiet hours were not sent"]);
    }

    #[test]
    fn what_has_no_room_is_counted_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let (mut dispatcher, told, said) = dispatcher(dir.path(), 2);
        let all: Vec<Notice> =
            (0..5).map(|n| notice(&format!("run {n}"), "nan", Severity::Critical)).collect();
        dispatcher.tell(&all, NOW, at(0, 12));
        assert_eq!(taken(&told).len(), 2);
        assert!(taken(&said)[0].ends_with("dropped so far: 1"));
        dispatcher.finish(NOW, at(1, 12), Duration::ZERO);
        assert_eq!(taken(&said), ["wall: 3 alerts were dropped, because there was no way out or no room"]);
    }
}
