//! Inside the network: a network of 1,000 layers with 500 records of weights, gradients and activations each, and 500
//! perplexity histograms.
//!
//! `first_picture`: a new screen over a store that is read, until everything is drawn. `key`: the next frame after a key
//! while nothing is worked out beside it. `key_while_records_come`: the same when every layer got a record since.

use std::{alloc::System, cell::RefCell};

use cap::Cap;
use divan::Bencher;
use epochscope::{
    model::{
        Artefact, ArtefactKind, Batch, FileId, HistogramRecord, LayerKind, LayerName, LayerRecord,
        LayerStats, NumericArray, Origin, Payload, Record, RunId, WallTime,
    },
    store::{Limits, Store},
    ui::background::Inline,
};

#[path = "support/desk.rs"]
mod desk;

use desk::{Busy, Desk};

const LAYERS: usize = 1_000;
const RECORDS: i64 = 500;
const HISTOGRAMS: i64 = 50;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn main() {
    let before = ALLOCATOR.allocated();
    let store = store();
    println!("the store takes {:.0} MB", (ALLOCATOR.allocated() - before) as f64 / 1e6);
    drop(store);
    divan::main();
}

fn noise(n: u64) -> f64 {
    let mixed = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 27)) >> 40) as f64 / (1u64 << 24) as f64
}

/// Records of one step of all layers; they settle one after the other.
fn step(record: i64) -> Batch {
    let mut batch = Batch::new(RunId::from("deep"), Origin::new(FileId(1), "0"));
    let array =
        |values: Vec<f64>| Payload::Array(NumericArray::new(vec![values.len()], values).expect("a list"));
    for layer in 0..LAYERS {
        let name = LayerName::from(format!("blocks.{layer}.mlp").as_str());
        let settles = 100.0 + 0.3 * layer as f64;
        let size = (-(record as f64) / settles).exp() + 0.001;
        let jitter = 1.0 + 0.05 * noise(record as u64 * 7919 + layer as u64);
        let middle = 4.0 + 12.0 * size + 0.3 * jitter;
        let counts = (0..20).map(|b| (200.0 * (-0.5 * (f64::from(b) - middle).powi(2) / 6.0).exp()).round());
        batch.records.push(Record::Artefact(Artefact {
            kind: ArtefactKind::Perplexity,
            name: name.as_str().into(),
            step: Some(record * 10),
            wall: WallTime(1.75e9 + record as f64),
            offset: 0,
            bytes: 300,
            fields: vec![
                ("edges".into(), array((0..=20).map(|i| 1.3_f64.powi(i)).collect())),
                ("counts".into(), array(counts.collect())),
                ("filters".into(), Payload::Number(190.0)),
            ],
        }));
        for kind in [LayerKind::Weights, LayerKind::Gradients, LayerKind::Activations] {
            let norm = if kind == LayerKind::Weights { 20.0 } else { size * jitter };
            let stats = LayerStats {
                mean: Some(0.0),
                std: Some(norm * 0.01),
                min: Some(-norm),
                max: Some(norm),
                absmean: Some(norm * 0.01),
                norm: Some(norm),
                numel: Some(65_536.0),
                nan: Some(0.0),
                update_norm: (kind == LayerKind::Weights).then_some(size * 0.02 * jitter),
                ..LayerStats::default()
            };
            batch.records.push(Record::Layer(LayerRecord {
                layer: name.clone(),
                kind,
                step: record * 10,
                wall: WallTime(1.75e9 + record as f64),
                split: std::sync::Arc::default(),
                stats,
            }));
        }
        if record % (RECORDS / HISTOGRAMS) == 0 {
            batch.records.push(Record::Histogram(HistogramRecord {
                layer: name,
                kind: LayerKind::Weights,
                step: record * 10,
                wall: WallTime(1.75e9 + record as f64),
                edges: (0..=30).map(|i| f64::from(i - 15) * (0.01 + size * 0.001)).collect(),
                counts: (0..30).map(|i| f64::from(100 - (i - 15) * (i - 15) / 3)).collect(),
                stats: LayerStats::default(),
            }));
        }
    }
    batch
}

fn store() -> Store {
    let mut store = Store::new(Limits::default());
    for record in 0..RECORDS {
        store.apply(&step(record));
    }
    store
}

#[divan::bench(sample_count = 10)]
fn first_picture(bencher: Bencher<'_, '_>) {
    let store = store();
    bencher.bench_local(|| Desk::new(&store, "layers", "deep").draw(&store, &Inline));
}

#[divan::bench]
fn key(bencher: Bencher<'_, '_>) {
    let store = store();
    let mut desk = Desk::new(&store, "layers", "deep");
    desk.draw(&store, &Inline);
    bencher.bench_local(|| desk.key(&store, &Inline, 'j'));
}

#[divan::bench(sample_count = 20)]
fn key_while_records_come(bencher: Bencher<'_, '_>) {
    let store = RefCell::new(store());
    let mut desk = Desk::new(&store.borrow(), "layers", "deep");
    desk.draw(&store.borrow(), &Inline);
    let mut record = RECORDS;
    // What the engine's thread does is not timed.
    let news = || {
        record += 1;
        store.borrow_mut().apply(&step(record));
    };
    bencher.with_inputs(news).bench_local_values(|()| desk.key(&store.borrow(), &Busy, 'j'));
}

/// A frame with the time cursor on another step: every layer as it was then.
#[divan::bench(sample_count = 20)]
fn key_time_cursor(bencher: Bencher<'_, '_>) {
    let store = store();
    let mut desk = Desk::new(&store, "layers", "deep");
    desk.draw(&store, &Inline);
    bencher.bench_local(|| desk.key(&store, &Busy, '['));
}
