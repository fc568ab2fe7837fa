"""How robust a method is over seeds, and what its own diagnostics say of the reasons.

For any method: spread, worst case, tail and collapse. For a method with a supernet also what it
logged of itself (see ``Session.log``): how well its operation strengths and its inherited weights
rank architectures, what is lost by discretisation, how sharp the validation loss became.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.samples import find_table, judged_tasks, ranked
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.rows import TaskRow
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.statistics.aggregates import TAIL, conditional_value_at_risk
from nasbench_suite.statistics.estimates import estimates, interval_ends
from nasbench_suite.statistics.sample import round_figures

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

COLLAPSE_METHOD = "random"


def robustness(
    store: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    threshold: float | None = None,
    tail: float = TAIL,
    confidence: float = 0.95,
    table: Benchmark | None = None,
) -> pd.DataFrame:
    """How each method's results spread over seeds, on each task, the best IQM first.

    Args:
        store: a results file.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        threshold: a seed that ends worse has collapsed. By default the median of the reported
            metric over all architectures of the space, or, where the table is not at hand, the
            median over seeds of random search on the same task.
        tail: share of the seeds that the CVaR averages.
        confidence: of the interval of the interquartile mean.
        table: the benchmark, if it cannot be loaded by the name that the results have. Without
            it, what compares with the table is missing.

    Returns:
        One row a task and method, in ``unit``:

        - ``task``, ``method``, ``seeds``, ``failed``: those of them that failed, which count as on
          the leaderboard;
        - ``mean``, ``std`` (over n - 1), ``worst``, ``cvar``, ``iqm``, ``low``, ``high``;
        - ``collapse``: share of seeds worse than ``threshold``, which is the next column, and
          ``threshold_of``, what that figure is;
        - ``decline``: mean over seeds of what the best architecture that a search would have
          returned on the way is better than the one it returns; ``declined``: share of seeds that
          were as good as the threshold on the way and ended worse;
        - ``skip``, ``none``, ``disconnected``: share of edges of the returned cells that are skip
          connections or none, and of cells without a path; ``skip_dominated``: share of returned
          cells of whose operations more than half are skip connections, the collapse of
          differentiable methods; missing outside the topology space;
        - of the last epoch, means over seeds, missing where a method logged none:
          ``discretisation_gap`` (validation accuracy of the supernet less that of the derived
          path in it, in points), ``entropy`` (of the operation strengths, in nats),
          ``dominant_eigenvalue``; and rank correlations with the table, means over seeds:
          ``strength_tau``, ``strength_rho`` (Kendall, Spearman of the architecture parameters of
          an edge with the mean reported figure of the architectures that have the operation there,
          mean over edges), ``inherited_tau``, ``inherited_rho`` (of the accuracies with inherited
          weights with the reported figures);
        - ``rank`` of the IQM, as on the leaderboard; ``noise_floor``, ``unit``, ``task_key``,
          ``method_key``.

    Raises:
        SuiteError: no such results, or an impossible threshold, tail or confidence.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_robustness(
        results,
        threshold=threshold,
        tail=tail,
        confidence=confidence,
        table=table,
    )


def results_robustness(
    results: Results,
    *,
    threshold: float | None = None,
    tail: float = TAIL,
    confidence: float = 0.95,
    table: Benchmark | None = None,
) -> pd.DataFrame:
    """As ``robustness``, of results already read."""
    import pandas as pd

    if threshold is not None and not np.isfinite(threshold):
        raise SuiteError(f"A threshold of {threshold} is impossible: give a figure of the metric.")
    rows: list[dict[str, Any]] = []
    # By key, as names of methods are shown as people read them.
    random = [row.key for row in results.store.methods() if row.name == COLLAPSE_METHOD]
    for key, trials in judged_tasks(results):
        task = results.tasks[key]
        figures = table if table is not None else find_table(task)
        limit, limit_of = threshold, "as asked for"
        if limit is None:
            of_random = trials[trials["method_key"].isin(random)]
            limit = collapse_threshold(task, of_random, figures)
            limit_of = f"the median of {'random search' if figures is None else 'the space'}"
        of_task = []
        for method, group in trials.groupby("method", sort=False):
            finished = group[group["status"] == "finished"]
            reached = group["figure"].dropna().to_numpy(float)
            row: dict[str, Any] = {
                "task": results.names[key],
                "method": method,
                "seeds": len(reached),
                "failed": len(group) - len(finished),
            }
            if len(reached):
                row |= _spread(reached, task, limit, tail, confidence)
            if len(finished):
                row |= _decline(results, finished, task, limit)
                row |= _cells(task, finished["architecture"].to_numpy(int))
                row |= _inside(figures, task, last_diagnostics(results, finished["trial"]))
            row |= {
                "threshold_of": limit_of if np.isfinite(limit) else "",
                "noise_floor": np.nan if task.noise_floor is None else task.noise_floor,
                "unit": task.unit,
                "task_key": key,
                "method_key": group["method_key"].iloc[0],
            }
            of_task.append(row)
        scale = task.optimum or 0.0
        rows += ranked(of_task, "iqm", results.places, scale=scale, direction=task.direction)
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


