"""What a search may know beforehand: figures of other data sets and devices, never its target's.

A task without such tables is *cold*, one with them *warm*; the two are different tasks, with
different keys and lines of the leaderboard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError

OTHERS, WITH_SIBLINGS = "others", "others+siblings"
_COSTS = ("latency", "energy")


@dataclass(frozen=True)
class Known:
    """One column of a table that a search may see beforehand.

    Attributes:
        benchmark: the table.
        metric: the column.
    """

    benchmark: Benchmark
    metric: str

    @property
    def config(self) -> list[str]:
        """What identifies the figures."""
        return [self.benchmark.name, self.benchmark.checksum, self.metric]


@dataclass(frozen=True)
class KnownFigures:
    """The same as a method sees it.

    Attributes:
        name: the column.
        quantity: ``accuracy``, ``latency``, ...
        figures: of every architecture, turned so that larger is better, shape (size,); NaN where
            one is missing.
    """

    name: str
    quantity: str
    figures: NDArray[np.float64]


def device_family(device: str) -> str:
    """A device's name without its unit and batch size, which its siblings share."""
    return re.sub(r"_\d{1,3}$", "", re.sub(r"_m[sj]$", "", device))


def find_known(
    benchmark: Benchmark, dataset: str | None, target: Sequence[str], names: Sequence[str]
) -> tuple[Known, ...]:
    """The columns that names stand for, each checked.

    Args:
        benchmark: the table that is searched.
        dataset: the data set that is searched on.
        target: metrics that are searched or judged by.
        names: metrics of the table, ``BENCHMARK:METRIC`` of another one, ``others`` for its
            accuracies of other data sets and its costs of other devices, or ``others+siblings``,
            which leaves in the target's device at other batch sizes.

    Raises:
        SuiteError: a metric or table is unknown, another table is of another space or has other
            architectures, or a column is or contains the target.
    """
    found: dict[tuple[str, str], Known] = {}
    for name in names:
        if name in (OTHERS, WITH_SIBLINGS):
            columns = _others(benchmark, dataset, target, siblings=name == WITH_SIBLINGS)
            if not columns:
                raise SuiteError(
                    f"Benchmark {benchmark.name!r} has no other data set or device to transfer "
                    f"from: name metrics, or those of another table as BENCHMARK:METRIC."
                )
            chosen = [Known(benchmark, column) for column in columns]
        else:
            chosen = [_one(benchmark, name)]
        for one in chosen:
            _refuse_target(one, benchmark, dataset, target)
            found[one.benchmark.checksum, one.metric] = one
    return tuple(found.values())


def figures_of(known: Known) -> KnownFigures:
    """What a method sees of a column."""
    metric = known.benchmark.metric(known.metric)
    sign = 1.0 if metric.direction == "maximize" else -1.0
    figures = sign * known.benchmark.values(known.metric)
    figures.setflags(write=False)
    return KnownFigures(known.metric, metric.quantity, figures)


def _one(benchmark: Benchmark, name: str) -> Known:
    """A metric of the table, or of another one."""
    if ":" not in name or name in benchmark.metrics:
        benchmark.metric(name)
        return Known(benchmark, name)
    other, metric = _parted(benchmark, name)
    where = other.name
    other.metric(metric)
    space, theirs = benchmark.space, other.space
    if theirs.name.partition("[")[0] != space.name.partition("[")[0]:
        raise SuiteError(
            f"Table {where!r} is of space {theirs.name!r} and {benchmark.name!r} of "
            f"{space.name!r}: transfer from a table of the same space."
        )
    if theirs.size != space.size or any(
        theirs.string(index) != space.string(index) for index in range(space.size)
    ):
        raise SuiteError(
            f"Table {where!r} holds other architectures than {benchmark.name!r}: transfer from a "
            f"table with the same rows."
        )
    return Known(other, metric)


def _parted(benchmark: Benchmark, name: str) -> tuple[Benchmark, str]:
    """Table and metric of ``TABLE:METRIC``; the metric may have colons of its own."""
    colons = [place for place, letter in enumerate(name) if letter == ":"]
    for place in colons[:0:-1]:  # a path may have some too
        where, metric = name[:place], name[place + 1 :]
        with suppress(SuiteError):
            return benchmark if where == benchmark.name else load_benchmark(where), metric
    where, metric = name[: colons[0]], name[colons[0] + 1 :]
    return benchmark if where == benchmark.name else load_benchmark(where), metric


def _others(
    benchmark: Benchmark, dataset: str | None, target: Sequence[str], *, siblings: bool
) -> list[str]:
    """Accuracies of other data sets and costs of other devices."""
    taken = {
        (m.quantity, m.name if siblings else device_family(m.device or m.name))
        for m in map(benchmark.metric, target)
    }
    chosen = []
    for name, metric in benchmark.metrics.items():
        if metric.quantity == "accuracy" and not _is_of(metric, dataset):
            chosen.append(name)
        elif metric.quantity in _COSTS and name not in target:
            kind = (metric.quantity, name if siblings else device_family(metric.device or name))
            chosen += [name] if kind not in taken else []
    return chosen


def _is_of(metric: Metric, dataset: str | None) -> bool:
    plain = [
        None if name is None else name.lower().replace("-", "_").removesuffix("_valid")
        for name in (metric.dataset, dataset)
    ]
    return plain[0] is None or plain[0] == plain[1]


def _refuse_target(
    known: Known, benchmark: Benchmark, dataset: str | None, target: Sequence[str]
) -> None:
    """Whatever it is called: the figures themselves, or another test figure of the data set."""
    metric = known.benchmark.metric(known.metric)
    what = f"{known.metric!r} of table {known.benchmark.name!r}"
    if metric.split == "test" and metric.dataset is not None and _is_of(metric, dataset):
        raise SuiteError(
            f"{what} is a test figure of the data set that is searched on: transfer from others."
        )
    figures = known.benchmark.values(known.metric)
    for name in target:
        own = benchmark.values(name)
        if figures is own or np.array_equal(figures, own, equal_nan=True):
            raise SuiteError(
                f"{what} is the target {name!r} itself: a search must find it out, so leave it "
                f"out of the transfer."
            )
