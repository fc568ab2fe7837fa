"""An ensemble of feedforward networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts, check_positive
from nasbench_suite.predictors import EnsemblePredictor, Examples
from nasbench_suite.predictors.predictor import Standard
from search_methods.predictors.encoding import check_longest_path, encode
from search_methods.predictors.network_ensemble import NetworkEnsemble

Array = NDArray[np.float64]


@dataclass
class DeepEnsemble(EnsemblePredictor):
    """Networks trained from different initial weights; their spread is the uncertainty.

    The predictor of BANANAS (White, Neiswanger and Savani, AAAI 2021), with the defaults of its
    authors' code; deep ensembles are of Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017.

    Attributes:
        num_networks: number of networks in the ensemble.
        num_layers: hidden layers of each.
        layer_width: units of each hidden layer.
        epochs: epochs of training, with Adam on the absolute error, in batches of 32.
        learning_rate: step size of Adam.
        encoding: see ``SearchSpace.features``; ``auto`` for paths where the space has them, else
            the first that it has.
        longest_path: number of edges of the longest paths encoded in NAS-Bench-201's cells.
    """

    num_networks: int = 5
    num_layers: int = 10
    layer_width: int = 20
    epochs: int = 150
    learning_rate: float = 0.01
    encoding: Literal["auto", "path", "one-hot", "adjacency"] = "auto"
    longest_path: int = 2

    def __post_init__(self) -> None:
        check_counts("A deep ensemble", self, "num_networks num_layers layer_width epochs")
        check_positive("A deep ensemble", self, "learning_rate")
        check_longest_path(self.longest_path)

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Train all networks on scores brought to mean 0 and variance 1."""
        self.standard = Standard.of(values)
        self.ensemble = NetworkEnsemble(
            self.num_networks, self.num_layers, self.layer_width, self.epochs, self.learning_rate
        )
        features = encode(known, self.encoding, self.longest_path)
        self.ensemble.fit(features, self.standard.scale(values), rng)

    def members(self, asked: Examples) -> Array:
        """What each network predicts, shape (networks, n)."""
        predictions = self.ensemble.predict(encode(asked, self.encoding, self.longest_path))
        return self.standard.centre + self.standard.spread * predictions
