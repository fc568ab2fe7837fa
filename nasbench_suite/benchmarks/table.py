"""A tabular benchmark: a space, and named metrics as arrays by architecture index.

A figure may be *not available*: its column has NaN there, and the reason of each architecture, a
position in ``REASONS``, stands beside. ``table_file`` says how a benchmark is kept in a file.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.quantities import check_unit, impossible
from nasbench_suite.deprecated import moved, renamed
from nasbench_suite.errors import SuiteError, and_more, choose_from
from nasbench_suite.parsing import counted, html_table
from nasbench_suite.spaces import (
    Architecture,
    FiniteSpace,
    PoolSpace,
)

if TYPE_CHECKING:
    import pandas as pd

_TEXTS_AT_ONCE = 20_000  # of a large table: the whole text of all is much memory

Reason = Literal[
    "not measured", "rejected by the compiler", "training failed", "excluded by its publisher"
]
REASONS = ("available", *get_args(Reason))
"""Why an architecture has no figure of a metric; the first says that it has one."""


class Described:
    """What has metrics by name.

    Attributes:
        name: what it is called.
        metrics: what each figure is, by name.
    """

    name: str
    metrics: Mapping[str, Metric]

    def metric(self, name: str) -> Metric:
        """What the metric of that name is.

        Raises:
            SuiteError: the benchmark has no such metric.
        """
        try:
            return self.metrics[name]
        except KeyError:
            known = list(self.metrics)
            raise SuiteError(
                choose_from(f"metric of benchmark {self.name!r}", name, known)
            ) from None

    def named(self, names: Sequence[str]) -> list[str]:
        """Metrics by their names; the name of a quantity stands for all metrics of it.

        Raises:
            SuiteError: a name is neither.
        """
        found: list[str] = []
        for name in names:
            alike = [metric.name for metric in self.metrics.values() if metric.quantity == name]
            found += [name] if name in self.metrics or not alike else alike
        return [self.metric(name).name for name in dict.fromkeys(found)]

    @property
    def datasets(self) -> list[str]:
        """The data sets that any metric was measured on, in order of appearance."""
        return list(dict.fromkeys(m.dataset for m in self.metrics.values() if m.dataset))


@dataclass(frozen=True, repr=False)
class Benchmark(Described):
    """A space and what is known of the architectures in it.

    ``query`` answers one architecture in any form, ``query_batch`` an array of indices.

    Attributes:
        name: the name ``load_benchmark`` finds it by.
        space: the search space; row ``i`` of every column is architecture ``i``.
        metrics: what each column is, by name.
        columns: where columns come from: means by metric name, and seeds by ``seed_column``.
            Arrays of shape (space.size,); a seed that was not trained is NaN, and so is a mean
            that is not available, whose reason is in the metric's ``missing_column``.
        about: description, source, licence and whatever else a reader should be told.
    """

    name: str
    space: FiniteSpace
    metrics: Mapping[str, Metric]
    columns: Mapping[str, NDArray[np.float64]]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<Benchmark {self.name!r}: {counted(self.space.size, 'architecture')} of "
            f"{self.space.name}, {counted(len(self.metrics), 'metric')}>"
        )

    def _repr_html_(self) -> str:
        facts = {
            "space": f"{self.space.name}, {counted(self.space.size, 'architecture')}",
            "data sets": ", ".join(self.datasets) or "-",
            "metrics": ", ".join(self.metrics),
            "source": str(self.about.get("source", "-")),
        }
        return html_table(f"Benchmark {self.name}", facts)

    def values(self, metric: str) -> NDArray[np.float64]:
        """All figures of a metric by architecture index, shape (space.size,), read-only.

        NaN where there is none; see ``reasons``.
        """
        self.metric(metric)
        return self.columns[metric]

    def reasons(self, metric: str) -> NDArray[np.uint8] | None:
        """Why architectures have no figure: positions in ``REASONS``, 0 where they have one.

        Returns:
            Shape (space.size,), or None where every architecture has a figure.
        """
        column = self.metric(metric).missing_column
        return self.columns[column].astype(np.uint8) if column in self.columns else None

    def missing(self, metric: str) -> dict[str, int]:
        """How many architectures have no figure of a metric, by reason."""
        codes = self.reasons(metric)
        if codes is None:
            return {}
        counts = np.bincount(codes, minlength=len(REASONS)).tolist()
        return {
            reason: count for reason, count in zip(REASONS[1:], counts[1:], strict=True) if count
        }

    def best(self, metric: str) -> int:
        """The index of the best figure there is, the lowest of equals."""
        values = self.values(metric)
        if self.metric(metric).direction == "maximize":
            return int(np.nanargmax(values))
        return int(np.nanargmin(values))

    def restricted(self, indices: ArrayLike) -> Benchmark:
        """The same figures of some architectures alone: a table over a ``PoolSpace`` of them.

        Args:
            indices: their indices, each once; the order is that of the pool.
        """
        chosen = self.space.indices(np.asarray(indices))
        base = self.space.base if isinstance(self.space, PoolSpace) else self.space
        pool = PoolSpace(base, [self.space.string(int(index)) for index in chosen])
        columns: dict[str, ArrayLike] = {}
        missing = {}
        for name, metric in self.metrics.items():
            for column in (name, *map(metric.seed_column, metric.seeds)):
                columns[column] = self.columns[column][chosen]
            codes = self.reasons(name)
            if codes is not None and codes[chosen].any():
                missing[name] = codes[chosen]
        metrics = list(self.metrics.values())
        return make_benchmark(self.name, pool, metrics, columns, self.about, missing)

    def seed_values(self, metric: str) -> NDArray[np.float64]:
        """The figures of each seed, shape (space.size, seeds); NaN where a seed is missing.

        Where the source gives one figure alone, that figure is the only column.
        """
        known = self.metric(metric)
        if not known.seeds:
            return self.values(metric)[:, None]
        return np.stack([self.columns[known.seed_column(seed)] for seed in known.seeds], axis=1)

    def query(self, architecture: Architecture, metric: str) -> float:
        """The figure of one architecture, given as string, index or vector.

        Raises:
            SuiteError: unknown metric, or an architecture outside the space.
        """
        return self.value_list(metric)[self.space.index(architecture)]

    def value_list(self, metric: str) -> list[float]:
        """As ``values``, as a list, which answers a scalar query several times faster."""
        try:
            return self._lists[metric]
        except KeyError:
            return self._lists.setdefault(metric, self.values(metric).tolist())

    @cached_property
    def _lists(self) -> dict[str, list[float]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # What was cached stays behind: a worker process reads what it needs itself.
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def query_batch(self, indices: ArrayLike, metric: str) -> NDArray[np.float64]:
        """The figures of many architectures, given by index; the shape of ``indices`` is kept.

        Raises:
            SuiteError: unknown metric, or an index outside the space.
        """
        column = self.values(metric)
        index_array = np.asarray(indices)
        if index_array.dtype.kind not in "iu":
            raise SuiteError(
                f"query_batch takes architecture indices, not {index_array.dtype}: convert "
                f"strings or vectors with space.indices()."
            )
        if index_array.size and (index_array.min() < 0 or index_array.max() >= len(column)):
            self.space.indices(index_array.reshape(-1))  # raises, naming the first one outside
        figures: NDArray[np.float64] = column[index_array]
        return figures

    from_frame = staticmethod(
        renamed(
            "Benchmark.from_frame", "nasbench_suite.benchmarks.importing", "benchmark_from_frame"
        )
    )

    def to_pandas(self) -> pd.DataFrame:
        """All figures: a row an architecture, ``arch_str``, and a column a metric and a seed."""
        import pandas as pd

        columns: dict[str, Any] = {"arch_str": list(self.space.all_strings)}
        for metric in self.metrics.values():
            for column in (metric.name, *map(metric.seed_column, metric.seeds)):
                columns[column] = np.array(self.columns[column])
        return pd.DataFrame(columns)

    def with_metric(self, metric: Metric, values: ArrayLike) -> Benchmark:
        """A benchmark with a further metric, or another in place of one of its name.

        Warns as an import does: where the figures seem to stand beside other architectures than
        they belong to, and where they can hardly be what ``metric`` says. What the warnings say of
        ``--metric NAME:field=...`` is here that field of ``metric``.

        Args:
            metric: what the figures are.
            values: figures by architecture index, shape (space.size,).

        Raises:
            SuiteError: ``metric`` is a name alone, the figures are not one for each
                architecture, not finite, or impossible (see ``quantities.impossible``), or their
                unit is none of their quantity.
        """
        from nasbench_suite.benchmarks.doubtful import doubtful_figures
        from nasbench_suite.benchmarks.plausibility import doubt

        if not isinstance(metric, Metric):
            raise SuiteError(
                f"{metric!r} does not say what the figures are: give a Metric, such as "
                f'Metric("phone", quantity="latency", unit="ms", direction="minimize").'
            )
        check_unit(metric.name, metric.quantity, metric.unit)
        checked = make_benchmark(self.name, self.space, [metric], {metric.name: values})
        figures = checked.values(metric.name)
        wrong, rule = impossible(figures, metric.quantity, metric.unit, metric.direction)
        if wrong.any():
            at = int(wrong.argmax())
            raise SuiteError(f"{metric.name} is {figures[at]:g} at architecture {at}: {rule}.")
        judged = {metric.name: (metric.quantity, figures)}
        if (clause := doubt(self.space, np.arange(self.space.size), judged)) is not None:
            warnings.warn(
                f"{metric.name} may have its figures beside other architectures than they belong "
                f"to: {clause}.",
                stacklevel=2,
            )
        others = {name: one for name, one in self.metrics.items() if name != metric.name}
        metrics = {**self.metrics, metric.name: metric}
        columns = {**self.columns, **checked.columns}
        known = doubtful_figures(self.space, others, self.columns)
        for told in doubtful_figures(self.space, metrics, columns):
            if told not in known:
                warnings.warn(told, stacklevel=2)
        return Benchmark(self.name, self.space, metrics, columns, self.about)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the figures and of what they are; the benchmark's name does not enter.

        Where the benchmark was read from a file it is the one written there.
        """
        return self.compute_checksum()

    def compute_checksum(self) -> str:
        """As ``checksum``, from the figures as they are now."""
        digest = hashlib.sha256()
        digest.update(self.space.name.encode())
        if isinstance(self.space, PoolSpace):
            for part in json_parts(self.space.rows):
                digest.update(part)
        for name in sorted(self.metrics):
            metric = self.metrics[name]
            digest.update(json.dumps(metric.as_dict(), sort_keys=True).encode())
            for column in (name, *(metric.seed_column(seed) for seed in metric.seeds)):
                digest.update(np.ascontiguousarray(self.columns[column], dtype="<f8").tobytes())
            codes = self.reasons(name)
            if codes is not None:
                digest.update(codes.tobytes())
        return digest.hexdigest()


