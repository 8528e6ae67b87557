//! What was told, over all starts of the program: a file in the user's state folder.
//!
//! A line is a hash and a time; nothing of the logs can be read from it. A line that is no such line is passed over,
//! entries that are old are dropped, and where the file cannot be written the memory goes on without it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustc_hash::FxHashMap;

use super::notice::Notice;
use crate::{app::xdg, model::WallTime};

/// A hash of what was told on which channel.
pub type Key = u64;

/// Entries are kept for so long: a run that is older is told of by nobody.
const KEPT_S: f64 = 90.0 * 86_400.0;
/// Entries that are kept, the newest; one takes 28 bytes in the file.
const KEPT: usize = 50_000;
/// A file that is larger is not ours.
const LIMIT: u64 = 8 << 20;

const HEAD: &str = "# epochscope: alerts that were told; one hash and the time of each";

/// What was told.
#[derive(Debug)]
pub struct Ledger {
    /// `None`: only in memory.
    file: Option<PathBuf>,
    told: FxHashMap<Key, f64>,
    /// Why the file cannot be used, until it was said.
    trouble: Option<String>,
}

impl Ledger {
    /// The ledger in `folder`, and what is known from earlier. In memory only where there is no folder, or where it
    /// lies among the logs.
    pub fn open(folder: Option<PathBuf>, roots: &[PathBuf], now: WallTime) -> Self {
        let mut ledger = Self { file: None, told: FxHashMap::default(), trouble: None };
        match folder {
            None => ledger.trouble = Some("neither HOME nor XDG_STATE_HOME is set".to_owned()),
            Some(folder) if xdg::is_below(&folder, roots) => {
                ledger.trouble = Some(format!("{} is below a watched folder", folder.display()));
            }
            Some(folder) => {
                ledger.file = Some(folder.join("told"));
                ledger.exchange(&[], now);
            }
        }
        ledger
    }

    /// Why what is told will be forgotten at the end; once.
    pub fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Whether it was told.
    pub fn has(&self, key: Key) -> bool {
        self.told.contains_key(&key)
    }

    /// Notes that these are being told; returns those that nobody had told before, other processes included.
    pub fn claim(&mut self, keys: &[Key], now: WallTime) -> Vec<Key> {
        if keys.is_empty() {
            return Vec::new();
        }
        self.exchange(keys, now)
    }

    /// Learns what other processes told.
    pub fn refresh(&mut self, now: WallTime) {
        self.exchange(&[], now);
    }

    /// Takes in what the file says and adds `keys` to both, under a lock.
    fn exchange(&mut self, keys: &[Key], now: WallTime) -> Vec<Key> {
        let mut new = Vec::new();
        let result = match self.file.clone() {
            None => Ok(()),
            Some(file) => self.in_file(&file, keys, now, &mut new),
        };
        if let Err(error) = result {
            let file = self.file.take().unwrap_or_default();
            self.trouble = Some(format!("cannot write {}: {error}", file.display()));
        }
        if self.file.is_none() {
            new.extend(self.add(keys, now));
        }
        new
    }

    fn add(&mut self, keys: &[Key], now: WallTime) -> Vec<Key> {
        let time = now.known().unwrap_or_default();
        keys.iter().copied().filter(|key| self.told.insert(*key, time).is_none()).collect()
    }

    fn in_file(&mut self, file: &Path, keys: &[Key], now: WallTime, new: &mut Vec<Key>) -> io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        let lock = File::options().create(true).append(true).open(folder.join("told.lock"))?;
        xdg::take_turn(&lock);
        for (key, time) in entries(&xdg::text_of(file, LIMIT)?) {
            self.told.entry(key).or_insert(time);
        }
        let added = self.add(keys, now);
        if !added.is_empty() {
            self.prune(now);
            if let Err(error) = xdg::write_atomically(file, self.text().as_bytes()) {
                new.extend(added);
                // Told all the same: what is in memory was added.
                self.file = None;
                self.trouble = Some(format!("cannot write {}: {error}", file.display()));
                return Ok(());
            }
        }
        new.extend(added);
        Ok(())
    }

    fn prune(&mut self, now: WallTime) {
        if let Some(now) = now.known() {
            self.told.retain(|_, time| (now - *time).abs() < KEPT_S);
        }
        if self.told.len() > KEPT {
            let mut times: Vec<f64> = self.told.values().copied().collect();
            times.sort_unstable_by(f64::total_cmp);
            let oldest = times.get(times.len() - KEPT).copied().unwrap_or(0.0);
            self.told.retain(|_, time| *time >= oldest);
        }
    }

    fn text(&self) -> String {
        let mut entries: Vec<(Key, f64)> = self.told.iter().map(|(key, time)| (*key, *time)).collect();
        entries.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let mut text = format!("{HEAD}\n");
        for (key, time) in entries {
            text.push_str(&format!("{key:016x} {time:.0}\n"));
        }
        text
    }
}

