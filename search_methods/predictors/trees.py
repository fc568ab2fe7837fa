"""Forests of regression trees, which need nothing but scikit-learn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts, check_shares
from nasbench_suite.predictors import EnsemblePredictor, Examples

Array = NDArray[np.float64]


@dataclass
class Forest(EnsemblePredictor):
    """What both forests share."""

    num_trees: int = 100
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"

    def __post_init__(self) -> None:
        check_counts("A forest", self, "num_trees")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Grow all trees."""
        self.forest = self.plant(int(rng.integers(2**32)))
        self.forest.fit(self._features(known), values)

    def members(self, asked: Examples) -> Array:
        """What each tree predicts, shape (trees, n)."""
        features = self._features(asked)
        return np.stack([tree.tree_.predict(features)[:, 0] for tree in self.forest.estimators_])

    def _features(self, examples: Examples) -> NDArray[np.float32]:
        return examples.features(self.encoding).astype(np.float32)  # what trees compare

    @abstractmethod
    def plant(self, seed: int) -> Any:
        """A forest that has not grown yet."""


@dataclass
class RandomForest(Forest):
    """A random forest on features.

    Breiman, *Random forests*, Machine Learning 2001; the settings are those of NAS-Bench-301's
    surrogate (Zela et al., ICLR 2022), as White et al. (NeurIPS 2021) take them.

    Attributes:
        num_trees: trees.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
        max_features: share of the features considered at each split.
        min_leaf: least number of examples in a leaf.
        bootstrap: whether each tree sees examples drawn with replacement.
    """

    num_trees: int = 116
    max_features: float = 0.17055852159745608
    min_leaf: int = 2
    bootstrap: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts("A forest", self, "min_leaf")
        check_shares("A forest", self, "max_features")

    def plant(self, seed: int) -> Any:
        """See ``Forest``."""
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(
            self.num_trees,
            max_features=self.max_features,
            min_samples_leaf=self.min_leaf,
            bootstrap=self.bootstrap,
            random_state=seed,
        )


@dataclass
class ExtraTrees(Forest):
    """Extremely randomised trees on features: the ensemble of the exhaustive predictor.

    Geurts, Ernst and Wehenkel, *Extremely randomized trees*, Machine Learning 2006.

    Attributes:
        num_trees: trees.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    def plant(self, seed: int) -> Any:
        """See ``Forest``."""
        from sklearn.ensemble import ExtraTreesRegressor

        return ExtraTreesRegressor(self.num_trees, random_state=seed)
