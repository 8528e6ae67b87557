//! `config.yaml`: each setting in a wrapper, `lr: {value: 0.1}`, with `desc` beside `value` in older versions.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

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
    Map(BTreeMap<Key, Yaml>),
    Null(()),
}

/// The name of a setting. W&B before 0.13 has whole numbers among those of its own (`t: {4: 3.7.5}`), and users have
/// dictionaries with such keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKey;

        impl Visitor<'_> for AnyKey {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a number")
            }
            fn visit_bool<E: de::Error>(self, key: bool) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_i64<E: de::Error>(self, key: i64) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_u64<E: de::Error>(self, key: u64) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_f64<E: de::Error>(self, key: f64) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
                Ok(Key(key.to_owned()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Key, E> {
                Ok(Key("null".to_owned()))
            }
        }
        deserializer.deserialize_any(AnyKey)
    }
}

/// Reads the configuration. Keys that begin with an underscore, and `wandb_version`, are W&B's own.
pub(super) fn read(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    const NONE: Unread = Unread::Broken("no YAML mapping");
    if bytes.len() > BYTES_LIMIT {
        return Err(Unread::Broken("configuration larger than 4 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unread::Broken("no UTF-8"))?;
    let all: BTreeMap<Key, Yaml> = serde_saphyr::from_str(text).map_err(|_| NONE)?;
    let mut settings = Vec::new();
    for (Key(key), wrapped) in &all {
        if key.starts_with('_') || key == "wandb_version" {
            continue;
        }
        let value = match wrapped {
            Yaml::Map(wrapper) => wrapper.get(&Key("value".to_owned())).unwrap_or(wrapped),
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
            for (Key(key), value) in map {
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
            let parts = map.iter().take(SHOWN).map(|(Key(key), value)| format!("{key}: {}", spelled(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_names_of_settings_as_well() {
        let text = "wandb_version: 1\n_wandb:\n  value:\n    t:\n      4: 3.7.5\nweights:\n  desc: null\n  value:\n    0: 0.5\n    1: 2\n    true: x\n";
        let mut out = Decoded::new();
        read(text.as_bytes(), &mut out).unwrap();
        let records = format!("{:?}", out.take().parts[0].records);
        for expected in ["(\"weights.0\", Number(0.5))", "(\"weights.1\", Number(2.0))", "weights.true"] {
            assert!(records.contains(expected), "{records}");
        }
    }
}
