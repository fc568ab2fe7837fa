"""The search in the latent space, and the Gaussian process and acquisition behind it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.statistics.pareto import hypervolume
from nasbench_suite.tasks import Record, make_task
from nasbench_suite.tasks.methods import describe_methods
from search_methods.graph_vae.embedding import load_embedding
from search_methods.graph_vae_search import (
    GraphVAESearch,
    _class_means,
    _sampled_gains,
    expected_hypervolume_improvement,
    expected_improvement,
)
from search_methods.initial_designs import farthest
from search_methods.predictors.gaussian_process import CandidateProcess, _negative_log_posterior

SPACE = load_space("nats-tss")
ONE_HOT: dict[str, Any] = {"embedding": "one-hot", "cost_embedding": "one-hot"}


@pytest.fixture(scope="module")
def cells() -> Benchmark:
    """An accuracy of the graph, two costs of the string, and a test accuracy apart."""
    rng = np.random.default_rng(0)
    worth, cost = rng.normal(size=(6, 5)), rng.uniform(1, 3, size=(6, 5))
    cost[:, 0] = 0.5  # `none` is cheap, not free
    edges, vectors = np.arange(6), SPACE.all_vectors
    quality = worth[edges, vectors].sum(axis=1)
    quality = quality[SPACE.representatives[SPACE.classes]] * 3 + 60
    columns = {
        "made_valid_9": quality + rng.normal(scale=0.3, size=SPACE.size),
        "made_test_9": quality,
        "phone_ms": cost[edges, vectors].sum(axis=1),
        "phone_mj": np.exp(0.3 * cost[edges, vectors]).sum(axis=1),
    }
    metrics = [
        Metric("made_valid_9", dataset="made", split="valid", epochs=9),
        Metric("made_test_9", dataset="made", split="test", epochs=9),
        Metric("phone_ms", "latency", "ms", "minimize"),
        Metric("phone_mj", "energy", "mJ", "minimize"),
    ]
    return make_benchmark("made", SPACE, metrics, columns)


def search(benchmark: Benchmark, evaluations: int, seed: int = 0, **settings: Any) -> Record:
    also = settings.pop("objectives", ["phone_ms"])
    task = make_task(benchmark, evaluations=evaluations, objectives=also)
    trial = Trial(task, GraphVAESearch(**settings), seed)
    trial.advance()
    return trial.result().record


# -- the Gaussian process --------------------------------------------------------------------------


def observed(count: int = 40) -> tuple[np.ndarray, list[int], np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 4))
    seen = rng.choice(200, count, replace=False).tolist()
    values = 50 + 5 * (features[seen, 0] + np.sin(2 * features[seen, 1]))
    return features, seen, values + rng.normal(scale=0.3, size=count)


def test_the_posterior_is_that_of_scikit_learn() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import DotProduct, Matern, WhiteKernel

    features, seen, values = observed()
    process = CandidateProcess(features)
    process.fit(seen, values)
    linear, matern, length, noise = np.exp(process.log_scales * [2, 2, 1, 2])
    kernel = linear * DotProduct(1e-8) + matern * Matern(length, nu=2.5) + WhiteKernel(noise + 1e-6)
    peer = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0)
    targets = (values - values.mean()) / values.std()
    peer.fit(process.features[seen], targets)
    mean, deviation = peer.predict(process.features, return_std=True)
    found_mean, found_deviation = process.predict()
    assert_allclose(found_mean, mean * values.std() + values.mean(), rtol=1e-6)
    of_values = np.sqrt(np.maximum(deviation**2 - noise - 1e-6, 1e-6))
    assert_allclose(found_deviation / values.std(), of_values, rtol=1e-3, atol=1e-5)


def test_observing_one_by_one_is_solving_at_once() -> None:
    features, seen, values = observed()
    process = CandidateProcess(features)
    process.fit(seen[:15], values[:15])
    for candidate, value in zip(seen[15:], values[15:], strict=True):
        process.observe(candidate, float(value))
    noise = np.exp(2 * process.log_scales[3]) + 1e-6
    prior = process._kernel(list(range(200)))
    own = prior[np.ix_(seen, seen)] + noise * np.eye(len(seen))
    targets = (values - values[:15].mean()) / values[:15].std()
    mean = prior[:, seen] @ np.linalg.solve(own, targets)
    variance = np.diag(prior - prior[:, seen] @ np.linalg.solve(own, prior[seen]))
    found_mean, found_deviation = process.predict()
    assert_allclose(found_mean, values[:15].mean() + values[:15].std() * mean, rtol=1e-8)
    assert_allclose(
        found_deviation / values[:15].std(), np.sqrt(np.maximum(variance, 1e-6)), rtol=1e-4
    )


def test_the_gradient_is_that_of_finite_differences() -> None:
    features, seen, values = observed(25)
    points = CandidateProcess(features).features[seen]
    products = points @ points.T
    distances = np.sqrt(np.maximum(((points[:, None] - points) ** 2).sum(axis=2), 0))
    targets = (values - values.mean()) / values.std()
    where = np.array([-0.3, 0.2, -0.1, -1.5])
    _, gradient = _negative_log_posterior(where, products, distances, targets)
    for axis in range(4):
        step = np.zeros(4)
        step[axis] = 1e-5
        high, low = (
            _negative_log_posterior(where + sign * step, products, distances, targets)[0]
            for sign in (1, -1)
        )
        assert gradient[axis] == pytest.approx((high - low) / 2e-5, rel=1e-4)


# -- acquisition -----------------------------------------------------------------------------------


def test_expected_improvement_is_its_monte_carlo_mean() -> None:
    draws = np.random.default_rng(0).normal(1.0, 2.0, size=400_000)
    exact = expected_improvement(np.array([1.0]), np.array([2.0]), 2.5)[0]
    assert exact == pytest.approx(np.maximum(draws - 2.5, 0).mean(), rel=0.01)


def test_expected_hypervolume_improvement_is_its_monte_carlo_mean() -> None:
    rng = np.random.default_rng(0)
    known = np.array([[1.0, 9.0], [4.0, 6.0], [6.0, 2.0], [2.0, 3.0], [0.0, 0.0]])
    mean = np.array([[5.0, 5.0], [3.0, 7.0], [7.0, 1.0], [0.5, 9.5], [2.0, 2.0]])
    deviation = np.array([[1.0, 1.0], [0.5, 2.0], [1.0, 0.3], [1.0, 1.0], [1.5, 1.5]])
    exact = expected_hypervolume_improvement(mean, deviation, known)
    reference = np.array([0.0, 0.0])  # the worst value seen, in losses
    before = hypervolume(-known, -reference)
    for index in range(5):
        points = rng.normal(mean[index], deviation[index], size=(3000, 2))
        gains = [hypervolume(-np.vstack([known, point]), -reference) - before for point in points]
        error = 4 * np.std(gains) / np.sqrt(len(gains))
        # What is dominated at two deviations more than expected is not looked at.
        assert exact[index] == pytest.approx(np.mean(gains), abs=error + 1e-3)


def test_what_cannot_improve_gains_nothing() -> None:
    known = np.array([[10.0, 10.0], [0.0, 0.0]])
    gains = expected_hypervolume_improvement(np.array([[1.0, 1.0]]), np.full((1, 2), 0.1), known)
    assert gains[0] == 0.0


def test_sampled_gains_agree_with_the_exact_ones_in_two_objectives() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(20, 2))
    mean, deviation = rng.normal(size=(50, 2)) + 0.5, np.full((50, 2), 0.05)
    exact = expected_hypervolume_improvement(mean, deviation, known)
    sampled = _sampled_gains(mean, deviation, known, rng)
    assert exact[np.argmax(sampled)] > 0.8 * exact.max()


def test_means_of_classes() -> None:
    found = _class_means(np.array([[1.0], [3.0], [7.0]]), np.array([0, 0, 1]))
    assert_array_equal(found, [[2.0], [7.0]])


# -- the search ------------------------------------------------------------------------------------


def test_it_is_listed() -> None:
    assert "graph-vae" in registry.entries("methods")


def test_every_evaluation_is_charged_and_of_another_architecture(cells: Benchmark) -> None:
    record = search(cells, 40, **ONE_HOT)
    assert len(record.architectures) == 40
    assert len(set(record.architectures.tolist())) == 40
    assert record.evaluations[-1] == 40
    assert SPACE.connected[record.architectures].all()


def test_it_finds_a_front_that_random_search_does_not(cells: Benchmark) -> None:
    task = make_task(cells, evaluations=60, objectives=["phone_ms"])
    record = search(cells, 60, **ONE_HOT)
    volume = task.measure.anytime(record.architectures, -record.signals * [1, -1])[1][-1]
    rng = np.random.default_rng(0)
    drawn = rng.choice(np.flatnonzero(SPACE.connected), (30, 60))
    others = [task.measure.hypervolume(indices) for indices in drawn]  # even by its oracle
    assert volume > max(others)
    assert volume > 0.97


def test_it_takes_the_cheap_twins(cells: Benchmark) -> None:
    """After the random ones, an architecture stands near the cheap end of its class."""
    record = search(cells, 60, **ONE_HOT)
    latency = cells.values("phone_ms")
    places = []
    for index in record.architectures[20:].tolist():
        twins = np.flatnonzero(SPACE.classes == SPACE.classes[index])
        if len(twins) > 1:
            places.append((latency[twins] < latency[index]).mean())
    assert len(places) > 5
    assert np.mean(places) < 0.15


def test_one_objective_is_a_special_case(cells: Benchmark) -> None:
    record = search(cells, 60, objectives=[], **ONE_HOT)
    best = cells.values("made_test_9")[record.architectures].max()
    assert best > np.quantile(cells.values("made_test_9"), 0.9995)


def test_three_objectives(cells: Benchmark) -> None:
    record = search(cells, 30, objectives=["phone_ms", "phone_mj"], **ONE_HOT)
    assert record.signals.shape == (30, 3)
    assert len(set(record.architectures.tolist())) == 30


def test_a_bound_is_kept(cells: Benchmark) -> None:
    latency, accuracy = cells.values("phone_ms"), cells.values("made_test_9")
    bound = float(np.quantile(latency, 0.1))
    record = search(cells, 60, bound=bound, **ONE_HOT)
    answer = int(record.recommended[-1])
    assert latency[answer] <= bound
    best = accuracy[(latency <= bound) & SPACE.connected].max()
    assert accuracy[answer] > best - 0.1 * np.ptp(accuracy)
    with pytest.raises(SuiteError, match="two objectives"):
        search(cells, 30, objectives=[], bound=bound, **ONE_HOT)


def test_a_bound_below_is_kept_where_more_is_better(cells: Benchmark) -> None:
    """Of figures below zero and above: which way is better is for the metric to say."""
    for shift in (0.0, 100.0):
        spare = shift - cells.values("phone_ms")
        metrics = [*cells.metrics.values(), Metric("spare", "margin", "ms", "maximize")]
        table = make_benchmark("made", SPACE, metrics, {**cells.columns, "spare": spare})
        bound = float(np.quantile(spare, 0.9))
        record = search(table, 40, objectives=["spare"], bound=bound, **ONE_HOT)
        assert spare[record.recommended[-1]] >= bound


def test_the_same_seed_evaluates_the_same(cells: Benchmark) -> None:
    one, other = (search(cells, 35, seed=3, **ONE_HOT) for _ in range(2))
    assert_array_equal(one.architectures, other.architectures)
    assert_array_equal(one.signals, other.signals)
    assert set(one.architectures) != set(search(cells, 35, seed=4, **ONE_HOT).architectures)


def test_the_latent_of_the_package_is_searched(cells: Benchmark) -> None:
    found = load_embedding("nats-tss")
    assert len(found.latents) == len(found.functional) == SPACE.size
    assert len(np.unique(np.round(found.latents, 4), axis=0)) == SPACE.size
    record = search(cells, 40)
    best = cells.values("made_test_9")[record.architectures].max()
    assert best > np.quantile(cells.values("made_test_9"), 0.99)


def test_a_space_without_a_model_is_said() -> None:
    space = load_space("nasbench-macro")
    metrics = [
        Metric("made_valid_9", dataset="made", split="valid", epochs=9),
        Metric("made_test_9", dataset="made", split="test", epochs=9),
    ]
    figures = np.arange(space.size, dtype=float)
    benchmark = make_benchmark(
        "macro", space, metrics, dict.fromkeys(["made_valid_9", "made_test_9"], figures)
    )
    with pytest.raises(SuiteError, match="No graph VAE of space 'nasbench-macro'"):
        Trial(make_task(benchmark, evaluations=30), GraphVAESearch(), 0)
    trial = Trial(make_task(benchmark, evaluations=30), GraphVAESearch(**ONE_HOT), 0)
    trial.advance()  # one-hot decisions every space has


def test_a_search_needs_no_torch(cells: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert len(search(cells, 22).architectures) == 22
    (listed,) = (method for method in describe_methods() if method["name"] == "graph-vae")
    assert "torch" not in listed["needs"]


def test_first_queries_are_the_farthest_from_those_before() -> None:
    features = np.random.default_rng(0).normal(size=(300, 3))
    seen = np.array([3, 40])
    candidates = np.setdiff1d(np.arange(300), seen)
    distances = ((features[:, None] - features[seen]) ** 2).sum(axis=2).min(axis=1)
    found = farthest(features, seen, candidates, np.random.default_rng(1))
    assert found == candidates[distances[candidates].argmax()]
    none = np.array([], dtype=np.int64)
    assert farthest(features, none, candidates, np.random.default_rng(1)) in candidates


def test_diverse_first_queries_are_farther_apart_than_random_ones(cells: Benchmark) -> None:
    def apart(initial: str) -> float:
        record = search(cells, 10, initial=initial, num_initial=10)
        vectors = SPACE.all_vectors[record.architectures]
        return float((vectors[:, None] != vectors).sum(axis=2)[np.triu_indices(10, 1)].min())

    assert apart("diverse") > apart("random")


def test_first_queries_may_be_extremes_of_predicted_cost(cells: Benchmark) -> None:
    task = make_task(cells, evaluations=30, objectives=["phone_ms"])
    settings = {**ONE_HOT, "initial": "extremes", "num_initial": 12}
    trial = Trial(task, GraphVAESearch(**settings), 0)
    trial.advance(12)
    costs = cells.values("phone_ms")[trial.session.record().architectures]
    # The best and the worst in turn, and after some a head knows which they are.
    low, high = np.quantile(cells.values("phone_ms"), [0.2, 0.8])
    assert costs[7::2].max() < low
    assert costs[6::2].min() > high


def test_the_cheapest_unseen_twin_of_every_graph_is_a_candidate(cells: Benchmark) -> None:
    rng = np.random.default_rng(0)
    trial = Trial(
        make_task(cells, evaluations=30, objectives=["phone_ms"]), GraphVAESearch(**ONE_HOT), 0
    )
    trial.advance(25)
    method = trial.method
    assert isinstance(method, GraphVAESearch)
    cost = np.round(rng.normal(size=SPACE.size), 1)  # with ties
    expected = []
    for label in range(SPACE.classes.max() + 1):
        members = np.flatnonzero((SPACE.classes == label) & method.unseen)
        expected += [members[cost[members].argmax()]] if len(members) else []
    assert_array_equal(method._cheapest_twins([cost]), expected)


@pytest.mark.parametrize(
    "settings", [{"num_initial": 0}, {"refit_every": 0}, {"embedding": "magic"}]
)
def test_impossible_settings_are_said(settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError):
        GraphVAESearch(**settings)
