//! Pieces that several formats share: protobuf fields, checksums, lines, lenient JSON, numbers.

pub mod axes;
pub mod blocks;
pub mod buckets;
pub mod crc32c;
pub mod json;
pub mod json_tree;
pub mod lines;
pub mod numbers;
pub mod paths;
pub mod protobuf;
pub mod rocksdb;
pub mod series;
pub mod sqlite;
pub mod template;
pub mod words;
