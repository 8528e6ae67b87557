"""The numbers against known answers: they are what the views are judged by."""

import numpy as np
import pytest

from epochscope import NoiseScale, discrimination, normalised_step, responses, spectra, statistics


def test_t_9_perplexity_of_known_responses():
    values, silent = responses.perplexity([[3.0] * 8, [0, 0, 5, 0, 0, 0, 0, 0], [0, 2, 2, 0, 0, 0, 0, 0],
                                           [4, 2, 1, 1, 0, 0, 0, 0], [0] * 8])
    assert values == pytest.approx([8, 1, 2, 3.363586], abs=1e-6)
    assert silent == 1


def test_perplexity_histogram_counts_every_instance_once():
    rng = np.random.default_rng(0)
    sample = np.maximum(rng.normal(size=(500, 32)), 0).astype(np.float32)
    sample[:7] = 0
    edges = responses.perplexity_edges(32)
    counts, n, silent = responses.perplexity_histogram(sample, edges)
    assert (edges[0], edges[-1], len(edges)) == (1, 32, 21)
    assert counts.sum() + silent == n == 500 and silent == 7
    assert np.diff(np.log(edges)) == pytest.approx(np.full(20, np.log(32) / 20))


def test_perplexity_passes_over_what_is_not_finite():
    values, silent = responses.perplexity([[1, np.nan], [1, np.inf], [1, 1]])
    assert list(values) == [2] and silent == 2


def test_t_11_dead_always_on_and_duplicate_filters():
    rng = np.random.default_rng(3)
    r = np.maximum(rng.normal(size=(400, 32)), 0)
    r[:, :5] = 0
    r[:, 5:8] = [0.7, 1.3, 2.0]
    r[:, 20], r[:, 21] = r[:, 10], r[:, 11]
    top, freq = responses.on_share(r)
    dead, always = responses.activity(top, freq)
    assert (dead.sum(), always.sum()) == (5, 3)
    assert responses.duplicates(r, skip=dead | always) == [(10, 20), (11, 21)]
    assert responses.duplicate_share(r, skip=dead | always) == 2 / 32


def test_three_copies_of_one_filter_are_two_too_many():
    rng = np.random.default_rng(4)
    r = np.maximum(rng.normal(size=(100, 6)), 0)
    r[:, 2] = r[:, 4] = r[:, 0]
    assert responses.duplicate_share(r) == 2 / 6


def test_duplicates_are_those_of_comparing_every_pair():
    rng = np.random.default_rng(5)
    base = np.maximum(rng.normal(size=(80, 12)), 0)
    r = np.concatenate([base, base * rng.uniform(0.97, 1.03, base.shape)], 1)
    slow = [(i, j) for i in range(24) for j in range(i + 1, 24) if responses.jaccard(r[:, i], r[:, j]) >= 0.98]
    assert responses.duplicates(r) == slow and slow


def test_t_12_weighted_jaccard():
    assert responses.jaccard(np.array([1, 0, 2]), np.array([1, 1, 1])) == 0.5
    assert responses.jaccard(np.array([1, 2]), np.array([1, 2])) == 1
    assert responses.jaccard(np.array([1, 0]), np.array([0, 1])) == 0


def test_saturated_units():
    outputs = np.array([[1.0, 0.0, -1.0, 0.5], [-1.0, 0.99999, 1.0, 0.2]])
    assert responses.saturated_share(outputs, -0.99, 0.99) == 0.5


def test_t_13_gdv():
    r = np.random.default_rng(1)
    y = np.repeat([0, 1], 200)
    x = r.normal(size=(400, 10))
    separated = x * 1e-3 + np.where(y[:, None] == 0, -1, 1.0)
    assert discrimination.gdv(x, y) == pytest.approx(0, abs=5e-4)
    assert discrimination.gdv(separated, y) == pytest.approx(-0.999, abs=1e-3)
    assert discrimination.gdv(x + np.where(y[:, None] == 0, -0.5, 0.5), y) == pytest.approx(-0.142, abs=5e-4)
    assert discrimination.gdv(x, np.zeros(400)) is None
    assert discrimination.gdv(np.where(x > 3, np.nan, x), y) is None


