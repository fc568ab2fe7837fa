"""Measure what commands cost on results files of millions of trials.

    python tests/benchmarks/board_speed.py --tasks 100 --methods 10 --seeds 10000 \
        leaderboard table "compare --resamples 20"

Writes a file of made trials, runs each command of ``nasbench`` on it in a process of its own, and
prints its processor seconds and the most memory that it held. The file is deleted at the end.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from made import ENVIRONMENT, made_task

from nasbench_suite.rows import MethodRow
from nasbench_suite.store import ResultStore, seals

_COLUMNS = [*seals.TRIAL, "finished_at", "seal"]


def write_store(path: Path, tasks: int, methods: int, seeds: int) -> None:
    """A results file of finished trials without records, sealed as any."""
    rng = np.random.default_rng(0)
    with ResultStore(path) as store:
        environment = store.add_environment(ENVIRONMENT)
        numbers = [
            store.add_method(MethodRow(key=f"m{place}", label=f"m{place}", name="m", config={}))
            for place in range(methods)
        ]
        for place in range(tasks):
            task = store.add_task(
                made_task(key=f"t{place}", name=f"task {place}", dataset=f"d{place}")
            )
            for rank, method in enumerate(numbers):
                reports = rng.normal(94.0, 0.5, seeds) + 0.05 * rank
                _add(store, reports, rng, task_id=task, method_id=method, environment=environment)


def _add(
    store: ResultStore,
    reports: np.ndarray,
    rng: np.random.Generator,
    *,
    task_id: int,
    method_id: int,
    environment: int,
) -> None:
    """The trials of one task and method, in one transaction."""
    count = len(reports)
    same = {
        "task_id": task_id,
        "method_id": method_id,
        "environment_id": environment,
        "code_id": None,
        "status": "finished",
        "message": None,
        "wall_seconds": 0.0,
        "trainings": 1,
        "evaluations": 1.0,
        "seconds": 0.0,
        "unavailable": 0,
    }
    rows = {
        **{name: [value] * count for name, value in same.items()},
        "seed": list(range(count)),
        "architecture": rng.integers(15_625, size=count).tolist(),
        "signal": reports.tolist(),
        "report": reports.tolist(),
    }
    sealed = seals.seal_rows(rows, seals.TRIAL)
    rows |= {"finished_at": [""] * count, "seal": sealed.view(np.int64).tolist()}
    with store.reading() as connection:
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO trials ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
            zip(*(rows[name] for name in _COLUMNS), strict=True),
        )
        ((known, total),) = connection.execute("SELECT rows, seal FROM totals").fetchall()
        connection.execute(
            "UPDATE totals SET rows = ?, seal = ?",
            (known + count, seals.add_stored(total, seals.as_stored(sealed))),
        )
        connection.execute("COMMIT")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (("tasks", 20), ("methods", 10), ("seeds", 5000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("commands", nargs="*", default=["leaderboard"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "made.sqlite"
        write_store(store, given.tasks, given.methods, given.seeds)
        trials = given.tasks * given.methods * given.seeds
        print(f"{trials:,} trials, {store.stat().st_size / 1e6:,.0f} MB")
        for command in given.commands:
            words = [sys.executable, "-m", "nasbench_suite", *shlex.split(command)]
            child = subprocess.Popen([*words, "--store", str(store)], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            spent = usage.ru_utime + usage.ru_stime
            code = os.waitstatus_to_exitcode(status)
            print(f"{command}: {spent:.1f} s, {usage.ru_maxrss / 1024:.0f} MB, exit code {code}")


if __name__ == "__main__":
    main()
