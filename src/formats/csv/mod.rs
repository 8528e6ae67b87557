//! Tables with a header: comma, tab, semicolon or bar; Ultralytics, Lightning, Keras, SB3, Ray, fastai,
//! CatBoost, DVCLive and anything that a training loop writes itself.
//!
//! Each numeric column is a series; tables in long form (`step,name,value`) have one for each name. Cells that say
//! *missing* are left out, see [`missing`]. A header that comes again in the middle is a restart. A header that is rewritten in place (Lightning, SB3: a new column) changes
//! the file's fingerprint, and the tail reads it again from the start.

mod cell;
mod claim;
mod columns;
mod long;
mod missing;
mod names;
mod rows;
mod standing;

use std::path::{Path, PathBuf};

use crate::{
    formats::{
        Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
        wire::{
            axes::{STEP_RANKS, Stepper},
            json_tree::Json,
            lines::{trim, without_mark},
            numbers::number,
        },
    },
    model::{HyperValue, Point, Record, RunInfo, Step},
};
use columns::{Ahead, Columns, Row};
use missing::Habits;
use rows::{ROW_LIMIT, Rows, cells, sniff};

/// The longest header that is compared to notice a rewritten file.
const FINGERPRINT_LIMIT: u64 = 64 << 10;

/// Tables with a header.
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn summary(&self) -> &'static str {
        "CSV and TSV with a header: Lightning, Ultralytics, Keras, SB3, Ray, fastai, CatBoost, DVCLive, own loops"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.csv", "*.tsv", "*.txt", "*.dat", "*.log"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim::claim(file)
    }

    fn standing(&self, path: &Path) -> Standing {
        standing::standing(path)
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(CsvDecoder::new(opening.path))
    }
}

/// Where the decoder of one file stands.
#[derive(Debug)]
struct CsvDecoder {
    path: PathBuf,
    rows: Rows,
    delimiter: u8,
    header: Vec<u8>,
    header_end: usize,
    columns: Columns,
    habits: Habits,
    steps: Stepper,
    turn: u64,
    monitor_start: Option<f64>,
    monitor_rows: Step,
    /// Rows of nothing but numbers are expected; how many of the last ones were something else.
    plain: bool,
    others: u32,
}

/// After so many other rows in succession no row of numbers is expected any more.
const OTHERS_LIMIT: u32 = 16;

impl CsvDecoder {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            rows: Rows::new(ROW_LIMIT),
            delimiter: b',',
            header: Vec::new(),
            header_end: 0,
            columns: Columns::default(),
            habits: Habits::default(),
            steps: Stepper::default(),
            turn: 0,
            monitor_start: None,
            monitor_rows: 0,
            plain: false,
            others: 0,
        }
    }

    /// Takes the row at `at` if it is one of nothing but numbers. Most are, and looking for the end of a row and for
    /// quotes in it first would be two more walks over it.
    fn plain_row(&mut self, available: &[u8], at: &mut usize, out: &mut Decoded) -> bool {
        if !self.plain || self.others >= OTHERS_LIMIT {
            return false;
        }
        match self.columns.read_ahead(available.get(*at..).unwrap_or_default()) {
            Ahead::Row(bytes) if self.rows.pass(bytes, at) => {
                self.others = 0;
                self.columns.learn(&mut self.habits);
                self.emit(&[], out);
                return true;
            }
            Ahead::Row(_) | Ahead::Other => self.others += 1,
            Ahead::Torn => {}
        }
        false
    }

    fn row(&mut self, row: &rows::Row<'_>, out: &mut Decoded) {
        let (offset, bytes, text) = match *row {
            rows::Row::Text { offset, bytes, text } => (offset, bytes, text),
            rows::Row::Bad { offset, bytes, reason } => return out.skip(offset, bytes, reason),
        };
        let text = trim_line_end(if offset == 0 { without_mark(text) } else { text });
        if trim(text).is_empty() {
            return;
        }
        if text.first() == Some(&b'#') && (!self.header.is_empty() || !claim::is_commented_header(text)) {
            self.comment(text, out);
        } else if self.header.is_empty() {
            self.begin(text);
            self.header_end = self.rows.offset().min(FINGERPRINT_LIMIT) as usize;
        } else if self.header.first() == text.first() && trim(text) == trim(&self.header) {
            self.restart();
        } else {
            self.cells(offset, bytes, text, out);
        }
    }

    /// The header.
    fn begin(&mut self, text: &[u8]) {
        self.header = text.to_vec();
        let text = text.strip_prefix(b"#").unwrap_or(text);
        self.delimiter = sniff(text).unwrap_or(b',');
        self.rows.set_delimiter(self.delimiter);
        let mut names = Vec::new();
        cells(text, self.delimiter, &mut names);
        self.columns = Columns::of(&names, &self.path);
        // a header of numbers could come again and look like a row
        let worded = names.iter().any(|name| !name.is_empty() && number(name).is_none());
        self.plain = worded && self.delimiter == b',' && self.columns.long.is_none();
        self.others = 0;
        self.habits = Habits::default();
    }

    /// The header came again: the trainer was started again with the same file.
    fn restart(&mut self) {
        self.steps.restart();
        self.monitor_rows = 0;
    }

    /// `#{"t_start": 1795457753.3, "env_id": "CartPole-v1"}` of SB3's monitor; other comments say nothing.
    fn comment(&mut self, text: &[u8], out: &mut Decoded) {
        let Some(Ok(Json::Object(object))) = text.strip_prefix(b"#").map(|t| Json::parse(trim(t))) else {
            return;
        };
        if let Some(start) = object.number("t_start").filter(|t| t.is_finite()) {
            self.monitor_start = Some(start);
            out.record(Record::Info(Box::new(RunInfo { started: Some(start), ..RunInfo::default() })));
            self.monitor_rows = 0;
        }
        if let Some(environment) = object.text("env_id") {
            out.record(Record::Hyperparameters(vec![(
                "env_id".into(),
                HyperValue::Text(environment.into()),
            )]));
        }
    }

    fn cells(&mut self, offset: u64, bytes: u64, text: &[u8], out: &mut Decoded) {
        let expected = self.columns.len();
        if self.columns.long.is_none()
            && memchr::memchr(b'"', text).is_none()
            && self.columns.read_plain(text, self.delimiter, out)
            && !self.columns.only_words()
        {
            self.columns.learn(&mut self.habits);
            return self.emit(&[], out);
        }
        let mut found = Vec::with_capacity(expected + 1);
        cells(text, self.delimiter, &mut found);
        if found.len() == expected + 1 && found.last().is_some_and(|cell| cell.is_empty()) {
            found.pop();
        }
        if self.columns.long.as_ref().is_none_or(|long| !long.fits(&found))
            && columns::is_other_header(&found)
        {
            self.begin(text);
            self.restart();
            return;
        }
        if found.len() != expected {
            out.skip(offset, bytes, format!("{} cells where the header has {expected}", found.len()));
            return;
        }
        self.columns.read_cells(&found, self.delimiter, out);
        self.columns.learn(&mut self.habits);
        self.emit(&found, out);
    }

    /// Hands out the row that was taken in last; `cells` are needed for the long form only.
    fn emit(&mut self, cells: &[&[u8]], out: &mut Decoded) {
        let mut by_rank = [None; STEP_RANKS];
        self.columns.steps(&mut by_rank);
        let (mut step, rank) = self.steps.step(&by_rank);
        if let (None, Some(index)) = (rank, self.columns.index()) {
            step = index;
        }
        let (mut wall, time) = match self.columns.wall() {
            Some((wall, at)) => (wall, Some(at)),
            None => (f64::NAN, None),
        };
        if let Some(start) = self.monitor_start
            && let Some(seconds) = self.columns.monitor()
        {
            // An episode has no step of its own. Adding up `l` would give the environment's, for one of several.
            step = self.monitor_rows;
            self.monitor_rows = self.monitor_rows.saturating_add(1);
            wall = start + seconds;
        }
        let row = Row { step, rank, wall, time, turn: self.turn };
        let value = self.columns.long.as_ref().and_then(|long| self.columns.number(long.value()));
        match (&mut self.columns.long, value) {
            (Some(long), Some(value)) => long.emit(cells, Point { step, wall, value }, out),
            (Some(_), None) => {}
            (None, _) => self.columns.emit(&row, &self.habits, out),
        }
        out.count_records(1);
    }
}

