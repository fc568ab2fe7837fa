"""Gradient-boosted trees by LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts, check_positive
from search_methods.predictors.boosting import Array, Boosting, Trees

_MOST_LEAVES = 131_072  # that LightGBM grows


@dataclass
class LightGBM(Boosting):
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

    rounds: int = 500
    learning_rate: float = 0.05
    num_leaves: int = 31
    min_leaf: int = 5

    def __post_init__(self) -> None:
        check_counts("LightGBM", self, "rounds min_leaf")
        check_positive("LightGBM", self, "learning_rate")
        if not 2 <= self.num_leaves <= _MOST_LEAVES:
            raise SuiteError(
                f"LightGBM cannot work with num_leaves={self.num_leaves}: give 2 to "
                f"{_MOST_LEAVES:,}."
            )

    def grow(self, features: Array, figures: Array, seed: int) -> Trees:
        """See ``Boosting``."""
        import lightgbm

        settings = {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_leaf,
            "feature_fraction": 0.9,
            "bagging_fraction": 0.8,
            "bagging_freq": 5,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "verbose": -1,
        }
        data = lightgbm.Dataset(features, figures)
        model = lightgbm.train(settings, data, num_boost_round=self.rounds)
        return partial(model.predict, num_threads=1)
