"""The results file."""

from nasbench_suite.store.results import EnvironmentRow, MethodRow, ResultStore, TaskRow

__all__ = ["EnvironmentRow", "MethodRow", "ResultStore", "TaskRow"]
