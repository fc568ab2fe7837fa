"""Where trials run. An executor turns jobs into outcomes; the results do not depend on which."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner.jobs import Job, Outcome, run_job
from nasbench_suite.runner.processes import Limits, Processes
from nasbench_suite.spreading import count_jobs
from nasbench_suite.tasks import Method, Task


class Executor(Protocol):
    """Runs jobs somewhere: in this process, in others of this machine, on a cluster."""

    def outcomes(
        self, plans: Sequence[tuple[Task, Method]], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Outcome]]:
        """The outcome of every job, as they finish.

        Args:
            plans: tasks and methods; a job names one by its number.
            jobs: the trials, begun in this order.
        """


@dataclass(frozen=True)
class Resources:
    """What a user asks for by the options of ``nasbench run``; an executor heeds what it can.

    Attributes:
        jobs: trials at a time; -1 for all cores.
        limits: what one trial may take.
        address: of a cluster.
        cores: processor cores that one trial asks for.
        gpus: GPUs that one trial asks for.
        megabytes: of memory that one trial asks for.
    """

    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    address: str | None = None
    cores: float = 1.0
    gpus: float = 0.0
    megabytes: float = 0.0


MakeExecutor = Callable[[Resources], Executor]
"""What is named under ``nasbench_suite.executors``: makes an executor from what a user asks for."""


def make_executor(name: str, resources: Resources) -> Executor:
    """The executor of that name, for these resources.

    Raises:
        SuiteError: there is none, it cannot be imported, or it cannot give what is asked for.
    """
    entry = registry.find("executors", name)
    made: Executor = entry.call(resources)
    if not callable(getattr(made, "outcomes", None)):
        raise SuiteError(
            f"Executor {name!r} ({entry.value}) gave {type(made).__name__}, no Executor."
        )
    return made


def local(resources: Resources) -> Executor:
    """Processes of this machine, so many trials at a time, each within limits."""
    return local_executor(resources.jobs, resources.limits)


def this_process(resources: Resources) -> Executor:
    """The process that was called, one trial at a time, where a debugger can follow."""
    return ThisProcess()


@dataclass(frozen=True)
class ThisProcess:
    """Runs trials one by one in the calling process, where a debugger can follow."""

    def outcomes(
        self, plans: Sequence[tuple[Task, Method]], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Outcome]]:
        """See ``Executor``."""
        from threadpoolctl import threadpool_limits

        for job in jobs:
            with threadpool_limits(1):
                outcome = run_job(*plans[job.plan], job)
            yield job, outcome


def local_executor(jobs: int, limits: Limits | None = None) -> Executor:
    """Processes of this machine, one at least: what a method does to its own reaches no other.

    Where the system cannot copy a process, as on Windows, it is this process alone.

    Args:
        jobs: number of processes; -1 for all cores.
        limits: what one trial may take.

    Raises:
        SuiteError: an impossible number.
    """
    jobs, limits = count_jobs(jobs), limits or Limits()
    return Processes(jobs, limits) if hasattr(os, "fork") else ThisProcess()
