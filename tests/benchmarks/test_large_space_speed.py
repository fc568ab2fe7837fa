"""What spaces too large to list cost: DARTS cells, a surrogate, and a table found by hashes.

As in ``test_speed``, nothing fails for being slow. The aims, on an idle core: 100,000 DARTS cells
drawn, changed and brought to their canonical form in 2 s, 1,000 evaluations of regularized
evolution on a surrogate in 2 s, a row of NAS-Bench-101 by its hash in 1 us.
"""

from __future__ import annotations

import numpy as np
import pytest

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.surrogate import Fit, Surrogate, Trees
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import PoolSpace, load_space, nasbench101
from nasbench_suite.tasks import make_task
from search_methods.regularized_evolution import RegularizedEvolution

CELLS = 1_000
VALID, TEST = "cifar10_valid_108", "cifar10_test_108"
METRICS = [
    Metric(VALID, dataset="cifar10", split="valid", epochs=108),
    Metric(TEST, dataset="cifar10", split="test", epochs=108),
]


@pytest.mark.benchmark(group=f"{CELLS:,} DARTS cells")
@pytest.mark.parametrize("step", ["sample", "mutate", "canonical"])
def test_darts_cells(benchmark, step):
    space, rng = load_space("darts"), np.random.default_rng(0)
    cells = [space.sample(rng) for _ in range(CELLS)]
    steps = {
        "sample": lambda: [space.sample(rng) for _ in range(CELLS)],
        "mutate": lambda: [space.mutate(cell, rng) for cell in cells],
        "canonical": lambda: [space.canonical_key(cell) for cell in cells],
    }
    assert len(benchmark(steps[step])) == CELLS


@pytest.mark.benchmark(group=f"{CELLS:,} DARTS cells")
def test_bare_random_numbers(benchmark):
    rng = np.random.default_rng(0)
    benchmark(lambda: [tuple(rng.random(24).tolist()) for _ in range(CELLS)])


@pytest.fixture(scope="module")
def surrogate():
    """As large as those that are fitted: five members of 300 trees, here of random questions."""
    space, rng = load_space("darts"), np.random.default_rng(0)
    count = space.features([space.sample(rng)], "adjacency").shape[1]
    shape = (5, 300, 31)
    trees = Trees(
        rng.integers(count, size=shape).astype(np.int32),
        np.full(shape, 0.5, dtype=np.float32),
        rng.normal(size=(5, 300, 32)) / 300,
        np.full(5, 90.0),
    )
    fit = Fit(1_000, 0.9, 0.7, 0.3, 0.6, 0.1)
    names = {metric.name: metric for metric in METRICS}
    return Surrogate(
        "made",
        space,
        "adjacency",
        names,
        dict.fromkeys(names, trees),
        dict.fromkeys(names, fit),
        {},
    )


@pytest.mark.benchmark(group="1,000 evaluations of regularized evolution")
@pytest.mark.parametrize("on", ["surrogate", "table"])
def test_regularized_evolution(benchmark, surrogate, on):
    searched = surrogate
    if on == "table":
        space = load_space("nats-tss")
        figures = np.random.default_rng(0).normal(80, 5, space.size)
        searched = make_benchmark("made", space, METRICS, {VALID: figures, TEST: figures})
    task = make_task(searched, evaluations=1_000)

    def search():
        vars(surrogate).pop("_computed", None)
        trial = Trial(task, RegularizedEvolution(), 0)
        trial.advance()
        return trial.result()

    found = benchmark.pedantic(search, rounds=2)
    assert len(found.record.architectures) == 1_000


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The 2,532 modules of up to five vertices."""
    found = dict(nasbench101.all_modules(5))
    strings = [nasbench101.format_module(module) for module in found.values()]
    pool = PoolSpace(load_space("nasbench101"), strings, list(found))
    figures = np.random.default_rng(0).normal(90, 2, pool.size)
    table = make_benchmark("made", pool, METRICS, {VALID: figures, TEST: figures})
    path = tmp_path_factory.mktemp("modules") / "made.parquet"
    write_benchmark(table, path)
    return path


@pytest.mark.benchmark(group="a table of modules")
def test_load_a_table_of_modules(benchmark, modules):
    assert benchmark(read_benchmark, modules).space.size == 2_532


@pytest.mark.benchmark(group="a query")
def test_query_by_hash(benchmark, modules):
    table = read_benchmark(modules)
    key = table.space.keys[2_000]
    assert benchmark(table.query, key, VALID) == table.values(VALID)[2_000]


@pytest.mark.benchmark(group="a query")
def test_query_of_a_bare_dictionary(benchmark, modules):
    table = read_benchmark(modules)
    figures = dict(zip(table.space.keys, table.value_list(VALID), strict=True))
    key = table.space.keys[2_000]
    assert benchmark(lambda: figures[key]) == table.values(VALID)[2_000]
