"""Measure whether the commands' decisions hold what they state: level, coverage, power.

    python tests/benchmarks/calibration.py --repetitions 400 --store FILE [--store FILE ...]
    python tests/benchmarks/calibration.py --made

Figures are drawn with replacement from the seeds of methods in results files of real tables
(``--store``), or from made distributions that are Gaussian, skewed, tied to four values, or
collapse (``--made``). The drawn figures become trials of a results in memory, and these go through
the functions behind ``leaderboard``, ``compare`` and ``table``; what is counted is what those
print. The table has one row a pool, number of methods and seeds:

- level: boards of equal methods on which any method is called worse than the best;
- coverage: intervals of the interquartile mean that hold the pool's;
- power: of pairs that differ by what ``nasbench seeds`` says shows with 0.8, how many are told
  apart, with the same number of methods on the board;
- equal: of pairs that differ by the noise floor, how many are called equivalent (at most 0.05).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nasbench_suite.analysis.leaderboard import results_leaderboard
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.rows import TaskRow
from nasbench_suite.statistics import interquartile_mean
from nasbench_suite.statistics.planning import detectable_difference

Floats = NDArray[np.float64]

SEEDS = (2, 3, 5, 10, 20, 50)
METHODS = (2, 5, 10)
ALPHA = 0.05


@dataclass(frozen=True)
class Pool:
    """Figures that a method reaches, to draw from; larger is better."""

    name: str
    figures: Floats

    @property
    def center(self) -> float:
        """The interquartile mean that intervals are to hold."""
        return float(interquartile_mean(self.figures))


@dataclass(frozen=True)
class Calibration:
    """What was measured for one pool, number of methods and numbers of seeds."""

    pool: str
    methods: int
    seeds: Sequence[int]
    level: float
    coverage: float
    power: float
    equal: float


def made_pools(rng: np.random.Generator) -> list[Pool]:
    """Distributions of the kinds that searches give."""
    size = 20_000
    collapsed = np.where(rng.random(size) < 0.05, 10.0, rng.normal(94.0, 0.3, size))
    values, chances = [94.37, 94.2, 94.0, 93.1], [0.5, 0.2, 0.2, 0.1]
    return [
        Pool("Gaussian", rng.normal(94.0, 0.3, size)),
        Pool("skewed (exponential)", 94.4 - rng.exponential(0.4, size)),
        Pool("four values", rng.choice(values, size, p=chances)),
        Pool("collapse of 5 %", collapsed),
    ]


def store_pools(path: Path) -> Iterator[Pool]:
    """The figures of every method on every task of a results file."""
    results = read_results(path)
    for (key, method), part in results.finished.groupby(["task_key", "method"], sort=False):
        sign = 1.0 if results.tasks[str(key)].direction == "maximize" else -1.0
        name = f"{method} on {results.names[str(key)]}"
        yield Pool(name, sign * part["report"].to_numpy(dtype=float))


def board_of(samples: Sequence[Floats], floor: float | None = None) -> Results:
    """Results of one task in memory, a method a sample."""
    task = TaskRow(
        key="task",
        name="made",
        benchmark="made for a calibration",
        space="nats-tss",
        dataset=None,
        signal_metric="valid",
        report_metric="test",
        unit="%",
        direction="maximize",
        optimum=100.0,
        noise_floor=floor,
        config={"evaluations": 1.0, "seconds": None},
    )
    rows = [
        ("task", f"m{place:02}", f"m{place:02}", seed, "finished", figure, -1)
        for place, figures in enumerate(samples)
        for seed, figure in enumerate(figures.tolist())
    ]
    columns = ["task_key", "method", "method_key", "seed", "status", "report", "architecture"]
    trials = pd.DataFrame(rows, columns=columns)
    return Results(Path("made"), {"task": task}, {"task": "made"}, trials)


def calibrate(
    pool: Pool,
    methods: int,
    seeds: Sequence[int],
    repetitions: int,
    rng: np.random.Generator,
    *,
    power: bool = True,
) -> Calibration:
    """Draw boards and count decisions.

    Args:
        pool: what all methods draw from; a known difference is subtracted from all but one.
        methods: on a board.
        seeds: of each method; the first number counts for what ``nasbench seeds`` says.
        repetitions: boards.
        rng: of the draws.
        power: whether to measure power and false equivalence, which takes twice as long.
    """
    sd = float(pool.figures.std())
    shown = detectable_difference(sd, seeds[0], methods=methods) if power and sd else np.nan
    called, held, intervals, seen, pairs, equal = 0, 0, 0, 0, 0, 0
    for _ in range(repetitions):
        samples = [rng.choice(pool.figures, seeds[m % len(seeds)]) for m in range(methods)]
        board = results_leaderboard(board_of(samples), confidence=1 - ALPHA)
        called += bool(board["worse"].any())
        known = board.dropna(subset=["low"])
        near = (known["low"] - 1e-6 <= pool.center) & (pool.center <= known["high"] + 1e-6)
        held += int(near.sum())
        intervals += len(known)
        if np.isfinite(shown):
            moved = [samples[0], *(sample - shown for sample in samples[1:])]
            board = results_leaderboard(board_of(moved), confidence=1 - ALPHA)
            if board.loc[board["best"], "method"].iloc[0] == "m00":
                seen += int(board["worse"].sum())
            pairs += methods - 1
            apart = [samples[0], samples[1] - 0.5]
            edge = results_leaderboard(board_of(apart, floor=0.5), confidence=1 - ALPHA)
            equal += bool(edge["equivalent"].any())
    return Calibration(
        pool.name,
        methods,
        tuple(seeds),
        called / repetitions,
        held / intervals if intervals else np.nan,
        seen / pairs if pairs else np.nan,
        equal / repetitions if np.isfinite(shown) else np.nan,
    )


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--store", type=Path, action="append", default=[])
    parser.add_argument("--made", action="store_true", help="made distributions too")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    pools = made_pools(rng) if given.made or not given.store else []
    pools += [pool for path in given.store for pool in store_pools(path)]
    print("| figures | methods | seeds | level | coverage | power | called equal |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for pool in pools:
        for methods in METHODS:
            for seeds in (*((count,) for count in SEEDS), (50, 10)):
                found = calibrate(pool, methods, seeds, given.repetitions, rng)
                shown = " and ".join(map(str, found.seeds))
                figures = (found.level, found.coverage, found.power, found.equal)
                cells = " | ".join("-" if np.isnan(f) else f"{f:.3f}" for f in figures)
                print(f"| {found.pool} | {methods} | {shown} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
