//! Follows the logs below a path without a screen: a line of JSON whenever something new was read.
//!
//! `cargo run --example watch -- PATH`; `tools/follow/run.py` uses it to see what real writers' files give while they
//! are being written. It is also the shortest program that embeds the readers and the engine.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::{Arc, PoisonError, RwLock, mpsc::sync_channel},
};

use epochscope::{
    app::clock::RealClock,
    engine::{self, Engine, Session},
    ingest::{self, Options},
    model::Clock,
    store::Limits,
};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: watch PATH");
        return ExitCode::from(2);
    };
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new(None));
    let (news, receiver) = sync_channel(64);
    let options = Options { roots: vec![path.into()], follow: true, workers: 1, ..Options::default() };
    let _reading = match ingest::start(options, Arc::clone(&clock), news) {
        Ok(reading) => reading,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let engine = Engine::new(Limits::default(), true);
    let session = Arc::new(RwLock::new(engine.session()));
    let (changed, changes) = sync_channel(1);
    let _engine = engine::spawn(
        receiver,
        Arc::clone(&session),
        engine,
        Arc::clone(&clock),
        // one waiting change says all there is to say
        Box::new(move |_| {
            let _ = changed.try_send(());
        }),
    );
    let mut said = Value::Null;
    while changes.recv().is_ok() {
        let now = summary(&session.read().unwrap_or_else(PoisonError::into_inner));
        if now != said {
            let line = json!({"seconds": clock.elapsed().as_secs_f64(), "runs": now});
            if writeln!(io::stdout(), "{line}").is_err() {
                break;
            }
            said = now;
        }
    }
    ExitCode::SUCCESS
}

/// Counts by run: enough to see that what is written arrives, and nothing twice.
fn summary(session: &Session) -> Value {
    let mut runs = Map::new();
    for run in session.store.runs() {
        let points: u64 = run.series().map(|s| s.summary().points).sum();
        let layers = run.layers().rows().count();
        let facts = json!({
            "series": run.series_count(), "points": points, "layers": layers,
            "last_step": run.last_step(), "name": run.info().name.as_deref(),
            "ended": run.end().is_some(),
        });
        runs.insert(run.id().as_str().to_owned(), facts);
    }
    Value::Object(runs)
}
