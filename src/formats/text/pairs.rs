//! Finds names with numbers in a line of any shape: `name: value`, `name=value`, and `name value` for known names.

use super::{
    grammar::Line,
    scan::{Progress, Quantity, progress, quantity},
    words::{Counter, Word, look_up},
};
use crate::{
    formats::wire::{axes::looks_like_metric, numbers::integer},
    model::Step,
};

/// What was found in one line besides what is in the [`Line`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Bytes of names, separators and numbers.
    pub covered: usize,
    /// Bytes of the line that are no blanks and no progress bar.
    pub length: usize,
    /// Values whose names are known from training.
    pub known: usize,
    /// The line says where it stands: step, batch or epoch.
    pub placed: bool,
}

/// Reads `line` into `out`.
pub(super) fn pairs<'a>(line: &'a str, out: &mut Line<'a>) -> Found {
    let mut reader =
        Reader { out, found: Found::default(), step_rank: u8::MAX, batch: None, fraction: None, context: "" };
    match progress(line) {
        Some(bar) => reader.bar(bar),
        None => reader.part(line),
    }
    reader.place();
    reader.found
}

struct Reader<'a, 'o> {
    out: &'o mut Line<'a>,
    found: Found,
    step_rank: u8,
    batch: Option<(Step, Option<Step>)>,
    /// `[3/10]` without a name.
    fraction: Option<(Step, Step)>,
    context: &'static str,
}

/// Words before the current one that may belong to its name, and a split that was not used yet.
#[derive(Default)]
struct Before {
    phrase: Option<(usize, usize)>,
    split: Option<(usize, &'static str)>,
    /// Where the words since the last delimiter begin, where the last one ends, and how many they are.
    words: Option<(usize, usize, usize)>,
}

/// Words before the last one of a name, where all since the last delimiter belong to it.
const WORDS_BEFORE: usize = 3;

impl Before {
    /// A number ends everything.
    fn value(&mut self) {
        self.phrase = None;
        self.words = None;
    }

    /// Where a name that ends in the word at `start` begins by the words that are known to qualify it.
    fn qualified(&self, start: usize) -> usize {
        self.phrase.filter(|(_, to)| to + 1 == start).map_or(start, |(from, _)| from)
    }

    /// The same where all words since the last delimiter are its name: `number of skipped iterations`.
    fn worded(&self, text: &str, start: usize) -> Option<usize> {
        let (from, to, count) = self.words?;
        let joined = text.get(to..start)? == " ";
        (joined && (1..=WORDS_BEFORE).contains(&count)).then_some(from)
    }

    /// A word without a number.
    fn pass(&mut self, text: &str, word: (usize, usize), separated: bool, value_at: usize, qualifies: bool) {
        let (start, end) = word;
        let from = self.qualified(start);
        self.phrase = (!separated && qualifies).then_some((from, end));
        self.words = match self.words {
            _ if separated => Some((value_at, value_at, 0)),
            Some((from, _, 0)) if text.get(from..start).is_some_and(|t| t.trim().is_empty()) => {
                Some((start, end, 1))
            }
            Some((from, to, count)) if count > 0 && text.get(to..start) == Some(" ") => {
                Some((from, end, count + 1))
            }
            _ => None,
        };
    }
}

impl<'a> Reader<'a, '_> {
    fn bar(&mut self, bar: Progress<'a>) {
        self.part(bar.title);
        self.part(bar.postfix);
        self.part(bar.rest);
        if let (Some(done), Some(total)) = (integer(bar.done), integer(bar.total)) {
            self.fraction.get_or_insert((done, total));
        }
    }

