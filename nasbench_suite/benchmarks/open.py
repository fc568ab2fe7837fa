"""Benchmarks that answer for any architecture of a space: surrogates, and real trainings.

An open benchmark has no table and its space need not be listed. A search on one leaves the
strings of the architectures it asked for; on these alone ``OpenBenchmark.pool`` makes a table, by
which the search is judged as any other.

A kind of open benchmark is registered under ``nasbench_suite.open_benchmarks`` as a function of a
text and the name of a space or None; ``live:digits`` calls the one named ``live`` with ``digits``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite import registry
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark, Described, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import PoolSpace, SearchSpace

NOT_MEASURED, NOT_AVAILABLE = 1, 3
"""The reasons in ``table.REASONS`` for an architecture without a figure: nobody trained it so far
in this search, and that it failed."""


class OpenBenchmark(Described, ABC):
    """What answers for any architecture of a space.

    The same question has the same answer, in whatever process it is asked.

    Attributes:
        name: what tables and results call it.
        space: the search space.
        metrics: what each figure is, by name. Where a metric lists seeds, one of them can be asked.
        about: description, source, licence and whatever else a reader should be told.
        sample_size: of how many random architectures the answers set the scale of a search for
            several objectives; 0 where so many cannot be asked, as each is a training.
        trains: whether an answer takes a training. A search is then judged by nothing but what it
            trained itself and what it returned.
    """

    name: str
    sample_size: ClassVar[int] = 0
    space: SearchSpace
    metrics: Mapping[str, Metric]
    about: Mapping[str, Any]
    trains: ClassVar[bool] = False

    @abstractmethod
    def figures(
        self, architectures: Sequence[Any], metric: str, seed: int | None = None
    ) -> NDArray[np.float64]:
        """The figures of architectures, shape (n,); NaN where there is none, as training failed.

        Args:
            architectures: the space's own values, as ``SearchSpace.read`` returns them.
            metric: one of ``metrics``.
            seed: one of the metric's seeds; the mean over all if left out.
        """

    @property
    @abstractmethod
    def checksum(self) -> str:
        """What tells it from any other that answers otherwise: a hash of its models or recipe."""

    def pool(
        self, strings: Sequence[str], metrics: Sequence[str], trained: Sequence[int] | None = None
    ) -> Benchmark:
        """A table of the answers for some architectures.

        Args:
            strings: of the architectures, each once; row ``i`` is the ``i``-th of them.
            metrics: the metrics it shall have.
            trained: for each architecture the epochs to which it was trained; figures after more
                epochs are not measured then. None asks for all figures.
        """
        space = PoolSpace(self.space, strings)
        columns: dict[str, ArrayLike] = {}
        missing: dict[str, ArrayLike] = {}
        kept = []
        for name in dict.fromkeys(metrics):
            metric = self.metric(name)
            asked = [True] * len(strings)
            if trained is not None:
                asked = [epochs >= (metric.epochs or 0) for epochs in trained]
            columns[name] = figures = self._some(space.members, asked, name, None)
            for seed in metric.seeds:
                columns[metric.seed_column(seed)] = self._some(space.members, asked, name, seed)
            gone = np.isnan(figures)
            if gone.all() and trained is None:
                raise SuiteError(
                    f"Benchmark {self.name!r} has no figure of {name!r} for any of the "
                    f"{len(strings)} architectures that were asked for."
                )
            if gone.any():
                missing[name] = np.where(gone, np.where(asked, NOT_AVAILABLE, NOT_MEASURED), 0)
            kept.append(metric)
        return make_benchmark(self.name, space, kept, columns, self.about, missing)

    def sample(self, metrics: Sequence[str]) -> Benchmark:
        """A table of ``sample_size`` random architectures, the same ones in every process.

        Args:
            metrics: those it shall have.
        """
        rng = stream(0, self.name, self.checksum)
        drawn: dict[Hashable, str] = {}
        for _ in range(self.sample_size):
            architecture = self.space.read(self.space.sample(rng))
            drawn.setdefault(self.space.row_key(architecture), self.space.string(architecture))
        return self.pool(list(drawn.values()), metrics)

    def _some(
        self, architectures: Sequence[Any], asked: Sequence[bool], metric: str, seed: int | None
    ) -> NDArray[np.float64]:
        """The figures of those that are asked for, NaN of the others."""
        found = np.full(len(architectures), np.nan)
        places = np.flatnonzero(asked)
        found[places] = self.figures(
            [architectures[place] for place in places.tolist()], metric, seed
        )
        return found


def describe_open(benchmark: OpenBenchmark) -> dict[str, Any]:
    """What there is to know of a benchmark without a table, as JSON-able values.

    Returns:
        ``name``, ``space``, ``checksum``, ``about``, and ``metrics``, for each its ``Metric``
        fields.
    """
    return {
        "name": benchmark.name,
        "space": benchmark.space.name,
        "checksum": benchmark.checksum,
        "about": dict(benchmark.about),
        "metrics": [metric.as_dict() for metric in benchmark.metrics.values()],
    }


def is_open(name: object) -> bool:
    """Whether a name asks for an open benchmark: ``kind:what``, of a registered kind."""
    if not isinstance(name, str):
        return False
    kind, colon, _ = name.partition(":")
    return bool(colon) and kind in registry.entries("open-benchmarks")


def load_open(name: str, space: str | None = None) -> OpenBenchmark:
    """The open benchmark that ``kind:what`` asks for.

    Args:
        name: such as ``live:digits``.
        space: the space it shall answer for, where it has a choice.

    Raises:
        SuiteError: there is none, or it has another space.
    """
    kind, _, what = name.partition(":")
    made = registry.find("open-benchmarks", kind).call(what, space)
    if not isinstance(made, OpenBenchmark):
        raise SuiteError(f"Open benchmark {kind!r} made {type(made).__name__}, no OpenBenchmark.")
    return made
