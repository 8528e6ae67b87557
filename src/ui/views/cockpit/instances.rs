//! The page of instances: the data map, what was forgotten, and the likeliest wrong labels.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    analysis::dynamics::{DataMap, Instance, Instances, Region, length, sights},
    model::{ArtefactKind, FileId, Payload, RunId, Step},
    store::{Run, StoredArtefact},
    ui::{
        FrameContext, Theme,
        background::Pending,
        numbers::{count, percent},
        text::{fit, put, put_right, set},
        widgets::{
            chart::BRAILLE,
            table::{Cell, Column, Keep, Layout, Window, position},
        },
    },
};

/// Numbers of prediction records that are taken, newest records first. Takes some milliseconds.
const MOST_VALUES: usize = 4_000_000;
/// Instances that are listed.
const SUSPECTS: usize = 100;
/// What is read of a record.
const FIELDS: [&str; 5] = ["id", "y", "yhat", "logits", "p"];
/// Columns of the map at least.
const LEAST_MAP: u16 = 24;
/// The largest standard deviation of numbers between 0 and 1.
const MOST_VARIABILITY: f64 = 0.5;

/// What the map depends on: run, split, and where the records lie that are taken.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    run: RunId,
    split: String,
    records: Vec<(Option<Step>, FileId, u64)>,
}

impl Key {
    /// Whether what is known of `older` may stand in: less of the same, and nothing from after the time cursor.
    fn goes_on_from(&self, older: &Self) -> bool {
        let last = |key: &Self| key.records.last().and_then(|(step, ..)| *step);
        self.run == older.run && self.split == older.split && last(older) <= last(self)
    }
}

/// What is worked out.
struct Found {
    of: Key,
    map: DataMap,
    epochs: u32,
    instances: usize,
    left_out: usize,
    repeated: u64,
}

/// The page's state.
#[derive(Default)]
pub(super) struct Dynamics {
    pending: Pending<Key, Found>,
    /// The key of the result that is there.
    known: Option<Key>,
    /// What the work that is asked for owns.
    seen: Option<(Key, Arc<Seen>)>,
    selected: usize,
    window: Window,
    listed: usize,
}

const COLUMNS: [Column; 7] = [
    Column::text("suspect", 10, 26, 0, Keep::Ends),
    Column::number("AUM", 7, 1),
    Column::number("conf", 6, 2),
    Column::number("var", 6, 3),
    Column::number("right", 7, 4),
    Column::number("forgot", 6, 5),
    Column::number("class", 6, 6),
];

/// Prediction records of the split that has most of them, `train` before others, in the order of steps.
fn predictions(run: &Run, until: Option<Step>) -> (String, Vec<&StoredArtefact>) {
    let of = |r: &&StoredArtefact| r.artefact.kind == ArtefactKind::Predictions && r.artefact.step.is_some();
    let shown = |r: &&StoredArtefact| until.is_none_or(|until| r.artefact.step <= Some(until));
    let split = |r: &StoredArtefact| r.artefact.text("split").unwrap_or_default().to_owned();
    let all: Vec<&StoredArtefact> = run.artefacts().iter().filter(of).collect();
    let mut splits: Vec<String> = all.iter().map(|r| split(r)).collect();
    splits.sort_unstable();
    splits.dedup();
    let most = |name: &String| (name == "train", all.iter().filter(|r| split(r) == *name).count());
    let Some(chosen) = splits.into_iter().max_by_key(most) else { return (String::new(), Vec::new()) };
    let mut records: Vec<&StoredArtefact> =
        all.iter().copied().filter(shown).filter(|r| split(r) == chosen).collect();
    records.sort_by_key(|r| r.artefact.step);
    (chosen, records)
}

/// Whether a run logs predictions.
pub(super) fn any(run: &Run) -> bool {
    run.artefact_counts().get(&ArtefactKind::Predictions).is_some_and(|n| *n > 0)
}

/// Steps at which there are predictions.
pub(super) fn moments(run: &Run) -> Vec<Step> {
    let mut steps: Vec<Step> = predictions(run, None).1.iter().filter_map(|r| r.artefact.step).collect();
    steps.dedup();
    steps
}

