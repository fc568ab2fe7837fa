"""Zero-cost proxies: scores of architectures that were not trained.

A further proxy is one file with a subclass of ``Proxy``, and one line under the entry point group
``nasbench_suite.proxies``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbench_suite import registry
from nasbench_suite.spaces import SearchSpace


@dataclass(frozen=True)
class Subject:
    """What a proxy is shown of an architecture.

    Attributes:
        space: the search space.
        architecture: a value of the space's own, as ``space.sample`` gives it.
        rng: for whatever the proxy draws, such as initial weights; equal for equal seeds.
    """

    space: SearchSpace
    architecture: Any
    rng: np.random.Generator


class Proxy(ABC):
    """A score of an architecture that takes no training; larger predicts better."""

    @abstractmethod
    def score(self, subject: Subject) -> float:
        """The score; equal for equal subjects, and -inf where the architecture computes nothing.

        Raises:
            SuiteError: the proxy is not defined for architectures of this space.
        """


def score(name: str, space: SearchSpace, architecture: Any, seed: int = 0) -> float:
    """The score of one architecture by the proxy of that name.

    Args:
        name: a registered proxy; `nasbench list proxies` lists them.
        space: the search space.
        architecture: in any form that the space reads.
        seed: of what the proxy draws.

    Raises:
        SuiteError: there is no such proxy or architecture, or the proxy is not defined there.
    """
    proxy = registry.load_object("proxies", name, Proxy)
    subject = Subject(space, space.read(architecture), np.random.default_rng(seed))
    return float(proxy.score(subject))


__all__ = ["Proxy", "Subject", "score"]
