"""What multi-objective searches reached: indicators of their fronts, and attainment surfaces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.samples import ranked
from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.estimates import estimates, interval_ends
from nasbench_suite.statistics.pareto import (
    INDICATORS,
    attainment_surface,
    front_hypervolume,
    log_hypervolume_regret,
    to_losses,
)

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.rows import TaskRow

Floats = NDArray[np.float64]


def front_indicators(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Indicators of the fronts that multi-objective searches ended with.

    Args:
        store: a results file.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        confidence: of the interval.

    Returns:
        One row a task and method, tasks in the order they were first run, methods by
        hypervolume, best first: ``task``, ``method``, ``seeds``; the interquartile mean over seeds
        of each of ``pareto.INDICATORS``; ``low`` and ``high``, the ends of the interval of
        ``hypervolume`` (missing with one seed); ``log_regret``, the interquartile mean of the
        logarithm to base ten of what the hypervolume lacks, and ``front_hypervolume``, that of
        the hypervolume scaled by the true front alone (see ``pareto.log_hypervolume_regret`` and
        ``pareto.front_hypervolume``), which tell apart what comes close; ``task_key``; and
        ``rank`` of the hypervolume, equals sharing the mean of their ranks.

    Raises:
        SuiteError: no such results, or none of a task with several objectives.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_indicators(results, confidence=confidence)


def results_indicators(results: Results, *, confidence: float = 0.95) -> pd.DataFrame:
    """As ``front_indicators``, of results already read."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for key, task in results.tasks.items():
        if task.measure is None:
            continue
        part = results.finished_on(key)
        found, points = results.store.indicators(part["trial"]), results.store.fronts(part["trial"])
        wide = found.pivot(index="trial", columns="name", values="value")
        of_task = []
        for method, members in part[part["trial"].isin(wide.index)].groupby("method"):
            values = wide.loc[members["trial"]]
            row: dict[str, Any] = {"task": results.names[key], "method": method}
            row["seeds"] = len(values)
            for name in INDICATORS:
                known = values[name].dropna() if name in values else values.iloc[:, 0][:0]
                row[name] = estimates(known)[0] if len(known) else np.nan
            row["low"], row["high"] = interval_ends(
                *estimates(values["hypervolume"]), confidence, task.bounds
            )
            row["log_regret"] = estimates(log_hypervolume_regret(values["hypervolume"]))[0]
            scaled = _scaled_by_front(task, members["trial"], points)
            row["front_hypervolume"] = estimates(scaled)[0]
            of_task.append({**row, "task_key": key})
        rows += ranked(of_task, "hypervolume", results.places, scale=1.0)
    if not rows:
        raise SuiteError(_no_front(results))
    return pd.DataFrame(rows)


def front_points(results: Results) -> pd.DataFrame:
    """The fronts that searches for several objectives ended with, point by point.

    Returns:
        One row a point and objective: ``task``, ``method``, ``seed``, ``architecture`` (its index,
        or its number in the trial's record on an open benchmark), ``objective`` (the metric),
        ``direction`` and ``unit``, and ``report``, its reported figure.

    Raises:
        SuiteError: no such search has finished.
    """
    import pandas as pd

    parts = []
    for key, task in results.tasks.items():
        if task.measure is None:
            continue
        trials = results.finished_on(key)[["trial", "method", "seed"]]
        points = results.store.fronts(trials["trial"]).merge(trials, on="trial")
        objectives = task.measure["objectives"]
        for name in ("name", "direction", "unit"):
            told = [said.get(name, "") for said in objectives]
            points[name] = points["objective"].map(told.__getitem__)
        parts.append(points.assign(task=results.names[key], objective=points["name"]))
    if not parts:
        raise SuiteError(_no_front(results))
    columns = ["task", "method", "seed", "architecture", "objective", "direction", "unit", "report"]
    return pd.concat(parts, ignore_index=True)[columns]


def _no_front(results: Results) -> str:
    return (
        f"{results.path} has no finished search for several objectives: run one with "
        f"`nasbench run --objectives METRIC`."
    )


def _scaled_by_front(task: TaskRow, trials: pd.Series[int], points: pd.DataFrame) -> Floats:
    """The hypervolume of each trial's front, scaled by the true front."""
    objectives = (task.measure or {})["objectives"]
    directions = [str(objective["direction"]) for objective in objectives]
    true = to_losses((task.measure or {})["front"], directions)
    wide = points[points["trial"].isin(trials)].pivot(
        index=["trial", "architecture"], columns="objective", values="report"
    )
    fronts = {
        int(str(trial)): to_losses(front.to_numpy(), directions)
        for trial, front in wide.groupby(level="trial")
    }
    none = np.empty((0, len(objectives)))
    return np.array([front_hypervolume(fronts.get(int(trial), none), true) for trial in trials])


def attainment_surfaces(results: Results, task_key: str, share: float = 0.5) -> dict[str, Floats]:
    """For each method the points that this share of its searches reached or did better than.

    Args:
        results: as read from a results file.
        task_key: a task with two or three objectives.
        share: 0.5 for the median surface.

    Returns:
        Points in the objectives' own units, shape (n, objectives), by method.

    Raises:
        SuiteError: the task has one objective, or no finished search.
    """
    measure = results.tasks[task_key].measure
    if measure is None:
        raise SuiteError(f"Task {results.names[task_key]!r} has one objective: there is no front.")
    signs = np.array([-1.0 if o["direction"] == "maximize" else 1.0 for o in measure["objectives"]])
    trials = results.finished_on(task_key)
    points = results.store.fronts(trials["trial"])
    wide = points.pivot(index=["trial", "architecture"], columns="objective", values="report")
    surfaces = {}
    for method, members in trials.groupby("method"):
        own = wide[wide.index.get_level_values("trial").isin(members["trial"])]
        fronts = [front.to_numpy() * signs for _, front in own.groupby(level="trial")]
        # A search whose front is empty reached nothing, so the others are a smaller share.
        reachable = share * len(members) / max(len(fronts), 1)
        if fronts and reachable <= 1:
            surfaces[str(method)] = attainment_surface(fronts, reachable) * signs
    if not surfaces:
        raise SuiteError(f"Task {results.names[task_key]!r} has no finished search.")
    return surfaces
