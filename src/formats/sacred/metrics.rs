//! `metrics.json`: `{tag: {"steps": […], "timestamps": […], "values": […]}}`.

use std::borrow::Cow;

use crate::{
    formats::{
        Decoded,
        document::{Unread, each_member, passed, whole_json},
        wire::{
            axes::wall_of_text,
            json::{Cursor, unescape},
            json_tree::{Json, Object},
            numbers::integer,
        },
    },
    model::{Point, SeriesKey, Tag},
};

pub(super) fn metrics(bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let text = whole_json(bytes)?;
    // nothing is said before all of it is known to fit into memory
    each_member(&mut Cursor::new(text), |_, cursor| Json::parse(passed(cursor)?).map(|_| ()))?;
    each_member(&mut Cursor::new(text), |key, cursor| {
        let json = Json::parse(passed(cursor)?)?;
        match json.object() {
            Some(object) => metric(&unescape(key), object, out),
            None => out.oddity("a metric that is no object"),
        }
        Ok(())
    })?;
    out.count_records(1);
    Ok(())
}

fn metric(tag: &str, object: &Object<'_>, out: &mut Decoded) {
    let elements = |key| object.get(key).and_then(Json::elements).unwrap_or(Cow::Borrowed(&[]));
    let (steps, times, values) = (elements("steps"), elements("timestamps"), elements("values"));
    let column = out.column(&SeriesKey::plain(Tag::from(tag)));
    for (at, (step, value)) in steps.iter().zip(values.iter()).enumerate() {
        let (Some(step), Some(value)) = (step.number().and_then(integer), plain(value)) else {
            out.oddity("a value of a metric that is no number");
            continue;
        };
        let wall = times.get(at).and_then(Json::text).and_then(wall_of_text).unwrap_or(f64::NAN);
        out.push(column, Point { step, wall, value });
    }
}

/// A number, also one of numpy's, which Sacred writes as `{"py/object": "numpy.float32", "dtype": …, "value": 0.5}`.
fn plain(value: &Json<'_>) -> Option<f64> {
    match value {
        Json::Object(object) => object.number("value"),
        Json::Bool(value) => Some(f64::from(u8::from(*value))),
        other => other.number(),
    }
}
