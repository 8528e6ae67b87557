//! Content of fields: numbers, texts, arrays written out, packed, or lying in a file beside the log.

use std::sync::Arc;

use crate::{
    formats::wire::{
        json_tree::{Json, Object},
        numbers::{ElementType, check_packed, integer, unpack},
        paths::path_below,
    },
    model::{NumericArray, Payload, PayloadError},
};

/// Values of one field that are kept in memory. Larger arrays are checked, and read again on demand.
pub const KEPT_VALUES: usize = 1 << 16;
/// Axes of an array.
const AXES_LIMIT: usize = 8;

/// A field that was checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// Cells along each axis; `None` for single values.
    pub shape: Option<Vec<usize>>,
    /// The content; `None` where it is too large to keep.
    pub payload: Option<Payload>,
}

impl Checked {
    fn single(payload: Payload) -> Self {
        Self { shape: None, payload: Some(payload) }
    }

    /// Length of the first axis.
    pub fn length(&self) -> Option<usize> {
        self.shape.as_ref().and_then(|shape| shape.first().copied())
    }
}

/// Any field: a number, a bool (0 or 1), a text, a list of texts, an array.
pub fn payload(json: &Json<'_>) -> Result<Checked, PayloadError> {
    if let Some(value) = json.number() {
        return Ok(Checked::single(Payload::Number(value)));
    }
    match json {
        Json::Bool(value) => Ok(Checked::single(Payload::Number(f64::from(u8::from(*value))))),
        Json::Text(text) => Ok(Checked::single(Payload::Text(Arc::from(&**text)))),
        Json::Array(values) if values.iter().any(|v| v.number().is_none() && v.text().is_some()) => {
            texts(values)
        }
        Json::Object(object) if object.get("file").is_some() => file(object),
        _ => array(json),
    }
}

/// An array of numbers; larger than [`KEPT_VALUES`] only its shape.
fn array(json: &Json<'_>) -> Result<Checked, PayloadError> {
    let shape = shape_of(json)?;
    let count = cells(&shape)?;
    if count <= KEPT_VALUES {
        let payload = Some(Payload::Array(numeric_array(json, KEPT_VALUES)?));
        return Ok(Checked { shape: Some(shape), payload });
    }
    match json {
        Json::Object(object) => {
            let (text, element) = packed(object)?;
            check_packed(text, element, count)?;
        }
        nested => walk(nested, &shape, &mut |_| {})?,
    }
    Ok(Checked { shape: Some(shape), payload: None })
}

fn texts(values: &[Json<'_>]) -> Result<Checked, PayloadError> {
    let text = |value: &Json<'_>| match value {
        Json::Null => Ok(None),
        value => value.name().map(|name| Some(Arc::from(&*name))).ok_or(PayloadError::NotAPayload),
    };
    let texts = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let shape = Some(vec![texts.len()]);
    let payload = (texts.len() <= KEPT_VALUES).then_some(Payload::Texts(texts));
    Ok(Checked { shape, payload })
}

fn file(object: &Object<'_>) -> Result<Checked, PayloadError> {
    let path = object.text("file").ok_or(PayloadError::NotAPayload)?;
    let shape = object.get("shape").map(declared_shape).transpose()?.ok_or(PayloadError::ShapeMismatch)?;
    let payload = Payload::File { path: path_below(path)?, shape: shape.clone() };
    Ok(Checked { shape: Some(shape), payload: Some(payload) })
}

fn declared_shape(json: &Json<'_>) -> Result<Vec<usize>, PayloadError> {
    let numbers =
        json.numbers().filter(|axes| axes.len() <= AXES_LIMIT).ok_or(PayloadError::ShapeMismatch)?;
    let axis = |n: &f64| integer(*n).and_then(|n| usize::try_from(n).ok()).ok_or(PayloadError::ShapeMismatch);
    let shape = numbers.iter().map(axis).collect::<Result<Vec<_>, _>>()?;
    cells(&shape)?;
    Ok(shape)
}

fn cells(shape: &[usize]) -> Result<usize, PayloadError> {
    shape.iter().try_fold(1_usize, |n, axis| n.checked_mul(*axis)).ok_or(PayloadError::ShapeMismatch)
}

/// The shape that an array has or declares.
fn shape_of(json: &Json<'_>) -> Result<Vec<usize>, PayloadError> {
    if let Json::Object(object) = json {
        return object.get("shape").map(declared_shape).transpose()?.ok_or(PayloadError::NotAPayload);
    }
    let mut shape = Vec::new();
    let mut inner = json;
    while shape.len() < AXES_LIMIT {
        match inner {
            Json::Numbers(values) => {
                shape.push(values.len());
                return Ok(shape);
            }
            Json::Array(values) => {
                shape.push(values.len());
                match values.first() {
                    Some(first @ (Json::Numbers(_) | Json::Array(_))) => inner = first,
                    _ => return Ok(shape),
                }
            }
            _ => return Err(PayloadError::NotAPayload),
        }
    }
    Err(PayloadError::ShapeMismatch)
}

