//! A simple log of our own events, for `-v` and `--log-file`. Never the only place that an error appears.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::model::{Clock, sanitise};

/// Where notes go; cheap to clone.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    file: Option<Mutex<File>>,
    /// Also to standard error. Off while a screen is up, which would be garbled.
    aloud: bool,
}

impl Journal {
    /// A journal that appends to `file` if there is one and speaks on standard error if `aloud` is set and standard
    /// error is not the terminal on which a screen is shown.
    pub fn new(
        clock: Arc<dyn Clock>,
        file: Option<&Path>,
        aloud: bool,
        screen_is_up: bool,
    ) -> io::Result<Self> {
        let file = match file {
            Some(path) => Some(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)),
            None => None,
        };
        let aloud = aloud && !(screen_is_up && io::stderr().is_terminal());
        Ok(Self { inner: Arc::new(Inner { clock, file, aloud }) })
    }

    /// Notes one event. A journal that cannot be written is not worth stopping for.
    pub fn note(&self, event: &str) {
        if self.inner.file.is_none() && !self.inner.aloud {
            return;
        }
        let line = format!("{:.3} {}\n", self.inner.clock.now().0, sanitise(event));
        if let Some(file) = &self.inner.file {
            let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        }
        if self.inner.aloud {
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}
