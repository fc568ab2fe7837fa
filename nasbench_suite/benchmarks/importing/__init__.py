"""Importing tables: any file that ``files.frames`` reads, in any row order.

A file becomes a table with a row an architecture (``reading``), of a part of a space too
(``samples``). Which column names the architectures is found (``architecture_column``), then which
architecture each row is (``architectures``), read from single cells (``cells``). ``importer``
collects the metrics, with what ``benchmarks.columns`` and the ``figures`` themselves say of them.
Text, and numbers that nothing describes, are left out and named in what ``import_table`` returns.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.columns import MetadataFile, said_of
from nasbench_suite.benchmarks.importing.architecture_column import (
    find_architecture_column,
    in_order_hint,
    is_bare,
    other_names,
)
from nasbench_suite.benchmarks.importing.architectures import Rows, read_architectures
from nasbench_suite.benchmarks.importing.cells import Numbers, is_string_of, numbers_of
from nasbench_suite.benchmarks.importing.figures import FEW_VALUES, NO_FIGURE, units_assumed
from nasbench_suite.benchmarks.importing.importer import Imported, Importer
from nasbench_suite.benchmarks.importing.reading import (
    HELP_SUFFIX,
    described_costs,
    in_brackets,
    read_figures,
    read_spelled,
    tables_in,
)
from nasbench_suite.benchmarks.importing.samples import listed_part, within
from nasbench_suite.benchmarks.structures import spelled
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.frames import FrameFile
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace, find_space

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FEW_VALUES",
    "HELP_SUFFIX",
    "NO_FIGURE",
    "Imported",
    "Rows",
    "add_latencies",
    "benchmark_from_frame",
    "described_costs",
    "find_architecture_column",
    "import_frame",
    "import_table",
    "in_brackets",
    "in_order_hint",
    "is_bare",
    "is_string_of",
    "other_names",
    "read_architectures",
    "read_figures",
    "read_measurements",
    "read_spelled",
    "tables_in",
    "units_assumed",
    "within",
]


def import_table(
    path: Path,
    name: str,
    space: SearchSpace,
    *,
    metadata: MetadataFile | None = None,
    latency: Sequence[Path] = (),
    arch_column: str | None = None,
    in_index_order: bool = False,
    encoding: str | None = None,
    force: bool = False,
    partial: bool = False,
) -> Imported[Benchmark]:
    """Make a benchmark of a table.

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
        encoding: how numbers and vectors are meant; see ``encodings``. Where it is not said,
            vectors are read in the one that the figures fit, and numbers as indices.
        force: import figures that fit another order or encoding of the architectures better.
        partial: the table is of a sample of the space: the benchmark is over the pool of what is
            there, and a cell left empty is a figure not measured. So are all tables of a space
            too large to list.

    Raises:
        SuiteError: a file cannot be read, architectures are missing, unknown or repeated with
            other figures, a figure is not finite or not possible, no metric is left, or the
            figures fit another order of the architectures and not this one.
    """
    file = read_spelled(path, space)
    file, listed, arch_column = listed_part(
        path, file, space, arch_column, partial=partial, encoding=encoding, force=force
    )
    importer = _importer(listed, metadata, encoding, force)
    importer.add(path, file, arch_column=arch_column, in_index_order=in_index_order)
    for source in latency:
        for one in tables_in(source):
            spelt = read_spelled(one, listed, encoding, force=force)
            importer.add(one, spelt, are_latencies=True)
    return importer.finish(name, {"source": path.name})


def import_frame(
    frame: pd.DataFrame,
    name: str,
    space: SearchSpace,
    *,
    metadata: MetadataFile | None = None,
    arch_column: str | None = None,
    in_index_order: bool = False,
    encoding: str | None = None,
    force: bool = False,
    partial: bool = False,
) -> Imported[Benchmark]:
    """Make a benchmark of a data frame, with the checks of ``import_table``."""
    renamed, notes = spelled(frame.rename(columns=str), space)
    source, file = Path("the data frame"), FrameFile(renamed, notes=notes)
    file, listed, arch_column = listed_part(
        source, file, space, arch_column, partial=partial, encoding=encoding, force=force
    )
    importer = _importer(listed, metadata, encoding, force)
    importer.add(source, file, arch_column=arch_column, in_index_order=in_index_order)
    return importer.finish(name, {})


def benchmark_from_frame(
    frame: pd.DataFrame, space: str | SearchSpace, name: str = "frame", **arguments: Any
) -> Benchmark:
    """A benchmark of a data frame, with the checks of ``nasbench data import``.

    Warns of what an import prints.

    Args:
        frame: a row an architecture, with a column of architectures, and columns named as
            ``nasbench data import`` knows them.
        space: the space, or its name.
        name: of the benchmark.
        arguments: further ones of ``import_frame``, such as ``encoding``, or ``partial`` for a
            sample.

    Raises:
        SuiteError: see ``import_table``.
    """
    imported = import_frame(frame, name, find_space(space), **arguments)
    for told in (*imported.hints, *imported.warnings):
        warnings.warn(told, stacklevel=2)
    return imported.benchmark


def add_latencies(
    benchmark: Benchmark,
    latency: Sequence[Path],
    metadata: MetadataFile | None = None,
    *,
    encoding: str | None = None,
    force: bool = False,
) -> Imported[Benchmark]:
    """A benchmark with the columns of latency tables beside its own; see ``import_table``."""
    importer = _importer(benchmark.space, metadata, encoding, force)
    for metric in benchmark.metrics.values():
        importer.metrics[metric.name] = replace(metric, **said_of(metric.name, importer.facts))
        if (codes := benchmark.reasons(metric.name)) is not None:
            importer.gaps[metric.name] = codes
    importer.columns.update(benchmark.columns)
    for file in latency:
        for one in tables_in(file):
            spelt = read_spelled(one, benchmark.space, encoding, force=force)
            importer.add(one, spelt, are_latencies=True)
    return importer.finish(benchmark.name, benchmark.about)


def _importer(
    space: FiniteSpace, metadata: MetadataFile | None, encoding: str | None, force: bool
) -> Importer:
    """Of a pool all tables have strings by then, whatever they had in their files."""
    in_file = None if isinstance(space, PoolSpace) else encoding
    return Importer(space, metadata or MetadataFile(), in_file, force)


def read_measurements(
    path: Path, column: str, space: FiniteSpace
) -> tuple[NDArray[np.int64], Numbers]:
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
    frame = read_spelled(path, space).frame
    if column not in frame:
        raise SuiteError(choose_from(f"column of {path}", column, list(frame.columns)))
    figures = numbers_of(frame[column])
    if figures is None:
        raise SuiteError(f"Column {column!r} of {path} holds no numbers.")
    where = find_architecture_column(path, frame, space, None, in_index_order=False)
    judged = {column: ("latency", figures)}
    return read_architectures(path, frame, where, space, judged).indices, figures
