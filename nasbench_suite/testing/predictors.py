"""The contract of a performance predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nasbench_suite import registry
from nasbench_suite.predictors import Examples, Predictor, make_predictor
from nasbench_suite.spaces import listed, load_space
from nasbench_suite.statistics.correlation import spearman
from nasbench_suite.testing.base import Contract, global_generators_at


class PredictorContract(Contract):
    """What is relied on in every predictor.

    The figure to learn is a made one, above 0: a sum over decisions of the worth of the option,
    most of which is the same at every decision; and curves that rise to it.

    Attributes:
        names: of the predictors.
        space: a space that they are defined for, which can be listed.
        settings: hyper-parameters by name, such as make them quick.
        known: how many figures they learn from.
        rank: Spearman's correlation that they reach, at least, on architectures not seen.
    """

    space: ClassVar[str] = "nats-tss"
    settings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    known: ClassVar[int] = 60
    rank: ClassVar[float] = 0.3

    def examples(self) -> tuple[Examples, np.ndarray]:
        """Some architectures, and their figures."""
        space = listed(load_space(self.space))
        rng = np.random.default_rng(0)
        drawn = rng.choice(space.size, min(self.known + 60, space.size), replace=False)
        vectors = space.vectors(drawn)
        decisions, options = vectors.shape[1], max(space.choices)
        worth = rng.normal(size=options) + 0.5 * rng.normal(size=(decisions, options))
        quality = worth[np.arange(decisions), vectors].sum(axis=1)
        values = 50 + 10 * quality / np.abs(quality).max()
        curves = values[:, None] * np.array([0.5, 0.7, 0.8, 0.85]) + rng.normal(size=(1, 4))
        return Examples(space, drawn, curves), values

    def make(self, name: str) -> Predictor:
        """A predictor made anew."""
        return make_predictor(name, self.settings.get(name))

    def fitted(self, name: str) -> tuple[Predictor, Examples]:
        """A predictor that has learnt, and what it is to be asked."""
        examples, values = self.examples()
        known = np.arange(self.known)
        predictor = self.make(name)
        predictor.fit(examples.take(known), values[known], np.random.default_rng(0))
        return predictor, examples.take(np.arange(self.known, len(examples)))

    def test_it_says_what_it_is(self, name: str) -> None:
        """In its docstring."""
        kind = registry.load_class("predictors", name, Predictor)
        assert kind.__doc__, "it has no docstring"
        assert not kind.__doc__.startswith(f"{kind.__name__}("), "it has no docstring of its own"

    def test_it_predicts_what_it_has_not_seen(self, name: str) -> None:
        """A finite mean that ranks, and a deviation that is not negative or is NaN."""
        predictor, asked = self.fitted(name)
        mean, deviation = predictor.predict(asked)
        assert mean.shape == deviation.shape == (len(asked),)
        assert np.isfinite(mean).all()
        assert np.isnan(deviation).all() or (deviation >= 0).all()
        _, values = self.examples()
        assert spearman(mean, values[self.known :]) >= self.rank

    def test_it_depends_on_what_it_is_given_alone(self, name: str) -> None:
        """Not on global generators, nor on the order of what is asked."""
        with global_generators_at(1):
            predictor, asked = self.fitted(name)
            first = predictor.predict(asked)
        with global_generators_at(2):
            predictor, asked = self.fitted(name)
            second = predictor.predict(asked)
        np.testing.assert_array_equal(first.mean, second.mean)
        np.testing.assert_array_equal(first.deviation, second.deviation)
        backwards = predictor.predict(asked.take(np.arange(len(asked))[::-1]))
        np.testing.assert_allclose(first.mean, backwards.mean[::-1], rtol=1e-5)

    def test_an_update_takes_further_figures(self, name: str) -> None:
        """A predictor that was updated ranks no worse than it must."""
        examples, values = self.examples()
        first, more = np.arange(self.known // 2), np.arange(self.known // 2, self.known)
        predictor = self.make(name)
        rng = np.random.default_rng(0)
        predictor.fit(examples.take(first), values[first], rng)
        predictor.update(examples.take(more), values[more], rng)
        asked = np.arange(self.known, len(examples))
        mean = predictor.predict(examples.take(asked)).mean
        assert spearman(mean, values[asked]) >= self.rank
