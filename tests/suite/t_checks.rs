//! Checks of the specification whose answers are known: a point in a million is seen (T-1), each rule on layers and
//! classes speaks from its threshold on and not below (T-52), a NaN is one alert (T-53).

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::too_many_lines, reason = "a table of made-up networks")]

use epochscope::{
    model::{
        Batch, EndStatus,
        LayerKind::{Activations, Gradients, Weights},
        LayerStats, Record, RunId, SeriesKey, Step,
    },
    store::{Limits, Store},
    ui::{
        Theme,
        theme::Depth,
        widgets::chart::{self, Line, Stroke, Window},
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    detectors_layers::{Log, Network, evaluations, learns, matrix, network, nothing, stuck},
    frames::{frame, open},
    sessions::{Desk, column, origin},
};

const POINTS: i64 = 1_000_000;
const SPIKE: i64 = 654_321;

/// A series of a million ones with something else at one place, read in pieces as a file is.
fn read(store: &mut Store, name: &str, special: f64) {
    for from in (0..POINTS).step_by(50_000) {
        let mut batch = Batch::new(RunId::from(name), origin());
        let value = |i: i64| if i == SPIKE { special } else { 1.0 };
        batch.columns.push(column(SeriesKey::plain("loss"), (from..from + 50_000).map(|i| (i, value(i)))));
        if from + 50_000 == POINTS {
            batch.records.push(Record::End(EndStatus::Finished));
        }
        store.apply(&batch);
    }
}

#[test]
fn t_1_a_spike_of_one_point_in_a_million_reaches_the_top_in_its_dot_column() {
    let mut store = Store::new(Limits::default());
    read(&mut store, "run", 50.0);
    let series = store.run(&RunId::from("run")).unwrap().series_of(&SeriesKey::plain("loss")).unwrap();
    let mut points = Vec::new();
    for b in series.buckets(None) {
        let mut four = [
            (b.first.step, b.first.value),
            (b.min_step, b.min),
            (b.max_step, b.max),
            (b.last.step, b.last.value),
        ];
        four.sort_by_key(|p| p.0);
        points.extend(four.map(|(step, value)| [step as f64, value]));
    }
    assert!(points.len() < 50_000, "the store thins: {}", points.len());
    let area = Rect::new(0, 0, 80, 20);
    let mut buffer = Buffer::empty(area);
    let window = Window { x: (0.0, POINTS as f64), y: (0.0, 50.0), log_y: false };
    let line = Line { points: &points, style: Style::new(), stroke: Stroke::Solid, letter: None };
    chart::draw(&Theme::new(Depth::Rgb, false), &[line], &window, area, &mut buffer);
    let dot = SPIKE as usize * 160 / POINTS as usize;
    assert_eq!(dot, 104);
    for x in 0..80_usize {
        let bits = buffer[(x as u16, 0)].symbol().chars().next().map_or(0, |c| c as u32) & 0xff;
        // The dots of the top row: 0x01 at the left, 0x08 at the right.
        let top =
            if buffer[(x as u16, 0)].symbol() == " " { [false; 2] } else { [bits & 1 > 0, bits & 8 > 0] };
        assert_eq!(top, [2 * x == dot, 2 * x + 1 == dot], "cell {x}");
    }
}

/// The cells of the widest row of braille dots: the width of the plot.
fn plot(text: &str) -> (usize, usize) {
    let dots = |line: &str| -> Option<(usize, usize)> {
        let at: Vec<usize> = line
            .chars()
            .enumerate()
            .filter(|(_, c)| ('\u{2801}'..='\u{28ff}').contains(c))
            .map(|(i, _)| i)
            .collect();
        Some((*at.first()?, *at.last()? + 1))
    };
    text.lines().filter_map(dots).max_by_key(|(a, b)| b - a).unwrap()
}

#[test]
fn t_1_on_80_columns_of_screen_a_spike_and_a_nan_stand_in_their_columns() {
    let mut desk = Desk::new(Theme::new(Depth::Ansi256, false));
    read(&mut desk.store, "spike", 50.0);
    read(&mut desk.store, "nan", f64::NAN);
    open(&mut desk, "curves", "spike");
    let text = frame(&mut desk, 80, 24);
    let (left, right) = plot(&text);
    let wanted = left + SPIKE as usize * (right - left) / POINTS as usize;
    let highest = text.lines().find(|l| l.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c))).unwrap();
    let at = highest.chars().position(|c| ('\u{2801}'..='\u{28ff}').contains(&c)).unwrap();
    assert_eq!(at, wanted, "{text}");
    open(&mut desk, "curves", "nan");
    let text = frame(&mut desk, 80, 24);
    let (left, right) = plot(&text);
    let wanted = left + SPIKE as usize * (right - left) / POINTS as usize;
    let marks = text.lines().find_map(|l| l.chars().position(|c| c == '△').filter(|_| !l.contains("NaN")));
    assert_eq!(marks, Some(wanted), "{text}");
}

