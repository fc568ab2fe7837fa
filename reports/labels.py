"""Names as people read them, and one colour and marker a method: what tables and figures show.

A results file has identifiers: ``regularized-evolution[population_size=50]``, ``cifar10_test_200``.
``present`` gives the same results under the names of a paper. Where a name comes from, first found
first: the file of ``--labels``; a method's ``title``; what the table that was searched says
(``names`` of what is told about it); those that come with the suite (``labels.toml``); the
identifier. Settings that all methods have, or all rows of one method, are said once, not in each
name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from nasbench_suite.analysis.results import (
    Results,
    budget_text,
    choose_task,
    meant_methods,
    need_trials,
    one_task,
    only,
    read_results,
)
from nasbench_suite.benchmarks.columns import infer_facts
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.toml import read_toml
from nasbench_suite.parsing import first_fault, split_names
from nasbench_suite.tasks.methods import method_title
from reports.credits import table_names

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.rows import TaskRow

_OWN = Path(__file__).with_name("labels.toml")
_SPLITS = {"valid": "validation", "test": "test", "train": "training"}
_QUANTITIES = {"training_time": "training time", "flops": "FLOPs", "macs": "MACs"}
_LABEL = re.compile(r"([^\[\]]+?)(?:\[(.*)\])?( \([0-9a-f]{6}\))?")
_NEXT = re.compile(r"\w+=")  # a setting begins; a list has commas within


class Labels(BaseModel):
    """Names to show by identifier; ``methods`` by label or by registered name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: dict[str, str] = {}
    benchmarks: dict[str, str] = {}
    datasets: dict[str, str] = {}
    devices: dict[str, str] = {}
    metrics: dict[str, str] = {}

    def over(self, other: Labels) -> Labels:
        """These, and those of the other that are none of these."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Labels(**{kind: {**theirs[kind], **mine[kind]} for kind in mine})

    def method(self, label: str, without: Collection[str] = ()) -> str:
        """The name of a method by its label, settings in words but those said elsewhere.

        >>> Labels().method("regularized-evolution[population_size=50]")
        'Regularized evolution (population size 50)'
        """
        if label in self.methods:
            return self.methods[label]
        name, settings, key = _parts(label)
        title = self.methods.get(name) or method_title(name)
        told = [setting for setting in settings if setting not in without]
        if title == name:
            return name + (f"[{','.join(told)}]" if told else "") + key
        return title + (f" ({_words(told)})" if told else "") + key

    def dataset(self, name: str) -> str:
        """The name of a data set."""
        return self.datasets.get(name, name)

    def device(self, name: str) -> str:
        """The name of a device, from ``titan_rtx_32`` and ``cifar10_pixel3`` as well."""
        if name in self.devices:
            return self.devices[name]
        base, _, batch = name.rpartition("_")
        if batch.isdecimal() and base:
            return f"{self.device(base)}, batch {batch}"
        for dataset in self.datasets:
            if name.startswith(f"{dataset}_"):
                return f"{self.device(name[len(dataset) + 1 :])}, {self.dataset(dataset)}"
            if name.endswith(f"_{dataset}"):
                return f"{self.device(name[: -len(dataset) - 1])}, {self.dataset(dataset)}"
        return name

    def metric(self, name: str, *, dataset: str | None = None, device: str | None = None) -> str:
        """What a metric is, such as ``test accuracy after 200 epochs``.

        Args:
            name: the metric's.
            dataset: what the reader knows already, and need not be told.
            device: what it was measured on, where that is known.
        """
        if name in self.metrics:
            return self.metrics[name]
        facts = infer_facts(name)
        quantity = facts.get("quantity") or ("latency" if device else "")
        if not quantity:
            return name
        text = _QUANTITIES.get(quantity, quantity.replace("_", " "))
        if facts.get("split"):
            text = f"{_SPLITS[facts['split']]} {text}"
        of = self.dataset(facts["dataset"]) if facts.get("dataset") else ""
        if of and facts["dataset"] != dataset:
            text = f"{of} {text}"
        device = device or facts.get("device")
        if device:
            text += f" on {self.device(device).removesuffix(f', {of}')}"
        if facts.get("epochs"):
            epochs = facts["epochs"]
            text += f" after {epochs} {'epoch' if epochs == 1 else 'epochs'}"
        return text

    def objective(self, said: Mapping[str, Any], dataset: str | None = None) -> str:
        """An objective of a task of several, as its ``measure`` says it."""
        return self.metric(str(said["name"]), dataset=dataset, device=said.get("device"))

    def circumstances(self, said: Mapping[str, Any], task: TaskRow) -> str:
        """How the figures of an objective came about, as a sentence; empty where nothing is known.

        Whether they are modelled or quantised, under which conditions a cost was measured, and of
        which data set where it is not that of the search.
        """
        parts = [said["provenance"]] if said["provenance"] in ("modelled", "quantised") else []
        if said.get("conditions"):
            parts.append(f"at {said['conditions']}")
        if said.get("dataset"):
            searched = self.dataset(task.dataset or "")
            parts.append(f"of {self.dataset(said['dataset'])}, and the search is on {searched}")
        name = self.objective(said, task.dataset)
        return f"The figures of {name} are {'; '.join(parts)}." if parts else ""

    def judged_by(self, task: TaskRow) -> str:
        """What a task is judged by."""
        if task.measure is not None:
            names = [self.objective(said, task.dataset) for said in task.measure["objectives"]]
            return f"normalised hypervolume of {' and '.join(names)}"
        return self.metric(task.report_metric, dataset=task.dataset)

    def task(self, task: TaskRow) -> str:
        """Benchmark and data set of a task, and its objectives beyond the first."""
        benchmark = self.benchmarks.get(task.benchmark, task.benchmark)
        parts = [benchmark]
        if task.dataset and self.dataset(task.dataset).lower() not in benchmark.lower():
            parts.append(self.dataset(task.dataset))
        further = (task.measure or {}).get("objectives", [])[1:]
        parts += [self.objective(said, task.dataset) for said in further]
        return ", ".join(parts)


@dataclass(frozen=True)
class Presented(Results):
    """Results under names to be shown.

    Attributes:
        labels: where the names are from.
        styles: number of each method among all of its results file, in the order they were first
            run, by shown name: it decides its colour and marker, whatever else is shown, and stays
            when further methods are run.
        order: the methods in the order asked for; empty where the results decide.
        shown: names shown by label.
        common: the settings that these names leave out, as a sentence; empty if there are none.
    """

    labels: Labels = field(default_factory=Labels)
    styles: Mapping[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    common: str = ""

    def method(self, name: str, besides: Sequence[str] = ()) -> str:
        """The shown name of one method, by its label, registered name or shown name.

        Args:
            name: what was given.
            besides: what else may be given, which is told where there is no such method.

        Raises:
            SuiteError: there is no such method, or the name stands for several.
        """
        found = meant_methods(name, list(self.shown), self.shown, besides)
        if len(found) > 1:
            raise SuiteError(f"{name!r} may be {' or '.join(found)}: name one of them.")
        return self.shown[found[0]]


def own_labels() -> Labels:
    """The names that come with the suite."""
    return _read(_OWN)


def read_labels(path: str | Path) -> Labels:
    """The names of a TOML file.

    Args:
        path: tables ``methods``, ``benchmarks``, ``datasets``, ``devices`` and ``metrics`` of
            identifiers and names.

    Raises:
        SuiteError: it cannot be read, or holds something else.
    """
    return _read(Path(path))


@cache
def _read(path: Path) -> Labels:
    try:
        labels = Labels.model_validate(read_toml(path, "Labels file"))
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] == "extra_forbidden":
            known = choose_from("table", str(fault["loc"][0]), list(Labels.model_fields))
            raise SuiteError(f"Labels file {path}: {known}") from None
        raise SuiteError(f"Labels file {path}: {first_fault(error)}") from None
    for kind, names in labels.model_dump().items():
        for key, name in names.items():
            if not name.strip():
                raise SuiteError(
                    f"Labels file {path}: {kind}.{key} is blank: write the name that tables and "
                    f"figures shall show, or leave it out."
                )
    return labels


def present(
    results: Results,
    labels: Labels | None = None,
    *,
    task: str | None = None,
    methods: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    plain: bool = False,
) -> Presented:
    """Results under names to be shown, of some methods, in some order.

    Args:
        results: as they were read.
        labels: names that come before those of the tables and of the suite.
        task: one task alone, by what tells it from the others, see ``choose_task``.
        methods: these alone, by label, registered name or shown name; by default all.
        order: which come first, said likewise; the others follow as the results have them.
        plain: keep the identifiers, as files for other programs do.

    Raises:
        SuiteError: there is no such method or task.
    """
    if isinstance(results, Presented):
        return results
    of_tables = Labels(**table_names(results.tasks.values()).model_dump())
    labels = (labels or Labels()).over(of_tables).over(own_labels())
    known = list(results.methods)
    everywhere, of_name = _common_settings(known)
    shown = _distinct(
        {k: labels.method(k, [*everywhere, *of_name.get(_parts(k)[0], ())]) for k in known}
    )
    given = {label: label for label in known} if plain else shown
    names = _task_names(results, labels)
    if task is not None:
        results = one_task(results, choose_task(results, task, names))
    if methods is not None:
        results = only(results, [m for name in methods for m in meant_methods(name, known, shown)])
    taking_part = need_trials(results).taking_part
    here = {label for of_task in taking_part.values() for label in of_task}
    names_here = {_parts(label)[0] for label in here}
    told = {name: left_out for name, left_out in of_name.items() if name in names_here}
    wanted = [label for name in order or () for label in meant_methods(name, known, shown)]
    return Presented(
        store=results.store,
        tasks=results.tasks,
        names=results.names if plain else {key: names[key] for key in results.tasks},
        named={key: given[label] for key, label in results.named.items()},
        methods=tuple(given[label] for label in known),
        labels=labels,
        styles={given[label]: number for number, label in enumerate(results.first_run)},
        order=tuple(given[label] for label in dict.fromkeys(wanted) if label in here),
        shown=given,
        common="" if plain else _common_sentence(labels, everywhere, told),
    )


def read_presented(
    path: str | Path,
    *,
    benchmark: str | None = None,
    dataset: str | None = None,
    task: str | None = None,
    labels: str | Path | None = None,
    methods: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    plain: bool = False,
) -> Presented:
    """Read results and present them; see ``read_results``, ``read_labels`` and ``present``."""
    found = None if labels is None else read_labels(labels)
    results = read_results(path, benchmark=benchmark, dataset=dataset)
    return present(results, found, task=task, methods=methods, order=order, plain=plain)


def told_apart(names: Sequence[str]) -> tuple[list[str], str]:
    """Names of tasks without the parts that all have, and these parts.

    >>> told_apart(["NAS-Bench-201, CIFAR-10", "NAS-Bench-201, CIFAR-100"])
    (['CIFAR-10', 'CIFAR-100'], 'NAS-Bench-201')
    """
    parts = [name.split(", ") for name in names]
    common = [one for one in parts[0] if all(one in other for other in parts)] if parts else []
    short = [", ".join(one for one in own if one not in common) for own in parts]
    if len(set(short)) < len(short) or not all(short):
        return list(names), ""
    return short, ", ".join(common)


def labels_of(results: Results) -> Labels:
    """The names that results are shown under."""
    return results.labels if isinstance(results, Presented) else own_labels()


def shown_as(results: Results, name: str) -> str:
    """The name that results show a method under, by any of its names where they are presented."""
    return results.method(name) if isinstance(results, Presented) else name


def common_settings(results: Results) -> list[str]:
    """The sentence on settings that names leave out, if they do."""
    return [results.common] if isinstance(results, Presented) and results.common else []


def in_order(frame: pd.DataFrame, results: Results, *columns: str) -> pd.DataFrame:
    """Rows with the methods asked for first, in the order asked for; the others as they were.

    Args:
        frame: rows; where they have a ``task_key``, they stay with their task.
        results: what they were made from.
        columns: what names the methods of a row, the one asked for first counting; by default
            ``method``.
    """
    order = results.order if isinstance(results, Presented) else ()
    if not order:
        return frame
    places = {name: place for place, name in enumerate(order)}
    asked = [frame[column].map(places).fillna(len(places)) for column in columns or ("method",)]
    tasks = frame["task_key"].factorize()[0] if "task_key" in frame else np.zeros(len(frame))
    return frame.iloc[np.lexsort((np.min(asked, axis=0), tasks))].reset_index(drop=True)


def _parts(label: str) -> tuple[str, list[str], str]:
    """Registered name, settings and what tells equal ones apart; a name alone if it is no label."""
    match = _LABEL.fullmatch(label)
    if match is None:
        return label, [], ""
    settings: list[str] = []
    for part in split_names(match[2] or ""):  # commas in brackets divide none
        if settings and not _NEXT.match(part):
            settings[-1] += f",{part}"
        else:
            settings.append(part)
    return match[1], settings, match[3] or ""


def _words(settings: Iterable[str]) -> str:
    return ", ".join(setting.replace("_", " ").replace("=", " ", 1) for setting in settings)


def _common_settings(known: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Settings that all labels have, and those beyond that all labels of a name have, by name.

    One label alone keeps its settings.
    """
    settings: dict[str, list[list[str]]] = {}
    for name, own, _ in map(_parts, known):
        settings.setdefault(name, []).append(own)
    everywhere = _shared([own for several in settings.values() for own in several])
    return everywhere, {
        name: beyond
        for name, several in settings.items()
        if (beyond := [one for one in _shared(several) if one not in everywhere])
    }


