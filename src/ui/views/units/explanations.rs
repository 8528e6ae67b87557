//! What the numbers of this view mean.

use crate::ui::Explanation;

/// For `?` and docs/MEASURES.md.
pub(super) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "represents",
        meaning: "How many units of the layer are closer to this curve than to any other that is drawn, itself included.",
        formula: "farthest-point sampling: the medoid (least median distance to all) first, then again and again the curve that is farthest from those chosen; distance is the root of the mean squared difference over steps",
        source: "greedy maximin for the blue-noise polyline sampling of DGMTracker (Liu et al. 2018)",
        pitfalls: "above 1,024 units the medoid is sought among distances to 256 evenly spread ones; steps beyond 256 are thinned; an absent value takes its neighbour's",
    },
    Explanation {
        name: "distance",
        meaning: "How far the curve was from those chosen before it. It falls down the list; a large first one is an outlier.",
        formula: "√(mean over steps of the squared difference), in the units of the statistic; by shape (N) each curve is brought to mean 0 and deviation 1 first; NaN and Inf count as one range above the largest value",
        source: "DGMTracker (Liu et al. 2018)",
        pitfalls: "by value a layer with units of very different size shows the large ones; by shape the noise of a flat unit weighs as much as another's signal",
    },
    Explanation {
        name: "outlier",
        meaning: "A curve that stands alone far from all others; its unit's number is written at its end.",
        formula: "distance more than 5 times the median distance in the list, and more than 5 times what any unit that is not drawn has to its nearest curve; it represents at most 1 % of the units",
        source: "rule of this program",
        pitfalls: "a group of like units is no outlier, however far from the rest",
    },
    Explanation {
        name: "eta2",
        meaning: "How much of what a unit does is explained by the class of the instance: 0 nothing, 1 all.",
        formula: "η² = sum of squares between classes / total sum of squares, as logged in units records with the stat eta2, else from labelled responses",
        source: "analysis of variance; stands in for the unit discriminability of Deep View (Zhong et al. 2017), whose formula is not published",
        pitfalls: "with few instances per class it is too large: (classes − 1)/(instances − 1) is what chance gives",
    },
    Explanation {
        name: "credit",
        meaning: "What each unit contributes to one output: positive ones push it up, negative ones down.",
        formula: "as logged; usually activation times gradient, c = a · ∂t/∂a, summed over the batch, which in ReLU networks without bias is LRP-0",
        source: "credit assignment of DGMTracker (Liu et al. 2018); layer-wise relevance propagation (Bach et al. 2015)",
        pitfalls: "it is a statement on this batch and this target; a unit may matter through others",
    },
    Explanation {
        name: "conserves",
        meaning: "Whether the contributions add up to the output that they explain.",
        formula: "|sum of c − total| ≤ 10⁻⁶ · |total|; else the deviation in per cent of the total",
        source: "conservation of LRP (Bach et al. 2015)",
        pitfalls: "biases, normalisation and a list of only the largest contributions break it without anything being wrong",
    },
    Explanation {
        name: "first to leave its history",
        meaning: "The layer at which a failure became visible first: what comes after it is most likely its consequence.",
        formula: "largest magnitude, norm and std of each tensor, on a logarithmic scale, against the median and the median absolute deviation of its last 64 records: z > 6 for 2 records up to a NaN or Inf (or z > 30), 3 records where nothing broke; or an element that is NaN or infinite. The earliest that has not come back; within a step activations forward, then gradients backward",
        source: "failure localisation of DGMTracker (Liu et al. 2018); thresholds of this program",
        pitfalls: "only layers that are logged can be named; a level that stays for 32 records is taken for the new history; records far apart blur the order",
    },
];
