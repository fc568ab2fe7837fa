"""The results file."""

from nasbench_suite.store.results import ResultStore

__all__ = ["ResultStore"]
