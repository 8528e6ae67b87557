//! `--on-alert COMMAND`: a program of the user's, run for each message.
//!
//! **Invariants:** no shell reads what comes from a log; at most [`AT_ONCE`] commands run, of one run and rule at most
//! one; a command that takes too long is killed with its process group; nobody waits for any of it.

use std::{
    collections::VecDeque,
    env,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{
    background::{Background, Shared, WAITING},
    channel::{Channel, Surroundings},
    flags::NotifyFlags,
    notice::Message,
    words,
};
use crate::{app::error::AppError, model::sanitise};

/// Seconds that a command may take where the user does not say.
const TIME_LIMIT_S: f64 = 30.0;
/// Commands that run at the same time.
const AT_ONCE: usize = 4;
/// How often running commands are looked at.
const LOOK: Duration = Duration::from_millis(20);

struct Commands {
    line: String,
    background: Background,
}

/// The command, if one is asked for; an error if there is no such program.
pub fn channel(flags: &NotifyFlags, around: &Surroundings) -> Result<Option<Box<dyn Channel>>, AppError> {
    let Some(line) = flags.on_alert.clone() else { return Ok(None) };
    let wrong = |why: String| {
        let advice = "write a program and its arguments; for a shell's own words: --on-alert \"sh -c '…'\"";
        AppError::new("cannot run the command of --on-alert", why, advice)
    };
    let words = words::words(&line).map_err(wrong)?;
    let program = words.first().cloned().unwrap_or_default();
    if !can_be_run(&program, env::var_os("PATH").as_deref()) {
        return Err(wrong(format!("there is no program `{program}` that can be run")));
    }
    let limit = Duration::from_secs_f64(flags.on_alert_timeout.unwrap_or(TIME_LIMIT_S));
    let around = around.clone();
    let background = Background::start("on-alert", move |receiver, shared| {
        let (queue, running) = (VecDeque::new(), Vec::new());
        Worker { words, limit, around, queue, running, shared }.work(receiver);
    })
    .map_err(|e| wrong(e.to_string()))?;
    Ok(Some(Box::new(Commands { line, background })))
}

/// Whether the system would find a program of that name.
fn can_be_run(program: &str, path: Option<&std::ffi::OsStr>) -> bool {
    let is = |path: &Path| path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return is(Path::new(program));
    }
    path.is_some_and(|path| env::split_paths(path).any(|folder: PathBuf| is(&folder.join(program))))
}

impl Channel for Commands {
    fn name(&self) -> &'static str {
        "on-alert"
    }

    fn address(&self) -> String {
        self.line.clone()
    }

    fn send(&mut self, message: &Message) -> bool {
        self.background.send(message)
    }

    fn finish(&mut self, patience: Duration) -> u64 {
        self.background.finish(patience, Duration::from_secs(1))
    }
}

struct Worker {
    words: Vec<String>,
    limit: Duration,
    around: Surroundings,
    queue: VecDeque<Message>,
    running: Vec<Running>,
    shared: Shared,
}

struct Running {
    child: Child,
    subject: (String, &'static str),
    deadline: Duration,
}

impl Worker {
    fn work(&mut self, receiver: &Receiver<Message>) {
        let mut open = true;
        while open || !self.queue.is_empty() || !self.running.is_empty() {
            open &= self.take(receiver, open);
            self.look();
            if self.shared.hurry.load(Ordering::SeqCst) {
                for running in &mut self.running {
                    kill(&mut running.child);
                }
                return;
            }
            self.start_some();
        }
    }

