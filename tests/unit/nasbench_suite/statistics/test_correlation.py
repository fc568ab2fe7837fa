"""How well one column ranks another, against brute force and SciPy."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.correlation import (
    kendall,
    precision_at,
    regret_at,
    sparse_kendall,
    spearman,
)

RNG = np.random.default_rng(0)


def in_all_orders(predicted: np.ndarray) -> list[list[int]]:
    """Every order of the best first that the predictions allow."""
    return [
        list(order)
        for order in permutations(range(len(predicted)))
        if (np.diff(predicted[list(order)]) <= 0).all()
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6, 9])
def test_choices_are_means_over_all_orders_of_ties(k: int) -> None:
    for _ in range(6):
        predicted, truth = RNG.integers(0, 3, 6).astype(float), RNG.integers(0, 4, 6).astype(float)
        best = truth >= np.sort(truth)[::-1][min(k, 6) - 1]
        orders = in_all_orders(predicted)
        shares = [best[order[:k]].mean() for order in orders]
        regrets = [truth.max() - truth[order[:k]].max() for order in orders]
        share = np.mean(shares) if k <= 3 else np.nan  # of six, else a choice cannot miss all
        regret = np.mean(regrets) if k < 6 else np.nan  # of all nothing is lost
        assert precision_at(k, predicted, truth) == pytest.approx(share, nan_ok=True)
        assert regret_at(k, predicted, truth) == pytest.approx(regret, nan_ok=True)


def test_a_perfect_prediction_and_a_constant_one() -> None:
    truth = np.arange(100.0)
    assert precision_at(10, truth**3, truth) == 1
    assert regret_at(1, truth**3, truth) == 0
    assert precision_at(10, np.zeros(100), truth) == pytest.approx(0.1)
    assert np.isnan(regret_at(100, np.zeros(100), truth))
    assert regret_at(1, np.zeros(100), truth) == pytest.approx(99 - truth.mean())
    assert np.isnan(kendall(np.zeros(100), truth))
    assert np.isnan(spearman(np.zeros(100), truth))


def test_correlations_are_scipys() -> None:
    one, other = RNG.integers(0, 9, 80), RNG.normal(size=80)
    assert kendall(one, other) == pytest.approx(kendalltau(one, other).statistic)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_figures_within_a_step_are_ties() -> None:
    truth = np.array([90.00, 90.02, 91.0, 92.0])
    assert sparse_kendall([2, 1, 3, 4], truth, 0.1) > kendall([2, 1, 3, 4], truth)
    expected = kendalltau([2, 1, 3, 4], [900, 900, 910, 920]).statistic
    assert sparse_kendall([2, 1, 3, 4], truth, 0.1) == pytest.approx(expected)


def test_refusals() -> None:
    with pytest.raises(SuiteError, match="above 0"):
        sparse_kendall([1, 2], [1, 2], 0.0)
    with pytest.raises(SuiteError, match="at least 1"):
        precision_at(0, [1, 2], [1, 2])
    with pytest.raises(SuiteError, match="no pairs"):
        regret_at(1, [1, 2], [1, 2, 3])
