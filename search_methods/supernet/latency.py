"""The expected latency of a relaxed architecture, from measurements.

Our derivation: the soft-constrained latency objective of VS-DARTS's sequel is not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.importing import read_measurements
from nasbench_suite.benchmarks.library import known_benchmarks
from nasbench_suite.benchmarks.table_file import is_benchmark_file
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.frames import read_frame
from nasbench_suite.spaces import FiniteSpace
from nasbench_suite.spaces.topology import OPERATIONS

_SHARPNESS = 10.0  # of the softened hinge: it is 0.07 high at the target and gone at 0.8 of it


@dataclass(frozen=True)
class LatencyModel:
    """Latency as a sum over edges: a constant, and a time for every operation on every edge.

    Attributes:
        constant: ms of all that is not in the cells' edges.
        table: ms of each operation on each edge, shape (edges, operations).
        error: root mean squared error on the table it was fitted to, in ms; 0 for a given table.
    """

    constant: float
    table: Tensor
    error: float = 0.0

    def expected(self, probabilities: Tensor) -> Tensor:
        """Mean latency in ms of architectures drawn with these probabilities, edge by edge."""
        return self.constant + (probabilities * self.table.to(probabilities)).sum()

    def penalty(self, probabilities: Tensor, target: float) -> Tensor:
        """softplus(s (E[latency] / T − 1)) / s: a hinge at the target T, softened."""
        excess = self.expected(probabilities) / target - 1
        return F.softplus(excess, beta=_SHARPNESS)


def fit_latency(space: FiniteSpace, indices: np.ndarray, latencies: np.ndarray) -> LatencyModel:
    """The additive model of least squared error on measured architectures.

    Args:
        space: the topology space.
        indices: of the architectures measured, shape (n,).
        latencies: in ms, shape (n,).

    Raises:
        SuiteError: latencies that are not positive and finite.
    """
    latencies = np.asarray(latencies, dtype=np.float64)
    if not np.isfinite(latencies).all() or not (latencies > 0).all():
        raise SuiteError("Latencies must be positive and finite: clean the table first.")
    vectors = space.all_vectors[indices]
    edges, operations = vectors.shape[1], len(OPERATIONS)
    features = np.eye(operations)[vectors].reshape(len(vectors), -1)
    # One-hot rows sum to one on every edge, so the least-norm solution is taken: the constant
    # and the edges' levels are shared out evenly, and predictions are unaffected.
    design = np.hstack([np.ones((len(features), 1)), features])
    solution, *_ = np.linalg.lstsq(design, latencies, rcond=None)
    error = float(np.sqrt(np.mean((design @ solution - latencies) ** 2)))
    table = torch.tensor(solution[1:].reshape(edges, operations), dtype=torch.float32)
    return LatencyModel(float(solution[0]), table, error)


def read_latency(file: str | Path, column: str, space: FiniteSpace) -> LatencyModel:
    """A latency model from a table of measurements.

    Args:
        file: a benchmark's name or file, of this space, and ``column`` its metric. Or Parquet
            or CSV. With a column ``operation`` it is an operation table: a row an
            operation of the space, its time in ms on any edge in ``column``. Otherwise it is a
            table of measured architectures, as ``nasbench data import --latency`` reads it, and
            the model is fitted to it.
        column: which device, or which measurement.
        space: the topology space.

    Raises:
        SuiteError: there is no such file or column, or it holds no latencies.
    """
    path = Path(file).expanduser()
    if str(file) in known_benchmarks() or is_benchmark_file(path):
        return _of_benchmark(load_benchmark(file), column, space)
    frame = read_frame(path).frame
    if "operation" not in frame:
        return fit_latency(space, *read_measurements(path, column, space))
    if column not in frame:
        raise SuiteError(choose_from(f"column of {path}", column, list(frame.columns)))
    times = {}
    for operation, cell in zip(frame["operation"], frame[column], strict=True):
        try:
            times[operation] = float(cell)
        except ValueError:
            raise SuiteError(f"{path} has {cell!r} as the time of {operation!r}.") from None
    missing = [name for name in OPERATIONS if name not in times and name != "none"]
    if missing:
        raise SuiteError(f"{file} has no time for operation {missing[0]!r}: add a row.")
    row = torch.tensor([times.get(name, 0.0) for name in OPERATIONS], dtype=torch.float32)
    if not bool(row.isfinite().all()) or bool((row < 0).any()):
        raise SuiteError(f"{file} has times that are negative or not finite: mend them.")
    return LatencyModel(0.0, row.expand(len(space.choices), -1).clone())


def _of_benchmark(benchmark: Benchmark, metric: str, space: FiniteSpace) -> LatencyModel:
    if benchmark.space.name != space.name:
        raise SuiteError(
            f"{benchmark.name} has latencies of {benchmark.space.name}, not of {space.name}."
        )
    return fit_latency(space, np.arange(space.size), benchmark.values(metric))
