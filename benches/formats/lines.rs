//! Logs of lines, each a record.

use std::io::Write as _;

use crate::samples::fill;

/// Adds a line.
macro_rules! line {
    ($log:expr, $($text:tt)*) => {{
        let _ = writeln!($log, $($text)*);
    }};
}

/// Joins texts with commas.
fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

pub fn scope_scalars(target: usize) -> Vec<u8> {
    fill(target, "{\"epochscope\":1,\"t\":\"run\"}\n", |step, numbers, log| {
        let (loss, norm) = (numbers.loss(step), numbers.unit());
        line!(
            log,
            "{{\"t\":\"scalar\",\"step\":{step},\"wall\":{:.3},\"split\":\"train\",\
             \"v\":{{\"loss\":{loss},\"acc\":{},\"lr\":0.0003,\"grad_norm\":{norm}}}}}",
            1.75e9 + step as f64 / 8.0,
            1.0 - loss / 3.0
        );
    })
}

/// Of ten records one of a layer and one histogram.
pub fn scope_mixed(target: usize) -> Vec<u8> {
    fill(target, "{\"epochscope\":1,\"t\":\"run\"}\n", |step, numbers, log| {
        let wall = 1.75e9 + step as f64;
        match step % 10 {
            8 => {
                let mut value = || numbers.unit() / 10.0;
                line!(
                    log,
                    "{{\"t\":\"layer\",\"step\":{step},\"wall\":{wall},\"name\":\"blocks.{}.attn.weight\",\"kind\":\"grad\",\
                     \"mean\":{},\"std\":{},\"min\":{},\"max\":{},\"absmean\":{},\"norm\":{},\"numel\":589824,\
                     \"zero\":0.0,\"nan\":0,\"inf\":0}}",
                    step / 10 % 24,
                    value(),
                    value(),
                    -value(),
                    value(),
                    value(),
                    value()
                );
            }
            9 => {
                let edges = joined((0..65).map(|i| (f64::from(i) / 32.0 - 1.0).to_string()));
                let counts = joined((0..64).map(|_| (numbers.whole() % 1000).to_string()));
                line!(
                    log,
                    "{{\"t\":\"hist\",\"step\":{step},\"wall\":{wall},\"name\":\"blocks.{}.attn.weight\",\
                     \"kind\":\"grad\",\"edges\":[{edges}],\"counts\":[{counts}]}}",
                    step / 10 % 24
                );
            }
            _ => line!(
                log,
                "{{\"t\":\"scalar\",\"step\":{step},\"wall\":{wall},\"split\":\"train\",\
                 \"v\":{{\"loss\":{},\"lr\":0.0003}}}}",
                numbers.loss(step)
            ),
        }
    })
}

pub fn mlflow_metric(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        line!(log, "{} {} {step}", 1_795_457_048_390 + step * 10, numbers.loss(step));
    })
}

pub fn catboost(target: usize) -> Vec<u8> {
    let head = "{\n\"meta\":{\"test_sets\":[\"test\"],\"test_metrics\":[{\"best_value\":\"Max\",\"name\":\"AUC\"},\
                {\"best_value\":\"Min\",\"name\":\"Logloss\"}],\"learn_metrics\":[{\"best_value\":\"Min\",\"name\":\
                \"Logloss\"}],\"launch_mode\":\"Train\",\"iteration_count\":1000000,\"learn_sets\":[\"learn\"],\
                \"name\":\"experiment\"},\n\"iterations\":[\n";
    fill(target, head, |step, numbers, log| {
        line!(
            log,
            "{{\"learn\":[{}],\"iteration\":{step},\"passed_time\":{},\"remaining_time\":{},\"test\":[{},{}]}},",
            numbers.loss(step),
            step as f64 / 70.0,
            (1e6 - step as f64) / 70.0,
            numbers.unit(),
            numbers.loss(step)
        );
    })
}

pub fn clearml(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let event = |variant: &str, value: f64| {
            format!(
                "{{\"timestamp\": {}, \"type\": \"training_stats_scalar\", \"task\": \
                 \"0123456789abcdef0123456789abcdef\", \"iter\": {step}, \"metric\": \"train\", \
                 \"variant\": \"{variant}\", \"value\": {value}}}",
                1_795_457_048_390 + step
            )
        };
        let events = ["loss", "accuracy", "lr", "grad_norm"].map(|v| event(v, numbers.loss(step)));
        line!(log, "[{}]", events.join(", "));
    })
}

pub fn neptune(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let name = ["loss", "accuracy", "lr", "grad_norm"][(step % 4) as usize];
        let values = joined((0..4).map(|i| {
            let step = step / 4 * 4 + i;
            let ts = 1_795_458_569.5 + step as f64;
            format!("{{\"value\": {}, \"step\": {step}, \"ts\": {ts}}}", numbers.loss(step))
        }));
        line!(
            log,
            "{{\"obj\": {{\"type\": \"LogFloats\", \"path\": [\"train\", \"{name}\"], \"values\": [{values}]}}, \
             \"version\": {step}, \"at\": 1795458569.5}}"
        );
    })
}

pub fn polyaxon(target: usize) -> Vec<u8> {
    fill(target, "step|timestamp|metric\n", |step, numbers, log| {
        let (minute, second) = (step / 60 % 60, step % 60);
        line!(log, "{step}|2026-11-24 00:{minute:02}:{second:02}.567123+00:00|{}", numbers.loss(step));
    })
}

pub fn json_flat(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let metrics = joined((0..10).map(|m| format!("\"train/metric_{m}\": {}", numbers.loss(step))));
        line!(log, "{{\"step\": {step}, \"timestamp\": {}, {metrics}}}", 1.75e9 + step as f64 / 8.0);
    })
}

/// As `Ray` and `RLlib` write results.
pub fn json_nested(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let (a, b, c) = (numbers.loss(step), numbers.unit(), numbers.unit());
        line!(
            log,
            "{{\"training_iteration\": {step}, \"timestamp\": {}, \"date\": \"2026-11-23_18-21-{:02}\", \"done\": false, \
             \"hostname\": \"node-{}\", \"info\": {{\"learner\": {{\"loss\": {a}, \"kl\": {b}, \"grads\": [{b}, {c}]}}}}, \
             \"episode_reward_mean\": {c}, \"config\": {{\"lr\": 0.001, \"layers\": [256, 256], \"gamma\": 0.99}}, \
             \"time_total_s\": {}}}",
            1_795_457_048 + step,
            step % 60,
            step % 10,
            step as f64 / 3.0
        );
    })
}

pub fn csv_wide(target: usize) -> Vec<u8> {
    fill(target, "step,a,b,c,d,e,f,g,h,i\n", |step, numbers, log| {
        let cells: Vec<_> = (1..10).map(|_| numbers.loss(step).to_string()).collect();
        line!(log, "{step},{}", cells.join(","));
    })
}

/// Training and validation take turns to fill their columns.
pub fn csv_gaps(target: usize) -> Vec<u8> {
    fill(target, "epoch,lr-AdamW,step,train_acc,train_loss,val_acc,val_loss\n", |step, numbers, log| {
        let (acc, loss) = (numbers.unit(), numbers.loss(step));
        match step % 10 {
            0 => line!(log, "{},,{step},,,{acc},{loss}", step / 100),
            _ => line!(log, "{},0.0003,{step},{acc},{loss},,", step / 100),
        }
    })
}
