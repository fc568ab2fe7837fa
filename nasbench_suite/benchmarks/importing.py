"""Importing tables: any Parquet or CSV file with an architecture column, in any row order.

``columns`` says how the columns are understood. Text, and numbers that nothing describes, are
left out and named in what ``import_table`` returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.columns import (
    QUANTITIES,
    ColumnFacts,
    ColumnGroup,
    MetadataFile,
    group_columns,
    infer_facts,
    is_index,
    said_of,
)
from nasbench_suite.benchmarks.noise import are_copied
from nasbench_suite.benchmarks.table import Benchmark, Metric, make_benchmark
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces import FiniteSpace

if TYPE_CHECKING:
    import pandas as pd

FEW_VALUES = 0.01
"""A latency or energy with fewer distinct values than this share of the rows is quantised."""

# Strings come first: they mean the same whatever order a source numbers its architectures in.
_ARCHITECTURE_COLUMNS = (
    *("arch_str", "architecture", "arch", "arch_string", "cell"),
    *("arch_index", "architecture_index", "arch_id", "index"),
)

_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Imported:
    """An imported benchmark, and what the user should be told of it.

    Attributes:
        benchmark: the benchmark.
        left_out: columns that did not become metrics, as ``file: column``, and why.
        hints: sentences on what was found, and how to say otherwise.
    """

    benchmark: Benchmark
    left_out: Mapping[str, str] = field(default_factory=dict)
    hints: Sequence[str] = ()


def import_table(
    path: Path,
    name: str,
    space: FiniteSpace,
    *,
    metadata: MetadataFile | None = None,
    latency: Sequence[Path] = (),
    arch_column: str | None = None,
    in_index_order: bool = False,
) -> Imported:
    """Make a benchmark of a Parquet or CSV table.

    A seed column that ``metadata`` names exactly is set aside: it becomes a metric of its own
    and leaves the mean of the others. So a table with test accuracies alone gets an honest
    search signal, a training that does not enter the reported figure, by
    ``cifar10_test_seed0:split=valid``.

    Args:
        path: the table.
        name: name of the benchmark.
        space: the space of its architectures.
        metadata: facts on metrics, which override what the names of columns tell.
        latency: further tables, whose undescribed numbers are latencies in ms, of the device
            that the column is named by.
        arch_column: the column with the architecture; found by name or content if left out.
        in_index_order: the table has no such column, row ``i`` is architecture ``i``.

    Raises:
        SuiteError: a file cannot be read, architectures are missing, unknown or repeated with
            other figures, a figure is not finite, or no metric is left.
    """
    importer = _Importer(space, metadata or MetadataFile())
    importer.add(path, arch_column=arch_column, in_index_order=in_index_order)
    for file in latency:
        importer.add(file, are_latencies=True)
    return importer.finish(name, {"source": path.name})


def add_latencies(
    benchmark: Benchmark, latency: Sequence[Path], metadata: MetadataFile | None = None
) -> Imported:
    """A benchmark with the columns of latency tables beside its own; see ``import_table``."""
    importer = _Importer(benchmark.space, metadata or MetadataFile())
    for metric in benchmark.metrics.values():
        importer.metrics[metric.name] = replace(metric, **said_of(metric.name, importer.facts))
    importer.columns.update(benchmark.columns)
    for file in latency:
        importer.add(file, are_latencies=True)
    return importer.finish(benchmark.name, benchmark.about)


class _Importer:
    """Collects the metrics of several tables."""

    def __init__(self, space: FiniteSpace, metadata: MetadataFile) -> None:
        self.space = space
        self.facts: Mapping[str, ColumnFacts] = metadata.metrics
        self.about = metadata.about
        self.metrics: dict[str, Metric] = {}
        self.columns: dict[str, _Numbers] = {}
        self.left_out: dict[str, str] = {}
        self.hints: list[str] = []
        self.seed_sources: dict[str, str] = {}  # the column of a metric's first seed

    def add(
        self,
        path: Path,
        *,
        are_latencies: bool = False,
        arch_column: str | None = None,
        in_index_order: bool = False,
    ) -> None:
        """Take the metrics of one file."""
        frame = read_frame(path)
        arch_column = _architecture_column(path, frame, self.space, arch_column, in_index_order)
        if arch_column is None:
            rows = np.arange(len(frame))
        else:
            rows = _rows(path, frame[arch_column], self.space)
        figures: dict[str, _Numbers] = {}
        left_out: dict[str, str] = {}
        for column in frame.columns.drop([arch_column] if arch_column else []):
            numbers = _numbers(frame[column])
            if numbers is None:
                left_out[column] = "no numbers"
            else:
                figures[column] = numbers
        figures = self._in_index_order(path, rows, figures)
        groups, statistics = group_columns(list(figures), self.facts)
        left_out |= statistics
        found = False
        for name, group in groups.items():
            metric = self._metric(name, group, figures, are_latencies)
            if isinstance(metric, str):
                left_out |= dict.fromkeys(filter(None, [group.mean, *group.seeds.values()]), metric)
            else:
                found = True
                self._take(path, metric, group, figures)
        if not found:
            raise SuiteError(
                f"{path} has no metric: name accuracies as dataset_split_epochs "
                f"(cifar10_valid_12), or describe a column with --metric NAME:quantity=accuracy."
            )
        self.left_out |= {f"{path.name}: {column}": why for column, why in left_out.items()}

    def finish(self, name: str, about: Mapping[str, Any]) -> Imported:
        """The benchmark of all that was added."""
        for pattern in self.facts:
            if not any(said_of(metric, {pattern: self.facts[pattern]}) for metric in self.metrics):
                raise SuiteError(choose_from("metric to describe", pattern, list(self.metrics)))
        metrics = list(self.metrics.values())
        benchmark = make_benchmark(name, self.space, metrics, self.columns, {**about, **self.about})
        return Imported(benchmark, self.left_out, [*self.hints, *self._no_signal()])

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
                hint += f": set one training aside with --metric {column}:split=valid"
                break
        return [f"{hint}."]

    def _in_index_order(
        self, path: Path, rows: NDArray[np.int64], figures: Mapping[str, _Numbers]
    ) -> dict[str, _Numbers]:
        """The columns by architecture index; equal rows of one architecture are taken once."""
        known, first, row_of = np.unique(rows, return_index=True, return_inverse=True)
        for column, values in figures.items():
            kept = values[first][row_of]
            same = (values == kept) | (np.isnan(values) & np.isnan(kept))
            if not same.all():
                row = int(np.argmin(same))
                raise SuiteError(
                    f"{path} has architecture {rows[row]} twice (rows {first[row_of[row]]} and "
                    f"{row}) with different figures in column {column!r}: keep one row."
                )
        if len(known) < len(rows):
            self.hints.append(
                f"{path.name} repeats {len(rows) - len(known)} rows; each is taken once."
            )
        if len(known) < self.space.size:
            missing = np.setdiff1d(np.arange(self.space.size), known)
            raise SuiteError(
                f"{path} lacks {len(missing)} of the {self.space.size} architectures of space "
                f"{self.space.name!r}, first {missing[0]} ({self.space.string(int(missing[0]))}): "
                f"give a row for each."
            )
        return {column: values[first] for column, values in figures.items()}

    def _metric(
        self, name: str, group: ColumnGroup, figures: Mapping[str, _Numbers], latencies: bool
    ) -> Metric | str:
        """What the columns of a group are, or why they are left out."""
        said = said_of(name, self.facts)
        inferred = infer_facts(group.seed_of or name)
        if is_index(name) and name not in self.facts:
            return "an index"
        if latencies and not inferred:
            inferred = {"quantity": "latency", "unit": "ms", "device": name}
        quantity = said.get("quantity", inferred.get("quantity"))
        if quantity is None:
            return f"nothing says what it is; add --metric {name}:quantity=accuracy or another"
        if quantity != inferred.get("quantity"):
            inferred.pop("unit", None)  # it was that of another quantity
        unit, direction = QUANTITIES.get(quantity, ("", said.get("direction")))
        if direction is None:
            raise SuiteError(
                f"Quantity {quantity!r} of metric {name!r} is none of {', '.join(QUANTITIES)}: "
                f"say whether larger is better with --metric {name}:direction=maximize or minimize."
            )
        facts = {"unit": unit, "direction": direction, **inferred}
        notes = [f"one training of {group.seed_of}, set aside"] if group.seed_of else []
        notes += [f"without {', '.join(group.aside)}, set aside"] if group.aside else []
        values = [figures[column] for column in filter(None, [group.mean, *group.seeds.values()])]
        shown = self._shown(name, {**facts, **said}, values, notes)
        seeds = tuple(sorted(group.seeds))
        return Metric(**{"name": name, **facts, **shown, **said, "seeds": seeds})

    def _shown(
        self, name: str, facts: Mapping[str, Any], columns: Sequence[_Numbers], notes: list[str]
    ) -> dict[str, Any]:
        """What the figures themselves tell."""
        shown: dict[str, Any] = {}
        quantity, unit = facts["quantity"], facts["unit"]
        values = np.concatenate(columns)
        values = values[np.isfinite(values)]
        if quantity == "accuracy" and values.size and values.min() >= 0 and values.max() <= 1:
            shown["unit"] = "fraction"
        if quantity in ("latency", "energy"):
            distinct = len(np.unique(values))
            whole = bool(np.all(values == np.rint(values)))
            if whole or distinct < FEW_VALUES * self.space.size:
                shown["provenance"] = "quantised"
                notes.append(f"{distinct} distinct values" + (f", whole {unit}" if whole else ""))
                if not whole and "provenance" not in facts:
                    self.hints.append(
                        f"{name} has only {distinct} distinct values: if a model made them, say "
                        f"so with --metric {name}:provenance=modelled."
                    )
        has_twins = len(self.space.representatives) < self.space.size
        may_differ = quantity in ("accuracy", "loss", "latency", "energy") and has_twins
        if may_differ and all(are_copied(self.space, column) for column in columns):
            notes.append("isomorphic architectures share one figure")
        return {**shown, "note": "; ".join(notes)}

    def _take(
        self, path: Path, metric: Metric, group: ColumnGroup, figures: Mapping[str, _Numbers]
    ) -> None:
        if metric.name in self.metrics:
            raise SuiteError(
                f"Metric {metric.name!r} of {path} is already there from another file: rename "
                f"its column in one of them."
            )
        self.metrics[metric.name] = metric
        if group.mean:
            self.columns[metric.name] = figures[group.mean]
        for seed, column in group.seeds.items():
            self.seed_sources.setdefault(metric.name, column)
            self.columns[metric.seed_column(seed)] = figures[column]


def read_measurements(
    path: Path, column: str, space: FiniteSpace
) -> tuple[NDArray[np.int64], _Numbers]:
    """The architectures and the figures of one column, of a table that need not be complete.

    Args:
        path: Parquet or CSV, with a column of architectures as ``import_table`` finds it.
        column: of numbers.
        space: that the architectures are in.

    Returns:
        Indices, int64 of shape (n,), and figures, float64 of shape (n,).

    Raises:
        SuiteError: there is no such column, or the table is not what it should be.
    """
    frame = read_frame(path)
    if column not in frame:
        raise SuiteError(choose_from(f"column of {path}", column, list(frame.columns)))
    figures = _numbers(frame[column])
    if figures is None:
        raise SuiteError(f"Column {column!r} of {path} holds no numbers.")
    where = _architecture_column(path, frame, space, None, in_index_order=False)
    return _rows(path, frame[where], space), figures


def _architecture_column(
    path: Path, frame: pd.DataFrame, space: FiniteSpace, wanted: str | None, in_index_order: bool
) -> str | None:
    """The column with architectures: as said, or by its name, or by its content.

    None if rows stand in index order.
    """
    columns = list(frame.columns)
    if wanted is not None:
        if wanted not in columns:
            raise SuiteError(choose_from(f"column of {path}", wanted, columns))
        return wanted
    if in_index_order:
        if len(frame) != space.size:
            raise SuiteError(
                f"{path} has {len(frame)} rows, but space {space.name!r} has {space.size} "
                f"architectures: rows in index order must be complete."
            )
        return None
    by_name = {column.lower(): column for column in columns}
    for name in _ARCHITECTURE_COLUMNS:
        if name in by_name:
            return by_name[name]
    for column in columns:
        if _is_string_of(space, frame[column].iloc[0]):
            return column
    raise SuiteError(
        f"{path} has no architecture column: name it arch_str or arch_index, say which it is with "
        f"--arch COLUMN, or that rows stand in index order with --in-order."
    )


def _is_string_of(space: FiniteSpace, cell: object) -> bool:
    try:
        return isinstance(cell, str) and space.parse(cell) is not None
    except SuiteError:
        return False


def _rows(path: Path, column: pd.Series[Any], space: FiniteSpace) -> NDArray[np.int64]:
    """The architecture index of each row, from strings or indices."""
    cells = column.tolist()
    if not _is_string_of(space, cells[0]) and (numbers := _numbers(column)) is not None:
        cells = [int(number) if number.is_integer() else number for number in numbers.tolist()]
    indices = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            indices[row] = space.index(cell)
        except SuiteError as error:
            raise SuiteError(f"{path}, row {row}: {error}") from None
    return indices


def read_frame(path: Path) -> pd.DataFrame:
    """The table in a Parquet file, or else in a CSV file, whose cells stay text."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame: pd.DataFrame
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            content = pq.ParquetFile(path).read()
            content.validate(full=True)  # text that is no UTF-8 shows here
            # Without what pandas noted of its index, the index is a column like any other.
            frame = content.replace_schema_metadata(None).to_pandas()
        else:
            separator = "\t" if path.suffix.lower() == ".tsv" else ","
            frame = pd.read_csv(path, sep=separator, header=None, dtype=str, compression=None)
            frame.columns = pd.Index(frame.iloc[0].fillna(""))
            frame = frame.iloc[1:].reset_index(drop=True)
    except FileNotFoundError:
        raise SuiteError(f"There is no file {path}.") from None
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise SuiteError(
            f"{path} cannot be read as Parquet or CSV ({reason[0]}): is it truncated or of "
            f"another format?"
        ) from None
    if frame.empty:
        raise SuiteError(f"{path} is no table of figures: it has no rows or no columns.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise SuiteError(f"{path} has column {twice!r} twice: rename or drop one of them.")
    return frame


def _numbers(column: pd.Series[Any]) -> _Numbers | None:
    """A column as numbers, NaN where a cell is empty; None if it holds anything else."""
    import pandas as pd

    kind = pd.api.types
    if kind.is_string_dtype(column) or kind.is_object_dtype(column):
        try:
            column = pd.to_numeric(column)
        except (ValueError, TypeError, OverflowError):
            return None
    if not kind.is_numeric_dtype(column) or kind.is_bool_dtype(column):
        return None
    if kind.is_complex_dtype(column):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
