"""The black-box methods, against their papers, brute force and peer libraries."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import FiniteProductSpace, FiniteSpace, load_space
from nasbench_suite.spaces.base import encode_one_hot
from nasbench_suite.spaces.topology import EDGES, encode_paths
from nasbench_suite.tasks import Method, Record, Task, make_task
from nasbench_suite.tasks.methods import make_method
from search_methods.bananas import Bananas
from search_methods.hyperband import Hyperband
from search_methods.local_search import LocalSearch
from search_methods.predictors.network_ensemble import NetworkEnsemble
from search_methods.random_search import RandomSearch
from search_methods.regularized_evolution import RegularizedEvolution
from search_methods.reinforce import Reinforce, score_function
from search_methods.successive_halving import SuccessiveHalving, spaced
from search_methods.tpe import TPE

METHODS = {
    "random": RandomSearch,
    "local-search": LocalSearch,
    "regularized-evolution": RegularizedEvolution,
    "reinforce": Reinforce,
    "bananas": Bananas,
    "successive-halving": SuccessiveHalving,
    "hyperband": Hyperband,
    "tpe": TPE,
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


def graded(space: FiniteSpace, epochs: Sequence[int], noise: float = 0.0) -> Benchmark:
    """A table whose accuracy adds up over the decisions, the noisier the fewer the epochs."""
    rng = np.random.default_rng(1)
    quality = np.zeros(space.size)
    for position, options in enumerate(space.choices):
        quality += rng.normal(size=options)[space.all_vectors[:, position]]
    metrics, columns = [], {}
    for split in ("valid", "test"):
        for count in epochs:
            metric = Metric(f"{split}_{count}", dataset="made", split=split, epochs=count)
            metrics.append(metric)
            share = noise * (1 - count / epochs[-1])
            columns[metric.name] = 50 + quality + rng.normal(scale=share, size=space.size)
    return make_benchmark("graded", space, metrics, columns)


@pytest.fixture(scope="module")
def additive() -> Benchmark:
    """The topology space with an additive accuracy, full training alone."""
    return graded(load_space("nats-tss"), [12])


@pytest.fixture(scope="module")
def curves() -> Benchmark:
    """As ``additive``, with the epochs of the table in the Hyperband paper."""
    return graded(load_space("nats-tss"), [1, 3, 9, 27, 81], noise=0.5)


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Benchmark:
    """NAS-Bench-201's published figures on CIFAR-10."""
    import pandas as pd

    table = pd.read_parquet(shared_data / "nasbench201" / "accuracy.parquet")
    metrics = [
        Metric("cifar10_valid_12", dataset="cifar10", split="valid", epochs=12),
        Metric("cifar10_test_200", dataset="cifar10", split="test", epochs=200),
    ]
    columns = {metric.name: table[metric.name] for metric in metrics}
    return make_benchmark("published", load_space("nats-tss"), metrics, columns)


def search(task: Task, method: Method, seed: int = 0) -> Record:
    trial = Trial(task, method, seed)
    trial.advance()
    return trial.result().record


def final_reports(task: Task, name: str, seeds: int, **settings: Any) -> np.ndarray:
    """What each seed's search is judged by at its end."""
    finals = []
    for seed in range(seeds):
        trial = Trial(task, METHODS[name](**settings), seed)
        trial.advance()
        finals.append(trial.result().incumbents.reports[-1])
    return np.array(finals)


def assert_equal_records(one: Record, other: Record) -> None:
    for name in Record.__dataclass_fields__:
        assert_array_equal(getattr(one, name), getattr(other, name))


