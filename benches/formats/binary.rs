//! Logs of records: event files, `.wandb`, `.swanlab`, `VisualDL`.

use crate::{
    event::{event, field, varint},
    samples::{Numbers, fill},
};

/// One run, 20 tags, as PyTorch writes them: one event for each value.
pub fn event_scalars(target: usize) -> Vec<u8> {
    let tags: Vec<String> = (0..20).map(|n| format!("metric_{n:02}/value")).collect();
    fill(target, [], |step, numbers, log| {
        for tag in &tags {
            let value = (numbers.loss(step) as f32).to_le_bytes();
            log.extend(event(step, &[field(1, tag.as_bytes()), vec![0x15], value.to_vec()].concat()));
        }
    })
}

/// 64 buckets for each of 128 tensors.
pub fn event_histograms(target: usize) -> Vec<u8> {
    let doubles = |of: &dyn Fn(u32) -> f64| (0..64).flat_map(|i| of(i).to_le_bytes()).collect::<Vec<u8>>();
    let limits = doubles(&|i| f64::from(i) - 32.0);
    let counts = doubles(&|i| f64::from(i * (63 - i)));
    let mut histogram = Vec::new();
    for (number, value) in [(1_u8, -32.0), (2, 31.0), (3, 40_000.0), (4, 12.0), (5, 80_000.0_f64)] {
        histogram.push(number << 3 | 1);
        histogram.extend(value.to_le_bytes());
    }
    histogram.extend([field(6, &limits), field(7, &counts)].concat());
    fill(target, [], |step, _, log| {
        for layer in 0..128 {
            let tag = format!("layers.{layer}/weights");
            log.extend(event(step, &[field(1, tag.as_bytes()), field(5, &histogram)].concat()));
        }
    })
}

pub fn wandb_narrow(target: usize) -> Vec<u8> {
    wandb(target, 4, false)
}

pub fn wandb_usual(target: usize) -> Vec<u8> {
    wandb(target, 10, true)
}

pub fn wandb_wide(target: usize) -> Vec<u8> {
    wandb(target, 1000, false)
}

/// Rows as wandb-core writes them: every name a path, the items of a row in any order.
fn wandb(target: usize, metrics: usize, busy: bool) -> Vec<u8> {
    let names: Vec<String> = (0..metrics).map(|n| format!("train/metric_{n}")).collect();
    blocks(target, b":W&B\xe1\xbe\0", |step, numbers, log| {
        let mut items: Vec<Vec<u8>> =
            names.iter().map(|n| item(&[n], &numbers.loss(step).to_string())).collect();
        own_items(step, &mut items);
        log.push(row(step, items, numbers));
        if busy && step % 50 == 49 {
            let of = |name: &str, value: f64| {
                field(3, &[field(1, name.as_bytes()), field_16(&value.to_string())].concat())
            };
            let mut stats = field(2, &[vec![0x08], varint(1_795_456_688 + step)].concat());
            for gpu in 0..8 {
                stats.extend(of(&format!("gpu.{gpu}.gpu"), (numbers.unit() * 1e4).round() / 100.0));
                stats.extend(of(&format!("gpu.{gpu}.memoryAllocated"), numbers.unit() * 100.0));
            }
            log.push(field(7, &stats));
        }
        if busy && step % 10 == 9 {
            let line = format!(
                "step {step}: loss {:.4}, {:.1} tokens/s\n",
                numbers.loss(step),
                numbers.unit() * 1e5
            );
            log.push(field(13, &[vec![0x08, 1], field(3, line.as_bytes())].concat()));
        }
    })
}

/// `wandb.watch`: a dict for each parameter, which wandb-core takes apart.
pub fn wandb_histograms(target: usize) -> Vec<u8> {
    blocks(target, b":W&B\xe1\xbe\0", |step, numbers, log| {
        let mut items = vec![item(&["loss"], &numbers.loss(step).to_string())];
        for layer in 0..50 {
            let name = format!("gradients/layers.{layer}.weight");
            let list = |of: &mut dyn FnMut(usize) -> f64, n: usize| {
                format!("[{}]", (0..n).map(|i| of(i).to_string()).collect::<Vec<_>>().join(","))
            };
            let values = list(&mut |_| (numbers.unit() * 1000.0).round(), 64);
            let width = numbers.unit();
            let bins = list(&mut |i| (i as f64 / 32.0 - 1.0) * width, 65);
            items.push(item(&[&name, "_type"], "\"histogram\""));
            items.push(item(&[&name, "values"], &values));
            items.push(item(&[&name, "bins"], &bins));
        }
        own_items(step, &mut items);
        log.push(row(step, items, numbers));
    })
}

