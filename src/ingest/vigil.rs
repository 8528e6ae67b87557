//! Looking again: at known files and folders, at an interval that follows from their age and from what it costs.

use std::{collections::VecDeque, time::Duration};

use super::{placing::BARE_EVENTS, scout::Scout, source::Stamp};
use crate::model::FileId;

/// Looking takes at most one part in this many of a core.
const COST_SHARE: u32 = 200;

/// A folder is listed again after this time although it does not seem to have changed: a file in it that nobody read
/// may have become a log, and some file systems do not keep the time of a folder.
const LIST_AGAIN: Duration = Duration::from_mins(1);

/// The same where the kernel tells of changes. Rarer, because notify hears of each folder that we open: listing 2,000
/// folders a minute would cost more than everything else that is done while nothing happens.
const LIST_AGAIN_NOTIFIED: Duration = Duration::from_mins(15);

/// When the rounds are due and how long the last ones took.
#[derive(Debug, Default)]
pub struct Rounds {
    files_due: Duration,
    folders_due: Duration,
}

impl Scout {
    /// When something is to be looked at next.
    pub fn next_round(&self) -> Duration {
        self.rounds.files_due.min(self.rounds.folders_due)
    }

    /// Looks at all files and folders now; false when it is time to stop.
    pub fn look_at_all(&mut self) -> bool {
        for known in &mut self.known {
            known.next_look = Duration::ZERO;
        }
        self.look_at_files() && self.look_at_folders()
    }

    /// Looks at what is due.
    pub fn look_where_due(&mut self) -> bool {
        let now = self.clock.elapsed();
        (now < self.rounds.files_due || self.look_at_files())
            && (now < self.rounds.folders_due || self.look_at_folders())
    }

    fn tick(&self) -> Duration {
        let polled = self.folders.iter().any(|f| f.polled);
        if polled { self.poll.min(self.heartbeat) } else { self.heartbeat }
    }

    fn look_at_files(&mut self) -> bool {
        let began = self.clock.elapsed();
        let (wall, heartbeat) = (self.clock.now(), self.heartbeat);
        let mut news: Vec<FileId> = Vec::new();
        let mut grown: Vec<FileId> = Vec::new();
        for known in &mut self.known {
            if known.next_look > began {
                continue;
            }
            let stamp = Stamp::look(&known.path, known.companions).unwrap_or_default();
            let base = match self.folders.get(known.folder) {
                Some(folder) if !folder.polled => heartbeat,
                _ => self.poll,
            };
            let age = if stamp == Stamp::default() { 0.0 } else { wall.since(stamp.modified()) };
            known.next_look = began + interval(base, age);
            if stamp.size > BARE_EVENTS && self.bare.contains(&known.id) {
                grown.push(known.id);
            }
            let before = match &known.waiting {
                Some((_, stamp)) => Some(*stamp),
                None => self.pool.looked(known.id),
            };
            if before != Some(stamp) {
                news.push(known.id);
                if stamp != Stamp::default() {
                    self.identities.entry(stamp.identity()).or_insert(known.id);
                }
            }
        }
        let alive =
            grown.into_iter().all(|id| self.no_longer_bare(id)) && news.into_iter().all(|id| self.want(id));
        let now = self.clock.elapsed();
        self.rounds.files_due = now + self.tick().max(now.saturating_sub(began) * COST_SHARE);
        alive
    }

    fn look_at_folders(&mut self) -> bool {
        let began = self.clock.elapsed();
        for root in 0..self.roots.len() {
            let Some(lead) = self.lead_of(root) else { continue };
            // A watched path that was away and is back.
            if self.folders.at(&lead.path).is_none() && lead.path.is_dir() && !self.survey(vec![lead]) {
                return false;
            }
        }
        for at in 0..self.folders.end() {
            if !self.look_at_folder(at, false) {
                return false;
            }
        }
        let now = self.clock.elapsed();
        self.rounds.folders_due = now + self.tick().max(now.saturating_sub(began) * COST_SHARE);
        true
    }

    /// Lists a folder if it changed, or in any case if `must`; false when it is time to stop.
    pub fn look_at_folder(&mut self, at: usize, must: bool) -> bool {
        let Some(folder) = self.folders.get(at) else { return true };
        let Ok(stamp) = folder.path.metadata().map(|m| Stamp::of(&m)) else {
            self.forget_folder(at);
            return true;
        };
        if stamp.identity() != folder.identity {
            return self.renew_folder(at);
        }
        let now = self.clock.elapsed();
        let changed = folder.modified != Some((stamp.modified_s, stamp.modified_ns));
        let rested = now.saturating_sub(folder.listed);
        let affordable = must || rested >= folder.cost * COST_SHARE;
        let again = if folder.notified && !folder.polled { LIST_AGAIN_NOTIFIED } else { LIST_AGAIN };
        if !(must || changed || rested >= again) || !affordable {
            return true;
        }
        let (mut next, mut links) = (VecDeque::new(), VecDeque::new());
        if !self.list_folder(at, &mut next, &mut links) {
            return false;
        }
        self.untold = true;
        next.extend(links);
        self.survey(next.into())
    }

    /// Another folder is at the path now.
    fn renew_folder(&mut self, at: usize) -> bool {
        let Some(folder) = self.folders.get(at) else { return true };
        let lead = super::survey::Lead {
            path: folder.path.clone(),
            relative: folder.relative.clone(),
            root: folder.root,
            above: folder.above,
        };
        self.forget_folder(at);
        self.survey(vec![lead])
    }

    /// A folder is gone. Its files are found to be gone when they are looked at, which is now.
    pub fn forget_folder(&mut self, at: usize) {
        let Some(folder) = self.folders.get(at) else { return };
        let path = folder.path.clone();
        if let Some(watcher) = &mut self.watcher {
            watcher.remove(&path);
        }
        self.folders.remove(at);
        self.untold = true;
        for known in &mut self.known {
            if known.folder == at {
                known.next_look = Duration::ZERO;
            }
        }
        self.rounds.files_due = Duration::ZERO;
    }
}

/// How long after a look the next one is due for a file of that age. What was not written for hours is rarely written
/// in this second.
fn interval(base: Duration, age_s: f64) -> Duration {
    const HOUR: f64 = 3600.0;
    if age_s > 24.0 * HOUR {
        Duration::from_secs(30).max(base * 6)
    } else if age_s > HOUR {
        Duration::from_secs(5).max(base * 3)
    } else {
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WallTime;

    #[test]
    fn old_files_are_looked_at_rarely_and_unknown_ages_often() {
        let poll = Duration::from_millis(500);
        assert_eq!(interval(poll, 10.0), poll);
        assert_eq!(interval(poll, WallTime::UNKNOWN.0), poll);
        assert_eq!(interval(poll, 2.0 * 3600.0), Duration::from_secs(5));
        assert_eq!(interval(poll, 48.0 * 3600.0), Duration::from_secs(30));
        assert_eq!(interval(Duration::from_mins(1), 48.0 * 3600.0), Duration::from_mins(6));
    }
}