def _shared(several: Sequence[Sequence[str]]) -> list[str]:
    if len(several) < 2:
        return []
    return [one for one in several[0] if all(one in other for other in several)]


def _common_sentence(
    labels: Labels, everywhere: Sequence[str], of_name: Mapping[str, Sequence[str]]
) -> str:
    said = [f"{_words(everywhere)} (all methods)"] if everywhere else []
    said += [f"{_words(own)} ({labels.method(name)})" for name, own in of_name.items()]
    return f"Common settings: {'; '.join(said)}." if said else ""


def _distinct(shown: Mapping[str, str]) -> dict[str, str]:
    """Names of which no two are equal: where they are, the label stands for both."""
    names = list(shown.values())
    return {label: label if names.count(name) > 1 else name for label, name in shown.items()}


def _task_names(results: Results, labels: Labels) -> dict[str, str]:
    """A name to be shown of each task, its budget where tasks differ by it, no two equal."""
    plain = {key: labels.task(task) for key, task in results.tasks.items()}
    budgets = {key: budget_text(task) for key, task in results.tasks.items()}
    reports = {key: labels.judged_by(task) for key, task in results.tasks.items()}
    named = {key: f"{plain[key]}, {budgets[key]}" for key in plain}
    if len(set(named.values())) == len(named):
        return named
    named = {
        key: name if list(named.values()).count(name) == 1 else f"{name}, {reports[key]}"
        for key, name in named.items()
    }
    counts = list(named.values())
    return {
        key: name if counts.count(name) == 1 else results.names[key] for key, name in named.items()
    }


__all__ = [
    "Labels",
    "Presented",
    "common_settings",
    "in_order",
    "labels_of",
    "only",
    "own_labels",
    "present",
    "read_labels",
    "read_presented",
    "shown_as",
    "told_apart",
]
