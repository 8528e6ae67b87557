//! Made-up runs in which one thing is wrong, and runs that only look so.

use std::ops::RangeInclusive;

use epochscope::{detect::Severity, model::Step};

use super::curves::{Log, falling, noise};

/// A run in which one thing is wrong.
pub struct Fault {
    pub rule: &'static str,
    pub name: &'static str,
    pub log: Log,
    /// How loud it must be said at least.
    pub least: Severity,
    /// Where it must be said first.
    pub steps: RangeInclusive<Step>,
}

type Row = (&'static str, Step, f64);

const INFO: Severity = Severity::Info;
const WARN: Severity = Severity::Warn;
const CRITICAL: Severity = Severity::Critical;

fn fault(
    rule: &'static str,
    name: &'static str,
    least: Severity,
    steps: RangeInclusive<Step>,
    log: Log,
) -> Fault {
    Fault { rule, name, log, least, steps }
}

fn n(at: Step, sigma: f64) -> f64 {
    sigma * noise(77, at)
}

fn training(steps: Step, loss: impl Fn(Step) -> f64) -> Log {
    Log::of((0..steps).map(|i| ("train/loss", i, loss(i))))
}

/// A healthy training loss, and one other series beside it.
fn beside(steps: Step, tag: &'static str, value: impl Fn(Step) -> f64) -> Log {
    Log::of(
        (0..steps).flat_map(move |i| [(tag, i, value(i)), ("train/loss", i, falling(i, 300.0) + n(i, 0.02))]),
    )
}

/// Ten training steps an evaluation, which also writes `more`.
fn evaluated(
    evaluations: Step,
    train: impl Fn(Step) -> f64,
    val: impl Fn(Step) -> f64,
    more: impl Fn(Step) -> Option<Row>,
) -> Log {
    let mut rows = Vec::new();
    for e in 0..evaluations {
        rows.extend((1..=10).map(|i| ("train/loss", 10 * e + i, train(e) + n(10 * e + i, 0.002))));
        rows.push(("val/loss", 10 * (e + 1), val(e)));
        rows.extend(more(e));
    }
    Log::of(rows)
}

fn none(_: Step) -> Option<Row> {
    None
}

/// Falls up to evaluation `turn` and rises after it.
fn turning(e: Step, turn: Step, slope: f64) -> f64 {
    1.0 + 1.3 * (-(e.min(turn) as f64) / 12.0).exp() + slope * (e - turn).max(0) as f64
}

fn after(at: Step, start: Step, factor: f64, most: f64) -> f64 {
    factor.powi((at - start).max(0) as i32).min(most)
}

/// One or more for each rule on series, pairs, groups, siblings and other alerts.
pub fn all() -> Vec<Fault> {
    let mut all = losses();
    all.extend(gradients());
    all.extend(evaluations());
    all.extend(machines());
    all.extend(games());
    all.extend(restarts());
    all
}

fn losses() -> Vec<Fault> {
    let wave = |i: Step| (std::f64::consts::TAU * i as f64 / 12.0).sin();
    vec![
        fault(
            "nan",
            "a loss turns NaN",
            CRITICAL,
            600..=610,
            training(1000, |i| if i < 600 { falling(i, 300.0) + n(i, 0.02) } else { f64::NAN }),
        ),
        fault(
            "divergence",
            "a loss grows by 1 % a step",
            CRITICAL,
            1200..=1400,
            training(1800, |i| falling(i, 300.0) * after(i, 1200, 1.01, 40.0) + n(i, 0.02)),
        ),
        fault(
            "loss_spike",
            "60 steps at twice the level",
            WARN,
            1000..=1020,
            training(1600, |i| {
                (falling(i, 300.0) + n(i, 0.02)) * if (1000..1060).contains(&i) { 2.0 } else { 1.0 }
            }),
        ),
        fault(
            "oscillation",
            "a rhythm of 12 points",
            INFO,
            40..=160,
            training(800, |i| (falling(i, 300.0) + 0.5) * (1.0 + 0.3 * wave(i)) + n(i, 0.02)),
        ),
        fault(
            "not_learning",
            "guessing among 10 classes",
            WARN,
            200..=700,
            training(1600, |i| 10_f64.ln() + n(i, 0.01)),
        ),
        fault("not_learning", "not a bit changes", CRITICAL, 15..=45, training(400, |_| 0.731)),
        fault(
            "plateau",
            "flat for three quarters of the run",
            INFO,
            200..=1400,
            training(2000, |i| falling(i, 60.0) + n(i, 0.005)),
        ),
        fault(
            "plateau",
            "flat at a constant rate for most of the plan",
            WARN,
            500..=1999,
            Log::of(
                (0..2000).flat_map(|i| [("lr", i, 0.01), ("train/loss", i, falling(i, 60.0) + n(i, 0.005))]),
            )
            .planned(2200),
        ),
        fault(
            "poor_initialisation",
            "a first loss of 60 times what follows",
            INFO,
            40..=60,
            training(600, |i| (2.3 + n(i, 0.02)) * if i < 3 { 60.0 } else { 1.0 } - i as f64 / 600.0),
        ),
        fault("slow_convergence", "half as fast as its siblings", INFO, 500..=1199, {
            let run = |seed: u64, t: f64| training(1200, move |i| falling(i, t) + 0.01 * noise(seed, i));
            run(1, 6000.0).beside((2..8).map(|seed| run(seed, 200.0)))
        }),
    ]
}

fn gradients() -> Vec<Fault> {
    let norm = |i: Step| 1.0 + n(i + 9000, 0.1).abs();
    let raised = |i: Step| if i < 600 { 0.01 } else { 0.1 };
    vec![
        fault(
            "gradient_surge",
            "doubles and doubles",
            WARN,
            800..=805,
            beside(1200, "train/grad_norm", move |i| {
                norm(i) * if i < 815 { after(i, 799, 2.5, 900.0) } else { 1.0 }
            }),
        ),
        fault(
            "gradient_surge",
            "12 times its level",
            WARN,
            800..=805,
            beside(1200, "train/grad_norm", move |i| norm(i) * if i < 800 { 1.0 } else { 12.0 }),
        ),
        fault(
            "exploding_gradient",
            "50 times its level",
            WARN,
            800..=810,
            beside(1200, "train/grad_norm", move |i| norm(i) * if i < 800 { 1.0 } else { 50.0 }),
        ),
        fault(
            "learning_rate",
            "a loss that is higher since the rate was raised",
            WARN,
            600..=760,
            Log::of((0..1200).flat_map(|i| {
                let step = if i < 600 { 0.0 } else { 0.4 };
                [("lr", i, raised(i)), ("train/loss", i, falling(i, 200.0) + step + n(i, 0.02))]
            })),
        ),
        fault(
            "learning_rate",
            "a divergence since the rate was raised",
            WARN,
            600..=760,
            Log::of((0..1200).flat_map(|i| {
                let loss = falling(i, 200.0) * after(i, 605, 1.02, 40.0);
                [("lr", i, raised(i)), ("train/loss", i, loss + n(i, 0.02))]
            })),
        ),
        fault("loss_scale", "halved again and again", WARN, 500..=550, {
            let scale = |i: Step| 65536.0 / 2_f64.powi(((i - 495).max(0) / 10).min(12) as i32);
            beside(900, "loss_scale", scale)
        }),
    ]
}

fn evaluations() -> Vec<Fault> {
    vec![
        fault(
            "overfitting",
            "validation turns",
            WARN,
            420..=650,
            evaluated(120, |e| falling(e, 20.0), |e| turning(e, 40, 0.02) + n(e, 0.003), none),
        ),
        fault(
            "generalisation_gap",
            "validation stands still, training falls on",
            INFO,
            160..=900,
            evaluated(
                100,
                |e| 2.3 - 0.02 * e as f64,
                |e| (2.4 - 0.02 * e as f64).max(1.9) + n(e, 0.004),
                none,
            ),
        ),
        fault(
            "metric_disagreement",
            "accuracy rises with the loss",
            INFO,
            300..=800,
            evaluated(
                100,
                |e| falling(e, 20.0),
                |e| turning(e, 30, 0.01) + n(e, 0.002),
                |e| Some(("val/accuracy", 10 * (e + 1), 0.9 - 0.6 * (-(e as f64) / 25.0).exp())),
            ),
        ),
        fault(
            "validation",
            "the same loss each time",
            INFO,
            20..=80,
            evaluated(60, |e| falling(e, 20.0), |_| 1.234_567_890_1, none),
        ),
        fault(
            "validation",
            "perfect from the first time on",
            INFO,
            20..=80,
            evaluated(
                60,
                |e| falling(e, 20.0),
                |e| falling(e, 20.0) + 0.05 + n(e, 0.003),
                |e| Some(("val/accuracy", 10 * (e + 1), 1.0)),
            ),
        ),
    ]
}

fn machines() -> Vec<Fault> {
    vec![
        fault(
            "throughput_drop",
            "6 % of a steady MFU",
            INFO,
            600..=610,
            beside(1000, "mfu", |i| (if i < 600 { 0.45 } else { 0.42 }) * (1.0 + n(i, 0.001))),
        ),
        fault(
            "throughput_drop",
            "half of the MFU",
            WARN,
            600..=650,
            beside(1000, "mfu", |i| (if i < 600 { 0.45 } else { 0.22 }) * (1.0 + n(i, 0.03))),
        ),
        fault(
            "throughput_drop",
            "steps take twice as long",
            INFO,
            600..=660,
            beside(1000, "iteration-time", |i| (if i < 600 { 0.8 } else { 1.6 }) * (1.0 + n(i, 0.03))),
        ),
        fault("throughput_drop", "records come half as often", INFO, 600..=660, {
            training(1000, |i| falling(i, 300.0) + n(i, 0.02))
                .timed(|i| i.min(600) as f64 + 2.0 * (i - 600).max(0) as f64)
        }),
        fault(
            "memory",
            "fills within two hours",
            WARN,
            100..=1400,
            beside(1600, "system/gpu.0.memoryAllocated", |i| 40.0 + 0.02 * i as f64 + n(i, 0.1)),
        ),
        fault(
            "memory",
            "an allocation was tried again",
            WARN,
            500..=501,
            beside(900, "memory/num_ooms", |i| if i < 500 { 0.0 } else { 1.0 }),
        ),
    ]
}

fn games() -> Vec<Fault> {
    let reward = |i: Step| 200.0 * (1.0 - (-(i as f64) / 150.0).exp());
    let play = |steps: Step, tag: &'static str, value: &dyn Fn(Step) -> f64| {
        Log::of((0..steps).map(|i| (tag, i, value(i))).collect::<Vec<Row>>())
    };
    vec![
        fault(
            "rl_gan",
            "the reward collapses",
            WARN,
            800..=1600,
            play(1600, "rollout/ep_rew_mean", &|i| {
                n(i, 4.0) + if i < 800 { reward(i) } else { reward(800) * (-((i - 800) as f64) / 60.0).exp() }
            }),
        ),
        fault(
            "rl_gan",
            "updates are far too large",
            WARN,
            600..=640,
            play(1000, "train/approx_kl", &|i| {
                (0.01 + 0.002 * noise(4, i).abs()) * if i < 600 { 1.0 } else { 40.0 }
            }),
        ),
        fault(
            "rl_gan",
            "the policy explores no more",
            INFO,
            400..=500,
            play(1000, "train/entropy", &|i| {
                if i < 400 { 1.4 } else { 1.4 * (-((i - 400) as f64) / 6.0).exp() + 0.005 }
            }),
        ),
        fault("rl_gan", "the discriminator has won", WARN, 400..=760, {
            Log::of((0..1200).flat_map(|i| {
                let won = i >= 400;
                let (d, g) = if won { (0.002, 9.0) } else { (0.69, 1.0) };
                [("loss_D", i, d * (1.0 + n(i, 0.05))), ("loss_G", i, g * (1.0 + n(i + 5000, 0.05)))]
            }))
        }),
    ]
}

