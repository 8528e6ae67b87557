//! What the user said of alerts, over all starts of the monitor: a file in the user's state folder.
//!
//! A line is a hash, a time and what was said; nothing of the logs can be read from it. A line that is no such line is
//! passed over, the oldest are dropped beyond a number, and where the file cannot be written the monitor goes on
//! without it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::xdg;
use crate::{
    detect::{Attitude, AttitudeKey, Attitudes, Severity},
    model::WallTime,
};

/// Things that are kept, the newest; one takes at most 60 bytes in the file.
const KEPT: usize = 20_000;
/// A file that is larger is not ours.
const LIMIT: u64 = 4 << 20;

const HEAD: &str = "# epochscope: what was said of alerts; a hash, when, and what";

/// The file.
#[derive(Debug)]
pub struct Said {
    /// `None`: nothing outlives the process.
    file: Option<PathBuf>,
    /// Why, until it was said.
    trouble: Option<String>,
}

impl Said {
    /// Nothing is kept.
    pub fn forgotten() -> Self {
        Self { file: None, trouble: None }
    }

    /// The file in `folder`, and what is known from earlier of the alerts below `watched`, which is canonical. Nothing is
    /// kept where there is no folder, or where it lies among the logs.
    pub fn open(folder: Option<PathBuf>, watched: &[PathBuf], now: WallTime) -> (Self, Attitudes) {
        let mut said = Self::forgotten();
        let mut known = BTreeMap::new();
        match folder {
            None => said.trouble = Some("neither HOME nor XDG_STATE_HOME is set".to_owned()),
            Some(folder) if xdg::is_below(&folder, watched) => {
                said.trouble = Some(format!("{} is below a watched folder", folder.display()));
            }
            Some(folder) => {
                let file = folder.join("said");
                match xdg::text_of(&file, LIMIT) {
                    Ok(text) => known = entries(&text).collect(),
                    Err(error) => said.trouble = Some(format!("cannot read {}: {error}", file.display())),
                }
                said.file = Some(file);
            }
        }
        let over =
            |said: &Attitude| matches!(said, Attitude::Later { until, .. } if now.since(*until) >= 0.0);
        let known = known.into_iter().map(|(key, (_, said))| (key, said)).filter(|(_, said)| !over(said));
        (said, Attitudes::new(place(watched), known))
    }

    /// Why what is said will be forgotten at the end; once.
    pub fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Writes down what is new, `None` for what is taken back, beside what other processes wrote meanwhile.
    pub fn keep(&mut self, changes: &[(AttitudeKey, Option<Attitude>)], now: WallTime) {
        let Some(file) = self.file.clone().filter(|_| !changes.is_empty()) else { return };
        if let Err(error) = write(&file, changes, now) {
            self.file = None;
            self.trouble = Some(format!("this will be forgotten: cannot write {}: {error}", file.display()));
        }
    }
}

fn write(file: &Path, changes: &[(AttitudeKey, Option<Attitude>)], now: WallTime) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let lock = File::options().create(true).append(true).open(folder.join("said.lock"))?;
    xdg::take_turn(&lock);
    let mut known: BTreeMap<AttitudeKey, (f64, Attitude)> = entries(&xdg::text_of(file, LIMIT)?).collect();
    for (key, said) in changes {
        match said {
            Some(said) => known.insert(*key, (now.known().unwrap_or_default(), *said)),
            None => known.remove(key),
        };
    }
    known.retain(|_, (_, said)| !matches!(said, Attitude::Later { until, .. } if now.since(*until) >= 0.0));
    let mut lines: Vec<(AttitudeKey, (f64, Attitude))> = known.into_iter().collect();
    lines.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
    let mut text = format!("{HEAD}\n");
    for (key, (time, said)) in lines.iter().skip(lines.len().saturating_sub(KEPT)) {
        text.push_str(&format!("{key:016x} {time:.0} {}\n", words(*said)));
    }
    xdg::write_atomically(file, text.as_bytes())
}

fn words(said: Attitude) -> String {
    match said {
        Attitude::Muted => "muted".to_owned(),
        Attitude::Seen(severity) => format!("seen {}", severity.name()),
        Attitude::Later { until, severity } => format!("later {} {:.0}", severity.name(), until.0),
    }
}

fn entries(text: &str) -> impl Iterator<Item = (AttitudeKey, (f64, Attitude))> + '_ {
    text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let key = words.next().filter(|key| key.len() == 16)?;
        let key = AttitudeKey::from_str_radix(key, 16).ok()?;
        let number = |word: Option<&str>| word?.parse::<f64>().ok().filter(|n| n.is_finite());
        let time = number(words.next())?;
        let kind = words.next()?;
        let severity = words.next().and_then(|word| Severity::ALL.into_iter().find(|s| s.name() == word));
        let said = match kind {
            "muted" => Attitude::Muted,
            "seen" => Attitude::Seen(severity?),
            "later" => Attitude::Later { severity: severity?, until: WallTime(number(words.next())?) },
            _ => return None,
        };
        Some((key, (time, said)))
    })
}

