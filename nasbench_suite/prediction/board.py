"""The board of predictors: who learns from how many, tested on what it has not seen.

Every seed draws the architectures that are tested and the order in which others are trained, the
same for all predictors and sizes: what learns from 20 knows the 10 as well. Each entry of a board
is independent of the others, so that it does not depend on the number of processes or on what has
been done before, and a journal keeps what is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.journal import Journal
from nasbench_suite.prediction.ceiling import CEILING, repetitions
from nasbench_suite.prediction.measures import UNDEFINED, measure_all
from nasbench_suite.predictors import Examples, make_predictor
from nasbench_suite.seeding import stream
from nasbench_suite.spreading import count_jobs, spread

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

TESTED = 1000
FEWEST_TESTED = 20
"""A board tests at least so many architectures: of fewer no measure says anything."""
SIZES = (10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Board:
    """What is predicted, and by whom.

    Attributes:
        benchmark: the table.
        metric: the figure that is predicted.
        learnt: the figure that predictors learn from, such as a validation accuracy.
        predictors: name and settings by label.
        sizes: from how many architectures predictors learn.
        seeds: each draws anew.
        tested: how many architectures each seed tests; 0 for all that it does not train at most.
        scores: of zero-cost proxies by name, larger predicts better, shape (space.size,), NaN
            where an architecture has none; it is then left out for all.
        curves: metrics of earlier epochs that predictors may read, first epochs first.
        with_proxies: whether predictors learn from the scores too, as further features.
    """

    benchmark: Benchmark
    metric: str
    learnt: str
    predictors: Mapping[str, tuple[str, Mapping[str, Any]]]
    sizes: tuple[int, ...] = SIZES
    seeds: tuple[int, ...] = tuple(range(20))
    tested: int = TESTED
    scores: Mapping[str, Array] = field(default_factory=dict)
    curves: tuple[str, ...] = ()
    with_proxies: bool = False

    @cached_property
    def pool(self) -> NDArray[np.int64]:
        """The architectures that have all figures and scores."""
        columns = [self.benchmark.values(m) for m in (self.metric, self.learnt, *self.curves)]
        columns += list(self.scores.values())
        found: NDArray[np.int64] = np.flatnonzero(~np.isnan(columns).any(axis=0))
        return found

    def figures(self, metric: str) -> Array:
        """Figures by architecture, larger is better."""
        sign = 1.0 if self.benchmark.metric(metric).direction == "maximize" else -1.0
        return sign * self.benchmark.values(metric)

    @cached_property
    def examples(self) -> Examples:
        """All architectures, as predictors are shown them."""
        curves = extras = None
        if self.curves:
            curves = np.stack([self.figures(metric) for metric in self.curves], axis=1)
        if self.with_proxies and self.scores:
            extras = _ranks(np.stack(list(self.scores.values()), axis=1))
        space = self.benchmark.space
        return Examples(space, np.arange(space.size), curves, extras)

    def draw(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The architectures that a seed trains, as many as the largest size, and those it tests."""
        order = stream(seed, "predict", self.benchmark.space.name).permutation(self.pool)
        most = max(self.sizes, default=0)
        left = len(order) - most
        return order[:most], order[most : most + min(self.tested or left, left)]

    def __getstate__(self) -> dict[str, Any]:
        return {key: self.__dict__[key] for key in self.__dataclass_fields__}

    @property
    def identity(self) -> dict[str, Any]:
        """What an entry of the journal depends on besides predictor, size and seed."""
        import hashlib

        scores = hashlib.sha256()
        for name, values in sorted(self.scores.items()):
            scores.update(name.encode() + np.ascontiguousarray(values, dtype="<f8").tobytes())
        return {
            "benchmark": self.benchmark.checksum,
            "metric": self.metric,
            "learnt": self.learnt,
            "most": max(self.sizes, default=0),
            "tested": self.tested,
            "curves": list(self.curves),
            "scores": scores.hexdigest() if self.scores else None,
            "with_proxies": self.with_proxies,
        }


# What the parts of a board's identity are called.
_TOLD = {
    "benchmark": "benchmark",
    "metric": "metric",
    "learnt": "metric to learn from",
    "most": "largest size",
    "tested": "number tested",
    "curves": "kind of curves",
    "scores": "set of scores",
    "with_proxies": "use of scores by predictors",
}


def _ranks(columns: Array) -> Array:
    """Scores as ranks in [0, 1], the same for all predictors; what has none, or -inf, is last."""
    from scipy.stats import rankdata

    return np.stack(
        [rankdata(np.nan_to_num(one, nan=-np.inf)) / len(one) for one in columns.T], axis=1
    )


