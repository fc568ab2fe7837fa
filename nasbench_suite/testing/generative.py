"""The contract of a generative model of architectures."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nasbench_suite.analysis.generative import GenerativeModel
from nasbench_suite.spaces import FiniteSpace, load_finite_space
from nasbench_suite.testing.base import Contract, global_generators_at


class GenerativeContract(Contract):
    """What ``nasbench_suite.analysis.generative`` relies on; ``model`` is to be overridden.

    Attributes:
        names: of the models, as ``model`` takes them.
        space: the space of their architectures.
    """

    space: ClassVar[str] = "nats-tss"

    def model(self, name: str) -> GenerativeModel:
        """The model of that name."""
        raise NotImplementedError(f"{type(self).__name__}.model gives no {name}.")

    def where(self) -> FiniteSpace:
        """The space of the architectures."""
        return load_finite_space(self.space)

    def vectors(self, decoded: Any) -> list[Any]:
        """What was decoded, an item an architecture: vectors, strings, or None for nothing."""
        return [item.tolist() if isinstance(item, np.ndarray) else item for item in decoded]

    def test_posteriors_are_distributions(self, name: str) -> None:
        """Means and deviations of one shape, finite, the same twice and one at a time."""
        model, cells = self.model(name), np.asarray(self.where().all_vectors[:40])
        means, spread = map(np.asarray, model.encode(cells))
        assert means.ndim == 2
        assert means.shape == spread.shape == (len(cells), means.shape[1])
        assert np.isfinite(means).all()
        assert np.isfinite(spread).all()
        again, _ = model.encode(cells)
        assert np.array_equal(means, again), "encoding twice gives different latents"
        alone, _ = model.encode(cells[7:8])
        np.testing.assert_allclose(alone, means[7:8], rtol=1e-4, atol=1e-5)

    def test_decoding_and_sampling_depend_on_the_generator_alone(self, name: str) -> None:
        """As many as asked for, equally for equal generators."""
        model, cells = self.model(name), np.asarray(self.where().all_vectors[:20])
        means, _ = model.encode(cells)
        draws = []
        for seed in (1, 2):
            with global_generators_at(seed):
                decoded = self.vectors(model.decode(means, np.random.default_rng(0)))
                sampled = self.vectors(model.sample(20, np.random.default_rng(0)))
            assert len(decoded) == len(cells)
            assert len(sampled) == 20
            draws.append((decoded, sampled))
        assert draws[0] == draws[1]
