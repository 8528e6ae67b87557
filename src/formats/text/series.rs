//! The series of one file: their columns, their units, and what was said twice.

use rustc_hash::FxHashMap;

use super::units::{converted, is_known};
use crate::{
    formats::{ColumnIndex, Decoded},
    model::{Point, SeriesKey, Step},
};

/// Different series of one file that are followed.
const SERIES_LIMIT: usize = 1 << 14;
/// Names longer than this are not followed.
const NAME_LENGTH: usize = 256;
/// Points that are remembered to know a repetition: every process of a job may print every line.
const RECENT: usize = 16;

/// Everything that is said of a number besides its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// Split, or empty.
    pub context: &'a str,
    /// The writer's name.
    pub tag: &'a str,
    /// As it is printed.
    pub unit: &'static str,
    /// The process that printed it.
    pub rank: Option<u32>,
}

/// All series of a run so far.
#[derive(Debug, Default)]
pub(super) struct AllSeries {
    all: Vec<Series>,
    by_name: FxHashMap<Box<str>, usize>,
    name: String,
    guess: usize,
    turn: u64,
}

#[derive(Debug)]
struct Series {
    context: Box<str>,
    tag: Box<str>,
    key: SeriesKey,
    column: Option<(u64, ColumnIndex)>,
    unit: &'static str,
    recent: Vec<Said>,
    next: usize,
    /// Processes differ in what they print: this one's numbers are the series, others get a context of their own.
    owner: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Said {
    step: Step,
    value: u64,
    rank: Option<u32>,
}

impl AllSeries {
    /// Columns asked for earlier are void.
    pub fn begin_turn(&mut self) {
        self.turn += 1;
    }

    /// A new line begins: its first name is probably that of the line before.
    pub fn begin_line(&mut self) {
        self.guess = 0;
    }

    /// Adds a point; false for a repetition. The error says why its name is not followed.
    pub fn add(
        &mut self,
        name: Named<'_>,
        step: Step,
        wall: f64,
        value: f64,
        out: &mut Decoded,
    ) -> Result<bool, &'static str> {
        let at = self.find(&name)?;
        let turn = self.turn;
        let Some(series) = self.all.get_mut(at) else { return Ok(false) };
        let value = converted(value, name.unit, series.unit);
        let said = Said { step, value: value.to_bits(), rank: name.rank };
        match series.hear(said) {
            Heard::Repeated => Ok(false),
            Heard::Other(rank) => {
                let context = if name.context.is_empty() {
                    format!("rank {rank}")
                } else {
                    format!("{}/rank {rank}", name.context)
                };
                let own = Named { context: &context, rank: None, ..name };
                self.add(own, step, wall, value, out)
            }
            Heard::New => {
                let column = match series.column {
                    Some((made, column)) if made == turn => column,
                    _ => {
                        let column = out.column(&series.key);
                        series.column = Some((turn, column));
                        column
                    }
                };
                out.push(column, Point { step, wall, value });
                Ok(true)
            }
        }
    }

    fn find(&mut self, name: &Named<'_>) -> Result<usize, &'static str> {
        let fits = |s: &Series| same(&s.tag, name.tag) && same(&s.context, name.context);
        let at = match self.all.get(self.guess) {
            Some(series) if fits(series) => self.guess,
            _ => {
                self.name.clear();
                self.name.push_str(name.context);
                self.name.push('\0');
                self.name.push_str(name.tag);
                match self.by_name.get(self.name.as_str()) {
                    Some(at) => *at,
                    None => self.make(name)?,
                }
            }
        };
        self.guess = at + 1;
        Ok(at)
    }

    fn make(&mut self, name: &Named<'_>) -> Result<usize, &'static str> {
        if name.tag.len() > NAME_LENGTH || name.context.len() > NAME_LENGTH {
            return Err("name longer than 256 bytes");
        }
        if self.all.len() >= SERIES_LIMIT {
            return Err("name beyond the first 16384");
        }
        self.by_name.insert(self.name.as_str().into(), self.all.len());
        self.all.push(Series {
            context: name.context.into(),
            tag: name.tag.into(),
            key: SeriesKey::new(name.tag, name.context),
            column: None,
            unit: if is_known(name.unit) { name.unit } else { "" },
            recent: Vec::new(),
            next: 0,
            owner: None,
        });
        Ok(self.all.len() - 1)
    }
}

/// Whether two names are the same. Empty ones, which most contexts are, are not compared: their address is made up, and
/// reading from such an address costs a processor some hundred cycles even where no byte of it is asked for.
#[inline]
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// What a point is to those before it.
enum Heard {
    New,
    Repeated,
    /// Of this process, whose numbers differ from those of the series.
    Other(u32),
}

impl Series {
    fn hear(&mut self, said: Said) -> Heard {
        if self.recent.iter().any(|s| (s.step, s.value) == (said.step, said.value)) {
            return Heard::Repeated;
        }
        if let Some(rank) = said.rank {
            if self.owner.is_none() {
                let same_step = |s: &&Said| s.step == said.step && s.rank.is_some_and(|r| r != rank);
                self.owner = self.recent.iter().find(same_step).and_then(|s| s.rank);
            }
            if self.owner.is_some_and(|owner| owner != rank) {
                return Heard::Other(rank);
            }
        }
        if let Some(oldest) = self.recent.get_mut(self.next) {
            *oldest = said;
        } else {
            self.recent.push(said);
        }
        self.next = (self.next + 1) % RECENT;
        Heard::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(points: &[(i64, f64, Option<u32>)]) -> Vec<(String, Vec<(i64, f64)>)> {
        let mut all = AllSeries::default();
        let mut out = Decoded::new();
        for (step, value, rank) in points {
            let name = Named { context: "", tag: "loss", unit: "", rank: *rank };
            all.begin_line();
            all.add(name, *step, f64::NAN, *value, &mut out).unwrap();
        }
        let columns = out.take().parts.remove(0).columns;
        let points = |c: &crate::model::Column| c.points.iter().map(|p| (p.step, p.value)).collect();
        columns.iter().map(|c| (c.key.label(), points(c))).collect()
    }

    #[test]
    fn what_every_process_prints_is_said_once() {
        let (zero, one) = (Some(0), Some(1));
        let read = read(&[
            (1, 2.5, zero),
            (1, 2.5, one),
            (2, 2.0, one),
            (2, 2.0, zero),
            (1, 2.5, None),
            (3, 1.5, zero),
        ]);
        assert_eq!(read, [("loss".to_owned(), vec![(1, 2.5), (2, 2.0), (3, 1.5)])]);
    }

    #[test]
    fn processes_that_differ_get_series_of_their_own() {
        let (zero, one) = (Some(0), Some(1));
        let read = read(&[(1, 2.5, zero), (1, 2.6, one), (2, 2.2, one), (2, 2.0, zero)]);
        assert_eq!(
            read,
            [
                ("loss".to_owned(), vec![(1, 2.5), (2, 2.0)]),
                ("rank 1/loss".to_owned(), vec![(1, 2.6), (2, 2.2)])
            ]
        );
    }

    #[test]
    fn units_of_one_series_are_one() {
        let mut all = AllSeries::default();
        let mut out = Decoded::new();
        for (step, value, unit) in [(1, 862.0, "ms"), (2, 4.6, "s")] {
            all.add(Named { context: "", tag: "total", unit, rank: None }, step, 0.0, value, &mut out)
                .unwrap();
        }
        let points = &out.take().parts[0].columns[0].points;
        assert!((points[1].value - 4600.0).abs() < 1e-9);
    }
}
