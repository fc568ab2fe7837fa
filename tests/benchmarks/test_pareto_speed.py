"""What exact fronts and hypervolumes cost.

Measure with ``pytest tests/benchmarks/test_pareto_speed.py --benchmark-enable``. The aims, on an
idle core: the fronts of 15,625 points on 24 devices 100 ms, anytime hypervolumes of 500
evaluations with 100 seeds 1 s.
"""

from __future__ import annotations

import numpy as np
import pytest

from nasbench_suite.spaces import load_space
from nasbench_suite.statistics.pareto import make_measure

DEVICES, SEEDS, EVALUATIONS = 24, 100, 500


@pytest.fixture(scope="module")
def figures():
    """Accuracy and latencies of 15,625 architectures, correlated as the published ones are."""
    rng = np.random.default_rng(0)
    size = rng.gamma(4, size=15_625)
    accuracy = 90 - 20 / size + rng.normal(0, 1, 15_625)
    latencies = size[:, None] ** rng.uniform(0.3, 1, DEVICES)
    return accuracy, latencies * rng.lognormal(0, 0.3, latencies.shape)


@pytest.mark.benchmark(group="exact Pareto fronts of 15,625 points, 24 devices")
def test_exact_fronts(benchmark, figures):
    accuracy, latencies = figures
    connected = load_space("nats-tss").connected

    def fronts():
        both = [np.column_stack([accuracy, latency]) for latency in latencies.T]
        directions = ["maximize", "minimize"]
        return [make_measure(each, directions, connected).front for each in both]

    assert len(benchmark(fronts)) == DEVICES


@pytest.mark.benchmark(group="anytime hypervolume, 500 evaluations, 100 seeds")
def test_anytime_hypervolume(benchmark, figures):
    accuracy, latencies = figures
    measure = make_measure(np.column_stack([accuracy, latencies[:, 0]]), ["maximize", "minimize"])
    rng = np.random.default_rng(1)
    noisy = np.column_stack([rng.normal(-accuracy, 1), latencies[:, 0]])
    searches = rng.integers(15_625, size=(SEEDS, EVALUATIONS))
    curves = benchmark(lambda: [measure.anytime(each, noisy[each]) for each in searches])
    assert all(0 < volumes[-1] <= 1 for _, volumes in curves)
