//! What the numbers of the pages of a layer mean.

use crate::ui::Explanation;

/// For `?` and docs/MEASURES.md; part of those of the view *Layers*.
pub(in crate::ui::views::layers) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "bands",
        meaning: "The distribution of a tensor's elements over time: the middle line is the median, each shade holds the elements within so many standard deviations of a normal distribution.",
        formula: "values at the cumulative shares 0, 6.68, 15.87, 30.85, 50, 69.15, 84.13, 93.32 and 100 %, linear within the buckets of the histogram",
        source: "TensorBoard, compressor.py of the distributions plugin",
        pitfalls: "only as fine as the buckets: a histogram of 30 buckets cannot show a narrow peak; smallest and largest value are the outer edges of its buckets",
    },
    Explanation {
        name: "moved",
        meaning: "How much of a histogram changed since an earlier step: the share of elements that would have to go to another bin. + are bins that grew, − bins that shrank.",
        formula: "total variation distance: half the sum of |share now − share then| over 64 common bins (perplexities: over their own bins)",
        source: "change bars of DeepEyes (Pezzotti et al. 2018)",
        pitfalls: "two samples of one distribution differ too, the more the fewer elements were counted; the stability column of the table allows for that",
    },
    Explanation {
        name: "largest response",
        meaning: "How strongly each unit or filter has responded at most; a silent one has never responded and may be dead.",
        formula: "as logged in units records (stat max_act, with freq), or the largest of logged responses; the darkest cell is none, the brightest the layer's largest",
        source: "activation heat-map of DeepEyes (Pezzotti et al. 2018)",
        pitfalls: "weights move: a unit that died later keeps its old maximum, if the writer never starts anew; many units share a cell where there are more units than cells",
    },
    Explanation {
        name: "eta2",
        meaning: "How well a unit tells the classes apart: the share of what it does that is explained by the class, 0 nothing, 1 all.",
        formula: "η² = sum of squares between classes / total sum of squares over the responses; as logged, else from labelled responses",
        source: "analysis of variance; a published stand-in for the discriminability of Deep View (Zhong et al. 2017), whose formula is not to be had",
        pitfalls: "chance alone gives (classes − 1)/(instances − 1); a unit that is useful together with others may have none",
    },
    Explanation {
        name: "gdv",
        meaning: "How well the whole layer separates the classes: 0 not at all, −1 perfectly.",
        formula: "units brought to mean 0 and deviation ½; (mean distance within classes − mean distance between them) / √units",
        source: "generalised discrimination value, Schilling et al., arXiv 1811.01753",
        pitfalls: "depends on the probe batch and on the number of classes; compare steps, not networks",
    },
    Explanation {
        name: "density",
        meaning: "The share of responses that are active.",
        formula: "share of |a| > ε; ε is 0 in layers that are never negative, else a thousandth of the largest |a|; as logged for training and for val",
        source: "stand-in for the density metric of Deep View (Zhong et al. 2017)",
        pitfalls: "meaningful for rectified units; of tanh and GELU nearly all are active",
    },
    Explanation {
        name: "indicator",
        meaning: "An early hint that the network begins to over-fit: training and validation data use the layer differently, which they did not at first. Never an alert by itself.",
        formula: "gap = training − val of density or gdv at each evaluation; robust z > 3 against the first quarter of the evaluations (at least 10), 3 in a row on one side",
        source: "after Deep View (Zhong et al. 2017); thresholds simulated for this program: chance gives a hint in fewer than 1 of 1,000 layers of 40 evaluations",
        pitfalls: "another augmentation or dropout on training data makes a gap too, usually from the beginning; the alert needs the validation loss",
    },
    Explanation {
        name: "alpha",
        meaning: "The exponent of the power law that the spectrum of a weight matrix follows: below 2 over-trained, above 6 under-trained.",
        formula: "as logged: α = 1 + n / Σ ln(λᵢ/λmin) over the eigenvalues of WᵀW above the λmin with the least Kolmogorov-Smirnov distance",
        source: "WeightWatcher (Martin and Mahoney), which calls the reading experimental",
        pitfalls: "small layers have too few eigenvalues; a matrix that follows no power law has an α as well",
    },
    Explanation {
        name: "stable rank",
        meaning: "How many directions a weight matrix really uses.",
        formula: "‖W‖²_F / ‖W‖²₂, as logged",
        source: "WeightWatcher",
        pitfalls: "falls when one singular value grows, whatever the others do",
    },
];
