"""From a results file to samples: what each search reached, at the end or at an earlier budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.results import ROUNDING, Results
from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.noise import NoiseModel, noise_model
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.statistics.aggregates import ranks
from nasbench_suite.statistics.sample import Sample, round_figures
from nasbench_suite.tasks import make_task

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.rows import TaskRow
    from nasbench_suite.tasks import Task


_JUDGED = (
    *("trial", "task_key", "method", "method_key", "seed", "status", "message"),
    *("evaluations", "seconds", "architecture", "signal", "report", "unavailable"),
)


def figures_at_cut(
    results: Results, key: str, evaluations: float | None = None, seconds: float | None = None
) -> pd.DataFrame | None:
    """The trials of a task with their ``figure`` at the cut, missing where there is none.

    ``architecture`` and ``signal`` are then those of what was returned there. Figures are rounded
    here, once, to what single precision holds (see ``round_figures``), so that equals are equal
    wherever they are ranked.

    Returns:
        None if the task did not run for so long.

    Raises:
        SuiteError: the cut is no number > 0.
    """
    trials, task = results.trials_on(key)[list(_JUDGED)], results.tasks[key]
    cuts = {"evaluations": evaluations, "seconds": seconds}
    if evaluations is None and seconds is None:
        return _rounded(task, trials, trials["report"])
    changes = results.incumbents_on(key)
    for kind, cut in cuts.items():
        if cut is None:
            continue
        if not (np.isfinite(cut) and cut > 0):
            raise SuiteError(f"A cut after {cut} {kind} is impossible: give a number > 0.")
        if not (task.config.get(kind) or trials[kind].max()) >= cut:
            return None
        changes = changes[changes[kind] <= cut + ROUNDING]
    last = changes.groupby("trial")[["report", "architecture", "signal"]].last()
    found = trials.assign(
        **{name: trials["trial"].map(last[name]) for name in ("architecture", "signal")}
    )
    return _rounded(task, found, trials["trial"].map(last["report"]))


def _rounded(task: TaskRow, trials: pd.DataFrame, figures: pd.Series[float]) -> pd.DataFrame:
    return trials.assign(figure=round_figures(figures.to_numpy(dtype=float), task.optimum or 0.0))


def judged_tasks(
    results: Results, evaluations: float | None = None, seconds: float | None = None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each task's key and trials with their ``figure`` at the cut, one task after the other.

    Failed trials have the figure that a failure counts as, see ``Anchors.failure``: a method must
    not rank first because half of its trials fail. Tasks that did not run for so long are left out.

    Raises:
        SuiteError: no task ran for so long, or the cut is no number > 0.
    """
    left_out = True
    for key, task in results.tasks.items():
        trials = figures_at_cut(results, key, evaluations, seconds)
        if trials is None or not len(trials):
            continue
        left_out = False
        failed = (trials["status"] == "failed").to_numpy()
        if failed.any():
            figures = trials["figure"].to_numpy(copy=True)
            figures[failed] = anchors(task).failure(figures, task.direction)
            trials["figure"] = figures
        yield key, trials
    if left_out:
        cuts = {"evaluations": evaluations, "seconds": seconds}
        wanted = " and ".join(
            f"{cut:,.10g} {kind}" for kind, cut in cuts.items() if cut is not None
        )
        raise SuiteError(
            f"No task ran for {wanted} ({'; '.join(results.names.values())}): "
            f"look at an earlier budget, or run with a larger one."
        )