def make_benchmark(
    name: str,
    space: FiniteSpace,
    metrics: Sequence[Metric],
    columns: Mapping[str, ArrayLike],
    about: Mapping[str, Any] | None = None,
    missing: Mapping[str, ArrayLike] | None = None,
) -> Benchmark:
    """A benchmark from arrays in memory, checked.

    A metric with seeds whose mean is not among ``columns`` is averaged over its seeds.

    Args:
        name: its name.
        space: its space.
        metrics: what each column is.
        columns: by metric name or ``Metric.seed_column``, arrays of shape (space.size,); those
            that are read-only are kept as they are, others are copied.
        about: see ``Benchmark``.
        missing: by metric name, why architectures have no figure, positions in ``REASONS`` of
            shape (space.size,), 0 where they have one. What stands in the metric's columns at
            the others is not read.

    Raises:
        SuiteError: a column is missing, of the wrong length, or not finite where no reason is
            given; the first architecture concerned is named. Or nothing of a metric is available.
    """
    arrays: dict[str, NDArray[np.float64]] = {}
    gaps = {name: _reasons(name, codes, space) for name, codes in (missing or {}).items()}
    known = [metric.name for metric in metrics]
    for stranger in gaps.keys() - known:
        raise SuiteError(choose_from("metric with gaps", stranger, known))

    for metric in metrics:
        codes = gaps.get(metric.name)
        if codes is not None and codes.all():
            raise SuiteError(
                f"Metric {metric.name!r} is not available of any architecture: leave it out."
            )
        seed_columns = [metric.seed_column(seed) for seed in metric.seeds]
        for column in seed_columns:
            if column not in columns:
                raise SuiteError(f"Metric {metric.name!r} lists a seed without column {column!r}.")
            arrays[column] = _checked(column, columns[column], space, codes, may_lack=True)
        if metric.name in columns:
            mean = columns[metric.name]
        elif seed_columns:
            mean = _mean_of_trained(np.stack([arrays[column] for column in seed_columns]))
        else:
            raise SuiteError(f"Metric {metric.name!r} has no column of that name.")
        arrays[metric.name] = _checked(metric.name, mean, space, codes)
        if codes is not None and codes.any():
            arrays[metric.missing_column] = codes.astype(np.float64)
            arrays[metric.missing_column].setflags(write=False)
    return Benchmark(name, space, {m.name: m for m in metrics}, arrays, dict(about or {}))


