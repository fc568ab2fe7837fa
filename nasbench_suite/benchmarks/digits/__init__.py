"""The embedded benchmark: NAS-Bench-201's cells, really trained, on scikit-learn's digits.

``table.parquet`` is the benchmark; ``top.parquet`` has its best classes, each trained ten times,
made by ``nasbench data make digits --retrain-top 200 --alone``; ``network``,
``training`` and ``making`` are how they were made.
"""

from pathlib import Path

from nasbench_suite.benchmarks.packaged import PackagedBenchmark

TABLE = PackagedBenchmark(
    Path(__file__).with_name("table.parquet"),
    "NAS-Bench-201's cells, really trained on scikit-learn's digits.",
)
TOP = PackagedBenchmark(
    Path(__file__).with_name("top.parquet"), "The best of digits, each trained ten times."
)
