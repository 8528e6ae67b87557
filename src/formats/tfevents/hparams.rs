//! Hyper-parameters: messages of the `hparams` plugin, carried in the metadata of otherwise empty values.
//!
//! Source: `tensorflow/tensorboard`, `tensorboard/plugins/hparams/{plugin_data,api}.proto`, and
//! `google/protobuf/struct.proto` for the values.

use std::sync::Arc;

use super::text;
use crate::{
    formats::wire::protobuf::{Fields, Malformed, Wire},
    model::{EndStatus, HyperValue},
};

/// Hyper-parameters of one session beyond this number are left out.
const COUNT_LIMIT: usize = 4096;

/// Lists and structures within values are followed this deep.
const DEPTH_LIMIT: u32 = 16;

/// What one value of the plugin says.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Hparams {
    /// The search space of a sweep.
    Experiment,
    Start {
        values: Vec<(Arc<str>, HyperValue)>,
        /// Seconds since 1970.
        started: Option<f64>,
    },
    /// `None`: the message says neither success nor failure, or says success without a time. PyTorch and
    /// Lightning write that as soon as they know the hyper-parameters; a session that ended has a time.
    End(Option<EndStatus>),
    /// Something newer.
    Unknown,
}

impl Hparams {
    /// Reads an `HParamsPluginData`.
    pub fn parse(content: &[u8]) -> Result<Self, Malformed> {
        let mut found = Self::Unknown;
        for field in Fields::of(content) {
            match field? {
                (2, Wire::Bytes(_)) => found = Self::Experiment,
                (3, Wire::Bytes(message)) => found = start(message)?,
                (4, Wire::Bytes(message)) => found = end(message)?,
                _ => {}
            }
        }
        Ok(found)
    }
}

fn start(message: &[u8]) -> Result<Hparams, Malformed> {
    let (mut values, mut started) = (Vec::new(), None);
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Bytes(entry)) if values.len() < COUNT_LIMIT => values.push(map_entry(entry)?),
            (5, wire) => started = wire.double().filter(|time| time.is_finite() && *time > 0.0),
            _ => {}
        }
    }
    Ok(Hparams::Start { values, started })
}

fn end(message: &[u8]) -> Result<Hparams, Malformed> {
    let (mut status, mut time) = (0, 0.0);
    for field in Fields::of(message) {
        match field? {
            (1, wire) => status = wire.varint().ok_or(Malformed)?,
            (2, wire) => time = wire.double().ok_or(Malformed)?,
            _ => {}
        }
    }
    Ok(Hparams::End(match status {
        1 if time > 0.0 => Some(EndStatus::Finished),
        2 => Some(EndStatus::Failed),
        _ => None,
    }))
}

