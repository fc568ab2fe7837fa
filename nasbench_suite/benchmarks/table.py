"""A tabular benchmark: a space, and named metrics as arrays by architecture index.

One Parquet file holds one benchmark: a column a metric, a row an architecture in index order,
and, where a metric was measured with several seeds, a column ``metric@seed`` for each. What
the columns are stands as JSON in the file's metadata under ``nasbench_suite``.

A figure may be *not available*: its column has NaN there, and a column ``metric@missing`` holds
the reason (position in ``REASONS``) of each architecture. A table of a sample of a space has a
column ``@architecture`` with their strings, and its space is the pool of these; where publishers
name rows by hashes, a column ``@key`` has these. Files with any of them have format 2, others
format 1, which earlier versions read as well.

Nothing damaged is taken for a figure: beside the metadata stands its SHA-256, within it that of
every column, and pages have Parquet's own checksums. A file of an earlier version has one checksum
of all figures; at the first of them that is asked for, the whole file is compared with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.quantities import check_unit, impossible
from nasbench_suite.deprecated import renamed
from nasbench_suite.errors import SuiteError, and_more, choose_from
from nasbench_suite.files.atomic import replacing
from nasbench_suite.parsing import counted, html_table
from nasbench_suite.spaces import (
    Architecture,
    FiniteSpace,
    PoolSpace,
    load_finite_space,
    load_space,
)

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 2
_PLAIN_FORMAT = 1  # complete tables of a listed space, as all files were before format 2
_ARCHITECTURES, _KEYS = "@architecture", "@key"
_THOROUGHLY_PACKED, _QUICKLY_PACKED = 19, 3  # levels of zstd
_MANY_ROWS = 100_000
_ROWS_AT_ONCE = 20_000  # of so large a table: Arrow's copies of them are held at a time
_METADATA_KEY = b"nasbench_suite"
_SEAL_KEY = b"nasbench_suite_sha256"  # of what stands under the other key

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
            for part in _as_json(self.space.rows):
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


def write_benchmark(benchmark: Benchmark, path: Path) -> None:
    """Write a benchmark as one Parquet file; a file already there is replaced in one step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pool = benchmark.space if isinstance(benchmark.space, PoolSpace) else None
    columns: dict[str, Any] = {}
    if pool:
        columns[_ARCHITECTURES] = pool.rows
    if pool and pool.base.one_row_a_class:
        columns[_KEYS] = pool.keys
    columns |= benchmark.columns
    for metric in benchmark.metrics:
        codes = benchmark.reasons(metric)
        if codes is not None:
            columns[benchmark.metric(metric).missing_column] = codes
    plain = len(columns) == len(benchmark.columns) and not any(
        benchmark.missing(metric) for metric in benchmark.metrics
    )
    metadata = {
        "format": _PLAIN_FORMAT if plain else FORMAT_VERSION,
        "name": benchmark.name,
        "space": pool.base.name if pool else benchmark.space.name,
        "metrics": [metric.as_dict() for metric in benchmark.metrics.values()],
        "about": dict(benchmark.about),
        "checksum": benchmark.checksum,
        "columns": {name: _digest(column) for name, column in columns.items()},
    }
    content = json.dumps(metadata).encode()
    seal = hashlib.sha256(content).hexdigest().encode()
    schema = pa.schema(
        {name: pa.array(column[:1]).type for name, column in columns.items()},
        metadata={_METADATA_KEY: content, _SEAL_KEY: seal},
    )
    rows = benchmark.space.size
    # The last tenth of the size takes a minute of a table as large as NAS-Bench-101's.
    level = _QUICKLY_PACKED if rows > _MANY_ROWS else _THOROUGHLY_PACKED
    rows_at_once = _ROWS_AT_ONCE if rows > _MANY_ROWS else rows
    with replacing(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"compression_level": level, "write_page_checksum": True}
        with (
            partial.open("wb") as file,
            pq.ParquetWriter(file, schema, compression="zstd", **options) as writer,
        ):
            for first in range(0, rows, rows_at_once):
                part = slice(first, first + rows_at_once)
                some = {name: column[part] for name, column in columns.items()}
                writer.write_table(pa.table(some, schema=schema))


def _digest(column: NDArray[Any] | Sequence[str]) -> str:
    """SHA-256 of a column as it is read: numbers as float64, or strings."""
    if isinstance(column, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(column, dtype="<f8").data).hexdigest()
    digest = hashlib.sha256()
    for part in _as_json(column):
        digest.update(part)
    return digest.hexdigest()


