//! Classes: a confusion matrix of 1,000 classes in 100 groups, 50 samples each, at 50 epochs.
//!
//! `first_picture`: a new screen over a store that is read, until everything is drawn, with the order worked out on the
//! way. `first_picture_while_ordering` and `key_while_ordering`: the same beside a machine that never gets round to it.
//! `arrange` and its parts: what is done beside the drawing thread.

use std::sync::Arc;

use divan::{Bencher, black_box};
use epochscope::{
    analysis::{
        Cancel,
        classes::{Evidence, arrange, confusion_similarity},
        cluster::{Distances, average_linkage, greedy_order, optimal_order, structure},
    },
    model::{Batch, ConfusionMatrix, ConfusionRecord, FileId, Origin, PackedMatrix, Record, RunId, WallTime},
    store::{Limits, Store},
    ui::background::Inline,
};
use ndarray::Array2;

#[path = "support/desk.rs"]
mod desk;

use desk::{Busy, Desk};

const CLASSES: usize = 1_000;
const GROUPS: usize = 100;
const SAMPLES: usize = 50;
const EPOCHS: i64 = 50;

fn main() {
    let store = store();
    let run = store.run(&RunId::from("many")).expect("the run is there");
    let packed: usize = run.confusions().of("val").iter().map(|e| e.matrix.heap_bytes()).sum();
    println!(
        "{EPOCHS} matrices of {CLASSES} classes: {} kept, {:.1} MB (dense {} MB)",
        run.confusions().of("val").len(),
        packed as f64 / 1e6,
        EPOCHS as usize * CLASSES * CLASSES * 8 / 1_000_000
    );
    divan::main();
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (((z ^ (z >> 27)) >> 33) as usize) % n
    }
}

/// The evaluation of an epoch: errors fall, most of them stay in the group, which is every hundredth class.
fn matrix(epoch: i64) -> ConfusionMatrix {
    let mut random = Random(epoch as u64);
    let right = 20 + 60 * epoch as usize / EPOCHS as usize;
    let mut counts = Array2::zeros((CLASSES, CLASSES));
    for class in 0..CLASSES {
        for _ in 0..SAMPLES {
            let predicted = match random.below(100) {
                p if p < right => class,
                p if p < right + (100 - right) * 4 / 5 => {
                    class % GROUPS + GROUPS * random.below(CLASSES / GROUPS)
                }
                _ => random.below(CLASSES),
            };
            counts[[class, predicted]] += 1.0;
        }
    }
    ConfusionMatrix::new(counts).expect("a square of counts")
}

fn batch(epoch: i64) -> Batch {
    let mut batch = Batch::new(RunId::from("many"), Origin::new(FileId(1), "0"));
    batch.records.push(Record::Confusion(ConfusionRecord {
        split: Arc::from("val"),
        step: epoch * 100,
        epoch: Some(epoch as f64),
        wall: WallTime(1.75e9 + epoch as f64),
        matrix: matrix(epoch),
        names: None,
        task: Arc::from(""),
    }));
    batch
}

fn store() -> Store {
    let mut store = Store::new(Limits::default());
    for epoch in 1..=EPOCHS {
        store.apply(&batch(epoch));
    }
    store
}

#[divan::bench(sample_count = 10)]
fn first_picture(bencher: Bencher<'_, '_>) {
    let store = store();
    bencher.bench_local(|| Desk::new(&store, "classes", "many").draw(&store, &Inline));
}

#[divan::bench(sample_count = 10)]
fn first_picture_while_ordering(bencher: Bencher<'_, '_>) {
    let store = store();
    bencher.bench_local(|| Desk::new(&store, "classes", "many").draw(&store, &Busy));
}

/// The cursor moves, the normalisation changes (everything is added up again), the time cursor goes back.
#[divan::bench(args = ['j', 'N', 'v', '['], sample_count = 20)]
fn key_while_ordering(bencher: Bencher<'_, '_>, key: char) {
    let store = store();
    let mut desk = Desk::new(&store, "classes", "many");
    desk.draw(&store, &Busy);
    bencher.bench_local(|| desk.key(&store, &Busy, key));
}

#[divan::bench(args = ['j', 'N', 'C'], sample_count = 20)]
fn key_when_ordered(bencher: Bencher<'_, '_>, key: char) {
    let store = store();
    let mut desk = Desk::new(&store, "classes", "many");
    desk.draw(&store, &Inline);
    bencher.bench_local(|| desk.key(&store, &Busy, key));
}

#[divan::bench(sample_count = 10)]
fn a_matrix_is_read_into_the_store(bencher: Bencher<'_, '_>) {
    let mut store = store();
    let mut epoch = EPOCHS;
    bencher
        .with_inputs(|| {
            epoch += 1;
            batch(epoch)
        })
        .bench_local_values(|batch| store.apply(&batch));
}

fn distances() -> Distances {
    let matrices: Vec<PackedMatrix> = (EPOCHS - 3..=EPOCHS).map(|e| PackedMatrix::new(&matrix(e))).collect();
    Distances::of_similarity(&confusion_similarity(&matrices))
}

#[divan::bench(sample_count = 10)]
fn the_whole_order(bencher: Bencher<'_, '_>) {
    let evaluations: Vec<PackedMatrix> = (1..=EPOCHS).map(|e| PackedMatrix::new(&matrix(e))).collect();
    let evidence = Evidence { classes: CLASSES, evaluations, ..Evidence::default() };
    bencher.bench_local(|| arrange(black_box(&evidence), &Cancel::default()));
}

#[divan::bench(sample_count = 10)]
fn linkage(bencher: Bencher<'_, '_>) {
    let distances = distances();
    bencher.bench_local(|| average_linkage(black_box(&distances), &Cancel::default()));
}

#[divan::bench(args = ["optimal", "greedy"], sample_count = 10)]
fn leaf_order(bencher: Bencher<'_, '_>, way: &str) {
    let (distances, cancel) = (distances(), Cancel::default());
    let tree = average_linkage(&distances, &cancel).expect("not cancelled");
    bencher.bench_local(|| match way {
        "optimal" => optimal_order(&tree, black_box(&distances), &cancel),
        _ => greedy_order(&tree, black_box(&distances), &cancel),
    });
}

#[divan::bench(sample_count = 3)]
fn how_clear_groups_are(bencher: Bencher<'_, '_>) {
    let (distances, cancel) = (distances(), Cancel::default());
    let tree = average_linkage(&distances, &cancel).expect("not cancelled");
    bencher.bench_local(|| structure(black_box(&distances), &tree, &cancel));
}
