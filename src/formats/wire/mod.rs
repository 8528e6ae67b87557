//! Pieces that several formats share: protobuf fields, checksums, lines, lenient JSON, numbers.
