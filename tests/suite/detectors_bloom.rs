//! Three moments in the log of BLOOM-176B, as its log lines tell them, read as text and judged.
//!
//! The records are real: from the chronicles of bigscience-workshop/bigscience (train/tr11-176B-ml/chronicles.md,
//! Apache-2.0), lines that the document had wrapped made whole again. They are short, so that a healthy history is made up
//! and put before them at the level that the chronicle tells: loss 2.2, gradient norm 0.14 to 0.24, 149.1 ± 0.1 TFLOPs,
//! 105 s an iteration.

use std::{fmt::Write as _, path::Path, sync::Arc};

use epochscope::{
    detect::{Alert, Severity},
    engine::{Engine, Session},
    formats::{Decoded, Decoder, Opening, by_name},
    model::{Batch, FileHealth, FileId, FileState, News, Origin, RunId, ScanReport, Step, WallTime},
    store::Limits,
};

use crate::builders::curves::noise;

const SPIKE: &str = "\
[default7]: iteration    31214/  115311 | consumed samples:     47768496 | consumed tokens:  97829879808 | elapsed time per iteration (s): 106.46 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 2.198845E+00 | grad norm: 0.242 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.238 | TFLOPs: 147.29 |\n\
[default7]: iteration    31215/  115311 | consumed samples:     47770544 | consumed tokens:  97834074112 | elapsed time per iteration (s): 105.90 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 2.220424E+00 | grad norm: 0.947 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.338 | TFLOPs: 148.06 |\n\
[default7]: iteration    31216/  115311 | consumed samples:     47772592 | consumed tokens:  97838268416 | elapsed time per iteration (s): 106.40 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 2.595213E+00 | grad norm: 2.390 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.248 | TFLOPs: 147.37 |\n\
[default7]: iteration    31217/  115311 | consumed samples:     47774640 | consumed tokens:  97842462720 | elapsed time per iteration (s): 106.33 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 2.241558E+00 | grad norm: 15.886 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.260 | TFLOPs: 147.46 |\n\
[default7]: iteration    31218/  115311 | consumed samples:     47776688 | consumed tokens:  97846657024 | elapsed time per iteration (s): 107.53 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 2.345279E+00 | grad norm: 145.119 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.046 | TFLOPs: 145.82 |\n\
[default7]: iteration    31219/  115311 | consumed samples:     47778736 | consumed tokens:  97850851328 | elapsed time per iteration (s): 106.36 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 5.098124E+00 | grad norm: 960.351 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.256 | TFLOPs: 147.43 |\n\
[default7]: iteration    31220/  115311 | consumed samples:     47780784 | consumed tokens:  97855045632 | elapsed time per iteration (s): 106.30 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 3.492029E+00 | grad norm: 353.201 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.266 | TFLOPs: 147.51 |\n\
[default7]: iteration    31221/  115311 | consumed samples:     47782832 | consumed tokens:  97859239936 | elapsed time per iteration (s): 106.13 | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: 3.213059E+00 | grad norm: 379.330 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.297 | TFLOPs: 147.74 |\n\
[default7]: iteration    31222/  115311 | consumed samples:     47784880 | consumed tokens:  97863434240 | elapsed time per iteration (s): 106.44 | learning rate: 5.278E-05 | global batch size:  2048 | lm loss: 2.804948E+00 | grad norm: 650.246 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.240 | TFLOPs: 147.31 |\n\
[default7]: iteration    31250/  115311 | consumed samples:     47842224 | consumed tokens:  97980874752 | elapsed time per iteration (s): 106.09 | learning rate: 5.277E-05 | global batch size:  2048 | lm loss: 2.215699E+00 | grad norm: 0.267 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.304 | TFLOPs: 147.80 |\n\
[default7]: iteration    31251/  115311 | consumed samples:     47844272 | consumed tokens:  97985069056 | elapsed time per iteration (s): 106.13 | learning rate: 5.277E-05 | global batch size:  2048 | lm loss: 2.235667E+00 | grad norm: 0.205 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 19.297 | TFLOPs: 147.75 |\n";