/// FNV-1a over the watched paths: the same in every version of the program.
fn place(watched: &[PathBuf]) -> u64 {
    let bytes = watched.iter().flat_map(|path| path.as_os_str().as_encoded_bytes().iter().chain(&[0]));
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::{AlertBook, Draft, Evidence},
        model::{RunId, SeriesKey},
    };

    const NOW: WallTime = WallTime(1.75e9);

    fn book(attitudes: Attitudes) -> AlertBook {
        let mut book = AlertBook::new();
        book.set_attitudes(attitudes);
        for (run, rule) in [("a", "nan"), ("a", "plateau"), ("b", "plateau")] {
            book.raise(Draft {
                run: RunId::from(run),
                rule,
                severity: Severity::Warn,
                series: Some(SeriesKey::plain("loss")),
                layer: None,
                kind: None,
                step: Some(7),
                since_step: Some(5),
                time: NOW,
                message: String::new(),
                advice: String::new(),
                evidence: Evidence::new(),
            });
        }
        book
    }

    fn open(folder: &Path, watched: &str, now: WallTime) -> (Said, AlertBook) {
        let (said, attitudes) = Said::open(Some(folder.to_path_buf()), &[PathBuf::from(watched)], now);
        (said, book(attitudes))
    }

    fn quiet(book: &AlertBook) -> Vec<(bool, bool, bool)> {
        (1..=3)
            .filter_map(|id| book.get(id))
            .map(|a| (a.acknowledged, a.snoozed_until.is_some(), a.muted))
            .collect()
    }

    #[test]
    fn what_was_said_is_known_at_the_next_start_of_the_same_place() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("not/yet");
        let (mut said, mut book) = open(&folder, "/logs", NOW);
        book.acknowledge(1);
        book.snooze(1, NOW);
        book.mute(2);
        said.keep(&book.attitudes_mut().take_changes(), NOW);
        assert!(said.trouble().is_none());
        let all = [(true, true, false), (false, false, true), (false, false, false)];
        let (mut other, mut again) = open(&folder, "/logs", NOW);
        assert_eq!(quiet(&again), all);
        assert_eq!(quiet(&open(&folder, "/elsewhere", NOW).1), [(false, false, false); 3]);
        let later = WallTime(NOW.0 + 3_601.0);
        assert!(!quiet(&open(&folder, "/logs", later).1)[0].1, "the hour is over");
        again.mute(2);
        again.mute_everywhere(3);
        other.keep(&again.attitudes_mut().take_changes(), NOW);
        assert_eq!(
            quiet(&open(&folder, "/logs", NOW).1),
            [(true, true, false), (false, false, true), (false, false, true)]
        );
    }

    #[test]
    fn what_gets_worse_comes_back() {
        let mut book = book(Attitudes::default());
        book.acknowledge(1);
        let until = book.snooze(1, NOW).unwrap();
        assert!((until.0 - NOW.0 - 3_600.0).abs() < 1e-6);
        assert_eq!(book.counts().warn, 1, "the plateau of a is explained by its NaN");
        book.escalate(1, Severity::Critical, (String::new(), String::new()), Evidence::new());
        assert_eq!(quiet(&book)[0], (false, false, false));
        let waits: Vec<f64> =
            (0..4).map(|_| book.snooze(1, NOW).map_or(0.0, |until| until.0 - NOW.0)).collect();
        assert_eq!(waits, [3_600.0, 14_400.0, 86_400.0, 0.0]);
        book.snooze(1, NOW);
        book.wake(WallTime(NOW.0 + 3_599.0));
        assert!(quiet(&book)[0].1);
        book.wake(WallTime(NOW.0 + 3_600.0));
        assert!(!quiet(&book)[0].1);
    }

    #[test]
    fn damage_costs_the_damaged_lines_and_nothing_is_written_among_logs() {
        let dir = tempfile::tempdir().unwrap();
        let (mut said, mut book) = open(dir.path(), "/logs", NOW);
        book.acknowledge(1);
        book.mute(2);
        said.keep(&book.attitudes_mut().take_changes(), NOW);
        let file = dir.path().join("said");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            format!("{text}zz\n0000000000000001 x muted\n0000000000000001 1 later warn NaN\n\u{0}"),
        )
        .unwrap();
        assert_eq!(quiet(&open(dir.path(), "/logs", NOW).1)[0], (true, false, false));
        let roots = xdg::canonical(&[dir.path().to_path_buf()]);
        let (mut inside, _) = Said::open(Some(dir.path().join("state")), &roots, NOW);
        assert!(inside.trouble().unwrap().contains("watched"));
        inside.keep(&[(1, Some(Attitude::Muted))], NOW);
        assert!(!dir.path().join("state").exists());
        let mut nowhere = Said::open(Some(PathBuf::from("/proc/nowhere")), &[], NOW).0;
        nowhere.keep(&[(1, Some(Attitude::Muted))], NOW);
        assert!(nowhere.trouble().unwrap().contains("cannot write"));
    }
}
