"""The noise floor: the published figures, known noise, brute force, and what is no repetition."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.benchmarks.noise import noise_floor, resolution, why_no_noise_floor
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space

SPACE = load_space("nats-tss")
# Median of |a - b| for a, b of a normal distribution with standard deviation 1.
MEDIAN_DIFFERENCE = 2**0.5 * 0.6744897501960817


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Benchmark:
    frame = pd.read_parquet(shared_data / "nasbench201" / "accuracy.parquet")
    names = [column for column in frame if frame[column].dtype == float]
    return make_benchmark("real", SPACE, [Metric(name) for name in names], frame[names])


def with_seeds(noise: np.ndarray, quality: np.ndarray | float = 0.0, **facts: str) -> Benchmark:
    """A table of one metric; ``noise`` has a row an architecture and a column a seed."""
    metric = Metric("x", seeds=tuple(range(noise.shape[1])), **facts)
    columns = {metric.seed_column(seed): quality + noise[:, seed] for seed in metric.seeds}
    return make_benchmark("made", SPACE, [metric], columns)


@pytest.mark.parametrize(
    ("metric", "median", "maximum"),
    [
        ("cifar10_test_200", 0.32, 6.9),
        ("cifar100_test_200", 0.63, 5.6),
        ("imagenet16_120_test_200", 0.72, 15.0),
    ],
)
def test_published_ranges(real: Benchmark, metric: str, median: float, maximum: float) -> None:
    floor = noise_floor(real, metric)
    assert floor is not None
    assert round(floor.median_range, 2) == median
    assert round(floor.max_range, 1) == maximum
    assert (floor.source, floor.groups) == ("twins", 1350)


@pytest.mark.parametrize("metric", ["cifar100_test_200", "imagenet16_120_valid_12"])
def test_against_the_definition_by_brute_force(real: Benchmark, metric: str) -> None:
    floor = noise_floor(real, metric)
    assert floor is not None
    values = pd.Series(real.values(metric))
    groups = [list(group) for _, group in values.groupby(SPACE.classes) if len(group) > 1]
    weighted = sorted(
        (abs(a - b), 2 / (len(group) * (len(group) - 1)))
        for group in groups
        for a, b in combinations(group, 2)
    )
    below = np.cumsum([weight for _, weight in weighted])
    assert floor.floor == weighted[int(np.argmax(below >= below[-1] / 2 - 1e-9))][0]
    ranges = [max(group) - min(group) for group in groups]
    assert floor.median_range == pytest.approx(np.median(ranges), abs=1e-12)
    assert floor.max_range == max(ranges)
    pooled = sum(np.var(group, ddof=1) * (len(group) - 1) for group in groups)
    freedom = sum(len(group) - 1 for group in groups)
    assert floor.sd == pytest.approx((pooled / freedom) ** 0.5, rel=1e-9)


def test_known_noise_from_twins() -> None:
    """20 tables of 1,350 classes: the median's standard error is 0.0068 sigma; 4 of them."""
    sigma, rng = 0.7, np.random.default_rng(1)
    quality = rng.uniform(10, 90, size=SPACE.size)[SPACE.classes]
    floors = []
    for _ in range(20):
        noise = rng.normal(scale=sigma, size=(SPACE.size, 1))
        floor = noise_floor(with_seeds(noise, quality), "x")
        assert floor is not None
        assert floor.source == "twins"
        floors.append(floor)
    assert np.mean([floor.floor for floor in floors]) == pytest.approx(
        MEDIAN_DIFFERENCE * sigma, abs=4 * 0.0068 * sigma
    )
    assert np.mean([floor.sd for floor in floors]) == pytest.approx(sigma, rel=0.01)


@pytest.mark.parametrize("seeds", [2, 3])
def test_known_noise_from_seeds(seeds: int) -> None:
    """The table reports the mean of its seeds, so its noise is that of one, over sqrt(seeds)."""
    sigma, rng = 0.7, np.random.default_rng(2)
    quality = rng.uniform(10, 90, size=SPACE.size)
    table = with_seeds(rng.normal(scale=sigma, size=(SPACE.size, seeds)), quality)
    floor = noise_floor(table, "x", "seeds")
    assert floor is not None
    assert (floor.source, floor.groups) == ("seeds", SPACE.size)
    reported = sigma / seeds**0.5
    # 15,625 architectures: standard error of the median 0.009 reported; 4 of them.
    assert floor.floor == pytest.approx(MEDIAN_DIFFERENCE * reported, abs=0.036 * reported)
    assert floor.sd == pytest.approx(reported, rel=0.02)