fn entries(text: &str) -> impl Iterator<Item = (Key, f64)> + '_ {
    text.lines().filter_map(|line| {
        let (key, time) = line.split_once(' ')?;
        let time: f64 = time.parse().ok().filter(|time: &f64| time.is_finite())?;
        (key.len() == 16).then(|| Key::from_str_radix(key, 16).ok())?.map(|key| (key, time))
    })
}

/// What an alert is, wherever and whenever it is met again: the watched paths, the run, the rule, the series or layer,
/// where it opened, how bad, and the channel.
pub fn key(watched: &[PathBuf], notice: &Notice, channel: &str) -> Key {
    // FNV-1a: the same in every version of the program.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for path in watched {
        feed(path.as_os_str().as_encoded_bytes());
    }
    let alert = &notice.alert;
    let step = alert.step.or(alert.since_step).map_or_else(String::new, |step| step.to_string());
    for part in
        [notice.run.as_str(), alert.rule, alert.place(), step.as_str(), notice.severity.name(), channel]
    {
        feed(part.as_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FlockOperation, flock};

    use super::{super::notice::tests::notice, *};
    use crate::detect::Severity;

    const NOW: WallTime = WallTime(1.75e9);

    fn open(folder: &Path) -> Ledger {
        Ledger::open(Some(folder.to_path_buf()), &[], NOW)
    }

    #[test]
    fn what_was_told_is_known_at_the_next_start_and_to_others_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("not/yet");
        let (mut one, mut other) = (open(&folder), open(&folder));
        assert_eq!(one.claim(&[1, 2], NOW), [1, 2]);
        assert_eq!(other.claim(&[2, 3], NOW), [3]);
        assert_eq!(open(&folder).claim(&[1, 2, 3, 4], NOW), [4]);
        assert!(one.trouble().is_none());
    }

    #[test]
    fn a_process_that_stands_still_with_its_lock_stops_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let held = File::options().create(true).append(true).open(dir.path().join("told.lock")).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let mut ledger = open(dir.path());
        assert_eq!(ledger.claim(&[1], NOW), [1]);
        assert!(open(dir.path()).has(1) && ledger.trouble().is_none());
    }

    #[test]
    fn a_damaged_file_costs_its_damaged_lines() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).claim(&[1, 2], NOW);
        let file = dir.path().join("told");
        let text = fs::read_to_string(&file).unwrap();
        let torn = format!("{}\u{0}\nzz 1\n0000000000000009 NaN\n", &text[..text.len() - 20]);
        fs::write(&file, [torn.as_bytes(), &[0xff, 0xfe]].concat()).unwrap();
        let mut ledger = open(dir.path());
        assert!(ledger.has(1) && !ledger.has(9));
        assert_eq!(ledger.claim(&[9], NOW), [9]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said_once_and_memory_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for folder in [file.join("state"), PathBuf::from("/proc/nowhere")] {
            let mut ledger = open(&folder);
            assert_eq!(ledger.claim(&[1], NOW), [1]);
            assert_eq!(ledger.claim(&[1, 2], NOW), [2]);
            assert!(ledger.trouble().unwrap().contains("cannot write"));
            assert!(ledger.trouble().is_none());
        }
        // The folder takes the lock but not the file, as a full disk does.
        fs::create_dir_all(dir.path().join("full/told")).unwrap();
        let mut ledger = open(&dir.path().join("full"));
        assert_eq!((ledger.claim(&[1], NOW), ledger.claim(&[1], NOW)), (vec![1], vec![]));
        assert!(ledger.trouble().is_some());
        let roots = xdg::canonical(&[dir.path().to_path_buf()]);
        let mut inside = Ledger::open(Some(dir.path().join("state")), &roots, NOW);
        assert!(inside.trouble().unwrap().contains("watched"));
        assert!(!dir.path().join("state").exists(), "nothing is written among the logs");
    }

    #[test]
    fn old_entries_expire_and_the_file_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = open(dir.path());
        ledger.claim(&[7], WallTime(NOW.0 - KEPT_S - 1.0));
        let many: Vec<Key> = (1000..1000 + KEPT as u64 + 500).collect();
        ledger.claim(&many[..600], WallTime(NOW.0 - 5.0));
        ledger.claim(&many[600..], NOW);
        assert!(!open(dir.path()).has(7));
        assert!(fs::metadata(dir.path().join("told")).unwrap().len() < 28 * KEPT as u64 + 30_000);
    }

    #[test]
    fn an_alert_is_known_again_and_an_escalation_is_another_one() {
        let paths = [PathBuf::from("/logs")];
        let alert = notice("a", "divergence", Severity::Warn);
        let known = key(&paths, &alert, "webhook");
        let closed = Notice { standing: true, ..alert.clone() };
        assert_eq!(key(&paths, &closed, "webhook"), known);
        let worse = notice("a", "divergence", Severity::Critical);
        let elsewhere = notice("b", "divergence", Severity::Warn);
        for other in
            [key(&paths, &worse, "webhook"), key(&paths, &elsewhere, "webhook"), key(&paths, &alert, "bell")]
        {
            assert_ne!(other, known);
        }
    }
}
