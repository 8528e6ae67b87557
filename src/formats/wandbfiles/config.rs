//! `config.yaml`: each setting in a wrapper, `lr: {value: 0.1}`, with `desc` beside `value` in older versions.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use crate::{
    formats::{Decoded, document::Unread},
    model::{HyperValue, Record},
};

/// Settings that are kept.
const SETTINGS_LIMIT: usize = 4096;
/// A configuration larger than this is none.
const BYTES_LIMIT: usize = 4 << 20;
/// Elements of a list that are shown.
const SHOWN: usize = 16;

/// A value of a configuration.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
enum Yaml {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Yaml>),
    Map(BTreeMap<String, Yaml>),
    Null(()),
}

/// Reads the configuration. Keys that begin with an underscore, and `wandb_version`, are W&B's own.
pub(super) fn read(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    const NONE: Unread = Unread::Broken("no YAML mapping");
    if bytes.len() > BYTES_LIMIT {
        return Err(Unread::Broken("configuration larger than 4 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unread::Broken("no UTF-8"))?;
    let all: BTreeMap<String, Yaml> = serde_saphyr::from_str(text).map_err(|_| NONE)?;
    let mut settings = Vec::new();
    for (key, wrapped) in &all {
        if key.starts_with('_') || key == "wandb_version" {
            continue;
        }
        let value = match wrapped {
            Yaml::Map(wrapper) => wrapper.get("value").unwrap_or(wrapped),
            other => other,
        };
        flatten(key, value, &mut settings);
    }
    if !settings.is_empty() {
        out.record(Record::Hyperparameters(settings));
    }
    out.count_records(1);
    Ok(())
}

/// Settings of a nested value, `.` between the names as W&B shows them.
fn flatten(name: &str, value: &Yaml, settings: &mut Vec<(Arc<str>, HyperValue)>) {
    if settings.len() >= SETTINGS_LIMIT {
        return;
    }
    let value = match value {
        Yaml::Map(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(&format!("{name}.{key}"), value, settings);
            }
            return;
        }
        Yaml::Bool(yes) => HyperValue::Bool(*yes),
        Yaml::Number(number) => HyperValue::Number(*number),
        other => HyperValue::Text(spelled(other).into()),
    };
    settings.push((name.into(), value));
}

fn spelled(value: &Yaml) -> String {
    match value {
        Yaml::Bool(yes) => yes.to_string(),
        Yaml::Number(number) => number.to_string(),
        Yaml::Text(text) => text.clone(),
        Yaml::Null(()) => "null".to_owned(),
        Yaml::List(list) => {
            let more = if list.len() > SHOWN { ", …" } else { "" };
            format!("[{}{more}]", list.iter().take(SHOWN).map(spelled).collect::<Vec<_>>().join(", "))
        }
        Yaml::Map(map) => {
            let parts = map.iter().take(SHOWN).map(|(key, value)| format!("{key}: {}", spelled(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
    }
}
