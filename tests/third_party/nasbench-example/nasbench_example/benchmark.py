"""A benchmark that comes with a package."""

from pathlib import Path

from nasbench_suite.benchmarks.packaged import PackagedBenchmark

MADE = PackagedBenchmark(
    Path(__file__).with_name("layers.parquet"), "Made accuracies of all 256 networks of layers."
)
