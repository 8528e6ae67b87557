//! Text logs: what training programs print.

use std::io::Write as _;

use crate::samples::fill;

pub fn megatron(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let step = (step + 1) * 10;
        let _ = writeln!(
            log,
            " iteration {step:8}/ 5000000 | consumed samples: {:12} | elapsed time per iteration (ms): {:.1} | \
             learning rate: 3.750E-05 | global batch size: {:5} | lm loss: {:.6}E+00 | loss scale: 32768.0 | \
             grad norm: {:.3} | number of skipped iterations: {:3} | number of nan iterations: {:3} |",
            step * 4,
            1300.0 + numbers.unit() * 99.0,
            4,
            numbers.loss(step),
            numbers.unit() * 3.0,
            0,
            0
        );
    })
}

pub fn huggingface(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let epoch = step as f64 / 1000.0;
        let _ = if step % 50 == 49 {
            writeln!(
                log,
                "{{'eval_loss': {:.4}, 'eval_accuracy': {:.4}, 'eval_runtime': {:.4}, \
                 'eval_samples_per_second': 812.3, 'eval_steps_per_second': 25.4, 'epoch': {epoch}}}",
                numbers.loss(step),
                numbers.unit(),
                numbers.unit() * 20.0
            )
        } else {
            writeln!(
                log,
                "{{'loss': {:.4}, 'grad_norm': {}, 'learning_rate': {}, 'epoch': {epoch}}}",
                numbers.loss(step),
                numbers.unit() as f32,
                1e-3 / (1.0 + epoch)
            )
        };
    })
}

/// One bar for each epoch, drawn again and again.
pub fn tqdm(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let (epoch, at) = (step / 200, step % 200 + 1);
        let bar = "█".repeat((at / 20) as usize);
        let end = if at == 200 { '\n' } else { '\r' };
        let _ = write!(
            log,
            "Epoch {epoch}: {:3}%|{bar:<10}| {at}/200 [00:{:02}<00:{:02}, {:.2}it/s, v_num=0, train_loss={:.3}]{end}",
            at / 2,
            at / 10,
            20 - at / 10,
            8.0 + numbers.unit(),
            numbers.loss(step)
        );
    })
}

pub fn nanogpt(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        if step % 100 == 0 {
            let (train, val) = (numbers.loss(step), numbers.loss(step));
            let _ = writeln!(log, "step {step}: train loss {train:.4}, val loss {val:.4}");
        }
        let _ = writeln!(
            log,
            "iter {step}: loss {:.4}, time {:.2}ms, mfu {:.2}%",
            numbers.loss(step),
            130.0 + numbers.unit() * 9.0,
            40.0 + numbers.unit()
        );
    })
}

pub fn detectron(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let (hour, minute, second) = (step / 3600 % 24, step / 60 % 60, step % 60);
        let _ = writeln!(
            log,
            "[11/18 {hour:02}:{minute:02}:{second:02}] d2.utils.events INFO:  eta: 18:06:34  iter: {}  total_loss: {:.4}  \
             loss_cls: {:.5}  loss_box_reg: {:.5}  loss_rpn_cls: {:.6}  loss_rpn_loc: {:.5}  time: 0.6832  \
             data_time: {:.4}  lr: 0.02  max_mem: 11811M",
            step * 20 + 19,
            numbers.loss(step),
            numbers.unit(),
            numbers.unit(),
            numbers.unit() / 10.0,
            numbers.unit() / 10.0,
            numbers.unit() / 10.0
        );
    })
}

/// Epochs and steps as tutorials print them.
pub fn general(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let _ = writeln!(
            log,
            "Epoch [{}/90], Step [{}/5000], Loss: {:.4}, Accuracy: {:.2}%, lr: 0.0003",
            step / 5000 + 1,
            step % 5000 + 1,
            numbers.loss(step),
            numbers.unit() * 100.0
        );
    })
}

pub fn logging(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let (hour, minute, second) = (step / 3600 % 24, step / 60 % 60, step % 60);
        let _ = writeln!(
            log,
            "2026-11-23 {hour:02}:{minute:02}:{second:02},{:03} - train.loop - INFO - step={step} loss={:.6} \
             grad_norm={:.4} tokens_per_sec={:.1} lr=3.000e-04",
            step % 1000,
            numbers.loss(step),
            numbers.unit(),
            numbers.unit() * 1e5
        );
    })
}

/// Warnings, file names, shapes: nothing to plot, and most of what a job prints.
pub fn chatter(target: usize) -> Vec<u8> {
    fill(target, [], |step, numbers, log| {
        let _ = match step % 5 {
            0 => writeln!(
                log,
                "/opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py:557: UserWarning:"
            ),
            1 => writeln!(log, "  warnings.warn(_create_warning_msg("),
            2 => writeln!(
                log,
                "INFO:root:loading shard {} of the training set from the cache",
                numbers.whole() % 512
            ),
            3 => writeln!(
                log,
                "[rank{}]: gathered parameters of block {}",
                numbers.whole() % 8,
                numbers.whole() % 48
            ),
            _ => writeln!(
                log,
                "saving model checkpoint to /scratch/user/out/checkpoint-{step}/model.safetensors"
            ),
        };
    })
}
