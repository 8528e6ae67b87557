//! Files of settings beside a log, under the names that frameworks give them: Hydra, Lightning, Ultralytics, timm,
//! SB3-zoo, Detectron2, Ray, DVC, Hugging Face. They say how a run was set, and Hydra's overrides what it is called.
//!
//! Names decide, and where a name is everybody's (`config.yaml`, `config.json`) the folder or the content. Alone such a
//! file makes no run. MMEngine's `config.py` is a program and is not read.

mod value;
mod yaml;

use std::{path::Path, sync::Arc};

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, Unread, first_keys, folder_above, whole_json},
    wire::{
        json_tree::Json,
        lines::{trim, without_mark},
        numbers::number,
    },
};
use crate::model::{HyperValue, Record, RunInfo};
use value::Value;

/// Documents larger than this are no settings.
const DOCUMENT_LIMIT: usize = 1 << 20;
/// Settings of one file that are kept.
const SETTINGS_LIMIT: usize = 4096;
/// Characters of a name that is made of overrides.
const NAME_LIMIT: usize = 200;

/// Files of settings.
pub struct Settings;

impl Format for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }

    fn summary(&self) -> &'static str {
        "Settings beside a log: Hydra `.hydra/`, `hparams.yaml`, `args.yaml`, `params.json`, `config.yml`, Hugging Face `config.json`"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &[
            "overrides.yaml",
            "config.yaml",
            "hparams.yaml",
            "args.yaml",
            "args.yml",
            "config.yml",
            "params.yaml",
            "params.json",
            "config.json",
        ]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let hydra = folder_above(file.path, 0) == Some(".hydra");
        match file.name {
            "overrides.yaml" => is_list(file),
            "hparams.yaml" | "args.yaml" | "args.yml" | "params.yaml" => has_settings(file),
            "config.yaml" if hydra => has_settings(file),
            "config.yaml" if is_detectron(file.head) => Claim::Yes,
            "config.yaml" if file.head.is_empty() => Claim::NotYet,
            "config.yaml" => Claim::No("settings of nobody that is known: neither Hydra's nor Detectron2's"),
            "config.yml" if is_zoo(file.head) => Claim::Yes,
            "config.yml" => Claim::No("settings of nobody that is known"),
            "params.json" => is_object(file),
            "config.json" => is_model(file),
            _ => Claim::No(""),
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        let inner = folder_above(path, 0).is_some_and(|f| f == ".hydra" || f.starts_with("checkpoint-"));
        Standing::side(usize::from(inner))
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let of_ray = opening.path.file_name().is_some_and(|name| name == "params.json");
        let name = folder_above(opening.path, 0).filter(|_| of_ray).and_then(trial).map(Arc::<str>::from);
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| {
            read(bytes, out)?;
            if name.is_some() {
                let info = RunInfo { name: name.clone(), ..RunInfo::default() };
                out.record(Record::Info(Box::new(info)));
            }
            Ok(())
        }))
    }
}

/// What Ray Tune calls a trial: its folder's name, without the time that it ends in, the same for all trials.
fn trial(folder: &str) -> Option<&str> {
    let (name, time) = folder.split_at_checked(folder.len().checked_sub("_2026-11-25_23-56-05".len())?)?;
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    (!name.is_empty() && time.chars().map(shape).eq("_0000-00-00_00-00-00".chars())).then_some(name)
}

fn start<'a>(file: &Candidate<'a>) -> &'a [u8] {
    trim(without_mark(file.head))
}

/// Hydra writes `[]` where nothing was overridden.
fn is_list(file: &Candidate<'_>) -> Claim {
    match start(file).first() {
        Some(b'-' | b'[') => Claim::Yes,
        None => Claim::NotYet,
        Some(_) => Claim::No("no list of overrides"),
    }
}

