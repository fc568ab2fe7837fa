"""What every part must fulfil, as tests: for those of this suite and for those of others.

A contract is a class of tests to extend, with the names of the parts that it is to hold for::

    from nasbench_suite.testing import MethodContract

    class TestMine(MethodContract):
        names = ("mine",)

It needs pytest alone. Parts are found by their registered names, so they are to be installed.
"""

from __future__ import annotations

from nasbench_suite.testing.base import Contract
from nasbench_suite.testing.executors import ExecutorContract
from nasbench_suite.testing.formats import FormatContract
from nasbench_suite.testing.generative import GenerativeContract
from nasbench_suite.testing.methods import MethodContract
from nasbench_suite.testing.predictors import PredictorContract
from nasbench_suite.testing.proxies import ProxyContract
from nasbench_suite.testing.spaces import SpaceContract
from nasbench_suite.testing.supernets import SupernetContract
from nasbench_suite.testing.toys import Computed, toy_benchmark

__all__ = [
    "Computed",
    "Contract",
    "ExecutorContract",
    "FormatContract",
    "GenerativeContract",
    "MethodContract",
    "PredictorContract",
    "ProxyContract",
    "SpaceContract",
    "SupernetContract",
    "toy_benchmark",
]
