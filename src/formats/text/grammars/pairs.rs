//! Names with numbers, in the ways in which several frameworks print them.

use super::scan::quantity;
use crate::{
    formats::{text::scan::value_of, wire::numbers},
    model::Step,
};

/// A name with its number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pair<'a> {
    /// As it is printed.
    pub name: &'a str,
    /// As it is printed.
    pub value: f64,
    /// Behind the number, or empty.
    pub unit: &'static str,
    /// What stands between the number and the next name, as in `2.46 (4.16)`.
    pub behind: &'a str,
}

/// Pairs of `name: value` with anything between them: two blanks, a tab, a comma, one blank.
///
/// A name may have blanks in it (`max mem`); numbers in a row and times (`1 day, 2:03:04`) are no values.
pub(super) fn colon_pairs(text: &str) -> ColonPairs<'_> {
    ColonPairs { rest: text }
}

/// Walks over the pairs of a line.
#[derive(Debug)]
pub(super) struct ColonPairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for ColonPairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        loop {
            let colon = colon(self.rest)?;
            let name = last_name(self.rest.get(..colon)?);
            let text = self.rest.get(colon + 1..)?.trim_start();
            let Some(found) = quantity(text) else {
                self.rest = text;
                continue;
            };
            self.rest = found.rest;
            let end = self::colon(found.rest).unwrap_or(found.rest.len());
            let behind = found.rest.get(..end).unwrap_or_default().trim();
            if !name.is_empty() && is_alone(behind) {
                return Some(Pair { name, value: found.value, unit: found.unit, behind });
            }
        }
    }
}

/// Place of the next colon behind which a blank, or nothing, stands.
fn colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes).find(|at| bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace))
}

/// A number that other numbers follow is one of a list; before `days` it is a part of a time.
fn is_alone(behind: &str) -> bool {
    !behind.starts_with("day") && quantity(behind).is_none()
}

/// The name at the end of what stands between two values.
fn last_name(text: &str) -> &str {
    let text = text.trim_end();
    let bytes = text.as_bytes();
    let ends = |at: usize| match bytes.get(at..) {
        Some([b'\t' | b'|' | b';' | b']', ..]) => Some(at + 1),
        Some([b',' | b' ' | b')', b' ', ..]) => Some(at + 2),
        _ => None,
    };
    let start = (0..bytes.len()).rev().find_map(ends).unwrap_or(0);
    let text = text.get(start..).unwrap_or_default();
    let mut from = text.len();
    while let Some(before) = text.get(..from).map(str::trim_end).filter(|before| !before.is_empty()) {
        let word = before.rfind(' ').map_or(0, |at| at + 1);
        if !before.get(word..).is_some_and(is_word_of_name) {
            break;
        }
        from = word;
    }
    text.get(from..).unwrap_or_default()
}

/// Units behind a blank (`images/s`) are no part of the next name.
fn is_word_of_name(word: &str) -> bool {
    let begins = word.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b >= 0x80);
    begins && !word.ends_with("/s") && !word.ends_with("/sec")
}

/// Pairs of `name:value` without blanks inside, parted by blanks.
pub(super) fn tight_pairs(text: &str) -> impl Iterator<Item = Pair<'_>> {
    text.split_ascii_whitespace().filter_map(|word| {
        let (name, value) = word.rsplit_once(':')?;
        whole(name, value)
    })
}

/// Pairs of `name=value`, parted by commas, or by blanks where there are none.
pub(super) fn equals_pairs(text: &str) -> impl Iterator<Item = Pair<'_>> {
    text.split(", ").flat_map(|part| {
        // a name may have blanks in it (`train_step_timing in s`); two pairs in a part mean that blanks part them
        let several = memchr::memchr_iter(b'=', part.as_bytes()).nth(1).is_some();
        let words = several.then(|| part.split_ascii_whitespace()).into_iter().flatten();
        let one = (!several).then_some(part);
        words.chain(one).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            whole(name, value)
        })
    })
}

/// Pairs of `name value`, parted by `separator`.
pub(super) fn spaced_pairs(text: &str, separator: char) -> impl Iterator<Item = Pair<'_>> {
    text.split(separator).filter_map(|part| {
        let (name, value) = part.trim().rsplit_once(' ')?;
        whole(name, value)
    })
}

/// A pair whose value is nothing but a number and its unit.
pub(super) fn whole<'a>(name: &'a str, value: &'a str) -> Option<Pair<'a>> {
    let (name, found) = (name.trim(), quantity(value.trim())?);
    (!name.is_empty() && found.rest.is_empty()).then_some(Pair {
        name,
        value: found.value,
        unit: found.unit,
        behind: "",
    })
}

/// What stands before and behind the last `: `.
pub(super) fn field(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let at = memchr::memrchr_iter(b':', bytes).find(|at| bytes.get(at + 1) == Some(&b' '))?;
    Some((text.get(..at)?, text.get(at + 2..)?))
}

/// A whole text that is a counter: `1480`, ` 1,480`.
pub(super) fn counter(text: &str) -> Option<Step> {
    numbers::integer(value_of(text.trim())?)
}

/// `5/22` with blanks anywhere.
pub(super) fn counter_of(text: &str) -> Option<(Step, Step)> {
    let (done, total) = text.split_once('/')?;
    Some((counter(done)?, counter(total)?))
}

/// What stands in the bracket at the start of a text, and what follows it.
pub(super) fn bracket(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('[')?.split_once(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colons(text: &str) -> Vec<(&str, f64)> {
        colon_pairs(text).map(|p| (p.name, p.value)).collect()
    }

    #[test]
    fn names_with_colons_are_found_whatever_parts_them() {
        let all = [("lr", 0.1), ("loss", 2.5), ("max mem", 3485.0)];
        for text in [
            "lr: 0.1  loss: 2.5  max mem: 3485",
            "lr: 0.1 loss: 2.5 max mem: 3485",
            "lr: 0.1, eta: 2:03:32, loss: 2.5, max mem: 3485",
            "lr: 0.1  eta: 18 days, 16:18:38  loss: 2.5 (2.7)  max mem: 3485",
            "lr: 0.1 loss: 2.5 images/s max mem: 3485",
        ] {
            assert_eq!(colons(text), all, "{text}");
        }
        assert_eq!(colons("map: 0.021 0.094 0.001  x: 1"), [("x", 1.0)], "a list is no number");
        assert_eq!(colons("mode: train, seed 3, when: 12:30"), []);
    }

    #[test]
    fn nan_is_a_value_and_no_part_of_the_next_name() {
        let pairs: Vec<_> = colon_pairs("loss: nan grad_norm: inf").collect();
        assert!(pairs[0].value.is_nan() && pairs[0].name == "loss");
        assert!(pairs[1].value.is_infinite() && pairs[1].name == "grad_norm");
    }

    #[test]
    fn the_other_ways_give_the_same() {
        let names = |pairs: &mut dyn Iterator<Item = Pair<'static>>| -> Vec<_> {
            pairs.map(|p| (p.name, p.value, p.unit)).collect()
        };
        let expected = [("loss", 2.5, ""), ("time", 3.0, "ms")];
        assert_eq!(names(&mut tight_pairs("loss:2.5 x time:3ms")), expected);
        assert_eq!(names(&mut equals_pairs("loss=2.5, v_num=x, time=3ms")), expected);
        assert_eq!(names(&mut equals_pairs("loss=2.5 time=3ms")), expected);
        assert_eq!(names(&mut spaced_pairs("loss 2.5, time 3ms", ',')), expected);
        assert_eq!(counter_of(" 5/  1,000 "), Some((5, 1000)));
    }
}
