//! Writes events for the tests of this folder.

use crate::formats::wire::crc32c;

pub(super) fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

pub(super) fn varint_field(number: u64, n: u64) -> Vec<u8> {
    [varint(number << 3), varint(n)].concat()
}

pub(super) fn bytes_field(number: u64, body: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(body.len() as u64), body.to_vec()].concat()
}

pub(super) fn double_field(number: u64, n: f64) -> Vec<u8> {
    [varint(number << 3 | 1), n.to_le_bytes().to_vec()].concat()
}

pub(super) fn doubles(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// A TFRecord around `payload`.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &crc32c::masked(&length).to_le_bytes(), payload, &crc32c::masked(payload).to_le_bytes()]
        .concat()
}

/// An event with that field beside time and step.
pub(super) fn event_with(wall: f64, step: i64, what: &[u8]) -> Vec<u8> {
    [double_field(1, wall), varint_field(2, step.cast_unsigned()), what.to_vec()].concat()
}

/// An event with a summary of these values.
pub(super) fn event(wall: f64, step: i64, values: &[Vec<u8>]) -> Vec<u8> {
    let summary: Vec<u8> = values.iter().flat_map(|v| bytes_field(1, v)).collect();
    event_with(wall, step, &bytes_field(5, &summary))
}

pub(super) fn simple(tag: &str, value: f32) -> Vec<u8> {
    [bytes_field(1, tag.as_bytes()), vec![0x15], value.to_le_bytes().to_vec()].concat()
}

pub(super) fn scalar(wall: f64, step: i64, tag: &str, value: f32) -> Vec<u8> {
    event(wall, step, &[simple(tag, value)])
}

/// A `SummaryMetadata` with plugin name and content.
pub(super) fn metadata(plugin: &str, content: &[u8]) -> Vec<u8> {
    let data = [bytes_field(1, plugin.as_bytes()), bytes_field(2, content)].concat();
    bytes_field(9, &bytes_field(1, &data))
}

/// A `TensorProto` field of a value.
pub(super) fn tensor(dtype: u64, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|d| bytes_field(2, &varint_field(1, *d))).collect();
    bytes_field(8, &[varint_field(1, dtype), bytes_field(2, &dims), data.to_vec()].concat())
}

/// A value of `tag` made of further fields.
pub(super) fn value(tag: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    [bytes_field(1, tag.as_bytes()), fields.concat()].concat()
}
