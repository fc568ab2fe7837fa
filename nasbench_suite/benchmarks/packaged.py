"""A benchmark that comes with a package, rather than being imported by its user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PackagedBenchmark:
    """Where a package keeps a benchmark's file; named under ``nasbench_suite.benchmarks``.

    Attributes:
        path: the file, as ``write_benchmark`` writes it.
        summary: what it is, in one line.
    """

    path: Path
    summary: str
