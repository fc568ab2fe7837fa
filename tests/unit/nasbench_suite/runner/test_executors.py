"""Trials on processes and clusters: the same results, whatever hangs, dies or forks."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Executor, Limits, Processes, RunSummary, ThisProcess, run
from nasbench_suite.runner.executors import Resources, make_executor
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session


@dataclass
class Troubled(Method):
    """Random search that gets into trouble at its third evaluation, on seed 1.

    Attributes:
        trouble: name of a function of this module.
        marks: folder in which it leaves a file for each time it got there.
    """

    trouble: str
    marks: str

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))
        if session.seed == 1 and session.trainings == 3:
            mark = Path(self.marks, str(time.time_ns()))
            mark.touch()
            TROUBLES[self.trouble](Path(self.marks))


def hang(_: Path) -> None:
    time.sleep(3600)


def hang_with_children(marks: Path) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(3600)
    (marks / "child").write_text(str(child))
    hang(marks)


def hang_deaf_to_signals(_: Path) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    sum(range(10**12))


def leak(_: Path) -> None:
    held = []
    while True:
        held.append(np.ones(10**6))


def die(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marks: Path) -> None:
    if len(list(marks.iterdir())) == 1:
        die(marks)


def leave(_: Path) -> None:
    sys.exit(3)


def leave_at_once(_: Path) -> None:
    os._exit(3)


def fork(_: Path) -> None:
    """The copy comes back into the search, as one whose author forgot to end it."""
    os.fork()


def print_much(_: Path) -> None:
    for _ in range(200):
        os.write(1, b"x" * 10_000)
        print("y" * 10_000)


def read_input(_: Path) -> None:
    assert sys.stdin.read() == ""


def nothing(_: Path) -> None:
    pass


TROUBLES: dict[str, Callable[[Path], None]] = {
    function.__name__: function
    for function in (
        hang, hang_with_children, hang_deaf_to_signals, leak, die, die_once, leave, leave_at_once,
        fork, print_much, read_input, nothing,
    )
}  # fmt: skip


def search(
    toy: Benchmark, folder: Path, trouble: str, executor: Executor
) -> tuple[RunSummary, Any]:
    marks = folder / "marks"
    marks.mkdir()
    summary = run(
        toy,
        [("troubled", Troubled(trouble, str(marks)))],
        seeds=range(4),
        store=folder / "r.sqlite",
        evaluations=10,
        executor=executor,
    )
    with ResultStore(folder / "r.sqlite", read_only=True) as results:
        return summary, results.trials().sort_values("seed", ignore_index=True)


@pytest.mark.parametrize(
    ("trouble", "limits", "message", "attempts"),
    [
        ("hang", Limits(seconds=1.0), "stopped at the time limit of 1 s", 1),
        ("hang_deaf_to_signals", Limits(seconds=1.0), "stopped at the time limit of 1 s", 1),
        ("leak", Limits(megabytes=1000), "MemoryError", 1),
        ("die", Limits(), r"lost 2 times \(SIGKILL, perhaps for want of memory\)", 2),
        ("die", Limits(retries=0), r"lost \(SIGKILL", 1),
        ("leave", Limits(), "SystemExit: 3", 1),
        ("leave_at_once", Limits(), r"lost 2 times \(it exited with code 3\)", 2),
    ],
)
def test_a_trial_in_trouble_fails_alone(
    toy: Benchmark, tmp_path: Path, trouble: str, limits: Limits, message: str, attempts: int
) -> None:
    summary, trials = search(toy, tmp_path, trouble, Processes(2, limits))
    assert (summary.finished, len(summary.failures)) == (3, 1)
    assert trials["status"].tolist() == ["finished", "failed", "finished", "finished"]
    (failure,) = summary.failures
    assert re.search(message, failure.failure or "")
    assert len(list((tmp_path / "marks").iterdir())) == attempts


@pytest.mark.parametrize(
    ("trouble", "executor"),
    [
        ("die_once", Processes(2)),
        ("fork", Processes(2)),
        ("fork", ThisProcess()),
        ("print_much", Processes(2)),
        ("read_input", Processes(2)),
    ],
)
def test_what_can_be_borne_changes_nothing(
    toy: Benchmark, tmp_path: Path, trouble: str, executor: Executor
) -> None:
    for name in ("plain", "troubled"):
        (tmp_path / name).mkdir()
    summary, troubled = search(toy, tmp_path / "troubled", trouble, executor)
    assert (summary.finished, summary.failures) == (4, [])
    _, plain = search(toy, tmp_path / "plain", "nothing", ThisProcess())
    columns = ["seed", "status", "architecture", "report", "signal", "evaluations"]
    assert troubled[columns].equals(plain[columns])


def test_all_that_a_stopped_trial_began_is_killed(toy: Benchmark, tmp_path: Path) -> None:
    search(toy, tmp_path, "hang_with_children", Processes(1, Limits(seconds=1.0)))
    child = int((tmp_path / "marks" / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    deadline = time.monotonic() + 10
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seconds": 0.0}, "time limit of 0.0 is impossible"),
        ({"megabytes": -1.0}, "memory limit of -1.0 is impossible"),
        ({"retries": -1}, "-1 retries are impossible"),
        ({"seconds": float("nan")}, "time limit of nan"),
        ({"seconds": float("inf")}, "time limit of inf is impossible: .*, or none"),
        ({"seconds": 1e10}, "time limit of 10000000000.0"),  # beyond what a timer takes
        ({"megabytes": float("inf")}, "memory limit of inf"),
        ({"megabytes": 1e300}, "memory limit of 1e[+]300"),
    ],
)
def test_impossible_limits(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        Limits(**settings)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cores": -1.0}, "cores=-1.0: give 0 or more"),
        ({"gpus": float("nan")}, "gpus=nan"),
        ({"gpus": 1.5}, "gpus=1.5: give a part of one, or a whole number"),
        ({"megabytes": float("inf")}, "megabytes=inf"),
    ],
)
def test_a_cluster_is_asked_for_nothing_impossible(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        make_executor("ray", Resources(**asked))


# -- executors of somebody's, which lose, double or make up outcomes -------------------------------

Outcomes = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Altering(ThisProcess):
    """Gives something else than what its trials came to."""

    alter: Callable[[Outcomes], Outcomes]

    def outcomes(self, plans: Any, jobs: Any) -> Any:
        return iter(self.alter(list(super().outcomes(plans, jobs))))


@pytest.mark.parametrize(
    ("alter", "said", "kept"),
    [
        (lambda found: found[:2], "gave no outcome of 1 trial: ", 2),
        (lambda found: [], "gave no outcome of 3 trials: ", 0),
        (lambda found: [found[0], found[0]], r"or gave it twice \(seed 0\)", 1),
        (lambda found: [(job, "done") for job, _ in found], "gave str as the outcome", 0),
        (lambda found: [found[0], ("job", found[1][1])], r"not to be run.*\(seed \?\)", 1),
    ],
)
def test_an_executor_loses_doubles_and_makes_up_nothing_unseen(
    toy: Benchmark, tmp_path: Path, alter: Callable[[Outcomes], Outcomes], said: str, kept: int
) -> None:
    store = tmp_path / "r.sqlite"
    with pytest.raises(SuiteError, match=said):
        run(toy, "random", seeds=3, evaluations=4, store=store, executor=Altering(alter))
    with ResultStore(store, read_only=True) as results:
        assert sum(map(len, results.finished_seeds().values())) == kept
    assert run(toy, "random", seeds=3, evaluations=4, store=store).finished == 3 - kept


def test_results_of_other_trials_are_failures(toy: Benchmark, tmp_path: Path) -> None:
    """Where trainings are divided, as each seed has answers of its own."""

    def swap(found: Outcomes) -> Outcomes:
        (one, of_one), (two, of_two) = found
        return [(one, of_two), (two, of_one)]

    store = tmp_path / "r.sqlite"
    found = run(toy, "random", seeds=2, evaluations=4, store=store, executor=Altering(swap))
    assert len(found.failures) == 2
