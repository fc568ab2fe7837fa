"""Gradient-boosted trees by XGBoost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nasbench_suite.parsing import check_counts, check_positive
from search_methods.predictors.boosting import Array, Boosting, Trees


@dataclass
class XGBoost(Boosting):
    """Gradient-boosted trees on features, by XGBoost.

    Chen and Guestrin, *XGBoost*, KDD 2016; settings as in NASLib (White et al., NeurIPS 2021).

    Attributes:
        rounds: trees.
        learning_rate: by which each tree counts.
        max_depth: of a tree.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ("xgboost", "predictors")

    rounds: int = 500
    learning_rate: float = 0.3
    max_depth: int = 6

    def __post_init__(self) -> None:
        check_counts("XGBoost", self, "rounds max_depth")
        check_positive("XGBoost", self, "learning_rate")

    def grow(self, features: Array, figures: Array, seed: int) -> Trees:
        """See ``Boosting``."""
        from xgboost import XGBRegressor

        model = XGBRegressor(
            n_estimators=self.rounds,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            random_state=seed,
            n_jobs=1,
        )
        model.fit(features, figures)
        predict: Trees = model.predict
        return predict
