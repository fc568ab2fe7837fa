"""The leaderboard: what each method reached on each task, and on all tasks together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.sameness import identical_methods
from nasbench_suite.analysis.samples import (
    Anchors,
    anchors,
    judged_tasks,
    noise_spreads,
    task_samples,
)
from nasbench_suite.statistics.aggregates import TAIL, conditional_value_at_risk, mean_ranks, ranks
from nasbench_suite.statistics.estimates import (
    Estimate,
    average,
    check_confidence,
    difference,
    estimate,
    estimates,
    family_p,
    interval_ends,
    noise_error,
)
from nasbench_suite.statistics.sample import Sample, round_figures

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.benchmarks.noise import NoiseModel
    from nasbench_suite.rows import TaskRow


def leaderboard(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
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
        confidence: of the intervals; one less it is the level of the tests.

    Returns:
        One row a task and method, tasks in the order they were first run, methods by
        interquartile mean (IQM). Figures and regrets are in ``unit``. Printed, it shows the main
        columns and names the others, see ``analysis.shown``; ``to_string()`` has all.

        - ``task`` (readable, with its budget), ``method``;
        - ``seeds``: trials behind the figures, those that failed with what a failure counts as
          (see ``samples.Anchors.failure``); ``failed``: trials that failed; ``undecided``:
          finished trials that had no incumbent yet at the cut, which are left out;
        - ``mean``, ``std`` (over n - 1; missing with one seed), ``median``, ``cvar`` (mean of the
          worst fifth of the seeds), ``iqm``, and ``low`` and ``high``, the ends of the IQM's
          interval over seeds (missing with one seed);
        - ``noise``: half the width of the IQM's interval by training noise: what other trainings
          of the architectures returned would have changed (missing where unknown);
        - ``regret``: mean distance from ``optimum``, the best figure in the whole space (see
          ``Task.optimum``; where it is cross-fitted, lucky searches exceed it); both are missing
          on a benchmark without a table, whose optimum nobody knows; ``signal_regret``: mean
          distance of the signal that methods see from the best one in the space, over the trials
          that finished (missing for several objectives, and where the table is not at hand); who
          searches better is ahead in this one, and need not be in the other;
        - ``unavailable``: evaluations, over all seeds, of architectures without a figure;
          ``evaluations``: what a whole trial that finished spent on average, in full evaluations;
        - ``rank``: of the IQM among the task's methods, equals sharing the mean of their ranks;
        - ``mean_rank``: mean over seeds of the rank among methods at the same seed, over the
          ``common_seeds`` that all methods have;
        - ``best``: rank 1; ``p``: of the hypothesis that its IQM is the best one's, adjusted for
          having looked at all pairs (see ``estimates.family_p``); ``worse``: that is below the
          level; ``equivalent``: a difference of ``noise_floor`` from the best is ruled out;
          ``at_optimum``: the whole interval lies less than ``noise_floor`` from the optimum. A
          method that is neither best nor worse nor equivalent is not distinguished from the best;
          ``verdict`` is said of these three where the frame is printed.
          The last two are false where the floor is unknown (missing); ``same_as``: a method that
          made the same evaluations with every seed, so that both are one here; missing if none did;
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
    )


def results_leaderboard(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """As ``leaderboard``, of results already read."""
    return results_boards(
        results, evaluations=evaluations, seconds=seconds, confidence=confidence
    ).rows


@dataclass(frozen=True)
class Boards:
    """Both leaderboards of one results file.

    Attributes:
        rows: as ``leaderboard`` gives them.
        overall: as ``overall_leaderboard`` gives it.
    """

    rows: pd.DataFrame
    overall: pd.DataFrame


def results_boards(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
) -> Boards:
    """Both leaderboards of results already read, which reads each task's trials once."""
    import pandas as pd

    from nasbench_suite.analysis.shown import shown

    check_confidence(confidence)
    parts: list[pd.DataFrame] = []
    reached: dict[str, dict[str, _Reached]] = {}
    known: dict[str, Anchors] = {}
    for key, trials in judged_tasks(results, evaluations, seconds):
        known[key] = anchors(results.tasks[key])
        samples = task_samples(results, key, trials)
        reached[key] = {method: _reached(sample) for method, sample in samples.items()}
        parts.append(_task_board(results, key, trials, samples, known[key], confidence))
    rows = pd.concat(parts, ignore_index=True)
    further = [name for name in rows.columns if name not in (*_FIRST, *_LAST)]
    chances = {key: each.chance for key, each in known.items()}
    everyone = sorted(set(rows["method"]), key=results.places.__getitem__)
    overall = _overall(results.tasks, reached, chances, everyone, confidence)
    rows = shown(rows[[*_FIRST, *further, *_LAST]], _MAIN, "metric unit direction")
    return Boards(rows, overall)


