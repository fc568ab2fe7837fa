"""Predictors that read the first epochs of training."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_not_negative, check_positive
from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard, undeviating

Array = NDArray[np.float64]


@dataclass
class CurveScore(Predictor):
    """A score of each curve by itself, brought to the unit of the figures by a line."""

    needs_curves: ClassVar[bool] = True
    fewest: ClassVar[int] = 0

    @abstractmethod
    def scores(self, curves: Array) -> Array:
        """Scores of curves of shape (n, epochs), larger predicts better, shape (n,)."""

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """The line of least squares, where it rises; the score itself otherwise."""
        self.slope, self.intercept = 1.0, 0.0
        if len(values) > 1:
            scores = self.scores(known.known_curves())
            spread = float(((scores - scores.mean()) ** 2).sum())
            slope = float(((scores - scores.mean()) * (values - values.mean())).sum())
            if spread > 0 and slope > 0:
                self.slope = slope / spread
                self.intercept = float(values.mean() - self.slope * scores.mean())

    def predict(self, asked: Examples) -> Prediction:
        """The line at the scores, without deviations."""
        return undeviating(self.intercept + self.slope * self.scores(asked.known_curves()))


@dataclass
class LastFigure(CurveScore):
    """The figure after the last epoch that is shown: stopping early."""

    def scores(self, curves: Array) -> Array:
        """See ``CurveScore``."""
        return curves[:, -1]


@dataclass
class CurveSum(CurveScore):
    """The sum of the curve, as the sum over training losses (SoTL).

    Ru, Lyle, Schut, Fil, van der Wilk and Gal, *Speedy performance estimation for neural
    architecture search*, NeurIPS 2021. Where tables hold validation accuracies in place of
    training losses it is the sum of these.

    Attributes:
        last: sum over so many last epochs alone; 0 for all.
    """

    last: int = 0

    def __post_init__(self) -> None:
        check_not_negative("A sum of figures", self, "last")

    def scores(self, curves: Array) -> Array:
        """See ``CurveScore``."""
        sums: Array = curves[:, -self.last :].sum(axis=1)
        return sums


@dataclass
class CurveRegression(Predictor):
    """Support vector regression on the curve, its first and second differences, and features.

    Baker, Gupta, Raskar and Naik, *Accelerating neural architecture search using performance
    prediction*, ICLR 2018 workshop; there the features are hyper-parameters of the architecture.

    Attributes:
        encoding: of the features beside the curve; ``none`` for the curve alone.
        penalty: C of the support vector machine.
    """

    needs_curves: ClassVar[bool] = True

    encoding: Literal["auto", "path", "one-hot", "adjacency", "none"] = "none"
    penalty: float = 10.0

    def __post_init__(self) -> None:
        check_positive("Support vector regression", self, "penalty")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Scale and fit."""
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVR

        self.standard = Standard.of(values)
        self.model = make_pipeline(StandardScaler(), SVR(C=self.penalty, epsilon=0.05))
        self.model.fit(self._features(known), self.standard.scale(values))

    def predict(self, asked: Examples) -> Prediction:
        """What the machine says, without deviations."""
        scaled = np.asarray(self.model.predict(self._features(asked)))
        return undeviating(self.standard.unscale(scaled, scaled).mean)

    def _features(self, examples: Examples) -> Array:
        curves = examples.known_curves()
        parts = [curves, np.diff(curves, axis=1), np.diff(curves, n=2, axis=1)]
        if self.encoding != "none":
            parts.append(examples.features(self.encoding))
        return np.hstack(parts)


@dataclass
class CurveExtrapolation(CurveScore):
    """Extrapolation of every curve by a power law: a - b t^-c, by least squares, at a horizon.

    The three-parameter power law is one of the curves of Domhan, Springenberg and Hutter, *Speeding
    up automatic hyperparameter optimization of deep neural networks by extrapolation of learning
    curves*, IJCAI 2015, who average eleven of them by Markov chains. ``c`` is the same for all
    architectures: of a grid, the one of least squared error over the curves shown.

    Attributes:
        horizon: in multiples of the last epoch shown.
    """

    horizon: float = 8.0

    def __post_init__(self) -> None:
        check_positive("An extrapolation", self, "horizon")

    def scores(self, curves: Array) -> Array:
        """See ``CurveScore``; epochs count 1, 2, ... as they stand."""
        epochs = curves.shape[1]
        if epochs < 3:
            raise SuiteError(
                f"A power law of three parameters needs three points, and curves have {epochs}: "
                f"choose the predictor 'last-figure' or 'curve-sum'."
            )
        times = np.arange(1, epochs + 1, dtype=np.float64)
        best, found = np.inf, curves[:, -1]
        for power in (0.25, 0.5, 1.0, 1.5, 2.0):
            design = np.column_stack([np.ones(epochs), -(times**-power)])
            solved, *_ = np.linalg.lstsq(design, curves.T, rcond=None)
            error = float(((design @ solved - curves.T) ** 2).sum())
            if error < best:
                best = error
                found = solved[0] - solved[1] * (self.horizon * epochs) ** -power
        return found