/// How many numbers and words of a record are read.
fn size(record: &StoredArtefact) -> usize {
    FIELDS.iter().filter_map(|name| record.artefact.field(name)).map(length).sum::<usize>() + 8
}

impl Dynamics {
    pub fn down(&mut self, by: isize) {
        self.selected = self.selected.saturating_add_signed(by).min(self.listed.saturating_sub(1));
    }

    /// Draws the page.
    pub fn draw(
        &mut self,
        context: FrameContext<'_>,
        run: &Run,
        until: Option<Step>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let theme = context.theme;
        let (split, records) = predictions(run, until);
        if records.is_empty() {
            put(buffer, area.x, area.y, "no predictions up to this step", area.width, theme.muted());
            return;
        }
        let mut taken = 0;
        let newest = records.iter().rev().take_while(|r| {
            taken += size(r);
            taken <= MOST_VALUES
        });
        let from = records.len() - newest.count();
        let taken = records.get(from..).unwrap_or_default();
        let place = |r: &&StoredArtefact| (r.artefact.step, r.file, r.artefact.offset);
        let key =
            Key { run: run.id().clone(), split: split.clone(), records: taken.iter().map(place).collect() };
        let seen = self.seen(&key, taken);
        let of = key.clone();
        let progress = self.pending.ask(context, key.clone(), move |cancel| {
            let mut instances = Instances::default();
            for (step, fields) in seen?.iter() {
                if cancel.is_cancelled() {
                    return None;
                }
                for (id, sight) in sights(fields) {
                    instances.observe(*step, &id, &sight);
                }
            }
            Some(Found {
                of,
                map: DataMap::of(&instances, SUSPECTS),
                epochs: instances.epochs(),
                instances: instances.all().len(),
                left_out: instances.left_out(),
                repeated: instances.repeated(),
            })
        });
        if progress.fresh {
            (self.known, self.seen) = (Some(key.clone()), None);
        }
        let Some(found) = progress.value.filter(|found| key.goes_on_from(&found.of)) else {
            let text = if progress.running { "reading predictions…" } else { "no instance has an id" };
            put(buffer, area.x, area.y, &fit(text, 40, theme.ascii), area.width, theme.muted());
            return;
        };
        let mut said = header(theme, found, &split);
        if from > 0 {
            said = format!("{said}{}{from} oldest records left out", theme.glyph(" · ", " | "));
        }
        if !progress.fresh {
            said = format!("{said}{}of before, reading…", theme.glyph(" · ", " | "));
        }
        put(buffer, area.x, area.y, &fit(&said, area.width.into(), theme.ascii), area.width, theme.title());
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let used = counts(theme, &found.map, body, buffer);
        let body = Rect { y: body.y + used, height: body.height.saturating_sub(used), ..body };
        self.listed = found.map.suspects.len();
        self.selected = self.selected.min(self.listed.saturating_sub(1));
        let beside = body.width >= 70 && !found.map.points.is_empty();
        let (upper, lower) = if beside {
            let width = (body.width * 2 / 5).max(LEAST_MAP);
            let right = Rect { x: body.x + width + 2, width: body.width - width - 2, ..body };
            (Rect { width, ..body }, right)
        } else {
            let tall = if body.height >= 14 && !found.map.points.is_empty() { body.height / 2 } else { 0 };
            let lower = Rect { y: body.y + tall, height: body.height - tall, ..body };
            (Rect { height: tall, ..body }, lower)
        };
        draw_map(theme, &found.map, upper, buffer);
        list(theme, &found.map, self.selected, &mut self.window, lower, buffer);
    }

    /// What the work of a key owns; made once, and not at all where the result is there.
    fn seen(&mut self, key: &Key, records: &[&StoredArtefact]) -> Option<Arc<Seen>> {
        if self.known.as_ref() == Some(key) {
            return None;
        }
        if let Some((of, seen)) = &self.seen
            && of == key
        {
            return Some(seen.clone());
        }
        let read = |(name, _): &&(Arc<str>, Payload)| FIELDS.contains(&&**name);
        let of = |r: &&StoredArtefact| {
            (r.artefact.step.unwrap_or(0), r.artefact.fields.iter().filter(read).cloned().collect())
        };
        let seen: Arc<Seen> = Arc::new(records.iter().map(of).collect());
        self.seen = Some((key.clone(), seen.clone()));
        Some(seen)
    }
}

