//! What the charts show.

use crate::ui::Explanation;

pub(super) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "curve",
        meaning: "A series over steps, epochs or time; of several runs in one chart.",
        formula: "each dot column shows first, last, least and greatest value of its points, so that a spike of one point survives",
        source: "M4 aggregation, Jugel et al. 2014",
        pitfalls: "Older points are kept as buckets when memory is short: their extremes are exact, what lies between is not.",
    },
    Explanation {
        name: "smoothing",
        meaning: "The bright curve; the raw one stays dim behind it.",
        formula: "debiased moving average: last ← w·last + (1−w)·x, shown last / (1 − wⁿ); values that are not finite pass unsmoothed and do not enter",
        source: "TensorBoard's line chart",
        pitfalls: "Smoothing moves a turning point to the right by about 1/(1−w) points; read minima from the raw curve.",
    },
    Explanation {
        name: "value in the title",
        meaning: "The last value of the series, and of each run where there are several.",
        formula: "no smoothing; NaN and infinity are said as such",
        source: "the log",
        pitfalls: "One noisy batch.",
    },
    Explanation {
        name: "× row",
        meaning: "Where values are NaN or infinite.",
        formula: "a mark in the column of each such point, also of points that are kept only as buckets",
        source: "the log",
        pitfalls: "A curve that ends and a curve that turned NaN look alike without it.",
    },
    Explanation {
        name: "✗ ▲ i row",
        meaning: "Where alerts about this series opened.",
        formula: "the step at which the alert's condition first held",
        source: "the alert's own evidence, view Alerts",
        pitfalls: "An alert that was closed keeps its mark.",
    },
    Explanation {
        name: "log scale",
        meaning: "Equal heights are equal factors (y).",
        formula: "log10 of the value; values of 0 and below have none and leave a gap",
        source: "the key y; the charts of Runs and Alerts switch by themselves where values span decades",
        pitfalls: "A loss that is near 0 looks wild on it: the changes are small in absolute terms.",
    },
    Explanation {
        name: "faded stretch",
        meaning: "Points that were overtaken when the run was resumed from an earlier step.",
        formula: "a step that goes back supersedes what lies at and after it",
        source: "the order of records in the log",
        pitfalls: "Two writers in one folder look like a resume.",
    },
];
