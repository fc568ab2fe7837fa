"""The leaderboard: what each method reached on each task, and on all tasks together."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.analysis.curves import ROUNDING
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.aggregates import (
    interquartile_mean,
    mean_ranks,
    ranks,
    stratified_bootstrap,
)

if TYPE_CHECKING:
    import pandas as pd


def leaderboard(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> pd.DataFrame:
    """What each method reached on each task, best first.

    Every figure is the reported metric of the architecture that a search would have returned at
    the end of its budget, or, with ``evaluations`` or ``seconds``, once it had spent that much.
    Tasks whose own budget is smaller are then left out; a search that ended earlier on its own
    counts with what it had.

    Args:
        store: a results file.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        evaluations: look at the searches after this many full evaluations.
        seconds: look at the searches after this many simulated training seconds.
        confidence: of the bootstrap intervals.
        resamples: number of bootstrap resamples.

    Returns:
        One row a task and method, tasks in the order they were first run, methods by
        interquartile mean (IQM). Figures and regrets are in ``unit``.

        - ``task`` (readable, with its budget), ``method``;
        - ``seeds``: trials behind the figures; ``failed``: trials that failed; ``undecided``:
          finished trials that had no incumbent yet at the cut;
        - ``mean``, ``std`` (over n - 1; missing with one seed), ``median``, ``iqm``, and ``low``
          and ``high``, the ends of the IQM's bootstrap interval (missing with one seed);
        - ``regret``: mean distance from ``optimum``, the best figure in the whole space;
        - ``rank``: of the IQM among the task's methods, equals sharing the mean of their ranks;
        - ``mean_rank``: mean over seeds of the rank among methods at the same seed, over the
          ``common_seeds`` that all methods finished;
        - ``best``: rank 1; ``tied``: not best, but its IQM is less than ``noise_floor`` from the
          best one's; ``at_optimum``: ``regret`` is less than ``noise_floor``. Both are false
          where the floor is unknown (missing);
        - the task: ``optimum``, ``noise_floor``, ``metric``, ``unit``, ``direction``,
          ``benchmark``, ``dataset``, ``task_key``; and ``method_key``.

    Raises:
        SuiteError: no such results, or no task ran for as long as the cut.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_leaderboard(
        results,
        evaluations=evaluations,
        seconds=seconds,
        confidence=confidence,
        resamples=resamples,
    )


