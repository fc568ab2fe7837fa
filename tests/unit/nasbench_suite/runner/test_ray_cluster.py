"""Trials on a real Ray cluster of three nodes on this machine, whose workers and nodes are lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_runner import contents

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Executor, Limits, RayCluster, RunSummary, ThisProcess, run
from nasbench_suite.tasks import Method, Session

pytest.importorskip("ray", reason="Ray is not installed: pip install nasbench-suite[ray]")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one processor each; the first is the head."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    made.add_node(**node)
    made.wait_for_nodes()
    yield made
    made.shutdown()


@dataclass
class Wanders(Method):
    """Random search that takes a while, and leaves its process's number where it is."""

    marks: str = ""
    slow: float = 0.0

    @property
    def config(self) -> dict[str, object]:
        """Slow or not, it is one method."""
        return {}

    def step(self, session: Session) -> None:
        if session.trainings == 0:
            Path(self.marks, f"{session.seed}-{os.getpid()}-{os.getppid()}").touch()
        time.sleep(self.slow)
        session.evaluate(session.space.sample(session.rng))


def search(toy: Benchmark, folder: Path, slow: float, executor: Executor) -> RunSummary:
    folder.mkdir(exist_ok=True)
    method = Wanders(str(folder), slow)
    return run(
        toy,
        [("wanders", method)],
        seeds=range(12),
        store=folder / "r.sqlite",
        evaluations=20,
        executor=executor,
    )


def processes(folder: Path) -> list[tuple[int, int, int]]:
    """Seed, process and the process's parent of every trial begun, in that order."""
    marks = sorted(folder.glob("*-*-*"), key=lambda mark: mark.stat().st_mtime_ns)
    return [tuple(map(int, mark.name.split("-"))) for mark in marks]  # type: ignore[misc]


def test_results_are_those_of_this_process_whatever_is_lost(
    toy: Benchmark, tmp_path: Path, cluster: Any
) -> None:
    local = tmp_path / "local"
    search(toy, local, 0.0, ThisProcess())
    executor = RayCluster(cluster.address, limits=Limits(retries=3))
    for name in ("undisturbed", "worker lost", "node lost"):
        folder = tmp_path / name
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(search, toy, folder, 0.05, executor)
            if name == "worker lost":
                _wait_for(lambda folder=folder: len(processes(folder)) >= 3)
                os.kill(processes(folder)[-1][1], signal.SIGKILL)
            elif name == "node lost":
                (lost,) = cluster.worker_nodes
                (raylet,) = lost.all_processes["raylet"]
                there = raylet.process.pid
                while there not in [parent for *_, parent in processes(folder)]:
                    assert not running.done(), "no trial ran on the node"
                    time.sleep(0.01)
                cluster.remove_node(lost, allow_graceful=False)
            summary = running.result(timeout=120)
        assert (summary.finished, summary.failures) == (12, [])
        assert contents(folder / "r.sqlite") == contents(local / "r.sqlite")
        begun = [seed for seed, _, _ in processes(folder)]
        assert set(begun) == set(range(12))
        if name != "undisturbed":
            assert len(begun) > 12  # something was lost, or this shows nothing


@pytest.mark.slow
def test_a_worker_lost_for_good_is_a_failed_trial(
    toy: Benchmark, tmp_path: Path, cluster: Any
) -> None:
    executor = RayCluster(cluster.address, limits=Limits(retries=0))
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(search, toy, tmp_path, 0.05, executor)
        _wait_for(lambda: len(processes(tmp_path)) >= 3)
        os.kill(processes(tmp_path)[-1][1], signal.SIGKILL)
        summary = running.result(timeout=120)
    assert summary.finished == 11
    assert "Its process was lost (WorkerCrashedError" in (summary.failures[0].failure or "")


@pytest.mark.slow
def test_limits_hold_on_the_nodes(toy: Benchmark, tmp_path: Path, cluster: Any) -> None:
    executor = RayCluster(cluster.address, limits=Limits(seconds=0.5))
    summary = search(toy, tmp_path, 5.0, executor)
    assert summary.finished == 0
    assert {failure.failure for failure in summary.failures} == {
        "It was stopped at the time limit of 0.5 s."
    }


def test_what_the_cluster_cannot_do_is_said(toy: Benchmark, tmp_path: Path, cluster: Any) -> None:
    with pytest.raises(SuiteError, match="No node of the cluster has 1000 cores"):
        search(toy, tmp_path, 0.0, RayCluster(cluster.address, cores=1000))
    with pytest.raises(SuiteError, match="No node of the cluster has 1 cores, 2 GPUs"):
        search(toy, tmp_path, 0.0, RayCluster(cluster.address, gpus=2))
    with pytest.raises(SuiteError, match="No Ray cluster answers"):
        search(toy, tmp_path, 0.0, RayCluster("127.0.0.1:9"))


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
