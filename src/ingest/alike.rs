//! Files of a folder that are named alike but for numbers: a data set's labels, not one log among thousands.
//!
//! Formats look into the first of them. When enough were refused and none was claimed, the rest are not opened: a
//! folder of a million `000123.json` costs its listing.

use rustc_hash::FxHashMap;

/// Files of one kind that are looked into before the rest are taken for the same.
pub const ENOUGH: u32 = 256;
/// Kinds of one folder that are counted.
const KINDS: usize = 64;

/// What was found of the kinds of names in one folder.
#[derive(Debug, Default)]
pub struct Alike {
    /// How many of a kind were refused; `None` once one was claimed.
    kinds: FxHashMap<String, Option<u32>>,
    /// Files that were told of as passed over unopened.
    pub told: u64,
}

impl Alike {
    /// Whether the file need not be opened.
    pub fn is_one_of_many(&self, name: &str) -> bool {
        !self.kinds.is_empty() && self.kinds.get(&kind(name)).copied().flatten().is_some_and(|n| n >= ENOUGH)
    }

    /// Nobody reads the file.
    pub fn refused(&mut self, name: &str) {
        let kind = kind(name);
        if let Some(count) = self.kinds.get_mut(&kind) {
            *count = count.map(|n| n.saturating_add(1));
        } else if self.kinds.len() < KINDS {
            self.kinds.insert(kind, Some(1));
        }
    }

    /// Somebody does, or may: all of its kind are looked into.
    pub fn claimed(&mut self, name: &str) {
        let kind = kind(name);
        if self.kinds.len() < KINDS || self.kinds.contains_key(&kind) {
            self.kinds.insert(kind, None);
        }
    }
}

/// The name with each number as `0`.
fn kind(name: &str) -> String {
    let mut kind = String::with_capacity(name.len());
    for c in name.chars() {
        if !c.is_ascii_digit() {
            kind.push(c);
        } else if !kind.ends_with('0') {
            kind.push('0');
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_in_numbers_are_of_one_kind_until_one_of_them_is_a_log() {
        let mut alike = Alike::default();
        for n in 0..ENOUGH {
            assert!(!alike.is_one_of_many("img_7_00.json"));
            alike.refused(&format!("img_{n}_0{n}.json"));
        }
        assert!(alike.is_one_of_many("img_999_1.json"));
        assert!(!alike.is_one_of_many("img_999.json") && !alike.is_one_of_many("metrics.json"));
        alike.claimed("img_1000_1.json");
        assert!(!alike.is_one_of_many("img_999_1.json"));
        alike.refused("img_1_1.json");
        assert!(!alike.is_one_of_many("img_999_1.json"));
    }

    #[test]
    fn a_folder_of_names_without_a_pattern_is_remembered_in_bounds() {
        let mut alike = Alike::default();
        for n in 0..5000_u32 {
            let word: String = n.to_string().bytes().map(|b| char::from(b + 49)).collect();
            alike.refused(&format!("{word}.json"));
        }
        assert_eq!(alike.kinds.len(), KINDS);
    }
}
