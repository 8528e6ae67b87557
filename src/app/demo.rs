//! `demo`: a few real logs, carried inside the program, revealed at a pace through the live path.

use std::{sync::Arc, time::Duration};

use super::{
    cli::DemoArgs,
    error::AppError,
    monitor,
    notifications::flags::NotifyFlags,
    reading::{Setting, start_error},
    terminal,
};
use crate::ingest::replay::{self, Pace, ReplayFile};

macro_rules! sample {
    ($path:literal) => {
        ReplayFile {
            path: $path,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/sample_logs/", $path)),
        }
    };
}

/// What is replayed: a healthy run and one of each kind of trouble, from four formats. See `sample_logs/README.md`.
pub static SAMPLES: &[ReplayFile] = &[
    sample!("torch-tensorboard/healthy/events.out.tfevents.1795467088.vm.13911.0"),
    sample!("torch-tensorboard/overfit/events.out.tfevents.1795467141.vm.13987.6"),
    sample!("torch-tensorboard/nan/events.out.tfevents.1795467129.vm.13987.0"),
    sample!("torch-tensorboard/dead_units/events.out.tfevents.1795467129.vm.13987.1"),
    sample!("scope/digits-cnn/digits.scope.jsonl"),
    sample!("lightning/lightning_logs/version_0/metrics.csv"),
    sample!("jsonl/diverging/metrics.jsonl"),
];

/// How long the whole replay takes at speed 1: long enough to look at every view while it moves.
const DURATION: Duration = Duration::from_secs(90);

/// Shows the replay in the monitor.
pub fn demo(arguments: &DemoArgs, setting: &Setting) -> Result<u8, AppError> {
    if !terminal::can_show_a_screen() {
        return Err(AppError::new(
            "cannot show the demo",
            "standard output is no terminal",
            "run it in an interactive terminal, or try `epochscope status sample_logs`",
        ));
    }
    let pace = Pace { duration: DURATION.div_f64(arguments.speed) };
    // What happens in a demo is no reason to call anybody.
    let setting = &Setting { notify: NotifyFlags::default(), ..setting.clone() };
    monitor::show(setting, None, |out| {
        replay::start(SAMPLES, pace, Arc::clone(&setting.clock), out).map_err(|e| start_error(&e))
    })
}