/// What is read of instances, record by record.
type Seen = Vec<(Step, Vec<(Arc<str>, Payload)>)>;

fn header(theme: &Theme, found: &Found, split: &str) -> String {
    let mut parts = vec![format!("{} instances over {} epochs", count(found.instances as u64), found.epochs)];
    if !split.is_empty() {
        parts.push(split.to_owned());
    }
    if found.left_out > 0 {
        parts.push(format!("{} more left out", count(found.left_out as u64)));
    }
    if found.repeated > 0 {
        parts.push(format!("{} repeated in an epoch", count(found.repeated)));
    }
    parts.join(theme.glyph(" · ", " | "))
}

/// How many lie where, and what was forgotten. Returns the rows used.
fn counts(theme: &Theme, map: &DataMap, area: Rect, buffer: &mut Buffer) -> u16 {
    let dot = theme.glyph(" · ", " | ");
    let placed: usize = map.regions.iter().sum();
    let [easy, ambiguous, hard] = map.regions;
    let share = |n: usize| percent(n as f64 / placed.max(1) as f64);
    let first = if placed > 0 {
        let mut text = [(Region::Easy, easy), (Region::Ambiguous, ambiguous), (Region::Hard, hard)]
            .map(|(region, n)| format!("{n} {} ({})", region.name(), share(n)))
            .join(dot);
        if map.unplaced > 0 {
            text = format!("{text}{dot}{} on no map", map.unplaced);
        }
        text
    } else {
        "no instance was seen at two epochs with a probability".to_owned()
    };
    let second = format!(
        "{} forgotten ({} events){dot}{} never learnt",
        count(map.forgotten as u64),
        count(map.forgetting_events),
        count(map.never_learnt as u64)
    );
    for (row, text) in [first, second].iter().enumerate() {
        if (row as u16) < area.height {
            let text = fit(text, area.width.into(), theme.ascii);
            put(buffer, area.x, area.y + row as u16, &text, area.width, Style::new());
        }
    }
    area.height.min(2)
}

/// A dot for each instance: variability to the right, confidence upwards.
fn draw_map(theme: &Theme, map: &DataMap, area: Rect, buffer: &mut Buffer) {
    if area.height < 4 || area.width < LEAST_MAP {
        return;
    }
    let plot = Rect { x: area.x + 4, y: area.y + 1, width: area.width - 4, height: area.height - 2 };
    let (wide, high) = (usize::from(plot.width), usize::from(plot.height));
    let mut bits = vec![0_u8; wide * high];
    for [variability, confidence] in &map.points {
        let across = (variability / MOST_VARIABILITY).clamp(0.0, 1.0) * (2 * wide - 1) as f64;
        let down = (1.0 - confidence.clamp(0.0, 1.0)) * (4 * high - 1) as f64;
        let (x, y) = (across.round() as usize, down.round() as usize);
        if let Some(cell) = bits.get_mut(y / 4 * wide + x / 2) {
            *cell |= BRAILLE[x % 2][y % 4];
        }
    }
    for (at, bits) in bits.iter().enumerate().filter(|(_, bits)| **bits > 0) {
        let c = match (theme.ascii, bits.count_ones()) {
            (false, _) => char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('.'),
            (true, 1) => '.',
            (true, 2..=4) => 'o',
            (true, _) => '@',
        };
        set(buffer, plot.x + (at % wide) as u16, plot.y + (at / wide) as u16, c, theme.series(0));
    }
    let caption = fit("confidence, against variability", area.width.into(), theme.ascii);
    put(buffer, area.x, area.y, &caption, area.width, theme.muted());
    put_right(buffer, area.x, plot.x - 1, plot.y, "1", theme.muted());
    put_right(buffer, area.x, plot.x - 1, plot.bottom() - 1, "0", theme.muted());
    let y = area.bottom() - 1;
    put(buffer, plot.x, y, "0", plot.width, theme.muted());
    put_right(buffer, plot.x, plot.right(), y, "0.5", theme.muted());
    let edge = plot.x + (Region::UNSTEADY / MOST_VARIABILITY * f64::from(plot.width)) as u16;
    put(buffer, plot.x + 2, y, "steady", edge.saturating_sub(plot.x + 2), theme.muted());
    put(buffer, edge, y, "|ambiguous", plot.right().saturating_sub(edge + 4), theme.muted());
}

