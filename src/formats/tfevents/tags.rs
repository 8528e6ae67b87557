//! What is known of the tags of one file: what kind of values they hold, and where their points go.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{event::Form, text};
use crate::{
    formats::{
        ColumnIndex, Decoded,
        wire::protobuf::{Fields, Malformed, Wire},
    },
    model::{LayerSubject, Point, SeriesKey, Tag},
};

/// Tags that are remembered; after that everything is forgotten and learnt anew.
const TAGS_KEPT: usize = 1 << 16;

/// Bytes of tags that are remembered.
const TAG_BYTES_KEPT: usize = 8 << 20;

/// A tag longer than this many bytes is no name; its values are left out.
pub(super) const TAG_LIMIT: usize = 4096;

/// What kind of values a tag holds. The writer says so with the first value of a tag in a file, and TensorFlow
/// only then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The writer has not said.
    Unknown,
    Scalar,
    Histogram,
    Text,
    Hparams,
    Image,
    Audio,
    Graph,
    Mesh,
    PrCurve,
    Layout,
    Embedding,
    /// A plugin that is not known.
    Tensor,
}

/// A `SummaryMetadata`, as far as it matters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Metadata<'a> {
    pub kind: Kind,
    /// The plugin's own message.
    pub content: &'a [u8],
}

impl<'a> Metadata<'a> {
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let (mut plugin, mut content, mut class): (&[u8], &[u8], u64) = (&[], &[], 0);
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(data)) => {
                    for field in Fields::of(data) {
                        match field? {
                            (1, Wire::Bytes(name)) => plugin = name,
                            (2, Wire::Bytes(bytes)) => content = bytes,
                            _ => {}
                        }
                    }
                }
                (4, Wire::Varint(number)) => class = number,
                _ => {}
            }
        }
        let kind = match plugin {
            b"scalars" => Kind::Scalar,
            b"histograms" | b"distributions" => Kind::Histogram,
            b"text" => Kind::Text,
            b"hparams" => Kind::Hparams,
            b"images" => Kind::Image,
            b"audio" => Kind::Audio,
            b"graphs" | b"graph_run_metadata" | b"graph_run_metadata_graph" | b"graph_keras_model" => {
                Kind::Graph
            }
            b"mesh" => Kind::Mesh,
            b"pr_curves" => Kind::PrCurve,
            b"custom_scalars" => Kind::Layout,
            b"projector" => Kind::Embedding,
            // The data class says of an unknown plugin's values only whether they are numbers over time.
            _ if class == 1 => Kind::Scalar,
            b"" => Kind::Unknown,
            _ => Kind::Tensor,
        };
        Ok(Self { kind, content })
    }
}

/// What is known of one tag.
#[derive(Debug)]
pub(super) struct Slot {
    bytes: Arc<[u8]>,
    /// The [`Form`] of this tag's values; empty, which no form is, until one is known.
    form: Box<[u8]>,
    pub key: SeriesKey,
    pub kind: Kind,
    /// Parsed from the tag when a histogram asks.
    subject: Option<LayerSubject>,
    /// The column in the [`Decoded`] of that generation.
    column: Option<(u64, ColumnIndex)>,
    /// The tag that came after this one last time.
    next: usize,
}

impl Slot {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: Arc::from(bytes),
            form: Box::default(),
            key: SeriesKey::plain(Tag::new(text::of(bytes))),
            kind: Kind::Unknown,
            subject: None,
            column: None,
            next: 0,
        }
    }

    /// Keeps the form of this tag's values, to know the next one by.
    pub fn learn(&mut self, form: Form<'_>) {
        if *self.form != *form.0 {
            self.form = Box::from(form.0);
        }
    }

    /// The layer that the tag speaks of.
    pub fn subject(&mut self) -> &LayerSubject {
        let tag = &self.key.tag;
        self.subject.get_or_insert_with(|| LayerSubject::of_tag(tag))
    }

    /// Adds a point.
    #[inline]
    pub fn push(&mut self, out: &mut Decoded, point: Point) {
        let generation = out.generation();
        let column = match self.column {
            Some((known, column)) if known == generation => column,
            _ => {
                let column = out.column(&self.key);
                self.column = Some((generation, column));
                column
            }
        };
        out.push(column, point);
    }
}

/// The tags of one file. Bounded.
#[derive(Debug, Default)]
pub(super) struct Tags {
    slots: Vec<Slot>,
    by_bytes: FxHashMap<Arc<[u8]>, usize>,
    bytes: usize,
    last: usize,
}

impl Tags {
    /// The slot of a value by its form alone. Writers log the same tags in the same order at each step: if the
    /// tag is the one that followed the last one before, comparing is all there is to do.
    #[inline]
    pub fn expected(&mut self, form: Form<'_>) -> Option<&mut Slot> {
        let guess = self.slots.get(self.last).map_or(0, |last| last.next);
        let slot = self.slots.get_mut(guess)?;
        if slot.form.is_empty() || *slot.form != *form.0 {
            return None;
        }
        self.last = guess;
        Some(slot)
    }

    /// The slot of `tag`; the one that followed the last one before is tried first.
    #[inline]
    pub fn slot(&mut self, tag: &[u8]) -> Option<&mut Slot> {
        let guess = self.slots.get(self.last).map_or(0, |last| last.next);
        let hit = self.slots.get(guess).is_some_and(|slot| *slot.bytes == *tag);
        let at = if hit { guess } else { self.search(tag) };
        self.last = at;
        self.slots.get_mut(at)
    }

    fn search(&mut self, tag: &[u8]) -> usize {
        let at = match self.by_bytes.get(tag) {
            Some(at) => *at,
            None => self.add(tag),
        };
        if let Some(last) = self.slots.get_mut(self.last) {
            last.next = at;
        }
        at
    }

    fn add(&mut self, tag: &[u8]) -> usize {
        if self.slots.len() >= TAGS_KEPT || self.bytes.saturating_add(tag.len()) > TAG_BYTES_KEPT {
            *self = Self::default();
        }
        let slot = Slot::new(tag);
        let at = self.slots.len();
        self.bytes = self.bytes.saturating_add(tag.len());
        self.by_bytes.insert(Arc::clone(&slot.bytes), at);
        self.slots.push(slot);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tfevents::build::{bytes_field, varint_field};

    #[test]
    fn tags_are_found_in_any_order() {
        let mut tags = Tags::default();
        for round in 0..3 {
            for tag in ["a", "b", "a", "", "c", "b"] {
                assert_eq!(tags.slot(tag.as_bytes()).unwrap().key.tag.as_str(), tag, "{round}");
            }
        }
        assert_eq!(tags.slots.len(), 4);
    }

    #[test]
    fn memory_for_tags_is_bounded() {
        let mut tags = Tags::default();
        for n in 0..TAGS_KEPT + 10 {
            tags.slot(&n.to_le_bytes()).unwrap();
        }
        assert!(tags.slots.len() <= TAGS_KEPT && tags.by_bytes.len() == tags.slots.len());
    }

    #[test]
    fn a_known_plugin_counts_more_than_the_data_class() {
        let of = |plugin: &str, class| {
            let data = bytes_field(1, &bytes_field(1, plugin.as_bytes()));
            Metadata::parse(&[data, varint_field(4, class)].concat()).unwrap().kind
        };
        assert_eq!(of("histograms", 2), Kind::Histogram);
        assert_eq!(of("my_own", 1), Kind::Scalar);
        assert_eq!(of("my_own", 2), Kind::Tensor);
        assert_eq!(of("", 0), Kind::Unknown);
    }
}