COLUMNS = (
    *("task", "method", "seeds", "failed", "mean", "std", "worst", "cvar", "iqm", "low", "high"),
    *("collapse", "threshold", "threshold_of", "decline", "declined"),
    *("skip", "none", "disconnected", "skip_dominated"),
    *("discretisation_gap", "entropy", "dominant_eigenvalue"),
    *("strength_tau", "strength_rho", "inherited_tau", "inherited_rho"),
    *("rank", "noise_floor", "unit", "task_key", "method_key"),
)


def collapse_threshold(task: TaskRow, random: pd.DataFrame, table: Benchmark | None) -> float:
    """Median of the reported metric over the space, or else of random search on the task.

    The first is the same whoever takes part; of random search itself half the seeds would end
    worse than the second. Not a number where there is neither; nothing is said of collapse then.
    """
    if table is not None:
        return float(np.nanmedian(table.values(task.report_metric)))
    chosen = random[random["status"] == "finished"]
    return float(chosen["report"].median()) if len(chosen) else float("nan")


def final_diagnostics(results: Results, name: str) -> pd.Series[float]:
    """What each finished trial logged last under a name, by its number; arrays by their mean.

    Raises:
        SuiteError: nobody logged it.
    """
    known = results.store.logged()
    if name not in known:
        raise SuiteError(choose_from(f"diagnostic of {results.path}", name, known))
    logged = results.store.diagnostics(name)
    last = logged[logged["trial"].isin(results.finished["trial"])].groupby("trial")["value"].last()
    return last.map(lambda value: float(value.mean())).astype(float)


def diagnostic_curves(
    results: Results, name: str, *, place: int | Sequence[int] | None = None
) -> pd.DataFrame:
    """What methods logged under a name, over their epochs.

    Args:
        results: of a file.
        name: such as ``dominant_eigenvalue``, ``entropy``, ``node_variance``.
        place: entry of an array that was logged; by default the mean over its entries.

    Returns:
        One row a task, method and step: ``task``, ``method``, ``step``, ``seeds``, and over them
        ``median``, ``low`` and ``high`` (the quartiles). Empty if nobody logged it.

    Raises:
        SuiteError: there is no such entry in what was logged.
    """
    logged = results.store.diagnostics(name)
    logged = logged.merge(results.finished[["trial", "task_key", "method"]], on="trial")

    def reduce(value: Floats) -> float:
        if place is None:
            return float(value.mean())
        try:
            return float(value[place if isinstance(place, int) else tuple(place)])
        except IndexError:
            raise SuiteError(
                f"{name} was logged with shape {value.shape}: it has no entry {place}."
            ) from None

    logged["value"] = [reduce(value) for value in logged["value"]]
    return _over_seeds(results, logged)


def derived_curves(results: Results) -> pd.DataFrame:
    """What the architecture would be worth that a supernet derives, after each of its epochs.

    Methods that recommend an architecture after every epoch, and evaluate none, are those with a
    supernet.

    Returns:
        As ``diagnostic_curves``, of what the task is judged by. Empty if there is no such trial.
    """
    import pandas as pd

    finished = results.finished
    supernets = finished[(finished["evaluations"] == 0) & (finished["trainings"] > 0)]
    if supernets.empty:
        return _over_seeds(results, supernets)
    changes = results.store.incumbents(supernets["trial"])
    steps = supernets.loc[supernets.index.repeat(supernets["trainings"].astype(int))]
    steps = steps[["trial", "task_key", "method"]].assign(
        step=steps.groupby("trial").cumcount().to_numpy() + 1
    )
    changes = changes.rename(columns={"training": "step", "report": "value"})
    logged = pd.merge_asof(
        steps.sort_values("step", kind="stable"),
        changes[["trial", "step", "value"]].sort_values("step", kind="stable"),
        on="step",
        by="trial",
    )
    return _over_seeds(results, logged.dropna(subset="value"))


