//! The page of instances: the data map, what was forgotten, and the likeliest wrong labels.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    analysis::dynamics::{DataMap, Instance, Instances, Region, Sight, sights},
    model::{ArtefactKind, RunId, Step},
    store::{Run, StoredArtefact},
    ui::{
        FrameContext, Theme,
        background::Pending,
        numbers::{count, percent},
        text::{fit, put, put_right, set},
        widgets::table::{Cell, Column, Keep, Layout, Window, position},
    },
};

/// Numbers of prediction records that are taken, newest records first. Takes some milliseconds.
const MOST_VALUES: usize = 4_000_000;
/// Instances that are listed.
const SUSPECTS: usize = 100;
/// Columns of the map at least.
const LEAST_MAP: u16 = 24;
/// The largest standard deviation of numbers between 0 and 1.
const MOST_VARIABILITY: f64 = 0.5;

/// What the map depends on.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    run: RunId,
    split: String,
    records: usize,
    read: u64,
    last: Option<Step>,
}

/// What is worked out.
struct Found {
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

const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

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

/// How many numbers a record holds.
fn size(record: &StoredArtefact) -> usize {
    let of = |name| record.artefact.array(name).map_or(0, |a| a.values().len());
    of("p") + of("logits") + 8
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
        let key = Key {
            run: run.id().clone(),
            split: split.clone(),
            records: records.len(),
            read: run.artefact_counts().get(&ArtefactKind::Predictions).copied().unwrap_or(0),
            last: records.last().and_then(|r| r.artefact.step),
        };
        let seen = self.seen(&key, records.get(from..).unwrap_or_default());
        let progress = self.pending.ask(context, key.clone(), move |cancel| {
            let mut instances = Instances::default();
            for (step, sights) in seen?.iter() {
                if cancel.is_cancelled() {
                    return None;
                }
                for (id, sight) in sights {
                    instances.observe(*step, id, sight);
                }
            }
            Some(Found {
                map: DataMap::of(&instances, SUSPECTS),
                epochs: instances.epochs(),
                instances: instances.all().len(),
                left_out: instances.left_out(),
                repeated: instances.repeated(),
            })
        });
        if progress.fresh {
            (self.known, self.seen) = (Some(key), None);
        }
        let Some(found) = progress.value else {
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
        let of = |r: &&StoredArtefact| (r.artefact.step.unwrap_or(0), sights(&r.artefact.fields));
        let seen: Arc<Seen> = Arc::new(records.iter().map(of).collect());
        self.seen = Some((key.clone(), seen.clone()));
        Some(seen)
    }
}

/// What is seen of instances, record by record.
type Seen = Vec<(Step, Vec<(Arc<str>, Sight)>)>;

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