fn map_entry(entry: &[u8]) -> Result<(Arc<str>, HyperValue), Malformed> {
    let (mut name, mut value) = (Arc::from(""), HyperValue::Text(Arc::from("null")));
    for field in Fields::of(entry) {
        match field? {
            (1, Wire::Bytes(key)) => name = text::of(key),
            (2, Wire::Bytes(message)) => value = hyper_value(message)?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn hyper_value(message: &[u8]) -> Result<HyperValue, Malformed> {
    let mut value = HyperValue::Text(Arc::from("null"));
    for field in Fields::of(message) {
        value = match field? {
            (2, wire) => HyperValue::Number(wire.double().ok_or(Malformed)?),
            (3, Wire::Bytes(bytes)) => HyperValue::Text(text::of(bytes)),
            (4, Wire::Varint(bit)) => HyperValue::Bool(bit != 0),
            (5 | 6, Wire::Bytes(_)) => {
                let mut out = String::new();
                write_value(message, &mut out, 0)?;
                HyperValue::Text(text::of(out.as_bytes()))
            }
            _ => continue,
        };
    }
    Ok(value)
}

/// A value as JSON.
fn write_value(message: &[u8], out: &mut String, depth: u32) -> Result<(), Malformed> {
    if depth > DEPTH_LIMIT || out.len() > text::LIMIT {
        out.push('…');
        return Ok(());
    }
    let depth = depth.saturating_add(1);
    let mut empty = true;
    for field in Fields::of(message) {
        match field? {
            (1, _) => out.push_str("null"),
            (2, wire) => out.push_str(&wire.double().ok_or(Malformed)?.to_string()),
            (3, Wire::Bytes(bytes)) => out.push_str(&quoted(bytes)),
            (4, Wire::Varint(bit)) => out.push_str(if bit == 0 { "false" } else { "true" }),
            (5, Wire::Bytes(entries)) => {
                out.push('{');
                for (at, entry) in Fields::of(entries).enumerate() {
                    let (1, Wire::Bytes(entry)) = entry? else { continue };
                    out.push_str(if at == 0 { "" } else { ", " });
                    for part in Fields::of(entry) {
                        match part? {
                            (1, Wire::Bytes(key)) => out.extend([quoted(key).as_str(), ": "]),
                            (2, Wire::Bytes(value)) => write_value(value, out, depth)?,
                            _ => {}
                        }
                    }
                }
                out.push('}');
            }
            (6, Wire::Bytes(items)) => {
                out.push('[');
                for (at, item) in Fields::of(items).enumerate() {
                    let (1, Wire::Bytes(item)) = item? else { continue };
                    out.push_str(if at == 0 { "" } else { ", " });
                    write_value(item, out, depth)?;
                }
                out.push(']');
            }
            _ => continue,
        }
        empty = false;
    }
    if empty {
        out.push_str("null");
    }
    Ok(())
}

fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tfevents::build::{bytes_field, double_field, varint_field};

    fn entry(name: &str, value: &[u8]) -> Vec<u8> {
        bytes_field(1, &[bytes_field(1, name.as_bytes()), bytes_field(2, value)].concat())
    }

    #[test]
    fn a_session_start_gives_values_of_every_kind() {
        let list = [
            bytes_field(1, &double_field(2, 1.0)),
            bytes_field(1, &bytes_field(5, &entry("k", &bytes_field(3, b"v")))),
            bytes_field(1, &varint_field(1, 0)),
        ]
        .concat();
        let message = [
            entry("lr", &double_field(2, 0.5)),
            entry("optimiser", &bytes_field(3, b"adam")),
            entry("nesterov", &varint_field(4, 1)),
            entry("nothing", &varint_field(1, 0)),
            entry("layers", &bytes_field(6, &list)),
            double_field(5, 1.75e9),
        ]
        .concat();
        let Ok(Hparams::Start { values, started }) = Hparams::parse(&bytes_field(3, &message)) else {
            panic!()
        };
        assert_eq!(started, Some(1.75e9));
        let shown: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            ["lr=0.5", "optimiser=adam", "nesterov=true", "nothing=null", r#"layers=[1, {"k": "v"}, null]"#]
        );
    }

    #[test]
    fn an_end_counts_only_with_a_time_or_a_failure() {
        let end = |message: &[u8]| Hparams::parse(&bytes_field(4, message));
        let at = double_field(2, 1.75e9);
        assert_eq!(
            end(&[varint_field(1, 1), at.clone()].concat()),
            Ok(Hparams::End(Some(EndStatus::Finished)))
        );
        assert_eq!(end(&varint_field(1, 1)), Ok(Hparams::End(None)));
        assert_eq!(end(&varint_field(1, 2)), Ok(Hparams::End(Some(EndStatus::Failed))));
        assert_eq!(end(&[varint_field(1, 3), at].concat()), Ok(Hparams::End(None)));
        assert_eq!(Hparams::parse(&bytes_field(2, b"")), Ok(Hparams::Experiment));
        assert_eq!(Hparams::parse(b""), Ok(Hparams::Unknown));
        assert_eq!(Hparams::parse(b"\x1a\x05"), Err(Malformed));
    }

    #[test]
    fn nesting_has_an_end() {
        let mut value = bytes_field(3, b"deep");
        for _ in 0..1000 {
            value = bytes_field(6, &bytes_field(1, &value));
        }
        let HyperValue::Text(text) = hyper_value(&value).unwrap() else { panic!() };
        assert!(text.ends_with(&format!("…{}", "]".repeat(17))), "{text}");
    }
}
