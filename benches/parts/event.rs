//! Event files as benches write them: protobuf fields and framed events.

use epochscope::formats::wire::crc32c;

/// An unsigned number in groups of seven bits.
pub fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// A field of bytes.
pub fn field(number: u64, body: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(body.len() as u64), body.to_vec()].concat()
}

/// A `TFRecord` of an event with one value.
pub fn event(step: u64, value: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x09];
    payload.extend((1.75e9 + step as f64).to_le_bytes());
    payload.push(0x10);
    payload.extend([varint(step), field(5, &field(1, value))].concat());
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &crc32c::masked(&length).to_le_bytes(), &payload, &crc32c::masked(&payload).to_le_bytes()]
        .concat()
}
