//! Polyaxon's `traceml` events: `<run>/events/<kind>/<name>.plx`, a file per metric or histogram, which is a table with
//! `|` between its cells: `step|timestamp|metric`. A name with `/` is a folder more. What the machine does lies beside
//! it, in `<run>/resources/metric/<name>.plx`.
//!
//! Source: `polyaxon/traceml` 1.5.0, `traceml/events/{paths,schemas}.py`, and files that its `EventFileWriter` wrote.
//! Each row is written with a line feed before it, so that the newest waits for the next one. `confusion` holds
//! Plotly's `x`, `y`, `z` without a word on which axis is the truth: kept as a table.

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    by_line::{ByLine, Place, ReadLine},
    document::table,
    wire::{
        axes::wall_of_text,
        buckets::Buckets,
        json_tree::Json,
        lines::{named, trim, without_mark},
        numbers::{integer, number},
    },
};
use crate::model::{HistogramRecord, LayerSubject, Point, Record, SeriesKey, Step, Tag, WallTime};

const KINDS: &[(&[u8], Kind)] = &[
    (b"step|timestamp|metric", Kind::Metric),
    (b"step|timestamp|histogram", Kind::Histogram),
    (b"step|timestamp|confusion", Kind::Confusion),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Metric,
    Histogram,
    Confusion,
}

/// `*.plx`
pub struct Polyaxon;

impl Format for Polyaxon {
    fn name(&self) -> &'static str {
        "polyaxon"
    }

    fn summary(&self) -> &'static str {
        "Polyaxon's traceml events: metrics and histograms (`events/*/*.plx`)"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.plx"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if !named(file.name, ".plx") {
            return Claim::No("");
        }
        let head = trim(without_mark(file.head));
        if KINDS.iter().any(|(header, _)| head.starts_with(header)) {
            Claim::Yes
        } else if KINDS.iter().any(|(header, _)| header.starts_with(head)) {
            Claim::NotYet
        } else {
            Claim::No("events of Polyaxon that are neither metrics nor histograms")
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        Standing::folder(below_run(path).map_or(0, |(up, _)| up))
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let stem = opening.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let name = below_run(opening.path).map_or(stem, |(_, name)| name);
        Box::new(ByLine::new(Rows { tag: Tag::new(name), kind: Kind::Metric, next: 0 }))
    }
}

/// How far above the file the run's folder lies, and the name of the metric.
fn below_run(path: &Path) -> Option<(usize, String)> {
    let above: Vec<_> = path.parent()?.iter().rev().take(16).map(|part| part.to_string_lossy()).collect();
    let below = |folder: &str, group: &'static str| {
        let at = above.iter().position(|part| part == folder)?;
        let groups = above.get(..at.checked_sub(1)?)?;
        let stem = path.file_stem()?.to_string_lossy();
        let mut name: Vec<&str> = groups.iter().rev().map(AsRef::as_ref).collect();
        name.push(&stem);
        Some((at + 1, format!("{group}{}", name.join("/"))))
    };
    below("events", "").or_else(|| below("resources", "system/"))
}

/// Reads rows.
struct Rows {
    tag: Tag,
    kind: Kind,
    /// The step of a row that has none.
    next: Step,
}

impl ReadLine for Rows {
    fn line(&mut self, text: &[u8], place: Place, out: &mut Decoded) -> Result<(), &'static str> {
        if let Some((_, kind)) = KINDS.iter().find(|(header, _)| *header == text) {
            self.kind = *kind;
            return Ok(());
        }
        let mut cells = text.splitn(3, |b| *b == b'|').map(trim);
        let (Some(step), Some(time), Some(value)) = (cells.next(), cells.next(), cells.next()) else {
            return Err("a row that does not have three cells");
        };
        let step = number(step).and_then(integer).unwrap_or(self.next);
        let wall = std::str::from_utf8(time).ok().and_then(wall_of_text).unwrap_or(f64::NAN);
        match self.kind {
            Kind::Metric => {
                let value = number(value).ok_or("a value that is no number")?;
                out.point(&SeriesKey::plain(self.tag.clone()), Point { step, wall, value });
            }
            Kind::Histogram => out.record(self.histogram(value, step, WallTime(wall))?),
            Kind::Confusion => {
                out.record(table(self.tag.as_str(), Vec::new(), place.offset, place.bytes as usize));
            }
        }
        self.next = step.saturating_add(1);
        out.count_records(1);
        Ok(())
    }
}

