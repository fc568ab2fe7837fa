"""Anytime curves: how good a search's incumbent was at any budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.analysis.results import ROUNDING, Results, read_results
from nasbench_suite.analysis.samples import anchors
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.statistics.aggregates import regret
from nasbench_suite.statistics.estimates import estimates, interval_ends
from nasbench_suite.statistics.simultaneous import simultaneous_band
from nasbench_suite.tasks.methods import find_label

if TYPE_CHECKING:
    import pandas as pd

BudgetKind = Literal["evaluations", "seconds"]

_POINTS = 200  # budgets at which a curve is taken, unless they are given


def figures_at(
    trials: ArrayLike,
    spent: ArrayLike,
    figures: ArrayLike,
    budgets: ArrayLike,
    count: int | None = None,
) -> NDArray[np.float64]:
    """The figure of each trial's incumbent at each budget, all trials at once.

    The step function of a trial holds the figure of the last incumbent whose ``spent`` does not
    exceed the budget; after the trial's end it stays where it is.

    Args:
        trials: number of the trial of each change of incumbents, in [0, count), shape (n,).
        spent: budget spent when the incumbent changed, shape (n,), ascending in each trial.
        figures: figure of the new incumbent, shape (n,).
        budgets: ascending, shape (m,).
        count: number of trials; by default one more than the largest in ``trials``.

    Returns:
        Shape (count, m); NaN before a trial's first incumbent.
    """
    rows = np.asarray(trials, dtype=np.intp)
    grid = np.asarray(budgets, dtype=np.float64)
    count = int(rows.max(initial=-1)) + 1 if count is None else count
    # The first budget that covers each change; of several changes there, the last one counts.
    columns = np.searchsorted(grid + ROUNDING, np.asarray(spent, dtype=np.float64))
    within = columns < len(grid)
    changes = np.flatnonzero(within)
    latest = np.full((count, len(grid)), -1, dtype=np.intp)
    np.maximum.at(latest, (rows[within], columns[within]), changes)
    np.maximum.accumulate(latest, axis=1, out=latest)
    padded = np.append(np.asarray(figures, dtype=np.float64), np.nan)  # -1 points to the NaN
    return padded[latest]


def anytime_curves(
    store: str | Path,
    *,
    by: BudgetKind = "evaluations",
    budgets: ArrayLike | None = None,
    benchmark: str | None = None,
    dataset: str | None = None,
    confidence: float = 0.95,
    simultaneous: bool = False,
) -> pd.DataFrame:
    """Interquartile mean over seeds of the incumbent's regret, against the budget spent.

    Args:
        store: a results file.
        by: what the budget is counted in.
        budgets: ascending budgets to look at; by default about 200, at equal ratios,
            from the first evaluation to the most that a trial of the task has spent.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        confidence: of the intervals.
        simultaneous: whether each curve's intervals are to hold at all budgets at once, rather than
            at each by itself (see ``simultaneous.simultaneous_band``).

    Trials that failed count, at every budget, with what a failure counts as on the leaderboard.

    Returns:
        One row a task, method and budget, in that order, from the budget on at which every
        finished trial of the method has an incumbent: ``task``, ``method``, ``budget``,
        ``regret``, ``low``, ``high`` (missing with a single seed), ``seeds``, and the task's
        ``unit`` and ``noise_floor``.

    Raises:
        SuiteError: no such results, or simulated seconds are asked for and unknown.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_curves(
        results,
        by=by,
        budgets=budgets,
        confidence=confidence,
        simultaneous=simultaneous,
    )


