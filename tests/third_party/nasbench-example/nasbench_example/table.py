"""A format in which a benchmark was published: a heading, then one network a line."""

from pathlib import Path

import numpy as np

from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space

HEADING = "layers 1.0"


class LayersText(BenchmarkFormat):
    """Lines such as 8-16-32-64 71.2 70.9: network, validation and test accuracy."""

    def recognise(self, source: Path) -> str | None:
        try:
            with source.open(encoding="utf-8") as file:
                return "layers" if file.readline().strip() == HEADING else None
        except (OSError, UnicodeDecodeError):
            return None

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        where = load_finite_space("layers")
        figures = np.full((where.size, 2), np.nan)
        try:
            heading, *lines = source.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines):
                network, *values = line.split()
                figures[where.index(network)] = [float(value) for value in values]
                if progress is not None:
                    progress(number + 1, where.size)
        except (ValueError, OSError) as error:
            raise SuiteError(f"{source} is damaged ({error}): get it again.") from error
        if heading != HEADING or np.isnan(figures).any():
            raise SuiteError(f"{source} is not whole: get it again.")
        metrics = [
            Metric(f"layers_{split}_1", dataset="layers", split=split, epochs=1)
            for split in ("valid", "test")
        ]
        columns = {metric.name: figures[:, i] for i, metric in enumerate(metrics)}
        return make_benchmark("layers", where, metrics, columns)
