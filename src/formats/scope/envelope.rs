//! What every record can say besides its content: where it stands, and of which data it speaks.

use crate::{
    formats::wire::json_tree::{Json, Object},
    model::{Step, WallTime},
};

/// Keys of the envelope.
pub const KEYS: &[&str] = &["epochscope", "t", "step", "epoch", "wall", "split", "group", "run", "src"];

/// The envelope of one record.
#[derive(Clone, PartialEq, Debug)]
pub struct Envelope {
    /// The optimiser step.
    pub step: Option<Step>,
    /// The epoch, possibly a fraction.
    pub epoch: Option<f64>,
    /// When it was written.
    pub wall: WallTime,
    /// Split and group as one text: `val`, `val age=old sex=f`; empty without either.
    pub context: String,
    /// Where the line begins in its file.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
}

impl Envelope {
    /// Reads the envelope of `record`.
    pub fn of(record: &Object<'_>, offset: u64, bytes: u64) -> Self {
        let mut context = record.text("split").unwrap_or_default().to_owned();
        match record.get("group") {
            Some(Json::Text(group)) => extend(&mut context, group),
            Some(Json::Object(groups)) => {
                let mut pairs: Vec<String> =
                    groups.entries().map(|(key, value)| format!("{key}={}", value.spelled())).collect();
                pairs.sort();
                for pair in &pairs {
                    extend(&mut context, pair);
                }
            }
            _ => {}
        }
        Self {
            step: record.integer("step"),
            epoch: record.number("epoch").filter(|e| e.is_finite()),
            wall: record.number("wall").map_or(WallTime::UNKNOWN, WallTime),
            context,
            offset,
            bytes,
        }
    }
}

/// Adds a part to a context, a blank between.
pub fn extend(context: &mut String, part: &str) {
    if !context.is_empty() && !part.is_empty() {
        context.push(' ');
    }
    context.push_str(part);
}
