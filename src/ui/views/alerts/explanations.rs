//! What an alert says.

use crate::ui::Explanation;

pub(super) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "severity",
        meaning: "How much it matters: info is worth a look, warn pays to act on, critical wastes compute now.",
        formula: "by rule and by how far its numbers lie beyond their thresholds; an alert keeps the worst that it has been",
        source: "docs/DETECTION.md has each rule",
        pitfalls: "Severity says nothing about how sure the rule is; its error rates are in docs/EVALUATION.md.",
    },
    Explanation {
        name: "since",
        meaning: "The step at which the condition first held; the alert opened later, when it had held for long enough.",
        formula: "each rule has its patience: so many points or evaluations in a row",
        source: "the rule's text, i on this view",
        pitfalls: "It is bounded by how often the series is logged.",
    },
    Explanation {
        name: "evidence",
        meaning: "The numbers that the rule compared, each with what it had to be.",
        formula: "values at the moment at which the alert opened or last got worse",
        source: "the series named in the card",
        pitfalls: "With the time cursor set the card says what it said when it opened.",
    },
    Explanation {
        name: "explained by",
        meaning: "An alert that follows from another one stands below it and does not notify.",
        formula: "a table of causes (NaN explains divergence, a learning rate explains a spike, …), same run, overlapping time",
        source: "docs/DETECTION.md",
        pitfalls: "The cause is a rule of thumb about rules, not an inference about the network; both stay listed.",
    },
    Explanation {
        name: "σ",
        meaning: "How unusual a change is for this series.",
        formula: "median absolute deviation × 1.4826 of the residuals of its recent history",
        source: "robust z score, Iglewicz & Hoaglin 1993",
        pitfalls: "Few points make a poor σ; rules ask for a least number of them.",
    },
    Explanation {
        name: "dashed line",
        meaning: "The threshold that the series crossed.",
        formula: "the number after ≤ or ≥ in the evidence, on the series' own axis",
        source: "the rule",
        pitfalls: "Rules that look at trends or ratios have no single line.",
    },
];
