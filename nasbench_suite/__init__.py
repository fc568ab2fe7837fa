"""Benchmark and evaluation suite for neural architecture search."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _CHECKING
from typing import Any as _Any

if _CHECKING:
    from nasbench_suite.analysis.comparison import compare
    from nasbench_suite.analysis.leaderboard import leaderboard
    from nasbench_suite.analysis.results import read_results
    from nasbench_suite.benchmarks import Metric, load_benchmark, make_benchmark
    from nasbench_suite.benchmarks.importing import benchmark_from_frame
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.experiments import Experiment, run
    from nasbench_suite.gate import check
    from nasbench_suite.search import Search
    from nasbench_suite.spaces import load_space
    from nasbench_suite.tasks import Method, Session, make_task

    __version__: str

# Imported at first use, so that the command line starts without numpy and pyarrow.
_HOMES = {
    "Experiment": "nasbench_suite.experiments",
    "Method": "nasbench_suite.tasks",
    "Metric": "nasbench_suite.benchmarks",
    "Search": "nasbench_suite.search",
    "Session": "nasbench_suite.tasks",
    "SuiteError": "nasbench_suite.errors",
    "benchmark_from_frame": "nasbench_suite.benchmarks.importing",
    "check": "nasbench_suite.gate",
    "compare": "nasbench_suite.analysis.comparison",
    "leaderboard": "nasbench_suite.analysis.leaderboard",
    "load_benchmark": "nasbench_suite.benchmarks",
    "load_space": "nasbench_suite.spaces",
    "make_benchmark": "nasbench_suite.benchmarks",
    "make_task": "nasbench_suite.tasks",
    "read_results": "nasbench_suite.analysis.results",
    "run": "nasbench_suite.experiments",
}


def __getattr__(name: str) -> _Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nasbench-suite")
    if name in _HOMES:
        return getattr(_import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names and no others: rooms are imported by their own names."""
    return sorted(__all__)


__all__ = [
    "Experiment",
    "Method",
    "Metric",
    "Search",
    "Session",
    "SuiteError",
    "__version__",
    "benchmark_from_frame",
    "check",
    "compare",
    "leaderboard",
    "load_benchmark",
    "load_space",
    "make_benchmark",
    "make_task",
    "read_results",
    "run",
]
