"""What a layer's responses say of it: how special its filters are, which are dead, always on, or the same.

Responses are [instance, filter] and not negative: f_i ≥ 0, as after a ReLU. Definitions: DeepEyes, Pezzotti et al.
2018.
"""

import numpy as np

#: A filter is on where it responds with more than this share of its largest response (DeepEyes' β).
BETA = 0.5
#: On in at least so many of the instances is always on.
ALWAYS = 0.95
#: Filters that are so alike are one filter twice.
SAME = 0.98
#: Buckets of the perplexity's histogram.
BINS = 20


def perplexity(responses):
    """2^H of each instance's responses as shares (1: one filter responds; F: all alike), and how many had no response.

    Rows that are all zero, or not finite, have none and are left out.
    """
    responses = np.asarray(responses)
    responses = np.maximum(responses if responses.dtype == np.float32 else responses.astype(np.float64), 0)
    total = responses.sum(1)
    there = np.isfinite(total) & (total > 0)
    p = responses[there] / total[there, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -np.where(p > 0, p * np.log2(p), 0).sum(1)
    return np.clip(2.0**bits, 1, responses.shape[1]), int((~there).sum())


def perplexity_edges(filters, bins=BINS):
    """Edges from 1 to the number of filters, equal on a logarithmic axis; they depend on that number only."""
    return np.geomspace(1, filters, bins + 1)


def perplexity_histogram(responses, edges):
    """(counts, number of instances, how many of them had no response)."""
    values, silent = perplexity(responses)
    edges = np.asarray(edges)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return counts, len(responses), silent


def on_share(responses):
    """(largest response of each filter, share of the instances where it is on)."""
    responses = np.asarray(responses, dtype=np.float64)
    top = responses.max(0)
    return top, (responses > BETA * top).mean(0)


def activity(top, freq, epsilon=0.0):
    """(dead, always on) as masks over filters, of the largest response of each and the share where it is on.

    Dead: no response above `epsilon`. Always on: on in at least 95 % of the instances, so that it tells none from
    another. What is not finite is neither.
    """
    top, freq = np.asarray(top), np.asarray(freq)
    dead = top <= epsilon
    return dead, (freq >= ALWAYS) & ~dead & np.isfinite(top)


def jaccard(a, b):
    """Weighted Jaccard similarity of two filters: Σ min / Σ max; two silent ones are not alike (0)."""
    top = np.maximum(a, b).sum()
    return float(np.minimum(a, b).sum() / top) if top > 0 else 0.0


def duplicates(responses, skip=None, same=SAME):
    """Pairs (i, j) of filters whose weighted Jaccard similarity is at least `same`.

    `skip`: filters that are not compared; the dead and the always-on are alike without being copies. Sums of filters
    that are so alike differ by less than 1 − `same`, so that only neighbours in the order of sums are compared.
    """
    responses = np.maximum(np.nan_to_num(np.asarray(responses, dtype=np.float64)), 0)
    sums = responses.sum(0)
    keep = sums > 0
    if skip is not None:
        keep &= ~np.asarray(skip)
    order = [i for i in np.argsort(sums, kind="stable") if keep[i]]
    found = []
    for k, i in enumerate(order):
        near = []
        for j in order[k + 1:]:
            if sums[i] < same * sums[j]:
                break
            near.append(j)
        if near:
            mine, others = responses[:, [i]], responses[:, near]
            low = np.minimum(mine, others).sum(0)
            high = sums[i] + sums[near] - low
            found += [(int(min(i, j)), int(max(i, j))) for j, s in zip(near, low / high) if s >= same]
    return sorted(found)


def duplicate_share(responses, skip=None):
    """Share of all filters that respond as an earlier one does: of two copies one counts."""
    group = {}

    def root(i):
        while group.get(i, i) != i:
            i = group[i]
        return i

    spare = 0
    for i, j in duplicates(responses, skip):
        a, b = root(i), root(j)
        if a != b:
            group[b] = a
            spare += 1
    return spare / max(np.shape(responses)[1], 1)


def saturated_share(outputs, low, high, most=0.95):
    """Share of units with at least `most` of their outputs outside (`low`, `high`)."""
    outputs = np.asarray(outputs)
    with np.errstate(invalid="ignore"):
        outside = (outputs <= low) | (outputs >= high)
    return float((outside.mean(0) >= most).mean())
