"""Comparing the methods of a results file: all pairs on each task, and on all tasks together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.leaderboard import figures_at_cut
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.statistics.aggregates import interquartile_mean, stratified_bootstrap
from nasbench_suite.statistics.significance import (
    Friedman,
    bayesian_signed_rank,
    check_level,
    detectable_difference,
    friedman,
    holm,
    probability_of_improvement,
    wilcoxon,
)

if TYPE_CHECKING:
    import pandas as pd

Over = Literal["seeds", "tasks"]
ALL_TASKS = "all tasks"
BEST = "best"
_MOST_PAIRED = 10  # methods of which all pairs are compared unless asked otherwise

PAIR_COLUMNS = (
    *("first", "second", "difference", "low", "high", "p", "p_holm"),
    *("worse", "equal", "better", "improvement", "improvement_low", "improvement_high"),
)


@dataclass(frozen=True)
class Comparison:
    """Methods compared on one task, or on all tasks together.

    Attributes:
        task: name of the task, or ``all tasks``.
        methods: those compared, best mean rank first.
        left_out: methods without figures in every task of the comparison.
        over: what a block is: ``seeds`` (a seed of a task) or ``tasks`` (a task).
        blocks: number of blocks that all methods have.
        unit: of differences: the metric's own, or, over several tasks, each task's noise floor
            (its standard deviation within methods where a floor is unknown).
        rope: half the width of the region of practical equivalence, in that unit.
        alpha: level of the tests and one less the coverage of the intervals.
        friedman: Friedman's and Nemenyi's tests, methods in the order of ``methods``; None with
            fewer than two methods or blocks.
        pairs: one row a pair, the better mean rank ``first``; differences are turned so that
            a positive one means that ``first`` is better. ``difference``, ``low``, ``high``:
            interquartile mean of the blocks' differences with its bootstrap interval; ``p`` and
            ``p_holm``: Wilcoxon's signed-rank test, as it is and adjusted for all pairs;
            ``worse``, ``equal``, ``better``: Bayesian signed-rank test; ``improvement`` with
            its ends: the probability that a run of ``first`` beats one of ``second``.
        detectable: smallest difference of two means that so many blocks show with a power of
            0.8 (see ``detectable_difference``), missing with one block.
    """

    task: str
    methods: tuple[str, ...]
    left_out: tuple[str, ...]
    over: Over
    blocks: int
    unit: str
    rope: float
    alpha: float
    friedman: Friedman | None
    pairs: pd.DataFrame
    detectable: float


def compare(
    store: str | Path,
    *,
    methods: Sequence[str] | None = None,
    against: str | None = None,
    over: Over = "seeds",
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    rope: float | None = None,
    alpha: float = 0.05,
    resamples: int = 2000,
) -> list[Comparison]:
    """Which methods differ, by how much, and how sure that is.

    Over seeds, each task is compared by itself and then, if there are several, all together; a
    claim then holds for these tasks. Over tasks, a task counts once, by the interquartile mean
    of its seeds, and a claim holds for tasks like these; that needs many of them.

    Args:
        store: a results file.
        methods: which to compare; by default all.
        against: one method that all others are compared with, or ``best`` for the one of best
            mean rank; by default all pairs are compared, or, of more than ten methods, all others
            with the best.
        over: ``seeds`` or ``tasks``.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        evaluations: look at the searches after this many full evaluations.
        seconds: look at the searches after this many simulated training seconds.
        rope: differences below this are practically nothing; in the metric's unit, or in noise
            floors over several tasks. By default the noise floor, 0 where it is unknown.
        alpha: level of the tests; intervals cover 1 - alpha.
        resamples: number of bootstrap resamples.

    Returns:
        One comparison a task in the order they were first run, then that of all tasks.

    Raises:
        SuiteError: the file cannot be read, there is no such method, or there are fewer than two
            methods, or fewer than two tasks to compare over.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_comparisons(
        results,
        methods=methods,
        against=against,
        over=over,
        evaluations=evaluations,
        seconds=seconds,
        rope=rope,
        alpha=alpha,
        resamples=resamples,
    )


def results_comparisons(
    results: Results,
    *,
    methods: Sequence[str] | None = None,
    against: str | None = None,
    over: Over = "seeds",
    evaluations: float | None = None,
    seconds: float | None = None,
    rope: float | None = None,
    alpha: float = 0.05,
    resamples: int = 2000,
) -> list[Comparison]:
    """As ``compare``, of results already read."""
    check_level(alpha)
    if over not in ("seeds", "tasks"):
        raise SuiteError(choose_from("block", over, ["seeds", "tasks"]))
    blocks = method_blocks(results, evaluations=evaluations, seconds=seconds, methods=methods)
    known = sorted({name for block in blocks.values() for name in block.columns})
    if len(known) < 2:
        raise SuiteError(
            f"A comparison needs two methods, but there is {', '.join(known) or 'none'} alone: "
            f"run another with `nasbench run`, or name more of them."
        )
    if against not in (None, BEST) and against not in known:
        raise SuiteError(choose_from("method to compare with", str(against), known))
    if against is None and len(known) > _MOST_PAIRED:
        against = BEST
    settings = {"against": against, "rope": rope, "alpha": alpha, "resamples": resamples}
    found = []
    if over == "seeds":
        for key, block in blocks.items():
            if len(block.columns) < 2:  # others may have more
                continue
            task = results.tasks[key]
            floor = task.noise_floor or 0.0
            unit = "points" if task.unit == "%" else task.unit
            found.append(
                _compare(results.names[key], {key: block}, known, "seeds", unit, floor, settings)
            )
        everywhere = set.intersection(*(set(block.columns) for block in blocks.values()))
        if found and (len(blocks) == 1 or len(everywhere) < 2):
            return found
    elif len(blocks) < 2:
        raise SuiteError("A comparison over tasks needs two of them or more: run another task.")
    floors = {key: results.tasks[key].noise_floor or 0.0 for key in blocks}
    by_floor = all(floors.values())
    unit = "noise floors" if by_floor else "standard deviations"
    scaled = {
        key: block / (floors[key] if by_floor else _within(block)) for key, block in blocks.items()
    }
    if over == "tasks":
        scaled = {ALL_TASKS: _task_figures(scaled)}
    found.append(_compare(ALL_TASKS, scaled, known, over, unit, float(by_floor), settings))
    return found