def _as_json(texts: Sequence[str]) -> Iterator[bytes]:
    """What ``json.dumps`` writes of all texts, in parts: a large table's are much memory."""
    yield b"["
    for first in range(0, len(texts), _ROWS_AT_ONCE):
        part = json.dumps(list(texts[first : first + _ROWS_AT_ONCE]))[1:-1]
        yield (", " + part if first else part).encode()
    yield b"]"


def read_benchmark(path: Path, name: str | None = None) -> Benchmark:
    """Read a benchmark that ``write_benchmark`` wrote. Columns are read when first asked for.

    Raises:
        SuiteError: the file is missing, truncated, or not in this format.
    """
    metadata = read_metadata(path)
    try:
        columns = _LazyColumns(path, metadata.get("columns"))
        strings, keys = columns.texts(_ARCHITECTURES), columns.texts(_KEYS)
        space: FiniteSpace
        if strings is None:
            space = load_finite_space(metadata["space"])
        else:
            space = PoolSpace(load_space(metadata["space"]), strings, keys)
        columns.space = space
        metrics = {}
        for entry in metadata["metrics"]:
            metric = Metric(**{**entry, "seeds": tuple(entry["seeds"])})
            metrics[metric.name] = metric
        benchmark = Benchmark(name or metadata["name"], space, metrics, columns, metadata["about"])
        # Hashing needs every column; ``nasbench data verify`` does it, loading need not.
        vars(benchmark)["checksum"] = columns.checksum = metadata["checksum"]
        columns.metrics = metrics
    except (KeyError, TypeError) as error:
        raise SuiteError(
            f"{path} has damaged metadata ({_first_line(error)}): get or import the file again."
        ) from None
    return benchmark


def is_benchmark_file(path: Path) -> bool:
    """Whether ``write_benchmark`` wrote the file, sound or not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _METADATA_KEY in (pq.read_schema(_for_arrow(path), memory_map=True).metadata or {})
    except (pa.ArrowException, OSError, ValueError):
        return False


def read_metadata(path: Path) -> dict[str, Any]:
    """What a benchmark file says of itself: name, space, metrics, about, checksum.

    Raises:
        SuiteError: the file is missing, truncated, or not in this format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        kept = pq.read_schema(_for_arrow(path), memory_map=True).metadata or {}
    except FileNotFoundError:
        raise SuiteError(f"There is no benchmark file {path}.") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SuiteError(
            f"{path} is not a readable Parquet file (truncated or another format?): "
            f"get or import it again ({_first_line(error)})."
        ) from None
    content = kept.get(_METADATA_KEY)
    if content is None:
        raise SuiteError(
            f"{path} is no benchmark of this suite: import it with `nasbench data import`."
        )
    seal = kept.get(_SEAL_KEY)  # files of earlier versions have none
    if seal is not None and seal != hashlib.sha256(content).hexdigest().encode():
        raise SuiteError(
            f"{path} has damaged metadata (its checksum differs): get or import the file again."
        )
    try:
        metadata: dict[str, Any] = dict(json.loads(content))
    except (ValueError, TypeError, RecursionError) as error:
        raise SuiteError(
            f"{path} has damaged metadata ({_first_line(error)}): get or import the file again."
        ) from None
    if metadata.get("format") not in (_PLAIN_FORMAT, FORMAT_VERSION):
        raise SuiteError(
            f"{path} has table format {metadata.get('format')}, this version reads "
            f"formats {_PLAIN_FORMAT} and {FORMAT_VERSION}: import the source again, or update "
            f"nasbench-suite."
        )
    return metadata