/// A rule, what is varied, and two logs: just beyond the threshold and just short of it.
struct Edge {
    /// The rule of AWS's debugger, and its own threshold.
    aws: &'static str,
    rule: &'static str,
    beyond: Log,
    short: Log,
}

fn edge(aws: &'static str, rule: &'static str, log: impl Fn(f64) -> Log, [beyond, short]: [f64; 2]) -> Edge {
    Edge { aws, rule, beyond: log(beyond), short: log(short) }
}

/// The rules of §6.3. Thresholds are the program's own, measured on labelled runs (docs/DETECTION.md); where AWS's
/// differ the first column says so. `TensorVariance` has bounds that only a user can know and is no rule here.
fn edges() -> Vec<Edge> {
    let net = network;
    let constant_rate = || Network { rate: Some(|_| 0.1), ..network(learns) };
    vec![
        edge(
            "VanishingGradient: mean|g| < 1e-7; here first third over last third of the layers 1e-4, loss stuck",
            "vanishing_gradient",
            |ratio| {
                net(stuck).log(&|at, _, kind, stats| {
                    if kind == Gradients {
                        let size = if at < 2 { ratio } else { 1.0 };
                        *stats = sized(stats, 0.001 * size);
                    }
                })
            },
            [0.9e-4, 1.1e-4],
        ),
        edge(
            "ExplodingTensor: any NaN or Inf",
            "nan",
            |count| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Gradients && at == 2 && log == 20 {
                        stats.nan = Some(count);
                    }
                })
            },
            [1.0, 0.0],
        ),
        edge(
            "no rule of AWS; here a norm that doubles five logs in a row",
            "exploding_gradient",
            |factor| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Gradients && at == 2 {
                        let grown =
                            if (20..=25).contains(&log) { factor.powi((log - 20) as i32) } else { 1.0 };
                        *stats = sized(stats, 1e-4 * grown);
                    }
                })
            },
            [2.01, 1.99],
        ),
        edge(
            "DeadRelu: > 50 % of units; here 30 % and a tenth more than at the start",
            "dead_units",
            |share| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Activations {
                        stats.dead = Some(if at == 1 && log > 5 { share } else { 0.05 });
                    }
                })
            },
            [0.31, 0.29],
        ),
        edge(
            "SaturatedActivation: > 50 % of units",
            "saturated_units",
            |share| {
                net(learns).log(&|at, _, kind, stats| {
                    if kind == Activations {
                        stats.saturated = Some(if at == 1 { share } else { 0.1 });
                    }
                })
            },
            [0.51, 0.49],
        ),
        edge(
            "PoorWeightInitialization: variance ratio > 10; here deviations of five like layers that fall with depth, 3 logs, loss stuck",
            "poor_initialisation",
            |ratio| {
                net(stuck).log(&|at, _, kind, stats| {
                    if kind == Activations {
                        stats.std = Some(0.8 * ratio.powf(-(at as f64) / 4.0));
                    }
                })
            },
            [10.1, 9.9],
        ),
        edge(
            "WeightUpdateRatio: > 10; here 0.1 a step and ten times the other layers",
            "unstable_layer",
            |share| {
                constant_rate().log(&|at, _, kind, stats| {
                    if kind == Weights {
                        let share = if at == 4 { share } else { 0.001 };
                        stats.update_norm = stats.norm.map(|norm| share * norm);
                    }
                })
            },
            [0.101, 0.099],
        ),
        edge(
            "UnchangedTensor: rtol 1e-5, 3 steps, and WeightUpdateRatio: < 1e-8; here 1e-6 in every statistic",
            "frozen_layer",
            |change| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Weights && at == 2 && log > 20 {
                        let held = net(learns).stats(2, 400, 0.5, Weights);
                        *stats = scaled(held, (1.0 + change).powi((log - 20) as i32));
                    }
                })
            },
            [0.9e-6, 1.1e-6],
        ),
        edge(
            "AllZero of activations: 100 %",
            "dead_units",
            |zeros| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Activations && at == 3 && log >= 10 {
                        if zeros >= 1.0 {
                            *stats = nothing();
                        }
                        stats.zero = Some(zeros);
                    }
                })
            },
            [1.0, 0.9999],
        ),
        edge(
            "AllZero of gradients: 100 %; here 5 logs in a row",
            "frozen_layer",
            |logs| {
                net(learns).log(&|at, log, kind, stats| {
                    if kind == Gradients && at == 1 && log > 20 && (log - 20) as f64 <= logs {
                        *stats = nothing();
                    }
                })
            },
            [5.0, 4.0],
        ),
        edge(
            "ClassImbalance: 10 times as many samples; here with recall that follows the size",
            "class_imbalance",
            |smallest| {
                evaluations(20, |_| {
                    let mut m = matrix(6, 400.0, 0.9);
                    let sizes = [(smallest, 0.4), (60.0, 0.5), (100.0, 0.6), (150.0, 0.7), (300.0, 0.8)];
                    for (class, (support, recall)) in sizes.into_iter().enumerate() {
                        m.row_mut(class).fill(support * (1.0 - recall) / 5.0);
                        m[[class, class]] = support * recall;
                    }
                    m
                })
            },
            [39.0, 41.0],
        ),
        edge(
            "Confusion: off-diagonal > 0.1 of its column; here 0.2 of its row, the true class",
            "class_confusion",
            |share| {
                evaluations(20, |_| {
                    let mut m = matrix(10, 1000.0, 0.9);
                    m.row_mut(3).fill(0.0);
                    (m[[3, 3]], m[[3, 5]]) = (1000.0 * (1.0 - share), 1000.0 * share);
                    m
                })
            },
            [0.201, 0.199],
        ),
    ]
}

