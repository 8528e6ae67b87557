//! Whole files through the decoder.