def results_curves(
    results: Results,
    *,
    by: BudgetKind = "evaluations",
    budgets: ArrayLike | None = None,
    confidence: float = 0.95,
    simultaneous: bool = False,
) -> pd.DataFrame:
    """As ``anytime_curves``, of results already read."""
    import pandas as pd

    from nasbench_suite.analysis.shown import shown

    if by not in ("evaluations", "seconds"):
        raise SuiteError(choose_from("budget", by, ["evaluations", "seconds"]))
    parts = []
    for key, task in results.tasks.items():
        trials = results.trials_on(key)
        failed = (trials["status"] == "failed").to_numpy()
        longest = trials.loc[~failed, by].max()
        if not longest > 0:  # no finished trial, or no training times
            continue
        changes = results.incumbents_on(key)
        grid = _default_budgets(changes[by], longest) if budgets is None else np.asarray(budgets)
        rows = pd.Index(trials["trial"]).get_indexer(changes["trial"])
        reached = figures_at(rows, changes[by], changes["report"], grid, len(trials))
        if failed.any():
            known = trials.loc[~failed, "report"].to_numpy(dtype=float)
            reached[failed] = anchors(task).failure(known, task.direction)
        reference = results.reference(key)
        regrets = regret(reached, reference, task.direction)
        least, greatest = sorted(regret(task.bounds, reference, task.direction))
        for method, members in trials.groupby("method").indices.items():
            defined = ~np.isnan(regrets[members]).any(axis=0)
            values = regrets[members][:, defined]
            if simultaneous and defined.any():
                means, low, high = simultaneous_band(values, confidence)
            else:
                means, errors, freedoms = estimates(values)
                low, high = interval_ends(means, errors, freedoms, confidence)
            low, high = np.maximum(low, least), np.minimum(high, greatest)
            parts.append(
                pd.DataFrame(
                    {
                        "task": results.names[key],
                        "method": method,
                        "budget": grid[defined].astype(float),
                        "regret": means,
                        "low": low,
                        "high": high,
                        "seeds": len(members),
                        "unit": task.unit,
                        "noise_floor": np.nan if task.noise_floor is None else task.noise_floor,
                    }
                )
            )
    if not parts:
        mend = "choose evaluations, which every benchmark has"
        if by == "evaluations":
            mend = "what methods with a supernet would derive, `nasbench figure derived` draws"
        raise SuiteError(
            f"{results.path} has no finished trial with {by} to draw: {mend}; or run more with "
            f"`nasbench run`."
        )
    main = "method budget regret low high seeds"
    return shown(pd.concat(parts, ignore_index=True), main, "unit noise_floor")


def matched_costs(curves: pd.DataFrame, reference: str) -> pd.DataFrame:
    """What each method spends to be as good as another is at its end.

    Methods compared at one budget may be compared where one has long converged; here the quality is
    one and the cost is compared.

    Args:
        curves: as ``anytime_curves`` gives them.
        reference: the method whose last interquartile mean is to be reached.

    Returns:
        One row a task and method: ``task``, ``method``, ``target`` (regret of the reference at
        its end), ``budget`` from which on the method's curve is no worse (missing where it never
        is), and ``speedup``, the budget at which the reference itself came to it divided by that.

    Raises:
        SuiteError: there is no such method.
    """
    import pandas as pd

    known = sorted(curves["method"].unique())
    reference = find_label("method with curves", reference, known)
    rows = []
    for task, part in curves.groupby("task", sort=False):
        own = part[part["method"] == reference]
        if not len(own):
            continue
        target = float(own["regret"].iloc[-1])
        spent = {str(m): _reached(curve, target) for m, curve in part.groupby("method", sort=False)}
        rows += [
            {
                "task": task,
                "method": method,
                "target": target,
                "budget": budget,
                "speedup": spent[reference] / budget,
            }
            for method, budget in spent.items()
        ]
    return pd.DataFrame(rows, columns=["task", "method", "target", "budget", "speedup"])


def _reached(curve: pd.DataFrame, target: float) -> float:
    """The budget from which on a curve stays at ``target`` or below; missing if it never does."""
    above = np.flatnonzero(curve["regret"].to_numpy() > target + ROUNDING)
    place = 0 if not len(above) else int(above[-1]) + 1
    return float(curve["budget"].iloc[place]) if place < len(curve) else np.nan


def _default_budgets(spent: pd.Series[float], longest: float) -> NDArray[np.float64]:
    """Whole numbers if there are few, else equal ratios, from the first change to the longest.

    What is returned before anything is spent, as by a method that evaluates nothing, stays so.
    """
    first = float(spent.where(spent > 0, longest).min())
    if first < 1.0:
        return np.geomspace(first, longest, _POINTS)
    if longest <= _POINTS:
        return np.arange(1.0, np.floor(longest) + 1.0)
    return np.unique(np.append(np.geomspace(first, longest, _POINTS)[:-1].round(), longest))
