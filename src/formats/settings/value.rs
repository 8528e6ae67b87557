//! Settings in memory, from YAML or JSON.

use std::{fmt, sync::Arc};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::{formats::wire::json_tree::Json, model::HyperValue};

/// Elements of a list that are spelt out.
const SHOWN: usize = 16;

/// A setting, or settings by name.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The overrides of Hydra: a list of nothing but texts of which one at least sets something. An empty list is one.
    pub fn overrides(&self) -> Option<Vec<&str>> {
        let Self::List(elements) = self else { return None };
        let texts: Vec<&str> = elements
            .iter()
            .map(|e| if let Self::Text(text) = e { Some(text.as_str()) } else { None })
            .collect::<Option<_>>()?;
        (texts.is_empty() || texts.iter().any(|t| t.contains('=') || t.starts_with('~'))).then_some(texts)
    }

    /// Adds the settings below `prefix` until there are `limit`, `.` between the names.
    pub fn flatten(&self, prefix: &str, limit: usize, into: &mut Vec<(Arc<str>, HyperValue)>) {
        if into.len() >= limit {
            return;
        }
        match self {
            Self::Map(entries) => {
                for (key, value) in entries {
                    if prefix.is_empty() {
                        value.flatten(key, limit, into);
                    } else {
                        value.flatten(&format!("{prefix}.{key}"), limit, into);
                    }
                }
            }
            // an ordered dictionary of Python is a list (of lists) of pairs
            Self::List(elements) if let Some(pairs) = pairs(elements) => {
                let map = Self::Map(pairs.into_iter().map(|(k, v)| (k.to_owned(), v.clone())).collect());
                map.flatten(prefix, limit, into);
            }
            _ if prefix.is_empty() => {}
            Self::Bool(value) => into.push((prefix.into(), HyperValue::Bool(*value))),
            Self::Number(value) => into.push((prefix.into(), HyperValue::Number(*value))),
            other => into.push((prefix.into(), HyperValue::Text(other.spelled().into()))),
        }
    }

    /// Short text for people.
    pub fn spelled(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(elements) => {
                let mut shown: Vec<_> = elements.iter().take(SHOWN).map(Self::spelled).collect();
                if elements.len() > SHOWN {
                    shown.push("…".to_owned());
                }
                format!("[{}]", shown.join(", "))
            }
            Self::Map(entries) => {
                let shown =
                    entries.iter().take(SHOWN).map(|(key, value)| format!("{key}: {}", value.spelled()));
                format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// `[[key, value], …]`, or that wrapped in one more list, as `collections.OrderedDict` is written.
fn pairs(elements: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let elements = match elements {
        [Value::List(inner)] if matches!(inner.first(), Some(Value::List(_))) => inner.as_slice(),
        all => all,
    };
    let pair = |element: &'_ Value| -> bool {
        matches!(element, Value::List(pair) if matches!(pair.as_slice(), [Value::Text(_), _]))
    };
    if elements.is_empty() || !elements.iter().all(pair) {
        return None;
    }
    let of = |element| match element {
        &Value::List(ref pair) => match pair.as_slice() {
            [Value::Text(key), value] => Some((key.as_str(), value)),
            _ => None,
        },
        _ => None,
    };
    elements.iter().map(of).collect()
}

impl From<&Json<'_>> for Value {
    fn from(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => Self::Number(*value),
            Json::Text(text) => Self::Text(text.clone().into_owned()),
            Json::Numbers(values) => Self::List(values.iter().map(|v| Self::Number(*v)).collect()),
            Json::Array(values) => Self::List(values.iter().map(Self::from).collect()),
            Json::Object(object) => {
                Self::Map(object.entries().map(|(key, value)| (key.to_owned(), Self::from(value))).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Text(format!("{} bytes", bytes.len())))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Value::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Value, Value>()? {
            entries.push((key.spelled(), value));
        }
        Ok(Value::Map(entries))
    }
}