impl Rows {
    /// Of `values` and `counts` the longer one holds the edges: traceml passes on what `numpy.histogram` returns,
    /// which has the counts first.
    fn histogram(&self, text: &[u8], step: Step, wall: WallTime) -> Result<Record, &'static str> {
        const NONE: &str = "no histogram: neither list has one number more than the other";
        let json = Json::parse(text).map_err(super::wire::json::JsonError::reason)?;
        let numbers = |key| json.object().and_then(|o| o.get(key)).and_then(Json::numbers);
        let (first, second) = numbers("values").zip(numbers("counts")).ok_or(NONE)?;
        let (edges, counts) = if first.len() > second.len() { (first, second) } else { (second, first) };
        let buckets = Buckets::new(&edges, &counts).ok_or(NONE)?;
        let LayerSubject { layer, kind } = LayerSubject::of_tag(&self.tag);
        Ok(Record::Histogram(HistogramRecord {
            layer,
            kind,
            step,
            wall,
            edges: buckets.edges,
            counts: buckets.counts,
            stats: buckets.stats,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Taken;

    fn decode(path: &str, text: &str) -> Taken {
        let mut out = Decoded::new();
        let mut decoder = Polyaxon.decoder(&Opening::at(Path::new(path)));
        let used = decoder.decode(text.as_bytes(), &mut out).unwrap().bytes;
        decoder.decode_rest(&text.as_bytes()[used..], &mut out);
        out.take()
    }

    #[test]
    fn rows_are_points_of_the_metric_that_the_file_is_called_after() {
        let path = "run/events/metric/val/loss.plx";
        let text = "step|timestamp|metric\n1|2026-11-24 00:19:56.5+00:00|0.5\n|2026-11-24 00:19:57+00:00|nan\nx|y\n2||1";
        let taken = decode(path, text);
        let column = &taken.parts[0].columns[0];
        assert_eq!(column.key, SeriesKey::plain("val/loss"));
        assert_eq!(column.points.iter().map(|p| p.step).collect::<Vec<_>>(), [1, 2, 2]);
        assert!(column.points[1].value.is_nan() && (column.points[0].wall.fract() - 0.5).abs() < 1e-6);
        assert_eq!(taken.skips.len(), 1);
        assert_eq!(Polyaxon.standing(Path::new(path)), Standing::folder(3));
        assert_eq!(Polyaxon.standing(Path::new("loss.plx")), Standing::folder(0));
        assert_eq!(below_run(Path::new("run/resources/metric/cpu.plx")), Some((2, "system/cpu".into())));
        assert_eq!(
            below_run(Path::new("run/events/metric/resources/x.plx")),
            Some((3, "resources/x".into()))
        );
    }

    #[test]
    fn the_longer_list_of_a_histogram_holds_its_edges() {
        let text = "step|timestamp|histogram\n3|x|{\"values\": [3, 4], \"counts\": [0, 1, 2]}\n4|x|{\"values\": [1], \"counts\": [1]}\n";
        let taken = decode("run/events/histogram/w.plx", text);
        let Record::Histogram(found) = &taken.parts[0].records[0] else { panic!("{:?}", taken.parts) };
        assert_eq!((&*found.edges, &*found.counts), (&[0.0, 1.0, 2.0][..], &[3.0, 4.0][..]));
        assert_eq!(taken.skips.len(), 1, "lists of one length are no histogram");
    }
}