/// Some line of the start is `name: …`, or a tag or an anchor that a Python object begins with.
fn has_settings(file: &Candidate<'_>) -> Claim {
    let head = start(file);
    let binary = head.contains(&0);
    let mut lines = head.split(|b| *b == b'\n').map(trim);
    let pair = lines.any(|line| {
        line.first().is_some_and(|b| *b != b'#')
            && (line.ends_with(b":") || line.windows(2).any(|two| two == b": ") || line.starts_with(b"!!"))
    });
    match pair && !binary {
        true => Claim::Yes,
        false if head.is_empty() => Claim::NotYet,
        false => Claim::No("no settings"),
    }
}

/// Detectron2 dumps its whole configuration, sections in capitals.
fn is_detectron(head: &[u8]) -> bool {
    let sections: &[&[u8]] = &[b"CUDNN_BENCHMARK:", b"DATALOADER:", b"DATASETS:", b"SOLVER:", b"MODEL:"];
    let found = head.split(|b| *b == b'\n').filter(|line| sections.iter().any(|s| line.starts_with(s)));
    found.take(2).count() == 2
}

/// RL Baselines3 Zoo writes an ordered dictionary of Python.
fn is_zoo(head: &[u8]) -> bool {
    head.starts_with(b"!!python/object/apply:collections.OrderedDict")
}

fn is_object(file: &Candidate<'_>) -> Claim {
    match start(file).first() {
        Some(b'{') => Claim::Yes,
        None => Claim::NotYet,
        Some(_) => Claim::No("no object of settings"),
    }
}

fn is_model(file: &Candidate<'_>) -> Claim {
    let keys = first_keys(file.head);
    let known = ["architectures", "model_type", "transformers_version"];
    match keys.iter().any(|key| known.contains(&key.as_str())) {
        true => Claim::Yes,
        false if file.head.is_empty() => Claim::NotYet,
        false => Claim::No("no configuration of a Hugging Face model"),
    }
}

fn read(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    if bytes.len() > DOCUMENT_LIMIT {
        return Err(Unread::Broken("settings of more than 1 MiB"));
    }
    let text = trim(without_mark(bytes));
    if text.is_empty() {
        return Err(Unread::NotWhole);
    }
    let documents = if text.first() == Some(&b'{') {
        // JSON has words and escapes that YAML reads otherwise
        match whole_json(text).and_then(|text| Ok(Json::parse(text)?)) {
            Ok(json) => vec![Value::from(&json)],
            Err(Unread::NotWhole) => return Err(Unread::NotWhole),
            Err(Unread::Broken(_)) => yaml::documents(text)?,
        }
    } else {
        yaml::documents(text)?
    };
    for document in &documents {
        say(document, out);
    }
    out.count_records(1);
    Ok(())
}

fn say(document: &Value, out: &mut Decoded) {
    let mut settings = Vec::new();
    match document.overrides() {
        Some(overrides) => {
            if !overrides.is_empty() {
                let name = overrides.join(" ");
                let name = name.get(..name.floor_char_boundary(NAME_LIMIT)).unwrap_or(&name);
                let info = RunInfo { name: Some(Arc::from(name)), ..RunInfo::default() };
                out.record(Record::Info(Box::new(info)));
            }
            settings.extend(overrides.iter().filter_map(|text| override_of(text)).take(SETTINGS_LIMIT));
        }
        None => document.flatten("", SETTINGS_LIMIT, &mut settings),
    }
    if !settings.is_empty() {
        out.record(Record::Hyperparameters(settings));
    }
}

/// `lr=0.05`, `+model.depth=3`; `~key` takes something away and sets nothing.
fn override_of(text: &str) -> Option<(Arc<str>, HyperValue)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_start_matches('+');
    if name.starts_with('~') || name.is_empty() {
        return None;
    }
    let value = match value {
        "true" | "True" => HyperValue::Bool(true),
        "false" | "False" => HyperValue::Bool(false),
        text => number(text.as_bytes()).map_or_else(|| HyperValue::Text(text.into()), HyperValue::Number),
    };
    Some((Arc::from(name), value))
}

#[cfg(test)]
mod tests;