/// The same tensor with another deviation, exactly.
fn sized(stats: &LayerStats, std: f64) -> LayerStats {
    LayerStats {
        mean: Some(0.0),
        std: Some(std),
        min: Some(-3.0 * std),
        max: Some(3.0 * std),
        norm: Some(std * 64.0),
        ..*stats
    }
}

fn scaled(mut stats: LayerStats, by: f64) -> LayerStats {
    for value in [&mut stats.mean, &mut stats.std, &mut stats.min, &mut stats.max, &mut stats.norm] {
        *value = value.map(|v| v * by);
    }
    stats
}

#[test]
fn t_52_each_rule_speaks_just_beyond_its_threshold_and_not_just_short_of_it() {
    let mut wrong = Vec::new();
    for Edge { aws, rule, beyond, short } in edges() {
        let said = |log: &Log| -> Vec<String> {
            log.alerts().iter().filter(|a| a.rule == rule).map(|a| a.message.clone()).collect()
        };
        let (loud, quiet) = (said(&beyond), said(&short));
        if loud.len() != 1 || !quiet.is_empty() {
            wrong.push(format!("{rule} ({aws}): beyond {loud:#?}, short {quiet:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A loss that falls, with NaN in some of its points.
fn loss(broken: impl Fn(Step) -> bool) -> Log {
    let mut log = Log::default();
    for step in 1..=400 {
        let value = 2.3 * (-(step as f64) / 200.0).exp();
        log.point("train/loss", step, if broken(step) { f64::NAN } else { value });
    }
    log
}

#[test]
fn t_53_a_nan_is_one_alert_however_many_records_follow() {
    let in_layer = |broken: &dyn Fn(Step) -> bool| {
        network(learns).log(&|at, log, kind, stats| {
            if kind == Weights && at == 2 && broken(log) {
                stats.nan = Some(3.0);
            }
        })
    };
    let logs = [
        ("a loss at one step", loss(|s| s == 200)),
        ("a loss from a step on", loss(|s| s >= 200)),
        ("a layer at one log", in_layer(&|log| log == 20)),
        ("a layer from a log on", in_layer(&|log| log >= 20)),
    ];
    for (name, log) in logs {
        let alerts = log.alerts();
        let nan: Vec<_> = alerts.iter().filter(|a| a.rule == "nan").collect();
        assert_eq!(nan.len(), 1, "{name}: {:?}", nan.iter().map(|a| &a.message).collect::<Vec<_>>());
        let at = if name.contains("layer") { 20 * 20 } else { 200 };
        assert_eq!(nan[0].since_step, Some(at), "{name}");
    }
    // Two episodes with a long calm between them are two.
    let twice = loss(|s| s == 100 || s == 300).alerts();
    assert_eq!(twice.iter().filter(|a| a.rule == "nan").count(), 2);
}
