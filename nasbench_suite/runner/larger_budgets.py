"""Searches with a larger budget: whether they go on from those with a smaller one.

A method that does not plan by its budget searches on, with the same seed, exactly as it did: its
first evaluations are those of the shorter search, and what was trained for these is not trained
again. That is no promise of a method but a fact of two records, which are compared here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nasbench_suite.events import Record
from nasbench_suite.rows import TaskRow

_LIMITS = ("evaluations", "seconds")


def smaller_budgets(task: TaskRow, others: Iterable[TaskRow]) -> list[TaskRow]:
    """Those of other tasks that are this one with less to spend, the largest budget first."""
    limits = _limits(task.config)
    found = [
        other
        for other in others
        if other.name == task.name and _unlimited(other.config) == _unlimited(task.config)
    ]
    smaller = [
        (less, other)
        for other in found
        if (less := _limits(other.config)) != limits
        and all(one <= most for one, most in zip(less, limits, strict=True))
    ]
    return [other for _, other in sorted(smaller, key=lambda pair: pair[0], reverse=True)]


def _limits(config: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(math.inf if config[name] is None else float(config[name]) for name in _LIMITS)


def _unlimited(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _LIMITS}


def goes_on(shorter: Record, longer: Record) -> bool:
    """Whether a search began with all that a shorter one evaluated, and was answered the same."""
    count = len(shorter.architectures)
    if len(longer.architectures) < count:
        return False
    names = shorter.strings
    if names is not None and (longer.strings or ())[: len(names)] != names:
        return False
    return all(
        np.array_equal(getattr(shorter, name), getattr(longer, name)[:count], equal_nan=True)
        for name in ("architectures", "epochs", "signals")
    )
