"""Gradient-boosted trees by LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard, undeviating

Array = NDArray[np.float64]


@dataclass
class LightGBM(Predictor):
    """Gradient-boosted trees on features, by LightGBM.

    Luo, Tan, Wang, Qin, Chen and Liu, *Neural architecture search with GBDT*, arXiv:2007.04785,
    with their settings, as in NASLib (White et al., NeurIPS 2021).

    Attributes:
        rounds: trees.
        learning_rate: by which each tree counts.
        num_leaves: of a tree.
        min_leaf: least number of examples in a leaf.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ("lightgbm", "predictors")
    fewest: ClassVar[int] = 2

    rounds: int = 500
    learning_rate: float = 0.05
    num_leaves: int = 31
    min_leaf: int = 5
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Grow the trees on one thread."""
        import lightgbm

        self.standard = Standard.of(values)
        settings = {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_leaf,
            "feature_fraction": 0.9,
            "bagging_fraction": 0.8,
            "bagging_freq": 5,
            "seed": int(rng.integers(2**31)),
            "num_threads": 1,
            "deterministic": True,
            "verbose": -1,
        }
        data = lightgbm.Dataset(known.features(self.encoding), self.standard.scale(values))
        self.model = lightgbm.train(settings, data, num_boost_round=self.rounds)

    def predict(self, asked: Examples) -> Prediction:
        """The sum of the trees, without deviations."""
        scaled = np.asarray(self.model.predict(asked.features(self.encoding), num_threads=1))
        return undeviating(self.standard.unscale(scaled, scaled).mean)
