//! Generator against discriminator: one of the two runs away.

use rustc_hash::FxHashMap;

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Evidence, Finding, GroupDetector, Hold, Patience, Severity, Speaks, Surroundings, Verdict,
    running::{self, Trail, Window},
    tags::{Role, TagClass, Words},
    words,
};

/// Share of its start to which the loss of the side that has won falls.
pub(super) const WON: f64 = 0.01;
/// … while the other's is so many times its own.
const LOSES: f64 = 5.0;
/// Values in a row of both.
const SIDES_HELD: u32 = 100;
/// The milder form: in units of the first half of the run so far …
const LEADS: f64 = 0.8;
const TRAILS: f64 = 2.0;
/// … for so many values in a row.
const LEADS_HELD: u32 = 4;

/// Which side of an adversarial pair a loss belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Generator,
    Discriminator,
}

fn side(key: &SeriesKey) -> Option<Side> {
    let words = Words::of(key.tag.as_str());
    if words.any_exact(&["g", "gen", "generator", "errg"]) {
        Some(Side::Generator)
    } else if words.any_exact(&["d", "disc", "discriminator", "dis", "errd"]) {
        Some(Side::Discriminator)
    } else {
        None
    }
}

pub(super) fn is_side(key: &SeriesKey, class: &TagClass) -> bool {
    class.role == Role::UnstableLoss && side(key).is_some()
}

/// What one side's loss says.
#[derive(Clone, Debug, Default)]
struct Course {
    first: Vec<f64>,
    recent: Window<8>,
    /// Where it was far below or above its start for long enough.
    low: Stretches,
    high: Stretches,
    /// The milder form: below or above what was usual.
    leads: Stretches,
    trails: Stretches,
    history: Trail,
    usual: f64,
    seen: Step,
    now: f64,
}

/// A stretch of steps in which something held, and by how much when it had held for long enough.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Step,
    /// `None` while it goes on.
    to: Option<Step>,
    value: f64,
    /// The value as a share of what it is compared with.
    share: f64,
}

/// Stretches of a series. Kept, because two series may be read one after the other.
#[derive(Clone, Debug, Default)]
struct Stretches {
    held: u32,
    known: Vec<Stretch>,
}

impl Stretches {
    fn hear(&mut self, holds: bool, needed: u32, step: Step, (value, share): (f64, f64)) {
        self.held = if holds { self.held + 1 } else { 0 };
        if self.held == needed && self.known.len() < 32 {
            self.known.push(Stretch { from: step, to: None, value, share });
        } else if self.held == 0
            && let Some(last) = self.known.last_mut()
        {
            last.to.get_or_insert(step);
        }
    }

    /// The first two that overlap: from where on, and until where if that has ended. A stretch that goes on is known to
    /// go on up to `seen` only, the step that both series have reached.
    fn shared(&self, other: &Self, seen: Step) -> Option<(Step, Option<Step>, Stretch, Stretch)> {
        let both = self.known.iter().flat_map(|a| other.known.iter().map(move |b| (*a, *b)));
        both.map(|(a, b)| {
            let to = match (a.to, b.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            (a.from.max(b.from), to, a, b)
        })
        .filter(|(from, to, ..)| *from <= seen && to.is_none_or(|to| to >= *from))
        .min_by_key(|(from, ..)| *from)
    }
}

/// Generator against discriminator.
#[derive(Debug, Default)]
pub(super) struct Sides {
    courses: FxHashMap<SeriesKey, Course>,
    told: Option<Step>,
}

impl Speaks for Sides {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, _: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let (winner, loser) = if e.has("generator_won") {
            ("generator", "discriminator")
        } else {
            ("discriminator", "generator")
        };
        let text = format!(
            "the {winner} runs ahead: its loss is {} ({:.1} % of what it was) and the {loser}'s {} ({} times what it was) at step {}",
            words::value(e.number("winner_now")),
            100.0 * e.number("winner_of_start"),
            words::value(e.number("loser_now")),
            words::value(e.number("loser_of_start")),
            words::step(step)
        );
        let advice = format!(
            "Slow the {winner} down (learning rate, fewer updates, regularisation) and go back to a checkpoint before it won."
        );
        (text, advice)
    }
}

impl GroupDetector for Sides {
    fn point(
        &mut self,
        key: &SeriesKey,
        _: &TagClass,
        point: &Point,
        _: &Surroundings,
    ) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        let course = self.courses.entry(key.clone()).or_default();
        if course.first.len() < 8 {
            course.first.push(point.value);
            return None;
        }
        course.recent.push(point.value);
        let start = running::median_of(&course.first)?.abs();
        course.now = running::median_of(course.recent.values())?;
        let now = course.now;
        course.low.hear(now.abs() <= WON * start, SIDES_HELD, point.step, (now, now.abs() / start));
        course.high.hear(now >= LOSES * start, SIDES_HELD, point.step, (now, now / start));
        course.history.push(point.value);
        let blocks = course.history.blocks();
        if blocks.len() >= 24 {
            course.usual = running::median_of(&blocks[..blocks.len() / 2])?;
            let (usual, share) = (course.usual, (now, now / course.usual));
            course.leads.hear(usual > 0.0 && now <= LEADS * usual, LEADS_HELD, point.step, share);
            course.trails.hear(usual > 0.0 && now >= TRAILS * usual, LEADS_HELD, point.step, share);
            course.seen = point.step;
        }
        self.verdict()
    }

    fn rewind(&mut self, key: &SeriesKey, _: Step) {
        self.courses.remove(key);
    }
}

impl Sides {
    fn verdict(&mut self) -> Option<(Step, Verdict)> {
        let mut sides: Vec<(&SeriesKey, &Course)> = self.courses.iter().collect();
        sides.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let pairs = || {
            let all = sides.iter().flat_map(|w| sides.iter().map(move |l| (*w, *l)));
            all.filter(|(w, l)| side(w.0) != side(l.0))
        };
        let strict =
            pairs().find_map(|(w, l)| Some((w, l, w.1.low.shared(&l.1.high, w.1.seen.min(l.1.seen))?, true)));
        let found = strict.or_else(|| {
            pairs().find_map(|(w, l)| {
                Some((w, l, w.1.leads.shared(&l.1.trails, w.1.seen.min(l.1.seen))?, false))
            })
        });
        let ((winner_key, winner), (_, loser), (at, end, ahead, behind), won) = found?;
        if self.told.is_some_and(|told| told == at) {
            // It ends where the first of the two does, whichever was read first.
            let over = end.filter(|end| winner.seen >= *end && loser.seen >= *end);
            return over.map(|end| (end, Verdict::Fine));
        }
        self.told = Some(at);
        let (low, high) = if won { (WON, LOSES) } else { (LEADS, TRAILS) };
        let mut evidence = Evidence::new()
            .with("winner_now", ahead.value)
            .at_most("winner_of_start", ahead.share, low)
            .with("loser_now", behind.value)
            .at_least("loser_of_start", behind.share, high);
        if side(winner_key) == Some(Side::Generator) {
            evidence = evidence.with("generator_won", 1.0);
        }
        let severity = if won { Severity::Warn } else { Severity::Info };
        let finding = Finding { severity, since: Some(at), evidence, sure: true };
        Some((at, Verdict::Bad(finding)))
    }
}