const SLOWER: &str = "\
[default7]: iteration   42780/ 115311 | consumed samples:    71455664 | consumed tokens: 146341199872 | elapsed time per iteration (s): 105.16 | learning rate: 4.475E-05 | global batch size: 2048 | lm loss: 2.117073E+00 | grad norm: 0.150 | num zeros: 0.0 | number of skipped iterations:  0 | number of nan iterations:  0 | samples per second: 19.474 | TFLOPs: 149.10 |\n\
[default7]: iteration   42781/ 115311 | consumed samples:    71457712 | consumed tokens: 146345394176 | elapsed time per iteration (s): 105.17 | learning rate: 4.475E-05 | global batch size: 2048 | lm loss: 2.116946E+00 | grad norm: 0.140 | num zeros: 0.0 | number of skipped iterations:  0 | number of nan iterations:  0 | samples per second: 19.473 | TFLOPs: 149.09 |\n\
[default7]: iteration   42782/ 115311 | consumed samples:    71459760 | consumed tokens: 146349588480 | elapsed time per iteration (s): 106.25 | learning rate: 4.475E-05 | global batch size: 2048 | lm loss: 2.110646E+00 | grad norm: 0.144 | num zeros: 0.0 | number of skipped iterations:  0 | number of nan iterations:  0 | samples per second: 19.276 | TFLOPs: 147.58 |\n\
[default7]: iteration   42783/ 115311 | consumed samples:    71461808 | consumed tokens: 146353782784 | elapsed time per iteration (s): 110.17 | learning rate: 4.475E-05 | global batch size: 2048 | lm loss: 2.124820E+00 | grad norm: 0.135 | num zeros: 0.0 | number of skipped iterations:  0 | number of nan iterations:  0 | samples per second: 18.589 | TFLOPs: 142.32 |\n\
[default7]: iteration   42784/ 115311 | consumed samples:    71463856 | consumed tokens: 146357977088 | elapsed time per iteration (s): 111.14 | learning rate: 4.475E-05 | global batch size: 2048 | lm loss: 2.127643E+00 | grad norm: 0.127 | num zeros: 0.0 | number of skipped iterations:  0 | number of nan iterations:  0 | samples per second: 18.428 | TFLOPs: 141.09 |\n";

const HANG: &str = "\
[default7]: iteration    45000/  115311 | consumed samples:     76002224 | consumed tokens: 155652554752 | elapsed time per iteration (s): 111.00 | learning rate: 4.298E-05 | global batch size:  2048 | lm loss: 2.113567E+00 | grad norm: 0.139 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 18.451 | TFLOPs: 141.26 |\n\
[default7]:-------------------------------------------------------------------------------------------\n\
[default7]:valid loss at iteration 45000 | lm loss value: 2.327091E+00 | lm loss PPL: 1.024808E+01 |\n\
[default7]:-------------------------------------------------------------------------------------------\n";

const PULSES: &str = "\
[2022-05-01 03:56:11] PULSE: tr11-176B-ml is waiting to be scheduled (1528874_[1-3%1] on 'gpu_p5' partition)\n\
[2022-05-01 03:56:11] PULSE: tr11-176B-ml is running for 1-07:27:33 since 2022-04-29T20:28:38 (1528763 on 'gpu_p5' partition (jean-zay-iam[01-34,36-49])\n\
[2022-05-01 04:56:13] PULSE: tr11-176B-ml is waiting to be scheduled (1528874_[1-3%1] on 'gpu_p5' partition)\n\
[2022-05-01 04:56:13] PULSE: tr11-176B-ml is running for 1-08:27:35 since 2022-04-29T20:28:38 (1528763 on 'gpu_p5' partition (jean-zay-iam[01-34,36-49])\n\
[2022-05-01 05:56:18] PULSE: tr11-176B-ml is waiting to be scheduled (1528874_[1-3%1] on 'gpu_p5' partition)\n\
[2022-05-01 05:56:18] PULSE: tr11-176B-ml is running for 1-09:27:40 since 2022-04-29T20:28:38 (1528763 on 'gpu_p5' partition (jean-zay-iam[01-34,36-49])\n";

const START: f64 = 1_651_300_000.0;
const PACE: f64 = 105.0;

/// The trainer's log as the monitor follows it.
struct Followed {
    decoder: Box<dyn Decoder>,
    engine: Engine,
    session: Session,
    health: FileHealth,
    now: f64,
}

impl Followed {
    fn new() -> Self {
        let path = Path::new("main_log.txt");
        let engine = Engine::new(Limits::default(), true);
        let mut followed = Self {
            decoder: by_name("text").expect("registered").decoder(&Opening::at(path)),
            session: engine.session(),
            engine,
            health: FileHealth::found(FileId(1), Arc::from("main_log.txt"), RunId::from("run"), "text"),
            now: START,
        };
        let scan = ScanReport { complete: true, ..ScanReport::default() };
        followed.engine.apply(&mut followed.session, News::Scan(scan), WallTime(START));
        followed
    }

    /// The file has grown by some lines, which are seen at once.
    fn write(&mut self, lines: &str) {
        let mut out = Decoded::new();
        let mut rest = lines.as_bytes();
        while !rest.is_empty() {
            let taken = self.decoder.decode(rest, &mut out).expect("a text").bytes;
            assert!(taken > 0, "whole lines are taken");
            rest = &rest[taken..];
        }
        let now = WallTime(self.now);
        let taken = out.take();
        self.health.state = FileState::Following;
        self.health.modified = now;
        self.health.records += taken.records;
        // As the reader of files counts it: what says nothing is no news.
        if !taken.parts.is_empty() || taken.records > 0 {
            self.health.last_news = now;
        }
        for part in taken.parts {
            let origin = Origin::new(FileId(1), "main_log.txt");
            let (columns, records) = (part.columns, part.records);
            let batch = Batch { columns, records, ..Batch::new(RunId::from("run"), origin) };
            self.engine.apply(&mut self.session, News::Batch(batch), now);
        }
        self.engine.apply(&mut self.session, News::File(Box::new(self.health.clone())), now);
    }

