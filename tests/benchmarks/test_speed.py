"""What the suite's own work costs; the training it replaces is not in it.

Measure with ``pytest tests/benchmarks --benchmark-enable``; an ordinary test run goes through
each benchmark once, unmeasured. Nothing here fails for being slow: times depend on the machine,
so that which is compared stands in one group, measured in one run. The aims, on an idle core:
loading a full table 50 ms, a query 5 us, in a search 1 us, a million at once 20 ms, regularized
evolution of 1,000 evaluations 50 ms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark, make_benchmark
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.spaces.size import SizeSpace
from nasbench_suite.spaces.topology import TopologySpace
from nasbench_suite.tasks import Session, make_task
from search_methods.random_search import RandomSearch
from search_methods.regularized_evolution import RegularizedEvolution
from search_methods.tpe import TPE

DATASETS = ("cifar10", "cifar100", "imagenet16_120")
SIGNAL, REPORT = "cifar10_valid_200", "cifar10_test_200"
EVALUATIONS = 1_000
TPE_EVALUATIONS = 300


@pytest.fixture(scope="module")
def table() -> Benchmark:
    """As large as NATS-Bench's topology table: 15,625 rows, 15 metrics, 36 seed columns."""
    space = load_space("nats-tss")
    rng = np.random.default_rng(0)
    metrics, columns = [], {}
    for dataset in DATASETS:
        quality = rng.normal(80, 5, size=space.size)
        for epochs in (12, 200):
            for split in ("valid", "test"):
                metric = Metric(
                    f"{dataset}_{split}_{epochs}",
                    dataset=dataset,
                    split=split,
                    epochs=epochs,
                    seeds=(777, 888, 999),
                )
                metrics.append(metric)
                for seed in metric.seeds:
                    columns[metric.seed_column(seed)] = quality + rng.normal(size=space.size)
        cost = Metric(
            f"{dataset}_train_time_200", "training_time", "s", "minimize", dataset, epochs=200
        )
        metrics.append(cost)
        columns[cost.name] = rng.uniform(1_000, 4_000, size=space.size)
    return make_benchmark("synthetic", space, metrics, columns)


@pytest.fixture(scope="module")
def table_file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "synthetic.parquet"
    write_benchmark(table, path)
    return path


# -- loading ----------------------------------------------------------------------------------


@pytest.mark.benchmark(group="load a table of 15,625 rows and 51 columns")
def test_load_and_ask_for_one_metric(benchmark, table_file):
    loaded = benchmark(lambda: read_benchmark(table_file).values(SIGNAL))
    assert loaded.shape == (15_625,)


@pytest.mark.benchmark(group="load a table of 15,625 rows and 51 columns")
def test_load_all_columns(benchmark, table_file):
    columns = benchmark(lambda: dict(read_benchmark(table_file).columns))
    assert len(columns) == 51


@pytest.mark.benchmark(group="load a table of 15,625 rows and 51 columns")
def test_load_all_columns_with_pandas(benchmark, table_file):
    frame = benchmark(pd.read_parquet, table_file)
    assert frame.shape == (15_625, 51)


# -- queries ----------------------------------------------------------------------------------


@pytest.mark.benchmark(group="one query")
@pytest.mark.parametrize("form", ["string", "index", "vector", "array"])
def test_query(benchmark, table, form):
    space = table.space
    architecture = {
        "string": space.string(6111),
        "index": 6111,
        "vector": space.vector(6111),
        "array": np.array(space.vector(6111)),
    }[form]
    table.query(architecture, SIGNAL)  # what is built at the first query is measured below
    assert benchmark(table.query, architecture, SIGNAL) == table.values(SIGNAL)[6111]


@pytest.mark.benchmark(group="one query")
def test_query_of_a_bare_dictionary(benchmark, table):
    figures = dict(zip(table.space.all_strings, table.value_list(SIGNAL), strict=True))
    architecture = table.space.string(6111)
    assert benchmark(lambda: figures[architecture]) == table.values(SIGNAL)[6111]


@pytest.mark.benchmark(group="one query")
def test_query_of_a_pandas_frame(benchmark, table):
    frame = pd.DataFrame({SIGNAL: table.values(SIGNAL)}, index=table.space.all_strings)
    architecture = table.space.string(6111)
    assert benchmark(lambda: frame.at[architecture, SIGNAL]) == table.values(SIGNAL)[6111]