@dataclass(frozen=True)
class Anchors:
    """What scores and failures are measured by, whoever takes part.

    Attributes:
        chance: what a random architecture is expected to reach; of a task with several objectives,
            whose figure is a normalised hypervolume, 0. Missing where the table is not at hand.
        noise: training noise by accuracy, if the table is at hand and shows it.
        best_signals: the best that a search on one objective could be told, of each fold where
            trainings are divided; empty where the table is not at hand.
    """

    chance: float
    noise: NoiseModel | None
    best_signals: tuple[float, ...] = ()

    def signal_regret(self, trials: pd.DataFrame) -> pd.Series[float]:
        """How far the signal of what each trial returned is from the best; missing if unknown."""
        best = np.array(self.best_signals or (np.nan,))[
            trials["seed"] % max(len(self.best_signals), 1)
        ]
        return (trials["signal"].astype(float) - best).abs()

    def failure(self, figures: NDArray[np.float64], direction: str) -> float:
        """What a failed trial counts as: a random architecture, or the worst that a trial reached.

        Args:
            figures: of all trials of the task; the worst of them counts where it is worse still, or
                where the table is not at hand.
            direction: of the figures.
        """
        known = np.append(figures[np.isfinite(figures)], self.chance)
        known = known[np.isfinite(known)]
        if not len(known):
            return np.nan
        return float(known.min() if direction == "maximize" else known.max())


def explain_crossfit(tasks: Iterable[TaskRow], *, optimum: bool = True, front: bool = False) -> str:
    """What cross-fitting means where a task is cross-fitted; empty of none.

    Args:
        tasks: what is shown.
        optimum: whether their optimum is shown too.
        front: whether it is their true fronts that are shown instead.
    """
    divided = [task.crossfitted for task in tasks]
    if not any(divided):
        return ""
    where = "" if all(divided) else ", where a table has several trainings of an architecture"
    text = f"Cross-fitted{where}: a search is judged by other trainings than it saw."
    if front:
        text += (
            " The true front is judged so too, of architectures chosen by the other trainings, so "
            "what a search found may lie beyond it and its hypervolume exceed 1."
        )
    elif optimum:
        text += (
            " The optimum is judged so too, by a training that the best architecture was not "
            "chosen by, so a method's figures may exceed it and its regret be below zero."
        )
    return text


def told_failures(failed: Mapping[str, int], *, figures: bool = True) -> str:
    """One sentence on trials that failed, and what they count as; or empty.

    Args:
        failed: how many, by method, of the methods that have any.
        figures: whether any method has a figure, so that failures count as something.
    """
    if not failed:
        return ""
    counts = " and count as a random architecture or the worst that was reached"
    named = ", ".join(f"{method} ({count})" for method, count in failed.items())
    return f"Trials that failed{counts if figures else ''}: {named}."


def anchors(task: TaskRow) -> Anchors:
    """The anchors of a task, from its benchmark where that is at hand."""
    if task.measure is not None:
        return Anchors(0.0, None)
    table = find_table(task)
    if table is None:
        return Anchors(np.nan, None)
    return Anchors(
        float(np.nanmean(table.values(task.report_metric))),
        _noise(table.name, str(table.checksum), task.report_metric),
        _best_signals(table, task),
    )


@cache
def _noise(benchmark: str, checksum: str, metric: str) -> NoiseModel | None:
    """The noise model of a metric, which takes a second to find; the checksum is for the cache."""
    del checksum
    return noise_model(load_benchmark(benchmark), metric)


def find_table(task: TaskRow) -> Benchmark | None:
    """The benchmark of a task, if it is at hand, unaltered, with the metric that was reported."""
    try:
        table = load_benchmark(task.benchmark)
    except SuiteError:
        return None
    if task.config.get("checksum") != table.checksum or task.report_metric not in table.metrics:
        return None
    return table


def task_of(row: TaskRow) -> Task | None:
    """The task of one objective that a row is of, where its table is at hand and as it was."""
    table = find_table(row) if row.measure is None else None
    return None if table is None else _task_on(table, row)


def _task_on(table: Benchmark, row: TaskRow) -> Task | None:
    ((signal, judged_by),) = row.config["objectives"]
    with suppress(SuiteError):
        return make_task(
            table,
            row.dataset,
            evaluations=row.config.get("evaluations"),
            simulated_seconds=row.config.get("seconds"),
            signal=signal,
            judged_by=judged_by,
            answers=row.config.get("noise", "mean"),
            crossfit=row.config.get("crossfit", False),
        )
    return None


