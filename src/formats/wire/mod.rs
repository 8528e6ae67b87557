//! Pieces that several formats share: protobuf fields, checksums, lines, lenient JSON, numbers.

pub mod crc32c;
pub mod protobuf;
