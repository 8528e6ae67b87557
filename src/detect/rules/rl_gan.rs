//! `rl_gan`: what goes wrong where losses say nothing: reinforcement learning and adversarial training.

use rustc_hash::FxHashMap;

use crate::model::{Goal, Point, SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, GroupDetector, Hold, Journal, Patience, Scope, SeriesDetector,
    Severity, Speaks, Surroundings, Threshold, Verdict,
    running::{self, Trail, Window},
    tags::{Role, TagClass, Words},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "rl_gan",
    summary: "a policy collapses, or one side of an adversarial pair has won",
    advice: "Go back to the best checkpoint, lower the learning rate, and look at the reward, the entropy and the balance of the two networks.",
    clears: "half of what was lost is won back",
    traps: "rewards that depend on a curriculum; exploration that ends by plan; environments with rare rewards",
    thresholds: &[
        Threshold::new(
            LOST,
            "share of the gain in reward that is lost, as medians of 5 values or a tenth of all: info",
        ),
        Threshold::new(LOST_ALL, "the same, lasting for a quarter of all values: warn"),
        Threshold::new(ENTROPY, "entropy as a share of its start within the first 30 % of the run: warn"),
        Threshold::new(KL, "approximate KL of an update, and 10 times its median, 10 in a row: warn"),
        Threshold::new(
            WON,
            "loss of one side as a share of its start, with the other above 5 times its own, 100 values: warn",
        ),
    ],
    scopes: &[
        Scope::Series { judges: judges_reward, build: build_reward },
        Scope::Series { judges: |class: &TagClass| class.role == Role::Entropy, build: build_entropy },
        Scope::Series { judges: |class: &TagClass| class.role == Role::Optimiser, build: build_update },
        Scope::Group { judges: is_side, build: || Box::new(Sides::default()) },
    ],
};

/// Share of the gain that a collapse has lost.
const LOST: f64 = 0.5;
/// … and that makes it an alarm, if it lasts for this share of all values.
const LOST_ALL: f64 = 0.9;
const LASTING: f64 = 0.25;
/// Values before an alarm: what rises first seldom stays.
const ALARM_VALUES: usize = 120;
/// Values of the level at least.
const VALUES: usize = 5;
/// The drop must stand out of the noise of a value by so many σ.
const DROP_SIGMA: f64 = 5.0;
/// Entropy as a share of its start …
const ENTROPY: f64 = 0.05;
/// … in this share of the planned run.
const ENTROPY_EARLY: f64 = 0.3;
/// KL of an update.
const KL: f64 = 0.1;
/// … and in units of its median.
const KL_BEYOND: f64 = 10.0;
/// Share of its start to which the loss of the side that has won falls.
const WON: f64 = 0.01;
/// … while the other's is so many times its own.
const LOSES: f64 = 5.0;
/// Values in a row of both.
const SIDES_HELD: u32 = 100;
/// The milder form: in units of the first half of the run so far …
const LEADS: f64 = 0.8;
const TRAILS: f64 = 2.0;
/// … for so many values in a row.
const LEADS_HELD: u32 = 4;

fn judges_reward(class: &TagClass) -> bool {
    class.role == Role::Metric
        && class.goal == Some(Goal::Max)
        && Words::of(&class.stem).any(&[
            "reward",
            "rewards",
            "return",
            "returns",
            "rew",
            "r",
            "coverage",
            "modes",
            "diversity",
        ])
}

fn build_reward(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Reward)
}

#[derive(Debug)]
struct Reward;

impl Speaks for Reward {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let best_step = words::step(e.number("best_step") as Step);
        let text = format!(
            "{place} fell from {} (step {best_step}) to {} at step {}: {:.0} % of what was gained is lost",
            words::value(e.number("best")),
            words::value(e.number("now")),
            words::step(step),
            100.0 * e.number("lost")
        );
        let advice = format!(
            "Go back to the checkpoint of step {best_step}; lower the learning rate or the clip range, raise the entropy bonus."
        );
        (text, advice)
    }
}