def results_leaderboard(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> pd.DataFrame:
    """As ``leaderboard``, of results already read."""
    import pandas as pd

    trials = figures_at_cut(results, evaluations, seconds)
    trials["failed"] = trials["status"] == "failed"
    trials["undecided"] = ~trials["failed"] & trials["figure"].isna()
    trials["regret"] = _regrets(results, trials)
    counts = trials.groupby(["task_key", "method"], sort=False).agg(
        method_key=("method_key", "first"),
        seeds=("figure", "count"),
        failed=("failed", "sum"),
        undecided=("undecided", "sum"),
        mean=("figure", "mean"),
        std=("figure", "std"),
        median=("figure", "median"),
        regret=("regret", "mean"),
    )
    counts = counts.join(_intervals(trials, confidence, resamples))
    parts = []
    for key, task in results.tasks.items():
        if key not in counts.index:  # its budget is smaller than the cut
            continue
        part = counts.loc[key].reset_index()
        part["rank"] = ranks(_rounded(part["iqm"], task.optimum), task.direction)
        part["mean_rank"], part["common_seeds"] = _paired_ranks(
            trials[trials["task_key"] == key], list(part["method"]), task.direction
        )
        part["best"] = part["rank"] == part["rank"].min()
        floor = np.nan if task.noise_floor is None else task.noise_floor
        behind = part.loc[part["best"], "iqm"].mean() - part["iqm"]
        part["tied"] = (behind.abs() < floor) & ~part["best"]
        part["at_optimum"] = part["regret"] < floor
        part = part.assign(
            task=results.names[key],
            optimum=task.optimum,
            noise_floor=floor,
            metric=task.report_metric,
            unit=task.unit,
            direction=task.direction,
            benchmark=task.benchmark,
            dataset=task.dataset,
            task_key=key,
        )
        parts.append(part.sort_values(["rank", "method"], kind="stable"))
    rows = pd.concat(parts, ignore_index=True)
    return rows[list(_COLUMNS)]


_COLUMNS = (
    *("task", "method", "seeds", "failed", "undecided", "mean", "std", "median"),
    *("iqm", "low", "high", "regret", "rank", "mean_rank", "common_seeds"),
    *("best", "tied", "at_optimum", "optimum", "noise_floor", "metric", "unit", "direction"),
    *("benchmark", "dataset", "task_key", "method_key"),
)


def overall_leaderboard(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> pd.DataFrame:
    """What each method reached on all tasks together, best first.

    The score of a trial is the share of a regret it took away, 1 at the task's optimum and 0 at
    the mean regret of the worst method there; it may be negative. It depends on what methods
    are compared, and only those with results on every task are.

    Args:
        store: a results file; for the other arguments see ``leaderboard``.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        evaluations: look at the searches after this many full evaluations.
        seconds: look at the searches after this many simulated training seconds.
        confidence: of the bootstrap intervals.
        resamples: number of bootstrap resamples.

    Returns:
        One row a method, by score: ``method``, ``tasks`` with results, ``seeds`` over all of
        them, ``score`` (IQM over tasks and seeds), ``low`` and ``high`` (stratified bootstrap,
        tasks as strata), and ``mean_rank`` over tasks. A method that lacks a task comes last,
        without figures.

    Raises:
        SuiteError: as ``leaderboard``.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_overall(
        results,
        evaluations=evaluations,
        seconds=seconds,
        confidence=confidence,
        resamples=resamples,
    )


def results_overall(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> pd.DataFrame:
    """As ``overall_leaderboard``, of results already read."""
    import pandas as pd

    trials = figures_at_cut(results, evaluations, seconds)
    trials["regret"] = _regrets(results, trials)
    everyone = sorted(trials["method"].unique())
    keys = list(trials["task_key"].unique())
    regrets: dict[str, dict[str, NDArray[np.float64]]] = {method: {} for method in everyone}
    groups = trials.dropna(subset=["regret"]).groupby(["method", "task_key"])["regret"]
    for (method, key), values in groups:
        regrets[str(method)][str(key)] = values.to_numpy()
    complete = [method for method in everyone if len(regrets[method]) == len(keys)]
    worst = {
        key: max((float(regrets[method][key].mean()) for method in complete), default=0.0)
        for key in keys
    }
    iqms = np.array(
        [
            _rounded(
                [interquartile_mean(regrets[method][key]) for method in complete],
                results.tasks[key].optimum,
            )
            for key in keys
        ]
    )
    mean_rank = dict(zip(complete, mean_ranks(iqms, "minimize"), strict=True))
    rows: list[dict[str, Any]] = []
    for method in everyone:
        row: dict[str, Any] = {
            "method": method,
            "tasks": len(regrets[method]),
            "seeds": sum(map(len, regrets[method].values())),
        }
        if method in mean_rank:
            # Where even the worst method always finds the optimum, nothing is left to take away.
            scores = [1.0 - regrets[method][key] / (worst[key] or 1.0) for key in keys]
            row["score"] = interquartile_mean(np.concatenate(scores))
            row["low"], row["high"] = stratified_bootstrap(
                scores, confidence=confidence, resamples=resamples
            )
            row["mean_rank"] = mean_rank[method]
        rows.append(row)
    columns = ["method", "tasks", "seeds", "score", "low", "high", "mean_rank"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(
        ["score", "method"], ascending=[False, True], kind="stable", ignore_index=True
    )


def figures_at_cut(
    results: Results, evaluations: float | None, seconds: float | None
) -> pd.DataFrame:
    """The trials with their ``figure`` at the cut, missing where there is none.

    Raises:
        SuiteError: no task ran for so long, or the cut is no number > 0.
    """
    asked = {"evaluations": evaluations, "seconds": seconds}
    cuts = {kind: cut for kind, cut in asked.items() if cut is not None}
    if not cuts:
        return results.trials.assign(figure=results.trials["report"].astype(float))
    trials, changes = results.trials, results.incumbents
    for kind, cut in cuts.items():
        if not (np.isfinite(cut) and cut > 0):
            raise SuiteError(f"A cut after {cut} {kind} is impossible: give a number > 0.")
        spent = trials.groupby("task_key")[kind].max()
        longest = {
            key: task.config.get(kind) or spent.get(key, 0.0) for key, task in results.tasks.items()
        }
        trials = trials[trials["task_key"].map(longest) >= cut]
        changes = changes[changes[kind] <= cut + ROUNDING]
    if not len(trials):
        wanted = " and ".join(f"{cut:,.10g} {kind}" for kind, cut in cuts.items())
        raise SuiteError(
            f"No task ran for {wanted} ({'; '.join(results.names.values())}): "
            f"look at an earlier budget, or run with a larger one."
        )
    figures = changes.groupby("trial")["report"].last()
    return trials.assign(figure=trials["trial"].map(figures))


def _regrets(results: Results, trials: pd.DataFrame) -> pd.Series[float]:
    """The regret of each trial's ``figure``."""
    keys = trials["task_key"]
    optima = keys.map({key: task.optimum for key, task in results.tasks.items()})
    signs = keys.map(
        {key: 1.0 if task.direction == "maximize" else -1.0 for key, task in results.tasks.items()}
    )
    return signs * (optima - trials["figure"])


def _rounded(values: ArrayLike, optimum: float) -> NDArray[np.float64]:
    """Figures to seven digits of the optimum, single precision, so that equals rank as equals.

    Many tables were stored in single precision, and means of equal figures differ by rounding.
    """
    array = np.asarray(values, dtype=np.float64)
    magnitude = abs(optimum) or np.abs(array).max(initial=0.0, where=np.isfinite(array)) or 1.0
    return array.round(6 - int(np.floor(np.log10(magnitude))))


def _intervals(trials: pd.DataFrame, confidence: float, resamples: int) -> pd.DataFrame:
    """IQM and the ends of its interval, by task key and method; those with figures alone.

    Groups with the same number of seeds are resampled together.
    """
    import pandas as pd

    by_size = defaultdict(list)
    for name, figures in trials.dropna(subset=["figure"]).groupby(["task_key", "method"])["figure"]:
        by_size[len(figures)].append((name, figures.to_numpy()))
    rows: dict[Any, tuple[float, float, float]] = {}
    for size, members in by_size.items():
        values = np.stack([figures for _, figures in members], axis=1)
        low, high = stratified_bootstrap([values], confidence=confidence, resamples=resamples)
        if size == 1:
            low = high = np.full(len(members), np.nan)
        iqm = interquartile_mean(values, axis=0)
        for (name, _), *row in zip(members, iqm, low, high, strict=True):
            rows[name] = tuple(row)
    index = pd.MultiIndex.from_tuples(list(rows), names=["task_key", "method"])
    return pd.DataFrame(list(rows.values()), index, ["iqm", "low", "high"], dtype=float)


def _paired_ranks(
    trials: pd.DataFrame, methods: list[str], direction: str
) -> tuple[NDArray[np.float64], int]:
    """Mean rank of each method over the seeds that all have, and how many these are.

    Methods without any figure do not take part.
    """
    table = trials.pivot_table(index="seed", columns="method", values="figure")
    complete = table.dropna()
    if not len(complete):
        return np.full(len(methods), np.nan), 0
    found = dict(zip(table.columns, mean_ranks(complete.to_numpy(), direction), strict=True))
    return np.array([found.get(method, np.nan) for method in methods]), len(complete)
