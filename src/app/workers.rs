//! The thread that does what takes too long for a frame.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use crate::ui::{Background, background::Job};

/// A thread with a queue. Jobs that were cancelled end at once, so that the queue stays short.
///
/// It is not waited for at the end: a job may still be at work.
pub struct Workers(Sender<Job>);

impl Workers {
    /// Starts the thread; `done` is called after each job.
    pub fn start(done: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (sender, jobs) = channel();
        thread::Builder::new().name("analysis".to_owned()).spawn(move || work(&jobs, &done))?;
        Ok(Self(sender))
    }
}

impl Background for Workers {
    fn start(&self, job: Job) {
        // Without the thread the result does not come; the view says that nothing is known.
        let _ = self.0.send(job);
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
        let (sender, done) = channel();
        let workers = Workers::start(move || sender.send(()).unwrap()).unwrap();
        let (sender, seen) = channel();
        let here = thread::current().id();
        Background::start(&workers, Box::new(|| std::panic::resume_unwind(Box::new("broken"))));
        Background::start(&workers, Box::new(move || sender.send(thread::current().id()).unwrap()));
        done.recv().unwrap();
        done.recv().unwrap();
        assert_ne!(seen.recv().unwrap(), here);
    }
}
