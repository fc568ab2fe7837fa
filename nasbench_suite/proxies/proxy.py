"""What a proxy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from nasbench_suite import registry
from nasbench_suite.proxies.subject import Subject
from nasbench_suite.seeding import sequence, stream
from nasbench_suite.spaces import SearchSpace, find_space


class Proxy(ABC):
    """A score of an architecture that takes no training; larger predicts better.

    A new proxy is one file::

        class L2Norm(Proxy):
            \"\"\"The sum over layers of the norm of the weights.\"\"\"

            def score(self, subject: Subject) -> float:
                return sum(float(layer.weight.norm()) for layer in layers(subject.network()))

    and one line under the entry point group ``nasbench_suite.proxies``.

    Attributes:
        packages: what it imports beyond the core dependencies.
    """

    packages: ClassVar[tuple[str, ...]] = ()

    def need(self, subject: Subject) -> None:
        """See, without computing anything, that the proxy is defined for a subject.

        It is asked of one architecture before many are scored. By default every network will do.

        Raises:
            SuiteError: it is not, and why.
        """
        return  # nothing to see to

    @abstractmethod
    def score(self, subject: Subject) -> float:
        """The score; equal for equal subjects, and -inf where the architecture computes nothing.

        Raises:
            SuiteError: the proxy is not defined for architectures of this space.
        """


def make_subject(
    name: str, space: SearchSpace, architecture: Any, seed: int = 0, **settings: Any
) -> Subject:
    """A subject whose weights and draws belong to the seed and the architecture.

    Args:
        name: of the proxy that draws.
        space: the search space.
        architecture: in any form that the space reads.
        seed: of initial weights, which are the same for all proxies, and of what is drawn.
        settings: further attributes of ``Subject``.
    """
    value = space.read(architecture)
    string = space.string(value)
    weights = int(sequence(seed, "weights", string).generate_state(1)[0])
    return Subject(space, value, draws(seed, name, string), weights_seed=weights, **settings)


def draws(seed: int, name: str, architecture: str) -> np.random.Generator:
    """What a proxy draws from for an architecture, given by its string."""
    return stream(seed, "proxy", name, architecture)


def score(
    name: str, space: SearchSpace | str, architecture: Any, seed: int = 0, **settings: Any
) -> float:
    """The score of one architecture by the proxy of that name.

    Args:
        name: a registered proxy; `nasbench list proxies` lists them.
        space: the search space, or its name.
        architecture: in any form that the space reads.
        seed: of initial weights, and of what the proxy draws.
        settings: further attributes of ``Subject``, such as ``batch`` or ``channels``.

    Raises:
        SuiteError: there is no such proxy, space or architecture, or no score of it there.
    """
    proxy = registry.load_object("proxies", name, Proxy)
    return score_of(proxy, make_subject(name, find_space(space), architecture, seed, **settings))


def score_of(proxy: Proxy, subject: Subject) -> float:
    """The proxy's score of a subject; on a GPU in whole single precision, and the same twice."""
    if "torch" not in proxy.packages:
        return float(proxy.score(subject))
    from nasbench_suite.networks.devices import repeatable

    with repeatable(subject.device):
        return float(proxy.score(subject))