fn trim_line_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}

impl Decoder for CsvDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        self.turn += 1;
        let mut at = 0;
        loop {
            if self.plain_row(available, &mut at, out) {
                continue;
            }
            let Some(row) = self.rows.next(available, &mut at) else { break };
            self.row(&row, out);
        }
        Ok(Consumed::all(at))
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        self.turn += 1;
        let mut at = 0;
        while let Some(row) = self.rows.last(rest, &mut at) {
            self.row(&row, out);
        }
        at
    }

    fn fingerprint_bytes(&self) -> usize {
        self.header_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Taken;

    /// Shown in pieces of `chunk` bytes; `ahead`: rows of numbers may be taken without looking for their end.
    fn decode(text: &str, chunk: usize, ahead: bool) -> Taken {
        let (mut decoder, mut out) = (CsvDecoder::new(Path::new("metrics.csv")), Decoded::new());
        let bytes = text.as_bytes();
        let (mut start, mut end) = (0, 0);
        while end < bytes.len() {
            end = (end + chunk).min(bytes.len());
            start += decoder.decode(&bytes[start..end], &mut out).unwrap().bytes;
            decoder.plain &= ahead;
        }
        decoder.decode_rest(&bytes[start..], &mut out);
        out.take()
    }

    #[test]
    fn rows_of_numbers_are_read_as_all_others() {
        let header = "step,loss,acc,time\n";
        let rows = [
            "1,0.5,0.25,1750000000\n",
            "2,,0.5,\r\n",
            ",,,\n",
            "\n",
            "3,-1e-3,.5,7,\n",
            "4, 0.5 ,0.5,8\n",
            "5,nan,inf,9\n",
            "6,0.5\n",
            "7,0.5,0.5,8,9\n",
            "8,\"0.5\",0.5,8\n",
            "step,loss,acc,time\n",
            "9,0.5x,1.2.3,01:05\n",
            "#1,2,3,4\n",
            "10,1,2,3",
        ];
        let text: String = [header].into_iter().chain(rows).collect();
        let slow = decode(&text, header.len(), false);
        assert_eq!(slow.parts[0].columns.len(), 3);
        for chunk in [1, 2, 7, header.len(), text.len()] {
            let fast = decode(&text, chunk, true);
            assert_eq!(format!("{:?}", fast.parts), format!("{:?}", slow.parts), "in pieces of {chunk}");
            assert_eq!((fast.skips, fast.records), (slow.skips.clone(), slow.records));
        }
    }

    #[test]
    fn a_header_of_numbers_that_comes_again_is_still_one() {
        let taken = decode("1,2,3\n4,5,6\n1,2,3\n7,8,9\n", 64, true);
        assert_eq!(taken.records, 2);
    }
}
