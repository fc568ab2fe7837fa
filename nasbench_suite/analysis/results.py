"""A results file as the metrics read it: tasks and methods under readable, distinct names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.parsing import counted
from nasbench_suite.rows import TaskRow
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks.methods import own_label

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-9  # the session's tolerance where fractions of evaluations add up to a budget


@dataclass(frozen=True)
class Results:
    """Tasks and trials of one results file.

    Trials are read when they are asked for, a task at a time, so that statistics of a task after
    the other take the memory of one.

    Attributes:
        store: the file, open for reading.
        tasks: tasks by key, in the order they were first run.
        names: readable name of each task by key, no two equal; see ``task_names``.
        named: name of each method by its key, no two equal, of those that take part.
        methods: every method of the file by that name, sorted, whether it takes part or not.
        first_run: these in the order they were first run.
        last: the trials of the task that was asked for last, by its key.
        failures: how many trials failed of the tasks read so far, see ``failed_on``.
        alike: the methods that are one of the tasks looked at so far, see
            ``sameness.identical_methods``.
    """

    store: ResultStore
    tasks: Mapping[str, TaskRow]
    names: Mapping[str, str]
    named: Mapping[str, str]
    methods: tuple[str, ...] = ()
    first_run: tuple[str, ...] = ()
    last: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    failures: dict[str, Mapping[str, int]] = field(default_factory=dict, repr=False, compare=False)
    alike: dict[str, list[list[str]]] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        tasks = counted(len(self.tasks), "task")
        return f"<Results of {str(self.path)!r}: {counted(len(self.named), 'method')} on {tasks}>"

    @property
    def path(self) -> Path:
        """The file."""
        return self.store.path

    def trials_on(self, key: str) -> pd.DataFrame:
        """The trials of one task: as ``ResultStore.trials``, with our names."""
        if key not in self.last:
            self.last.clear()  # before the next is read
            trials = self.store.trials(key)
            method = trials["method_key"].map(self.named)
            known = method.notna()
            trials["method"] = method
            self._refuse_infinite(key, trials)
            trials = trials if known.all() else trials[known].reset_index(drop=True)
            failed = trials.loc[trials["status"] == "failed", "method"].value_counts(sort=False)
            self.failures[key] = {str(method): int(count) for method, count in failed.items()}
            self.last[key] = trials
        return self.last[key]

    def failed_on(self, key: str) -> Mapping[str, int]:
        """How many trials failed on one task, by method, of the methods that have any."""
        if key not in self.failures:
            self.trials_on(key)
        return self.failures[key]

    def _refuse_infinite(self, key: str, trials: pd.DataFrame) -> None:
        """No statistic is of infinite figures; a missing one is that of a failed trial."""
        without_end = trials[np.isinf(trials["report"].astype(float))]
        if len(without_end):
            first = without_end.iloc[0]
            raise SuiteError(
                f"{self.path} has a figure that is not finite, of {first['method']} with seed "
                f"{first['seed']} on {self.names[key]}: remove it with `nasbench store remove` and "
                f"run that seed again."
            )

    def finished_on(self, key: str) -> pd.DataFrame:
        """The finished trials of one task."""
        trials = self.trials_on(key)
        return trials[trials["status"] == "finished"]

    def incumbents_on(self, key: str) -> pd.DataFrame:
        """All changes of incumbents of one task's trials, as ``ResultStore.incumbents``."""
        return self.store.incumbents(self.trials_on(key)["trial"])

    @cached_property
    def trials(self) -> pd.DataFrame:
        """The trials of all tasks, which take memory together."""
        import pandas as pd

        return pd.concat([self.trials_on(key) for key in self.tasks], ignore_index=True)

    @property
    def finished(self) -> pd.DataFrame:
        """The finished trials of all tasks."""
        return self.trials[self.trials["status"] == "finished"]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The number of each method, by name: equals stand in this order, whatever is shown."""
        return {method: place for place, method in enumerate(self.methods)}

    @cached_property
    def taking_part(self) -> Mapping[str, tuple[str, ...]]:
        """The methods with trials on each task, by its key, sorted."""
        census = self.store.census()
        named = census.assign(method=census["method_key"].map(self.named))
        found = named.dropna(subset=["method"]).groupby("task_key")["method"]
        by_key = {str(key): tuple(sorted(set(methods))) for key, methods in found}
        return {key: by_key.get(key, ()) for key in self.tasks}

    def reference(self, key: str) -> float:
        """The figure that regrets on a task are drawn from.

        The optimum of the whole space; where nobody knows it, the best that any search of this
        file reached.
        """
        task = self.tasks[key]
        if task.optimum is not None:
            return task.optimum
        reports = self.trials_on(key)["report"]
        return float(reports.max() if task.direction == "maximize" else reports.min())


def read_results(
    path: str | Path, *, benchmark: str | None = None, dataset: str | None = None
) -> Results:
    """Read tasks and methods, of one benchmark or data set if asked; trials come when needed.

    Raises:
        SuiteError: the file cannot be read, holds no trial, or none of that benchmark or data
            set.
    """
    store = ResultStore(path, read_only=True)
    tasks, census = store.tasks(), store.census()
    if not len(census):
        raise SuiteError(f"{path} holds no trial yet: fill it with `nasbench run`.")
    names = task_names(list(tasks.values()))
    _check_known("benchmark", benchmark, [task.benchmark for task in tasks.values()], path)
    _check_known("data set", dataset, [task.dataset or "" for task in tasks.values()], path)
    run = set(census["task_key"])
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
    named = _method_names(census)
    first_run = tuple(named[row.key] for row in store.methods() if row.key in named)
    names = {key: names[key] for key in chosen}
    return Results(store, chosen, names, named, tuple(sorted(first_run)), first_run)


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
        lambda task: "cross-fitted" if task.crossfitted else "not cross-fitted",
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
    return replace(results, tasks={key: results.tasks[key]}, names={key: task})


def only(results: Results, methods: Sequence[str]) -> Results:
    """Results of some methods alone, by the names they have there."""
    named = {key: name for key, name in results.named.items() if name in methods}
    return replace(results, named=named, last={}, failures={}, alike={})


def need_trials(results: Results) -> Results:
    """The same results.

    Raises:
        SuiteError: none of the methods left has a trial on any of the tasks left.
    """
    if not any(results.taking_part.values()):
        raise SuiteError(f"{results.path} has no trial of these methods on these tasks.")
    return results


def meant_methods(
    name: str, known: Sequence[str], shown: Mapping[str, str], besides: Sequence[str] = ()
) -> list[str]:
    """The labels that a name stands for: that label, that shown name, or all of that method.

    Args:
        name: what was given; the settings in it may stand in any order.
        known: labels of the methods that there are.
        shown: the names that people are shown, by label.
        besides: what else may be given where it is, and is not meant here.

    Raises:
        SuiteError: it stands for none.
    """
    if name in known:
        return [name]
    if (label := own_label(name)) in known:
        return [label]
    found = [label for label in known if name == shown.get(label)]
    found = found or [label for label in known if label.partition("[")[0] == name]
    if not found:
        labels = {title: label for label, title in shown.items()}
        raise SuiteError(choose_from("method with results", name, [*known, *besides], labels))
    return found


def choose_task(results: Results, task: str | None, shown: Mapping[str, str] | None = None) -> str:
    """The readable name of the task meant by a part of it that no other task has.

    A data set, a benchmark, a metric, an objective or a budget will do, or several with a comma or
    a slash between: ``cifar10``, ``nas201/cifar10``, ``cifar10, 100 evaluations``. A name in full
    is meant as it is. None will do where there is one task alone.

    Args:
        results: with the tasks.
        task: what was given.
        shown: further names of the tasks by key, which will do as well.

    Raises:
        SuiteError: no task has these parts, or several have.
    """
    names = list(results.names.values())
    if task is None and len(names) == 1:
        return names[0]
    if task is None:
        raise SuiteError(f"There are {len(names)} tasks: choose one of {'; '.join(names)}.")
    known = {key: {name, (shown or {}).get(key, "")} for key, name in results.names.items()}
    for key, whole in known.items():
        if task in whole:
            return results.names[key]
    wanted, found = _parts(task), list[str]()
    for metrics in (False, True):  # which do where nothing that is in the names does
        found = found or [
            results.names[key]
            for key, row in results.tasks.items()
            if wanted <= _task_parts(row, known[key], metrics=metrics)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        raise SuiteError(f"{task!r} may be {' or '.join(map(repr, found))}: say more of it.")
    short = {str(row.dataset): results.names[key] for key, row in results.tasks.items()}
    raise SuiteError(choose_from("task", task, names, short))


def _task_parts(task: TaskRow, names: Iterable[str], *, metrics: bool) -> set[str]:
    """What a task may be called by, one of its metrics too if that is asked for."""
    parts = set().union(*map(_parts, [*names, task.name])) | {str(task.dataset), budget_text(task)}
    return parts | {task.signal_metric, task.report_metric} if metrics else parts


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


def _method_names(census: pd.DataFrame) -> dict[str, str]:
    """Labels by key of method, with the start of the key where several methods have one label.

    What hides in a label or looks like another's is told, see ``shown_name``. A method whose trials
    on one task were run by several codes says so wherever it is shown.
    """
    known = census.dropna(subset=["code"])
    codes = known.groupby(["task_key", "method_key"])["code"].nunique().groupby("method_key").max()
    labels = {
        key: shown_name(label)
        for key, label in zip(census["method_key"], census["method"], strict=True)
    }
    alike = Counter(labels.values())
    return {
        key: label
        + (f" ({key[:6]})" if alike[label] > 1 else "")
        + (f" (of {codes[key]} codes)" if codes.get(key, 1) > 1 else "")
        for key, label in labels.items()
    }


def _check_known(kind: str, name: str | None, known: list[str], path: str | Path) -> None:
    if name is not None and name not in known:
        raise SuiteError(choose_from(f"{kind} of {path}", name, sorted({*known} - {""})))
