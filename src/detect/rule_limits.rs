//! How loud a rule may be: what the user says with `--rule` and `[rules]`.

use std::sync::Arc;

use super::{DETECTORS, Severity};
use crate::model::{RunId, names};

/// How loud one rule may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loudness {
    /// It raises nothing.
    Off,
    /// What it raises is at most so severe.
    AtMost(Severity),
}

/// What the user says of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleLimit {
    /// The rule's fixed name.
    pub rule: &'static str,
    /// How loud it may be.
    pub loudness: Loudness,
    /// Only in runs whose path is this or matches it (`*` and `?`); `None`: in all.
    pub runs: Option<Arc<str>>,
}

impl RuleLimit {
    /// Reads `off`, `info`, `warn` or `critical`, and behind an `@` the runs, for the rule of that name. The error is one
    /// clause, and names the rule that was probably meant.
    pub fn parse(rule: &str, words: &str) -> Result<Self, String> {
        let (loudness, runs) = match words.split_once('@') {
            Some((loudness, runs)) => (loudness.trim(), Some(runs.trim())),
            None => (words.trim(), None),
        };
        let rule = rule.trim();
        let Some(spec) = DETECTORS.iter().find(|spec| spec.id == rule) else {
            return Err(format!("there is no rule `{rule}`; did you mean `{}`?", closest(rule)));
        };
        if runs.is_some_and(str::is_empty) {
            return Err("no run is named behind the @".to_owned());
        }
        let loudness = match Severity::ALL.iter().find(|severity| severity.name() == loudness) {
            Some(severity) => Loudness::AtMost(*severity),
            None if loudness == "off" => Loudness::Off,
            None => return Err(format!("`{loudness}` is not off, info, warn or critical")),
        };
        Ok(Self { rule: spec.id, loudness, runs: runs.map(Arc::from) })
    }
}

/// Everything that the user says of rules, in the order in which it was said; the last that fits counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleLimits(Vec<RuleLimit>);

impl RuleLimits {
    /// Those of the list.
    pub fn new(said: Vec<RuleLimit>) -> Self {
        Self(said)
    }

    /// How severe an alert of `rule` in `run` may be shown that the rule finds `severity`; `None`: not raised at all.
    pub fn apply(&self, rule: &str, run: &RunId, severity: Severity) -> Option<Severity> {
        let fits = |limit: &&RuleLimit| {
            limit.rule == rule && limit.runs.as_ref().is_none_or(|runs| names(runs, run.as_str()))
        };
        match self.0.iter().rfind(fits).map(|limit| limit.loudness) {
            Some(Loudness::Off) => None,
            Some(Loudness::AtMost(most)) => Some(severity.min(most)),
            None => Some(severity),
        }
    }
}

/// The rule whose name takes the fewest changes of letters to become `word`.
fn closest(word: &str) -> &'static str {
    let word = word.to_lowercase().replace('-', "_");
    DETECTORS.iter().map(|spec| spec.id).min_by_key(|id| distance(&word, id)).unwrap_or_default()
}

/// Letters to insert, drop or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_that_fits_the_run_counts() {
        let limits = RuleLimits::new(vec![
            RuleLimit::parse("plateau", "off").unwrap(),
            RuleLimit::parse("overfitting", "info").unwrap(),
            RuleLimit::parse("overfitting", "off@sweep/*").unwrap(),
        ]);
        let apply = |rule, run: &str| limits.apply(rule, &RunId::from(run), Severity::Critical);
        assert_eq!(apply("plateau", "a"), None);
        assert_eq!(apply("overfitting", "a"), Some(Severity::Info));
        assert_eq!(apply("overfitting", "sweep/3"), None);
        assert_eq!(apply("nan", "sweep/3"), Some(Severity::Critical));
        let warn = RuleLimits::new(vec![RuleLimit::parse("nan", "warn").unwrap()]);
        assert_eq!(
            warn.apply("nan", &RunId::from("a"), Severity::Info),
            Some(Severity::Info),
            "never louder"
        );
    }

    #[test]
    fn a_rule_that_is_not_there_is_told_with_the_one_that_was_meant() {
        for (word, meant) in
            [("overfiting", "overfitting"), ("gradient-surg", "gradient_surge"), ("NAN", "nan")]
        {
            let error = RuleLimit::parse(word, "off").unwrap_err();
            assert!(error.ends_with(&format!("did you mean `{meant}`?")), "{error}");
        }
        assert!(RuleLimit::parse("nan", "quiet").unwrap_err().contains("off, info, warn or critical"));
        assert!(RuleLimit::parse("nan", "off@").is_err());
    }
}
