"""Measure what a leaderboard of a million trials costs once they are read.

    python tests/benchmarks/board_speed.py --tasks 20 --methods 10 --seeds 5000

Processor seconds of the boards of each task and of all together, and the most memory held, that
of the interpreter, its libraries and the trials included.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from nasbench_suite.analysis.leaderboard import results_leaderboard, results_overall
from nasbench_suite.analysis.results import Results
from nasbench_suite.rows import TaskRow


def made_results(tasks: int, methods: int, seeds: int) -> Results:
    """Trials in memory, as a results file of that size is read."""
    rng = np.random.default_rng(0)
    rows = {
        f"t{place}": TaskRow(
            key=f"t{place}",
            name=f"task {place}",
            benchmark="made",
            space="nats-tss",
            dataset=None,
            signal_metric="valid",
            report_metric="test",
            unit="%",
            direction="maximize",
            optimum=100.0,
            noise_floor=0.5,
            config={"evaluations": 1.0, "seconds": None},
            measure={"objectives": []},  # no table to look for
        )
        for place in range(tasks)
    }
    count = tasks * methods * seeds
    names = np.array([f"m{place}" for place in range(methods)], dtype=object)
    method = np.tile(np.repeat(np.arange(methods), seeds), tasks)
    trials = pd.DataFrame(
        {
            "trial": np.arange(count),
            "task_key": np.repeat(np.array(list(rows), dtype=object), methods * seeds),
            "method": names[method],
            "method_key": names[method],
            "seed": np.tile(np.arange(seeds), tasks * methods),
            "status": "finished",
            "report": rng.normal(94.0, 0.5, count) + 0.05 * method,
            "architecture": rng.integers(15_625, size=count),
            "evaluations": 1.0,
            "seconds": 0.0,
            "unavailable": 0,
        }
    )
    return Results(Path("made"), rows, {key: row.name for key, row in rows.items()}, trials)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (("tasks", 20), ("methods", 10), ("seeds", 5000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    results = made_results(given.tasks, given.methods, given.seeds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, board in (("tasks", results_leaderboard), ("all together", results_overall)):
        begin = time.process_time()
        board(results)
        print(f"{name}: {time.process_time() - begin:.1f} s")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(results.trials):,} trials; most memory {most:.0f} MB, {before:.0f} MB before")


if __name__ == "__main__":
    main()
