"""What a process of its own costs a method, and what it is for.

    python tests/benchmarks/workers.py [--seeds 500] [--rounds 3] [--vandal 250]

Runs five black-box methods with so many seeds, in processes of their own and in the calling one,
in turns, and prints the ratio of the times of each turn and their median: 1.2 at most is wanted.
Then runs four methods with so many seeds each, once alone, and once beside a method that writes
into whatever it reaches, with one and with two jobs; each figure of the others must be what it was.
Exit code 1 if one of both does not hold. Times are processor times of all processes that the run
began: what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_suite.runner import run
from nasbench_suite.runner.executors import ThisProcess
from nasbench_suite.runner.processes import Processes
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session

METHODS = "random,local-search,regularized-evolution,successive-halving,reinforce"
BESIDE = "random,local-search,regularized-evolution,reinforce"
MOST = 1.2


@dataclass
class Vandal(Method):
    """Writes into every array that it reaches, and into the classes that it is given."""

    def start(self, session: Session) -> None:
        """Spoil what there is."""
        import gc

        for one in gc.get_objects():
            if isinstance(one, np.ndarray) and one.dtype == np.float64 and one.flags.writeable:
                one += 1.0

    def step(self, session: Session) -> None:
        """Evaluate, and spoil the classes."""
        session.evaluate(session.space.sample(session.rng))
        type(session).evaluate = lambda *_, **__: 100.0  # type: ignore[method-assign]
        type(session.space).sample = lambda *_, **__: 0  # type: ignore[method-assign]


def seconds() -> float:
    """Processor seconds of this process and of those that it waited for."""
    own, theirs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def timed(executor: Any, seeds: int, folder: Path) -> float:
    """The seconds of a run of five methods."""
    begin = seconds()
    store = folder / f"{len(list(folder.iterdir()))}.sqlite"
    run("digits", METHODS, seeds=seeds, evaluations=200, store=store, executor=executor)
    return seconds() - begin


def results(store: Path) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Every figure and evaluation of each trial but the vandal's."""
    with ResultStore(store, read_only=True) as opened:
        trials = opened.trials()
        trials = trials[trials["method"] != "vandal"]
        found = {}
        for row in trials.itertuples():
            record = opened.record(row.trial)
            parts = (record.architectures, record.signals, record.evaluations, record.recommended)
            values = tuple(part.tobytes() for part in parts)
            found[str(row.method), int(row.seed)] = (row.status, row.signal, row.report, *values)
        return found


def main() -> int:
    """Measure both; 1 if one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vandal", type=int, default=250, help="seeds of each of four methods")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        timed(ThisProcess(), 2, folder)  # what is imported once
        ratios = []
        for number in range(options.rounds):
            alone = timed(ThisProcess(), options.seeds, folder)
            apart = timed(Processes(1), options.seeds, folder)
            ratios.append(apart / alone)
            print(
                f"turn {number + 1}: {apart:.1f} s and {alone:.1f} s, {ratios[-1]:.3f}", flush=True
            )
        ratio = statistics.median(ratios) if ratios else 0.0
        print(f"{options.seeds} seeds x 5 methods in processes of their own: x {ratio:.3f}")
        trials = range(options.vandal)
        run("digits", BESIDE, seeds=trials, evaluations=100, store=folder / "truth.sqlite")
        truth, other = results(folder / "truth.sqlite"), 0
        for jobs in (1, 2):
            store = folder / f"beside{jobs}.sqlite"
            one, *others = BESIDE.split(",")
            beside = [one, ("vandal", Vandal()), *others]
            run("digits", beside, seeds=trials, jobs=jobs, evaluations=100, store=store)
            found = results(store)
            changed = sum(found.get(key) != value for key, value in truth.items())
            other += changed + len(found.keys() - truth.keys())
            print(
                f"{len(truth):,} trials beside a vandal, {jobs} jobs: {changed} changed", flush=True
            )
    return int(ratio > MOST or other > 0)


if __name__ == "__main__":
    sys.exit(main())
