//! One record: its type decides who reads it.

use std::{borrow::Cow, sync::Arc};

use super::{
    artefacts,
    columns::ColumnMemory,
    confusion,
    confusion::ClassNames,
    envelope,
    envelope::Envelope,
    layers, run,
    shape::{Role, Shape},
};
use crate::{
    formats::{
        Decoded,
        wire::{
            json_tree::{Json, Object},
            numbers::integer,
            template::Hole,
        },
    },
    model::{Point, Step},
};

/// The version that this reader was written for.
const VERSION: i64 = 1;
/// Runs in one file that are kept apart.
const RUNS_LIMIT: usize = 1024;
/// Characters of an unknown word that are repeated in the list of oddities.
const WORD_LENGTH: usize = 60;
/// Nested scalars deeper than this are not read.
const SCALAR_DEPTH: usize = 8;

/// Why a record cannot be used: one clause.
pub type Reason = Cow<'static, str>;

/// What is remembered between the records of one file.
#[derive(Debug, Default)]
pub struct Reader {
    columns: ColumnMemory,
    runs: Vec<(Arc<str>, Option<f64>)>,
    classes: ClassNames,
}

impl Reader {
    /// Places in the sink are void from now on.
    pub fn begin_turn(&mut self) {
        self.columns.begin_turn();
    }

    /// Reads one record. After an error nothing of it is in the sink.
    pub fn record(
        &mut self,
        record: &Object<'_>,
        offset: u64,
        bytes: u64,
        out: &mut Decoded,
    ) -> Result<(), Reason> {
        if record.get("epochscope").is_some() && record.integer("epochscope") != Some(VERSION) {
            out.oddity("written for another version of the format");
        }
        let Some(kind) = record.text("t") else {
            return if record.get("epochscope").is_some() {
                Ok(())
            } else {
                Err("a record without its type `t`".into())
            };
        };
        let envelope = Envelope::of(record, offset, bytes);
        let at = self.run(record.text("run").unwrap_or_default(), out);
        out.in_run(&self.runs[at].0);
        self.content(kind, record, &envelope, at, out)?;
        if let (Some(epoch), Some(step)) = (envelope.epoch, envelope.step) {
            self.epoch((step, envelope.wall.0), epoch, at, out);
        }
        Ok(())
    }

    /// The shape of a scalar record that was read just now.
    pub fn shape(&self, record: &Object<'_>, holes: &[Hole]) -> Option<Shape> {
        let name = record.text("run").unwrap_or_default();
        let run = self.runs.iter().position(|(known, _)| &**known == name)?;
        Shape::of(record, run, holes)
    }

    /// Reads a scalar record of a known shape; false if its numbers do not suit.
    pub fn known(&mut self, shape: &mut Shape, numbers: &[f64], out: &mut Decoded) -> bool {
        let (mut step, mut wall, mut epoch) = (None, f64::NAN, None);
        for (role, number) in shape.roles.iter().zip(numbers) {
            match role {
                Role::Step => step = integer(*number),
                Role::Wall => wall = *number,
                Role::Epoch => epoch = Some(*number).filter(|e| e.is_finite()),
                Role::Value(..) => {}
            }
        }
        let (Some(step), Some((name, _))) = (step, self.runs.get(shape.run)) else { return false };
        out.in_run(name);
        let turn = self.columns.turn();
        for (role, value) in shape.roles.iter_mut().zip(numbers) {
            let Role::Value(key, made) = role else { continue };
            let column = match made {
                Some((asked, column)) if *asked == turn => *column,
                _ => {
                    let column = out.column(key);
                    *made = Some((turn, column));
                    column
                }
            };
            out.push(column, Point { step, wall, value: *value });
        }
        if let Some(epoch) = epoch {
            self.epoch((step, wall), epoch, shape.run, out);
        }
        true
    }

    /// The place of a run's name.
    fn run(&mut self, name: &str, out: &mut Decoded) -> usize {
        if self.runs.is_empty() {
            self.runs.push((Arc::from(""), None));
        }
        if let Some(at) = self.runs.iter().position(|(known, _)| &**known == name) {
            return at;
        }
        if self.runs.len() >= RUNS_LIMIT {
            out.oddity("run beyond the first 1024");
            return 0;
        }
        self.runs.push((Arc::from(name), None));
        self.runs.len() - 1
    }

