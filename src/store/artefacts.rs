//! Records without a view of their own: counted, and to be found again in their file.

use std::sync::Arc;

use super::kept::Weight;
use crate::model::{Artefact, FileId, Payload, Step, WallTime};

/// An artefact and the file in which it lies.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredArtefact {
    /// The file; offset and length are in the artefact.
    pub file: FileId,
    /// What it is.
    pub artefact: Artefact,
}

/// A named moment: a checkpoint, an evaluation.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// The trainer's counter.
    pub step: Option<Step>,
    /// When.
    pub wall: WallTime,
    /// `checkpoint`, `restart`, ….
    pub kind: Arc<str>,
    /// Free text, such as a path.
    pub value: Arc<str>,
}

impl Weight for StoredArtefact {
    fn heap_bytes(&self) -> usize {
        let fields: usize = self.artefact.fields.iter().map(|(name, p)| name.len() + 16 + payload(p)).sum();
        let slots = self.artefact.fields.capacity() * size_of::<(Arc<str>, Payload)>();
        self.artefact.name.len() + 16 + fields + slots
    }
}

impl Weight for Event {
    fn heap_bytes(&self) -> usize {
        self.kind.len() + self.value.len() + 32
    }
}

fn payload(payload: &Payload) -> usize {
    match payload {
        Payload::Array(a) => 8 * (a.values().len() + a.shape().len()),
        Payload::File { path, shape } => path.len() + 16 + 8 * shape.len(),
        Payload::Number(_) => 0,
        Payload::Text(t) => t.len() + 16,
        Payload::Texts(ts) => ts.iter().map(|t| 16 + t.as_ref().map_or(0, |t| t.len() + 16)).sum(),
    }
}
