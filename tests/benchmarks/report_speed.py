"""Time the HTML report of a large results file, made up for the purpose.

python tests/benchmarks/report_speed.py --methods 50 --tasks 20 --seeds 500
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
from made import ENVIRONMENT, made_task

from nasbench_suite.analysis.results import read_results
from nasbench_suite.rows import MethodRow
from nasbench_suite.store import ResultStore
from reports.html.report import write_report

_REST = ("finished", "2000-01-01", 0.1, 200, 200.0, 0.0, 0)
_CHANGES = 8  # of a trial's incumbent


def make_store(path: Path, methods: int, tasks: int, seeds: int) -> None:
    """A results file with as many trials, whose regrets shrink with the budget."""
    rng = np.random.default_rng(0)
    with ResultStore(path) as store:
        environment = store.add_environment(ENVIRONMENT)
        task_ids = [
            store.add_task(
                made_task(
                    key=f"task{number}",
                    name=f"bench{number // 4}/set{number % 4}",
                    benchmark=f"bench{number // 4}",
                    dataset=f"set{number % 4}",
                    optimum=95.0,
                    noise_floor=0.3,
                    config={"evaluations": 200.0, "seconds": None},
                )
            )
            for number in range(tasks)
        ]
        method_ids = [
            store.add_method(
                MethodRow(key=f"key{number}", label=f"method-{number:02}", name="method", config={})
            )
            for number in range(methods)
        ]
    connection = sqlite3.connect(path)
    spent = np.geomspace(1, 200, _CHANGES).round()
    trial = 0
    for task in task_ids:
        trials, changes = [], []
        for place, method in enumerate(method_ids):
            regrets = rng.gamma(2.0, 1.0 + 0.02 * place, size=(seeds, 1)) * (
                10.0 / spent**0.5 * np.sort(rng.uniform(0.7, 1.3, size=(seeds, _CHANGES)))[:, ::-1]
            )
            figures = (95.0 - regrets).round(3)
            for seed, row in enumerate(figures.tolist()):
                trial += 1
                trials.append((trial, task, method, seed, environment, *_REST, row[-1], row[-1]))
                changes += [
                    (trial, int(at), at, 0.0, 0, figure, figure)
                    for at, figure in zip(spent.tolist(), row, strict=True)
                ]
        connection.executemany(
            "INSERT INTO trials (id, task_id, method_id, seed, environment_id, status, "
            "finished_at, wall_seconds, trainings, evaluations, seconds, architecture, signal, "
            "report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            trials,
        )
        connection.executemany("INSERT INTO incumbents VALUES (?, ?, ?, ?, ?, ?, ?)", changes)
        connection.execute("UPDATE totals SET rows = (SELECT count(*) FROM trials)")
        connection.commit()
    connection.close()


def main() -> None:
    """Make, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="Keep the results file and the page here.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        store = folder / "large.sqlite"
        if not store.exists():
            make_store(store, given.methods, given.tasks, given.seeds)
        begin = time.perf_counter()
        count = len(read_results(store).trials)
        read = time.perf_counter() - begin
        begin, begin_cpu = time.perf_counter(), time.process_time()
        write_report(store, folder / "report.html")
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        size = (folder / "report.html").stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{count:,} trials: read in {read:.1f} s, report in {seconds:.1f} s "
        f"({cpu:.1f} s of processor time), {size:.1f} MB, peak memory {peak:.2f} GB"
    )


if __name__ == "__main__":
    main()
