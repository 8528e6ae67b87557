//! What the numbers of the view mean.

use crate::ui::Explanation;

/// One for each number and mark.
pub(super) static ALL: &[Explanation] = &[
    Explanation {
        name: "matrix",
        meaning: "How often samples of a true class (row) were taken for a predicted class (column).",
        formula: "Counts; or per cent of the row, of the column, of all samples (N). Colours rise with the root of the \
                  share of the row, with its logarithm over 0.1 % to 100 %, or straight up to the largest share off the \
                  diagonal (y). The diagonal has a look of its own, or the same colours (d).",
        source: "confusion records; Neo, Görtler et al. 2022; Blocks, Bilal et al. 2018",
        pitfalls: "Tools disagree on what rows are; epochscope turns matrices so that rows are true, from what the log \
                   says. In counts, large classes look worse than small ones: compare per cent of the row.",
    },
    Explanation {
        name: "order",
        meaning: "Classes that are alike stand side by side, so that confusion forms blocks.",
        formula: "By a hierarchy in the names (animal:cat, or folders animal/cat, if at least half of the names have \
                  it); else by the correlation of the classes' logits; else by confusion: rows divided by their sums, \
                  diagonal removed, S = (R + R') / 2, summed over the last evaluations until there are 10 errors a \
                  class, at most 10 evaluations; else as logged. Distance 1 - S / max S, average linkage, optimal leaf \
                  order (exact up to 1,024 classes, greedy flips above).",
        source: "Blocks, Bilal et al. 2018 (given hierarchy); Alsallakh et al. 2020 (logits); Bar-Joseph et al. 2001 \
                 (leaf order)",
        pitfalls: "Clustering the raw matrix fails: its diagonal dominates, and classes are joined by how often they \
                   are right; with Euclidean distances and centroid linkage planted groups were found in 0 to 22 of 100 \
                   matrices. The order of an early evaluation says little. scipy's optimal_leaf_ordering is not optimal.",
    },
    Explanation {
        name: "weak structure",
        meaning: "The groups are no clearer than those that chance makes: do not build on them.",
        formula: "Groups are the cut of the tree at the widest gap between heights of joins, among cuts into 2 to n/2 \
                  groups. Clarity is that gap as a share of the tree's height, times the excess of similarity inside of \
                  groups over the share of pairs inside. Weak: not clearer than each of 19 shuffles of the same \
                  similarities (5 %).",
        source: "permutation test; measured on 100 planted matrices each: 3 groups of 4 with 200 samples a class and 70 % \
                 accuracy are weak in 0, at 95 % in 3, with 30 samples and 3 errors a class in 81, without groups in 92",
        pitfalls: "Few errors hide groups: about ten a class are needed. Names that give a hierarchy are not tested.",
    },
    Explanation {
        name: "tree",
        meaning: "Which classes are joined at which distance, root at the left.",
        formula: "Height of a join: mean distance of all pairs between both sides (average linkage).",
        source: "nearest-neighbour chain, Murtagh 1983; Müllner 2011",
        pitfalls: "Joins at almost the same height could as well have come in another order.",
    },
    Explanation {
        name: "cells of several classes",
        meaning: "More classes than fit are put together by the tree; the whole matrix is always there.",
        formula: "The number before a name says how many classes a row holds. Its colour is the worst pair in the cell, \
                  the words below give the sum and name that pair.",
        source: "visual boosting, so that a single bad pair among thousands stays visible (Blocks)",
        pitfalls: "The colour is not that of the sum: one bad pair makes the cell bright.",
    },
    Explanation {
        name: "accuracy, macro F1",
        meaning: "Share of samples on the diagonal; mean of the F1 of all classes.",
        formula: "trace / total; unweighted mean over the classes that have samples or predictions",
        source: "the matrix",
        pitfalls: "With unequal classes accuracy speaks of the large ones, macro F1 of the small ones.",
    },
    Explanation {
        name: "recall, prec, F1, 95 %",
        meaning: "Share of a class that was recognised; share of a prediction that is right; their harmonic mean; and \
                  between which values they lie with 95 % confidence.",
        formula: "TP / row, TP / column, 2 TP / (row + column). Wilson's interval of recall and precision; that of F1 from \
                  the interval of J = TP / (TP + FP + FN) as 2J / (1 + J).",
        source: "Wilson 1927; indirect interval of F1: Lam et al. 2023",
        pitfalls: "The recall of 3 samples means nothing: 3 of 4 lies between 0.30 and 0.95. Below 20 samples a class is \
                   grey. A matrix of shares does not say how many samples there were and gets no intervals; weighted \
                   samples make them too narrow. Samples that are not independent (frames of a film) do too.",
    },
    Explanation {
        name: "group recall, prec, exact",
        meaning: "Scores of a group as a whole (C). A sample counts as right if it was taken for any class of its group; \
                  exact: only if for its own class.",
        formula: "inside = sum of the cells of the group; recall = inside / rows, precision = inside / columns. Exact: the \
                  diagonal in place of inside.",
        source: "Blocks (group level); Neo, Görtler et al. 2022 (exact)",
        pitfalls: "Groups found in a matrix look good in the same matrix: they were made of its confusions.",
    },
    Explanation {
        name: "errors inside groups",
        meaning: "How many of the errors are between classes of one group: a fine distinction missed, not a coarse one.",
        formula: "(sum of inside over groups - trace) / (total - trace)",
        source: "Blocks, Bilal et al. 2018",
        pitfalls: "Large groups hold more errors by chance; one group of all classes holds 100 %.",
    },
    Explanation {
        name: "groups separated at",
        meaning: "From this evaluation on at most 5 % of samples are taken for a class of another group. Networks \
                  separate groups first and classes later, in later layers.",
        formula: "First evaluation from which on the group error, 1 - sum of inside / total, stays at or below 5 %; the \
                  same for classes. The groups are those of the evaluation on screen.",
        source: "Blocks, Bilal et al. 2018; the level is epochscope's",
        pitfalls: "A lucky evaluation does not count if a later one is worse. Not said where the structure is weak.",
    },
    Explanation {
        name: "moved most, change",
        meaning: "Pairs that are mixed up more (+) or less (-) often than at the evaluation before.",
        formula: "now - before; counts of before are multiplied by the ratio of the totals where these differ by more \
                  than 2 %",
        source: "Blocks, Bilal et al. 2018",
        pitfalls: "A change of a few samples is noise: the spread of a count is about its root.",
    },
    Explanation {
        name: "difference, error distance",
        meaning: "The matrix less another one (v): + is more, - is fewer; and how differently both err, 0 to 1.",
        formula: "Cell by cell, counts scaled to the same total, or shares. Distance: half the sum of |P - Q|, where P and Q \
                  are the cells off the diagonal as shares of all errors (total variation).",
        source: "ConfusionVis, Theissler et al. 2022",
        pitfalls: "The distance says where errors go, not how many there are. With few errors it is large by chance. \
                   Classes of two runs are matched by name, else by place.",
    },
];
