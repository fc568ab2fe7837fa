"""The multi-objective methods, against their papers, brute force and peer libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark, Metric, load_benchmark, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import TrialResult
from nasbench_suite.predictors import Examples
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import FiniteProductSpace, FiniteSpace, load_space
from nasbench_suite.statistics.pareto import nondominated
from nasbench_suite.tasks import Method, Session, Task, make_task
from nasbench_suite.tasks.methods import make_method
from search_methods.exhaustive_predictor import ExhaustivePredictor
from search_methods.lamoo import LaMOO, Region, divided, dominance_numbers
from search_methods.mo_regularized_evolution import MultiObjectiveRegularizedEvolution
from search_methods.nsga2 import NSGA2, rank_and_crowding
from search_methods.parego import ParEGO, expected_improvement
from search_methods.pareto_local_search import ParetoLocalSearch
from search_methods.random_search import RandomSearch
from search_methods.sms_emoa import SMSEMOA

METHODS = {
    "random": RandomSearch,
    "nsga2": NSGA2,
    "sms-emoa": SMSEMOA,
    "mo-regularized-evolution": MultiObjectiveRegularizedEvolution,
    "pareto-local-search": ParetoLocalSearch,
    "parego": ParEGO,
    "exhaustive-predictor": ExhaustivePredictor,
    "lamoo": LaMOO,
}
each_method = pytest.mark.parametrize("name", METHODS)


class PizzaSpace(FiniteProductSpace):
    """A small space whose decisions have different numbers of options."""

    name = "pizza"
    choices = (2, 5, 3)

    def format(self, vector: Sequence[int]) -> str:
        return "".join(map(str, vector))

    def parse(self, string: str) -> tuple[int, ...]:
        return tuple(map(int, string))


def traded(space: FiniteSpace, objectives: int = 2) -> Benchmark:
    """Accuracy, latency and more, each the sum of a made worth of every decision, correlated."""
    rng = np.random.default_rng(7)
    both = [rng.normal(size=options) for options in space.choices]
    columns = {}
    for name in ("made_valid_1", "latency", "energy")[:objectives]:
        own = [shared + rng.normal(size=len(shared)) for shared in both]
        columns[name] = sum(
            worth[space.all_vectors[:, position]] for position, worth in enumerate(own)
        )
    columns["made_test_1"] = columns["made_valid_1"] + rng.normal(0, 0.1, space.size)
    metrics = [
        Metric(f"made_{split}_1", dataset="made", split=split, epochs=1)
        for split in ("valid", "test")
    ]
    metrics += [
        Metric(name, quantity, "", "minimize")
        for name, quantity in (("latency", "latency"), ("energy", "energy"))[: objectives - 1]
    ]
    return make_benchmark("made", space, metrics, columns)


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task(traded(load_space("nats-tss")), evaluations=90, objectives=["latency"])


def search(task: Task, method: Method, seed: int = 0) -> TrialResult:
    trial = Trial(task, method, seed)
    trial.advance()
    return trial.result()


@each_method
def test_the_entry_point_loads_the_class_with_its_defaults(name: str) -> None:
    assert name in registry.entries("methods")
    assert make_method(name) == METHODS[name]()
    assert METHODS[name].multi_objective
    json.dumps(METHODS[name]().config)


@each_method
def test_a_search_stopped_after_every_step_goes_on_the_same(task: Task, name: str) -> None:
    whole = search(task, make_method(name), seed=5).record
    trial = Trial(task, make_method(name), 5)
    while not trial.finished:
        trial.advance(1)
    assert_array_equal(trial.result().record.architectures, whole.architectures)
    assert len(whole.architectures) == 90


@each_method
def test_seeds_differ_and_config_is_left_alone(task: Task, name: str) -> None:
    method = make_method(name)
    before = method.config
    one = search(task, method, 0).record.architectures
    other = search(task, make_method(name), 1).record.architectures
    assert method.config == before
    assert not np.array_equal(one, other)


def test_another_process_finds_the_same(task: Task) -> None:
    script = (
        "import json; from test_multi_objective_methods import *\n"
        "task = make_task(traded(load_space('nats-tss')), evaluations=90, objectives=['latency'])\n"
        "print(json.dumps({name: search(task, make_method(name), 3).record.architectures.tolist()"
        " for name in METHODS}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        env={"PYTHONHASHSEED": "7", "OPENBLAS_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    for name, found in json.loads(answer.stdout.splitlines()[-1]).items():
        assert found == search(task, make_method(name), 3).record.architectures.tolist(), name


@each_method
@pytest.mark.parametrize("objectives", [2, 3])
def test_decisions_may_have_any_number_of_options(name: str, objectives: int) -> None:
    """All thirty are found by what evaluates nothing twice; the others spend their budget."""
    also = ["latency", "energy"][: objectives - 1]
    table = traded(PizzaSpace(), objectives)
    settings = {"num_initial": 5} if name in ("parego", "exhaustive-predictor") else {}
    record = search(
        make_task(table, evaluations=40, objectives=also), make_method(name, settings)
    ).record
    if name in ("random", "sms-emoa", "mo-regularized-evolution"):
        assert len(record.architectures) == 40
    else:
        assert sorted(record.architectures) == list(range(30))
    assert record.signals.shape[1] == objectives


@pytest.mark.parametrize("name", [name for name in METHODS if name != "random"])
def test_beats_random_search(name: str) -> None:
    task = make_task(traded(load_space("nats-tss")), evaluations=150, objectives=["latency"])
    ours = [search(task, make_method(name), s).incumbents.reports[-1] for s in range(4)]
    random = [search(task, RandomSearch(), s).incumbents.reports[-1] for s in range(12)]
    assert np.mean(ours) > np.quantile(random, 0.75)


@each_method
def test_no_test_figure_is_used(name: str) -> None:
    """The same search whatever the test figures are."""
    table = traded(load_space("nats-tss"))
    columns = {**table.columns, "made_test_1": -table.columns["made_test_1"]}
    other = make_benchmark("made", table.space, list(table.metrics.values()), columns)
    one, two = (
        search(make_task(each, evaluations=80, objectives=["latency"]), make_method(name)).record
        for each in (table, other)
    )
    assert_array_equal(one.architectures, two.architectures)


# -- NSGA-II -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("objectives", [2, 3])
def test_ranks_and_crowding_are_those_of_pymoo(seed: int, objectives: int) -> None:
    from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    losses = np.random.default_rng(seed).uniform(size=(60, objectives))
    ranks, distances = rank_and_crowding(losses)
    for rank, members in enumerate(NonDominatedSorting().do(losses)):
        assert set(members) == set(np.flatnonzero(ranks == rank))
        if len(members) == 1:
            continue  # 0 in pymoo, infinite here: there is nothing to compare it with
        # pymoo takes the mean over objectives where the paper takes the sum.
        theirs = calc_crowding_distance(losses[members]) * objectives
        assert_allclose(distances[members], theirs)


def test_crowding_of_a_front_of_equal_points_is_defined() -> None:
    ranks, distances = rank_and_crowding(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [0.0, 0.0]]))
    assert ranks.tolist() == [1, 1, 1, 0]
    assert not np.isnan(distances).any()


def test_nsga2_keeps_the_best_fronts_and_evaluates_nothing_twice(task: Task) -> None:
    session = Session(task, 0)
    method = NSGA2(population_size=10)
    method.start(session)
    for _ in range(6):
        before = dict(zip(method.population, method.losses.tolist(), strict=True))
        method.step(session)
        record = session.record()
        assert len(set(record.architectures.tolist())) == len(record.architectures)
        children = dict(
            zip(
                record.architectures[-10:].tolist(),
                (record.signals[-10:] * [-1, 1]).tolist(),
                strict=True,
            )
        )
        pool = before | children
        ranks, _ = rank_and_crowding(np.array(list(pool.values())))
        kept = [rank for one, rank in zip(pool, ranks, strict=True) if one in method.population]
        assert len(method.population) == 10
        assert sorted(kept) == sorted(ranks)[:10]


# -- the others --------------------------------------------------------------------------------


def test_evolution_follows_the_box_with_ranks_and_crowding(task: Task) -> None:
    """Algorithm 1 of Real et al., the winner of a sample found by peeling fronts off."""
    found = search(task, MultiObjectiveRegularizedEvolution(12, 5)).record
    space, rng = task.benchmark.space, Session(task, 0).rng
    names = [objective.signal for objective in task.objectives]

    def losses(architecture: int) -> np.ndarray:
        return np.array([task.benchmark.query(architecture, name) for name in names]) * [-1, 1]

    def key(place: int, population: list[int]) -> tuple[int, float]:
        points = {position: losses(one) for position, one in enumerate(population)}
        rank = 0
        while True:
            front = [
                one
                for one, point in points.items()
                if not any((q <= point).all() and (q < point).any() for q in points.values())
            ]
            if place in front:
                break
            points = {one: point for one, point in points.items() if one not in front}
            rank += 1
        crowding = 0.0
        for objective in range(2):
            line = sorted(front, key=lambda one: points[one][objective])
            at = line.index(place)
            if at in (0, len(line) - 1):
                return rank, -np.inf
            ends = points[line[-1]][objective] - points[line[0]][objective]
            gap = points[line[at + 1]][objective] - points[line[at - 1]][objective]
            crowding += gap / ends
        return rank, -crowding

    history: list[int] = []
    for step in range(90):
        if step < 12:
            history.append(space.sample(rng))
            continue
        population = history[-12:]
        drawn = rng.integers(12, size=5).tolist()
        keys = [key(place, population) for place in drawn]
        history.append(space.mutate(population[drawn[keys.index(min(keys))]], rng))
    assert history == found.architectures.tolist()


def test_pareto_local_search_ends_at_a_pareto_local_optimum_set() -> None:
    task = make_task(traded(load_space("nats-tss")), evaluations=15_000, objectives=["latency"])
    session = Session(task, 1)
    method = ParetoLocalSearch()
    method.start(session)
    while True:
        method.step(session)
        if all(member in method.explored for member in method.archive):
            break
    evaluated = method.losses
    archive = np.array([evaluated[member] for member in method.archive])
    for member in method.archive:
        for neighbour in session.space.neighbours(member).tolist():
            loss = evaluated[neighbour]
            assert neighbour in method.archive or (archive <= loss).all(axis=1).any()
    assert nondominated(archive).all()
    before = set(method.archive)
    method.step(session)
    assert not before & set(method.archive), "it begins anew"


def test_expected_improvement_is_an_expectation() -> None:
    draws = np.random.default_rng(0).normal(size=400_000)
    for mean, deviation in ((0.0, 1.0), (1.0, 0.5), (-2.0, 0.1), (0.4, 0.0), (0.6, 0.0)):
        expected = np.maximum(0.5 - (mean + deviation * draws), 0).mean()
        found = expected_improvement(np.array([mean]), np.array([deviation]), 0.5)
        assert_allclose(found, expected, atol=3e-3)


def test_parego_scalarizes_as_the_paper_says(task: Task) -> None:
    session = Session(task, 0)
    method = ParEGO()
    method.start(session)
    assert (method.count, method.designs, len(method.weights)) == (65, 89, 11)
    method.losses = {0: np.array([0.0, 10.0]), 1: np.array([4.0, 0.0]), 2: np.array([1.0, 5.0])}
    scaled = np.array([[0, 1], [1, 0], [0.25, 0.5]])
    weights = np.array([0.3, 0.7])
    expected = [max(weights * row) + 0.05 * (weights @ row) for row in scaled]
    assert_allclose(method._scalarized(weights), expected)


def test_the_forest_predicts_all_and_what_is_seen_is_known(task: Task) -> None:
    session = Session(task, 0)
    method = ExhaustivePredictor(num_initial=80)
    method.start(session)
    while len(method.losses) < 80:
        method.step(session)
    predictions = method._predict(session)
    assert [each.shape for each in predictions] == [(30, 15_625)] * 2
    known = list(method.losses)
    for objective, each in enumerate(predictions):
        seen = np.array(list(method.losses.values()))[:, objective]
        assert_allclose(each[:, known], np.tile(seen, (30, 1)), rtol=1e-5)  # leaves of one
        truth = -task.benchmark.values("made_valid_1") if objective == 0 else None
        if truth is not None:
            assert np.corrcoef(each.mean(axis=0), truth)[0, 1] > 0.5
    chosen = method._possibly_best(session, predictions)
    assert chosen not in method.losses


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nsga2", {"population_size": 1}),
        ("nsga2", {"crossover_probability": 1.5}),
        ("sms-emoa", {"population_size": 1}),
        ("mo-regularized-evolution", {"population_size": 0}),
        ("mo-regularized-evolution", {"sample_size": 11}),
        ("pareto-local-search", {"num_initial": 0}),
        ("parego", {"num_initial": 1}),
        ("parego", {"num_candidates": 0}),
        ("parego", {"rho": -1.0}),
        ("exhaustive-predictor", {"num_trees": 0}),
        ("lamoo", {"num_initial": 1}),
        ("lamoo", {"leaf_size": 1}),
        ("lamoo", {"exploration": -1.0}),
        ("lamoo", {"num_candidates": 0}),
        ("lamoo", {"sampler": "cma-es"}),
    ],
)
def test_impossible_hyper_parameters_are_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=r"choose|give 1 or more"):
        make_method(name, settings)


def test_without_pymoo_the_extra_is_named(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymoo", None)
    with pytest.raises(SuiteError, match=r"nasbench-suite\[multiobjective\]"):
        search(task, SMSEMOA())


def test_the_exhaustive_predictor_passes_over_what_computes_the_same() -> None:
    digits = load_benchmark("digits")
    task = make_task(digits, evaluations=40, objectives=["onnxruntime_ms"])
    method = ExhaustivePredictor(num_trees=5)
    found = search(task, method).record.architectures
    classes = digits.space.classes[found]  # type: ignore[attr-defined]
    assert len(np.unique(classes)) == len(found) == 40
    assert (method._targets()[:, 0] < 0).all()  # an accuracy as it is, and the latency's logarithm
    seen = np.array(list(method.losses.values()))
    assert_allclose(method._targets()[:, 1], np.log(seen[:, 1]))


def test_dominance_numbers_are_those_counted_one_by_one() -> None:
    losses = np.random.default_rng(0).integers(0, 5, (60, 3)).astype(np.float64)
    counted = [
        sum(bool((other <= one).all() and (other < one).any()) for other in losses)
        for one in losses
    ]
    assert_array_equal(dominance_numbers(losses), counted)


def test_lamoo_divides_a_region_by_who_dominates_whom() -> None:
    """Where the first feature alone decides, the good part is the half in which it is smaller."""
    features = np.random.default_rng(1).random((40, 4))
    losses = np.stack([features[:, 0], features[:, 0] ** 2], axis=1)
    good, bad = divided(Region(np.arange(40)), features, losses)
    assert features[good.members, 0].max() < features[bad.members, 0].min()
    assert len(good.members) == len(bad.members) == 20
    ((boundary, side),) = good.boundaries
    assert side
    fresh = np.random.default_rng(2).random((200, 4))
    inside = boundary.predict(fresh) == side
    assert fresh[inside, 0].mean() < fresh[~inside, 0].mean()


def test_lamoo_goes_where_hypervolume_is_and_samples_within_the_boundaries(task: Task) -> None:
    method = LaMOO(exploration=0.0, num_initial=30, leaf_size=8)
    session = Session(task, 0)
    method.start(session)
    while len(method.seen) < 30:
        method.step(session)
    region = method._most_promising(session)
    assert [side for _, side in region.boundaries][:1] == [True]
    losses = np.array(list(method.seen.values()))
    numbers = dominance_numbers(losses)
    assert numbers[region.members].mean() < numbers.mean()
    ((boundary, side), *_) = region.boundaries
    drawn = [method._within(Region(region.members, ((boundary, side),)), session) for _ in range(9)]
    assert (boundary.predict(Examples(session.space, drawn).features()) == side).all()
    assert not set(drawn) & method.seen.keys()
