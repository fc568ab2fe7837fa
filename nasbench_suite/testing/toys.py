"""Made benchmarks: a table with everything a task can ask for, and answers for any architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.spaces import FiniteSpace, SearchSpace

EPOCHS = (1, 3, 9)


def toy_benchmark(space: FiniteSpace, seed: int = 0) -> Benchmark:
    """Accuracies that add up over the choices, with noise; training times, and a latency.

    Args:
        space: a listed space with choices.
        seed: of all that is drawn.

    Returns:
        The benchmark ``toy`` with validation accuracies at 1, 3 and 9 epochs, a test accuracy that
        is not the validation accuracy, all of two training seeds, ``toy_train_time_EPOCHS`` and
        ``chip_ms``.
    """
    rng = np.random.default_rng(seed)
    vectors = np.asarray(space.all_vectors)
    worth = rng.normal(size=(len(space.choices), max(space.choices)))
    quality = worth[np.arange(len(space.choices)), vectors].sum(axis=1)
    quality = 50 + 40 * (quality - quality.mean()) / np.abs(quality - quality.mean()).max()
    metrics, columns = [], {}
    for split, epochs in (*(("valid", epochs) for epochs in EPOCHS), ("test", EPOCHS[-1])):
        metric = Metric(
            f"toy_{split}_{epochs}",
            dataset="toy",
            split=split,  # type: ignore[arg-type]  # one of the splits
            epochs=epochs,
            seeds=(0, 1),
        )
        metrics.append(metric)
        for training in metric.seeds:
            noise = rng.normal(scale=3.0 / epochs, size=space.size)
            columns[metric.seed_column(training)] = quality + noise
    for epochs in EPOCHS:
        name = f"toy_train_time_{epochs}"
        metrics.append(Metric(name, "training_time", "s", "minimize", dataset="toy", epochs=epochs))
        columns[name] = epochs * rng.uniform(1, 2, size=space.size)
    metrics.append(Metric("chip_ms", "latency", "ms", "minimize", device="chip"))
    columns["chip_ms"] = 1 + vectors.sum(axis=1) + rng.uniform(0, 0.1, size=space.size)
    return make_benchmark("toy", space, metrics, columns)


class Computed(OpenBenchmark):
    """Answers for any architecture by a function, which costs nothing to ask.

    Args:
        name: its name, and what tells it from others.
        space: any space.
        metrics: what there is to ask for.
        figure: of an architecture, as ``SearchSpace.read`` returns it, and a metric.

    Attributes:
        asked: how many figures were asked for.
    """

    sample_size: ClassVar[int] = 30

    def __init__(
        self,
        name: str,
        space: SearchSpace,
        metrics: Sequence[Metric],
        figure: Callable[[Any, str], float],
    ) -> None:
        self.name = name
        self.space = space
        self.metrics = {metric.name: metric for metric in metrics}
        self.about: dict[str, Any] = {}
        self.figure = figure
        self.asked = 0

    @property
    def checksum(self) -> str:
        """Its name."""
        return self.name

    def figures(
        self, architectures: Sequence[Any], metric: str, seed: int | None = None
    ) -> NDArray[np.float64]:
        """See ``OpenBenchmark``."""
        self.asked += len(architectures)
        return np.array([self.figure(one, metric) for one in architectures])