def method_blocks(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    methods: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """The figure of each method at each seed, by task key, turned so that larger is better.

    Rows are seeds, columns methods by name; trials without a figure are missing. A method
    without any figure on a task has no column there.

    Raises:
        SuiteError: there is no such method, no task ran for so long, or no trial has a figure.
    """
    trials = figures_at_cut(results, evaluations, seconds)
    known = sorted(trials["method"].unique())
    for method in methods or ():
        if method not in known:
            raise SuiteError(choose_from("method with results", method, known))
    if methods is not None:
        trials = trials[trials["method"].isin(list(methods))]
    found = {}
    for key, part in trials.dropna(subset=["figure"]).groupby("task_key", sort=False):
        sign = 1.0 if results.tasks[str(key)].direction == "maximize" else -1.0
        found[str(key)] = sign * part.pivot(index="seed", columns="method", values="figure")
    if not found:
        raise SuiteError(
            f"{results.path} has no finished trial to compare: see why trials failed in its column "
            f"trials.message, or run more with `nasbench run`."
        )
    return found


def _compare(
    name: str,
    blocks: dict[str, pd.DataFrame],
    known: Sequence[str],
    over: Over,
    unit: str,
    floor: float,
    settings: dict[str, Any],
) -> Comparison:
    """Compare the methods that every block table has."""
    everywhere = [m for m in known if all(m in block.columns for block in blocks.values())]
    if len(everywhere) < 2:
        raise SuiteError(f"Fewer than two methods have results on {name}: run more of them there.")
    runs = {m: [block[m].dropna().to_numpy() for block in blocks.values()] for m in everywhere}
    strata = [block[everywhere].dropna().to_numpy() for block in blocks.values()]
    paired = np.concatenate(strata)
    test, order = None, list(range(len(everywhere)))
    if len(paired) >= 2:
        test = friedman(paired, settings["alpha"])
        order = np.argsort(test.mean_ranks, kind="stable").tolist()
        test = replace(
            test, mean_ranks=test.mean_ranks[order], pairs=test.pairs[np.ix_(order, order)]
        )
    strata = [stratum[:, order] for stratum in strata if len(stratum)]
    ordered = [everywhere[position] for position in order]
    rope = floor if settings["rope"] is None else settings["rope"]
    deviation = np.sqrt(
        np.mean([np.var(run, ddof=1) for m in ordered for run in runs[m] if len(run) > 1] or [0.0])
    )
    return Comparison(
        task=name,
        methods=tuple(ordered),
        left_out=tuple(m for m in known if m not in everywhere),
        over=over,
        blocks=len(paired),
        unit=unit,
        rope=rope,
        alpha=settings["alpha"],
        friedman=test,
        pairs=_pairs(ordered, runs, strata, rope, settings),
        detectable=detectable_difference(float(deviation), len(paired), alpha=settings["alpha"])
        if len(paired) > 1
        else np.nan,
    )


def _pairs(
    methods: Sequence[str],
    runs: dict[str, list[NDArray[np.float64]]],
    strata: Sequence[NDArray[np.float64]],
    rope: float,
    settings: dict[str, Any],
) -> pd.DataFrame:
    import pandas as pd

    against, confidence = settings["against"], 1.0 - settings["alpha"]
    wanted = methods[0] if against == BEST else against
    pairs = [
        (one, other)
        for one in range(len(methods))
        for other in range(one + 1, len(methods))
        if wanted is None or wanted in (methods[one], methods[other])
    ]
    rows = []
    for one, other in pairs:
        first, second = methods[one], methods[other]
        row: dict[str, Any] = {"first": first, "second": second}
        if strata:
            differences = [stratum[:, one] - stratum[:, other] for stratum in strata]
            pooled = np.concatenate(differences)
            row["difference"] = interquartile_mean(pooled)
            row["low"], row["high"] = stratified_bootstrap(
                differences, confidence=confidence, resamples=settings["resamples"]
            )
            row["p"] = float(wilcoxon(pooled))
            posterior = bayesian_signed_rank(pooled, rope)
            row.update(worse=posterior.worse, equal=posterior.equal, better=posterior.better)
        chance, low, high = probability_of_improvement(
            runs[first], runs[second], confidence=confidence, resamples=settings["resamples"]
        )
        row.update(improvement=chance, improvement_low=low, improvement_high=high)
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
    numbers = [name for name in PAIR_COLUMNS if name not in ("first", "second")]
    frame[numbers] = frame[numbers].astype(float)
    frame["p_holm"] = holm(frame["p"])
    return frame


def _within(block: pd.DataFrame) -> float:
    """Standard deviation over seeds, pooled over methods; 1 where there is no spread."""
    variance = float(block.var(ddof=1).mean())
    return np.sqrt(variance) if variance > 0 else 1.0


def _task_figures(blocks: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The interquartile mean over seeds, a task a row; tasks that miss a method are incomplete."""
    import pandas as pd

    return pd.DataFrame(
        [
            {m: interquartile_mean(block[m].dropna().to_numpy()) for m in block.columns}
            for block in blocks.values()
        ]
    )