def _task_board(
    results: Results,
    key: str,
    trials: pd.DataFrame,
    samples: dict[str, Sample],
    known: Anchors,
    confidence: float,
) -> pd.DataFrame:
    """The rows of one task, best first; a further column is a line here."""
    task = results.tasks[key]
    board = _counted(task, trials).join(_estimates(task, trials, confidence)).reset_index()
    board = board.sort_values("method", key=lambda names: names.map(results.places))
    methods = list(board["method"])
    optimum = np.nan if task.optimum is None else task.optimum
    floor = np.nan if task.noise_floor is None else task.noise_floor
    board["rank"] = ranks(round_figures(board["iqm"], task.optimum or 0.0), task.direction)
    board["mean_rank"], board["common_seeds"] = _paired_ranks(trials, methods, task.direction)
    board["cvar"] = [_tail(task, samples.get(method)) for method in methods]
    signal_regrets = known.signal_regret(trials).groupby(trials["method"]).mean()
    board["signal_regret"] = board["method"].map(signal_regrets)
    board["noise"] = [
        _noise(task, known.noise, samples.get(method), confidence) for method in methods
    ]
    board["best"] = board["rank"] == board["rank"].min()
    leaders = board.loc[board["best"], "method"].tolist()
    verdicts = _verdicts(task, samples, leaders, 1.0 - confidence)
    board["p"], board["worse"], board["equivalent"] = map(
        list, zip(*(verdicts.get(method, _UNKNOWN) for method in methods), strict=True)
    )
    worst_end = board["low"] if task.direction == "maximize" else board["high"]
    board["at_optimum"] = _sign(task) * (optimum - worst_end) < floor
    same = {other: first for first, *others in identical_methods(results, key) for other in others}
    board["same_as"] = [same.get(method, np.nan) for method in methods]
    board = board.assign(
        task=results.names[key],
        optimum=optimum,
        noise_floor=floor,
        metric=task.report_metric,
        unit=task.unit,
        direction=task.direction,
        benchmark=task.benchmark,
        dataset=task.dataset,
        task_key=key,
    )
    return board.sort_values("rank", kind="stable")


def _counted(task: TaskRow, trials: pd.DataFrame) -> pd.DataFrame:
    """What is counted and averaged over the trials of each method, by method.

    ``trials``, of which there may be millions, get columns for it and are not copied.
    """
    trials["failed"] = trials["status"] == "failed"
    trials["undecided"] = ~trials["failed"] & trials["figure"].isna()
    trials["regret"] = _regrets(task, trials)
    trials["spent"] = trials["evaluations"].where(~trials["failed"])
    return trials.groupby("method", sort=False).agg(
        method_key=("method_key", "first"),
        seeds=("figure", "count"),
        failed=("failed", "sum"),
        undecided=("undecided", "sum"),
        mean=("figure", "mean"),
        std=("figure", "std"),
        median=("figure", "median"),
        regret=("regret", "mean"),
        unavailable=("unavailable", "sum"),
        evaluations=("spent", "mean"),
    )


# What is printed of them, within 80 columns where the names of methods are short.
_MAIN = "method iqm low high verdict regret mean_rank seeds"
# The order of the columns; a further one that is counted stands between.
_FIRST = (
    *("task", "method", "seeds", "failed", "undecided", "mean", "std", "median", "cvar"),
    *("iqm", "low", "high", "noise", "regret", "signal_regret", "rank", "mean_rank"),
    *("common_seeds", "unavailable", "evaluations"),
)
_LAST = (
    *("best", "p", "worse", "equivalent", "at_optimum", "same_as", "optimum", "noise_floor"),
    *("metric", "unit", "direction", "benchmark", "dataset", "task_key", "method_key"),
)


