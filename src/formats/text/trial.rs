//! A pattern tried on a text: which lines it reads, what from them, and what it leaves.

use std::sync::Arc;

use memchr::memchr_iter;

use super::{
    decoder::{Lines, TextDecoder},
    prefix::strip,
};
use crate::{
    formats::{Decoded, Decoder as _, taught::Pattern},
    model::Step,
};

/// Lines that are kept of each kind.
const EXAMPLES: usize = 3;
/// Characters of a line that are kept.
const SHOWN: usize = 200;

/// What a pattern does with a text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trial {
    /// Lines and progress frames that hold anything; of frames that are drawn over each other only the last.
    pub lines: u64,
    /// Those that the pattern reads.
    pub matched: u64,
    /// The first of them.
    pub first: Vec<TrialLine>,
    /// The last of them, if it is not among the first.
    pub last: Option<TrialLine>,
    /// First and last step, if a group gives it.
    pub steps: Option<(Step, Step)>,
    /// Lines whose step lies before that of the line above.
    pub backwards: u64,
    /// Groups whose text was no number: tag, how often, number of the first such line, the text there.
    pub unread: Vec<(Arc<str>, u64, u64, String)>,
    /// Lines with digits in them that the pattern does not read: how many, and the first with their numbers.
    pub left: u64,
    /// The first of those.
    pub left_first: Vec<(u64, String)>,
}

/// A line that a pattern reads.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TrialLine {
    /// Its number in the text, from 1.
    pub number: u64,
    /// The trainer's counter, or the epoch, where a group gives one.
    pub place: Option<String>,
    /// Split, if a group gives it.
    pub split: String,
    /// Tags with their numbers.
    pub values: Vec<(Arc<str>, f64)>,
}

/// Tries a pattern on the content of a text log, whose lines are cut and cleaned as they are when it is read.
pub fn try_pattern(pattern: &Arc<Pattern>, content: &[u8]) -> Trial {
    let mut decoder = TextDecoder::reading(Trying {
        pattern: Arc::clone(pattern),
        number: 0,
        last_step: None,
        trial: Trial::default(),
    });
    let mut out = Decoded::new();
    let mut from = 0;
    for end in memchr_iter(b'\n', content).chain([content.len()]) {
        decoder.reader().number += 1;
        decoder.decode_rest(content.get(from..end).unwrap_or_default(), &mut out);
        from = end + 1;
    }
    std::mem::take(&mut decoder.reader().trial)
}

struct Trying {
    pattern: Arc<Pattern>,
    number: u64,
    last_step: Option<Step>,
    trial: Trial,
}

impl Lines for Trying {
    fn begin_turn(&mut self, _out: &mut Decoded) {}

    fn line(&mut self, text: &str, _hot: bool, _out: &mut Decoded) {
        let text = text.trim_end();
        let number = self.number;
        let trial = &mut self.trial;
        trial.lines += 1;
        let Some(read) = self.pattern.read(text) else {
            // the digits of a time stamp are nothing that is missed
            if strip(text).rest.bytes().any(|b| b.is_ascii_digit()) {
                trial.left += 1;
                if trial.left_first.len() < EXAMPLES {
                    trial.left_first.push((number, text.chars().take(SHOWN).collect()));
                }
            }
            return;
        };
        trial.matched += 1;
        for (tag, text) in read.unread {
            match trial.unread.iter_mut().find(|(known, ..)| *known == tag) {
                Some((_, count, ..)) => *count += 1,
                None => trial.unread.push((tag, 1, number, text.chars().take(SHOWN).collect())),
            }
        }
        if let Some(step) = read.step {
            trial.steps = Some((trial.steps.map_or(step, |(first, _)| first), step));
            trial.backwards += u64::from(self.last_step.is_some_and(|last| step < last));
            self.last_step = Some(step);
        }
        let place = match (read.step, read.epoch) {
            (Some(step), _) => Some(format!("step {step}")),
            (None, Some(epoch)) => Some(format!("epoch {epoch}")),
            (None, None) => None,
        };
        let line = TrialLine { number, place, split: read.split.to_owned(), values: read.values };
        if trial.first.len() < EXAMPLES {
            trial.first.push(line);
        } else {
            trial.last = Some(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::PatternSource;

    fn tried(regex: &str, text: &str) -> Trial {
        let source =
            PatternSource { name: "x".to_owned(), regex: regex.to_owned(), ..PatternSource::default() };
        try_pattern(&Arc::new(Pattern::new(&source).unwrap()), text.as_bytes())
    }

    #[test]
    fn a_trial_says_what_is_read_and_what_is_left() {
        let trial = tried(
            r"it (?P<step>\d+) cost (?P<cost>\S+)",
            "start of 3 things\n\u{1b}[1mit 1 cost 2.5\u{1b}[0m\nit 2 cost high\n2026-11-23 18:30:12 done\nit 4 cost 2\n\nit 3 cost 1.5\r\nit 5 cost 1",
        );
        assert_eq!((trial.lines, trial.matched, trial.backwards), (7, 5, 1));
        assert_eq!(trial.steps, Some((1, 5)));
        assert_eq!(trial.first[0].number, 2, "{trial:?}");
        assert_eq!(trial.first[0].values, [(Arc::from("cost"), 2.5)]);
        assert_eq!(trial.last.as_ref().map(|l| l.number), Some(8));
        assert_eq!(trial.unread, [(Arc::from("cost"), 1, 3, "high".to_owned())]);
        assert_eq!((trial.left, &*trial.left_first), (1, &[(1, "start of 3 things".to_owned())][..]));
    }

    #[test]
    fn of_a_bar_that_is_drawn_over_only_the_last_frame_is_tried() {
        let bar = "\r 10%|#   | 1/10 loss=3\r 20%|#   | 2/10 loss=2\r100%|####| 10/10 loss=1\n";
        let trial = tried(r"(?P<step>\d+)/(?P<steps_total>\d+) loss=(?P<loss>\S+)", bar);
        assert_eq!((trial.lines, trial.steps), (1, Some((10, 10))));
    }
}
