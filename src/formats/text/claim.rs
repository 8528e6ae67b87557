//! Which files are text logs, from their name and start, and how they stand to their run.

use std::path::Path;

use super::decoder::TextDecoder;
use crate::formats::{
    Candidate, Claim, Decoded, Decoder as _, Standing,
    wire::lines::{is_text, named, trim, whole_lines, without_mark},
};

/// How much a name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    /// A log: numbers may come late, so that nothing in its start decides against it.
    Log,
    /// A text file that may be a log.
    Perhaps,
    /// A text file that is something else for certain.
    Other,
    /// None of ours.
    Foreign,
}

/// Decides. A text file with the name of a log is claimed even if it is quiet so far: it makes no run before its first
/// number.
pub(super) fn claim(file: &Candidate<'_>) -> Claim {
    let name = name_says(file.name);
    match name {
        Name::Foreign => return Claim::No(""),
        Name::Other => return Claim::No("the name says that it is no log"),
        Name::Log if is_about_a_logger(file.path, file.name) => {
            return Claim::No("a logger's own log, not one of training");
        }
        Name::Log | Name::Perhaps => {}
    }
    let head = trim(without_mark(file.head));
    let Some(first) = head.first() else {
        return if name == Name::Log { Claim::NotYet } else { Claim::No("") };
    };
    if !is_text(file.head) {
        return Claim::No("no text");
    }
    match first {
        b'{' if head.get(1).is_none_or(|b| matches!(b, b'"' | b'}' | b'\n' | b'\r' | b' ')) => {
            return Claim::No("JSON, not lines of text");
        }
        b'[' if trim(head.get(1..).unwrap_or_default())
            .first()
            .is_some_and(|b| matches!(b, b'{' | b'[' | b'"')) =>
        {
            return Claim::No("JSON, not lines of text");
        }
        b'<' if head.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'?')) => {
            return Claim::No("HTML or XML");
        }
        _ => {}
    }
    if name == Name::Log || has_numbers(file) {
        Claim::Yes
    } else {
        Claim::No("no line of its first 4096 bytes reads like training, and its name is not that of a log")
    }
}

/// How the file at `path` stands to its run.
pub(super) fn standing(path: &Path) -> Standing {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    let folder = |up: usize| -> String {
        path.ancestors()
            .nth(up)
            .and_then(Path::file_name)
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    if name == "output.log" && folder(1) == "files" && folder(2).contains("run-") {
        return Standing::folder(1);
    }
    // SwanLab: `run-…/console/2026-11-23.log`
    if folder(1) == "console" && folder(2).starts_with("run-") {
        return Standing::folder(1);
    }
    if let Some(rank) = later_rank(&name) {
        return Standing::side(0).within(format!("rank {rank}"));
    }
    // MMEngine: `20261123_181859/20261123_181859.log`
    let stamped = name.strip_suffix(".log").is_some_and(|stem| {
        stem == folder(1) && stem.len() == 15 && stem.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    });
    if name == "log.txt" || stamped { Standing::folder(0) } else { Standing::default() }
}

/// Whether the file is the output of a batch job or of a launched program: why it failed is worth showing even if it
/// never came to its first number.
pub(super) fn is_output_of_a_job(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let starts = ["slurm-", "stdout", "stderr", "nohup", "train", "output.log", "std."];
    let ends = [".out", ".err", ".stdout", ".stderr"];
    starts.iter().any(|s| name.starts_with(s))
        || ends.iter().any(|e| name.ends_with(e))
        || is_job_output(&name)
}

fn name_says(name: &str) -> Name {
    const LOGS: &[&str] = &[".log", ".out", ".err", ".stdout", ".stderr"];
    let lower = name.to_ascii_lowercase();
    let is_log = LOGS.iter().any(|end| named(name, end))
        || is_job_output(&lower)
        || later_rank(&lower).is_some()
        || lower == "log.txt.rank0"
        || (["stdout", "stderr"].iter().any(|s| lower.starts_with(s)) && !is_source(&lower));
    if is_log {
        return Name::Log;
    }
    let Some(stem) = lower.strip_suffix(".txt") else { return Name::Foreign };
    if is_other(stem) {
        Name::Other
    } else if is_uuid(stem) || words(stem).any(is_log_word) {
        Name::Log
    } else {
        Name::Perhaps
    }
}

fn words(stem: &str) -> impl Iterator<Item = &str> {
    stem.split(|c: char| !c.is_ascii_alphabetic())
}

fn is_log_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "log", "logs", "out", "output", "stdout", "stderr", "console", "err", "train", "training", "nohup",
        "slurm", "job", "progress",
    ];
    WORDS.contains(&word)
}

/// Names of text files that every source tree and every data set has.
fn is_other(stem: &str) -> bool {
    const STARTS: &[&str] = &[
        "readme",
        "requirements",
        "license",
        "licence",
        "copying",
        "cmakelists",
        "notice",
        "changelog",
        "changes",
        "authors",
        "contributing",
        "third_party",
        "top_level",
        "entry_points",
        "sources",
        "dependency_links",
        "vocab",
        "merges",
        "labels",
        "classes",
        "class_names",
        "robots",
        "constraints",
    ];
    STARTS.iter().any(|start| stem.starts_with(start))
}

