"""The official archives of NATS-Bench, converted into a table.

Source: Dong, Liu, Musial and Gabrys, *NATS-Bench*, TPAMI 2021, https://github.com/D-X-Y/NATS-Bench.
An archive is ``NATS-tss-v1_0-3ffb9`` (topology) or ``NATS-sss-v1_0-50262`` (size), either the file
``.pickle.pbz2`` or the folder ``-simple`` with one file an architecture. The folder is read three
times faster. NAS-Bench-201 keeps the same records in another wrapper (``nasbench201_archive``).

Archives know four trainings of an architecture, at 12 and 200 epochs (topology) or 1, 12 and 90
(size). The table follows the field, and the authors' ``find_best`` and ``simulate_train_eval``:
a search on CIFAR-10 trains on one half and validates on the other, and what it finds is judged by
the test accuracy after training on both halves.

=================  =======================  ==================  ================  ==============
data set           ``train``                ``valid``           ``test``          training time
=================  =======================  ==================  ================  ==============
``cifar10``        cifar10, train           cifar10-valid,      cifar10,          cifar10-valid
                                            x-valid             ori-test
``cifar10-valid``  cifar10-valid, train     cifar10-valid,      cifar10-valid,    cifar10-valid
                                            x-valid             ori-test
``cifar100``       cifar100, train          cifar100, x-valid   cifar100, x-test  cifar100
``imagenet16_120``  ImageNet16-120, train   ..., x-valid        ..., x-test       ImageNet16-120
=================  =======================  ==================  ================  ==============

Metrics, all after the last epoch of a training:

* ``{data set}_{split}_{epochs}``, accuracy in %, and ``{data set}_{split}_loss_{epochs}``;
  the mean over seeds, as the official API answers with ``is_random=False``, and every seed's own
  figure, as with ``is_random=seed``. How many seeds there are differs by architecture.
* ``{data set}_train_time_{epochs}``, seconds of training, and ``{data set}_valid_time_{epochs}``,
  seconds of one pass over the validation images: ``train-all-time`` and ``valid-per-time``, whose
  sum is what ``simulate_train_eval`` charges. The authors measured them once an architecture.
* ``{data set}_parameters`` and ``{data set}_flops`` in millions, ``{data set}_latency`` in seconds
  for a batch of 256, as ``get_cost_info`` answers for the longest training on that data set.

Left out are learning curves and, for CIFAR-100 and ImageNet16-120, the union of ``x-valid`` and
``x-test``.
"""

from __future__ import annotations

import itertools
import numbers
import pickle
import pickletools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.adding import add_up
from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.benchmarks.metric import Metric, Split
from nasbench_suite.benchmarks.table import Benchmark, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.safe_pickle import (
    SharedObject,
    explained,
    load,
    load_records,
    open_pickle,
)
from nasbench_suite.spaces import FiniteSpace, PoolSpace, load_finite_space

META = "meta.pickle.pbz2"

_SPACES = ("nats-tss", "nats-sss")
_PUBLISHED_NAMES = {
    "NATS-tss-": "nats-tss",
    "NATS-sss-": "nats-sss",
    "NAS-Bench-201-": "nas-bench-201",
}


@dataclass(frozen=True)
class _DataSet:
    """Where the figures of a data set come from: names of trainings and sets in the archive."""

    name: str
    sets: Mapping[Split, tuple[str, str]]

    @property
    def searched(self) -> tuple[str, str]:
        """The training that a search pays for, and its validation set."""
        return self.sets["valid"]

    @property
    def reported(self) -> str:
        """The training whose network is reported."""
        return self.sets["test"][0]


def _same_training(name: str, training: str, valid: str, test: str) -> _DataSet:
    return _DataSet(
        name,
        {"train": (training, "train"), "valid": (training, valid), "test": (training, test)},
    )


DATA_SETS = (
    _DataSet(
        "cifar10",
        {
            "train": ("cifar10", "train"),
            "valid": ("cifar10-valid", "x-valid"),
            "test": ("cifar10", "ori-test"),
        },
    ),
    _same_training("cifar10-valid", "cifar10-valid", "x-valid", "ori-test"),
    _same_training("cifar100", "cifar100", "x-valid", "x-test"),
    _same_training("imagenet16_120", "ImageNet16-120", "x-valid", "x-test"),
)


