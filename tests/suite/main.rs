//! All integration tests in one program.

mod detectors;
mod frames;
mod frames_alerts;
mod frames_classes;
mod frames_files;
mod frames_layers;
mod screens;
mod sessions;
