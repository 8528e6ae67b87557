//! One metric of a run: a line per point, `timestamp value step`.
//!
//! Milliseconds; 2 fields from MLflow before 1.0 (no step), 5 where a data set is named. Lines of writers at the same
//! time may run into each other and need not ascend.

use crate::{
    formats::{
        Consumed, Decoded, Decoder, Fatal,
        wire::{
            lines::{Line, Lines},
            numbers::number,
        },
    },
    model::{Point, SeriesKey, Step},
};

/// Lines longer than this are none of a metric.
const LINE_LIMIT: usize = 4096;
const BROKEN: &str = "no line of time, value and step";

/// Reads one metric.
#[derive(Debug)]
pub struct MetricDecoder {
    key: SeriesKey,
    lines: Lines,
    /// Points so far, as long as none had a step other than 0.
    without_step: Option<Step>,
}

impl MetricDecoder {
    /// At the start of the file of the metric of that name.
    pub fn new(name: &str) -> Self {
        Self { key: SeriesKey::plain(name), lines: Lines::new(LINE_LIMIT), without_step: Some(0) }
    }

    fn line(&mut self, text: &[u8]) -> Option<Point> {
        let (time, value, step) = fields(text)?;
        // MLflow puts 0 for a step that was not given; points that all stand there are counted instead
        let step = match self.without_step.as_mut().filter(|_| step == 0) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.without_step = None;
                step
            }
        };
        Some(Point { step, wall: time as f64 / 1000.0, value })
    }
}

/// Time in milliseconds, value and step of a line.
pub fn fields(text: &[u8]) -> Option<(i64, f64, Step)> {
    let mut parts = text.trim_ascii().split(|b| *b == b' ');
    let mut next = || parts.next();
    let (time, value, step) = (whole(next()?)?, number(next()?)?, next().map_or(Some(0), whole)?);
    // the name and the digest of a data set
    let rest = parts.count();
    matches!(rest, 0 | 2).then_some((time, value, step))
}

fn whole(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Decoder for MetricDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let column = out.column(&self.key);
        let mut at = 0;
        while let Some(line) = self.lines.next(available, &mut at) {
            match line {
                Line::Text { text: [], .. } => {}
                Line::Text { offset, bytes, text } => match self.line(text) {
                    Some(point) => {
                        out.push(column, point);
                        out.count_records(1);
                    }
                    None => out.skip(offset, bytes, BROKEN),
                },
                Line::TooLong { offset, bytes } => out.skip(offset, bytes, "line longer than 4 KiB"),
            }
        }
        Ok(Consumed::all(at))
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        // a number that is cut is another number
        let Some(Line::Text { text, .. }) = self.lines.last(rest) else { return 0 };
        let whole = text.split(|b| *b == b' ').count() >= 3;
        match self.line(text).filter(|_| whole) {
            Some(point) => {
                let column = out.column(&self.key);
                out.push(column, point);
                out.count_records(1);
                rest.len()
            }
            None => 0,
        }
    }
}