def method_rng(seed: int) -> np.random.Generator:
    """The generator that a session of this seed gives its method."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(2)[0])


# -- all methods -----------------------------------------------------------------------------------


@each_method
def test_the_entry_point_loads_the_class_with_its_defaults(name: str) -> None:
    assert registry.entries("methods")[name].distribution == "nasbench-suite"
    method = make_method(name)
    assert type(method) is METHODS[name]
    assert method.config == METHODS[name]().config == json.loads(json.dumps(method.config))


@each_method
def test_a_search_holds_only_hyper_parameters_in_its_config(curves: Benchmark, name: str) -> None:
    method = METHODS[name]()
    before = method.config
    Trial(make_task(curves, evaluations=12), method, 0).advance()
    assert method.config == before


@each_method
def test_a_search_stopped_after_every_step_goes_on_the_same(curves: Benchmark, name: str) -> None:
    task = make_task(curves, evaluations=25)
    stepped = Trial(task, METHODS[name](), 3)
    while not stepped.finished:
        stepped.advance(1)
    assert_equal_records(stepped.result().record, search(task, METHODS[name](), 3))


@each_method
def test_seeds_differ(curves: Benchmark, name: str) -> None:
    task = make_task(curves, evaluations=25)
    first, second = (search(task, METHODS[name](), seed).architectures for seed in (0, 1))
    assert first.tolist() != second.tolist()


def _digests() -> dict[str, str]:
    import hashlib

    task = make_task(graded(load_space("nats-tss"), [1, 3, 9], noise=1.0), evaluations=40)
    digests = {}
    for name, method in METHODS.items():
        record = search(task, method(), 5)
        content = record.architectures.tobytes() + record.signals.tobytes()
        digests[name] = hashlib.sha256(content).hexdigest()
    return digests


def test_another_process_finds_the_same() -> None:
    code = "import json, test_black_box_methods as t; print(json.dumps(t._digests()))"
    environment = {"PYTHONHASHSEED": "7", "OPENBLAS_NUM_THREADS": "1", "PATH": ""}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == _digests()


@each_method
@pytest.mark.parametrize("evaluations", [7, 33.5])
def test_the_budget_is_spent_and_not_exceeded(
    curves: Benchmark, name: str, evaluations: float
) -> None:
    record = search(make_task(curves, evaluations=evaluations), METHODS[name]())
    spent = record.epochs.sum() / 81  # as whole numbers: no rounding adds up
    assert evaluations - 1 < spent <= evaluations


@each_method
def test_decisions_may_have_any_number_of_options(name: str) -> None:
    benchmark = graded(PizzaSpace(), [1, 3, 9], noise=0.1)
    task = make_task(benchmark, evaluations=120)
    trial = Trial(task, METHODS[name](), 0)
    trial.advance()
    result = trial.result()
    assert result.incumbents.architectures[-1] == np.argmax(benchmark.values("valid_9"))


@pytest.mark.parametrize(
    ("name", "evaluations", "seeds"),
    [
        ("local-search", 100, 60),
        ("regularized-evolution", 300, 60),
        ("reinforce", 300, 60),
        ("bananas", 60, 5),
        ("tpe", 150, 15),
    ],
)
def test_beats_random_search(additive: Benchmark, name: str, evaluations: int, seeds: int) -> None:
    task = make_task(additive, evaluations=evaluations)
    regret = task.optimum - final_reports(task, name, seeds)
    regret_of_random = task.optimum - final_reports(task, "random", 100)
    assert regret.mean() < 0.5 * regret_of_random.mean()


@pytest.mark.parametrize("name", ["successive-halving", "hyperband"])
def test_cheap_trainings_beat_random_search(curves: Benchmark, name: str) -> None:
    task = make_task(curves, evaluations=30)
    regret = task.optimum - final_reports(task, name, 100)
    regret_of_random = task.optimum - final_reports(task, "random", 100)
    assert regret.mean() < 0.7 * regret_of_random.mean()


# -- regularized evolution -------------------------------------------------------------------------


def test_regularized_evolution_follows_the_papers_box(additive: Benchmark) -> None:
    """Algorithm 1 of Real et al., written out, on the same random draws."""
    population_size, sample_size, cycles = 20, 6, 300
    space, accuracy = additive.space, additive.values("valid_12")
    rng = method_rng(4)
    population: list[int] = []
    history: list[int] = []
    while len(population) < population_size:
        model = space.sample(rng)
        population.append(model)  # on the right
        history.append(model)
    while len(history) < cycles:
        sample: list[int] = []
        for position in rng.integers(population_size, size=sample_size):
            sample.append(population[position])  # the element stays in the population
        parent = sample[0]
        for candidate in sample[1:]:
            if accuracy[candidate] > accuracy[parent]:
                parent = candidate
        child = space.mutate(parent, rng)
        assert sum(np.not_equal(space.vector(child), space.vector(parent))) == 1
        population.append(child)
        history.append(child)
        del population[0]  # the oldest, on the left
    method = RegularizedEvolution(population_size, sample_size)
    record = search(make_task(additive, evaluations=cycles), method, 4)
    assert record.architectures.tolist() == history


def test_regularized_evolution_forgets_the_best_with_age(additive: Benchmark) -> None:
    """With a sample of one there is no selection: the population is the last P born."""
    trial = Trial(make_task(additive, evaluations=50), RegularizedEvolution(7, 1), 0)
    trial.advance()
    alive = [architecture for _, architecture in trial.method.population]  # type: ignore[attr-defined]
    assert alive == trial.result().record.architectures[-7:].tolist()


def test_regularized_evolution_beats_random_on_the_published_table(published: Benchmark) -> None:
    task = make_task(published, evaluations=200)
    assert (task.objectives[0].signal, task.objectives[0].judged_by) == tuple(published.metrics)
    evolved = final_reports(task, "regularized-evolution", 20)
    drawn = final_reports(task, "random", 20)
    standard_error = np.sqrt((evolved.var(ddof=1) + drawn.var(ddof=1)) / 20)
    assert evolved.mean() - drawn.mean() > 2 * standard_error


# -- local search ----------------------------------------------------------------------------------


def climbs(task: Task, method: LocalSearch, seed: int) -> Iterator[list[int]]:
    """The architectures each finished climb stood on, from its start to its end."""
    trial = Trial(task, method, seed)
    path: list[int] = []
    while not trial.finished:
        known = trial.session.trainings
        trial.advance(1)
        if trial.finished:
            return
        if not path:
            path = [_start(trial, known, method)]
        if method.current is None:
            yield path
            path = []
        else:
            path.append(method.current)


def _start(trial: Trial, known: int, method: LocalSearch) -> int:
    first = trial.result().record.architectures[known : known + method.num_initial]
    return int(max(first.tolist(), key=method.scores.__getitem__))


@pytest.mark.parametrize("query_until_lower", [False, True])
@pytest.mark.parametrize("num_initial", [1, 10])
def test_local_search_ends_its_climbs_at_local_optima(
    curves: Benchmark, num_initial: int, query_until_lower: bool
) -> None:
    rugged = make_task(curves, evaluations=1500, signal="valid_3")
    vectors, signal = curves.space.all_vectors, curves.values("valid_3")
    paths = list(climbs(rugged, LocalSearch(num_initial, query_until_lower), 0))
    assert len(paths) > 5
    for path in paths:
        for here, following in itertools.pairwise([*path, None]):
            neighbours = np.flatnonzero((vectors != vectors[here]).sum(axis=1) == 1)
            if following is None:
                assert signal[here] >= signal[neighbours].max()
            elif query_until_lower:
                assert following in neighbours
                assert signal[following] > signal[here]
            else:
                assert following == neighbours[np.argmax(signal[neighbours])]
    assert len({path[-1] for path in paths}) > 1


def test_local_search_trains_nothing_twice(curves: Benchmark) -> None:
    record = search(make_task(curves, evaluations=1500, signal="valid_3"), LocalSearch())
    assert len(set(record.architectures.tolist())) == len(record.architectures)


@pytest.mark.parametrize("method", [LocalSearch(), Bananas(epochs=3, num_layers=1)])
def test_it_finishes_when_all_is_known(method: Method) -> None:
    task = make_task(graded(PizzaSpace(), [9]), evaluations=100)
    record = search(task, method)
    assert sorted(record.architectures.tolist()) == list(range(30))


# -- REINFORCE -------------------------------------------------------------------------------------


def test_score_function_is_the_numeric_gradient_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 5))
    logits[0, 2:] = logits[2, 3:] = -np.inf
    actions = np.array([1, 4, 0])

    def log_likelihood(at: np.ndarray) -> float:
        return sum(at[i, a] - np.log(np.exp(at[i]).sum()) for i, a in enumerate(actions))

    gradient = score_function(logits, actions)
    for place in itertools.product(range(3), range(5)):
        if np.isfinite(logits[place]):
            step = np.zeros_like(logits)
            step[place] = 1e-6
            numeric = (log_likelihood(logits + step) - log_likelihood(logits - step)) / 2e-6
            assert gradient[place] == pytest.approx(numeric, abs=1e-8)
        else:
            assert gradient[place] == 0


def test_reinforce_learns_as_torch_does() -> None:
    """The policy after each evaluation, against torch's autograd, Categorical and Adam."""
    torch = pytest.importorskip("torch")
    benchmark = graded(PizzaSpace(), [9])
    method = Reinforce(learning_rate=0.05, momentum=0.8)
    trial = Trial(make_task(benchmark, evaluations=60), method, 2)
    logits = [torch.zeros(n, dtype=torch.float64, requires_grad=True) for n in PizzaSpace.choices]
    adam = torch.optim.Adam(logits, lr=0.05)
    weighted, weight = 0.0, 0.0
    for count in range(1, 61):
        trial.advance(1)
        record = trial.result().record
        actions = benchmark.space.vector(int(record.architectures[-1]))
        reward = float(record.signals[-1, 0])
        weighted, weight = 0.8 * weighted + 0.2 * reward, 0.8 * weight + 0.2
        log_likelihood = sum(
            torch.distributions.Categorical(logits=at).log_prob(torch.tensor(action))
            for at, action in zip(logits, actions, strict=True)
        )
        adam.zero_grad()
        (-log_likelihood * (reward - weighted / weight)).backward()
        adam.step()
        assert len(record.signals) == count
        for row, at in zip(method.logits, logits, strict=True):
            assert_allclose(row[: len(at)], at.detach().numpy(), rtol=1e-9, atol=1e-12)
            assert np.isneginf(row[len(at) :]).all()


