"""What gradient-boosted trees of several packages share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard, undeviating

Array = NDArray[np.float64]
Trees = Callable[[Array], Any]
"""What trees add up to for features of shape (n, width): shape (n,)."""


@dataclass
class Boosting(Predictor):
    """Boosted trees on features, of figures brought to mean 0 and variance 1."""

    fewest: ClassVar[int] = 2

    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Grow the trees."""
        self.standard = Standard.of(values)
        seed = int(rng.integers(2**31))
        self.trees = self.grow(known.features(self.encoding), self.standard.scale(values), seed)

    @abstractmethod
    def grow(self, features: Array, figures: Array, seed: int) -> Trees:
        """Trees that were grown on one thread."""

    def predict(self, asked: Examples) -> Prediction:
        """The sum of the trees, without deviations."""
        scaled = np.asarray(self.trees(asked.features(self.encoding))).astype(np.float64)
        return undeviating(self.standard.unscale(scaled, scaled).mean)
