//! Records that are counted and can be found again but have no view of their own yet.

use std::sync::Arc;

use super::{NumericArray, Payload, Step, WallTime};

/// What kind of record it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ArtefactKind {
    /// A picture.
    Image,
    /// A sound.
    Audio,
    /// A model graph.
    Graph,
    /// A point cloud or mesh.
    Mesh,
    /// A precision-recall curve.
    PrCurve,
    /// Points of an embedding.
    Embedding,
    /// A tensor without a more exact kind.
    Tensor,
    /// A table, a custom layout.
    Table,
    /// Predictions of single instances.
    Predictions,
    /// Activations of single instances.
    Activations,
    /// Numbers per unit of a layer.
    Units,
    /// Credit assignment.
    Credit,
    /// Similarity of representations.
    Similarity,
    /// Responses of filters by label.
    Responses,
    /// Perplexity histograms of filters.
    Perplexity,
    /// Hidden states along a sequence.
    Sequence,
    /// Attention weights.
    Attention,
    /// Saliency, activation, filter or token maps.
    Map,
    /// The instances that excite a unit most.
    TopInstances,
    /// Load of mixture-of-experts layers.
    Experts,
    /// Gradient noise scale.
    Noise,
}

impl ArtefactKind {
    /// A plural noun for lists and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "images",
            Self::Audio => "audio",
            Self::Graph => "graphs",
            Self::Mesh => "meshes",
            Self::PrCurve => "pr_curves",
            Self::Embedding => "embeddings",
            Self::Tensor => "tensors",
            Self::Table => "tables",
            Self::Predictions => "predictions",
            Self::Activations => "activations",
            Self::Units => "units",
            Self::Credit => "credit",
            Self::Similarity => "similarities",
            Self::Responses => "responses",
            Self::Perplexity => "perplexity",
            Self::Sequence => "sequences",
            Self::Attention => "attention",
            Self::Map => "maps",
            Self::TopInstances => "top_instances",
            Self::Experts => "experts",
            Self::Noise => "noise",
        }
    }
}

/// One such record: what it is, where it lies in its file, and its numbers where they were cheap to keep.
#[derive(Clone, PartialEq, Debug)]
pub struct Artefact {
    /// The kind.
    pub kind: ArtefactKind,
    /// Tag, layer or method.
    pub name: Arc<str>,
    /// The trainer's counter, where the record has one.
    pub step: Option<Step>,
    /// When.
    pub wall: WallTime,
    /// Byte offset of the whole record in its file.
    pub offset: u64,
    /// Length of the whole record.
    pub bytes: u64,
    /// The named fields of the record that hold numbers or text, decoded and checked. Empty for kinds whose
    /// content is read on demand (pictures, sounds, graphs).
    pub fields: Vec<(Arc<str>, Payload)>,
}

impl Artefact {
    /// The content of a named field.
    pub fn field(&self, name: &str) -> Option<&Payload> {
        self.fields.iter().find(|(known, _)| &**known == name).map(|(_, payload)| payload)
    }

    /// A field that holds one number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.field(name)? {
            Payload::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// A field that holds one text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.field(name)? {
            Payload::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A field that holds an array of numbers.
    pub fn array(&self, name: &str) -> Option<&NumericArray> {
        match self.field(name)? {
            Payload::Array(array) => Some(array),
            _ => None,
        }
    }
}

/// An alert that the trainer wrote into its log.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedAlert {
    /// The trainer's counter.
    pub step: Option<Step>,
    /// When.
    pub wall: WallTime,
    /// The writer's rule name.
    pub rule: Arc<str>,
    /// The writer's word for how bad it is.
    pub severity: Arc<str>,
    /// Series or layer.
    pub place: Arc<str>,
    /// The message.
    pub message: Arc<str>,
}
