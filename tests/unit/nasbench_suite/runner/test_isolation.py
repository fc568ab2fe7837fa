"""A trial is alone: no other trial, and no setting of the machine, changes what it computes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.runner import run
from nasbench_suite.runner.executors import Resources, make_executor
from nasbench_suite.runner.processes import ONE_THREAD
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session


@dataclass
class Threads(Method):
    """Tells how many threads its linear algebra has."""

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))
        np.ones((4, 4)) @ np.ones((4, 4))
        session.log(0, threads=[library["num_threads"] for library in threadpool_info()])
        session.log(0, variable=float(os.environ.get("OPENBLAS_NUM_THREADS", "0")))


@pytest.mark.parametrize("executor", ["local", "this-process"])
def test_a_trial_has_one_thread_for_linear_algebra(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    """Sums in another order give other results, so the machine's cores must not matter."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "3")
    where = make_executor(executor, Resources())
    with threadpool_limits(3):
        run(toy, [("threads", Threads())], seeds=[0], executor=where, store=tmp_path / "r.sqlite")
    with ResultStore(tmp_path / "r.sqlite", read_only=True) as results:
        (threads,) = results.diagnostics("threads")["value"]
        (variable,) = results.diagnostics("variable")["value"]
    assert len(threads) > 0
    assert set(threads.tolist()) == {1.0}
    assert executor == "this-process" or variable == 1.0


@dataclass
class Hoarder(Method):
    """Remembers, in a field, what it met, and steps on from there."""

    met: list[int] = field(default_factory=list)

    def step(self, session: Session) -> None:
        session.evaluate(sum(self.met) % session.space.size)
        self.met.append(int(session.rng.integers(session.space.size)))


def reports(store: Path) -> dict[int, float]:
    with ResultStore(store, read_only=True) as results:
        trials = results.trials()
    return dict(zip(trials["seed"], trials["report"], strict=True))


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_method_keeps_does_not_reach_the_next_trial(
    toy: Benchmark, tmp_path: Path, jobs: int
) -> None:
    alone = {}
    for seed in range(4):
        store = tmp_path / f"{seed}.sqlite"
        run(toy, [("hoarder", Hoarder())], seeds=[seed], store=store, evaluations=20)
        alone |= reports(store)
    together = tmp_path / "together.sqlite"
    run(toy, [("hoarder", Hoarder())], seeds=range(4), jobs=jobs, store=together, evaluations=20)
    assert reports(together) == alone


def test_a_result_belongs_to_its_seed_whatever_ran_before(toy: Benchmark, tmp_path: Path) -> None:
    """Named in another order, beside others, or after an interruption."""
    found = []
    for name, orders in {"a": [[3, 7, 1]], "b": [[1], [7, 3, 1]], "c": [[7], [3], [1]]}.items():
        for seeds in orders:
            run(toy, "random", seeds=seeds, store=tmp_path / f"{name}.sqlite", evaluations=9)
        found.append(reports(tmp_path / f"{name}.sqlite"))
    assert found[0] == found[1] == found[2]
    assert len(set(found[0].values())) == 3
