//! The three questions and the forecast as `status --format json` tells them.

use serde::Serialize;

use super::number::Number;
use crate::{
    detect::{
        AlertBook,
        forecast::{self, Forecast},
        questions::{self, Answer},
    },
    model::Step,
    store::Run,
};

/// What is asked of every run.
#[derive(Serialize)]
pub(super) struct QuestionStatus {
    learning: AnswerStatus,
    converged: AnswerStatus,
    overfits: AnswerStatus,
    /// The best checkpoint step so far.
    best: Option<BestStatus>,
}

#[derive(Serialize)]
struct AnswerStatus {
    answer: &'static str,
    because: String,
}

#[derive(Serialize)]
struct BestStatus {
    series: String,
    step: Step,
    value: Number,
}

/// Where the main loss is going, or why that cannot be said.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ForecastStatus {
    /// A forecast.
    Known {
        series: String,
        at_step: Step,
        value: Number,
        low: Number,
        high: Number,
        asymptote: Number,
        there_at_step: Option<Step>,
    },
    /// None, and why.
    Refused { refused: &'static str },
}

/// The answers for a run.
pub(super) fn question_status(run: &Run, alerts: &AlertBook) -> QuestionStatus {
    let answers = questions::answers(run, alerts);
    let answer = |a: Answer| AnswerStatus { answer: a.verdict.name(), because: a.because };
    QuestionStatus {
        learning: answer(answers.learning),
        converged: answer(answers.converged),
        overfits: answer(answers.overfits),
        best: answers.best.map(|b| BestStatus {
            series: b.series.label(),
            step: b.step,
            value: Number(b.value),
        }),
    }
}

/// The forecast of a run.
pub(super) fn forecast_status(run: &Run) -> ForecastStatus {
    match forecast::of_run(run) {
        Ok(Forecast { series, at_step, value, low, high, asymptote, there_at }) => ForecastStatus::Known {
            series: series.label(),
            at_step,
            value: Number(value),
            low: Number(low),
            high: Number(high),
            asymptote: Number(asymptote),
            there_at_step: there_at,
        },
        Err(refusal) => ForecastStatus::Refused { refused: refusal.why() },
    }
}