    fn part(&mut self, text: &'a str) {
        let bytes = text.as_bytes();
        self.found.length += bytes.iter().filter(|b| !b.is_ascii_whitespace()).count();
        self.context = "";
        let mut before = Before { words: Some((0, 0, 0)), ..Before::default() };
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(text, at, &mut before),
                b'0'..=b'9' => {
                    before.value();
                    run_end(bytes, at, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
                }
                b'[' => self.bracket(text, at),
                b'|' | b',' | b';' | b'\t' => {
                    before.words = Some((at + 1, at + 1, 0));
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// A word, with its number if it has one. Returns where to go on.
    fn word(&mut self, text: &'a str, start: usize, before: &mut Before) -> usize {
        let end = word_end(text.as_bytes(), start);
        let word = text.get(start..end).unwrap_or_default();
        let (separated, value_at) = separator(text.as_bytes(), end);
        let meaning = look_up(word);
        if let Some(next) = self.counted(text, meaning, (start, end), value_at, before) {
            return next;
        }
        let quantity = text.get(value_at..).and_then(number_behind);
        let phrase_start = before.qualified(start);
        let name_start =
            if separated { before.worded(text, start).unwrap_or(phrase_start) } else { phrase_start };
        let known = looks_like_metric(text.get(phrase_start..end).unwrap_or_default());
        if let Some(quantity) = quantity {
            let named = separated || known || has_mean(quantity.rest);
            if named && !meaning.idle {
                let tag = text.get(name_start..end).unwrap_or(word);
                return self.value(text, tag, name_start, quantity, known, before);
            }
        }
        if let Some(split) = meaning.split {
            if separated && before.phrase.is_none() {
                self.context = split;
                before.split = None;
            } else if before.split.is_none() {
                before.split = Some((start, split));
            }
        }
        before.pass(text, (start, end), separated, value_at, meaning.qualifies || known);
        end.max(start + 1)
    }

    /// The word as a counter: `epoch 3/10`, `Step [100/600]`, `iter: 5`.
    fn counted(
        &mut self,
        text: &'a str,
        word: Word,
        (start, end): (usize, usize),
        mut at: usize,
        before: &mut Before,
    ) -> Option<usize> {
        let counter = word.counter?;
        let bytes = text.as_bytes();
        while matches!(bytes.get(at), Some(b'[' | b'(' | b'#' | b' ')) {
            at += 1;
        }
        let quantity = quantity(text.get(at..)?)?;
        let factor = match quantity.unit {
            "" => 1.0,
            "k" | "K" => 1e3,
            "M" => 1e6,
            _ => return None,
        };
        let value = quantity.value * factor;
        if integer(value).is_none() && counter != Counter::Epoch || !value.is_finite() {
            return None;
        }
        let (total, rest) = total_behind(quantity.rest);
        let whole = integer(value);
        match counter {
            Counter::Epoch => {
                self.out.epoch = Some(value);
                self.out.epochs_total = total.or(self.out.epochs_total);
                if whole.is_none() {
                    self.out.add(text.get(start..end)?, value);
                }
            }
            Counter::Batch => self.batch = whole.map(|n| (n, total.and_then(integer))),
            Counter::Step(rank) if rank < self.step_rank => {
                self.step_rank = rank;
                self.out.step = whole;
                self.out.steps_total = total.and_then(integer);
            }
            Counter::Step(_) => {}
        }
        self.use_split(before, start);
        before.value();
        let next = text.len() - rest.len();
        self.found.covered += dense(bytes, start, next);
        Some(next)
    }

    /// A split that stands alone before something is what the numbers behind it are of.
    fn use_split(&mut self, before: &mut Before, name_start: usize) {
        if let Some((at, split)) = before.split.take()
            && at < name_start
        {
            self.context = split;
        }
    }

    fn value(
        &mut self,
        text: &'a str,
        tag: &'a str,
        start: usize,
        quantity: Quantity<'a>,
        known: bool,
        before: &mut Before,
    ) -> usize {
        self.use_split(before, start);
        before.value();
        let (value, unit, rest) = percentage(quantity.rest)
            .map_or((quantity.value, quantity.unit, quantity.rest), |(value, rest)| (value, "%", rest));
        let context = self.context;
        let twice = |v: &super::grammar::Value<'_>| v.tag == tag && v.context == context;
        if !self.out.values.iter().any(twice) {
            self.out.add_unit(tag, value, unit);
            if let Some(last) = self.out.values.last_mut() {
                last.context = context.into();
            }
        }
        let next = text.len() - rest.len();
        self.found.known += usize::from(known);
        self.found.covered += dense(text.as_bytes(), start, next);
        next
    }

    /// `[ 10/5005]`, `[640/60000 (1%)]`: a place without a name.
    fn bracket(&mut self, text: &'a str, at: usize) -> usize {
        let inside = text.get(at + 1..).unwrap_or_default().trim_start();
        let place = quantity(inside).filter(|q| q.unit.is_empty()).and_then(|q| {
            let (total, rest) = total_behind(q.rest);
            Some((integer(q.value)?, integer(total?)?, rest))
        });
        let Some((done, total, rest)) = place else { return at + 1 };
        let close = rest.find(']').map_or(rest.len(), |n| n + 1);
        self.fraction.get_or_insert((done, total));
        let next = text.len() - rest.len() + close;
        self.found.covered += dense(text.as_bytes(), at, next);
        next
    }

    /// Decides what a batch or an unnamed fraction is.
    fn place(&mut self) {
        let out = &mut *self.out;
        let epoch = out.epoch.is_some();
        if out.step.is_none() {
            match (self.batch, self.fraction) {
                (Some((batch, total)), _) if epoch => (out.batch, out.batches) = (Some(batch), total),
                (Some((batch, total)), _) => (out.step, out.steps_total) = (Some(batch), total),
                (None, Some((done, total))) if epoch => (out.batch, out.batches) = (Some(done), Some(total)),
                (None, Some((done, total))) => (out.step, out.steps_total) = (Some(done), Some(total)),
                (None, None) => {}
            }
        }
        self.found.placed = out.step.is_some() || out.batch.is_some() || epoch;
    }
}

fn run_end(bytes: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    let length = bytes.get(from..).unwrap_or_default().iter().take_while(|b| of(**b)).count();
    from + length.max(1)
}

/// Where a name ends: letters, digits, `_ / . - @`, but none of `. - /` at its end.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'.' | b'-' | b'@');
    let mut end = run_end(bytes, start, name);
    while end > start + 1 && matches!(bytes.get(end - 1), Some(b'.' | b'-' | b'/')) {
        end -= 1;
    }
    end
}

/// Passes blanks, quotes and one `:` or `=`: whether there was one, and where the value would begin.
fn separator(bytes: &[u8], end: usize) -> (bool, usize) {
    let blanks = |from: usize| {
        let passed = |b: &&u8| matches!(**b, b' ' | b'\t' | b'\'' | b'"' | b'`');
        from + bytes.get(from..).unwrap_or_default().iter().take_while(passed).count()
    };
    let at = blanks(end);
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b':' | b'='), Some(b'=' | b':' | b'/') | None) => (false, at + 1),
        (Some(b':' | b'='), _) => (true, blanks(at + 1)),
        _ => (false, at),
    }
}

