"""The contract of an executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.events import TrialResult
from nasbench_suite.runner.executors import Resources, ThisProcess, make_executor
from nasbench_suite.runner.jobs import Failure, Job, Outcome
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.tasks import Method, Session, Task, make_task
from nasbench_suite.testing.base import Contract
from nasbench_suite.testing.toys import toy_benchmark


@dataclass
class Walk(Method):
    """A random walk, which fails with odd seeds where it is told to."""

    fails: bool = False

    def step(self, session: Session) -> None:
        """Evaluate one architecture."""
        if self.fails and session.seed % 2 and session.trainings == 3:
            raise RuntimeError("told to fail")
        session.evaluate(session.space.sample(session.rng))


class ExecutorContract(Contract):
    """What a run relies on in every executor.

    Attributes:
        names: of the executors.
        resources: what they are asked for, by name; by default two jobs at a time.
    """

    resources: ClassVar[Mapping[str, Resources]] = {}

    def outcomes(self, name: str, folder: Path) -> tuple[list[Job], dict[Job, Outcome]]:
        """The jobs in the order of their outcomes, and what came of each."""
        executor = make_executor(name, self.resources.get(name, Resources(jobs=2)))
        jobs = _jobs(folder)
        found = list(executor.outcomes(_plans(), iter(jobs)))
        return [job for job, _ in found], dict(found)

    def test_results_are_those_of_one_process(self, name: str, tmp_path: Path) -> None:
        """Every job once, in whatever order, to the last bit; a failure stops no other."""
        order, found = self.outcomes(name, tmp_path)
        jobs = _jobs(tmp_path)
        assert sorted(order, key=jobs.index) == jobs, "jobs are lost or done twice"
        for job, expected in ThisProcess().outcomes(_plans(), jobs):
            outcome = found[job]
            if isinstance(expected, Failure):
                assert isinstance(outcome, Failure), f"{job} failed here and not there"
                assert "told to fail" in outcome.message
                continue
            assert isinstance(outcome, TrialResult), f"{job} failed: {outcome}"
            for name_, value in vars(expected.record).items():
                same = (
                    np.asarray(value).tobytes()
                    == np.asarray(getattr(outcome.record, name_)).tobytes()
                )
                assert same, f"{job} differs in {name_}"


def _plans() -> list[tuple[Task, Method]]:
    """Two methods on one task, of which one fails with odd seeds."""
    benchmark = toy_benchmark(load_finite_space("nasbench-macro"))
    task = make_task(benchmark, evaluations=8)
    return [(task, Walk()), (task, Walk(fails=True))]


def _jobs(folder: Path) -> list[Any]:
    return [Job(plan, seed, folder / f"{plan}-{seed}") for seed in range(3) for plan in range(2)]
