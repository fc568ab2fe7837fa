"""Gradient-boosted trees by XGBoost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard, undeviating

Array = NDArray[np.float64]


@dataclass
class XGBoost(Predictor):
    """Gradient-boosted trees on features, by XGBoost.

    Chen and Guestrin, *XGBoost*, KDD 2016; settings as in NASLib (White et al., NeurIPS 2021).

    Attributes:
        rounds: trees.
        learning_rate: by which each tree counts.
        max_depth: of a tree.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ("xgboost", "predictors")
    fewest: ClassVar[int] = 2

    rounds: int = 500
    learning_rate: float = 0.3
    max_depth: int = 6
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Grow the trees on one thread."""
        from xgboost import XGBRegressor

        self.standard = Standard.of(values)
        self.model = XGBRegressor(
            n_estimators=self.rounds,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            random_state=int(rng.integers(2**31)),
            n_jobs=1,
        )
        self.model.fit(known.features(self.encoding), self.standard.scale(values))

    def predict(self, asked: Examples) -> Prediction:
        """The sum of the trees, without deviations."""
        scaled = self.model.predict(asked.features(self.encoding)).astype(np.float64)
        return undeviating(self.standard.unscale(scaled, scaled).mean)