    fn content(
        &mut self,
        kind: &str,
        record: &Object<'_>,
        envelope: &Envelope,
        run: usize,
        out: &mut Decoded,
    ) -> Result<(), Reason> {
        match kind {
            "scalar" => self.scalar(record, envelope, run, out),
            "layer" => layers::layer(record, envelope, out),
            "hist" => layers::histogram(record, envelope, out),
            "confusion" => confusion::confusion(record, envelope, &self.classes, out),
            "classes" => confusion::classes(record, &mut self.classes, out),
            "run" => {
                run::info(record, out);
                Ok(())
            }
            "hparams" => run::hyperparameters(record, out),
            "text" => run::text(record, envelope, out),
            "event" => run::event(record, envelope, out),
            "alert" => run::alert(record, envelope, out),
            other => {
                if let Some(spec) = artefacts::spec(other) {
                    return artefacts::artefact(spec, record, envelope, out);
                }
                out.oddity(&format!("record type {}", shortened(other)));
                Ok(())
            }
        }
    }

    /// The epoch is a curve of its own, with a point where it changes.
    fn epoch(&mut self, (step, wall): (Step, f64), epoch: f64, run: usize, out: &mut Decoded) {
        let (name, last) = &mut self.runs[run];
        if *last != Some(epoch) {
            *last = Some(epoch);
            let column = self.columns.column(name, "", "epoch", out);
            out.push(column, Point { step, wall, value: epoch });
        }
    }

    fn scalar(
        &mut self,
        record: &Object<'_>,
        envelope: &Envelope,
        run: usize,
        out: &mut Decoded,
    ) -> Result<(), Reason> {
        let step = required_step(envelope)?;
        let mut context = envelope.context.clone();
        for key in ["attack", "eps"] {
            if let Some(value) = record.get(key) {
                envelope::extend(&mut context, &format!("{key}={}", value.spelled()));
            }
        }
        let mut values = Vec::new();
        match (record.get("v"), record.text("name"), record.number("value")) {
            (Some(Json::Object(object)), _, _) => numbers(object, "", 0, &mut values, out),
            (None, Some(name), Some(value)) => values.push((Cow::Borrowed(name), value)),
            _ => return Err("a scalar record without an object `v`".into()),
        }
        unknown_keys("scalar", record, &["v", "n", "name", "value", "attack", "eps"], out);
        let name = self.runs[run].0.clone();
        for (tag, value) in values {
            let column = self.columns.column(&name, &context, &tag, out);
            out.push(column, Point { step, wall: envelope.wall.0, value });
        }
        Ok(())
    }
}

/// Numbers of a nested object, `/` between the names.
pub fn numbers<'a>(
    object: &'a Object<'_>,
    prefix: &str,
    depth: usize,
    values: &mut Vec<(Cow<'a, str>, f64)>,
    out: &mut Decoded,
) {
    for (key, value) in object.entries() {
        let name = if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(format!("{prefix}/{key}")) };
        match (value.number(), value.object()) {
            (Some(value), _) => values.push((name, value)),
            (None, Some(inner)) if depth < SCALAR_DEPTH => numbers(inner, &name, depth + 1, values, out),
            _ if *value == Json::Null => {}
            _ => out.oddity("scalar.v holds something that is no number"),
        }
    }
}

/// The step of a record that needs one.
pub fn required_step(envelope: &Envelope) -> Result<i64, Reason> {
    envelope.step.ok_or(Cow::Borrowed("the record needs an integer `step`"))
}

/// Counts keys that are neither of the envelope nor `known`.
pub fn unknown_keys(kind: &str, record: &Object<'_>, known: &[&str], out: &mut Decoded) {
    for (key, _) in record.entries() {
        if !known.contains(&key) && !envelope::KEYS.contains(&key) {
            out.oddity(&format!("{kind}.{}", shortened(key)));
        }
    }
}

fn shortened(word: &str) -> String {
    word.chars().take(WORD_LENGTH).collect()
}
