//! Bounded memory of everything that was read. Nothing here reads files, judges or draws.
//!
//! [`Store::apply`] takes what a reader brought and says what changed by it. Recent points are kept exactly,
//! older ones in buckets that never lose an extreme, a count or a NaN; [`Limits`] says how much memory all of
//! it may take. **Invariant:** when memory is short every series gets coarser, none disappears, and
//! [`Summary`] stays exact.

mod artefacts;
mod bucket;
mod budget;
mod change;
mod confusion;
mod facts;
mod file_part;
mod kept;
mod layers;
mod order;
mod points;
mod query;
mod rivals;
mod run;
mod segment;
mod series;
mod summary;
mod take_in;
mod texts;
mod timeline;
mod titles;
mod tracks;
mod whole;

pub use artefacts::{Event, StoredArtefact};
pub use bucket::Bucket;
pub use budget::Limits;
pub use change::Change;
pub use confusion::{Confusions, Evaluation};
pub use layers::{LayerPoint, LayerRow, LayerTrack, Layers, StoredHistogram};
pub use order::natural;
pub use run::Run;
pub use segment::Segment;
pub use series::Series;
pub use summary::Summary;
pub(crate) use timeline::up_to;
pub use tracks::{TrackKey, Tracks};
pub use whole::Store;
