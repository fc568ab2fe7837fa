"""Trials on a Ray cluster: many machines, one writer."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_not_negative
from nasbench_suite.runner.executors import Resources
from nasbench_suite.runner.jobs import Failure, Job, Outcome, pack, run_job, unpack_or_fail
from nasbench_suite.runner.processes import ONE_THREAD, Limits, Worker
from nasbench_suite.tasks import Method, Task

_IN_FLIGHT = 1000  # trials given to the cluster at once; more would only wait there
_HOW = "start one with `ray start --head` and give its address, as host:port"


@dataclass(frozen=True)
class RayCluster:
    """An executor: every trial is a task of a Ray cluster.

    Every node needs this suite, the methods and the benchmark's file where they are here. A trial
    whose process or node is lost begins again elsewhere: from its checkpoint where the results
    file's folder is shared, else from the start, with the same result.

    Attributes:
        address: of the cluster, as ``host:port``; ``auto`` for the one this machine belongs to;
            None starts one of this machine alone.
        cores: processor cores that one trial asks for; parts of one can be shared.
        gpus: GPUs that one trial asks for.
        megabytes: of memory that one trial asks for; Ray reserves it, ``limits`` enforces.
        limits: what one trial may take.
    """

    address: str | None = "auto"
    cores: float = 1.0
    gpus: float = 0.0
    megabytes: float = 0.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse what Ray would, with a traceback and once benchmarks were read.

        Raises:
            SuiteError: fewer than none of something, or a part of a GPU beside a whole one.
        """
        check_not_negative("A trial", self, "cores gpus megabytes")
        if self.gpus > 1 and self.gpus % 1:
            raise SuiteError(
                f"A trial cannot work with gpus={self.gpus}: give a part of one, or a whole number."
            )

    def outcomes(
        self, plans: Sequence[tuple[Task, Method]], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Outcome]]:
        """See ``Executor``.

        Raises:
            SuiteError: Ray is not installed, no cluster answers, or no node has what one trial
                asks for.
        """
        ray = self._connect()
        running: dict[Any, Job] = {}
        try:
            self._check_requests(ray)
            packed = [ray.put(pack(*plan)) for plan in plans]
            submit = ray.remote(_run).options(
                num_cpus=self.cores,
                num_gpus=self.gpus,
                memory=int(self.megabytes * 1e6),
                max_retries=self.limits.retries,
            )
            todo = iter(jobs)
            while True:
                for job in islice(todo, _IN_FLIGHT - len(running)):
                    task = submit.remote(packed[job.plan], job, self.limits, sys.path)
                    running[task] = job
                if not running:
                    return
                done, _ = ray.wait(list(running), num_returns=1)
                for task in done:
                    yield running.pop(task), _outcome(ray, task)
        finally:
            for task in running:
                ray.cancel(task, force=True)
            ray.shutdown()

    def _connect(self) -> Any:
        try:
            import ray
        except ImportError:
            raise SuiteError(
                'Ray is not installed: `pip install "nasbench-suite[ray]"` on every node.'
            ) from None
        if self.address and ":" in self.address and not _answers(self.address):
            raise SuiteError(f"No Ray cluster answers at {self.address}: {_HOW}.")
        try:
            ray.init(
                self.address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": ONE_THREAD},
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SuiteError(f"No Ray cluster was found ({error}): {_HOW}.") from None
        return ray

    def _check_requests(self, ray: Any) -> None:
        """Ray would wait for ever for a node that has what is asked for."""
        asked = {"CPU": self.cores, "GPU": self.gpus, "memory": self.megabytes * 1e6}
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(
            all(node.get(name, 0.0) >= amount for name, amount in asked.items()) for node in nodes
        ):
            raise SuiteError(
                f"No node of the cluster has {self.cores:g} cores, {self.gpus:g} GPUs and "
                f"{self.megabytes:g} MB: ask for less for a trial."
            )


def ray_cluster(resources: Resources) -> RayCluster:
    """A Ray cluster; --jobs counts for nothing there."""
    wanted = (resources.cores, resources.gpus, resources.megabytes)
    return RayCluster(resources.address, *wanted, resources.limits)


def _run(packed: bytes, job: Job, limits: Limits, path: list[str]) -> Outcome:
    """One trial, on a node; a process of its own holds it to its limits."""
    sys.path.extend(folder for folder in path if folder not in sys.path)
    if limits.any:
        worker = Worker(limits)
        try:
            return worker.run(job, packed)
        finally:
            worker.close()
    loaded, failure = unpack_or_fail(packed)
    if loaded is None:
        assert failure is not None
        return failure
    return run_job(*loaded, job)


def _answers(address: str) -> bool:
    """Whether anything does: Ray itself would try for minutes, and then end the process."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _outcome(ray: Any, task: Any) -> Outcome:
    try:
        outcome: Outcome = ray.get(task)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        return Failure(f"Its process was lost ({type(error).__name__}: {reason})", str(error), 0.0)
    return outcome