def _over_seeds(results: Results, logged: pd.DataFrame) -> pd.DataFrame:
    """Median and quartiles of ``value`` by ``task_key``, ``method`` and ``step``."""
    import pandas as pd

    columns = ["task", "method", "step", "seeds", "median", "low", "high"]
    if not len(logged):
        return pd.DataFrame(columns=columns)
    grouped = logged.groupby(["task_key", "method", "step"], sort=False)["value"]
    frame = grouped.agg(
        seeds="count",
        median="median",
        low=lambda values: values.quantile(0.25),
        high=lambda values: values.quantile(0.75),
    ).reset_index()
    frame["task"] = frame["task_key"].map(results.names)
    return frame[columns]


def sensitivity(
    store: str | Path,
    method: str,
    parameter: str,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    tail: float = TAIL,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How a method's results depend on one of its hyper-parameters, all else equal.

    Args:
        store: a results file with trials of the method at several values of the parameter.
        method: its name, without hyper-parameters.
        parameter: such as ``epochs``, ``learning_rate`` or ``latency_weight``.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        tail: share of the seeds that the CVaR averages.
        confidence: of the interval of the interquartile mean.

    Returns:
        One row a task, setting of the other hyper-parameters, and value: ``task``, ``others``
        (those that differ between settings, as text), ``value``, ``seeds``, ``mean``, ``std``,
        ``worst``, ``cvar``, ``iqm``, ``low``, ``high``, and ``best``, whether no other value has a
        better IQM; settings with one value are left out.

    Raises:
        SuiteError: the file has no such method or parameter, or one value of it alone.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_sensitivity(results, method, parameter, tail=tail, confidence=confidence)


def results_sensitivity(
    results: Results,
    method: str,
    parameter: str,
    *,
    tail: float = TAIL,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """As ``sensitivity``, of results already read."""
    import json

    import pandas as pd

    store = results.path
    configs = {row.key: row for row in results.store.methods() if row.name == method}
    finished = results.finished[results.finished["method_key"].isin(list(configs))]
    if not len(finished):
        raise SuiteError(f"{store} holds no finished trial of method {method!r}.")
    if not all(parameter in row.config for row in configs.values()):
        raise SuiteError(f"Method {method!r} has no hyper-parameter {parameter!r} in {store}.")
    shared = {
        name
        for name in next(iter(configs.values())).config
        if len({json.dumps(row.config.get(name)) for row in configs.values()}) == 1
    }
    rows = []
    for (task_key, key), group in finished.groupby(["task_key", "method_key"], sort=False):
        config = configs[str(key)].config
        others = {n: v for n, v in config.items() if n not in shared and n != parameter}
        spread = _spread(
            group["report"].to_numpy(float),
            results.tasks[str(task_key)],
            np.nan,
            tail,
            confidence,
        )
        rows.append(
            {
                "task": results.names[str(task_key)],
                "others": ", ".join(f"{name}={value}" for name, value in others.items()),
                "value": config[parameter],
                "seeds": len(group),
                **{name: spread[name] for name in _SPREAD},
            }
        )
    frame = pd.DataFrame(rows)
    several = frame.groupby(["task", "others"])["value"].transform("nunique") > 1
    if not several.any():
        raise SuiteError(
            f"{store} has one value of {parameter!r} for method {method!r}: run it with others, as "
            f"--methods '{method}[{parameter}=...]'."
        )
    shown = frame[several].sort_values(["task", "others", "value"]).reset_index(drop=True)
    smaller = {results.names[k] for k, row in results.tasks.items() if row.direction == "minimize"}
    worth = shown["iqm"].where(~shown["task"].isin(smaller), -shown["iqm"])
    best = worth.groupby([shown["task"], shown["others"]]).transform("max")
    return shown.assign(best=worth == best)


# -- parts -----------------------------------------------------------------------------------------

_SPREAD = ("mean", "std", "worst", "cvar", "iqm", "low", "high")


def _spread(
    reports: Floats,
    task: TaskRow,
    threshold: float,
    tail: float,
    confidence: float,
) -> dict[str, float]:
    moments = estimates(reports)
    low, high = interval_ends(*moments, confidence, task.bounds)
    smaller = task.direction == "minimize"
    # Rounded as figures are: what equals it is not beyond it.
    end = round_figures(threshold, task.optimum or 0.0)
    beyond = reports > end if smaller else reports < end
    return {
        "mean": float(reports.mean()),
        "std": float(reports.std(ddof=1)) if len(reports) > 1 else np.nan,
        "worst": float(reports.max() if smaller else reports.min()),
        "cvar": conditional_value_at_risk(reports, tail, task.direction),
        "iqm": float(moments[0]),
        "low": float(low),
        "high": float(high),
        "collapse": float(np.mean(beyond)) if np.isfinite(threshold) else np.nan,
        "threshold": threshold,
    }


def _decline(
    results: Results, finished: pd.DataFrame, task: TaskRow, threshold: float
) -> dict[str, float]:
    """How far searches fell from the best that they would have returned on the way."""
    sign = 1.0 if task.direction == "maximize" else -1.0
    changes = results.store.incumbents(finished["trial"])
    best = (sign * changes["report"]).groupby(changes["trial"]).max()
    highest = finished["trial"].map(best).to_numpy(dtype=float)
    ended = sign * finished["report"].to_numpy(dtype=float)
    fell = (highest >= sign * threshold) & (ended < sign * threshold)
    return {
        "decline": float(np.mean(highest - ended)),
        "declined": float(np.mean(fell)) if np.isfinite(threshold) else np.nan,
    }


def _cells(task: TaskRow, architectures: NDArray[np.int64]) -> dict[str, float]:
    """Shares of skip connections, none, and cells without a path."""
    from nasbench_suite.spaces.topology import OPERATIONS, TopologySpace

    if "[" in task.space or task.optimum is None:  # rows of a pool or places are no indices
        return {}
    space = load_finite_space(task.space)
    if not isinstance(space, TopologySpace):
        return {}
    operations = space.all_vectors[architectures]
    skips = (operations == OPERATIONS.index("skip_connect")).sum(axis=1)
    used = (operations != OPERATIONS.index("none")).sum(axis=1)
    return {
        "skip_dominated": float(np.mean(2 * skips > used)),
        "skip": float(np.mean(operations == OPERATIONS.index("skip_connect"))),
        "none": float(np.mean(operations == OPERATIONS.index("none"))),
        "disconnected": float(np.mean(~space.connected[architectures])),
    }


def last_diagnostics(results: Results, trials: pd.Series[int]) -> dict[str, dict[int, Floats]]:
    """What each of these trials logged last under each name: name, then trial, then value."""
    logged = results.store.diagnostics(trials=trials)
    last = logged.groupby(["name", "trial"], sort=False).tail(1)
    found: dict[str, dict[int, Floats]] = {}
    for name, trial, value in zip(last["name"], last["trial"], last["value"], strict=True):
        found.setdefault(str(name), {})[int(trial)] = value
    return found


def _inside(
    table: Benchmark | None,
    task: TaskRow,
    logged: dict[str, dict[int, Floats]],
) -> dict[str, float]:
    """Means over seeds of what trials logged, and of how it agrees with the table.

    Args:
        table: the task's; None where it is not at hand.
        task: the task.
        logged: what ``last_diagnostics`` found of one method's trials.
    """

    def each(name: str) -> list[tuple[int, Floats]]:
        return list(logged.get(name, {}).items())

    found = {
        name: float(np.mean([value for _, value in values]))
        for name in ("discretisation_gap", "entropy", "dominant_eigenvalue")
        if (values := each(name))
    }
    if table is None:
        return found
    figures = table.values(task.report_metric)
    worth = -figures if task.direction == "minimize" else figures
    strengths = [strength_correlation(table, worth, strength) for _, strength in each("alpha")]
    accuracies = dict(each("inherited_accuracy"))
    inherited = [
        rank_correlation(accuracies[trial], worth[indices.astype(int)])
        for trial, indices in each("inherited_index")
        if trial in accuracies
    ]
    for name, pairs in (("strength", strengths), ("inherited", inherited)):
        if pairs:
            found[f"{name}_tau"], found[f"{name}_rho"] = np.nanmean(pairs, axis=0).tolist()
    return found


def strength_correlation(table: Benchmark, worth: Floats, strengths: Floats) -> tuple[float, float]:
    """Rank correlations of operation strengths with what the operations are worth in the table.

    An operation on an edge is worth the mean figure of all architectures that have it there.

    Args:
        table: the benchmark.
        worth: of every architecture, larger is better, shape (size,).
        strengths: of every operation on every edge, in the order of the space's vectors, flat or
            of shape (edges, operations).

    Returns:
        Kendall's τ-b and Spearman's ρ within an edge, means over edges.
    """
    space = table.space
    rows = np.asarray(strengths, dtype=np.float64).reshape(len(space.choices), -1)
    pairs = []
    for edge, row in enumerate(rows):
        operations = space.all_vectors[:, edge]
        means = np.array([np.nanmean(worth[operations == o]) for o in range(len(row))])
        pairs.append(rank_correlation(row, means))
    tau, rho = np.nanmean(pairs, axis=0).tolist()
    return tau, rho


def rank_correlation(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Kendall's τ-b and Spearman's ρ; not a number where one side is constant."""
    from scipy import stats

    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan"), float("nan")
    tau = stats.kendalltau(one, other).statistic
    return float(tau), float(stats.spearmanr(one, other).statistic)