def _best_signals(table: Benchmark, row: TaskRow) -> tuple[float, ...]:
    task = _task_on(table, row)
    if task is None:
        return ()
    signal = task.objectives[0].signal
    sign, found = task.orientation(signal), []
    for fold in range(task.crossfit.folds if task.crossfit else 1):
        seen = task.for_seed(fold)
        figures = sign * seen.table.values(signal)
        found.append(sign * figures[... if seen.available is None else seen.available].max())
    return tuple(map(float, found))


def ranked(
    rows: Sequence[dict[str, Any]],
    column: str,
    places: Mapping[str, int],
    *,
    scale: float,
    direction: str = "maximize",
) -> list[dict[str, Any]]:
    """The rows of one task with their ``rank``, best first, as the leaderboard has them.

    Args:
        rows: one a method.
        column: the figure that they are ranked by; of those without one the rank is missing.
        places: of methods; equals stand in this order.
        scale: as ``round_figures`` takes it, so that what is equal ranks as equal.
        direction: of the figure.
    """
    figures = round_figures([row.get(column, np.nan) for row in rows], scale)
    found = [
        {**row, "rank": float(rank)}
        for row, rank in zip(rows, ranks(figures, direction), strict=True)
    ]

    def place(row: Mapping[str, Any]) -> tuple[float, int]:
        return np.inf if np.isnan(row["rank"]) else row["rank"], places[row["method"]]

    return sorted(found, key=place)


# -- samples ---------------------------------------------------------------------------------------


def task_samples(results: Results, key: str, trials: pd.DataFrame) -> dict[str, Sample]:
    """The sample of each method on a task, turned so that larger is better.

    Trials without a figure are left out, and so is a method that has none.
    """
    part = trials.dropna(subset=["figure"])
    task = results.tasks[key]
    sign = 1.0 if task.direction == "maximize" else -1.0
    figures = sign * part["figure"].to_numpy(dtype=float)
    seeds = part["seed"].to_numpy(dtype=np.int64)
    classes = _classes(task, part)
    return {
        str(method): Sample(
            results.names[key], str(method), figures[members], seeds[members], classes[members]
        )
        for method, members in sorted(part.groupby("method", sort=False).indices.items())
    }


def _classes(task: TaskRow, trials: pd.DataFrame) -> NDArray[np.int64]:
    """The class of isomorphic architectures that each trial returned.

    A trial that failed, or that returned a front, is a class of its own, numbered below zero.
    """
    indices = trials["architecture"].fillna(-1).to_numpy(dtype=np.int64)
    own = -1 - np.arange(len(indices))
    if task.measure is not None:
        return own
    try:
        classes = np.asarray(load_finite_space(task.space).classes)
    except (SuiteError, AttributeError):  # a space of another package, or one that is not listed
        return np.where(indices < 0, own, indices)
    inside = (indices >= 0) & (indices < len(classes))
    return np.where(inside, classes[np.where(inside, indices, 0)], own)


def noise_spreads(task: TaskRow, model: NoiseModel | None, sample: Sample) -> NDArray[np.float64]:
    """Standard deviations by training noise of a sample's figures; missing where unknown.

    Args:
        task: of the sample.
        model: the task's ``Anchors.noise``, found once for all methods: it takes the table.
        sample: one method's figures on it.
    """
    sign = 1.0 if task.direction == "maximize" else -1.0
    if model is not None:
        return model.sd(sign * sample.figures)
    floor = np.nan if task.noise_floor is None else task.noise_floor
    return np.full(len(sample), floor / NoiseModel.FLOOR_IN_SD)


__all__ = [
    "Anchors",
    "anchors",
    "figures_at_cut",
    "find_table",
    "judged_tasks",
    "noise_spreads",
    "ranked",
    "task_samples",
    "told_failures",
]
