//! Instances over the epochs.
