"""The embedded benchmark: NAS-Bench-201's cells, really trained, on scikit-learn's digits.

``table.parquet`` is the benchmark; ``network``, ``training`` and ``making`` are how it was made.
"""

from pathlib import Path

from nasbench_suite.benchmarks.packaged import PackagedBenchmark

TABLE = PackagedBenchmark(
    Path(__file__).with_name("table.parquet"),
    "NAS-Bench-201's cells, really trained on scikit-learn's digits.",
)
