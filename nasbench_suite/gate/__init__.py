"""Regression testing: a method against its own stored baseline."""

from nasbench_suite.gate.baseline import Baseline, load_baseline, make_baseline, save_baseline
from nasbench_suite.gate.checking import Check, Finding, advice, check

__all__ = [
    "Baseline",
    "Check",
    "Finding",
    "advice",
    "check",
    "load_baseline",
    "make_baseline",
    "save_baseline",
]
