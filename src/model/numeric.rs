//! Arrays of numbers inside records.

use std::{fmt, sync::Arc};

/// Numbers with a shape, row-major.
#[derive(Clone, PartialEq, Debug)]
pub struct NumericArray {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl NumericArray {
    /// Takes as many `values` as `shape` has cells.
    pub fn new(shape: Vec<usize>, values: Vec<f64>) -> Result<Self, PayloadError> {
        let cells = shape.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
        if cells != Some(values.len()) {
            return Err(PayloadError::ShapeMismatch);
        }
        Ok(Self { shape, values })
    }

    /// Cells along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// The content of one field of a record.
#[derive(Clone, PartialEq, Debug)]
pub enum Payload {
    /// Numbers in the record itself.
    Array(NumericArray),
    /// Numbers in a file beside the log; the path is relative and stays below the run's folder.
    File {
        /// Path below the log's folder.
        path: Arc<str>,
        /// Declared shape.
        shape: Vec<usize>,
    },
    /// One number.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A list of texts; `None` where the writer put null.
    Texts(Vec<Option<Arc<str>>>),
}

/// Why a payload cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayloadError {
    /// The shape does not have as many cells as there are values, or rows differ in length.
    ShapeMismatch,
    /// The element type is not one of u8, i32, i64, f16, f32, f64.
    UnknownElementType,
    /// The base64 text cannot be decoded.
    BadBase64,
    /// The file is absolute or leaves the run's folder.
    OutsideRun,
    /// Something that is no number, text or array.
    NotAPayload,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShapeMismatch => "the shape does not fit the number of values",
            Self::UnknownElementType => "the element type is unknown",
            Self::BadBase64 => "the base64 text cannot be decoded",
            Self::OutsideRun => "the file lies outside of the run's folder",
            Self::NotAPayload => "the field is neither a number, text nor an array",
        })
    }
}

impl std::error::Error for PayloadError {}
