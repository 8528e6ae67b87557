//! Lines of `metrics.jsonl` and `log.jsonl`: arrays of events.

use super::plots;
use crate::{
    formats::{
        Decoded,
        by_line::{Place, ReadLine},
        wire::{
            json::JsonError,
            json_tree::{Json, Object},
        },
    },
    model::{Artefact, ArtefactKind, Point, Record, SeriesKey, Tag, TextRecord, WallTime},
};

/// Bytes of a message that are kept.
const TEXT_LIMIT: usize = 64 << 10;

/// Reads events.
pub(super) struct Events;

impl ReadLine for Events {
    fn line(&mut self, text: &[u8], place: Place, out: &mut Decoded) -> Result<(), &'static str> {
        let json = Json::parse(text).map_err(JsonError::reason)?;
        let events = json.elements().ok_or("a line that is no array of events")?;
        for event in events.iter().filter_map(Json::object) {
            one(event, place, out);
        }
        out.count_records(1);
        Ok(())
    }
}

fn one(event: &Object<'_>, place: Place, out: &mut Decoded) {
    let wall = event.number("timestamp").map_or(WallTime::UNKNOWN, |ms| WallTime(ms / 1000.0));
    let step = event.integer("iter").unwrap_or(0);
    let text = |key| event.text(key).unwrap_or_default();
    let tag = || match (text("metric"), text("variant")) {
        (metric, "") => Tag::from(metric),
        (metric, variant) => Tag::new(format!("{metric}/{variant}")),
    };
    match text("type") {
        "training_stats_scalar" => match event.number("value") {
            Some(value) => out.point(&SeriesKey::plain(tag()), Point { step, wall: wall.0, value }),
            None => out.oddity("a scalar that is no number"),
        },
        "plot" => {
            let plot = text("plot_str");
            out.record(plots::plot(plot, &tag(), text("variant"), step, wall, place, out_of(plot)));
        }
        "training_debug_image" => out.record(Record::Artefact(Artefact {
            kind: ArtefactKind::Image,
            name: tag().as_str().into(),
            step: Some(step),
            wall,
            offset: place.offset,
            bytes: place.bytes,
            fields: Vec::new(),
        })),
        "log" => {
            let message = text("msg");
            let message = message.get(..message.floor_char_boundary(TEXT_LIMIT)).unwrap_or(message);
            out.record(Record::Text(TextRecord {
                tag: Tag::from("console"),
                step,
                wall,
                text: message.into(),
            }));
        }
        other => out.oddity(&format!("event {other}")),
    }
}

/// What to call a plot that says nothing.
fn out_of(plot: &str) -> &'static str {
    if plot.is_empty() { "a plot without its data" } else { "a plot that is no confusion matrix" }
}