impl SeriesDetector for Reward {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, _: &Surroundings) -> Option<Verdict> {
        let values: Vec<f64> = journal.bins().iter().map(Bin::mean).collect();
        let window = VALUES.max(values.len() / 10);
        if values.len() < 3 * window {
            return Some(Verdict::Unsure);
        }
        let level = |upto: usize| running::median_of(&values[upto - window..upto]).unwrap_or(f64::NAN);
        let (start, now) = (level(window), level(values.len()));
        let (best_at, best) = (window..=values.len())
            .step_by((window / 4).max(1))
            .map(|i| (i, level(i)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((window, start));
        let gain = best - start;
        let sigma = running::noise(&values);
        let lost = (best - now) / gain;
        if gain <= 0.0 || lost < LOST / 2.0 {
            return Some(Verdict::Fine);
        }
        if lost < LOST || best - now < DROP_SIGMA * sigma || values.len() - best_at < window / 2 {
            return Some(Verdict::Unsure);
        }
        let best_step = journal.bins()[best_at - 1].last_step;
        let evidence = Evidence::new()
            .with("best", best)
            .with("best_step", best_step as f64)
            .with("start", start)
            .at_most("now", now, best - LOST * gain)
            .at_least("lost", lost, LOST);
        // Rewards of healthy agents fall and come back; an alarm takes nearly all of it, for long.
        let for_long = (values.len() - best_at) as f64 >= LASTING * values.len() as f64;
        let nearly_all = lost >= LOST_ALL && best - now >= 2.0 * DROP_SIGMA * sigma;
        let severity = if for_long && nearly_all && values.len() >= ALARM_VALUES {
            Severity::Warn
        } else {
            Severity::Info
        };
        Some(Verdict::Bad(Finding { severity, since: Some(best_step), evidence, sure: false }))
    }
}

fn build_entropy(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Entropy)
}

#[derive(Debug)]
struct Entropy;

impl Speaks for Entropy {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(5); 3], clear: 5 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} fell from {} to {} at step {}: the policy has stopped to explore",
            words::value(e.number("start")),
            words::value(e.number("now")),
            words::step(step)
        );
        (text, "Raise the entropy bonus, lower the learning rate, or scale the reward.".to_owned())
    }
}

impl SeriesDetector for Entropy {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let step = journal.last_step()?;
        // Some writers log the negative entropy as a loss.
        let start = journal.start()?.abs();
        let last: Vec<f64> = journal.bins().iter().rev().take(5).map(|b| b.mean().abs()).collect();
        let now = running::median_of(&last)?;
        if journal.bins().len() < 10 || start == 0.0 {
            return Some(Verdict::Unsure);
        }
        if now > 2.0 * ENTROPY * start {
            return Some(Verdict::Fine);
        }
        let early = around.share_done(step).map(|share| share <= ENTROPY_EARLY);
        // At the end of a training a policy may be sure of itself. Without a plan nothing says where the end is, but a fall
        // within a tenth of the run so far is no learning.
        let values: Vec<f64> = journal.bins().iter().map(|b| b.mean().abs()).collect();
        let low = values.iter().position(|v| *v <= ENTROPY * start).unwrap_or(values.len());
        let high = values[..low].iter().rposition(|v| *v >= 0.5 * start).unwrap_or(0);
        let sudden = low - high <= (values.len() / 10).max(3) && values.len() >= 20;
        if now > ENTROPY * start || early == Some(false) || early.is_none() && !sudden {
            return Some(Verdict::Unsure);
        }
        let evidence = Evidence::new().with("start", start).at_most("now", now, ENTROPY * start);
        let severity = if early == Some(true) { Severity::Warn } else { Severity::Info };
        Some(Verdict::Bad(Finding::new(severity, evidence)))
    }
}

fn build_update(key: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    let words = Words::of(key.tag.as_str());
    Box::new(Update {
        kl: words.phrase(&["approx_kl", "policy_kl"]),
        values: Window::default(),
        high: 0,
        since: None,
    })
}

/// The size of policy updates.
#[derive(Debug)]
struct Update {
    kl: bool,
    values: Window<64>,
    high: u32,
    since: Option<Step>,
}

impl Speaks for Update {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} is {} at step {}, {} updates in a row far above its usual {}",
            words::value(e.number("now")),
            words::step(step),
            e.number("updates"),
            words::value(e.number("usual"))
        );
        (text, "Lower the learning rate or the number of epochs per update, or stop updates early at a target KL.".to_owned())
    }
}

impl SeriesDetector for Update {
    fn indifferent(&self, _: &[Point]) -> bool {
        !self.kl
    }

    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !self.kl || !point.value.is_finite() {
            return None;
        }
        let usual = running::median_of(self.values.values()).filter(|_| self.values.values().len() >= 10);
        let Some(usual) = usual else {
            self.values.push(point.value);
            return None;
        };
        let limit = KL.max(KL_BEYOND * usual);
        if point.value < limit {
            self.values.push(point.value);
            self.high = 0;
            let fine = point.value < limit / 2.0;
            return Some((point.step, if fine { Verdict::Fine } else { Verdict::Unsure }));
        }
        if self.high == 0 {
            self.since = Some(point.step);
        }
        self.high += 1;
        if self.high < 10 {
            return Some((point.step, Verdict::Unsure));
        }
        let evidence = Evidence::new().at_least("now", point.value, limit).with("usual", usual).at_least(
            "updates",
            f64::from(self.high),
            10.0,
        );
        let finding = Finding { severity: Severity::Warn, since: self.since, evidence, sure: true };
        Some((point.step, Verdict::Bad(finding)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self { kl: self.kl, values: Window::default(), high: 0, since: None };
    }
}

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

fn is_side(key: &SeriesKey, class: &TagClass) -> bool {
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
struct Sides {
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