/// A number, bare or inside of what Python prints around numbers of arrays.
fn number_behind(text: &str) -> Option<Quantity<'_>> {
    const WRAPS: &[&str] = &["tensor(", "np.float64(", "np.float32(", "array("];
    match text.bytes().next()? {
        b't' | b'n' | b'a' => quantity(WRAPS.iter().find_map(|w| text.strip_prefix(w)).unwrap_or(text)),
        _ => quantity(text),
    }
}

/// `/10`, ` / 10`, ` of 10` behind a number: the total, and what follows it.
fn total_behind(rest: &str) -> (Option<f64>, &str) {
    let trimmed = rest.trim_start();
    let behind = trimmed.strip_prefix('/').or_else(|| trimmed.strip_prefix("of "));
    match behind.and_then(|b| quantity(b.trim_start())) {
        Some(total) if total.unit.is_empty() => (Some(total.value), total.rest),
        _ => (None, rest),
    }
}

/// `/10000 (99%)` behind a number: the percentage is what is meant.
fn percentage(rest: &str) -> Option<(f64, &str)> {
    let total = quantity(rest.strip_prefix('/')?.trim_start())?;
    let inside = total.rest.trim_start().strip_prefix('(')?;
    let share = quantity(inside.trim_start()).filter(|q| q.unit == "%")?;
    Some((share.value, share.rest.strip_prefix(')').unwrap_or(share.rest)))
}

/// A running mean in parentheses: `6.91 (6.95)`.
fn has_mean(rest: &str) -> bool {
    let inside = rest.trim_start().strip_prefix('(');
    inside.and_then(|i| quantity(i.trim_start())).is_some_and(|q| q.rest.trim_start().starts_with(')'))
}

/// Bytes between two places that are no blanks.
fn dense(bytes: &[u8], from: usize, to: usize) -> usize {
    bytes.get(from..to).unwrap_or_default().iter().filter(|b| !b.is_ascii_whitespace()).count()
}
