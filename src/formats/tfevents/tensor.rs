//! `TensorProto`: numbers of every numeric type, and strings.
//!
//! The data is in `tensor_content` (raw, little-endian) or in the `*_val` field of its type. If that holds fewer
//! values than the shape has cells, the last one repeats. Source: `tensor.proto`, `tensor_shape.proto`,
//! `types.proto` in `tensorflow/tensorboard`, `tensorboard/compat/proto`.

use crate::formats::wire::protobuf::{Fields, Malformed, Wire, take_varint};

/// A tensor with more cells than this is no histogram and no scalar; its numbers are left where they are.
const CELLS_LIMIT: u64 = 1 << 20;

/// Dimensions that are told apart; everything that is understood has at most two.
const RANK_LIMIT: usize = 8;

/// The element types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dtype {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
    String,
    /// Complex, quantised, resources, and whatever will be.
    Other,
}

impl Dtype {
    fn of(number: u64) -> Self {
        match number {
            1 => Self::F32,
            2 => Self::F64,
            3 => Self::I32,
            4 => Self::U8,
            5 => Self::I16,
            6 => Self::I8,
            7 => Self::String,
            9 => Self::I64,
            10 => Self::Bool,
            14 => Self::Bf16,
            17 => Self::U16,
            19 => Self::F16,
            22 => Self::U32,
            23 => Self::U64,
            _ => Self::Other,
        }
    }

    /// Number of the field of `TensorProto` that holds values of this type.
    fn field(self) -> u32 {
        match self {
            Self::F32 => 5,
            Self::F64 => 6,
            Self::I8 | Self::I16 | Self::I32 | Self::U8 | Self::U16 => 7,
            Self::String => 8,
            Self::I64 => 10,
            Self::Bool => 11,
            Self::F16 | Self::Bf16 => 13,
            Self::U32 => 16,
            Self::U64 => 17,
            Self::Other => 0,
        }
    }

    pub fn is_numeric(self) -> bool {
        !matches!(self, Self::String | Self::Other)
    }

    /// Hands out the elements of `tensor_content`; `None` if it is not a whole number of them.
    #[inline]
    fn for_each(self, raw: &[u8], mut take: impl FnMut(f64)) -> Option<()> {
        fn each<const N: usize>(raw: &[u8], take: impl FnMut([u8; N])) -> Option<()> {
            let (elements, torn) = raw.as_chunks::<N>();
            elements.iter().copied().for_each(take);
            torn.is_empty().then_some(())
        }
        match self {
            Self::F32 => each(raw, |b| take(f64::from(f32::from_le_bytes(b)))),
            Self::F64 => each(raw, |b| take(f64::from_le_bytes(b))),
            Self::F16 => each(raw, |b| take(half(u16::from_le_bytes(b)))),
            Self::Bf16 => each(raw, |b| take(bfloat(u16::from_le_bytes(b)))),
            Self::I8 => each(raw, |b| take(f64::from(i8::from_le_bytes(b)))),
            Self::I16 => each(raw, |b| take(f64::from(i16::from_le_bytes(b)))),
            Self::I32 => each(raw, |b| take(f64::from(i32::from_le_bytes(b)))),
            Self::I64 => each(raw, |b| take(i64::from_le_bytes(b) as f64)),
            Self::U8 => each(raw, |[b]| take(f64::from(b))),
            Self::U16 => each(raw, |b| take(f64::from(u16::from_le_bytes(b)))),
            Self::U32 => each(raw, |b| take(f64::from(u32::from_le_bytes(b)))),
            Self::U64 => each(raw, |b| take(u64::from_le_bytes(b) as f64)),
            Self::Bool => each(raw, |[b]| take(f64::from(b != 0))),
            Self::String | Self::Other => None,
        }
    }

    /// A number from a varint of a `*_val` field. Half precision is stored by its bits.
    fn of_varint(self, bits: u64) -> f64 {
        match self {
            Self::F16 => half(bits as u16),
            Self::Bf16 => bfloat(bits as u16),
            Self::Bool => f64::from(bits != 0),
            Self::U32 | Self::U64 => bits as f64,
            _ => bits.cast_signed() as f64,
        }
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = (bits >> 10) & 0x1f;
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(i32::from(exponent).wrapping_sub(15)),
    }
}

/// The upper half of a binary32.
fn bfloat(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

/// A tensor whose elements have not been looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tensor<'a> {
    pub dtype: Dtype,
    /// `None`: more dimensions than anything that is understood, or a negative one.
    cells: Option<u64>,
    rank: usize,
    shape: [u64; RANK_LIMIT],
    content: &'a [u8],
    /// The last packed `float_val`.
    floats: &'a [u8],
    message: &'a [u8],
}