class _LazyStrings(Sequence[str]):
    """A column of strings of a Parquet file, read at its first use, compared, and then kept."""

    def __init__(self, path: Path, column: str, rows: int, digest: str | None) -> None:
        self._path, self._column, self._rows, self._digest = path, column, rows, digest

    @cached_property
    def _texts(self) -> list[str]:
        column = _read_column(_open_parquet(self._path), self._path, self._column)
        try:
            found: list[str] = column.to_pylist()
        except ValueError as error:  # bytes that are no text
            raise SuiteError(
                f"Column {self._column!r} of {self._path} is damaged ({_first_line(error)}): get "
                f"or import the file again."
            ) from None
        if not all(isinstance(text, str) for text in found):
            raise SuiteError(
                f"Column {self._column!r} of {self._path} holds no strings: import it again."
            )
        if self._digest is not None:
            _compare(self._path, self._column, found, self._digest)
        return found

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._texts[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return self._rows

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker reads it itself.
        return type(self), (self._path, self._column, self._rows, self._digest)


def _open_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(_for_arrow(path), memory_map=True, page_checksum_verification=True)


def _for_arrow(path: Path) -> Path | BinaryIO:
    """What Arrow opens: the path, or the open file where its name is no UTF-8."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return path.open("rb")
    return path


def _read_column(file: Any, path: Path, name: str) -> Any:
    import pyarrow as pa

    try:
        return file.read([name], use_threads=False).column(0)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SuiteError(
            f"Column {name!r} of {path} cannot be read (truncated or damaged?): "
            f"get or import the file again ({_first_line(error)})."
        ) from None


def _numbers(column: Any) -> NDArray[np.float64]:
    """A column of Arrow as numbers; of one without gaps pandas is not imported, 0.3 s."""
    import pyarrow as pa

    if pa.types.is_float64(column.type) and not column.null_count and column.num_chunks:
        return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks])
    found: NDArray[np.float64] = column.to_numpy().astype(np.float64)
    return found


def _compare(
    path: Path, name: str, column: NDArray[np.float64] | Sequence[str], digest: str | None
) -> None:
    """Refuse a column that is not the one that was written."""
    if digest != _digest(column):
        raise SuiteError(
            f"Column {name!r} of {path} is damaged (its checksum differs): get or import "
            f"the file again."
        )


class _LazyColumns(Mapping[str, NDArray[np.float64]]):
    """The columns of a Parquet file, each read at its first use, compared, and then kept.

    Args:
        path: the file.
        digests: SHA-256 of each column; None of a file of an earlier version, which is read whole
            at the first use of any and compared with its one checksum.
    """

    space: FiniteSpace
    metrics: Mapping[str, Metric]
    checksum: str

    def __init__(self, path: Path, digests: Mapping[str, str] | None) -> None:
        self._path = path
        self._digests = digests
        of_rows = (_ARCHITECTURES, _KEYS)
        self._names = [name for name in self._file.schema_arrow.names if name not in of_rows]
        self._loaded: dict[str, NDArray[np.float64]] = {}

    def texts(self, name: str) -> _LazyStrings | None:
        """A column of what names the rows of a partial table; None if the file has none."""
        if name not in self._file.schema_arrow.names:
            return None
        digest = None if self._digests is None else self._digests.get(name, "")
        return _LazyStrings(self._path, name, self._file.metadata.num_rows, digest)

    @cached_property
    def _file(self) -> Any:
        """The open file; opening it costs more than reading a column."""
        return _open_parquet(self._path)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self._loaded:
            if name not in self._names:
                if name in (self._digests or ()):
                    raise SuiteError(
                        f"{self._path} lacks column {name!r} that it says it has: get or import "
                        f"the file again."
                    )
                raise KeyError(name)
            if self._digests is None:
                self._loaded = self._read_whole()
            else:
                self._loaded[name] = self._compare(name, self._read(name))
        return self._loaded[name]

    def _compare(self, name: str, column: Any) -> Any:
        """The column, if it is the one that was written."""
        if self._digests is not None:
            _compare(self._path, name, column, self._digests.get(name))
        return column

    def _read_whole(self) -> dict[str, NDArray[np.float64]]:
        """All columns of a file of an earlier version, if they are those that were written."""
        columns = {name: self._read(name) for name in self._names}
        try:
            found = Benchmark("", self.space, self.metrics, columns).compute_checksum()
        except KeyError:  # a column's name is damaged
            found = ""
        if found != self.checksum:
            raise SuiteError(
                f"{self._path} is damaged (the checksum of its figures differs): get or import the "
                f"file again."
            )
        return columns

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name != "_file"}
        return {**kept, "_loaded": {}}

    def __len__(self) -> int:
        return len(self._names)

    def _read(self, name: str) -> NDArray[np.float64]:
        column = _read_column(self._file, self._path, name)
        try:
            values = _numbers(column)
        except ValueError as error:
            raise SuiteError(
                f"Column {name!r} of {self._path} holds no numbers: import the file again "
                f"({_first_line(error)})."
            ) from None
        if len(values) != self.space.size:
            raise SuiteError(
                f"{self._path} has {len(values)} rows, but space {self.space.name!r} has "
                f"{self.space.size} architectures: get or import the file again."
            )
        # Of bytes, which nobody can make writeable again: a method must not alter a figure.
        return np.frombuffer(values.tobytes(), dtype=np.float64)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