def _checked(
    column: str,
    values: ArrayLike,
    space: FiniteSpace,
    codes: NDArray[np.uint8] | None,
    *,
    may_lack: bool = False,
) -> NDArray[np.float64]:
    """A column as a table keeps it: read-only, and NaN where there is a reason for it.

    Args:
        column: its name.
        values: its figures.
        space: of the table.
        codes: the reasons for which there is no figure; None where there are none.
        may_lack: whether NaN is a figure that is not there, as of a training that was not made.

    Raises:
        SuiteError: it is of another length, or a figure is not finite without a reason.
    """
    # An array that nobody writes to need not be copied: of a large table that is half of all.
    shared = isinstance(values, np.ndarray) and not values.flags.writeable and codes is None
    array = (np.asarray if shared else np.array)(values, dtype=np.float64)
    if array.shape != (space.size,):
        raise SuiteError(
            f"Column {column!r} has shape {array.shape}, but space {space.name!r} has "
            f"{space.size} architectures: give one row for each."
        )
    bad = np.isinf(array) if may_lack else ~np.isfinite(array)
    if codes is not None:
        array[codes > 0] = np.nan
        bad &= codes == 0
    if bad.any():
        first = int(np.argmax(bad))
        raise SuiteError(
            f"Column {column!r} is {array[first]} at architecture {first} "
            f"({space.string(first)}){and_more(int(bad.sum()) - 1)}: every architecture "
            f"needs a finite figure, or a reason why it has none (`--missing REASON`)."
        )
    array.setflags(write=False)
    return array


