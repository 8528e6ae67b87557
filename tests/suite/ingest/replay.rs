//! The demo's logs arrive as if they were being written.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use epochscope::{
    ingest::replay::{Pace, ReplayFile, start},
    model::{Clock, ManualClock, News, WallTime},
};

static FILES: &[ReplayFile] = &[
    ReplayFile { path: "a/metrics.jsonl", bytes: b"{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n" },
    ReplayFile { path: "b/metrics.csv", bytes: b"step,loss\n1,5\n2,6\n3,7\n4,8\n" },
];

type Steps = BTreeMap<String, Vec<i64>>;

#[test]
fn a_part_of_the_time_reveals_that_part_of_each_log() {
    let clock = Arc::new(ManualClock::new(WallTime(1e9)));
    let (out, news) = sync_channel(64);
    let pace = Pace { duration: Duration::from_secs(10) };
    let ingest = start(FILES, pace, Arc::clone(&clock) as Arc<dyn Clock>, out).unwrap();
    let mut points = Steps::new();
    let mut listen = |enough: &dyn Fn(&Steps) -> bool| {
        while !enough(&points) {
            if let News::Batch(batch) = news.recv_timeout(Duration::from_secs(10)).unwrap() {
                assert!(!batch.reset);
                for column in batch.columns {
                    let steps: &mut Vec<i64> = points.entry(batch.run.to_string()).or_default();
                    steps.extend(column.points.iter().map(|p| p.step));
                }
            }
        }
    };
    clock.advance(Duration::from_secs(6));
    listen(&|p| p.get("a").is_some_and(|s| s == &[1]) && p.get("b").is_some_and(|s| s == &[1]));
    clock.advance(Duration::from_mins(1));
    listen(&|p| p.get("a").is_some_and(|s| s == &[1, 2]) && p.get("b").is_some_and(|s| s == &[1, 2, 3, 4]));
    drop(ingest);
}
