"""Rows of results files that nobody searched for."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasbench_suite.events import Incumbents, Record, TrialResult
from nasbench_suite.rows import EnvironmentRow, TaskRow

ENVIRONMENT = EnvironmentRow(key="e", git_revision=None, packages={}, platform="made")


def made_task(**columns: Any) -> TaskRow:
    """A task to reach the best accuracy in % with one evaluation, but for what is said of it."""
    usual = {
        "key": "task",
        "name": "made",
        "benchmark": "made",
        "space": "nats-tss",
        "dataset": None,
        "signal_metric": "valid",
        "report_metric": "test",
        "unit": "%",
        "direction": "maximize",
        "optimum": 100.0,
        "noise_floor": 0.5,
        "config": {"evaluations": 1.0, "seconds": None},
    }
    return TaskRow(**{**usual, **columns})


def made_search(figure: float) -> TrialResult:
    """A search of one evaluation that came to a figure."""
    one, whole = np.ones(1), np.ones(1, dtype=np.int32)
    record = Record(0 * whole, whole, np.array([[figure]]), one, one, -whole)
    numbers = whole.astype(np.int64)
    incumbents = Incumbents(numbers, one, one, 0 * numbers, one, np.array([figure]))
    return TrialResult(record, incumbents, 0.0)
