//! What launchers and logging libraries set before a line: time stamps, levels, logger names, ranks.

use super::stamp::{level, stamp};

/// Prefixes that are cut off one after another.
const MOST: usize = 10;
/// Longest bracket that is a prefix.
const BRACKET: usize = 120;
/// Longest name of a logger.
const NAME: usize = 80;

/// Words in brackets that say something of the numbers behind them.
const KEPT: &[&str] = &[
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "eval",
    "test",
    "dev",
    "metric",
    "batch",
    "epoch",
    "step",
    "iter",
    "hyperparameter",
    "trace",
];

/// A line without its prefixes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Stripped<'a> {
    /// What was cut off.
    pub prefix: &'a str,
    /// The rest, without blanks at its ends.
    pub rest: &'a str,
    /// Seconds since 1970 where a prefix has date and time.
    pub wall: Option<f64>,
    /// The process that printed the line.
    pub rank: Option<u32>,
    /// The rank is a bare number before a colon, as `srun --label` sets it; it may as well be a step.
    pub bare: bool,
}

/// Cuts all prefixes off.
pub(super) fn strip(line: &str) -> Stripped<'_> {
    let line = line.trim();
    let mut found = Stripped { rest: line, ..Stripped::default() };
    let mut logged = false;
    for _ in 0..MOST {
        let Some(rest) = found.one(&mut logged) else { break };
        found.rest = rest.trim_start();
    }
    found.prefix = line.get(..line.len() - found.rest.len()).unwrap_or_default();
    found
}

impl<'a> Stripped<'a> {
    /// What is behind the first prefix of the rest. `logged`: a time stamp or a level was seen, so that names of loggers
    /// may follow.
    fn one(&mut self, logged: &mut bool) -> Option<&'a str> {
        let rest = self.rest;
        match rest.bytes().next()? {
            b'[' => self.bracket(logged),
            b'(' => self.parenthesis(),
            b'0'..=b'9' => self.number(logged),
            b'-' | b'|' | b'>' | b':' if *logged || self.rank.is_some() => separator(rest),
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.word(logged),
            _ => None,
        }
    }

    fn bracket(&mut self, logged: &mut bool) -> Option<&'a str> {
        let end = self.rest.as_bytes().iter().take(BRACKET).position(|b| *b == b']')?;
        let inside = self.rest.get(1..end)?.trim();
        let after = self.rest.get(end + 1..)?;
        if let Some((_, wall)) = stamp(inside) {
            self.wall = self.wall.or(wall);
            *logged = true;
        } else if let Some(rank) = ranked(inside) {
            self.rank = Some(rank);
            return Some(after.strip_prefix(':').unwrap_or(after));
        } else if level(inside).is_some() || is_place(inside) {
            *logged = true;
        } else if matches!(inside, "stdout" | "stderr") {
            return Some(after.strip_prefix(':').unwrap_or(after));
        } else if !(*logged && is_name(inside) && !KEPT.iter().any(|k| k.eq_ignore_ascii_case(inside))) {
            return None;
        }
        Some(after)
    }

    /// `(pid=123)`, `(RayTrainWorker pid=123, ip=10.0.0.1)`.
    fn parenthesis(&mut self) -> Option<&'a str> {
        let end = self.rest.as_bytes().iter().take(BRACKET).position(|b| *b == b')')?;
        let inside = self.rest.get(1..end)?;
        let (_, pid) = inside.split_once("pid=")?;
        let digits = pid.bytes().take_while(u8::is_ascii_digit).count();
        self.rank = Some(pid.get(..digits)?.parse().ok()?);
        self.rest.get(end + 1..)
    }

    fn number(&mut self, logged: &mut bool) -> Option<&'a str> {
        let rest = self.rest;
        if let Some((length, wall)) = stamp(rest) {
            let after = rest.get(length..)?;
            if after.starts_with(|c: char| c.is_alphanumeric()) {
                return None;
            }
            self.wall = self.wall.or(wall);
            *logged = true;
            return Some(after);
        }
        // `srun --label`
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = rest.get(digits..)?.strip_prefix(": ")?;
        if digits > 5 || *logged || self.rank.is_some() || after.trim().is_empty() {
            return None;
        }
        self.rank = Some(rest.get(..digits)?.parse().ok()?);
        self.bare = true;
        Some(after)
    }

    fn word(&mut self, logged: &mut bool) -> Option<&'a str> {
        let rest = self.rest;
        if let Some(length) = level(rest) {
            let after = rest.get(length..)?;
            if let Some(name) = after.strip_prefix(':') {
                *logged = true;
                // `INFO:__main__:message`
                let length = name.bytes().take_while(|b| is_name_byte(*b)).count();
                let message = name.get(length..)?.strip_prefix(':');
                return Some(message.filter(|_| length > 0).unwrap_or(name));
            }
            let parted = [" - ", " | ", " : ", "  ", " ["].iter().any(|s| after.starts_with(s));
            if *logged || parted {
                *logged = true;
                return Some(after);
            }
            return None;
        }
        if let Some(after) = absl(rest) {
            *logged = true;
            return Some(after);
        }
        if *logged { logger(rest) } else { None }
    }
}

/// `rank0`, `Rank 3`, `default1`.
fn ranked(inside: &str) -> Option<u32> {
    let digits = inside.len() - inside.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (word, number) = inside.split_at_checked(inside.len() - digits)?;
    let word = word.trim_end_matches([' ', '_', ':', '=']);
    if !["rank", "default", "worker", "proc"].iter().any(|w| w.eq_ignore_ascii_case(word)) {
        return None;
    }
    number.parse().ok()
}