fn restarts() -> Vec<Fault> {
    let before = |i: Step| ("train/loss", i, falling(i, 200.0) + n(i, 0.01));
    let higher = |i: Step| ("train/loss", i, falling(i, 200.0) + 0.25 + n(i, 0.01));
    vec![
        fault(
            "resume",
            "a later file goes on higher",
            INFO,
            1000..=1400,
            Log::of((0..1000).map(before)).then((1000..2000).map(higher)),
        ),
        fault(
            "resume",
            "the steps go back and the loss is higher",
            INFO,
            900..=1400,
            Log::of((0..1000).map(before).chain((900..2000).map(higher))),
        ),
    ]
}

/// For each rule a run that looks ill to a naive eye.
pub fn healthy() -> Vec<(&'static str, &'static str, Log)> {
    let mut all = healthy_losses();
    all.extend(healthy_others());
    all
}

fn healthy_losses() -> Vec<(&'static str, &'static str, Log)> {
    let wave = |i: Step| (std::f64::consts::TAU * i as f64 / 12.0).sin();
    let run = |seed: u64, t: f64| training(1200, move |i| falling(i, t) + 0.01 * noise(seed, i));
    vec![
        (
            "nan",
            "columns that take turns",
            Log::of((0..600).flat_map(|i| {
                let loss = falling(i, 200.0);
                let eval = i % 10 == 9;
                [
                    ("train/loss", i, if eval { f64::NAN } else { loss }),
                    ("val/loss", i, if eval { loss + 0.1 + n(i, 0.005) } else { f64::NAN }),
                ]
            })),
        ),
        (
            "divergence",
            "a loss below zero that falls",
            training(1200, |i| 3.0 - i as f64 / 100.0 + n(i, 0.1)),
        ),
        (
            "loss_spike",
            "single batches far out",
            training(1600, |i| (falling(i, 300.0) + n(i, 0.02)) * if i % 170 == 3 { 1.9 } else { 1.0 }),
        ),
        (
            "oscillation",
            "a rhythm of 3 %",
            training(800, |i| (falling(i, 300.0) + 0.5) * (1.0 + 0.03 * wave(i))),
        ),
        (
            "not_learning",
            "a fine-tuning that falls slowly",
            training(1200, |i| 1.1 - i as f64 / 8000.0 + n(i, 0.05)),
        ),
        (
            "plateau",
            "a plateau that is left",
            training(1200, |i| {
                falling(i.min(300), 100.0) - 0.2 * ((i - 600).max(0) as f64 / 100.0).tanh() + n(i, 0.005)
            }),
        ),
        (
            "poor_initialisation",
            "a loss that falls thirtyfold",
            training(600, |i| 60.0 * (-(i as f64) / 15.0).exp() + 2.0),
        ),
        ("slow_convergence", "as fast as its siblings", run(1, 210.0).beside((2..8).map(|s| run(s, 200.0)))),
        (
            "learning_rate",
            "a raise that the loss does not mind",
            Log::of((0..1200).flat_map(|i| {
                let rate = if i < 600 { 0.01 } else { 0.1 };
                [("lr", i, rate), ("train/loss", i, falling(i, 200.0) + n(i, 0.02))]
            })),
        ),
        (
            "resume",
            "a later file that goes on where it was",
            Log::of((0..1000).map(|i| ("train/loss", i, falling(i, 200.0) + n(i, 0.01))))
                .then((990..2000).map(|i| ("train/loss", i, falling(i, 200.0) + n(i + 7, 0.01)))),
        ),
    ]
}