impl<'a> Tensor<'a> {
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut tensor = Self {
            dtype: Dtype::Other,
            cells: Some(1),
            rank: 0,
            shape: [0; RANK_LIMIT],
            content: &[],
            floats: &[],
            message,
        };
        for field in Fields::of(message) {
            match field? {
                (1, wire) => tensor.dtype = Dtype::of(wire.varint().ok_or(Malformed)?),
                (2, wire) => tensor.take_shape(wire.bytes().ok_or(Malformed)?)?,
                (4, wire) => tensor.content = wire.bytes().ok_or(Malformed)?,
                (5, Wire::Bytes(floats)) => tensor.floats = floats,
                _ => {}
            }
        }
        Ok(tensor)
    }

    fn take_shape(&mut self, shape: &[u8]) -> Result<(), Malformed> {
        for field in Fields::of(shape) {
            match field? {
                (2, wire) => {
                    let size = dimension(wire.bytes().ok_or(Malformed)?)?;
                    self.cells = self.cells.and_then(|cells| cells.checked_mul(size));
                    if let Some(slot) = self.shape.get_mut(self.rank) {
                        *slot = size;
                    } else {
                        self.cells = None;
                    }
                    self.rank = self.rank.saturating_add(1);
                }
                (3, wire) if wire.varint() == Some(1) => self.cells = None,
                _ => {}
            }
        }
        Ok(())
    }

    /// Cells along each axis, as far as they are told apart.
    pub fn shape(&self) -> &[u64] {
        self.shape.get(..self.rank).unwrap_or(&self.shape)
    }

    /// The number of a tensor with one cell.
    pub fn number(&self) -> Option<f64> {
        if self.cells != Some(1) || !self.dtype.is_numeric() || self.content.len() > 8 {
            return None;
        }
        let (mut first, mut count) = (0.0, 0_u32);
        let take = |number| {
            first = if count == 0 { number } else { first };
            count = count.saturating_add(1);
        };
        if self.content.is_empty() {
            self.for_each_value(1, take);
        } else {
            self.dtype.for_each(self.content, take)?;
        }
        // Writers leave out fields that hold only defaults.
        (count <= 1).then_some(first)
    }

    /// The bits of a `float` that is all there is to [`Self::number`].
    pub fn float_bits(&self) -> Option<&'a [u8]> {
        let bits = if self.content.is_empty() { self.floats } else { self.content };
        (self.cells == Some(1) && self.dtype == Dtype::F32 && bits.len() == 4).then_some(bits)
    }

    /// All numbers, row-major; `None` if they are no numbers, too many, or do not fit the shape.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let cells = self.cells.filter(|cells| *cells <= CELLS_LIMIT)?;
        let cells = usize::try_from(cells).ok().filter(|_| self.dtype.is_numeric())?;
        // Looked at before anything is decoded: no more memory than the shape has cells.
        if self.content.len() > cells.saturating_mul(8) {
            return None;
        }
        let mut numbers = Vec::new();
        if self.content.is_empty() {
            self.for_each_value(cells, |number| numbers.push(number));
        } else {
            numbers.reserve_exact(cells);
            self.dtype.for_each(self.content, |number| numbers.push(number))?;
        }
        if numbers.len() > cells {
            return None;
        }
        if let Some(last) = numbers.last().copied() {
            numbers.resize(cells, last);
        } else if cells > 0 {
            // Writers leave out fields that hold only defaults.
            numbers.resize(cells, 0.0);
        }
        Some(numbers)
    }

    /// Hands out the values of the type's own field; stops soon after `enough`.
    fn for_each_value(&self, enough: usize, mut take: impl FnMut(f64)) {
        let wanted = self.dtype.field();
        let mut left = enough.saturating_add(1);
        for (number, wire) in Fields::of(self.message).flatten() {
            if number != wanted || left == 0 {
                continue;
            }
            match (wire, self.dtype) {
                (Wire::Fixed32(bits), _) => take(f64::from(f32::from_bits(bits))),
                (Wire::Fixed64(bits), _) => take(f64::from_bits(bits)),
                (Wire::Varint(bits), dtype) => take(dtype.of_varint(bits)),
                (Wire::Bytes(packed), dtype @ (Dtype::F32 | Dtype::F64)) => {
                    let packed = packed.get(..left.saturating_mul(8)).unwrap_or(packed);
                    // A torn last element is left out.
                    let _ = dtype.for_each(packed, &mut take);
                }
                (Wire::Bytes(mut packed), dtype) => {
                    for _ in 0..left {
                        let Some(bits) = take_varint(&mut packed) else { break };
                        take(dtype.of_varint(bits));
                    }
                }
            }
            left = left.saturating_sub(1);
        }
    }

    /// The strings of a string tensor.
    pub fn strings(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let wanted = self.dtype.field();
        Fields::of(self.message)
            .flatten()
            .filter(move |(number, _)| *number == wanted && wanted == 8)
            .filter_map(|(_, wire)| wire.bytes())
    }
}

