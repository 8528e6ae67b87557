//! Memory of texts and of what the trainer reported itself.

use super::kept::Weight;
use crate::model::{LoggedAlert, TextRecord};

impl Weight for TextRecord {
    fn heap_bytes(&self) -> usize {
        self.text.len() + self.tag.as_str().len() + 32
    }
}

impl Weight for LoggedAlert {
    fn heap_bytes(&self) -> usize {
        self.rule.len() + self.severity.len() + self.place.len() + self.message.len() + 64
    }
}
