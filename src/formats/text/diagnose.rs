//! What a log itself says of its troubles: tracebacks, memory, communication, the batch system.

use std::{borrow::Cow, sync::LazyLock};

use regex::bytes::Regex;

use super::{grammar::Note, sink::Sink};
use crate::{formats::Decoded, model::EndStatus};

/// Nothing but literals, so that the search runs over many bytes at once.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        "Traceback \\(most recent|CUDA out of memory|OutOfMemoryError|CUDA error:|NCCL|slurmstepd|srun: error|OVERFLOW|\
         nan iterations|ChildFailedError|Segmentation fault|oom-kill|oom_kill|\\[HYDRA\\]\
         |Training completed\\. Do not forget|`Trainer\\.fit` stopped: `max_",
    )
    .ok()
});

/// Exception lines that a traceback may have after its message before it is given up.
const TRACEBACK_LINES: u32 = 2000;

/// Finds the lines that are worth a look without looking at each.
#[derive(Debug, Default)]
pub(super) struct Hits {
    next: Option<usize>,
}

impl Hits {
    /// For bytes that are about to be cut into lines.
    pub fn new(bytes: &[u8]) -> Self {
        Self { next: find(bytes, 0) }
    }

    /// Whether a word stands in that part of the bytes. Parts come in order.
    pub fn within(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        if self.next.is_some_and(|at| at < start) {
            self.next = find(bytes, start);
        }
        self.next.is_some_and(|at| at < end)
    }
}

fn find(bytes: &[u8], mut from: usize) -> Option<usize> {
    let words = WORDS.as_ref()?;
    loop {
        let found = words.find_at(bytes, from)?;
        if !counts_none(bytes.get(found.start()..).unwrap_or_default()) {
            return Some(found.start());
        }
        from = found.end();
    }
}

/// Megatron counts its NaN iterations in every line; almost always there are none.
fn counts_none(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"nan iterations:") else { return false };
    let count = rest.trim_ascii_start();
    matches!(count, [b'0', after, ..] if !after.is_ascii_digit())
}

/// Reads diagnoses of one file.
#[derive(Debug, Default)]
pub(super) struct Diagnoses {
    /// Lines since `Traceback`, while its last line has not come.
    traceback: Option<u32>,
}

impl Diagnoses {
    /// Whether the next line is of interest even without a telling word.
    pub fn attentive(&self) -> bool {
        self.traceback.is_some()
    }

    /// Looks at a line. `text` is without prefixes but as it was indented; `wall` is its time.
    pub fn read(&mut self, text: &str, wall: Option<f64>, sink: &mut Sink, out: &mut Decoded) {
        if let Some(lines) = self.traceback {
            self.traceback = Some(lines + 1).filter(|n| *n < TRACEBACK_LINES);
            let begun = text.starts_with("Traceback (most recent");
            if begun || text.starts_with([' ', '\t']) || text.starts_with("  ") {
                return;
            }
            if is_exception(text) {
                self.traceback = None;
                let rule = if is_memory(text) { "out-of-memory" } else { "traceback" };
                alert(rule, "critical", text, wall, sink, out);
                sink.end(EndStatus::Failed, out);
                return;
            }
        }
        if text.contains("Traceback (most recent call last)") {
            self.traceback = Some(0);
            return;
        }
        Self::word(text, wall, sink, out);
    }

    fn word(text: &str, wall: Option<f64>, sink: &mut Sink, out: &mut Decoded) {
        let has = |word| text.contains(word);
        if has("slurmstepd") && (has("CANCELLED") || has("oom")) {
            alert(slurm_rule(text), "critical", text, wall, sink, out);
            sink.end(EndStatus::Failed, out);
        } else if is_memory(text) || has("oom-kill") || has("oom_kill") {
            alert("out-of-memory", "critical", text, wall, sink, out);
        } else if has("NCCL") {
            let bad = ["error", "Error", "ERROR", "timeout", "Timeout", "WARN ", "Watchdog", "failure"];
            if bad.into_iter().any(has) {
                alert("nccl", if has("WARN ") { "warning" } else { "critical" }, text, wall, sink, out);
            }
        } else if has("srun: error")
            || has("CUDA error:")
            || has("ChildFailedError")
            || has("Segmentation fault")
        {
            alert("job-error", "critical", text, wall, sink, out);
        } else if has("OVERFLOW") && (has("loss scale") || has("Skipping step")) {
            alert("loss-scale-overflow", "info", text, wall, sink, out);
        } else if let Some(count) = nan_iterations(text) {
            let message = format!("{count} nan iterations");
            let note = Note::Alert { rule: "nan-iterations", severity: "warning", message: message.into() };
            sink.note(&note, wall, out);
        } else if has("Training completed. Do not forget") || has("`Trainer.fit` stopped: `max_") {
            sink.end(EndStatus::Finished, out);
        }
    }
}

fn alert(
    rule: &'static str,
    severity: &'static str,
    text: &str,
    wall: Option<f64>,
    sink: &mut Sink,
    out: &mut Decoded,
) {
    sink.note(&Note::Alert { rule, severity, message: Cow::Borrowed(text.trim()) }, wall, out);
}

fn is_memory(text: &str) -> bool {
    text.contains("CUDA out of memory") || text.contains("OutOfMemoryError")
}

fn slurm_rule(text: &str) -> &'static str {
    if text.contains("TIME LIMIT") {
        "slurm-time-limit"
    } else if text.contains("PREEMPTION") {
        "slurm-preempted"
    } else {
        "slurm-cancelled"
    }
}

/// The last line of a traceback: `package.SomeError: message`, `KeyboardInterrupt`.
fn is_exception(text: &str) -> bool {
    let name = text.split([':', ' ', '(']).next().unwrap_or_default();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    let last = name.rsplit('.').next().unwrap_or_default();
    plain && last.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && !last.is_empty()
}

/// How many, where Megatron says that there are some.
fn nan_iterations(text: &str) -> Option<u32> {
    let (_, after) = text.split_once("number of nan iterations:")?;
    let after = after.trim_start();
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    after.get(..digits)?.parse().ok().filter(|n| *n > 0)
}

/// The overrides of a job that Hydra's launcher starts in the same process: `#2 : lr=0.5 seed=1`.
pub(super) fn hydra_job(text: &str) -> Option<&str> {
    let after = text.strip_prefix('#')?;
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let overrides = after.get(digits..)?.trim_start().strip_prefix(':')?.trim();
    (digits > 0 && !overrides.is_empty()).then_some(overrides)
}