fn list(theme: &Theme, map: &DataMap, selected: usize, window: &mut Window, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || map.suspects.is_empty() {
        return;
    }
    let layout = Layout::new(&COLUMNS, area.width);
    layout.head(&COLUMNS, None, theme, Rect { height: 1, ..area }, buffer);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let visible =
        window.follow(selected, map.suspects.len(), usize::from(rows.height.saturating_sub(1)).max(1));
    for (y, at) in (rows.y..).zip(visible.clone()) {
        let Some(instance) = map.suspects.get(at) else { continue };
        let place = Rect { y, height: 1, ..rows };
        layout.row(&COLUMNS, |column| cell(theme, instance, column), at == selected, theme, place, buffer);
    }
    let note = position(&visible, map.suspects.len(), theme.ascii);
    put_right(buffer, area.x, area.right(), area.bottom() - 1, &note, theme.muted());
}

fn cell(theme: &Theme, instance: &Instance, column: usize) -> Cell {
    let dash = || Cell::new(theme.glyph("–", "-"), theme.muted());
    let number = |v: Option<f64>| v.map_or_else(dash, |v| Cell::plain(format!("{v:.3}")));
    match column {
        0 => Cell::plain(instance.id.to_string()),
        1 => instance.area_under_margin().map_or_else(dash, |v| Cell::plain(format!("{v:.2}"))),
        2 => number(instance.confidence()),
        3 => number(instance.variability()),
        4 => match instance.correctness() {
            (_, 0) => dash(),
            (right, judged) => Cell::plain(format!("{right}/{judged}")),
        },
        5 => instance.forgetting_events().map_or_else(
            || Cell::new(if instance.correctness().1 > 0 { "never" } else { "-" }, theme.muted()),
            |n| Cell::plain(n.to_string()),
        ),
        _ => instance.class.map_or_else(dash, |class| Cell::plain(class.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Record,
        ui::background::tests_support::{Later, array, artefact, only, store, with},
    };

    /// Three instances at epochs 1 to 4; from epoch 3 on there is a fourth.
    fn predictions() -> Vec<Record> {
        let at = |step: i32| {
            let n = if step < 3 { 3 } else { 4 };
            let names = (0..n).map(|i| Some(Arc::from(format!("img{i}")))).collect();
            let p = (0..n).flat_map(|i| [0.2 * f64::from(i), 1.0 - 0.2 * f64::from(i)]).collect();
            let fields = [
                ("id", Payload::Texts(names)),
                ("y", array(&[n as usize], vec![0.0; n as usize])),
                ("p", array(&[n as usize, 2], p)),
            ];
            artefact(ArtefactKind::Predictions, "pred", step.into(), &fields)
        };
        (1..5).map(at).collect()
    }

    #[test]
    fn while_the_past_is_worked_out_nothing_later_stands_in() {
        let (later, store) = (Later::default(), store(predictions()));
        let area = Rect::new(0, 0, 80, 20);
        with(&later, |context| {
            let mut page = Dynamics::default();
            let mut text = |until| {
                let mut buffer = Buffer::empty(area);
                page.draw(context, only(&store), until, area, &mut buffer);
                buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>()
            };
            assert!(text(Some(2)).contains("reading predictions"));
            later.work();
            assert!(text(Some(2)).contains("3 instances over 2 epochs"));
            // What was known before stands in, and says so.
            let before = text(None);
            assert!(before.contains("3 instances over 2 epochs") && before.contains("of before"), "{before}");
            later.work();
            assert!(text(None).contains("4 instances over 4 epochs"));
            let past = text(Some(3));
            assert!(past.contains("reading predictions") && !past.contains("img"), "{past}");
        });
    }

    #[test]
    fn words_count_as_much_as_numbers() {
        let names = Payload::Texts(vec![None; 500]);
        let fields = [("id", names.clone()), ("yhat", names)];
        let store = store(vec![artefact(ArtefactKind::Predictions, "pred", 1, &fields)]);
        assert_eq!(only(&store).artefacts().first().map(size), Some(1008));
    }
}