@pytest.mark.benchmark(group="a million queries at once")
def test_query_batch(benchmark, table):
    indices = np.random.default_rng(0).integers(15_625, size=1_000_000)
    figures = benchmark(table.query_batch, indices, SIGNAL)
    assert figures[-1] == table.values(SIGNAL)[indices[-1]]


@pytest.mark.benchmark(group="a million queries at once")
def test_bare_gather_of_numpy(benchmark, table):
    indices = np.random.default_rng(0).integers(15_625, size=1_000_000)
    column = table.values(SIGNAL)
    assert benchmark(lambda: column[indices]).shape == (1_000_000,)


# -- searches ---------------------------------------------------------------------------------


@pytest.mark.benchmark(group=f"{EVALUATIONS:,} evaluations")
@pytest.mark.parametrize("form", ["index", "string"])
def test_session_evaluates(benchmark, table, form):
    task = make_task(table, "cifar10", evaluations=EVALUATIONS)
    chosen = np.random.default_rng(0).integers(15_625, size=EVALUATIONS).tolist()
    if form == "string":
        chosen = [table.space.string(index) for index in chosen]

    def evaluate_all(session):
        evaluate = session.evaluate
        for architecture in chosen:
            evaluate(architecture)
        return session.evaluations

    spent = benchmark.pedantic(
        evaluate_all, setup=lambda: ((Session(task, 0),), {}), rounds=50, warmup_rounds=2
    )
    assert spent == pytest.approx(EVALUATIONS)


@pytest.mark.benchmark(group=f"{EVALUATIONS:,} evaluations")
@pytest.mark.parametrize("method", [RandomSearch, RegularizedEvolution])
def test_search(benchmark, table, method):
    task = make_task(table, "cifar10", evaluations=EVALUATIONS)

    def search():
        trial = Trial(task, method(), seed=0)
        trial.advance()
        return trial.result()

    search()
    assert len(benchmark(search).record.architectures) == EVALUATIONS


@pytest.mark.benchmark(group="300 evaluations of TPE")
def test_tpe(benchmark, table):
    task = make_task(table, "cifar10", evaluations=TPE_EVALUATIONS)

    def search():
        trial = Trial(task, TPE(), seed=0)
        trial.advance()
        return trial.session.evaluations

    search()
    assert benchmark.pedantic(search, rounds=1) == TPE_EVALUATIONS


@pytest.mark.benchmark(group="300 evaluations of TPE")
def test_tpe_of_optuna(benchmark, table):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, signal = table.space, table.value_list(SIGNAL)

    def objective(trial):
        vector = [trial.suggest_categorical(f"{i}", range(n)) for i, n in enumerate(space.choices)]
        return signal[space.closest(vector)]

    def search():
        sampler = optuna.samplers.TPESampler(seed=0, multivariate=False)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=TPE_EVALUATIONS)
        return len(study.trials)

    assert benchmark.pedantic(search, rounds=1) == TPE_EVALUATIONS


@pytest.mark.benchmark(group="one step in a space")
@pytest.mark.parametrize("step", ["sample", "mutate", "neighbours", "canonical"])
def test_step(benchmark, step):
    space, rng = load_space("nats-tss"), np.random.default_rng(0)
    calls = {
        "sample": lambda: space.sample(rng),
        "mutate": lambda: space.mutate(6111, rng),
        "neighbours": lambda: space.neighbours(6111),
        "canonical": lambda: space.canonical(6111),
    }
    calls[step]()
    benchmark(calls[step])


# -- what a space builds at its first use -----------------------------------------------------


@pytest.mark.benchmark(group="first use of a space")
@pytest.mark.parametrize("space", [TopologySpace, SizeSpace])
@pytest.mark.parametrize("what", ["all_vectors", "all_strings", "neighbour_table", "classes"])
def test_first_use(benchmark, space, what):
    built = benchmark.pedantic(
        lambda fresh: getattr(fresh, what), setup=lambda: ((space(),), {}), rounds=10
    )
    assert built is not None


@pytest.mark.benchmark(group="first use of a space")
def test_first_string(benchmark):
    string = load_space("nats-tss").string(6111)
    found = benchmark.pedantic(
        lambda fresh: fresh.index(string), setup=lambda: ((TopologySpace(),), {}), rounds=10
    )
    assert found == 6111


@pytest.mark.benchmark(group="noise floor of one metric")
def test_noise_floor(benchmark, table):
    noise = pytest.importorskip("nasbench_suite.benchmarks.noise")
    assert benchmark(noise.noise_floor, table, REPORT) is not None
