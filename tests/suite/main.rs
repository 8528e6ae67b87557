//! All integration tests in one program.

mod architecture;
mod detectors;
mod event_loop;
mod frames;
mod frames_alerts;
mod frames_classes;
mod frames_files;
mod frames_layers;
mod screens;
mod sessions;
