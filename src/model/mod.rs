//! The words of the field, as types: run, tag, series, step, point, column, batch, skip, layer, class.
//!
//! Nothing here does I/O, starts threads or knows a terminal. Every other layer speaks in these types.

mod artefact;
mod batch;
mod confusion;
mod health;
mod ids;
mod layer;
mod meaning;
mod natural;
mod numeric;
mod packed;
pub mod robust;
mod run_info;
mod share;
mod text;
mod time;

pub use artefact::{Artefact, ArtefactKind, LoggedAlert};
pub use batch::{Batch, Column, News, Origin, Point, Record, Sharing, Skip, Source};
pub use confusion::{ClassScores, ConfusionMatrix, ConfusionRecord, MatrixError};
pub use health::{FileHealth, FileState, Files, Health, PassedOver, ScanReport, WatchMode};
pub use ids::{FileId, LayerName, RunId, SeriesKey, Tag};
pub use layer::{
    HistogramRecord, LayerKind, LayerRecord, LayerScalar, LayerStats, LayerSubject, Statistic, same_layer,
};
pub use meaning::{Meanings, Role, Split, Told, names};
pub use natural::natural;
pub use numeric::{NumericArray, Payload, PayloadError};
pub use packed::PackedMatrix;
pub use run_info::{EndStatus, Goal, HyperValue, RunInfo, TextRecord};
pub use share::{are_shares, wilson};
pub use text::sanitise;
pub use time::{Clock, ManualClock, Step, WallTime};
