"""The contract of a zero-cost proxy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nasbench_suite import registry
from nasbench_suite.proxies import Proxy, Subject
from nasbench_suite.spaces import load_space
from nasbench_suite.testing.base import Contract, global_generators_at


class ProxyContract(Contract):
    """What is relied on in every proxy.

    Attributes:
        names: of the proxies.
        space: a space that they are defined for.
        samples: how many architectures are scored.
        settings: further attributes of ``Subject``, such as make the networks small.
    """

    space: ClassVar[str] = "nats-tss"
    samples: ClassVar[int] = 10
    settings: ClassVar[Mapping[str, Any]] = {}

    def scores(self, name: str, backwards: bool = False) -> list[float]:
        """The scores of some architectures, by a proxy made anew."""
        proxy = registry.load_object("proxies", name, Proxy)
        space = load_space(self.space)
        rng = np.random.default_rng(0)
        drawn = [space.sample(rng) for _ in range(self.samples)]
        found = {}
        for number in reversed(range(self.samples)) if backwards else range(self.samples):
            subject = Subject(space, drawn[number], np.random.default_rng(number), **self.settings)
            found[number] = proxy.score(subject)
        return [found[number] for number in range(self.samples)]

    def test_it_says_what_it_is(self, name: str) -> None:
        """In its docstring."""
        assert type(registry.load_object("proxies", name, Proxy)).__doc__, "it has no docstring"

    def test_scores_are_numbers_that_differ(self, name: str) -> None:
        """Of which -inf means that an architecture computes nothing."""
        scores = self.scores(name)
        for score in scores:
            assert isinstance(score, (float, int)), f"a score of type {type(score).__name__}"
            assert math.isfinite(score) or score == -math.inf, f"a score of {score}"
        assert len(set(scores)) > 1, "every architecture has the same score"

    def test_a_score_depends_on_its_subject_alone(self, name: str) -> None:
        """Not on global generators, nor on what was scored before."""
        with global_generators_at(1):
            first = self.scores(name)
        with global_generators_at(2):
            second = self.scores(name, backwards=True)
        assert first == second