def test_reinforce_draws_from_its_policy(additive: Benchmark) -> None:
    trial = Trial(make_task(additive, evaluations=20_000), Reinforce(learning_rate=1e-12), 0)
    trial.advance(1)
    method = trial.method
    assert isinstance(method, Reinforce)
    policy = np.array([0.5, 0.3, 0.15, 0.05, 1e-9])
    method.logits = np.tile(np.log(policy), (6, 1))
    trial.advance(10_000)
    drawn = additive.space.all_vectors[trial.result().record.architectures[1:]]
    for edge in range(6):
        frequencies = np.bincount(drawn[:, edge], minlength=5) / len(drawn)
        assert_allclose(frequencies, policy, atol=5 * np.sqrt(0.25 / len(drawn)))


# -- successive halving and Hyperband --------------------------------------------------------------


def rungs_of(epochs: np.ndarray) -> list[tuple[int, int]]:
    """How many evaluations in a row were at how many epochs: the n_i and r_i of the paper."""
    return [(len(list(run)), value) for value, run in itertools.groupby(epochs.tolist())]


# Li et al., JMLR 2018, the table of brackets for R = 81 and eta = 3: (n_i, r_i) for s = 4 to 0.
PAPER_TABLE = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(34, 3), (11, 9), (3, 27), (1, 81)],
    [(15, 9), (5, 27), (1, 81)],
    [(8, 27), (2, 81)],
    [(5, 81)],
]


