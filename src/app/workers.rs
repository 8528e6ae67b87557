//! The thread that does what takes too long for a frame.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use crate::ui::{Background, background::Job};

/// Jobs that wait; those that were cancelled end at once.
const WAITING: usize = 64;

/// A thread with a queue.
///
/// It is not waited for at the end: a job may still be at work.
pub struct Workers(SyncSender<Job>);

impl Workers {
    /// Starts the thread; `done` is called after each job.
    pub fn start(done: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(WAITING);
        thread::Builder::new().name("analysis".to_owned()).spawn(move || work(&jobs, &done))?;
        Ok(Self(sender))
    }
}

impl Background for Workers {
    fn start(&self, job: Job) -> bool {
        self.0.try_send(job).is_ok()
    }
}

fn work(jobs: &Receiver<Job>, done: &dyn Fn()) {
    while let Ok(job) = jobs.recv() {
        // A job that panics gives no result: its sender is dropped, which its view takes for "nothing".
        let _ = catch_unwind(AssertUnwindSafe(job));
        done();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_done_on_another_thread_and_one_that_panics_stops_none() {
        let (sender, done) = sync_channel(2);
        let workers = Workers::start(move || sender.send(()).unwrap()).unwrap();
        let (sender, seen) = sync_channel(1);
        let here = thread::current().id();
        Background::start(&workers, Box::new(|| std::panic::resume_unwind(Box::new("broken"))));
        Background::start(&workers, Box::new(move || sender.send(thread::current().id()).unwrap()));
        done.recv().unwrap();
        done.recv().unwrap();
        assert_ne!(seen.recv().unwrap(), here);
    }
}