def test_twins_and_seeds_agree_where_both_are_there() -> None:
    rng = np.random.default_rng(3)
    quality = rng.uniform(10, 90, size=SPACE.size)[SPACE.classes]
    table = with_seeds(rng.normal(size=(SPACE.size, 3)), quality)
    twins, seeds = noise_floor(table, "x", "twins"), noise_floor(table, "x", "seeds")
    assert twins is not None
    assert seeds is not None
    # 1,350 classes: standard error of the median 0.03 of the deviation; 4 of them.
    assert twins.floor == pytest.approx(seeds.floor, abs=4 * 0.03 * seeds.sd)
    assert noise_floor(table, "x") == twins


def test_twins_that_are_copies_say_nothing_and_count_once() -> None:
    rng = np.random.default_rng(4)
    classes = len(SPACE.representatives)
    noise = rng.normal(size=(classes, 2))[SPACE.classes]
    floor = noise_floor(with_seeds(noise), "x")
    assert floor is not None
    assert (floor.source, floor.groups) == ("seeds", classes)
    trained = noise[SPACE.representatives]
    differences = np.abs(trained[:, 0] - trained[:, 1]) / 2**0.5
    assert floor.floor == pytest.approx(np.median(differences), rel=1e-3)
    assert floor.median_range == pytest.approx(np.median(differences), rel=1e-9)
    assert noise_floor(with_seeds(noise), "x", "twins") is None

    single = with_seeds(noise[:, :1])
    assert noise_floor(single, "x") is None
    assert "copies" in why_no_noise_floor(single, "x")


def test_seeds_that_were_not_trained() -> None:
    """One seed tells nothing; two and three are each scaled to their own mean."""
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(SPACE.size, 3))
    noise[:5000, 1:] = np.nan
    noise[5000:10000, 2] = np.nan
    floor = noise_floor(with_seeds(noise), "x", "seeds")
    assert floor is not None
    assert floor.groups == SPACE.size - 5000
    pairs, triples = noise[5000:10000, :2], noise[10000:]
    pooled = pairs.var(axis=1, ddof=1).sum() / 2 + 2 * triples.var(axis=1, ddof=1).sum() / 3
    assert floor.sd == pytest.approx((pooled / (5000 + 2 * len(triples))) ** 0.5, rel=1e-9)


def test_latency_twins_are_no_replicates() -> None:
    rng = np.random.default_rng(6)
    table = with_seeds(rng.normal(size=(SPACE.size, 1)), quantity="latency", unit="ms")
    assert noise_floor(table, "x") is None
    assert "no outcome of training" in why_no_noise_floor(table, "x")


def test_space_without_twins() -> None:
    space = load_space("nats-sss")
    table = make_benchmark("sizes", space, [Metric("x")], {"x": np.arange(space.size)})
    assert noise_floor(table, "x") is None
    assert "no isomorphic architectures" in why_no_noise_floor(table, "x")


def test_bad_questions(toy: Benchmark) -> None:
    with pytest.raises(SuiteError, match="Unknown metric"):
        noise_floor(toy, "nothing")
    with pytest.raises(SuiteError, match="'twins' or 'seeds'"):
        noise_floor(toy, "toy_test_9", "cells")  # type: ignore[arg-type]


def test_the_resolution_is_that_of_the_best(toy: Benchmark) -> None:
    """Noise of 2 at the bottom and 0.1 at the top, each figure the mean of two trainings."""
    rng = np.random.default_rng(0)
    classes = len(toy.space.representatives)
    worth = np.linspace(0.0, 100.0, classes)
    metric = Metric("t", seeds=(0, 1))
    spread = np.where(worth > 80, 0.1, 2.0)
    columns = {  # twins carry the figures of one
        metric.seed_column(seed): (worth + spread * rng.normal(size=classes))[toy.space.classes]
        for seed in (0, 1)
    }
    table = make_benchmark("t", toy.space, [metric], columns)
    expected = 1.96 * 2**0.5 * 0.1 / 2**0.5
    assert resolution(table, "t") == pytest.approx(expected, rel=0.15)
    cost = {"t": worth[toy.space.classes]}
    once = make_benchmark("t", toy.space, [Metric("t", quantity="latency")], cost)
    assert resolution(once, "t") is None
