//! What the list of runs and the pane of one run say.

use crate::ui::Explanation;

pub(super) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "state",
        meaning: "Whether records still come.",
        formula: "running: records come at the run's own pace. stalled: silent for much longer than that, since less than --stale-after (a day). finished, failed: the log says so, a plan was reached or broke off. unknown: an older log without an end mark.",
        source: "pace is the median time between recent records and the longest gap that was seen",
        pitfalls: "A copied log has new file times without being alive; a trainer that only evaluates for an hour writes nothing meanwhile.",
    },
    Explanation {
        name: "step",
        meaning: "How far the run is, and which share of its plan that is.",
        formula: "the greatest step of any series; the plan is what the log says (max_steps, steps_total, epochs)",
        source: "the log's own records and hyper-parameters",
        pitfalls: "Series of one run may count in different units (batches, epochs, samples).",
    },
    Explanation {
        name: "eta",
        meaning: "When the plan will be reached.",
        formula: "steps that are left × median time per step of the recent records",
        source: "the log's own times",
        pitfalls: "An evaluation or a checkpoint that comes seldom is not in the median.",
    },
    Explanation {
        name: "main loss",
        meaning: "The training loss over the whole run, in a row of cells.",
        formula: "the extremes of equal stretches of steps, so that a spike survives; × where a value is NaN or infinite",
        source: "which series is the main one is found by its name, see i on Curves",
        pitfalls: "Heights are relative to the run's own range: rows cannot be compared by eye.",
    },
    Explanation {
        name: "last",
        meaning: "The last value of the main loss, also if it is NaN.",
        formula: "no smoothing",
        source: "the log",
        pitfalls: "One noisy batch; the sparkline says whether it is typical.",
    },
    Explanation {
        name: "best",
        meaning: "The best value of the main metric and its step: the checkpoint that one would keep.",
        formula: "minimum or maximum over all points that were read, NaN passed over",
        source: "the direction is the one that the log states (goal), else the one usual for the metric's name",
        pitfalls: "The best of many noisy evaluations is too good: choosing by it overstates what the model does on new data.",
    },
    Explanation {
        name: "age",
        meaning: "Time since the newest record.",
        formula: "now − time of the record (file time where the log has none)",
        source: "the log's own clock",
        pitfalls: "A writer's clock may be wrong; then the time of arrival counts.",
    },
    Explanation {
        name: "learns",
        meaning: "Whether the loss has left its starting level.",
        formula: "median of the last tenth of the loss below that of the first tenth by more than 3 times its noise and by 1 %; a loss that ends at ln(classes) has only guessed",
        source: "question 1 of the survey's training-time questions (Hohman et al. 2018, V.1)",
        pitfalls: "A loss that starts at its end (fine-tuning) need not fall to be right.",
    },
    Explanation {
        name: "converged",
        meaning: "Whether going on still pays.",
        formula: "relative gain of the main metric over its last stretch, and the Mann–Kendall trend in it",
        source: "question 2 of the survey's training-time questions",
        pitfalls: "A schedule that will still lower the learning rate makes a plateau look like an end.",
    },
    Explanation {
        name: "overfits",
        meaning: "Whether validation gets worse while training gets better.",
        formula: "the rule overfitting: rise of the validation series above its best in units of its noise over several evaluations, training still falling",
        source: "question 3 of the survey's training-time questions; Prechelt 1998",
        pitfalls: "Answers speak of the whole log and are hidden while the time cursor is set.",
    },
];
