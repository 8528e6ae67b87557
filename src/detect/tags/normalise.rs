//! A tag taken apart into lower-case words, so that every later question is asked of words.

/// The words of a name, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Words {
    whole: Vec<String>,
    pieces: Vec<String>,
    stripped: Vec<String>,
    joined: String,
}

impl Words {
    /// Takes a name apart: trimmed (older Ultralytics headers are padded), lower-cased, split at everything
    /// that is no letter or digit. Camel-case pieces and words without their digits are kept beside the whole
    /// words (`top5` is also `top`); a camel-case word that names a split is its pieces (`valLoss` is val, loss).
    pub fn of(name: &str) -> Self {
        let mut words = Vec::new();
        let mut pieces = Vec::new();
        let mut stripped = Vec::new();
        for word in name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            let whole = word.to_lowercase();
            let camel = camel_pieces(word);
            if camel.len() > 1 && camel.iter().any(|p| super::split::of_word(p).is_some()) {
                words.extend(camel);
                continue;
            }
            pieces.extend(camel.into_iter().filter(|piece| *piece != whole));
            let letters = whole.trim_matches(|c: char| c.is_ascii_digit());
            if !letters.is_empty() && letters != whole {
                stripped.push(letters.to_owned());
            }
            words.push(whole);
        }
        let joined = words.join("_");
        Self { whole: words, pieces, stripped, joined }
    }

    /// The whole words in order.
    pub fn whole(&self) -> &[String] {
        &self.whole
    }

    /// All words joined by `_`: `lm loss-scale` is `lm_loss_scale`.
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// True when one of `wanted` is a word or a piece of a word.
    pub fn any(&self, wanted: &[&str]) -> bool {
        self.any_exact(wanted) || self.stripped.iter().any(|w| wanted.contains(&w.as_str()))
    }

    /// The same without words that lost their digits: `g0` is no `g`.
    pub fn any_exact(&self, wanted: &[&str]) -> bool {
        self.whole.iter().chain(&self.pieces).any(|w| wanted.contains(&w.as_str()))
    }

    /// True when one of `wanted` occurs in the joined words, at word bounds.
    pub fn phrase(&self, wanted: &[&str]) -> bool {
        let bound = |at: Option<&u8>| at.is_none_or(|c| *c == b'_');
        let text = self.joined.as_bytes();
        wanted.iter().any(|w| {
            self.joined
                .match_indices(w)
                .any(|(at, _)| bound(text[..at].last()) && bound(text.get(at + w.len())))
        })
    }

    /// The first word.
    pub fn first(&self) -> &str {
        self.whole.first().map_or("", String::as_str)
    }

    /// The last word.
    pub fn last(&self) -> &str {
        self.whole.last().map_or("", String::as_str)
    }
}

/// `valLossEpoch` → val, loss, epoch. Runs of capitals stay together: `mAP` → m, ap; `IoU` → io, u.
fn camel_pieces(word: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut was_lower = false;
    for c in word.chars() {
        if c.is_uppercase() && was_lower && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        piece.extend(c.to_lowercase());
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words_whatever_separates_them() {
        assert_eq!(Words::of("  train/box_loss ").whole(), ["train", "box", "loss"]);
        assert_eq!(Words::of("lm loss-scale").joined(), "lm_loss_scale");
        assert!(Words::of("valLoss").any(&["val"]));
        assert!(Words::of("accuracy_top5").any(&["top"]));
        assert!(Words::of("metrics/mAP50-95(B)").any(&["map"]));
        assert!(Words::of("optim/total grad norm").phrase(&["grad_norm"]));
        assert!(!Words::of("value_loss").any(&["val"]));
    }
}