fn own_items(step: u64, items: &mut Vec<Vec<u8>>) {
    let now = 1.795_456_687 + step as f64 / 1e10;
    items.push(item(&["_timestamp"], &format!("{now:.16}e+09")));
    items.push(item(&["_runtime"], &format!("{:.9}", step as f64 / 10.0)));
    items.push(item(&["_step"], &step.to_string()));
}

fn row(step: u64, mut items: Vec<Vec<u8>>, numbers: &mut Numbers) -> Vec<u8> {
    for last in (1..items.len()).rev() {
        items.swap(last, (numbers.whole() % (last as u64 + 1)) as usize);
    }
    items.push(field(2, &[vec![0x08], varint(step)].concat()));
    field(2, &items.concat())
}

/// A `HistoryItem`.
fn item(path: &[&str], json: &str) -> Vec<u8> {
    let names = path.iter().flat_map(|part| field(2, part.as_bytes()));
    field(1, &names.chain(field_16(json)).collect::<Vec<u8>>())
}

fn field_16(json: &str) -> Vec<u8> {
    field(16, json.as_bytes())
}

/// Ten metrics, a record each.
pub fn swanlab(target: usize) -> Vec<u8> {
    blocks(target, b":SWL\xd6\xe1\x02", |step, numbers, log| {
        for metric in 0..10 {
            let mut scalar = field(1, format!("train/metric_{metric}").as_bytes());
            scalar.push(0x10);
            scalar.extend(varint(step));
            let time = [vec![0x08], varint(1_795_456_688 + step), vec![0x10], varint(123_456_789)].concat();
            scalar.extend(field(4, &time));
            scalar.extend(field(5, &[vec![0x09], numbers.loss(step).to_le_bytes().to_vec()].concat()));
            log.push(field(13, &scalar));
        }
    })
}

/// Ten metrics, a record each.
pub fn visualdl(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        for metric in 0..10 {
            let mut value = vec![0x08];
            value.extend(varint(step));
            value.extend(field(2, format!("train/metric_{metric}").as_bytes()));
            value.push(0x18);
            value.extend(varint(1_795_457_339_000 + step));
            value.push(0x25);
            value.extend((numbers.loss(step) as f32).to_le_bytes());
            let record = field(1, &value);
            log.extend((record.len() as u64).to_le_bytes());
            log.extend(record);
        }
    })
}

/// Records, numbered, in blocks of 32 KiB.
fn blocks(target: usize, magic: &[u8], mut add: impl FnMut(u64, &mut Numbers, &mut Vec<Vec<u8>>)) -> Vec<u8> {
    const BLOCK: usize = 32 << 10;
    let (mut count, mut records) = (0, Vec::new());
    fill(target, magic, |step, numbers, log| {
        add(step, numbers, &mut records);
        for content in records.drain(..) {
            count += 1;
            let record = [vec![0x08], varint(count), content].concat();
            let (mut rest, mut first) = (record.as_slice(), true);
            loop {
                let room = BLOCK - log.len() % BLOCK;
                if room < 7 {
                    log.resize(log.len() + room, 0);
                    continue;
                }
                let (data, behind) = rest.split_at(rest.len().min(room - 7));
                let kind = match (first, behind.is_empty()) {
                    (true, true) => 1,
                    (true, false) => 2,
                    (false, false) => 3,
                    (false, true) => 4,
                };
                let mut checksum = crc32fast::Hasher::new();
                checksum.update(&[kind]);
                checksum.update(data);
                log.extend(checksum.finalize().to_le_bytes());
                log.extend((data.len() as u16).to_le_bytes());
                log.push(kind);
                log.extend(data);
                (rest, first) = (behind, false);
                if rest.is_empty() {
                    break;
                }
            }
        }
    })
}
