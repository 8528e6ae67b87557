//! Real lines, with what wrote them. Prefixes of launchers and loggers are cut off already.
#![expect(clippy::too_many_lines, reason = "tables of real lines")]

use super::last;

/// Grammar, lines, what the last of them says.
type Case = (&'static str, &'static [&'static str], &'static str);

fn check(cases: &[Case]) {
    for (grammar, lines, said) in cases {
        let (name, found) = last(lines);
        assert_eq!(found, *said, "{lines:?}");
        assert_eq!(name, *grammar, "{lines:?}");
    }
}

#[test]
fn language_model_trainers_are_read() {
    check(&[
        // Megatron-DeepSpeed 2021
        (
            "megatron",
            &[
                "iteration       30/    1000 | consumed samples:          120 | elapsed time per iteration (ms): 1376.1 | learning rate: 1.500E-04 | global batch size:     4 | lm loss: 2.247505E+01 | loss scale: 16384.0 | grad norm: 16.999 | number of skipped iterations:   1 | number of nan iterations:   0 |",
            ],
            "step=30 of=1000 | consumed samples=120, elapsed time per iteration (ms)=1376.1, learning rate=0.00015, global batch size=4, lm loss=22.47505, loss scale=16384, grad norm=16.999, number of skipped iterations=1, number of nan iterations=0",
        ),
        // Megatron-LM core 0.9, time stamp cut off
        (
            "megatron",
            &[
                "iteration       40/   40000 | consumed samples:         2560 | elapsed time per iteration (ms): 235.9 | throughput per GPU (TFLOP/s/GPU): 82.4 | learning rate: 2.400000E-05 | global batch size:    64 | lm loss: 1.081154E+01 | loss scale: 1.0 | grad norm: 2.226 | num zeros: 56775512.0 | params norm: 315.029 | number of skipped iterations:   0 | number of nan iterations:   0 |",
            ],
            "step=40 of=40000 | consumed samples=2560, elapsed time per iteration (ms)=235.9, throughput per GPU (TFLOP/s/GPU)=82.4, learning rate=0.000024, global batch size=64, lm loss=10.81154, loss scale=1, grad norm=2.226, num zeros=56775512, params norm=315.029, number of skipped iterations=0, number of nan iterations=0",
        ),
        // Megatron-DeepSpeed 2021, all iterations skipped: no loss
        (
            "megatron",
            &[
                "iteration        1/    1000 | learning rate: 0.000E+00 | loss scale: 4294967296.0 | number of skipped iterations:   1 | number of nan iterations:   0 |",
            ],
            "step=1 of=1000 | learning rate=0, loss scale=4294967296, number of skipped iterations=1, number of nan iterations=0",
        ),
        (
            "megatron",
            &["validation loss at iteration 100 | lm loss value: 8.017406E+00 | lm loss PPL: 3.033300E+03 |"],
            "step=100 context=validation | lm loss value=8.017406, lm loss PPL=3033.3",
        ),
        (
            "megatron",
            &[
                "validation loss at iteration 1000 on test set | lm loss value: 2.434307E+00 | lm loss PPL: 1.140788E+01 |",
            ],
            "step=1000 context=test | lm loss value=2.434307, lm loss PPL=11.40788",
        ),
        // NeMo 2.3
        (
            "megatron",
            &[
                "Training epoch 0, iteration 2/99 | lr: 4e-05 | global_batch_size: 4 | global_step: 2 | reduced_train_loss: 1.304 | train_step_timing in s: 0.2453 | consumed_samples: 12",
            ],
            "step=2 | lr=0.00004, global_batch_size=4, reduced_train_loss=1.304, train_step_timing in s=0.2453, consumed_samples=12",
        ),
        // DeepSpeed 0.12
        (
            "deepspeed",
            &[
                "[logging.py:96:log_dist] [Rank 0] step=10, skipped=4, lr=[4.99804827338393e-05, 4.99804827338393e-06], mom=[(0.9, 0.95), (0.9, 0.95)]",
            ],
            "step=10 | skipped=4, lr[0]=0.0000499804827338393, lr[1]=0.00000499804827338393",
        ),
        (
            "deepspeed",
            &["step=10, skipped=0, lr=[0.0003333333333333334], mom=[(0.9, 0.999)]"],
            "step=10 | skipped=0, lr=0.0003333333333333334",
        ),
        (
            "deepspeed",
            &[
                "[timer.py:260:stop] epoch=0/micro_step=40/global_step=10, RunningAvgSamplesPerSec=25.025771473496132, CurrSamplesPerSec=25.704280480541442, MemAllocated=4.32GB, MaxMemAllocated=38.49GB",
            ],
            "step=10 | RunningAvgSamplesPerSec=25.025771473496132, CurrSamplesPerSec=25.704280480541442, MemAllocated=4.32GB, MaxMemAllocated=38.49GB",
        ),
        // nanoGPT
        (
            "nanogpt",
            &["iter 0: loss 10.9118, time 27488.56ms, mfu -100.00%"],
            "step=0 | loss=10.9118, time=27488.56ms, mfu=-100%",
        ),
        (
            "nanogpt",
            &["step 20000: train loss 1.7219, val loss 1.7420"],
            "step=20000 | train loss=1.7219, val loss=1.742",
        ),
        // modded-nanogpt 2024-10-10
        (
            "modded-nanogpt",
            &["step:1/6200 train_loss:10.9184 train_time:74701ms step_avg:nanms"],
            "step=1 of=6200 | train_loss=10.9184, train_time=74701ms, step_avg=NaNms",
        ),
        // llm.c 2024-10-13
        (
            "llm.c",
            &["s:0 trl:11.0091 lr:0.000001 norm:15.37"],
            "step=0 | trl=11.0091, lr=0.000001, norm=15.37",
        ),
        ("llm.c", &["s:250 tel:6.1710"], "step=250 | tel=6.171"),
        // torchtitan 2025-10
        (
            "torchtitan",
            &[
                "step:  2  loss:  6.1098  grad_norm:  4.6416  memory:  2.49GiB(3.14%)  tps: 177,138  tflops: 96.17  mfu: 9.72%",
            ],
            "step=2 | loss=6.1098, grad_norm=4.6416, memory=2.49GiB, tps=177138, tflops=96.17, mfu=9.72%",
        ),
        (
            "torchtitan",
            &["validate step: 10  loss:  5.1029  memory:  2.38GiB(3.90%)  tps: 52,000"],
            "step=10 context=validate | loss=5.1029, memory=2.38GiB, tps=52000",
        ),
        // torchtitan on one machine, where its own prefix is not a logger's
        (
            "torchtitan",
            &[
                "[titan] 2025-10-30 14:32:58,990 - root - INFO - step:  3  loss:     nan  grad_norm:  2.4418  memory:  2.49GiB(3.14%)  tps: 189,694",
            ],
            "step=3 | loss=NaN, grad_norm=2.4418, memory=2.49GiB, tps=189694",
        ),
        // torchtune, as its DiskLogger composes it
        (
            "torchtune",
            &["Step 5 | loss:2.01 lr:0.1 tokens_per_second_per_gpu:1234.5"],
            "step=5 | loss=2.01, lr=0.1, tokens_per_second_per_gpu=1234.5",
        ),
        // Composer
        ("composer", &["[metric][batch=1]: loss: 2"], "step=1 | loss=2"),
        (
            "composer",
            &["[batch=2/100]:", "Train LanguageCrossEntropy: 10.9724", "Train loss/train/total: 10.9724"],
            "step=2 | loss/train/total=10.9724",
        ),
        (
            "composer",
            &[
                "[epoch=1][batch=5/5]:",
                "Train time/remaining_estimate_unit: hours",
                "Train metrics/train/TokenAccuracy: 0.0445",
            ],
            "epoch=1 batch=5 batches=5 | metrics/train/TokenAccuracy=0.0445",
        ),
        // fairseq 0.9 to 0.12
        (
            "fairseq",
            &[
                "| INFO | train | {\"epoch\": 1, \"train_loss\": \"11.049\", \"train_ppl\": \"1350.12\", \"train_wps\": \"2.39679e+06\", \"train_num_updates\": \"362\", \"train_lr\": \"9.05909e-05\"}",
            ],
            "step=362 | train_loss=11.049, train_ppl=1350.12, train_wps=2396790, train_lr=0.0000905909",
        ),
        (
            "fairseq",
            &[
                "| INFO | train_inner | epoch 001:    100 / 487 loss=4.655, ppl=25.19, num_updates=100, lr=1.25e-05, gnorm=2.1",
            ],
            "step=100 context=train_inner | loss=4.655, ppl=25.19, lr=0.0000125, gnorm=2.1",
        ),
        (
            "fairseq",
            &[
                "| valid | epoch 001 | valid on 'valid' subset | loss 2.001 | ppl 4 | num_updates 487 | best_loss 2.001",
            ],
            "step=487 context=valid | loss=2.001, ppl=4, best_loss=2.001",
        ),
        // PaddleNLP 2.x
        (
            "paddle",
            &["global step 100, epoch: 1, batch: 100, loss: 0.30451, accu: 0.84688, speed: 19.30 step/s"],
            "step=100 | loss=0.30451, accu=0.84688, speed=19.3",
        ),
        (
            "paddle",
            &[
                "global step 100, epoch: 1, batch: 100, loss: 0.30451",
                "eval dev loss: 0.49129, accu: 0.78437",
            ],
            "context=dev | loss=0.49129, accu=0.78437",
        ),
        (
            "paddle",
            &[
                "[TRAIN] epoch: 1, iter: 10/1000, loss: 0.5234, lr: 0.009910, batch_cost: 0.34, ips: 11.5 samples/sec | ETA 00:05:23",
            ],
            "step=10 of=1000 | loss=0.5234, lr=0.00991, batch_cost=0.34, ips=11.5",
        ),
    ]);
}

#[test]
fn the_trainer_of_hugging_face_is_read_with_the_step_of_its_bar() {
    check(&[
        // transformers 5
        (
            "transformers",
            &["{'loss': '2.604', 'grad_norm': '2.436', 'learning_rate': '0.0008', 'epoch': '0.2273'}"],
            "epoch=0.2273 | loss=2.604, grad_norm=2.436, learning_rate=0.0008, epoch=0.2273",
        ),
        // transformers 4 with an integration that prints before the epoch
        (
            "transformers",
            &["{'loss': 2.075, 'grad_norm': nan, 'learning_rate': 0.0002329900014453396, 'epoch': 0.04}"],
            "epoch=0.04 | loss=2.075, grad_norm=NaN, learning_rate=0.0002329900014453396, epoch=0.04",
        ),
        (
            "transformers",
            &[
                "68%|██████▊   | 45/66 [00:00<00:00, 87.02it/s]                     {'loss': '1.948', 'epoch': '2.045'}",
            ],
            "step=45 of=66 | loss=1.948, epoch=2.045",
        ),
        // the bar of an evaluation is shorter
        (
            "transformers",
            &[
                "33%|███▎      | 22/66 [00:00<00:00, 87.02it/s]",
                "50%|█████     | 2/4 [00:00<00:00, 20.0it/s]",
                "{'eval_loss': 2.117, 'eval_runtime': 0.4651, 'epoch': 1.0}",
            ],
            "step=22 of=66 | eval_loss=2.117, eval_runtime=0.4651, epoch=1",
        ),
        // no line of a log
        ("", &["Training args: {'clip': 0.12, 'alpha': 2, 'beta': 1}"], ""),
    ]);
}

#[test]
fn vision_trainers_are_read() {
    check(&[
        // MMEngine 0.10.7
        (
            "openmmlab",
            &[
                "Epoch(train) [2][ 5/22]  lr: 1.0000e-01  eta: 0:00:09  time: 0.0403  data_time: 0.0044  loss: 2.2868  acc: 0.2344",
            ],
            "epoch=2 batch=5 batches=22 | lr=0.1, time=0.0403, data_time=0.0044, loss=2.2868, acc=0.2344",
        ),
        (
            "openmmlab",
            &[
                "Epoch(train) [1][20/22]  lr: 1.0000e-01  loss: 2.2945",
                "Epoch(val) [1][7/7]    accuracy: 0.0831  data_time: 0.0032  time: 0.0136",
            ],
            "epoch=1 batch=22 batches=22 | accuracy=0.0831, data_time=0.0032, time=0.0136",
        ),
        ("openmmlab", &["Epoch(val) [1][5/7]    eta: 0:00:00  time: 0.0160  data_time: 0.0016"], "|"),
        // MMEngine of xtuner
        (
            "openmmlab",
            &[
                "Iter(train) [ 8851/96000]  lr: 9.7918e-06  eta: 18 days, 16:18:38  time: 115.0463  memory: 54047  loss: 0.0018  tokens_per_sec: 142.4122",
            ],
            "step=8851 of=96000 | lr=0.0000097918, time=115.0463, memory=54047, loss=0.0018, tokens_per_sec=142.4122",
        ),
        // MMCV 1.x of MMDetection 2
        (
            "openmmlab",
            &[
                "Epoch [1][50/962]\tlr: 1.978e-03, eta: 2:03:32, time: 0.645, data_time: 0.058, memory: 3483, s0.loss_cls: 0.3770, s0.acc: 88.1094, loss: 1.0950",
            ],
            "epoch=1 batch=50 batches=962 | lr=0.001978, time=0.645, data_time=0.058, memory=3483, s0.loss_cls=0.377, s0.acc=88.1094, loss=1.095",
        ),
        (
            "openmmlab",
            &[
                "Epoch(val) [1][200]\tbbox_mAP: 0.0210, bbox_mAP_50: 0.0940, bbox_mAP_s: -1.0000, bbox_mAP_copypaste: 0.021 0.094 0.001 -1.000 -1.000 0.021",
            ],
            "| bbox_mAP=0.021, bbox_mAP_50=0.094, bbox_mAP_s=-1",
        ),
        // Detectron2 0.6
        (
            "detectron2",
            &[
                "eta: 1 day, 1:54:02  iter: 19  total_loss: 0.1651  loss_cls: 0.06088  time: 0.6813  data_time: 0.3694  lr: 0.004  max_mem: 11811M",
            ],
            "step=19 | total_loss=0.1651, loss_cls=0.06088, time=0.6813, data_time=0.3694, lr=0.004, max_mem=11811M",
        ),
        (
            "detectron2",
            &[
                "copypaste: Task: bbox",
                "copypaste: AP,AP50,AP75,APs,APm,APl",
                "copypaste: 25.1930,42.7338,26.5965,1.7945,10.7670,nan",
            ],
            "| bbox/AP=25.193, bbox/AP50=42.7338, bbox/AP75=26.5965, bbox/APs=1.7945, bbox/APm=10.767, bbox/APl=NaN",
        ),
        // torchvision's detection references
        (
            "metric-logger",
            &[
                "Epoch: [0]  [10/60]  eta: 0:00:20  lr: 0.000936  loss: 1.3007 (1.5313)  loss_classifier: 0.3979 (0.4719)  time: 0.4198  data: 0.0298  max mem: 5081",
            ],
            "epoch=0 batch=10 batches=60 | lr=0.000936, loss=1.3007, loss_classifier=0.3979, time=0.4198, data=0.0298, max mem=5081",
        ),
        // DETR
        (
            "metric-logger",
            &[
                "Epoch: [0]  [ 0/63]  eta: 0:01:15  lr: 0.000100  class_error: 0.00  loss: 12.2860 (12.2860)",
                "Test:  [8/9]  eta: 0:00:00  loss: 9.1 (9.4)  time: 0.0765",
                "Averaged stats: class_error: 31.25 (44.10)  loss: 9.1 (9.4)  cardinality_error_unscaled: 3.5 (3.1)",
            ],
            "context=test | class_error=44.1, loss=9.4, cardinality_error_unscaled=3.1",
        ),
        (
            "metric-logger",
            &["* Acc@1 75.034 Acc@5 92.105 loss 1.020"],
            "context=test | Acc@1=75.034, Acc@5=92.105, loss=1.02",
        ),
        // PaddleDetection 2.4
        (
            "metric-logger",
            &[
                "Epoch: [0] [  20/1929] learning_rate: 0.064000 loss_vfl: 1.180627 loss: 2.628206 eta: 2 days, 12:18:53 batch_cost: 1.5770 data_cost: 0.0008 ips: 15.2184 images/s",
            ],
            "epoch=0 batch=20 batches=1929 | learning_rate=0.064, loss_vfl=1.180627, loss=2.628206, batch_cost=1.577, data_cost=0.0008, ips=15.2184",
        ),
        // Ultralytics 8.4
        (
            "ultralytics",
            &[
                "Epoch    GPU_mem       loss  Instances       Size",
                "1/3         0G      2.345         12         32: 100% ━━━━━━━━━━━━ 10/10 8.9it/s 1.6s",
            ],
            "epoch=1 epochs=3 | GPU_mem=0G, loss=2.345, Instances=12, Size=32",
        ),
        (
            "ultralytics",
            &[
                "Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size",
                "1/3      2.35G      1.208      3.153      1.442         12        640: 100% ━━━━━━━━━━━━ 10/10 8.9it/s 1.6s",
                "Class     Images  Instances      Box(P          R      mAP50  mAP50-95)     Mask(P          R      mAP50  mAP50-95): 100% ━━━━━━━━━━━━ 2/2 17.4it/s 0.1s",
                "all        128        929       0.64      0.537      0.605      0.446       0.61        0.5       0.57       0.37",
            ],
            "epoch=1 context=val | Images=128, Instances=929, Box(P)=0.64, Box(R)=0.537, Box(mAP50)=0.605, Box(mAP50-95)=0.446, Mask(P)=0.61, Mask(R)=0.5, Mask(mAP50)=0.57, Mask(mAP50-95)=0.37",
        ),
    ]);
}

#[test]
fn bars_and_tables_are_read() {
    check(&[
        // Keras 3
        (
            "keras",
            &[
                "Epoch 2/5",
                "22/22 ━━━━━━━━━━━━━━━━━━━━ 0s 5ms/step - accuracy: 0.8000 - loss: 0.7700 - val_accuracy: 0.8800 - learning_rate: 0.0100",
            ],
            "epoch=2 epochs=5 | accuracy=0.8, loss=0.77, val_accuracy=0.88, learning_rate=0.01",
        ),
        (
            "keras",
            &["Epoch 6/8", "22/22 - 0s - 16ms/step - accuracy: 0.7529 - loss: 1.0419"],
            "epoch=6 epochs=8 | accuracy=0.7529, loss=1.0419",
        ),
        // Keras 2
        (
            "keras",
            &[
                "Epoch 1/5",
                "1875/1875 [==============================] - 3s 1ms/step - loss: 0.2989 - accuracy: 0.9123",
            ],
            "epoch=1 epochs=5 | loss=0.2989, accuracy=0.9123",
        ),
        ("keras", &["Epoch 1/5", "3/22 ━━━━━━━━━━━━━━━━━━━━ 0s 5ms/step - loss: 0.9"], "|"),
        (
            "keras",
            &[
                "Epoch 1/1",
                "22/22 - 0s - 5ms/step - loss: 0.9",
                "13/13 ━━━━━━━━━━━━━━━━━━━━ 0s 3ms/step - accuracy: 0.88 - loss: 0.6168",
            ],
            "epoch=1 epochs=1 context=evaluate | accuracy=0.88, loss=0.6168",
        ),
        // Lightning 2
        (
            "tqdm",
            &[
                "Epoch 7:   5%|▌         | 3/58 [00:08<02:34,  2.82s/it, v_num=0, train_loss_step=0.148, val_loss=0.190]",
            ],
            "epoch=7 batch=3 batches=58 | train_loss_step=0.148, val_loss=0.19",
        ),
        // Lightning 2 over a data set of unknown length
        (
            "tqdm",
            &["Epoch 0: |          | 5/? [01:27<00:00,  0.06it/s, v_num=0, train_loss=14.90]"],
            "epoch=0 batch=5 | train_loss=14.9",
        ),
        // Lightning 2.6 begins the next epoch with the numbers of the last one, and shows a result until the next
        ("tqdm", &["Epoch 1:   0%|          | 0/10 [00:00<?, ?it/s, train_loss=2.080, val_loss=1.860]"], "|"),
        (
            "tqdm",
            &[
                "Epoch 0: 100%|████| 10/10 [00:01<00:00,  8.06it/s, train_loss=2.080, val_loss=1.860]",
                "Epoch 1: 100%|████| 10/10 [00:01<00:00,  8.06it/s, train_loss=1.050, val_loss=1.860]",
            ],
            "epoch=1 batch=10 batches=10 | train_loss=1.05",
        ),
        // NeMo 1.23: no rate
        (
            "tqdm",
            &[
                "Epoch 0: :  47%|████▋     | 7/15 [06:19<07:13, reduced_train_loss=11.50, global_step=5.000, train_step_timing in s=49.50]",
            ],
            "epoch=0 batch=7 batches=15 | reduced_train_loss=11.5, train_step_timing in s=49.5",
        ),
        (
            "tqdm",
            &["Train Epoch 3/10:  45%|████ | 10/22 [00:01<00:01, 8.9it/s, loss=2.27]"],
            "epoch=3 epochs=10 batch=10 batches=22 context=Train | loss=2.27",
        ),
        (
            "tqdm",
            &[
                "100%|████| 22/22 [00:01<00:00, 8.9it/s, loss=2.27]",
                "45%|████ | 10/22 [00:01<00:01, 8.9it/s, loss=2.1]",
            ],
            "epoch=1 batch=10 batches=22 | loss=2.1",
        ),
        // fastai 2
        (
            "fastai",
            &[
                "epoch     train_loss  valid_loss  accuracy  time",
                "0         0.354821    0.375355    0.825871  00:02",
            ],
            "epoch=0 | train_loss=0.354821, valid_loss=0.375355, accuracy=0.825871",
        ),
        // clu 0.0.12
        (
            "clu",
            &["[5] learning_rate=0.003, train_loss=2.25423"],
            "step=5 | learning_rate=0.003, train_loss=2.25423",
        ),
        ("", &["[21] Histogram for 'params/fc1/bias' = {[-0.0469, -0.0437): 1, [-0.0437, -0.0405): 0}"], ""),
        // XGBoost 3, its cross-validation, LightGBM 4, CatBoost 1.2
        (
            "boosting",
            &["[0]\ttrain-mlogloss:1.22\tvalid-merror:0.2"],
            "step=0 | train-mlogloss=1.22, valid-merror=0.2",
        ),
        (
            "boosting",
            &["[3]\ttrain-rmse:0.5+0.01\ttest-rmse:0.6+0.02"],
            "step=3 | train-rmse=0.5, train-rmse-std=0.01, test-rmse=0.6, test-rmse-std=0.02",
        ),
        (
            "boosting",
            &["[1]\ttrain's multi_logloss: 1.64443\tvalid's multi_error: 0.138539"],
            "step=1 | train's multi_logloss=1.64443, valid's multi_error=0.138539",
        ),
        (
            "catboost",
            &["10:\tlearn: 0.6684220\ttest: 0.7371535\tbest: 0.7371535 (10)\ttotal: 217ms\tremaining: 966ms"],
            "step=10 | learn=0.668422, test=0.7371535, best=0.7371535, total=217ms",
        ),
        // Stable-Baselines3 2.9
        (
            "stable-baselines",
            &[
                "---------------------------------",
                "| rollout/           |          |",
                "|    ep_rew_mean     | 22.3     |",
                "| time/              |          |",
                "|    fps             | 447      |",
                "|    total_timesteps | 256      |",
                "---------------------------------",
            ],
            "step=256 | rollout/ep_rew_mean=22.3, time/fps=447",
        ),
        ("", &["---", "| category | AP | category | AP |", "|---|---|---|---|"], ""),
    ]);
}

#[test]
fn a_box_that_follows_a_box_begins_a_new_one() {
    let boxed = |step: &'static str| -> [&'static str; 3] { ["-------", step, "-------"] };
    let lines = [boxed("| total_timesteps | 1 |"), boxed("| total_timesteps | 2 |")].concat();
    assert_eq!(last(&lines).1, "step=2 |");
}

#[test]
fn the_best_weights_are_no_result_of_the_last_epoch() {
    let (name, _) = last(&[
        "Epoch    GPU_mem       loss  Instances       Size",
        "3/3         0G      2.293         12         32: 100% ━━━━━━━━━━━━ 10/10 8.9it/s 1.6s",
        "Validating runs/classify/train/weights/best.pt...",
        "classes   top1_acc   top5_acc: 100% ━━━━━━━━━━━━ 2/2 15.5it/s 0.1s",
        "all      0.125      0.533",
    ]);
    assert_eq!(name, "", "neither its header nor its row");
}
