//! One record: its type decides who reads it.

use std::{borrow::Cow, sync::Arc};

use super::{
    artefacts, columns::ColumnMemory, confusion, confusion::ClassNames, envelope, envelope::Envelope, layers,
    run,
};
use crate::{
    formats::{
        Decoded,
        wire::json_tree::{Json, Object},
    },
    model::Point,
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
        self.epoch(&envelope, at, out);
        Ok(())
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
    fn epoch(&mut self, envelope: &Envelope, run: usize, out: &mut Decoded) {
        let (Some(epoch), Some(step)) = (envelope.epoch, envelope.step) else { return };
        let (name, last) = &mut self.runs[run];
        if *last != Some(epoch) {
            *last = Some(epoch);
            let column = self.columns.column(name, "", "epoch", out);
            out.push(column, Point { step, wall: envelope.wall.0, value: epoch });
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
fn numbers<'a>(
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