def test_t_15_eta2():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1000)
    x = np.stack([y * 2.0, rng.normal(size=1000), np.full(1000, 0.1)], 1)
    eta2 = discrimination.eta2(x, y)
    assert eta2[0] == pytest.approx(1)
    assert eta2[1] < 0.02
    assert np.isnan(eta2[2])


def test_unbiased_cka():
    r = np.random.default_rng(2)
    x = r.normal(size=(50, 20))
    q, _ = np.linalg.qr(r.normal(size=(20, 20)))
    assert discrimination.cka_unbiased(x, x) == pytest.approx(1)
    assert discrimination.cka_unbiased(x, 3 * x @ q) == pytest.approx(1)
    # a biased estimate says about a third here
    assert abs(np.mean([discrimination.cka_unbiased(x, r.normal(size=(50, 20))) for _ in range(50)])) < 0.02
    assert np.isnan(discrimination.cka_unbiased(x, np.ones((50, 3))))


def test_the_matrix_of_similarities_is_that_of_the_pairs():
    r = np.random.default_rng(2)
    all_ = [r.normal(size=(30, k)) for k in (3, 5, 9)]
    matrix = discrimination.cka_matrix([discrimination.gram(x) for x in all_])
    assert matrix == pytest.approx(np.array([[discrimination.cka_unbiased(a, b) for b in all_] for a in all_]))
    assert matrix == pytest.approx(matrix.T)


@pytest.mark.parametrize("alpha, low, high", [(1.8, 1.7, 1.9), (3.0, 2.8, 3.2), (7.0, 6.0, 7.7)])
def test_t_54_power_law(alpha, low, high):
    r = np.random.default_rng(4)
    draws = (1 - r.random(1000)) ** (-1 / (alpha - 1))
    assert low <= spectra.power_law(draws)[0] <= high


def test_t_54_a_random_matrix_is_under_trained():
    values = spectra.eigenvalues(np.random.default_rng(0).normal(size=(500, 300)) / np.sqrt(500))
    alpha, distance = spectra.power_law(values)
    assert len(values) == 300 and alpha > 6 and distance > 0.1


def test_stable_rank():
    assert spectra.stable_rank(spectra.eigenvalues(np.eye(4))) == pytest.approx(4)
    assert spectra.stable_rank(spectra.eigenvalues(np.outer([1, 2, 3], [1, 1]))) == pytest.approx(1)
    assert spectra.stable_rank(spectra.eigenvalues(np.zeros((3, 3)))) is None
    assert spectra.eigenvalues(np.full((3, 3), np.nan)) is None


@pytest.mark.parametrize("t, alpha", [(1, -0.5), (2, 0), (3, 0.5), (4, 1)])
def test_t_51_normalised_step(t, alpha):
    # f = (2 − s)²/2
    assert normalised_step(t, 2.0, 0.5 * (2 - t) ** 2, -2.0, -(2 - t)) == pytest.approx(alpha, abs=1e-9)


def test_a_step_where_the_loss_bends_down_or_is_unknown():
    assert normalised_step(1, 0, -2, -1, -3) == -1
    assert normalised_step(1, 0, float("nan"), -1, -3) is None


def test_t_57_noise_scale():
    noise = NoiseScale()
    assert noise.add(10, 100, 14.0, 5.0) == pytest.approx(25)
    assert NoiseScale().add(10, 100, 100.0, 5.0) is None
    with pytest.raises(ValueError):
        noise.add(100, 10, 1, 1)


def test_statistics_speak_of_finite_elements_and_count_the_others():
    stats = statistics.describe([3.0, -4.0, 0.0, np.nan, np.inf, -np.inf])
    assert (stats["nan"], stats["inf"], stats["numel"]) == (1, 2, 6)
    assert (stats["norm"], stats["min"], stats["max"], stats["zero"]) == (5, -4, 3, pytest.approx(1 / 3))
    assert statistics.describe([np.nan]) == {"numel": 1, "nan": 1, "inf": 0}


def test_histogram_of_a_constant_has_a_width():
    counts, edges = statistics.histogram(np.full(5, 2.0), 4)
    assert counts.sum() == 5 and np.all(np.diff(edges) > 0)


def test_rounded_edges_stay_apart():
    edges = np.linspace(1000.0001, 1000.0002, 9)
    assert np.all(np.diff(statistics.rounded_edges(edges, 3)) > 0)
    assert list(statistics.rounded_edges([0, 1 / 3, 1], 3)) == [0, 0.333, 1]