    fn iterations(&mut self, lines: &str) {
        for line in lines.lines() {
            self.now += PACE;
            self.write(&format!("{line}\n"));
        }
    }

    fn wait(&mut self, seconds: f64) {
        self.now += seconds;
        self.engine.heartbeat(&mut self.session, WallTime(self.now));
    }

    fn alerts(&mut self) -> Vec<Alert> {
        self.engine.heartbeat(&mut self.session, WallTime(self.now));
        self.session.alerts.alerts().cloned().collect()
    }

    fn said(&mut self, rule: &str) -> Option<Alert> {
        self.alerts().into_iter().find(|a| a.rule == rule)
    }
}

/// Iterations as the chronicle describes the time before.
fn history(iterations: std::ops::Range<Step>) -> String {
    let mut text = String::new();
    for i in iterations {
        let (loss, norm) = (2.2 + 0.02 * noise(1, i), (0.18 + 0.02 * noise(2, i)).clamp(0.14, 0.24));
        let (seconds, rate) = (105.15 + 0.05 * noise(3, i), 149.1 + 0.05 * noise(4, i));
        let _ = writeln!(
            text,
            "[default7]: iteration {i:8}/  115311 | consumed samples: {:12} | consumed tokens: {:12} | elapsed time per iteration (s): {seconds:.2} | learning rate: 5.279E-05 | global batch size:  2048 | lm loss: {loss:.6E} | grad norm: {norm:.3} | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: {:.3} | TFLOPs: {rate:.2} |",
            i * 2048,
            i * 2048 * 2048,
            2048.0 / seconds,
        );
    }
    text
}

/// Iteration of the highest loss, 5.098.
const PEAK: Step = 31219;

#[test]
fn the_gradient_surges_before_the_loss_does() {
    for before in [0, 300] {
        let mut log = Followed::new();
        log.iterations(&history(31214 - before..31214));
        assert!(log.said("gradient_surge").is_none(), "{:#?}", log.alerts());
        log.iterations(SPIKE);
        let alert = log.said("gradient_surge").expect("a surge");
        assert!(alert.step.is_some_and(|step| step < PEAK), "{alert:?}");
        assert!(alert.since_step.is_some_and(|step| (31214..PEAK).contains(&step)), "{alert:?}");
        assert!(alert.severity >= Severity::Warn && alert.evidence.holds(), "{alert:?}");
    }
}

#[test]
fn five_percent_of_the_throughput_are_missed() {
    let mut log = Followed::new();
    log.iterations(&history(42480..42780));
    assert!(log.said("throughput_drop").is_none(), "{:#?}", log.alerts());
    log.iterations(SLOWER);
    // The last value is judged when the next does not come.
    log.wait(2.0 * PACE);
    let alert = log.said("throughput_drop").expect("a drop");
    assert!(alert.since_step.is_some_and(|step| (42781..=42783).contains(&step)), "{alert:?}");
    assert!(alert.place().contains("TFLOPs") && alert.evidence.holds(), "{alert:?}");
}

/// A log that was followed up to where it hangs.
fn hanging() -> Followed {
    let mut log = Followed::new();
    log.iterations(&history(44700..45000));
    log.iterations(HANG);
    assert!(log.said("stalled").is_none());
    log
}

fn stalled(log: &mut Followed, silence: f64) {
    let alert = log.said("stalled").expect("a stall");
    assert_eq!(alert.severity, Severity::Critical, "{alert:?}");
    let (said, limit) = (alert.evidence.number("silence_s"), alert.evidence.number("limit_s"));
    assert!(said > limit && said <= silence && alert.evidence.holds(), "{alert:?}");
    assert!(alert.message.contains("since step 45,000"), "{}", alert.message);
    // What comes then closes it.
    log.iterations(&history(45001..45002));
    assert!(log.said("stalled").is_some_and(|a| !a.is_open()));
}

#[test]
fn an_evaluation_that_hangs_is_a_stall_once_it_is_longer_than_the_limit() {
    let mut log = hanging();
    log.wait(1700.0);
    assert!(log.said("stalled").is_none(), "{:#?}", log.alerts());
    log.wait(200.0);
    stalled(&mut log, 1900.0);
}

#[test]
fn a_scheduler_that_speaks_once_an_hour_hides_no_stall() {
    let mut log = hanging();
    let pulses: Vec<&str> = PULSES.lines().collect();
    for pair in pulses.chunks(2) {
        // The chronicle's lines are an hour apart.
        log.wait(3600.0);
        let alert = log.said("stalled").expect("a stall");
        assert!(alert.is_open() && alert.severity == Severity::Critical, "{alert:?}");
        for pulse in pair {
            log.write(&format!("{pulse}\n"));
        }
    }
    let stalls = log.alerts().iter().filter(|a| a.rule == "stalled").count();
    assert_eq!(stalls, 1, "the same alert comes back");
}