def run_board(
    board: Board,
    journal: str | Path | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Everything the board asks for.

    Args:
        board: the board.
        journal: a file that keeps every entry as it is done; the same call goes on with it.
        jobs: processes; results are the same whatever their number, but for the seconds.
        progress: called with the entries done and all of them.

    Returns:
        A row an entry: ``predictor`` (or the proxy, or ``CEILING``), ``kind`` (``predictor``,
        ``proxy`` or ``ceiling``), ``size`` (0 for what learns nothing), ``seed``, ``fit_seconds``,
        ``query_seconds`` (of one architecture), ``tested`` and every measure over every region;
        missing where a predictor cannot learn from so few.

    Raises:
        SuiteError: the journal is of another board, cannot be written or is being written by
            another process; or the number of jobs is impossible.
    """
    import pandas as pd

    jobs = count_jobs(jobs)
    wanted = [(CEILING, 0, seed) for seed in board.seeds]
    wanted += [(name, 0, seed) for name in board.scores for seed in board.seeds]
    wanted += [
        (n, size, seed) for seed in board.seeds for size in board.sizes for n in board.predictors
    ]
    done = {} if journal is None else read_journal(board, journal)
    todo = [key for key in wanted if key not in done]
    finished = len(wanted) - len(todo)
    if progress is not None:
        progress(finished, len(wanted))

    def keep(entry: dict[str, Any], note: Callable[[Mapping[str, Any]], None] | None) -> None:
        nonlocal finished
        done[entry["predictor"], entry["size"], entry["seed"]] = entry
        finished += 1
        if note is not None:
            note(entry)
        if progress is not None:
            progress(finished, len(wanted))

    results = spread(run_entry, ((board, *key) for key in todo), jobs)
    if journal is None:
        for entry in results:
            keep(entry, None)
    else:
        kept = Journal(Path(journal))
        if not kept.begun:
            kept.begin(board.identity)
        with kept.appending() as note:
            for entry in results:
                keep(entry, note)
    rows = [_row(done[key]) for key in wanted if done[key]["kind"] or key[0] != CEILING]
    return pd.DataFrame(rows)


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as a row of figures, which are missing where there was too little to learn from."""
    row = dict(entry)
    measures = row.pop("measures")
    if not row["kind"]:
        return {**row, **_timed("predictor", np.nan, np.nan, 0), **UNDEFINED}
    return {**row, **measures}


def read_journal(board: Board, path: str | Path) -> dict[tuple[str, int, int], dict[str, Any]]:
    """The entries of a board that a journal keeps, by predictor, size and seed.

    Raises:
        SuiteError: the journal is of another board, or cannot be read.
    """
    header, *entries = Journal(Path(path)).entries() or [board.identity]
    if header != board.identity:
        other = [what for key, what in _TOLD.items() if header.get(key) != board.identity[key]]
        raise SuiteError(
            f"Journal {path} is of a board with another {' and another '.join(other)}: give "
            f"another journal, or another folder for them."
        )
    return {(entry["predictor"], entry["size"], entry["seed"]): entry for entry in entries}


def run_entry(board: Board, name: str, size: int, seed: int) -> dict[str, Any]:
    """One entry: a predictor that has learnt from so many, a proxy, or the noise ceiling."""
    from threadpoolctl import threadpool_limits

    entry: dict[str, Any] = {"predictor": name, "size": size, "seed": seed}
    truth, unit = board.figures(board.metric), board.benchmark.metric(board.metric).unit
    trained, tested = board.draw(seed)
    if name == CEILING:
        rng = stream(seed, CEILING)
        found = repetitions(board.benchmark, board.metric, tested, rng)
        if found is None or len(found[0]) < FEWEST_TESTED:
            return {**entry, "kind": "", "measures": {}}
        sign = 1.0 if board.benchmark.metric(board.metric).direction == "maximize" else -1.0
        measures = measure_all(sign * found[2], sign * found[1], unit)
        return {**entry, **_timed("ceiling", 0.0, 0.0, len(found[0])), "measures": measures}
    if name in board.scores and not size:
        measures = measure_all(board.scores[name][tested], truth[tested], unit)
        return {**entry, **_timed("proxy", 0.0, 0.0, len(tested)), "measures": measures}
    kind, settings = board.predictors[name]
    predictor = make_predictor(kind, settings)
    known = trained[:size]
    # One thread: another number could add in another order and change the last bits.
    with threadpool_limits(1):
        if len(known) >= predictor.fewest:
            begun = time.perf_counter()
            rng = stream(seed, "predictor", name, size)
            predictor.fit(board.examples.take(known), board.figures(board.learnt)[known], rng)
            learnt = time.perf_counter()
            predicted = predictor.predict(board.examples.take(tested)).mean
            told = time.perf_counter()
        else:
            return {**entry, "kind": "", "measures": {}}
    measures = measure_all(predicted, truth[tested], unit)
    times = _timed("predictor", learnt - begun, (told - learnt) / len(tested), len(tested))
    return {**entry, **times, "measures": measures}


def _timed(kind: str, fit: float, query: float, tested: int) -> dict[str, Any]:
    return {"kind": kind, "fit_seconds": fit, "query_seconds": query, "tested": tested}
