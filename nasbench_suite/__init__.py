"""Benchmark and evaluation suite for neural architecture search."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbench_suite.analysis.comparison import compare
    from nasbench_suite.analysis.leaderboard import leaderboard
    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.gate import check
    from nasbench_suite.runner import run
    from nasbench_suite.spaces import load_space
    from nasbench_suite.tasks import make_task

# Imported at first use, so that the command line starts without numpy and pyarrow.
_HOMES = {
    "SuiteError": "nasbench_suite.errors",
    "check": "nasbench_suite.gate",
    "compare": "nasbench_suite.analysis.comparison",
    "leaderboard": "nasbench_suite.analysis.leaderboard",
    "load_benchmark": "nasbench_suite.benchmarks",
    "load_space": "nasbench_suite.spaces",
    "make_task": "nasbench_suite.tasks",
    "run": "nasbench_suite.runner",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


__all__ = [
    "SuiteError",
    "check",
    "compare",
    "leaderboard",
    "load_benchmark",
    "load_space",
    "make_task",
    "run",
]
