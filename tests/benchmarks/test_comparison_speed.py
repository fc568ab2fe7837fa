"""What comparing methods costs, at 500 seeds a method.

Measure with ``pytest tests/benchmarks --benchmark-enable``.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from nasbench_suite.statistics import significance as sig
from nasbench_suite.statistics.noninferiority import noninferiority


@pytest.fixture(scope="module")
def figures() -> NDArray[np.float64]:
    """500 seeds of 50 methods, each a little better than the one before."""
    return np.random.default_rng(0).normal(size=(500, 50)) + 0.01 * np.arange(50)


@pytest.mark.benchmark(group="many methods")
def test_friedman_of_50_methods(benchmark: object, figures: NDArray[np.float64]) -> None:
    found = benchmark(sig.friedman, figures)  # type: ignore[operator]
    assert found.blocks == 500


@pytest.mark.benchmark(group="many methods")
def test_wilcoxon_of_49_pairs(benchmark: object, figures: NDArray[np.float64]) -> None:
    p_values = benchmark(sig.wilcoxon, figures[:, 1:] - figures[:, :1])  # type: ignore[operator]
    assert p_values.shape == (49,)


@pytest.mark.benchmark(group="a pair")
def test_bayesian_signed_rank(benchmark: object, figures: NDArray[np.float64]) -> None:
    differences = figures[:, 49] - figures[:, 0]
    found = benchmark(sig.bayesian_signed_rank, differences, 0.1)  # type: ignore[operator]
    assert found.better > 0.9


@pytest.mark.benchmark(group="a pair")
def test_probability_of_improvement(benchmark: object, figures: NDArray[np.float64]) -> None:
    chance, low, high = benchmark(  # type: ignore[operator]
        sig.probability_of_improvement, [figures[:, 49]], [figures[:, 0]]
    )
    assert low < chance < high


@pytest.mark.benchmark(group="a pair")
def test_noninferiority(benchmark: object, figures: NDArray[np.float64]) -> None:
    found = benchmark(noninferiority, figures[:, 49], figures[:, 0], 0.1)  # type: ignore[operator]
    assert found.verdict == "no worse"
