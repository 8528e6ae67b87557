//! The grammars of text logs, one file each.

mod boosting;
mod clu;
mod composer;
mod deepspeed;
mod detectron;
mod fairseq;
mod fastai;
mod gpt;
mod huggingface;
mod keras;
mod megatron;
mod metric_logger;
mod openmmlab;
mod pace;
mod paddle;
mod pairs;
mod stable_baselines;
mod torch_trainers;
mod tqdm;
mod ultralytics;

use super::{
    grammar::{Grammar, Line, State},
    scan,
};

/// Every grammar, in the order in which they are asked: exact ones before tolerant ones.
#[rustfmt::skip] // one a line
pub(super) static GRAMMARS: &[&dyn Grammar] = &[
    &huggingface::HuggingFace,
    &megatron::Megatron,
    &deepspeed::DeepSpeed,
    &gpt::NanoGpt,
    &gpt::ModdedNanoGpt,
    &gpt::LlmC,
    &torch_trainers::TorchTitan,
    &torch_trainers::TorchTune,
    &composer::Composer,
    &openmmlab::OpenMmLab,
    &detectron::Detectron,
    &metric_logger::MetricLogger,
    &paddle::Paddle,
    &fairseq::Fairseq,
    &boosting::Boosting,
    &boosting::CatBoost,
    &clu::Clu,
    &stable_baselines::StableBaselines,
    &ultralytics::Ultralytics,
    &keras::Keras,
    &fastai::FastAi,
    &tqdm::Tqdm,
];

#[cfg(test)]
mod tests;
