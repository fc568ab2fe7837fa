"""What a predictor is: it learns, it predicts means and deviations, and it takes more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors.examples import Examples

Array = NDArray[np.float64]


class Prediction(NamedTuple):
    """What is predicted of n architectures.

    Attributes:
        mean: in the unit of the figures learnt from, shape (n,).
        deviation: standard deviation of the figure without its noise, shape (n,); NaN where the
            predictor cannot say.
    """

    mean: Array
    deviation: Array


@dataclass
class Predictor(ABC):
    """A dataclass of hyper-parameters that learns figures of architectures.

    A new predictor is one file::

        @dataclass
        class Nearest(Predictor):
            \"\"\"The figure of the nearest architecture that is known.\"\"\"

            def learn(self, known, values, rng):
                self.features, self.figures = known.features("one-hot"), values

            def predict(self, asked):
                distances = cdist(asked.features("one-hot"), self.features)
                nearest = distances.argmin(axis=1)
                return Prediction(self.figures[nearest], distances[range(len(asked)), nearest])

    All randomness comes from ``rng``. Larger figures need not be better.

    Attributes:
        needs_curves: whether it reads ``Examples.curves``.
        needs_package: what it needs beyond the core dependencies, as (package, extra); empty for
            nothing.
        fewest: it learns from so many figures at least.
    """

    needs_curves: ClassVar[bool] = False
    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ()
    fewest: ClassVar[int] = 1

    def fit(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Learn anew.

        Args:
            known: n architectures.
            values: their figures, finite, shape (n,).
            rng: where the predictor's random numbers come from.

        Raises:
            SuiteError: too few figures, figures that are not finite, or examples that lack what
                the predictor reads.
        """
        values = np.asarray(values, dtype=np.float64)
        if len(values) < self.fewest or len(values) != len(known):
            raise SuiteError(
                f"{type(self).__name__} learns from at least {self.fewest} architectures with a "
                f"figure each, not from {len(known)} with {len(values)} figures."
            )
        if not np.isfinite(values).all():
            raise SuiteError(
                f"{type(self).__name__} cannot learn from figures that are not finite: leave "
                f"these architectures out."
            )
        self._known, self._values = known, values
        self.learn(known, values, rng)

    def update(self, more: Examples, values: Array, rng: np.random.Generator) -> None:
        """Take further figures; by default everything is learnt anew.

        Args:
            more: m further architectures.
            values: their figures, shape (m,).
            rng: where the predictor's random numbers come from.
        """
        joined = np.concatenate([self._values, np.asarray(values, dtype=np.float64)])
        self.fit(self._known.followed_by(more), joined, rng)

    @abstractmethod
    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Learn anew from what ``fit`` has checked."""

    @abstractmethod
    def predict(self, asked: Examples) -> Prediction:
        """Mean and deviation of the figure of each architecture, in the order asked."""

    @property
    def config(self) -> dict[str, Any]:
        """The hyper-parameters, as JSON-able values."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.init}


@dataclass
class EnsemblePredictor(Predictor):
    """A predictor whose members each predict by themselves."""

    @abstractmethod
    def members(self, asked: Examples) -> Array:
        """What each member predicts, shape (members, n)."""

    def predict(self, asked: Examples) -> Prediction:
        """Mean and standard deviation over the members."""
        predictions = self.members(asked)
        return Prediction(predictions.mean(axis=0), predictions.std(axis=0))


def undeviating(mean: Array) -> Prediction:
    """A prediction without deviations."""
    mean = np.asarray(mean, dtype=np.float64)
    return Prediction(mean, np.full(len(mean), np.nan))


@dataclass(frozen=True)
class Standard:
    """Figures brought to mean 0 and variance 1, and back.

    Attributes:
        centre: their mean.
        spread: their standard deviation, or 1 where they are all the same.
    """

    centre: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> Standard:
        """That of some figures."""
        return cls(float(values.mean()), float(values.std()) or 1.0)

    def scale(self, values: Array) -> Array:
        """Figures as a predictor learns them."""
        return (values - self.centre) / self.spread

    def unscale(self, mean: Array, deviation: Array) -> Prediction:
        """What was predicted, in the unit of the figures."""
        return Prediction(self.centre + self.spread * mean, self.spread * deviation)
