//! All integration tests in one program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod builders;
mod cli;
mod cli_config;
mod cli_judging;
mod databases;
mod detectors;
mod detectors_bloom;
mod detectors_layers;
mod detectors_meta;
mod event_loop;
mod formats;
mod frames;
mod frames_alerts;
mod frames_classes;
mod frames_cockpit;
mod frames_files;
mod frames_layer_detail;
mod frames_layers;
mod frames_units;
mod ingest;
mod line;
mod manifest;
mod measures;
mod native_log;
mod notifications;
mod pipeline;
mod pseudo_terminal;
mod pty;
mod readme;
mod screens;
mod sessions;
mod store;
mod t_checks;
mod text_formats;
mod text_grammars;
mod time_cursor;
mod tour;
mod trackers;