fn healthy_others() -> Vec<(&'static str, &'static str, Log)> {
    let norm = |i: Step| 1.0 + n(i + 9000, 0.3).abs();
    let near = |e: Step| falling(e, 20.0) + 0.1;
    vec![
        (
            "gradient_surge",
            "one high value now and then",
            beside(1200, "train/grad_norm", move |i| norm(i) * if i % 97 == 50 { 15.0 } else { 1.0 }),
        ),
        (
            "exploding_gradient",
            "a norm that grows tenfold over the run",
            beside(2000, "train/grad_norm", move |i| norm(i) * 10_f64.powf(i as f64 / 2000.0)),
        ),
        (
            "loss_scale",
            "grows and is halved every 2,000 steps",
            beside(6000, "loss_scale", |i| if i % 2000 < 1000 { 65536.0 } else { 131_072.0 }),
        ),
        (
            "overfitting",
            "a small noisy validation set",
            evaluated(150, |e| falling(e, 20.0), move |e| near(e) + n(e, 0.08), none),
        ),
        (
            "generalisation_gap",
            "a gap that stays",
            evaluated(100, |e| falling(e, 20.0), move |e| near(e) + 0.3 + n(e, 0.005), none),
        ),
        (
            "metric_disagreement",
            "both get better",
            evaluated(
                100,
                |e| falling(e, 20.0),
                move |e| near(e) + n(e, 0.005),
                |e| Some(("val/accuracy", 10 * (e + 1), 0.9 - 0.6 * (-(e as f64) / 25.0).exp())),
            ),
        ),
        (
            "validation",
            "few digits",
            evaluated(60, |e| falling(e, 20.0), move |e| (10.0 * near(e)).round() / 10.0, none),
        ),
        (
            "throughput_drop",
            "a noisy rate",
            beside(1000, "tokens_per_second", |i| 9000.0 * (1.0 + n(i, 0.1))),
        ),
        (
            "memory",
            "caches fill, then nothing more",
            beside(1600, "system/gpu.0.memoryAllocated", |i| {
                60.0 - 30.0 * (-(i as f64) / 3.0).exp() + n(i, 0.1)
            }),
        ),
        (
            "rl_gan",
            "a reward that dips and comes back",
            Log::of((0..1600).map(|i| {
                let dip = if (700..760).contains(&i) { 0.6 } else { 1.0 };
                ("rollout/ep_rew_mean", i, 200.0 * dip * (1.0 - (-(i as f64) / 150.0).exp()) + n(i, 4.0))
            })),
        ),
    ]
}