@dataclass(frozen=True)
class ArchiveFigures:
    """What an archive, or an excerpt of one, says of the architectures in it.

    Attributes:
        source: name of the archive's file or folder.
        space: the search space.
        indices: the architectures present, ascending indices of ``space``, shape (n,).
        metrics: what each column is.
        columns: by metric name and ``Metric.seed_column``, arrays of shape (n,); a missing
            figure is NaN.
    """

    source: str
    space: FiniteSpace
    indices: NDArray[np.int64]
    metrics: Sequence[Metric]
    columns: Mapping[str, NDArray[np.float64]]


class NatsFormat(BenchmarkFormat):
    """NATS-Bench: the file .pickle.pbz2 or the folder -simple (topology and size)."""

    def recognise(self, source: Path) -> str | None:
        """See ``BenchmarkFormat``."""
        name = recognise(source)
        return None if name == "nas-bench-201" else name

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        return import_nats(source, progress=progress)

    def read_partial(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        return import_nats(source, progress=progress, partial=True)


def import_nats(
    path: Path, *, progress: Progress | None = None, partial: bool = False
) -> Benchmark:
    """Convert a NATS-Bench archive.

    Args:
        path: the file ``.pickle.pbz2`` (or ``.pickle``), or the folder ``-simple``.
        progress: called after each architecture.
        partial: take an excerpt of an archive as well; the table is then of a pool.

    Returns:
        The benchmark ``nats-tss`` or ``nats-sss``.

    Raises:
        SuiteError: the archive is missing, truncated, incomplete, of another kind, or holds a
            pickle that names a global it has no business with.
    """
    figures = read_nats(path, progress=progress, partial=partial)
    return assemble(
        figures,
        figures.space.name,
        {
            "description": f"NATS-Bench, {len(figures.indices):,} architectures",
            "paper": "Dong, Liu, Musial and Gabrys, NATS-Bench, TPAMI 2021",
            "url": "https://github.com/D-X-Y/NATS-Bench",
        },
    )


def read_nats(
    path: Path, *, progress: Progress | None = None, partial: bool = False
) -> ArchiveFigures:
    """The figures in a NATS-Bench archive.

    Args:
        path: see ``import_nats``.
        progress: called after each architecture.
        partial: take an excerpt of an archive as well.

    Raises:
        SuiteError: see ``import_nats``.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, progress, partial)
    return read_file(path, NatsMean(), progress, partial)


def recognise(path: Path) -> str | None:
    """Which official archive a path is, from its beginning; the rest of it is not read.

    Returns:
        ``nats-tss``, ``nats-sss``, ``nas-bench-201``, or None where it is something else. A
        damaged one is still told by its published name.
    """
    path = Path(path)
    file = path / META if path.is_dir() else path
    try:
        with open_pickle(file) as (stream, storages):
            architecture = _first_architecture(stream.read(1 << 16))
        if architecture is not None:
            return "nas-bench-201" if storages is not None else _space_of(architecture).name
    except Exception:  # unreadable: what ails it is said where it is imported
        pass
    if path.is_dir() or path.suffix in (".pbz2", ".pickle", ".pth", ".tar"):
        for beginning, name in _PUBLISHED_NAMES.items():
            if path.name.startswith(beginning):
                return name
    return None


def _first_architecture(head: bytes) -> str | None:
    """The string after ``meta_archs``, which official archives begin with."""
    if not head.startswith(pickle.PROTO):
        return None
    strings = (argument for _, argument, _ in pickletools.genops(head) if isinstance(argument, str))
    first = list(itertools.islice(strings, 2))
    return first[1] if first[0] == "meta_archs" else None


def _space_of(architecture: object) -> FiniteSpace:
    for name in _SPACES:
        space = load_finite_space(name)
        try:
            space.parse(architecture)  # type: ignore[arg-type]
        except SuiteError:
            continue
        return space
    raise SuiteError(
        f"{architecture!r} is an architecture of neither {' nor '.join(_SPACES)}: "
        f"this is no archive of NATS-Bench or NAS-Bench-201."
    )


# -- the two forms -----------------------------------------------------------------------------


def _read_folder(path: Path, progress: Progress | None, partial: bool) -> ArchiveFigures:
    meta_path = path / META
    if not meta_path.is_file():
        raise SuiteError(
            f"Folder {path} lacks {META}: give the unpacked folder of a NATS-Bench archive "
            f"whose name ends in -simple."
        )
    meta = load(meta_path)
    with explained(meta_path):
        architectures = _check_meta(meta_path, meta, partial)
    present = [
        (file, architecture)
        for index, architecture in enumerate(architectures)
        if (file := path / f"{index:06d}.pickle.pbz2").is_file() or not partial
    ]
    for file, architecture in present:
        if not partial and not file.is_file():
            raise SuiteError(
                f"Folder {path} lacks {file.name}, architecture {architecture}: unpack the "
                f"archive again."
            )
    collector = Collector(path, NatsMean(), progress, len(present))
    for file, architecture in present:
        records = load(file)
        with explained(file):
            for record in records.values():
                if record["arch_str"] != architecture:
                    raise SuiteError(
                        f"{file} is of architecture {record['arch_str']}, but {META} lists "
                        f"{architecture}: unpack the archive again."
                    )
                collector.add(record)
    return collector.figures()


def read_file(path: Path, mean: Mean, progress: Progress | None, partial: bool) -> ArchiveFigures:
    """The figures in an archive of one file, read record by record.

    Args:
        path: the file, in any wrapper ``safe_pickle`` knows.
        mean: how the archive's API takes means.
        progress: called after each architecture.
        partial: take an excerpt as well.

    Raises:
        SuiteError: see ``import_nats``.
    """
    try:
        collector = Collector(path, mean, progress)
        content = load_records(path, collector.add)
    except SharedObject:
        # No archive known does so; it costs the memory that the official API takes.
        collector = Collector(path, mean, progress)
        content = load_records(path, collector.add, forget=False)
    with explained(path):
        architectures = _check_meta(path, content, partial)
        for index, records in content["arch2infos"].items():
            for record in records.values():
                if record["arch_str"] != architectures[index]:
                    raise SuiteError(
                        f"{path} has figures of {record['arch_str']} at index {index}, where "
                        f"it lists {architectures[index]}: get it again."
                    )
    figures = collector.figures()
    if not partial:
        _check_complete(figures)
    return figures


def _check_meta(path: Path, meta: Any, partial: bool) -> list[str]:
    """The architectures an archive lists, checked."""
    if not isinstance(meta, dict) or not isinstance(meta.get("meta_archs"), list):
        raise SuiteError(
            f"{path} is no official archive: it has no list of architectures (meta_archs)."
        )
    architectures: list[str] = meta["meta_archs"]
    if not architectures:
        raise SuiteError(f"{path} lists no architecture: get it again.")
    space = _space_of(architectures[0])
    distinct = len({space.index(architecture) for architecture in architectures})
    if distinct != len(architectures) or (distinct != space.size and not partial):
        raise SuiteError(
            f"{path} lists {len(architectures)} architectures, {distinct} of them distinct, but "
            f"space {space.name!r} has {space.size}: get the complete archive."
        )
    return architectures


def _check_complete(figures: ArchiveFigures) -> None:
    present, space = figures.indices, figures.space
    if len(present) != space.size:
        missing = int(np.setdiff1d(np.arange(space.size), present)[0])
        raise SuiteError(
            f"{figures.source} has figures of {len(present)} of the {space.size} architectures "
            f"of space {space.name!r}, none of {space.string(missing)}: get the complete archive."
        )


def assemble(figures: ArchiveFigures, name: str, about: Mapping[str, Any]) -> Benchmark:
    """The benchmark of an archive, over a pool of its architectures where some are not there.

    A loss, time or cost that some architecture has no finite figure of is left out, and named in
    ``about["left_out"]``.

    Raises:
        SuiteError: an architecture has no finite accuracy.
    """
    left_out = [
        metric.name
        for metric in figures.metrics
        if metric.quantity != "accuracy" and not np.isfinite(figures.columns[metric.name]).all()
    ]
    kept = [metric for metric in figures.metrics if metric.name not in left_out]
    about = {**about, "source": figures.source, **({"left_out": left_out} if left_out else {})}
    space = figures.space
    if len(figures.indices) < space.size:
        space = PoolSpace(space, [space.string(int(index)) for index in figures.indices])
    return make_benchmark(name, space, kept, figures.columns, about)


# -- the records -------------------------------------------------------------------------------


class Mean:
    """How an official API takes means, to the last bit."""

    def __call__(self, values: Sequence[float]) -> float:
        """The mean of at least one figure."""
        raise NotImplementedError

    def of_size(self, values: Sequence[float], seeds: Sequence[int]) -> float:
        """The mean of parameters or operations counted in the training of each seed."""
        return self(values)


class NatsMean(Mean):
    """As ``nats_bench`` 1.8 does."""

    def __call__(self, values: Sequence[float]) -> float:
        """The sum over the number."""
        return add_up(values) / len(values)

    def of_size(self, values: Sequence[float], seeds: Sequence[int]) -> float:
        """Where seeds disagree, seed 888 is right (a fault of older archives).

        The API has no answer where they disagree without it; here it is the mean.
        """
        if len({f"{value:.5f}" for value in values}) > 1 and 888 in seeds:
            return values[seeds.index(888)]
        return self(values)


@dataclass(frozen=True)
class _Trained:
    """All trainings of one architecture for one number of epochs.

    Attributes:
        row: index of the architecture.
        epochs: of each training.
        seeds: of the trainings on each data set.
        results: what these trainings left, in the same order.
    """

    row: int
    epochs: int
    seeds: Mapping[str, list[int]]
    results: Mapping[str, list[dict[str, Any]]]

    def after_last(self, training: str, quantity: str, images: str) -> list[Any]:
        """The ``acc1es`` or ``losses`` on images after the last epoch; None where there is none."""
        results, last = self.results.get(training, []), self.epochs - 1
        if images == "train":
            return [result[f"train_{quantity}"][last] for result in results]
        return [result[f"eval_{quantity}"].get(f"{images}@{last}") for result in results]


class Collector:
    """Takes records one by one and keeps the figures of a table.

    A record holds all trainings of one architecture at one number of epochs.

    Args:
        path: the archive, for messages.
        mean: how its API takes means.
        progress: called after each architecture.
        total: number of architectures there will be; by default all of the space.
    """

    def __init__(
        self, path: Path, mean: Mean, progress: Progress | None, total: int | None = None
    ) -> None:
        self._path = path
        self._mean = mean
        self._progress = progress
        self._total = total
        self._space: FiniteSpace | None = None
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._seeds: dict[str, set[int]] = {}
        self._seen: dict[int, set[int]] = {}

    def add(self, record: dict[str, Any]) -> None:
        """Take the figures of a record.

        Raises:
            SuiteError: its architecture is outside the space, or came before.
            Exception: whatever a record that is none raises; see ``safe_pickle.explained``.
        """
        architecture = record["arch_str"]
        if self._space is None:
            self._space = _space_of(architecture)
        row = self._space.index(architecture)
        seeds = record["dataset_seed"]
        results = {
            name: [record["all_results"][name, seed] for seed in of_name]
            for name, of_name in seeds.items()
        }
        durations = {result["epochs"] for of_name in results.values() for result in of_name}
        if len(durations) != 1:
            raise ValueError(f"trainings of {architecture} with {len(durations)} numbers of epochs")
        trained = _Trained(row, durations.pop(), seeds, results)
        if trained.epochs in self._seen.setdefault(row, set()):
            raise SuiteError(f"{self._path} holds {architecture} twice: get it again.")
        self._seen[row].add(trained.epochs)
        for data_set in DATA_SETS:
            self._add_outcomes(trained, data_set)
            self._add_times(trained, data_set)
            self._add_costs(trained, data_set)
        if self._progress is not None and len(self._seen[row]) == 1:
            self._progress(len(self._seen), self._total or self._space.size)

    def _add_outcomes(self, trained: _Trained, data_set: _DataSet) -> None:
        """Accuracy and loss after the last epoch, where every seed has them."""
        for split, (training, images) in data_set.sets.items():
            seeds = trained.seeds.get(training, [])
            for quantity, suffix in (("acc1es", ""), ("losses", "_loss")):
                found = trained.after_last(training, quantity, images)
                known = [value for value in found if value is not None]
                if not known or len(known) < len(seeds):
                    continue
                name = f"{data_set.name}_{split}{suffix}_{trained.epochs}"
                self._put(name, trained.row, self._mean(known))
                for seed, value in zip(seeds, known, strict=True):
                    self._seeds.setdefault(name, set()).add(seed)
                    self._put(f"{name}@{seed}", trained.row, value)

    def _add_times(self, trained: _Trained, data_set: _DataSet) -> None:
        """Seconds of the training that a search pays for, and of one validation in it."""
        training, images = data_set.searched
        epochs, results = trained.epochs, trained.results.get(training, [])
        times = [result["train_times"] for result in results]
        if times and all(times):
            spent = self._mean([add_up(one[epoch] for epoch in range(epochs)) for one in times])
            self._put(f"{data_set.name}_train_time_{epochs}", trained.row, spent)
        times = [result["eval_times"] for result in results]
        keys = [f"{images}@{epoch}" for epoch in range(epochs)]
        if times and all(keys[-1] in one for one in times):
            spent = self._mean([add_up(one[key] for key in keys) for one in times])
            self._put(f"{data_set.name}_valid_time_{epochs}", trained.row, spent / epochs)

    def _add_costs(self, trained: _Trained, data_set: _DataSet) -> None:
        """Size and latency of the network that is reported."""
        results = trained.results.get(data_set.reported, [])
        if not results:
            return
        seeds = trained.seeds[data_set.reported]
        for quantity, key in (("parameters", "params"), ("flops", "flop")):
            size = self._mean.of_size([result[key] for result in results], seeds)
            self._put(f"{data_set.name}_{quantity}_{trained.epochs}", trained.row, size)
        measured = [result["latency"] for result in results if result["latency"]]
        latencies = [add_up(values) / len(values) for values in measured]
        latencies = [latency for latency in latencies if latency > 0]
        if latencies:
            name = f"{data_set.name}_latency_{trained.epochs}"
            self._put(name, trained.row, self._mean(latencies))

    def _put(self, column: str, row: int, value: object) -> None:
        if not isinstance(value, numbers.Real):
            raise TypeError(f"{column} is {type(value).__name__}")
        assert self._space is not None
        if column not in self._columns:
            self._columns[column] = np.full(self._space.size, np.nan)
        self._columns[column][row] = value

    def figures(self) -> ArchiveFigures:
        """What was collected.

        Raises:
            SuiteError: there was no record.
        """
        if self._space is None:
            raise SuiteError(f"{self._path} has figures of no architecture: get it again.")
        rows = np.array(sorted(self._seen), dtype=np.int64)
        metrics, columns = [], {}
        for column, described in self._described():
            if column not in self._columns:
                continue
            seeds = tuple(sorted(self._seeds.get(column, ())))
            metric = Metric(**described, seeds=seeds)
            metrics.append(metric)
            columns[metric.name] = self._columns[column][rows]
            for seed in seeds:
                columns[metric.seed_column(seed)] = self._columns[f"{column}@{seed}"][rows]
        return ArchiveFigures(self._path.name, self._space, rows, metrics, columns)

    def _described(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the table shall hold: the collector's column, and the metric's fields."""
        durations = sorted(set().union(*self._seen.values()))
        for data_set in DATA_SETS:
            for epochs in durations:
                yield from _described_training(data_set, epochs)
            for described in _COSTS:
                name = f"{data_set.name}_{described['quantity']}"
                columns = [f"{name}_{epochs}" for epochs in reversed(durations)]
                # As ``get_cost_info`` answers for the longest training that has the figure.
                longest = next((column for column in columns if column in self._columns), None)
                if longest is not None:
                    of = {"direction": "minimize", "dataset": data_set.name}
                    yield longest, {"name": name, "provenance": "measured", **of, **described}


# The latency of a batch of 256 stands in seconds, size and operations in millions.
_COSTS: tuple[dict[str, str], ...] = (
    {"quantity": "parameters", "unit": "M", "note": "counted"},
    {"quantity": "flops", "unit": "M", "note": "counted"},
    {"quantity": "latency", "unit": "s", "note": "a batch of 256, on the authors' machine"},
)


def _described_training(data_set: _DataSet, epochs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The outcomes and times of one duration of training."""
    of = {"dataset": data_set.name, "epochs": epochs, "provenance": "measured"}
    loss = {"quantity": "loss", "unit": "nats", "direction": "minimize"}
    for split in data_set.sets:
        name = f"{data_set.name}_{split}_{epochs}"
        yield name, {"name": name, "split": split, **of}
        name = f"{data_set.name}_{split}_loss_{epochs}"
        yield name, {"name": name, "split": split, **loss, **of}
    seconds = {"quantity": "training_time", "unit": "s", "direction": "minimize"}
    name = f"{data_set.name}_train_time_{epochs}"
    yield name, {"name": name, **seconds, **of}
    validation = {**seconds, "quantity": "validation_time"}
    name = f"{data_set.name}_valid_time_{epochs}"
    yield name, {"name": name, **validation, **of, "note": "one pass over the validation images"}
