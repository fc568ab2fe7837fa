"""The official files of NAS-Bench-101: ``nasbench_full.tfrecord`` or ``nasbench_only108.tfrecord``.

Source: Ying et al., *NAS-Bench-101*, ICML 2019; https://github.com/google-research/nasbench.

A record is one training, as a JSON list: the module's hash, epochs (4, 12, 36 or 108), the matrix
row by row, the operations, and, in base 64, a protocol buffer ``ModelMetrics`` with evaluations at
the start, half-way and at the end. Every module was trained three times with each number of
epochs. Neither TensorFlow nor the protocol buffer library is needed, and nothing in the file is
run.

The table has, for each number of epochs and as mean and by repeat: accuracies in % on the
validation and test images, and seconds of training; and the number of parameters. Left out are
the accuracies on training images, and what was measured half-way.
"""

from __future__ import annotations

import json
import struct
from array import array
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import REASONS, Benchmark, make_benchmark
from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.tfrecord import read_tfrecord
from nasbench_suite.spaces import PoolSpace, load_space, nasbench101

EPOCHS = (4, 12, 36, 108)
REPEATS = (0, 1, 2)
_FIGURES = ("train_time", "valid", "test")
"""What is kept of the last evaluation, with the field's position among ``_EVALUATION_FIELDS``."""

# ``EvaluationData``: epoch, seconds, and accuracies on train, validation and test images.
_EVALUATION_FIELDS = 5
_KEPT_FIELDS = {"train_time": 1, "valid": 3, "test": 4}
_EVALUATIONS = 3
# As the authors' files are written, three messages of five doubles begin every ``ModelMetrics``.
_MESSAGE = bytes([0x0A, 9 * _EVALUATION_FIELDS])
_TAGS = tuple(8 * field + 1 for field in range(1, _EVALUATION_FIELDS + 1))
_EVALUATION_SIZE = 2 + 9 * _EVALUATION_FIELDS
_USUAL_SIZE = _EVALUATIONS * _EVALUATION_SIZE
# Then come the parameters, below 2^28.
_PARAMETERS_TAG = 0x10
_USED = _USUAL_SIZE + 1 + 4
# The pieces of ``["hash", epochs, "matrix", "operations", "metrics"]`` between quotation marks.
_PARTS = 9
_USUAL_EPOCHS = {f", {epochs}, ".encode(): epochs for epochs in EPOCHS}
_USUAL_PARTS: Mapping[int, set[bytes]] = {
    0: {b"["},
    2: set(_USUAL_EPOCHS),
    4: {b", "},
    6: {b", "},
    8: {b"]"},
}
_Parsed = tuple[list[str], list[int], list[str], list[str], list[Any]]
_ROWS_AT_ONCE = 1 << 16
_ALL_HASHED = 10_000
"""The hashes of so many modules are computed anew and compared, of later ones one in sixteen."""


@dataclass(frozen=True)
class ModuleFigures:
    """What a file says of the modules in it.

    Attributes:
        hashes: the modules' hashes, in order of appearance.
        architectures: the modules as ``nasbench101.format_module`` writes them.
        metrics: what each column is.
        columns: by metric name and ``Metric.seed_column``, arrays of shape (n,); NaN where the
            file has no such training.
    """

    hashes: Sequence[str]
    architectures: Sequence[str]
    metrics: Sequence[Metric]
    columns: Mapping[str, NDArray[np.float64]]


