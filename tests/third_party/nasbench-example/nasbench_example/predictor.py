"""What learns figures from features."""

import numpy as np

from hardware.predictors import Predictor


class Nearest(Predictor):
    """The figure of the nearest architecture that was measured."""

    def fit(self, features, latencies):
        self.features, self.latencies = features, latencies

    def predict(self, features):
        distances = ((features[:, None] - self.features) ** 2).sum(axis=-1)
        return self.latencies[np.argmin(distances, axis=1)]
