//! Tables of known words, for readers that look up every word of every line.

use rustc_hash::FxHashMap;

/// No known word may be longer.
pub const LONGEST: usize = 16;

/// What is known of words. Most words of a text are none of them, and are told by their first letter and length.
#[derive(Debug)]
pub struct Words<T> {
    known: FxHashMap<&'static [u8], T>,
    /// By first letter: the lengths that occur, as bits.
    lengths: [u32; 256],
}

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self { known: FxHashMap::default(), lengths: [0; 256] }
    }
}

impl<T: Default> Words<T> {
    /// What is known of `word`, which is in small letters and at most [`LONGEST`] long; made if missing.
    pub fn entry(&mut self, word: &'static str) -> &mut T {
        if let (Some(first), 1..=LONGEST) = (word.bytes().next(), word.len())
            && let Some(lengths) = self.lengths.get_mut(usize::from(first))
        {
            *lengths |= 1 << word.len();
        }
        self.known.entry(word.as_bytes()).or_default()
    }

    /// What is known of `word`, which is in small letters.
    #[inline]
    pub fn get(&self, word: &[u8]) -> Option<&T> {
        let lengths = *self.lengths.get(usize::from(*word.first()?))?;
        if word.len() > LONGEST || lengths & 1 << word.len() == 0 {
            return None;
        }
        self.known.get(word)
    }

    /// The same, whatever its capitals.
    #[inline]
    pub fn get_any_case(&self, word: &str) -> Option<&T> {
        let lengths = *self.lengths.get(usize::from(word.bytes().next()?.to_ascii_lowercase()))?;
        let mut small = [0; LONGEST];
        let small = small.get_mut(..word.len()).filter(|_| lengths & 1 << word.len() != 0)?;
        small.copy_from_slice(word.as_bytes());
        small.make_ascii_lowercase();
        self.known.get(&*small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_known() {
        let mut words = Words::<u8>::default();
        *words.entry("loss") = 1;
        *words.entry("total_timesteps") = 2;
        assert_eq!((words.get(b"loss"), words.get_any_case("LoSS")), (Some(&1), Some(&1)));
        assert_eq!(words.get_any_case("Total_Timesteps"), Some(&2));
        for other in ["", "los", "lost", "Loss", "a word that is much longer than any known one"] {
            assert_eq!(words.get(other.as_bytes()), None, "{other}");
        }
        assert_eq!(words.get_any_case("lossless and longer than the longest"), None);
    }
}
