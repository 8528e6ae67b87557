//! What the numbers of the view mean.

use crate::ui::Explanation;

/// All of them, in the order of the pages.
pub(super) static ALL: &[Explanation] = &[
    Explanation {
        name: "α",
        meaning: "Where a step ends on the parabola through the loss before and after it: −1 where it began, 0 in the minimum along it, 1 as high on the other side, above 1 higher than it began.",
        formula: "w₀ + w₁s + w₂s² fitted to f(0), f(t), f′(0), f′(t) by least squares weighted by the noise; α = 2t/(−w₁/w₂) − 1, and −1 where w₂ < 0. The median and the histogram are of the newest 256 values up to the time cursor; the outer bars hold everything beyond, and the line below stops there too.",
        source: "Cockpit, Schneider, Dangel, Hennig 2021",
        pitfalls: "Both losses must be of the same batch. Many trainings that go well overshoot a little, so that a median above 0 is no fault by itself. Where the store has thinned the series, means of neighbours are counted. A scalar called alpha may be something else, such as the temperature of a soft actor-critic.",
    },
    Explanation {
        name: "gradient norm, weight norm",
        meaning: "Euclidean length of the whole gradient and of all weights.",
        formula: "As the scalar says; from layer records the root of the sum of squares over the layers, at steps at which all of them are logged.",
        source: "Cockpit, Schneider, Dangel, Hennig 2021",
        pitfalls: "A gradient norm may be logged before or after clipping. Layers that the log leaves out are missing from the sum. × marks what is not finite.",
    },
    Explanation {
        name: "distance",
        meaning: "How far the weights are from where they started.",
        formula: "‖w − w₀‖; from layer records the root of the sum of squares over the layers (dist_init).",
        source: "Cockpit, Schneider, Dangel, Hennig 2021",
        pitfalls: "A resumed run may measure from its last checkpoint.",
    },
    Explanation {
        name: "update size",
        meaning: "Length of the last change of the weights; upd/w is that of a layer as a share of its weights.",
        formula: "‖Δw‖, and ‖Δw‖/‖w‖",
        source: "Cockpit, Schneider, Dangel, Hennig 2021; a share of about 1e-3 is usual",
        pitfalls: "Of one step, not of the interval between two records. Weights near zero make the share large.",
    },
    Explanation {
        name: "norm, inner product, orthogonality (gradient tests)",
        meaning: "How uncertain the batch's gradient is in any direction, along itself and across itself, in units of its length. Above 1 (the tick) it is more noise than signal there.",
        formula: "norm √((Σ‖g‖² − B‖ḡ‖²)/(B(B−1)‖ḡ‖²)), inner product √(Var(g·ḡ)/(B‖ḡ‖⁴)), orthogonality √((Σ‖g‖² − Σ(g·ḡ)²/‖ḡ‖²)/(B(B−1)‖ḡ‖²)) over the gradients g of the B instances of a batch; norm² = inner² + orthogonality². Bars reach from 0 to 2.",
        source: "Byrd et al. 2012; Bollapragada, Byrd, Nocedal 2017; as in Cockpit's code",
        pitfalls: "They need gradients of single instances. In high dimensions orthogonality is usually the largest, and late in a training all of them rise because the gradient shrinks: a larger batch or a smaller rate helps, not an alarm. Published limits differ (0.9 for the inner product, about 5.8 for orthogonality).",
    },
    Explanation {
        name: "B_simple",
        meaning: "The batch size at which noise and gradient have the same weight. Much smaller batches waste steps, much larger ones samples.",
        formula: "tr Σ / |G|², both as moving averages (weight of the past 0.99, without the bias of the start), of which the ratio is taken last. A batch within a factor of 2 of it is called critical.",
        source: "McCandlish et al. 2018, An empirical model of large-batch training",
        pitfalls: "It grows while a training goes on. It is the simple scale, which leaves the curvature out; the true critical batch may differ by several times. Of more than 128 records the store keeps a thinned selection, so that the average reaches further back.",
    },
    Explanation {
        name: "|G|², tr Σ",
        meaning: "Squared length of the true gradient, and how much the gradient of one instance scatters.",
        formula: "|G|² = (B·‖G_B‖² − b·‖G_b‖²)/(B − b), tr Σ = (‖G_b‖² − ‖G_B‖²)/(1/b − 1/B) from squared norms at a small batch b and a large one B, averaged",
        source: "McCandlish et al. 2018",
        pitfalls: "Differences of noisy numbers: single values say little.",
    },
    Explanation {
        name: "not estimable",
        meaning: "Records whose |G|² came out negative or zero: there the noise hides the gradient. They are in the averages; where the average itself is not positive there is no B_simple (× in the line).",
        formula: "share of the records with |G|² ≤ 0; records with a number that is not finite, or with b ≥ B, are unusable and in no average",
        source: "this program's rule; a ratio of a negative number would be no batch size",
        pitfalls: "Near a half there is nothing but noise: larger batches are needed to measure it.",
    },
    Explanation {
        name: "α of a layer, spectrum",
        meaning: "Exponent of the power law that the large eigenvalues of a layer's WᵀW follow. Below 2 over-trained, 2 to 6 trained, above 6 under-trained.",
        formula: "1 + n/Σ ln(λ/λ_min) over the n eigenvalues above the λ_min that fits best; the trainer works it out",
        source: "WeightWatcher, Martin and Mahoney 2021",
        pitfalls: "Not the α of a step. Small layers give unreliable exponents, and random weights have one too (about 9): a large α says that there is no such structure. Labels were found on large trained networks.",
    },
    Explanation {
        name: "rank (stable rank)",
        meaning: "In how many directions a layer's weights act about equally.",
        formula: "‖W‖²_F / ‖W‖²₂",
        source: "WeightWatcher, Martin and Mahoney 2021",
        pitfalls: "Bounded by the smaller side of the matrix: compare a layer with its past, not with others.",
    },
    Explanation {
        name: "similar, to step",
        meaning: "How much a layer's outputs resemble those that it had at an earlier step, on the same instances: 1 is the same up to what the measure forgives.",
        formula: "as logged; CKA ‖XᵀY‖²/(‖XᵀX‖‖YᵀY‖) of centred outputs, unbiased; SVCCA and PWCCA by canonical correlations",
        source: "Kornblith et al. 2019; Nguyen, Raghu, Kornblith 2021; SVCCA: Raghu et al. 2017; PWCCA: Morcos et al. 2018",
        pitfalls: "CKA forgives rotations and a common scale, SVCCA and PWCCA any invertible map. Biased CKA is high with few instances for many units. The steps compared with may be near each other, which makes everything similar.",
    },
    Explanation {
        name: "similarity matrix, leaf order",
        meaning: "How much the outputs of each two layers resemble each other. Layers are ordered so that alike ones stand together, not as in the network; o gives the order of the log.",
        formula: "distances 1 − S/max S, negative similarities as 0, average linkage, and the order of its leaves with the least sum of distances between neighbours",
        source: "optimal leaf ordering: Bar-Joseph et al. 2001",
        pitfalls: "An order exists also where there are no groups. Colours begin at 0; unbiased CKA may lie below, and the line below the matrix says the exact value.",
    },
    Explanation {
        name: "conf, var, right",
        meaning: "Mean probability of an instance's own class over the epochs, how much it scatters, and at how many epochs the instance was right.",
        formula: "mean and population standard deviation of p(own class), from p or by softmax from logits; right of yhat, else of the largest p",
        source: "Dataset cartography, Swayamdipta et al. 2020",
        pitfalls: "Needs the same ids at several epochs. Epochs with a NaN are in no mean and count as wrong.",
    },
    Explanation {
        name: "easy, ambiguous, hard",
        meaning: "Easy: confident and steady. Ambiguous: between right and wrong over the epochs. Hard: steadily unsure, often mislabelled.",
        formula: "ambiguous from a variability of 0.2 on; below it easy from a confidence of 0.5 on, else hard",
        source: "regions after Swayamdipta et al. 2020; the borders are this program's, cartography ranks instances instead",
        pitfalls: "In the first epochs most instances are ambiguous or hard, because the network has learnt nothing yet.",
    },
    Explanation {
        name: "forgot, never learnt",
        meaning: "How often an instance was right and wrong at the next epoch; never learnt: not right at any of two or more epochs.",
        formula: "number of changes from right to wrong",
        source: "Toneva et al. 2019",
        pitfalls: "Counted at the epochs that are logged; what happens between them is not seen.",
    },
    Explanation {
        name: "AUM",
        meaning: "Area under the margin: by how much the logit of an instance's class leads the others over the epochs. The lowest are the likeliest wrong labels.",
        formula: "mean over the epochs of z(own class) − max z(other classes); differences of log p where only p is logged",
        source: "Pleiss et al. 2020",
        pitfalls: "Hard but rightly labelled instances are low as well: look at them before you drop them.",
    },
];