/// A place in a source file: `logging.py:60:log_dist`.
fn is_place(inside: &str) -> bool {
    [".py:", ".cc:", ".cpp:"].iter().any(|end| inside.contains(end))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'<' | b'>')
}

/// A word as loggers are called.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME
        && text.bytes().all(|b| is_name_byte(b) || b == b'-' || b == b':')
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn separator(rest: &str) -> Option<&str> {
    let length = rest.bytes().take_while(|b| matches!(b, b'-' | b'|' | b'>' | b':')).count();
    let after = rest.get(length..)?;
    (length <= 3 && (after.is_empty() || after.starts_with([' ', '\t']))).then_some(after)
}

/// `I1123 18:32:56.189457 140301243235200 logging_writer.py:80] message`.
fn absl(rest: &str) -> Option<&str> {
    let bytes = rest.as_bytes();
    let digits = bytes.get(1..5)?.iter().all(u8::is_ascii_digit);
    if !matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F')) || !digits || bytes.get(5) != Some(&b' ') {
        return None;
    }
    let end = bytes.iter().take(BRACKET).position(|b| *b == b']')?;
    is_place(rest.get(..end)?).then(|| rest.get(end + 1..)).flatten()
}

/// The name of a logger behind a time stamp or level: before a level, or with a dot, an underscore or a place in it
/// before ` - `.
fn logger(rest: &str) -> Option<&str> {
    let length = rest.bytes().take_while(|b| is_name_byte(*b) || matches!(b, b':' | b'-')).count();
    let (name, after) = rest.split_at_checked(length)?;
    let name = name.trim_end_matches(':');
    if !is_name(name) {
        return None;
    }
    let behind = after.trim_start();
    let marked = separator(behind).map_or(behind, str::trim_start);
    if level(marked).is_some() && after.starts_with([' ', '\t', '|', '-', ':']) {
        return Some(behind);
    }
    let telling = name.contains(['.', '_', ':']) && name.bytes().any(|b| b.is_ascii_alphabetic());
    (telling && (behind.starts_with("- ") || behind.starts_with("| "))).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefixes_of_real_logs_are_cut_off() {
        for (line, rest, rank) in [
            ("[2026-11-23 18:30:12,211][__main__][INFO] - epoch 0 loss 2.2964", "epoch 0 loss 2.2964", None),
            (
                "I1123 18:32:57.901164 140301243235200 logging_writer.py:48] [5] lr=0.003",
                "[5] lr=0.003",
                None,
            ),
            ("[11/18 14:20:09] d2.utils.events INFO:  eta: 0:01  iter: 19", "eta: 0:01  iter: 19", None),
            ("[11/18 14:20:09 d2.utils.events]: eta: 0:01  iter: 19", "eta: 0:01  iter: 19", None),
            (
                "2026/11/23 18:19:05 - mmengine - INFO - Epoch(train) [1][5/22]",
                "Epoch(train) [1][5/22]",
                None,
            ),
            ("11/23 18:18:59 - mmengine - INFO - Epoch", "Epoch", None),
            (
                "[2021-05-25 06:53:45,862] [INFO] [logging.py:60:log_dist] [Rank 0] step=10, x=1",
                "step=10, x=1",
                Some(0),
            ),
            ("[INFO|trainer.py:907] 2021-05-25 06:53:45,862 >> ***** train", "***** train", None),
            ("INFO:__main__:loss 1", "loss 1", None),
            ("INFO: loss 1", "loss 1", None),
            ("05/25/2021 06:53:45 - INFO - __main__ -   loss = 1", "loss = 1", None),
            ("2026-11-23 18:07:52.089 | INFO     | module.sub:func:101 - step 1", "step 1", None),
            ("[rank3]: loss 1", "loss 1", Some(3)),
            (
                "[default0]:[2026-11-23 18:30:12] iteration 1/ 10 | loss: 1 |",
                "iteration 1/ 10 | loss: 1 |",
                Some(0),
            ),
            ("12: step 5", "step 5", Some(12)),
            ("(RayTrainWorker pid=77, ip=10.0.0.1) [rank1]: a", "a", Some(1)),
            ("(pid=77) a", "a", Some(77)),
            ("18:30:12 step 1", "step 1", None),
            ("[stdout]: text", "text", None),
        ] {
            let found = strip(line);
            assert_eq!((found.rest, found.rank), (rest, rank), "{line}");
        }
    }

    #[test]
    fn what_belongs_to_the_numbers_stays() {
        for line in [
            "[84] train_loss=0.63",
            "[0]\ttrain-mlogloss:1.22",
            "0:\tlearn: 1.89",
            "[metric][batch=5]: loss/train/total: 2.31",
            "[LightGBM] [Info] Total",
            "INFO is a word",
            "iteration 1/ 10 | lm loss: 1",
            "1/3 0G 2.446",
            "Epoch 1: loss",
            "- a list",
        ] {
            assert_eq!(strip(line).rest, line);
        }
        assert_eq!(strip("[2026-11-23 18:30:12] [train] loss 1").rest, "[train] loss 1");
    }

    #[test]
    fn a_full_date_gives_the_time() {
        assert_eq!(strip("[2025-06-15 15:06:40,500][x][INFO] - a").wall, Some(1_750_000_000.5));
        assert_eq!(strip("2025-06-15T15:06:40Z a").wall, Some(1_750_000_000.0));
        assert_eq!(strip("2025-06-15T17:06:40+02:00 a").wall, Some(1_750_000_000.0));
        assert_eq!(strip("06/15/2025 15:06:40 - INFO - a").wall, Some(1_750_000_000.0));
        assert_eq!(strip("[11/18 14:20:09] a").wall, None);
    }
}
