"""One feedforward network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts, check_positive
from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import undeviating
from search_methods.predictors.deep_ensemble import DeepEnsemble

Array = NDArray[np.float64]


@dataclass
class MLP(Predictor):
    """One feedforward network, trained with Adam on the absolute error.

    As in White, Zela, Ru, Liu and Hutter, *How powerful are performance predictors in neural
    architecture search?*, NeurIPS 2021, whose network is 20 layers of 20 units; here the widths
    are those of common practice.

    Attributes:
        num_layers: hidden layers.
        layer_width: units of each.
        epochs: epochs of training in batches of 32.
        learning_rate: step size of Adam.
        encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.
    """

    num_layers: int = 3
    layer_width: int = 64
    epochs: int = 300
    learning_rate: float = 0.003
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "one-hot"

    def __post_init__(self) -> None:
        check_counts("A feedforward network", self, "num_layers layer_width epochs")
        check_positive("A feedforward network", self, "learning_rate")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Train the network."""
        encoding = self.encoding
        if encoding not in known.space.encodings and not known.space.choices:
            encoding = "auto"
        self.network = DeepEnsemble(
            *(1, self.num_layers, self.layer_width, self.epochs, self.learning_rate),
            encoding=encoding,
            longest_path=3,
        )
        self.network.fit(known, values, rng)

    def predict(self, asked: Examples) -> Prediction:
        """What the network says; a single one has no deviation."""
        return undeviating(self.network.members(asked)[0])
