//! epochscope: a terminal monitor for deep-learning training.
//!
//! Data flows one way. From low to high:
//!
//! ```text
//! growing files ──▶ ingest ──▶ Batch ──▶ engine ──▶ Session ──▶ ui ──▶ terminal
//!                     │                    │  (store, alerts, health)
//!                   formats              detect
//!                (bytes → Batch)       (judges)
//! ```
//!
//! Which module may name which is the table in `tests/suite/architecture.rs`.

pub mod analysis;
pub mod app;
pub mod detect;
pub mod engine;
pub mod formats;
pub mod ingest;
pub mod model;
pub mod store;
pub mod ui;
