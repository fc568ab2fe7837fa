"""Collecting the metrics of one or several tables into a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.columns import (
    ColumnFacts,
    ColumnGroup,
    MetadataFile,
    group_columns,
    infer_facts,
    is_index,
    label_of,
    reason_of,
    said_of,
)
from nasbench_suite.benchmarks.doubtful import doubtful_figures
from nasbench_suite.benchmarks.importing.architecture_column import (
    find_architecture_column,
    in_order_hint,
    is_bare,
    other_names,
)
from nasbench_suite.benchmarks.importing.architectures import read_architectures
from nasbench_suite.benchmarks.importing.cells import Numbers
from nasbench_suite.benchmarks.importing.figures import (
    NO_FIGURE,
    refuse_impossible,
    shown_by,
    units_assumed,
    usual_facts,
)
from nasbench_suite.benchmarks.importing.reading import described_costs, in_brackets, read_figures
from nasbench_suite.benchmarks.long_form import refuse_long_form
from nasbench_suite.benchmarks.metric import Metric, metric_option
from nasbench_suite.benchmarks.noise import are_copied
from nasbench_suite.benchmarks.quantities import (
    QUANTITIES,
    check_unit,
    latency_of,
    says_no_unit,
    unit_alone,
)
from nasbench_suite.benchmarks.table import REASONS, Benchmark, Described, make_benchmark
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.frames import FrameFile
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, PoolSpace

if TYPE_CHECKING:
    import pandas as pd

_PER_FUNCTION = ("accuracy", "loss", "latency", "energy")
Kind = TypeVar("Kind", bound=Described)
"""A table, or a surrogate."""


@dataclass(frozen=True)
class Imported(Generic[Kind]):
    """An imported benchmark, and what the user should be told of it.

    Attributes:
        benchmark: the benchmark.
        left_out: columns that did not become metrics, as ``file: column``, and why.
        hints: sentences on what was found, and how to say otherwise.
        warnings: sentences on figures that can hardly belong to their architectures.
    """

    benchmark: Kind
    left_out: Mapping[str, str] = field(default_factory=dict)
    hints: Sequence[str] = ()
    warnings: Sequence[str] = ()


class Importer:
    """Collects the metrics of several tables.

    Args:
        space: a row for each of its architectures is wanted.
        metadata: what the user says of metrics.
        encoding: how numbers and vectors are meant; see ``encodings``.
        force: take figures that fit another order or encoding better.
    """

    def __init__(
        self,
        space: FiniteSpace,
        metadata: MetadataFile,
        encoding: str | None = None,
        force: bool = False,
    ) -> None:
        self.space = space
        self.facts: dict[str, ColumnFacts] = dict(metadata.metrics)
        self.asked = list(metadata.metrics)  # each must describe something
        self.about = dict(metadata.about)
        self.encoding = encoding
        self.force = force
        self.metrics: dict[str, Metric] = {}
        self.columns: dict[str, Numbers] = {}
        self.gaps: dict[str, NDArray[np.uint8]] = {}  # of metrics that were there before
        self.left_out: dict[str, str] = {}
        self.hints: list[str] = []
        self.assumed: dict[str, str] = {}
        self.warnings: list[str] = []
        self.seed_sources: dict[str, str] = {}  # the column of a metric's first seed

    def add(
        self,
        path: Path,
        file: FrameFile,
        *,
        are_latencies: bool = False,
        arch_column: str | None = None,
        in_index_order: bool = False,
    ) -> None:
        """Take the metrics of one file."""
        self.hints += file.notes
        self._take_own_facts(path, file)
        frame = file.frame
        if are_latencies and is_bare(frame, self.space):
            self.hints.append(in_order_hint(path))
            in_index_order = True
        column = find_architecture_column(path, frame, self.space, arch_column, in_index_order)
        if column is not None and arch_column is None:
            self.hints += other_names(path, frame, column, self.space)
        figures, left_out = read_figures(frame, column)
        if column is not None:
            refuse_long_form(path, frame, column, figures)
        groups, statistics = group_columns(list(figures), self.facts)
        left_out |= statistics
        figures = self._without_marks(groups, figures)
        metrics: dict[str, Metric] = {}
        for name, group in groups.items():
            metric = self._metric(name, group, figures, are_latencies)
            if isinstance(metric, str):
                left_out |= dict.fromkeys(group.columns, metric)
            else:
                metrics[name] = metric
        if not metrics:
            raise SuiteError(_no_metric(path, left_out))
        rows = self._rows(path, frame, column, metrics, groups, figures)
        used = {column: figures[column] for name in metrics for column in groups[name].columns}
        figures = self._in_index_order(path, rows, used, metrics)
        for name, metric in metrics.items():
            for one in groups[name].columns:
                refuse_impossible(path, one, metric, figures[one], self.space)
            self._take(path, metric, groups[name], figures)
        self.left_out |= {f"{path.name}: {column}": why for column, why in left_out.items()}

    def _without_marks(
        self, groups: Mapping[str, ColumnGroup], figures: Mapping[str, Numbers]
    ) -> dict[str, Numbers]:
        """The columns with NaN in place of -1 where it is said why figures are not there."""
        unmarked = dict(figures)
        for name, group in groups.items():
            if reason_of(name, self.facts) is not None:
                for column in group.columns:
                    values = figures[column]
                    unmarked[column] = np.where(values == NO_FIGURE, np.nan, values)
        return unmarked

    def _take_own_facts(self, path: Path, file: FrameFile) -> None:
        """What a table of costs of ours says of its columns and of the device."""
        said = described_costs(path, file)
        for column, facts in said.metrics.items():
            self.facts = {column: facts, **self.facts}  # what the user says comes later and decides
        if said.about:
            costs = self.about.setdefault("costs", {})
            costs |= dict.fromkeys(said.metrics, said.about)

    def _rows(
        self,
        path: Path,
        frame: pd.DataFrame,
        column: str | None,
        metrics: Mapping[str, Metric],
        groups: Mapping[str, ColumnGroup],
        figures: Mapping[str, Numbers],
    ) -> NDArray[np.int64]:
        """The architecture of each row, in the encoding said or else found."""
        judged = {
            name: (metric.quantity, figures[groups[name].mean or min(groups[name].columns)])
            for name, metric in metrics.items()
        }
        found = read_architectures(
            path, frame, column, self.space, judged, encoding=self.encoding, force=self.force
        )
        self.hints += found.hints
        self.warnings += found.warnings
        return found.indices

    def finish(self, name: str, about: Mapping[str, Any]) -> Imported[Benchmark]:
        """The benchmark of all that was added."""
        for pattern in self.asked:
            if not self._describes_something(pattern):
                raise SuiteError(choose_from("metric to describe", pattern, list(self.metrics)))
        metrics = list(self.metrics.values())
        about = {**about, **self.about}
        if labels := {n: said for n in self.metrics if (said := label_of(n, self.facts))}:
            names = about.get("names", {})
            about["names"] = {**names, "metrics": {**names.get("metrics", {}), **labels}}
        benchmark = make_benchmark(name, self.space, metrics, self.columns, about, self._gaps())
        hints = [*self.hints, *units_assumed(self.assumed), *self._not_there(benchmark)]
        hints += self._no_signal()
        hints += doubtful_figures(benchmark.space, benchmark.metrics, benchmark.columns)
        return Imported(benchmark, self.left_out, hints, self.warnings)

    def _describes_something(self, pattern: str) -> bool:
        """Whether what the user says under a name or pattern is of any metric."""
        one = {pattern: self.facts[pattern]}
        return any(
            said_of(name, one) or reason_of(name, one) or label_of(name, one)
            for name in self.metrics
        )

    def _not_there(self, benchmark: Benchmark) -> list[str]:
        """A hint for each metric whose figures are not there for a reason that was said."""
        return [
            f"{name}: {count:,} of {self.space.size:,} architectures "
            f"{'has' if count == 1 else 'have'} no figure ({reason}); "
            f"no search on it returns them."
            for name in self.metrics
            if name not in self.gaps and reason_of(name, self.facts)
            for reason, count in benchmark.missing(name).items()
        ]

    def _gaps(self) -> dict[str, NDArray[np.uint8]]:
        """Why architectures have no figure: as said; of a table of a sample, "not measured"."""
        gaps = dict(self.gaps)
        usual = "not measured" if isinstance(self.space, PoolSpace) else None
        for metric in self.metrics.values():
            reason = reason_of(metric.name, self.facts) or usual
            if reason is None or metric.name in gaps:
                continue
            columns = (
                [metric.name]
                if metric.name in self.columns
                else [metric.seed_column(seed) for seed in metric.seeds]
            )
            empty = np.all([np.isnan(self.columns[column]) for column in columns], axis=0)
            if empty.any():
                gaps[metric.name] = empty.astype(np.uint8) * np.uint8(REASONS.index(reason))
        return gaps

    def _no_signal(self) -> list[str]:
        """A hint where there are test accuracies and nothing that a search may see."""
        accuracies = [one for one in self.metrics.values() if one.quantity == "accuracy"]
        tests = [metric for metric in accuracies if metric.split == "test"]
        if not tests or any(metric.split == "valid" for metric in accuracies):
            return []
        hint = "There is no validation accuracy, so no signal that a search may see"
        for test in tests:
            if len(test.seeds) > 1:
                column = self.seed_sources[test.name]
                hint += f": set one training aside with {metric_option(column, 'split=valid')}"
                break
        return [f"{hint}."]

    def _in_index_order(
        self,
        path: Path,
        rows: NDArray[np.int64],
        figures: Mapping[str, Numbers],
        metrics: Mapping[str, Metric],
    ) -> dict[str, Numbers]:
        """The columns by architecture index; equal rows of one architecture are taken once.

        NaN at an architecture without a row, where it is said of all metrics why they lack some.
        """
        known, first, row_of = np.unique(rows, return_index=True, return_inverse=True)
        _refuse_contradictions(path, rows, first[row_of], figures)
        if len(known) < len(rows):
            self.hints.append(
                f"{path.name} repeats {counted(len(rows) - len(known), 'row')}; each is taken once."
            )
        unexplained = any(reason_of(name, self.facts) is None for name in metrics)
        if len(known) < self.space.size and unexplained:
            beside = bool(self.metrics)  # a table that comes first decides what there is
            raise SuiteError(_lacking(path, known, self.space, metrics.values(), beside))
        complete = {column: np.full(self.space.size, np.nan) for column in figures}
        for column, values in figures.items():
            complete[column][known] = values[first]
        return complete

    def _metric(
        self, name: str, group: ColumnGroup, figures: Mapping[str, Numbers], latencies: bool
    ) -> Metric | str:
        """What the columns of a group are, or why they are left out."""
        said = said_of(name, self.facts)
        inferred = infer_facts(group.seed_of or name)
        if is_index(name) and name not in self.facts:
            return "an index"
        by_unit = unit_alone(name) is not None
        if latencies and (by_unit or not inferred) and "quantity" not in said:
            inferred = latency_of(name)
            if "unit" not in said and not by_unit:
                self.assumed[name] = inferred["unit"]
        quantity = said.get("quantity", inferred.get("quantity"))
        if quantity is None:
            option = metric_option(name, "quantity=accuracy")
            return f"nothing says what it is; add {option} or another"
        if quantity != inferred.get("quantity"):
            inferred.pop("unit", None)  # it was that of another quantity
        facts = {**usual_facts(name, quantity, said), **inferred}
        if "unit" in said:
            check_unit(name, quantity, said["unit"])
        elif quantity == inferred.get("quantity") and says_no_unit(name):
            self.assumed[name] = inferred["unit"]
        notes = [f"one training of {group.seed_of}, set aside"] if group.seed_of else []
        notes += [f"without {', '.join(group.aside)}, set aside"] if group.aside else []
        shown = shown_by(name, {**facts, **said}, [figures[column] for column in group.columns])
        if shown.hint:
            self.hints.append(shown.hint)
        note = "; ".join([*notes, *filter(None, [shown.note])])
        seeds = tuple(sorted(group.seeds))
        known = {"name": name, **facts, **shown.facts, "note": note, **said, "seeds": seeds}
        return Metric(**known)

    def _take(
        self, path: Path, metric: Metric, group: ColumnGroup, figures: Mapping[str, Numbers]
    ) -> None:
        if metric.name in self.metrics:
            raise SuiteError(
                f"Metric {metric.name!r} of {path} is already there from another file: rename "
                f"its column in one of them."
            )
        columns = [figures[one] for one in group.columns]
        has_twins = len(self.space.representatives) < self.space.size
        may_differ = metric.quantity in _PER_FUNCTION and has_twins
        if may_differ and all(are_copied(self.space, column) for column in columns):
            note = "isomorphic architectures share one figure"
            said = said_of(metric.name, self.facts).get("note")
            notes = [metric.note] if metric.note else []
            metric = replace(metric, note=said or "; ".join([*notes, note]))
        self.metrics[metric.name] = metric
        if group.mean:
            self.columns[metric.name] = figures[group.mean]
        for seed, column in group.seeds.items():
            self.seed_sources.setdefault(metric.name, column)
            self.columns[metric.seed_column(seed)] = figures[column]


def _refuse_contradictions(
    path: Path, rows: NDArray[np.int64], first: NDArray[np.int64], figures: Mapping[str, Numbers]
) -> None:
    """Refuse rows of one architecture that have different figures.

    Args:
        path: the file, for messages.
        rows: the architecture of each row, shape (n,).
        first: the first row of the same architecture, shape (n,).
        figures: each of shape (n,), by column.
    """
    for column, values in figures.items():
        kept = values[first]
        same = (values == kept) | (np.isnan(values) & np.isnan(kept))
        if not same.all():
            row = int(np.argmin(same))
            raise SuiteError(
                f"{path} has architecture {rows[row]} twice (rows {first[row]} and {row}) with "
                f"different figures in column {column!r}: keep one row."
            )


def _lacking(
    path: Path,
    known: NDArray[np.int64],
    space: FiniteSpace,
    metrics: Iterable[Metric],
    beside: bool,
) -> str:
    """What is wrong with a table that lacks architectures, and what to do.

    Args:
        path: of the table.
        known: the architectures that it has.
        space: of its architectures.
        metrics: that it has.
        beside: whether it comes beside another table, which says what there is to search among.
    """
    missing = np.setdiff1d(np.arange(space.size), known)
    quantities = [QUANTITIES.get(metric.quantity) for metric in metrics]
    of_device = all(quantity is not None and quantity.of_device for quantity in quantities)
    fill = ", or predict the others with `nasbench hardware fill`" if of_device else ""
    sample = "" if beside else "take it as a sample with --partial, to search what is there, or "
    return (
        f"{path} lacks {len(missing):,} of the {space.size:,} architectures of space "
        f"{space.name!r}, first {missing[0]} ({space.string(int(missing[0]))}): {sample}give a row "
        f"for each, or say why there is none with --missing 'not measured' or another reason{fill}."
    )


def _no_metric(path: Path, left_out: Mapping[str, str]) -> str:
    """Why a table has no metric, with what it has instead."""
    return (
        f"{path} has no metric{in_brackets(left_out)}: name accuracies as "
        f"dataset_split_epochs (cifar10_valid_12), or describe a column with "
        f"--metric NAME:quantity=accuracy."
    )