def _mean_of_trained(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the trainings that were made, of figures of shape (seeds, architectures)."""
    trained = ~np.isnan(figures)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = np.where(trained, figures, 0.0).sum(axis=0) / trained.sum(
            axis=0
        )
    return mean


def _reasons(metric: str, codes: ArrayLike, space: FiniteSpace) -> NDArray[np.uint8]:
    array = np.asarray(codes)
    if array.shape != (space.size,) or array.dtype.kind not in "iu":
        raise SuiteError(
            f"The reasons of metric {metric!r} have shape {array.shape} and kind {array.dtype}: "
            f"give a whole number for each of the {space.size} architectures."
        )
    if array.min() < 0 or array.max() >= len(REASONS):
        raise SuiteError(
            f"The reasons of metric {metric!r} run from {array.min()} to {array.max()}: "
            f"they are positions in {', '.join(REASONS)}."
        )
    return array.astype(np.uint8)


def json_parts(texts: Sequence[str]) -> Iterator[bytes]:
    """What ``json.dumps`` writes of all texts, in parts."""
    yield b"["
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        part = json.dumps(list(texts[first : first + _TEXTS_AT_ONCE]))[1:-1]
        yield (", " + part if first else part).encode()
    yield b"]"


if not TYPE_CHECKING:  # where they stood in version 0.1
    _FILE = "nasbench_suite.benchmarks.table_file"
    _NAMES = ("is_benchmark_file", "read_benchmark", "read_metadata", "write_benchmark")
    __getattr__, _ = moved(__name__, dict.fromkeys(_NAMES, _FILE))