def test_hyperband_has_the_brackets_of_the_paper(curves: Benchmark) -> None:
    trial = Trial(make_task(curves, evaluations=1000), Hyperband(), 0)
    for bracket in [*PAPER_TABLE, *PAPER_TABLE]:  # and then from the first again
        begin = trial.session.trainings
        trial.advance(1)
        assert rungs_of(trial.result().record.epochs[begin:]) == bracket


@pytest.mark.parametrize(
    ("fidelities", "eta", "rungs"),
    [
        ((1, 3, 9, 27, 81), 3, (1, 3, 9, 27, 81)),
        ((1, 2, 4, 8), 2, (1, 2, 4, 8)),
        ((1, 2, 4, 8), 3, (2, 8)),
        ((1, 2, 4, 8), 4, (2, 8)),
        ((1, 2, 4, 8), 9, (8,)),
        ((12, 200), 3, (12, 200)),
        ((200,), 3, (200,)),
        (tuple(range(1, 82)), 3, (1, 3, 9, 27, 81)),
    ],
)
def test_rungs_are_a_factor_eta_apart(
    fidelities: tuple[int, ...], eta: float, rungs: tuple[int, ...]
) -> None:
    assert spaced(fidelities, eta) == rungs


def test_successive_halving_keeps_the_top_share_at_each_rung(curves: Benchmark) -> None:
    trial = Trial(make_task(curves, evaluations=1000), SuccessiveHalving(eta=3), 7)
    trial.advance(1)
    record = trial.result().record
    assert rungs_of(record.epochs) == PAPER_TABLE[0]
    by_rung = {
        epochs: record.architectures[record.epochs == epochs] for epochs in (1, 3, 9, 27, 81)
    }
    for lower, higher in itertools.pairwise(by_rung):
        signal = curves.values(f"valid_{lower}")[by_rung[lower]]
        top = by_rung[lower][signal >= np.sort(signal)[-len(signal) // 3]]
        assert sorted(by_rung[higher].tolist()) == sorted(top.tolist())
    assert record.evaluations[-1] == pytest.approx(5)  # B = (s_max + 1) R


def test_successive_halving_begins_with_as_many_as_asked_and_ends_with_one() -> None:
    task = make_task(graded(PizzaSpace(), [1, 2, 4, 8], noise=1.0), evaluations=100)
    for n, expected in ((16, [16, 8, 4, 2]), (5, [5, 2, 1, 1]), (1, [1, 1, 1, 1])):
        trial = Trial(task, SuccessiveHalving(configurations=n), 0)
        trial.advance(1)
        assert rungs_of(trial.result().record.epochs) == list(
            zip(expected, (1, 2, 4, 8), strict=True)
        )


@pytest.mark.parametrize("method", [SuccessiveHalving(), Hyperband()])
def test_with_one_number_of_epochs_it_is_random_search(additive: Benchmark, method: Method) -> None:
    task = make_task(additive, evaluations=50)
    assert_equal_records(search(task, method, 1), search(task, RandomSearch(), 1))


# -- TPE -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("num_initial", "num_candidates", "evaluations"), [(10, 24, 300), (1, 3, 40), (30, 1, 60)]
)
def test_tpe_is_optunas(
    additive: Benchmark, num_initial: int, num_candidates: int, evaluations: int
) -> None:
    optuna = pytest.importorskip("optuna")
    space, signal = additive.space, additive.values("valid_12")
    suggested = []

    def objective(trial: Any) -> float:
        vector = [trial.suggest_categorical(f"edge {i}", [0, 1, 2, 3, 4]) for i in range(6)]
        suggested.append(space.index(vector))
        return float(signal[suggested[-1]])

    seed = int(method_rng(3).integers(2**32))
    sampler = optuna.samplers.TPESampler(
        seed=seed,
        multivariate=False,
        n_startup_trials=num_initial,
        n_ei_candidates=num_candidates,
    )
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=evaluations)
    optuna.logging.set_verbosity(level)
    method = TPE(num_initial, num_candidates)
    record = search(make_task(additive, evaluations=evaluations), method, 3)
    assert record.architectures.tolist() == suggested