fn is_uuid(stem: &str) -> bool {
    stem.len() == 36 && stem.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `job.o123`, `job.e123`: output of PBS and Grid Engine.
fn is_job_output(name: &str) -> bool {
    let Some((_, ending)) = name.rsplit_once('.') else { return false };
    let digits = ending.strip_prefix(['o', 'e']).unwrap_or_default();
    digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `stdout_helper.py` is no output.
fn is_source(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        !matches!(ending, "txt" | "log" | "out") && !ending.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The rank of `log.txt.rank3`, `rank_3.log`, `logs-rank3.txt`, where it is not 0.
fn later_rank(name: &str) -> Option<u32> {
    let at = name.rfind("rank")?;
    let separated = name.get(..at)?.bytes().next_back().is_none_or(|b| !b.is_ascii_alphanumeric());
    let after = name.get(at + 4..)?.trim_start_matches(['_', '-']);
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let ending = after.get(digits..)?;
    let rank = after.get(..digits)?.parse().ok()?;
    (separated && rank > 0 && matches!(ending, "" | ".log" | ".txt" | ".out" | ".err")).then_some(rank)
}

/// Logs that loggers write about themselves.
fn is_about_a_logger(path: &Path, name: &str) -> bool {
    let below = |folder: &str| path.components().any(|c| c.as_os_str() == folder);
    name.starts_with("debug") && (below("wandb") || below("swanlog"))
}

/// Whether some line of the head is one of numbers.
fn has_numbers(file: &Candidate<'_>) -> bool {
    let mut out = Decoded::new();
    let mut decoder = TextDecoder::new(Vec::new(), false);
    let lines = whole_lines(file.head, false);
    decoder.decode(lines, &mut out).is_ok() && out.points() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(name: &str, head: &[u8]) -> Claim {
        let path = Path::new(name);
        let name = path.file_name().unwrap().to_str().unwrap();
        claim(&Candidate { path, name, head, whole: true })
    }

    #[test]
    fn a_quiet_log_is_claimed_by_its_name() {
        for name in [
            "a.log",
            "slurm-1_2.out",
            "job.o12345",
            "x.err",
            "stdout",
            "stderr.txt",
            "stdout.3",
            "log.txt.rank1",
            "log.txt",
            "train_log.txt",
            "04df8c70-2462-4b6c-9e49-c7589b321a81.txt",
        ] {
            assert_eq!(claimed(name, b"import os\n"), Claim::Yes, "{name}");
            assert_eq!(claimed(name, b""), Claim::NotYet, "{name}");
        }
        for name in ["README.txt", "requirements-dev.txt", "LICENSE.txt", "CMakeLists.txt"] {
            assert!(
                matches!(claimed(name, b"epoch 1 loss 2\nepoch 2 loss 1\nepoch 3 loss 1\n"), Claim::No(_)),
                "{name}"
            );
        }
        for name in ["a.py", "log", "stdout_helper.py", "x.1", "a.ou", "vocab.json"] {
            assert_eq!(claimed(name, b"text\n"), Claim::No(""), "{name}");
        }
    }

    #[test]
    fn any_other_text_file_needs_lines_of_training() {
        assert!(matches!(claimed("notes.txt", b"It was a dark night.\n"), Claim::No(_)));
        assert_eq!(
            claimed("notes.txt", b"epoch 1 loss 2.5\nepoch 2 loss 2.0\nepoch 3 loss 1.5\n"),
            Claim::Yes
        );
    }

    #[test]
    fn documents_and_packed_files_are_not_text_logs() {
        for head in [
            &b"{\"step\": 1, \"loss\": 2}\n"[..],
            b"[\n  {\"a\": 1}\n]",
            b"<!DOCTYPE html>",
            b"<?xml version=\"1.0\"?>",
            b"\x08\0\0\0\0\0\0\0\x0a\x06\x01\x02\x03",
        ] {
            assert!(matches!(claimed("x.log", head), Claim::No(_)), "{head:?}");
        }
        assert_eq!(claimed("x.log", b"{'loss': 2.5}\n"), Claim::Yes);
        assert_eq!(claimed("x.log", b"[2026-11-23 18:00:00] start\n"), Claim::Yes);
        assert!(matches!(
            claimed("wandb/run-1/logs/debug.log", b"2026-11-23 17:55:55 INFO x\n"),
            Claim::No(_)
        ));
    }

    #[test]
    fn how_a_file_stands_to_its_run_is_told_by_its_path() {
        let of = |path: &str| standing(Path::new(path));
        assert_eq!(of("swanlog/run-20261123_180751-ab/console/2026-11-23.log"), Standing::folder(1));
        assert_eq!(of("wandb/run-20261123_175555-ab/files/output.log"), Standing::folder(1));
        assert_eq!(of("x/output/log.txt"), Standing::folder(0));
        assert_eq!(of("x/log.txt.rank3"), Standing::side(0).within("rank 3"));
        assert_eq!(of("w/20261123_181859/20261123_181859.log"), Standing::folder(0));
        for log in ["w/a.log", "w/rank_0.log", "slurm-1.out", "w/frank1.log"] {
            assert_eq!(of(log), Standing::default(), "{log}");
        }
    }
}
