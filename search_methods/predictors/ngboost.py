"""Natural gradient boosting, which predicts distributions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts, check_positive, check_shares
from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard

Array = NDArray[np.float64]


@dataclass
class NGBoost(Predictor):
    """Natural gradient boosting of a Gaussian's mean and deviation, on features.

    Duan et al., *NGBoost*, ICML 2020; settings as in NASLib (White et al., NeurIPS 2021).

    Attributes:
        rounds: trees of each parameter.
        learning_rate: by which each tree counts.
        max_depth: of a tree.
        max_features: share of the features considered at each split.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ("ngboost", "predictors")
    fewest: ClassVar[int] = 4  # half of them are drawn for each tree

    rounds: int = 505
    learning_rate: float = 0.08127053060223186
    max_depth: int = 6
    max_features: float = 0.7920456318712875
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"

    def __post_init__(self) -> None:
        check_counts("NGBoost", self, "rounds max_depth")
        check_positive("NGBoost", self, "learning_rate")
        check_shares("NGBoost", self, "max_features")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Grow the trees."""
        from ngboost import NGBRegressor
        from sklearn.tree import DecisionTreeRegressor

        self.standard = Standard.of(values)
        seed = int(rng.integers(2**31))
        tree = DecisionTreeRegressor(
            max_depth=self.max_depth,
            max_features=self.max_features,
            random_state=seed,
        )
        self.model = NGBRegressor(
            Base=tree,
            n_estimators=self.rounds,
            learning_rate=self.learning_rate,
            minibatch_frac=0.5,
            random_state=seed,
            verbose=False,
        )
        self.model.fit(known.features(self.encoding), self.standard.scale(values))

    def predict(self, asked: Examples) -> Prediction:
        """Mean and deviation of the Gaussian, the noise included."""
        found = self.model.pred_dist(asked.features(self.encoding))
        return self.standard.unscale(np.asarray(found.loc), np.asarray(found.scale))
