//! W&B transaction logs, `run-<id>.wandb`: what `wandb` writes, online and offline, while a run goes on.
//!
//! Blocks and chunks as in `LevelDB` ([`blocks`]), in them one protobuf `Record` after the other. Rows of the history
//! become points ([`row`]), their histograms and media records ([`rich`]); what the rest says of the run is in
//! [`facts`], [`console`] and [`stats`].
//!
//! Source: `wandb/wandb`, `wandb/proto/wandb_internal.proto`, `core/pkg/leveldb/record.go`.
//!
//! [`blocks`]: super::wire::blocks

mod console;
pub(super) mod facts;
mod items;
mod keys;
mod metrics;
mod rich;
mod row;
mod stats;
mod summary;

use std::path::Path;

use console::Console;
use metrics::Definition;
use row::Rows;
use stats::Stats;

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
    wire::{
        blocks::{Blocks, Place},
        lines::named,
        protobuf::{Fields, Malformed, Wire},
    },
};
use crate::model::{EndStatus, Goal, Record, RunInfo, Tag};

/// `:W&B`, 0xBEE1 little-endian, version 0.
const MAGIC: [u8; 7] = *b":W&B\xe1\xbe\0";

const NO_RECORD: &str = "record is no W&B record";

/// W&B transaction logs.
pub struct Wandb;

impl Format for Wandb {
    fn name(&self) -> &'static str {
        "wandb"
    }

    fn summary(&self) -> &'static str {
        "Weights & Biases transaction logs (`run-….wandb`), online and offline"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.wandb"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim(file, ".wandb", MAGIC, "named like a W&B log, but begins otherwise")
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::folder(0)
    }

    /// A run that is resumed in its folder goes on in another log.
    fn continues(&self, _path: &Path) -> bool {
        true
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(WandbDecoder { blocks: Blocks::new(MAGIC), run: Run::new() })
    }
}

/// Whether a file with that ending begins with `magic`.
pub(super) fn claim(file: &Candidate<'_>, ending: &str, magic: [u8; 7], otherwise: &'static str) -> Claim {
    if !named(file.name, ending) {
        return Claim::No("");
    }
    match file.head.split_first_chunk() {
        Some((head, _)) if *head == magic => Claim::Yes,
        None if magic.starts_with(file.head) => Claim::NotYet,
        Some(_) | None => Claim::No(otherwise),
    }
}

/// The decoder of one file.
#[derive(Debug)]
struct WandbDecoder {
    blocks: Blocks,
    run: Run,
}

impl Decoder for WandbDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let run = &mut self.run;
        let record = |message: &[u8], place, out: &mut Decoded| run.record(message, place, out);
        self.blocks.each(available, false, NO_RECORD, out, record).map(Consumed::all)
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        let run = &mut self.run;
        let record = |message: &[u8], place, out: &mut Decoded| run.record(message, place, out);
        self.blocks.each(rest, true, NO_RECORD, out, record).unwrap_or(0)
    }
}

/// What is known of the run so far.
#[derive(Debug)]
struct Run {
    rows: Rows,
    stats: Stats,
    console: Console,
    /// Which metric decides is known, and whether the user said so.
    goal: Option<bool>,
    end: Option<EndStatus>,
}

impl Run {
    fn new() -> Self {
        Self { rows: Rows::new(), stats: Stats::new(), console: Console::new(), goal: None, end: None }
    }

    /// Takes one `Record`.
    fn record(&mut self, message: &[u8], place: Place, out: &mut Decoded) -> Result<(), Malformed> {
        for field in Fields::of(message) {
            let (number, wire) = field?;
            match (number, wire) {
                (2, Wire::Bytes(history)) => self.rows.history(history, place, out)?,
                (3, Wire::Bytes(summary)) => self.rows.summary(summary, place, out)?,
                (7, Wire::Bytes(stats)) => {
                    self.stats.take(stats, self.rows.step, out)?;
                    self.repeat_end(out);
                }
                (2..=13 | 17..=27, Wire::Bytes(other)) => self.rarer(number, other, out)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rarer(&mut self, number: u32, message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
        let (step, wall) = (self.rows.step, self.rows.wall);
        match number {
            4 | 13 => self.console.take(message, step, out)?,
            5 => facts::config(message, out)?,
            8 => facts::artifact(message, step, wall, out)?,
            9 => out.oddity("link to TensorBoard files"),
            10 => facts::alert(message, step, wall, out)?,
            12 => self.define(Definition::parse(message)?, out),
            17 => {
                if let Some(starting) = facts::run(message, out)? {
                    self.rows.step = starting;
                }
            }
            18 => {
                self.rows.end(out);
                self.console.finish(step, out);
                self.end = Some(facts::exit(message)?);
                self.repeat_end(out);
            }
            26 => facts::environment(message, out)?,
            _ => {}
        }
        Ok(())
    }

    /// Statistics of the machine may follow the end of the run; the end still holds.
    fn repeat_end(&self, out: &mut Decoded) {
        if let Some(end) = self.end {
            out.record(Record::End(end));
        }
    }

    fn define(&mut self, definition: Definition, out: &mut Decoded) {
        let goal = definition.goal.or(definition.summary);
        let said = definition.goal.is_some();
        if let Some(goal) = goal
            && !definition.glob
            && !definition.expanded
            && (self.goal.is_none() || said && self.goal == Some(false))
        {
            self.goal = Some(said);
            out.record(decides(&definition.name, goal));
        }
        let axis = if definition.has_steps() {
            // The name of a nested key is not taken apart: step metrics lie at the top.
            self.rows.keys.of_path(&[&definition.axis]).ok()
        } else {
            None
        };
        self.rows.metrics.define(definition, axis);
    }
}

fn decides(name: &str, goal: Goal) -> Record {
    Record::Info(Box::new(RunInfo { goal: Some((Tag::from(name), goal)), ..RunInfo::default() }))
}
