//! The fuzzy filter behind the `/` key.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

/// A compiled filter. Words are matched fuzzily and must all match; `'word` is exact, `!word` excludes, `^` and `$`
/// anchor, as in fzf. An empty filter matches everything.
pub struct Filter {
    pattern: Pattern,
    matcher: Matcher,
    characters: Vec<char>,
}

impl Filter {
    /// Compiles `text`.
    pub fn new(text: &str) -> Self {
        Self {
            pattern: Pattern::parse(text, CaseMatching::Smart, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT.match_paths()),
            characters: Vec::new(),
        }
    }

    /// How well `text` matches, more is better; `None` if it does not.
    pub fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.characters), &mut self.matcher)
    }

    /// Whether `text` is let through.
    pub fn matches(&mut self, text: &str) -> bool {
        self.pattern.atoms.is_empty() || self.score(text).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_match_and_words_must_all_match() {
        let mut filter = Filter::new("vloss");
        assert!(filter.matches("val/loss") && !filter.matches("train/acc"));
        let mut filter = Filter::new("loss !train");
        assert!(filter.matches("val/loss") && !filter.matches("train/loss"));
        assert!(Filter::new("").matches("anything"));
    }
}
