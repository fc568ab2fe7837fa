"""A benchmark in a file.

One Parquet file holds one benchmark: a column a metric, a row an architecture in index order,
and, where a metric was measured with several seeds, a column ``metric@seed`` for each. What
the columns are stands as JSON in the file's metadata under ``nasbench_suite``.

Where a figure is not available, a column ``metric@missing`` holds the reason (position in
``REASONS``) of each architecture. A table of a sample of a space has a column ``@architecture``
with their strings, and its space is the pool of these; where publishers name rows by hashes, a
column ``@key`` has these. Files with any of them have format 2, others format 1, which earlier
versions read as well.

Nothing damaged is taken for a figure: beside the metadata stands its SHA-256, within it that of
every column, and pages have Parquet's own checksums. A file of an earlier version has one checksum
of all figures; at the first of them that is asked for, the whole file is compared with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark, json_parts
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.files.parquet import need_likely_texts, need_likely_values
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.spaces import FiniteSpace, PoolSpace, load_finite_space, load_space

FORMAT_VERSION = 2
_PLAIN_FORMAT = 1  # complete tables of a listed space, as all files were before format 2
_ARCHITECTURES, _KEYS = "@architecture", "@key"
_THOROUGHLY_PACKED, _QUICKLY_PACKED = 19, 3  # levels of zstd
_MANY_ROWS = 100_000
_ROWS_AT_ONCE = 20_000  # of so large a table: Arrow's copies of them are held at a time
_METADATA_KEY = b"nasbench_suite"
_SEAL_KEY = b"nasbench_suite_sha256"  # of what stands under the other key


def write_benchmark(benchmark: Benchmark, path: str | Path) -> None:
    """Write a benchmark as one Parquet file, which ``load_benchmark`` and ``--benchmark`` take.

    A file already there is replaced in one step; folders that are missing are made.

    Raises:
        SuiteError: it cannot be written there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
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
    for part in json_parts(column):
        digest.update(part)
    return digest.hexdigest()


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
    except SuiteError:
        raise
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
        column = _read_column(_open_parquet(self._path), self._path, self._column, texts=True)
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

    file = pq.ParquetFile(_for_arrow(path), memory_map=True, page_checksum_verification=True)
    need_likely_values(path, file)
    return file


def _for_arrow(path: Path) -> Path | BinaryIO:
    """What Arrow opens: the path, or the open file where its name is no UTF-8.

    Raises:
        SuiteError: it is a pipe or a device.
    """
    need_regular_file(path)
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return path.open("rb")
    return path


def _read_column(file: Any, path: Path, name: str, *, texts: bool = False) -> Any:
    import pyarrow as pa

    try:
        if texts:
            need_likely_texts(path, _for_arrow(path), name)
        return file.read([name], use_threads=False).column(0)
    except SuiteError:
        raise
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
