"""A results file as the metrics read it: tasks and methods under readable, distinct names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.rows import TaskRow
from nasbench_suite.store import ResultStore

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-9  # the session's tolerance where fractions of evaluations add up to a budget


@dataclass(frozen=True)
class Results:
    """Tasks and trials of one results file.

    Attributes:
        path: the file.
        tasks: tasks by key, in the order they were first run.
        names: readable name of each task by key, no two equal; see ``task_names``.
        trials: as ``ResultStore.trials``, with a ``method`` that tells two
            methods of one label apart.
        methods: every method of the file by that name, sorted, whether
            it is among these trials or not.
    """

    path: Path
    tasks: Mapping[str, TaskRow]
    names: Mapping[str, str]
    trials: pd.DataFrame
    methods: tuple[str, ...] = ()

    @property
    def finished(self) -> pd.DataFrame:
        """The finished trials."""
        return self.trials[self.trials["status"] == "finished"]

    def finished_on(self, key: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The finished trials of one task, with these columns alone if so asked.

        Of a million trials a copy of every column is no small thing.
        """
        trials = self.trials
        wanted = (trials["task_key"] == key) & (trials["status"] == "finished")
        return trials.loc[wanted, list(trials.columns if columns is None else columns)]

    def reference(self, key: str) -> float:
        """The figure that regrets on a task are drawn from.

        The optimum of the whole space; where nobody knows it, the best that any search of this
        file reached.
        """
        task = self.tasks[key]
        if task.optimum is not None:
            return task.optimum
        reports = self.trials.loc[self.trials["task_key"] == key, "report"]
        return float(reports.max() if task.direction == "maximize" else reports.min())

    @cached_property
    def incumbents(self) -> pd.DataFrame:
        """All changes of incumbents of these trials, as ``ResultStore.incumbents``."""
        with ResultStore(self.path, read_only=True) as store:
            return store.incumbents(self.trials["trial"])


def read_results(
    path: str | Path, *, benchmark: str | None = None, dataset: str | None = None
) -> Results:
    """Read tasks and trials, of one benchmark or data set if asked.

    Raises:
        SuiteError: the file cannot be read, holds no trial, or none of that benchmark or data
            set.
    """
    with ResultStore(path, read_only=True) as store:
        tasks = store.tasks()
        trials = store.trials()
    if not len(trials):
        raise SuiteError(f"{path} holds no trial yet: fill it with `nasbench run`.")
    names = task_names(list(tasks.values()))
    _check_known("benchmark", benchmark, [task.benchmark for task in tasks.values()], path)
    _check_known("data set", dataset, [task.dataset or "" for task in tasks.values()], path)
    trials["method"] = _method_names(trials)
    methods = tuple(sorted(trials["method"].unique()))
    run = set(trials["task_key"].unique())
    chosen = {
        key: task
        for key, task in tasks.items()
        if key in run and benchmark in (None, task.benchmark) and dataset in (None, task.dataset)
    }
    if not chosen:
        raise SuiteError(
            f"{path} holds no trial on data set {dataset!r} of benchmark {benchmark!r}: "
            f"it has {'; '.join(names[key] for key in tasks if key in run)}."
        )
    if run != chosen.keys():  # a copy of a million trials is no small thing
        trials = trials[trials["task_key"].isin(list(chosen))].reset_index(drop=True)
    return Results(Path(path), chosen, {key: names[key] for key in chosen}, trials, methods)


def task_names(tasks: Sequence[TaskRow]) -> dict[str, str]:
    """A readable name of each task by key: benchmark, data set and budget.

    Where these do not tell two tasks apart, what does is added: the metrics, the noise, whether it
    is cross-fitted, and at last the key.
    """
    parts: dict[str, list[str]] = {
        task.key: [f"{shown_name(task.name)}, {budget_text(task)}"] for task in tasks
    }
    qualifiers: list[Callable[[TaskRow], str]] = [
        lambda task: f"{task.signal_metric} to {task.report_metric}",
        lambda task: f"{task.config.get('noise', 'mean')} signal",
        lambda task: "cross-fitted" if task.config.get("crossfit") else "not cross-fitted",
        lambda task: f"task {task.key[:8]}",
    ]
    for qualifier in qualifiers:
        alike = defaultdict(list)
        for task in tasks:
            alike[tuple(parts[task.key])].append(task)
        for group in alike.values():
            if len({qualifier(task) for task in group}) > 1:
                for task in group:
                    parts[task.key].append(qualifier(task))
    return {key: ", ".join(part) for key, part in parts.items()}


