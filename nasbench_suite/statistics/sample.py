"""What statistics are made of: the figures of one method on one task, checked and labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError

Floats = NDArray[np.float64]

_DIGITS = 7  # of the largest figure: what single precision holds


@dataclass(frozen=True)
class Sample:
    """The figures of one method on one task, one a seed; larger is better.

    Attributes:
        task: name of the task.
        method: name of the method.
        figures: what each search is judged by, finite, shape (n,), n at least 1.
        seeds: its seed, each once, shape (n,).
        classes: number of the class of isomorphic architectures that it returned, shape (n,);
            searches that returned one class share its training noise.
    """

    task: str
    method: str
    figures: Floats
    seeds: NDArray[np.int64]
    classes: NDArray[np.int64]

    def __post_init__(self) -> None:
        where = f"{self.method} on {self.task}"
        if not len(self.figures):
            raise SuiteError(f"{where} has no figure: run it with a seed at least.")
        if not np.isfinite(self.figures).all():
            raise SuiteError(f"{where} has figures that are not finite: run those seeds again.")
        if not len(self.figures) == len(self.seeds) == len(self.classes):
            raise SuiteError(f"{where} needs one seed and one class for each figure.")
        if len(np.unique(self.seeds)) < len(self.seeds):
            raise SuiteError(f"{where} has two figures of one seed: keep one of them.")

    def __len__(self) -> int:
        return len(self.figures)


def make_sample(
    figures: ArrayLike,
    *,
    task: str = "task",
    method: str = "method",
    seeds: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
) -> Sample:
    """A sample from arrays; seeds count from 0, and each figure is of a class of its own.

    Raises:
        SuiteError: no figures, one that is not finite, or labels of another length.
    """
    array = np.asarray(figures, dtype=np.float64).reshape(-1)
    count = np.arange(len(array))
    return Sample(
        task,
        method,
        array,
        count if seeds is None else np.asarray(seeds, dtype=np.int64),
        count if classes is None else np.asarray(classes, dtype=np.int64),
    )


def paired(one: Sample, other: Sample) -> tuple[Floats, Floats]:
    """The figures of both at the seeds that both have, in the order of the seeds."""
    _, first, second = np.intersect1d(one.seeds, other.seeds, return_indices=True)
    return one.figures[first], other.figures[second]


def round_figures(values: ArrayLike, scale: float) -> Floats:
    """Figures to seven digits of ``scale``, so that what is equal ranks as equal.

    Many tables were stored in single precision, and means of equal figures differ by rounding:
    1,213 neighbours in one real table differ by less than 1e-9.

    Args:
        values: of any shape; what is missing stays so.
        scale: the figure of greatest magnitude that counts, such as the task's optimum; of 0, the
            largest among the values.
    """
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    magnitude = abs(scale) or np.abs(array).max(initial=0.0, where=finite) or 1.0
    return array.round(_DIGITS - 1 - int(np.floor(np.log10(magnitude))))


__all__ = ["Sample", "make_sample", "paired", "round_figures"]