# -- BANANAS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_path_encoding_enumerates_the_paths(longest: int) -> None:
    space = load_space("nats-tss")
    lengths = range(1, longest + 1)
    features = [path for length in lengths for path in itertools.product(range(5), repeat=length)]
    encoded = encode_paths(space.all_vectors, longest)
    assert encoded.shape == (15_625, len(features))
    for index in range(0, 15_625, 7):
        operation = dict(zip(EDGES, space.vector(index), strict=True))
        present = set()
        for inner in itertools.chain.from_iterable(
            itertools.combinations((1, 2), count) for count in range(3)
        ):
            present.add(tuple(operation[edge] for edge in itertools.pairwise((0, *inner, 3))))
        assert encoded[index].tolist() == [float(path in present) for path in features]


def test_one_hot_encoding_is_scikit_learns() -> None:
    from sklearn.preprocessing import OneHotEncoder

    vectors = PizzaSpace().all_vectors
    expected = OneHotEncoder(sparse_output=False).fit_transform(vectors)
    assert_array_equal(encode_one_hot(vectors, PizzaSpace.choices), expected)


def test_the_ensemble_learns_as_torch_does() -> None:
    """Predictions, gradients and three steps of Adam against torch, member by member."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(12, 7)), rng.normal(size=12)
    settings = {"num_networks": 3, "num_layers": 2, "layer_width": 4, "learning_rate": 0.01}
    fresh, trained = (NetworkEnsemble(epochs=epochs, **settings) for epochs in (0, 3))
    for ensemble in (fresh, trained):
        ensemble.fit(inputs, targets, np.random.default_rng(1))
    layers = fresh._layers(np.zeros_like(fresh.parameters))
    fresh._backpropagate(np.stack([inputs] * 3), np.stack([targets] * 3), layers)
    for member in range(3):
        linear = []
        for weights, biases in fresh.layers:
            linear.append(torch.nn.Linear(*weights.shape[1:], dtype=torch.float64))
            linear[-1].weight.data = torch.tensor(weights[member].T)
            linear[-1].bias.data = torch.tensor(biases[member, 0])
        relu = torch.nn.ReLU()
        network = torch.nn.Sequential(linear[0], relu, linear[1], relu, linear[2])
        adam = torch.optim.Adam(network.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-7)
        for step in range(3):
            predicted = network(torch.tensor(inputs))[:, 0]
            adam.zero_grad()
            torch.nn.functional.l1_loss(predicted, torch.tensor(targets)).backward()
            if step == 0:
                assert_allclose(fresh.predict(inputs)[member], predicted.detach(), rtol=1e-12)
                for (weights, biases), theirs in zip(layers, linear, strict=True):
                    assert_allclose(weights[member].T, theirs.weight.grad, rtol=1e-9, atol=1e-14)
                    assert_allclose(biases[member, 0], theirs.bias.grad, rtol=1e-9, atol=1e-14)
            adam.step()
        for (weights, biases), theirs in zip(trained.layers, linear, strict=True):
            assert_allclose(weights[member].T, theirs.weight.detach(), rtol=1e-9)
            assert_allclose(biases[member, 0], theirs.bias.detach(), rtol=1e-9)


def test_the_ensemble_predicts_and_its_members_differ(additive: Benchmark) -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    encoded = encode_one_hot(additive.space.all_vectors, additive.space.choices)
    quality = additive.values("valid_12") - additive.values("valid_12").mean()
    train, test = rng.permutation(15_625)[:200], rng.permutation(15_625)[:500]
    ensemble = NetworkEnsemble(5, num_layers=10, layer_width=20, epochs=150, learning_rate=0.01)
    ensemble.fit(encoded[train], quality[train], rng)
    predictions = ensemble.predict(encoded[test])
    assert spearmanr(predictions.mean(axis=0), quality[test]).statistic > 0.9
    assert (predictions.std(axis=0) > 0).all()


def test_bananas_chooses_new_mutants_only(additive: Benchmark) -> None:
    method = Bananas(epochs=5)
    trial = Trial(make_task(additive, evaluations=200), method, 0)
    trial.advance(1)
    for _ in range(5):
        known = dict(method.scores)
        trial.advance(1)
        chosen = trial.result().record.architectures[-method.batch_size :].tolist()
        assert len(set(chosen) - set(known)) == method.batch_size
        reachable = set(np.concatenate([additive.space.neighbours(i) for i in known]).tolist())
        assert set(chosen) <= reachable


def test_bananas_encodes_paths_where_there_are_cells(additive: Benchmark) -> None:
    task = make_task(additive, evaluations=30)
    auto, path, one_hot = (
        search(task, Bananas(epochs=5, encoding=encoding)).architectures.tolist()
        for encoding in ("auto", "path", "one-hot")
    )
    assert auto == path != one_hot
    pizza = make_task(graded(PizzaSpace(), [9]), evaluations=20)
    with pytest.raises(SuiteError, match="no cells"):
        search(pizza, Bananas(encoding="path"))


# -- bad hyper-parameters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("regularized-evolution", {"population_size": 0}),
        ("regularized-evolution", {"sample_size": 0}),
        ("regularized-evolution", {"population_size": 10, "sample_size": 11}),
        ("local-search", {"num_initial": 0}),
        ("reinforce", {"learning_rate": 0}),
        ("reinforce", {"learning_rate": float("nan")}),
        ("reinforce", {"learning_rate": float("inf")}),
        ("reinforce", {"momentum": 1}),
        ("reinforce", {"momentum": -0.1}),
        ("successive-halving", {"eta": 1}),
        ("successive-halving", {"eta": float("nan")}),
        ("successive-halving", {"configurations": 0}),
        ("hyperband", {"eta": 0.5}),
        ("hyperband", {"eta": float("inf")}),
        ("tpe", {"num_initial": 0}),
        ("tpe", {"num_candidates": 0}),
        ("bananas", {"num_networks": 0}),
        ("bananas", {"learning_rate": -1}),
        ("bananas", {"longest_path": 4}),
        ("bananas", {"encoding": "braille"}),
    ],
)
def test_impossible_hyper_parameters_are_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=r"choose|impossible|give 1 or more"):
        METHODS[name](**settings)
    with pytest.raises(SuiteError):  # and the same by name, as from the command line
        make_method(name, {key: str(value) for key, value in settings.items()})