class RecordsFormat(BenchmarkFormat):
    """NAS-Bench-101: the file nasbench_full.tfrecord or nasbench_only108.tfrecord."""

    def recognise(self, source: Path) -> str | None:
        """See ``BenchmarkFormat``."""
        is_file = source.suffix == ".tfrecord" and not source.is_dir()
        return "nasbench101" if is_file else None

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        benchmark = self.read_partial(source, progress=progress)
        if benchmark.space.size != nasbench101.NUM_MODULES:
            raise SuiteError(
                f"{source} holds {benchmark.space.size:,} of NAS-Bench-101's "
                f"{nasbench101.NUM_MODULES:,} modules: get the complete file, or import the "
                f"excerpt with --partial."
            )
        return benchmark

    def read_partial(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        figures = read_records(source, progress=progress)
        pool = PoolSpace(load_space("nasbench101"), figures.architectures, figures.hashes)
        return make_benchmark(
            "nasbench101",
            pool,
            figures.metrics,
            figures.columns,
            {
                "description": f"NAS-Bench-101, {pool.size:,} modules",
                "paper": "Ying et al., NAS-Bench-101, ICML 2019",
                "url": "https://github.com/google-research/nasbench",
                "licence": "Apache-2.0",
                "source": source.name,
            },
            _gaps(figures),
        )


def _gaps(figures: ModuleFigures) -> dict[str, NDArray[np.uint8]]:
    """Where a module was not trained with some number of epochs."""
    gaps = {}
    for metric in figures.metrics:
        of_metric = [figures.columns[metric.seed_column(repeat)] for repeat in metric.seeds]
        untrained = np.all(np.isnan(of_metric or [figures.columns[metric.name]]), axis=0)
        if untrained.any():
            gaps[metric.name] = untrained.astype(np.uint8) * REASONS.index("not measured")
    return gaps


def read_records(path: Path, *, progress: Progress | None = None) -> ModuleFigures:
    """The figures in a file of NAS-Bench-101.

    Args:
        path: the file ``.tfrecord``.
        progress: called with the number of modules read and of all of NAS-Bench-101's.

    Raises:
        SuiteError: the file is truncated or damaged, holds something else, or a module whose
            hash is not that of its graph.
    """
    collector = _Collector(path)
    number = 0
    for records in read_tfrecord(path):
        collector.add(number, records)
        number += len(records)
        if progress is not None:
            progress(len(collector.rows), nasbench101.NUM_MODULES)
    if not number:
        raise SuiteError(f"{path} holds no record: get it again.")
    return collector.figures()


class _Collector:
    """Takes batches of records and keeps the figures of a table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, int] = {}
        self._architectures = _Modules()
        self._vertices: dict[str, int] = {}
        self._figures: dict[tuple[str, int, int], NDArray[np.float64]] = {}
        self._trained: dict[int, NDArray[np.int8]] = {}
        self._parameters = np.empty(0)

    def add(self, number: int, records: Sequence[bytes]) -> None:
        """Take a batch of records, the first of which is record ``number`` of the file."""
        hashes, durations, matrices, operations, packed = self._parsed(number, records)
        known = self.rows
        rows = np.array([known.get(fingerprint, -1) for fingerprint in hashes])
        for position in np.flatnonzero(rows < 0).tolist():
            row = known.get(hashes[position])
            if row is None:
                row = self._new_row(hashes[position], matrices[position], operations[position])
            rows[position] = row
        raws: list[bytes] = []
        try:
            raws += map(a2b_base64, packed)
        except ValueError as error:
            raise self._foreign(number + len(raws), reason(error)) from None
        values, parameters = _decode(raws)
        self._grow(len(known))
        self._parameters[rows] = parameters
        epochs = np.array(durations)
        for duration in np.unique(epochs).tolist():
            of_duration = np.flatnonzero(epochs == duration)
            self._put(duration, rows[of_duration], values[of_duration])

    def _parsed(self, number: int, records: Sequence[bytes]) -> _Parsed:
        """The entries of the records, each kind as a list; a record that is none is named."""
        # As the authors' files are written; a batch with anything else is read as JSON says.
        parts = b'"'.join(records).split(b'"')
        if len(parts) == _PARTS * len(records) and all(
            set(parts[place::_PARTS]) <= usual for place, usual in _USUAL_PARTS.items()
        ):
            hashes, matrices, operations, packed = (parts[k::_PARTS] for k in (1, 3, 5, 7))
            metrics = b'"'.join(packed).replace(b"\\n", b"")
            texts = b"".join([*hashes, *matrices, *operations, metrics])
            if texts.isascii() and b"\\" not in texts:
                return (
                    [fingerprint.decode() for fingerprint in hashes],
                    [_USUAL_EPOCHS[part] for part in parts[2::_PARTS]],
                    [matrix.decode() for matrix in matrices],
                    [names.decode() for names in operations],
                    metrics.split(b'"'),
                )
        entries: list[Any] = []
        for position, record in enumerate(records):
            try:
                entry = json.loads(record)
            except ValueError as error:
                raise self._foreign(number + position, reason(error)) from None
            if not isinstance(entry, list) or list(map(type, entry)) != [str, int, str, str, str]:
                raise self._foreign(number + position, "its entries are others")
            if entry[1] not in EPOCHS:
                raise self._foreign(number + position, f"{entry[1]} epochs")
            entries.append(entry)
        each = [list(kind) for kind in zip(*entries, strict=True)]
        return each[0], each[1], each[2], each[3], each[4]

    def _foreign(self, number: int, why: str) -> SuiteError:
        return SuiteError(
            f"Record {number} of {self._path} is none of NAS-Bench-101 ({why}): give "
            f"nasbench_full.tfrecord or nasbench_only108.tfrecord."
        )

    def _new_row(self, fingerprint: str, matrix: str, operations: str) -> int:
        text = f"{matrix} {operations}"
        # A matrix and operations that were sound with others are so together, if of one size.
        vertices = self._vertices.get(matrix)
        sound = vertices is not None and self._vertices.get(operations) == vertices
        # The file's own checksums find damage; hashes tell modules numbered some other way.
        checked = len(self.rows) < _ALL_HASHED or fingerprint.startswith("0")
        if checked or not sound:
            module = nasbench101.parse_module(text)
            self._vertices[matrix] = self._vertices[operations] = module.vertices
            if checked and nasbench101.graph_hash(module) != fingerprint:
                raise SuiteError(
                    f"{self._path} gives module {text!r} the hash {fingerprint}, but its graph has "
                    f"{nasbench101.graph_hash(module)}: get the file again."
                )
        row = self.rows[fingerprint] = len(self.rows)
        self._architectures.append(matrix, operations)
        return row

    def _grow(self, count: int) -> None:
        """Make room for ``count`` rows in every column."""
        if count <= len(self._parameters):
            return
        size = -(-count // _ROWS_AT_ONCE) * _ROWS_AT_ONCE
        self._parameters = _extended(self._parameters, size, np.nan)
        for key, column in self._figures.items():
            self._figures[key] = _extended(column, size, np.nan)
        for duration, counts in self._trained.items():
            self._trained[duration] = _extended(counts, size, 0)

    def _put(self, duration: int, rows: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Put trainings of one number of epochs into the next free repeats of their rows."""
        size = len(self._parameters)
        trained = self._trained.setdefault(duration, np.zeros(size, dtype=np.int8))
        # Trainings of one module stand in their order: the k-th of a row within the batch.
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        lengths = np.diff(np.r_[starts, len(ordered)])
        repeat = trained[ordered] + np.arange(len(ordered)) - np.repeat(starts, lengths)
        if (repeat >= len(REPEATS)).any():
            extra = int(ordered[(repeat >= len(REPEATS)).argmax()])
            raise SuiteError(
                f"{self._path} holds more than {len(REPEATS)} trainings of module "
                f"{self._architectures[extra]!r} with {duration} epochs: get it again."
            )
        for figure, one in product(_FIGURES, REPEATS):
            key = (figure, duration, one)
            if key not in self._figures:
                self._figures[key] = np.full(size, np.nan)
            here = repeat == one
            field = values[order[here], _KEPT_FIELDS[figure]]
            self._figures[key][ordered[here]] = field if figure == "train_time" else 100 * field
        np.add.at(trained, rows, 1)

    def figures(self) -> ModuleFigures:
        """What was collected."""
        count = len(self.rows)
        metrics: list[Metric] = []
        columns: dict[str, NDArray[np.float64]] = {}
        for duration in sorted(self._trained):
            for figure in _FIGURES:
                metric = _metric(figure, duration)
                metrics.append(metric)
                for repeat in REPEATS:
                    column = self._figures.pop((figure, duration, repeat))
                    columns[metric.seed_column(repeat)] = _finished(column[:count])
        metrics.append(
            Metric(
                "parameters", "parameters", "", "minimize", provenance="measured", note="counted"
            )
        )
        columns["parameters"] = _finished(self._parameters[:count])
        return ModuleFigures(list(self.rows), self._architectures, metrics, columns)


class _Modules(Sequence[str]):
    """Modules as they are written; of each matrix and each list of operations one is kept."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._parts: list[str] = []
        self._of_rows = array("I")

    def append(self, matrix: str, operations: str) -> None:
        """Add a module."""
        for part in (matrix, operations):
            place = self._places.setdefault(part, len(self._parts))
            if place == len(self._parts):
                self._parts.append(part)
            self._of_rows.append(place)

    def __len__(self) -> int:
        return len(self._of_rows) // 2

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        matrix, operations = self._of_rows[2 * index], self._of_rows[2 * index + 1]
        return f"{self._parts[matrix]} {self._parts[operations]}"


def _finished(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The column made read-only, so that a table takes it as it is."""
    column.setflags(write=False)
    return column


def _extended(column: NDArray[Any], size: int, fill: float) -> NDArray[Any]:
    return np.concatenate([column, np.full(size - len(column), fill, dtype=column.dtype)])


def _metric(figure: str, epochs: int) -> Metric:
    if figure == "train_time":
        return Metric(
            f"cifar10_train_time_{epochs}",
            "training_time",
            "s",
            "minimize",
            dataset="cifar10",
            epochs=epochs,
            seeds=REPEATS,
            provenance="measured",
        )
    return Metric(
        f"cifar10_{figure}_{epochs}",
        dataset="cifar10",
        split="valid" if figure == "valid" else "test",
        epochs=epochs,
        seeds=REPEATS,
        provenance="measured",
        note="repeats 0 to 2 in the file's order, which names no seeds",
    )


# -- the protocol buffer -----------------------------------------------------------------------


def _decode(raws: Sequence[bytes]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The last evaluation's fields, shape (n, 5), and the parameters, shape (n,), of messages."""
    table = np.frombuffer(b"".join([raw[:_USED].ljust(_USED, b"\0") for raw in raws]), np.uint8)
    table = table.reshape(len(raws), _USED)
    parts = table[:, :_USUAL_SIZE].reshape(len(raws), _EVALUATIONS, _EVALUATION_SIZE)
    doubles = parts[:, :, 2:].reshape(len(raws), _EVALUATIONS, _EVALUATION_FIELDS, 9)
    is_usual = (parts[:, :, :2] == np.frombuffer(_MESSAGE, np.uint8)).all(axis=(1, 2))
    is_usual &= (doubles[..., 0] == np.array(_TAGS, np.uint8)).all(axis=(1, 2))
    last = np.ascontiguousarray(doubles[:, -1, :, 1:])
    values = last.view("<f8").reshape(len(raws), _EVALUATION_FIELDS).astype(np.float64)
    # The parameters: seven bits a byte, of which the last alone has no eighth.
    number = table[:, _USUAL_SIZE + 1 :]
    goes_on = np.cumprod(number >= 0x80, axis=1)
    counted = np.hstack([np.ones((len(raws), 1), int), goes_on[:, :-1]])
    parameters = (counted * (number & 0x7F)) @ (1.0 * (1 << 7 * np.arange(number.shape[1])))
    is_usual &= (table[:, _USUAL_SIZE] == _PARAMETERS_TAG) & (goes_on[:, -1] == 0)
    is_usual &= np.array([len(raw) >= _USED for raw in raws])
    for position in np.flatnonzero(~is_usual).tolist():
        values[position], parameters[position] = _decode_message(raws[position])
    return values, parameters


def _decode_message(raw: bytes) -> tuple[list[float], float]:
    """As ``_decode``, of one ``ModelMetrics`` whatever its layout."""
    evaluations: list[list[float]] = []
    parameters = float("nan")
    for field, value in _fields(raw):
        if field == 1 and isinstance(value, bytes):
            numbers = dict(_fields(value))
            evaluations.append(
                [
                    number if isinstance(number := numbers.get(key, 0.0), float) else 0.0
                    for key in range(1, _EVALUATION_FIELDS + 1)
                ]
            )
        elif field == 2 and isinstance(value, int):
            parameters = value
    if len(evaluations) < _EVALUATIONS:
        raise SuiteError(
            f"A training has {len(evaluations)} evaluations, not the {_EVALUATIONS} of "
            f"NAS-Bench-101: get its file again."
        )
    return evaluations[_EVALUATIONS - 1], parameters


def _fields(raw: bytes) -> list[tuple[int, float | int | bytes]]:
    """The fields of a protocol buffer in order: doubles, integers and byte strings."""
    found: list[tuple[int, float | int | bytes]] = []
    place = 0
    try:
        while place < len(raw):
            tag, place = _varint(raw, place)
            field, kind = tag >> 3, tag & 7
            value: float | int | bytes
            if kind == 0:
                value, place = _varint(raw, place)
            elif kind == 1:
                (value,) = struct.unpack_from("<d", raw, place)
                place += 8
            elif kind == 2:
                length, place = _varint(raw, place)
                value = raw[place : place + length]
                if len(value) < length:
                    raise IndexError
                place += length
            else:
                raise ValueError
            found.append((field, value))
    except (IndexError, ValueError, struct.error):
        raise SuiteError(
            "The metrics of a training are no protocol buffer of NAS-Bench-101: get its file again."
        ) from None
    return found


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    """An integer of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = raw[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
