"""Tabular benchmarks: loading them by name or path, making and writing them."""

from __future__ import annotations

from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark, make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark

__all__ = ["Benchmark", "Metric", "load_benchmark", "make_benchmark", "write_benchmark"]