    /// Takes messages as long as there is room; waits if there is nothing else to do. False when no more will come.
    fn take(&mut self, receiver: &Receiver<Message>, open: bool) -> bool {
        if !open || self.queue.len() >= WAITING {
            thread::park_timeout(LOOK);
            return open;
        }
        let first = if self.running.is_empty() && self.queue.is_empty() {
            receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            receiver.recv_timeout(LOOK)
        };
        match first {
            Ok(message) => self.queue.push_back(message),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        while self.queue.len() < WAITING {
            match receiver.try_recv() {
                Ok(message) => self.queue.push_back(message),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    /// Sees who has ended, and ends who takes too long.
    fn look(&mut self) {
        let now = self.around.clock.elapsed();
        let (say, limit) = (&self.around.say, self.limit);
        let before = self.running.len();
        self.running.retain_mut(|running| match running.child.try_wait() {
            Ok(Some(status)) if status.success() => false,
            Ok(Some(status)) => {
                say(&format!("on-alert: the command ended with {status}"));
                false
            }
            Ok(None) if now < running.deadline => true,
            Ok(None) => {
                kill(&mut running.child);
                say(&format!("on-alert: the command was killed after {} s", limit.as_secs_f64()));
                false
            }
            Err(error) => {
                say(&format!("on-alert: {error}"));
                false
            }
        });
        self.shared.waiting.fetch_sub((before - self.running.len()) as u64, Ordering::SeqCst);
    }

    fn start_some(&mut self) {
        let mut at = 0;
        while self.running.len() < AT_ONCE && at < self.queue.len() {
            let subject = self.queue.get(at).map(Message::subject).unwrap_or_default();
            if self.running.iter().any(|r| r.subject == subject) {
                at += 1;
                continue;
            }
            let Some(message) = self.queue.remove(at) else { return };
            match self.start(&message) {
                Ok(child) => {
                    let deadline = self.around.clock.elapsed() + self.limit;
                    self.running.push(Running { child, subject, deadline });
                }
                Err(error) => {
                    self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
                    (self.around.say)(&format!("on-alert: the command cannot be run: {error}"));
                }
            }
        }
    }

    fn start(&self, message: &Message) -> std::io::Result<Child> {
        let (program, arguments) = self.words.split_first().map_or(("", &[][..]), |(p, a)| (p.as_str(), a));
        let mut command = Command::new(program);
        command.args(arguments).process_group(0).stdin(Stdio::piped());
        for (name, value) in variables(message) {
            command.env(format!("EPOCHSCOPE_{name}"), value);
        }
        if self.around.screen {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        } else {
            // Standard output is for our own lines.
            command.stdout(Stdio::from(std::io::stderr())).stderr(Stdio::inherit());
        }
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            let json = message.json() + "\n";
            // A command that does not read must not stop us: a pipe takes 64 KiB at most. One that has ended
            // already did not want it.
            let write = move || drop(input.write_all(json.as_bytes()));
            thread::Builder::new().name("on-alert input".into()).spawn(write)?;
        }
        Ok(child)
    }
}

/// Kills a command and all that it started and that did not leave its group.
fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The alert as environment variables; texts are made harmless, what is unknown is empty.
fn variables(message: &Message) -> Vec<(&'static str, String)> {
    let clean = |text: &str| sanitise(text).into_owned();
    let mut all = vec![
        ("HEADLINE", message.headline()),
        ("SEVERITY", message.severity().name().to_owned()),
        ("COUNT", message.count().to_string()),
        ("MESSAGE", message.details().replace('\n', " ")),
    ];
    match message {
        Message::Many { .. } => all.push(("EVENT", "summary".to_owned())),
        Message::One(notice) => {
            let alert = &notice.alert;
            let step = |step: Option<i64>| step.map(|step| step.to_string()).unwrap_or_default();
            all.extend([
                ("EVENT", notice.event.name().to_owned()),
                ("RUN", clean(notice.run.as_str())),
                ("RULE", alert.rule.to_owned()),
                ("SERIES", clean(alert.series.as_deref().unwrap_or_default())),
                ("LAYER", clean(alert.layer.as_deref().unwrap_or_default())),
                ("STEP", step(alert.step)),
                ("SINCE_STEP", step(alert.since_step)),
                ("TIME", alert.time.map(|time| time.to_string()).unwrap_or_default()),
                ("ADVICE", clean(&alert.advice)),
            ]);
            if let Some(message) = all.iter_mut().find(|(name, _)| *name == "MESSAGE") {
                message.1 = clean(&alert.message);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_said_before_anything_starts() {
        let path = env::var_os("PATH");
        assert!(can_be_run("sh", path.as_deref()) && can_be_run("/bin/sh", None));
        assert!(!can_be_run("no-such-program", path.as_deref()) && !can_be_run("/etc/passwd", None));
    }
}
