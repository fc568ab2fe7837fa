"""Sums that do not depend on the Python."""

from __future__ import annotations

from itertools import accumulate

from nasbench_suite.adding import add_up


def test_floats_are_added_in_their_order() -> None:
    """What ``sum`` gives until Python 3.11, and ``accumulate`` everywhere."""
    ninths = [1 / 9] * 9
    assert add_up(ninths) == list(accumulate(ninths))[-1] > 1
    assert add_up([1e16, 1.0, -1e16]) == 0.0
    assert add_up(iter([])) == 0.0