/// `TensorShapeProto.Dim.size`; an unknown one (−1) becomes a number that nothing has.
fn dimension(dim: &[u8]) -> Result<u64, Malformed> {
    let mut size = 0;
    for field in Fields::of(dim) {
        if let (1, wire) = field? {
            size = wire.varint().ok_or(Malformed)?;
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tfevents::build::{bytes_field, doubles, tensor, varint, varint_field};

    /// The message in a value's tensor field, without key and length.
    fn parse(field: &[u8]) -> Tensor<'_> {
        let (_, wire) = Fields::of(field).next().unwrap().unwrap();
        Tensor::parse(wire.bytes().unwrap()).unwrap()
    }

    fn number(dtype: u64, data: &[u8]) -> Option<f64> {
        parse(&tensor(dtype, &[], data)).number()
    }

    #[test]
    fn a_scalar_of_every_numeric_type_is_read_from_its_value_field_and_from_raw_content() {
        let raw = |bytes: &[u8]| bytes_field(4, bytes);
        assert_eq!(number(1, &[&[0x2d][..], &1.5_f32.to_le_bytes()].concat()), Some(1.5));
        assert_eq!(number(1, &bytes_field(5, &1.5_f32.to_le_bytes())), Some(1.5));
        assert_eq!(number(1, &raw(&1.5_f32.to_le_bytes())), Some(1.5));
        assert_eq!(number(2, &bytes_field(6, &doubles(&[-2.25]))), Some(-2.25));
        assert_eq!(number(2, &raw(&(-2.25_f64).to_le_bytes())), Some(-2.25));
        assert_eq!(number(3, &varint_field(7, (-3_i64).cast_unsigned())), Some(-3.0));
        assert_eq!(number(3, &raw(&(-3_i32).to_le_bytes())), Some(-3.0));
        assert_eq!(number(4, &bytes_field(7, &varint(200))), Some(200.0));
        assert_eq!(number(4, &raw(&[200])), Some(200.0));
        assert_eq!(number(5, &raw(&(-300_i16).to_le_bytes())), Some(-300.0));
        assert_eq!(number(6, &raw(&[0xff])), Some(-1.0));
        assert_eq!(number(9, &varint_field(10, (-7_i64).cast_unsigned())), Some(-7.0));
        assert_eq!(number(9, &raw(&(-7_i64).to_le_bytes())), Some(-7.0));
        assert_eq!(number(10, &varint_field(11, 1)), Some(1.0));
        assert_eq!(number(10, &raw(&[1])), Some(1.0));
        assert_eq!(number(14, &varint_field(13, 0x3fc0)), Some(1.5));
        assert_eq!(number(14, &raw(&0xbfc0_u16.to_le_bytes())), Some(-1.5));
        assert_eq!(number(17, &raw(&60_000_u16.to_le_bytes())), Some(60_000.0));
        assert_eq!(number(19, &varint_field(13, 0x3e00)), Some(1.5));
        assert_eq!(number(19, &raw(&0xc000_u16.to_le_bytes())), Some(-2.0));
        assert_eq!(number(22, &varint_field(16, 4_000_000_000)), Some(4e9));
        assert_eq!(number(23, &varint_field(17, u64::MAX)), Some(u64::MAX as f64));
        assert_eq!(number(7, &bytes_field(8, b"text")), None);
        assert_eq!(number(8, &raw(&[0; 8])), None);
    }

    #[test]
    fn half_precision_has_subnormals_infinities_and_nan() {
        assert_eq!(half(0x0001), 2_f64.powi(-24));
        assert_eq!(half(0x7bff), 65504.0);
        assert_eq!(half(0xfc00), f64::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
        assert!(bfloat(0x7fc0).is_nan());
    }

    #[test]
    fn the_last_value_repeats_and_missing_ones_are_zero() {
        let data = bytes_field(6, &doubles(&[1.0, 2.0]));
        assert_eq!(parse(&tensor(2, &[2, 2], &data)).numbers(), Some(vec![1.0, 2.0, 2.0, 2.0]));
        assert_eq!(parse(&tensor(2, &[2], &[])).numbers(), Some(vec![0.0, 0.0]));
        assert_eq!(parse(&tensor(2, &[0, 3], &[])).numbers(), Some(vec![]));
        assert_eq!(parse(&tensor(2, &[1], &data)).numbers(), None);
    }

    #[test]
    fn a_shape_beyond_belief_allocates_nothing() {
        let data = bytes_field(6, &doubles(&[1.0]));
        assert_eq!(parse(&tensor(2, &[u64::MAX, u64::MAX], &data)).numbers(), None);
        assert_eq!(parse(&tensor(2, &[1 << 40], &data)).numbers(), None);
        assert_eq!(parse(&tensor(2, &[1; 9], &data)).numbers(), None);
        assert_eq!(parse(&tensor(2, &[3, 5], &data)).shape(), [3, 5]);
    }
}