def overall_leaderboard(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """What each method reached on all tasks together, best first.

    The score of a trial is the share it took of the way from a random architecture (the mean of
    the reported metric over the space) to the task's optimum: 0 and 1; it may be negative. It is
    the table's, and does not depend on who else takes part; where a table is not at hand, the mean
    regret of the worst method there stands in for a random architecture. Only methods with
    results on every task are scored.

    Args:
        store: a results file; for the other arguments see ``leaderboard``.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        evaluations: look at the searches after this many full evaluations.
        seconds: look at the searches after this many simulated training seconds.
        confidence: of the intervals; one less it is the level of the tests.

    Returns:
        One row a method, by score: ``method``, ``tasks`` with results, ``seeds`` over all of
        them, ``score`` (mean over tasks of the IQM over seeds, each task weighing the same),
        ``low`` and ``high`` (of its interval over seeds), ``rank`` of the score, equals sharing
        the mean of their ranks, ``mean_rank`` over tasks, and ``anchor``, what scores 0. A method
        that lacks a task comes last, without figures.

    Raises:
        SuiteError: as ``leaderboard``.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_overall(
        results,
        evaluations=evaluations,
        seconds=seconds,
        confidence=confidence,
    )


def results_overall(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """As ``overall_leaderboard``, of results already read."""
    return results_boards(
        results, evaluations=evaluations, seconds=seconds, confidence=confidence
    ).overall


def _overall(
    tasks: Mapping[str, TaskRow],
    reached: Mapping[str, Mapping[str, _Reached]],
    chances: Mapping[str, float],
    everyone: Sequence[str],
    confidence: float,
) -> pd.DataFrame:
    """The rows of ``overall_leaderboard``.

    Args:
        tasks: rows by key.
        reached: by key of the task and method.
        chances: by key of the task, see ``Anchors.chance``.
        everyone: methods that ran on any task, in the order that equals have.
        confidence: of the intervals.
    """
    import pandas as pd

    # Without a known optimum there is no share of the way to it.
    reached = {key: each for key, each in reached.items() if tasks[key].optimum is not None}
    complete = sorted(set(everyone).intersection(*reached.values()))
    ways = {
        key: _way(tasks[key], chances[key], [of_task[method].mean for method in complete])
        for key, of_task in reached.items()
    }
    scored = _scores(tasks, reached, ways, complete, confidence)
    anchor = RANDOM_ARCHITECTURE if all(way.known for way in ways.values()) else WORST_METHOD
    rows: list[dict[str, Any]] = []
    for method in everyone:
        own = [of_task[method] for of_task in reached.values() if method in of_task]
        seeds = sum(each.seeds for each in own)
        whole = {"method": method, "tasks": len(own), "seeds": seeds, "anchor": anchor}
        rows.append(whole | scored.get(method, {}))
    columns = ["method", "tasks", "seeds", "score", "low", "high", "rank", "mean_rank", "anchor"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["rank"] = ranks(round_figures(frame["score"], 1.0))
    return frame.sort_values("rank", kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Reached:
    """What is kept of a method on a task, of which there may be a million trials."""

    iqm: Estimate
    mean: float
    seeds: int


def _reached(sample: Sample) -> _Reached:
    return _Reached(estimate(sample), float(sample.figures.mean()), len(sample))


@dataclass(frozen=True)
class _Way:
    """From what scores 0 on a task to its optimum; larger figures are better along it.

    Attributes:
        zero: the figure that scores 0.
        length: from there to the optimum.
        known: whether that is a random architecture, and not the worst of who takes part.
        ends: the least and the greatest score that there can be.
    """

    zero: float
    length: float
    known: bool
    ends: tuple[float, float]

    def score(self, figure: Estimate) -> Estimate:
        """The share of the way that a figure took."""
        error = figure.error / self.length
        return Estimate((figure.value - self.zero) / self.length, error, figure.freedom)


def _way(task: TaskRow, chance: float, means: Sequence[float]) -> _Way:
    """The way on a task.

    Args:
        task: the task.
        chance: what a random architecture is expected to reach; missing if unknown.
        means: of each method; the worst scores 0 where the table is not at hand.
    """
    sign = _sign(task)
    best, zero = sign * (task.optimum or 0.0), sign * chance
    known = bool(np.isfinite(zero))
    if not known:
        zero = min(means, default=0.0)
    # Where even a random architecture is the best there is, nothing is left to take.
    length = best - zero or 1.0
    least, greatest = sorted((sign * end - zero) / length for end in task.bounds)
    return _Way(zero, length, known, (least, greatest))


def _scores(
    tasks: Mapping[str, TaskRow],
    reached: Mapping[str, Mapping[str, _Reached]],
    ways: Mapping[str, _Way],
    methods: Sequence[str],
    confidence: float,
) -> dict[str, dict[str, float]]:
    """Score, the ends of its interval and mean rank over tasks, by method.

    Args:
        tasks: rows by key.
        reached: by key of the task and method.
        ways: by key of the task.
        methods: that have results on every task.
        confidence: of the intervals.
    """
    if not (methods and reached):
        return {}
    iqms = [
        round_figures([of_task[method].iqm.value for method in methods], tasks[key].optimum or 0.0)
        for key, of_task in reached.items()
    ]
    least, greatest = np.mean([way.ends for way in ways.values()], axis=0)
    found = {}
    for method, rank in zip(methods, mean_ranks(np.array(iqms)), strict=True):
        score = average([ways[key].score(of_task[method].iqm) for key, of_task in reached.items()])
        low, high = score.interval(confidence, (least, greatest))
        found[method] = {"score": score.value, "low": low, "high": high, "mean_rank": rank}
    return found


RANDOM_ARCHITECTURE, WORST_METHOD = "a random architecture", "the worst method's mean"


_UNKNOWN = (np.nan, False, False)  # nothing is said of who is best, or without figures


def _sign(task: TaskRow) -> float:
    """+1 where larger figures are better, -1 where smaller ones are."""
    return 1.0 if task.direction == "maximize" else -1.0


def _regrets(task: TaskRow, trials: pd.DataFrame) -> pd.Series[float]:
    """The regret of each trial's ``figure``.

    The optimum is rounded as the figures are, or who reached it could have a regret below zero.
    """
    optimum = np.nan if task.optimum is None else float(round_figures(task.optimum, task.optimum))
    return _sign(task) * (optimum - trials["figure"])


def _estimates(task: TaskRow, trials: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """IQM and the ends of its interval, by method; those with figures alone.

    Methods with the same number of seeds are computed together.
    """
    import pandas as pd

    by_size = defaultdict(list)
    for name, figures in trials.dropna(subset=["figure"]).groupby("method")["figure"]:
        by_size[len(figures)].append((name, figures.to_numpy()))
    rows: dict[Any, tuple[float, float, float]] = {}
    for members in by_size.values():
        values = np.stack([figures for _, figures in members], axis=1)
        means, errors, freedoms = estimates(values)
        low, high = interval_ends(means, errors, freedoms, confidence, task.bounds)
        for (name, _), *row in zip(members, means, low, high, strict=True):
            rows[name] = tuple(row)
    index = pd.Index(list(rows), name="method", dtype=object)
    return pd.DataFrame(list(rows.values()), index, ["iqm", "low", "high"], dtype=float)


def _verdicts(
    task: TaskRow, samples: dict[str, Sample], best: Sequence[str], alpha: float
) -> dict[str, tuple[float, bool, bool]]:
    """Of each method but the best: adjusted p, whether it is worse, whether it is equivalent.

    Methods that share the best IQM are all best, whatever a test says of one of them; the others
    are held against the first of them.
    """
    if not samples:
        return {}
    found = {}
    leader = samples[best[0]]
    for method, sample in samples.items():
        if method in best:
            continue
        gap = difference(leader, sample)
        p = family_p(gap, len(samples))
        equal = gap.equivalence_p(task.noise_floor) if task.noise_floor else np.nan
        found[method] = (p, p < alpha, equal < alpha)
    return found


def _tail(task: TaskRow, sample: Sample | None) -> float:
    """Mean of the worst fifth of the seeds; missing without any."""
    if sample is None:
        return np.nan
    return _sign(task) * conditional_value_at_risk(sample.figures, TAIL)


def _noise(
    task: TaskRow, model: NoiseModel | None, sample: Sample | None, confidence: float
) -> float:
    """Half the width of the interval by training noise alone; missing where it is unknown."""
    if sample is None or task.measure is not None:
        return np.nan
    spreads = noise_spreads(task, model, sample)
    return float(ndtri(0.5 + confidence / 2) * noise_error(sample, [spreads]))


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
