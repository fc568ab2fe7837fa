"""What a prediction is measured by, over all architectures tested and over the best of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.correlation import (
    kendall,
    precision_at,
    regret_at,
    sparse_kendall,
    spearman,
)

Array = NDArray[np.float64]

STEP = 0.1
"""Figures in percent are rounded to multiples of this for sparse Kendall; others have none."""
TOP = 0.1
"""The share of the architectures tested that is the top."""


@dataclass(frozen=True)
class Measure:
    """One figure of a prediction.

    Attributes:
        title: what a table calls it.
        compute: from what was predicted and the truth, larger is better in both.
        larger: whether larger is better.
        bounds: the least and the greatest that it can be.
    """

    title: str
    compute: Callable[[Array, Array], float]
    larger: bool = True
    bounds: tuple[float, float] = (-1.0, 1.0)


MEASURES: Mapping[str, Measure] = {
    "kendall": Measure("Kendall's tau", kendall),
    "sparse_kendall": Measure(
        f"Kendall's tau at {STEP:g}",
        lambda predicted, truth: sparse_kendall(predicted, truth, STEP),
    ),
    "spearman": Measure("Spearman's rho", spearman),
    "precision_10": Measure(
        "precision at 10", lambda p, truth: precision_at(10, p, truth), bounds=(0.0, 1.0)
    ),
    "precision_50": Measure(
        "precision at 50", lambda p, truth: precision_at(50, p, truth), bounds=(0.0, 1.0)
    ),
    "regret_1": Measure(
        "regret at 1", lambda p, truth: regret_at(1, p, truth), larger=False, bounds=(0.0, np.inf)
    ),
    "regret_10": Measure(
        "regret at 10", lambda p, truth: regret_at(10, p, truth), larger=False, bounds=(0.0, np.inf)
    ),
}
IN_PERCENT = ("sparse_kendall",)
"""Measures that only figures in percent have: a tenth of a nat is no tenth of a point."""
REGIONS = ("all", "top")
"""All architectures tested, and the tenth of them that is truly best."""

UNDEFINED: Mapping[str, float] = {
    f"{region} {name}": np.nan for region in REGIONS for name in MEASURES
}
"""What ``measure_all`` would say where there is nothing to measure."""


def measure_all(predicted: Array, truth: Array, unit: str = "%") -> dict[str, float]:
    """Every measure over every region, by ``region measure``; NaN where it is undefined.

    Args:
        predicted: larger is better, shape (n,); -inf for what is known to compute nothing.
        truth: larger is better, shape (n,).
        unit: of the truth.

    Raises:
        SuiteError: something predicted is not a number.
    """
    if np.isnan(predicted).any() or (predicted == np.inf).any():
        raise SuiteError(
            "A prediction is not a number: correct the predictor, or leave out the architectures "
            "that it cannot score."
        )
    best = (
        truth >= np.partition(truth, -max(int(TOP * len(truth)), 1))[-max(int(TOP * len(truth)), 1)]
    )
    found = {}
    for region, rows in (("all", np.ones_like(best)), ("top", best)):
        for name, measure in MEASURES.items():
            meant = unit == "%" or name not in IN_PERCENT
            value = measure.compute(predicted[rows], truth[rows]) if meant else np.nan
            found[f"{region} {name}"] = value
    return found
