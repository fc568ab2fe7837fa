"""Sums of floats that are the same on every Python."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add


def add_up(values: Iterable[float]) -> float:
    """The sum of floats, added from the first to the last.

    ``sum`` adds more exactly from Python 3.12 on, so that what is found by it would depend on the
    Python that finds it.
    """
    return reduce(add, values, 0.0)