def one_task(results: Results, task: str) -> Results:
    """The results of one task alone, by its readable name.

    Raises:
        SuiteError: there is no such task.
    """
    keys = [key for key, name in results.names.items() if name == task]
    if not keys:
        raise SuiteError(choose_from("task", task, list(results.names.values())))
    (key,) = keys
    trials = results.trials[results.trials["task_key"] == key].reset_index(drop=True)
    return replace(results, tasks={key: results.tasks[key]}, names={key: task}, trials=trials)


def choose_task(results: Results, task: str | None) -> str:
    """The readable name of the task meant by a part of it that no other task has.

    A data set, a benchmark, an objective or a budget will do, or several with a comma or a slash
    between: ``cifar10``, ``nas201/cifar10``, ``cifar10, 100 evaluations``. A name in full is meant
    as it is. None will do where there is one task alone.

    Raises:
        SuiteError: no task has these parts, or several have.
    """
    names = list(results.names.values())
    if task is None and len(names) == 1:
        return names[0]
    if task is None:
        raise SuiteError(f"There are {len(names)} tasks: choose one of {'; '.join(names)}.")
    if task in names:
        return task
    wanted = _parts(task)
    found = [
        results.names[key]
        for key, row in results.tasks.items()
        if wanted
        <= _parts(results.names[key]) | _parts(row.name) | {str(row.dataset), budget_text(row)}
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise SuiteError(f"{task!r} may be {' or '.join(map(repr, found))}: say more of it.")
    raise SuiteError(choose_from("task", task, names))


def _parts(name: str) -> set[str]:
    return {part.strip() for part in re.split(r"[/,]", name) if part.strip()}


def budget_text(task: TaskRow) -> str:
    """The budget of a task in words, such as ``500 evaluations``."""
    limits = [
        f"{limit:,.10g} {unit.removesuffix('s') if limit == 1 else unit}"
        for unit in ("evaluations", "seconds")
        if (limit := task.config.get(unit)) is not None
    ]
    return " or ".join(limits) or "no budget given"


def _method_names(trials: pd.DataFrame) -> pd.Series[str]:
    """Labels, with the start of the key where several methods have one label.

    What hides in a label or looks like another's is told, see ``shown_name``. A method whose trials
    on one task were run by several codes says so wherever it is shown.
    """
    import pandas as pd

    shown = {label: shown_name(label) for label in trials["method"].unique()}
    trials = trials.assign(method=trials["method"].map(shown))
    known = trials.dropna(subset=["code"])
    codes = known.groupby(["task_key", "method_key"])["code"].nunique()
    mixed = codes[codes > 1].groupby("method_key").max()
    labels = _distinct_names(trials)
    notes = trials["method_key"].map(mixed)
    marked = labels + notes.map(lambda n: "" if pd.isna(n) else f" (of {n:.0f} codes)")
    return marked if len(mixed) else labels


def _distinct_names(trials: pd.DataFrame) -> pd.Series[str]:
    methods = trials[["method", "method_key"]].drop_duplicates()
    shared = methods.loc[methods["method"].duplicated(keep=False), "method"]
    alike = trials["method"].isin(shared)
    suffixed = trials["method"] + " (" + trials["method_key"].str[:6] + ")"
    return trials["method"].where(~alike, suffixed) if alike.any() else trials["method"]


def _check_known(kind: str, name: str | None, known: list[str], path: str | Path) -> None:
    if name is not None and name not in known:
        raise SuiteError(choose_from(f"{kind} of {path}", name, sorted({*known} - {""})))