/// Numbers with their shape, at most `limit` of them: nested lists, or `{"shape","dtype","b64"}`. `null` is NaN.
pub fn numeric_array(json: &Json<'_>, limit: usize) -> Result<NumericArray, PayloadError> {
    let shape = shape_of(json)?;
    let count = cells(&shape)?;
    if count > limit {
        return Err(PayloadError::ShapeMismatch);
    }
    let values = if let Json::Object(object) = json {
        let (text, element) = packed(object)?;
        unpack(text, element, count)?
    } else {
        let mut values = Vec::new();
        walk(json, &shape, &mut |value| values.push(value))?;
        values
    };
    NumericArray::new(shape, values)
}

fn packed<'a>(object: &'a Object<'_>) -> Result<(&'a str, ElementType), PayloadError> {
    let element = ElementType::named(object.text("dtype").unwrap_or_default())?;
    Ok((object.text("b64").ok_or(PayloadError::NotAPayload)?, element))
}

/// Visits the numbers of nested lists, which must have exactly this shape.
fn walk(json: &Json<'_>, shape: &[usize], visit: &mut impl FnMut(f64)) -> Result<(), PayloadError> {
    let (length, rest) = shape.split_first().ok_or(PayloadError::ShapeMismatch)?;
    match json {
        Json::Numbers(numbers) if rest.is_empty() && numbers.len() == *length => {
            for number in numbers {
                visit(*number);
            }
        }
        Json::Array(rows) if rows.len() == *length => {
            for row in rows {
                match row {
                    Json::Null if rest.is_empty() => visit(f64::NAN),
                    row if rest.is_empty() => visit(row.number().ok_or(PayloadError::NotAPayload)?),
                    row => walk(row, rest, visit)?,
                }
            }
        }
        Json::Numbers(_) | Json::Array(_) => return Err(PayloadError::ShapeMismatch),
        _ => return Err(PayloadError::NotAPayload),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::wire::numbers::pack;

    fn read(text: &str) -> Result<Checked, PayloadError> {
        payload(&Json::parse(text.as_bytes()).unwrap())
    }

    fn numbers(text: &str) -> Result<NumericArray, PayloadError> {
        numeric_array(&Json::parse(text.as_bytes()).unwrap(), KEPT_VALUES)
    }

    #[test]
    fn packed_and_nested_arrays_are_the_same_matrix() {
        let nested = numbers("[[1,2,3],[4,-5,0.5]]").unwrap();
        assert_eq!(nested.shape(), [2, 3]);
        let raw: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0, -5.0, 0.5].iter().flat_map(|v| v.to_le_bytes()).collect();
        let packed = format!(r#"{{"shape":[2,3],"dtype":"f32","b64":"{}"}}"#, pack(&raw));
        assert_eq!(numbers(&packed).unwrap(), nested);
    }

    #[test]
    fn files_must_lie_below_the_log() {
        assert_eq!(
            read(r#"{"file":"emb/390.npy","shape":[2,128]}"#).unwrap().payload,
            Some(Payload::File { path: "emb/390.npy".into(), shape: vec![2, 128] })
        );
        for path in
            ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\\\x", "\\\\\\\\host\\\\x", "~/x", ""]
        {
            let text = format!(r#"{{"file":"{path}","shape":[1]}}"#);
            assert_eq!(read(&text), Err(PayloadError::OutsideRun), "{path}");
        }
    }

    #[test]
    fn hostile_shapes_are_refused_without_taking_memory() {
        for size in ["4294967296", "70368744177664", "18446744073709551615", "1e300", "-1", "1.5"] {
            let packed = format!(r#"{{"shape":[{size}],"dtype":"f64","b64":"AAAA"}}"#);
            assert!(numbers(&packed).is_err(), "{size}");
        }
        let product = r#"{"shape":[4294967296,4294967296],"dtype":"u8","b64":""}"#;
        assert_eq!(numbers(product), Err(PayloadError::ShapeMismatch));
    }

    #[test]
    fn uneven_and_foreign_content_is_refused() {
        assert_eq!(numbers("[[1,2],[3]]"), Err(PayloadError::ShapeMismatch));
        assert_eq!(numbers(r#"[1,"x"]"#), Err(PayloadError::NotAPayload));
        assert_eq!(
            numbers(r#"{"shape":[1],"dtype":"c64","b64":"AAAA"}"#),
            Err(PayloadError::UnknownElementType)
        );
        assert!(numbers(r#"[null,"NaN",1]"#).unwrap().values()[0].is_nan());
        assert_eq!(
            read(r#"["a",null,3]"#).unwrap().payload,
            Some(Payload::Texts(vec![Some("a".into()), None, Some("3".into())]))
        );
    }
}
